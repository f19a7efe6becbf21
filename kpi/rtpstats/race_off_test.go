//go:build !race

package rtpstats_test

const raceEnabled = false
