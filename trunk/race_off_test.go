//go:build !race

package trunk_test

const raceEnabled = false
