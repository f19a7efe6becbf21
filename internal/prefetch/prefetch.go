//go:build amd64 || arm64

// Package prefetch begins to read memory that will be needed soon. Go has a word for that only inside its own runtime.
package prefetch

import "unsafe"

// Line begins to read the cache line that p points into, and does not wait for it. Nothing else happens, whatever p is.
//
//go:noescape
func Line(p unsafe.Pointer)
