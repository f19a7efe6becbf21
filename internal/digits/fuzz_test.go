package digits_test

import (
	"encoding/binary"
	"testing"
)

// FuzzTable reads 8 bytes for each prefix, the last 8 bytes for the number.
func FuzzTable(f *testing.F) {
	seed := func(all ...uint64) {
		var raw []byte
		for _, n := range all {
			raw = binary.LittleEndian.AppendUint64(raw, n)
		}
		f.Add(raw)
	}
	seed(12125550123)
	seed(0, 1, 12, 121, 1212, 12125550123)
	seed(999_999_999_999_999, 99, 9_999_999_999_999_999_999)
	f.Fuzz(func(t *testing.T, raw []byte) {
		o := oracle{}
		for ; len(raw) >= 16; raw = raw[8:] {
			o[binary.LittleEndian.Uint64(raw)%1e15] = uint32(len(raw))
		}
		if len(raw) < 8 {
			return
		}
		check(t, o, o.table(), binary.LittleEndian.Uint64(raw)%1e19)
	})
}
