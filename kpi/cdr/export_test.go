package cdr

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/outdial/outdial"
)

// File is what a segment is appended to, for tests that make a disk fail.
type File = file

// WithFiles returns cfg with its segments opened by create.
func (cfg Config) WithFiles(create func(path string) (File, error)) Config {
	cfg.create = create
	return cfg
}

// Sizes of the format that tests cut and flip by.
const (
	HeaderSize  = headerSize
	RecordHead  = recordHead
	SummarySize = summarySize
	KindNames   = kindNames
)

// ReadSegment goes through a segment that stands in memory.
func ReadSegment(
	data []byte, first uint64, ids *outdial.Registry, skip bool, yield func(*outdial.Event) bool,
) (damage Damage, torn int64, err error) {
	w := walk{skip: skip, tail: true, from: earliest, to: latest, decoder: newDecoder(ids)}
	w.cursor.reset(bytes.NewReader(data), "segment", int64(len(data)), first)
	_, _, err = w.records(true, yield)
	return w.damage, w.torn, err
}

// Scan finds where the whole records of a segment end.
func Scan(data []byte, first uint64, skip bool) (end, torn int64, err error) {
	found, err := scan(bytes.NewReader(data), segment{first: first, path: "segment"}, int64(len(data)), skip)
	return found.end, found.torn, err
}

// Reseal makes the checksum of the record that b is right again.
func Reseal(b []byte) { seal(b, binary.LittleEndian.Uint64(b[8:]), b[16]) }

// ReadLive goes through a segment that src shows as it is at that moment.
func ReadLive(src io.ReaderAt, size int64, ids *outdial.Registry, yield func(*outdial.Event) bool) (torn int64, err error) {
	w := walk{tail: true, from: earliest, to: latest, decoder: newDecoder(ids)}
	w.cursor.reset(src, "segment", size, 1)
	_, _, err = w.records(true, yield)
	return w.torn, err
}
