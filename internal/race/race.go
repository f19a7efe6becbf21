// Package race tells tests whether the race detector is on: it allocates, so counts of allocations mean nothing then.
package race
