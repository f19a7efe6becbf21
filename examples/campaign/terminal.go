package main

import (
	"os"
	"strconv"
)

// terminalSize returns how to ask for the columns of the terminal that f is, or nil where it is none. COLUMNS overrules
// the terminal.
func terminalSize(f *os.File) func() int {
	if !isTerminal(f) {
		return nil
	}
	return func() int {
		if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
			return n
		}
		return columnsOf(f)
	}
}

// isTerminal reports whether f shows to a person. It takes no library: a character device that is not the null device.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
