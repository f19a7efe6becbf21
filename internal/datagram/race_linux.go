//go:build race && !386 && !s390x

package datagram

import (
	"runtime"
	"unsafe"
)

// written tells the race detector what the kernel has written, which it does not see.
func written(b []byte) { runtime.RaceWriteRange(unsafe.Pointer(unsafe.SliceData(b)), len(b)) }

// read tells the race detector what the kernel is about to read.
func read(b []byte) { runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(b)), len(b)) }
