//go:build !amd64 && !arm64

// Package prefetch begins to read memory that will be needed soon. Go has a word for that only inside its own runtime.
package prefetch

import "unsafe"

// Line does nothing on this architecture.
func Line(unsafe.Pointer) {}
