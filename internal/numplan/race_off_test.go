//go:build !race

package numplan_test

const raceEnabled = false
