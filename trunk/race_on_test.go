//go:build race

package trunk_test

const raceEnabled = true
