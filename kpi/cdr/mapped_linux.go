package cdr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
)

const (
	// maxWindow is how much of a segment is allocated and mapped at one time, in bytes.
	maxWindow = 256 << 10
	// populateWrite is MADV_POPULATE_WRITE of Linux 5.14: all pages of the window are made at once, for a fraction of what one fault for
	// each of them costs. An older kernel refuses it, and has the faults.
	populateWrite = 23
)

// mapped is a segment that is written by storing in a memory mapping of it. The window moves along the file; behind what was stored there are
// zeros, up to the end of the window.
type mapped struct {
	f        *os.File
	size     int64  // of what was stored
	window   []byte // nil = there is none
	base     int64  // of the window in the file
	room     int64  // bytes of a window, whole pages
	plain    bool   // mappings do not work here: it is written by write(2)
	lost     error  // what the file holds is not known any more
	allocate func(fd int, mode uint32, off, n int64) error
}

// createMapped opens a segment whose windows have so many bytes.
func createMapped(path string, window int64) (file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	return &mapped{f: f, room: pages(window), allocate: syscall.Fallocate}, nil
}

// pages is n rounded up to whole pages.
func pages(n int64) int64 {
	page := int64(os.Getpagesize())
	return (n + page - 1) / page * page
}

// Write stores whole records, and the header before the first, one after the other, so that a process that dies leaves whole ones and then a part of one at most.
func (m *mapped) Write(p []byte) (int, error) {
	if !m.plain && m.size+int64(len(p)) > m.base+int64(len(m.window)) {
		if err := m.move(int64(len(p))); err != nil {
			return 0, err
		}
	}
	if m.plain {
		n, err := m.f.WriteAt(p, m.size)
		if err == nil {
			m.size += int64(n)
		}
		return n, err
	}
	if err := store(m.window[m.size-m.base:], p); err != nil {
		m.lost = fmt.Errorf("storing in %s: %w", m.f.Name(), err)
		return len(p), m.lost
	}
	m.size += int64(len(p))
	return len(p), nil
}

// store copies records. A page that the kernel cannot provide, because the disk has failed or somebody has cut the file, is an error.
func store(dst, records []byte) (err error) {
	before := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			fault, ok := r.(interface{ Addr() uintptr })
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("%w: no page at %#x", syscall.EIO, fault.Addr())
		}
	}()
	piece := func(n int) {
		copy(dst, records[:n])
		dst, records = dst[n:], records[n:]
	}
	if string(records[:len(magic)]) == magic { // first: a part of a header is known by it
		piece(len(magic))
		piece(headerSize - len(magic))
	}
	for len(records) > 0 {
		piece(recordHead + int(binary.LittleEndian.Uint32(records[4:])))
	}
	return nil
}

// move lets the window begin where the next n bytes go, with room for them, or makes the file a plain one.
func (m *mapped) move(n int64) error {
	if err := m.unmap(); err != nil {
		return err
	}
	base := m.size / int64(os.Getpagesize()) * int64(os.Getpagesize())
	length := max(m.room, pages(m.size+n-base))
	fd := int(m.f.Fd())
	err := m.allocate(fd, 0, base, length)
	for errors.Is(err, syscall.EINTR) {
		err = m.allocate(fd, 0, base, length)
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.EIO):
		return &os.PathError{Op: "fallocate", Path: m.f.Name(), Err: err}
	case err == nil:
		m.window, err = syscall.Mmap(fd, base, int(length), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	}
	if err != nil {
		m.window, m.plain = nil, true
		return m.f.Truncate(m.size)
	}
	m.base = base
	_ = syscall.Madvise(m.window, populateWrite)
	return nil
}

func (m *mapped) unmap() error {
	if m.window == nil {
		return nil
	}
	err := syscall.Munmap(m.window)
	m.window, m.base = nil, 0
	return os.NewSyscallError("munmap", err)
}

// Truncate cuts off what stands behind size, and the room for what comes.
func (m *mapped) Truncate(size int64) error {
	if err := errors.Join(m.unmap(), m.lost); err != nil {
		return err
	}
	m.size = size
	return m.f.Truncate(size)
}

func (m *mapped) Sync() error { return m.f.Sync() }

// Close cuts off the room for what did not come.
func (m *mapped) Close() error { return errors.Join(m.Truncate(m.size), m.f.Close()) }
