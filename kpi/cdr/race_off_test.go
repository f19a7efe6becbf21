//go:build !race

package cdr_test

const raceEnabled = false
