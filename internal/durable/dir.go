// Package durable makes it last what was done to a directory.
package durable

import (
	"errors"
	"io/fs"
	"os"
)

// SyncDir returns when the entries of a directory, new, renamed or removed, are on the disk. Systems that cannot sync a directory do not need it.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
