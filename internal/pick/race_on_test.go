//go:build race

package pick_test

const raceEnabled = true
