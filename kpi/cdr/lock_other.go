//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package cdr

import (
	"fmt"
	"os"
)

const lockName = "LOCK"

// lockDir only leaves a file behind: this system has no flock(2), and a second writer is not noticed.
func lockDir(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("cdr: %w", err)
	}
	return f, nil
}
