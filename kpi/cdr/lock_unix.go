//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package cdr

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

const lockName = "LOCK"

// lockDir takes the writer's lock. The system gives it up when the file is closed, so also when the process dies.
func lockDir(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("cdr: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = fmt.Errorf("%w: %s", ErrLocked, path)
	default:
		err = fmt.Errorf("cdr: locking %s: %w", path, err)
	}
	return nil, errors.Join(err, f.Close())
}
