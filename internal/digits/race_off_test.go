//go:build !race

package digits_test

const raceEnabled = false
