//go:build race

package outdial_test

const raceEnabled = true
