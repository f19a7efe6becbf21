package cdr_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// Whatever stands in a segment, reading it ends, and passing over damage shows at least what stopping at it shows.
// The seeds are real segments, whole and damaged; the checksums of what the fuzzer makes of them are made right
// again on every second run, so that it gets behind them.
func FuzzSegment(f *testing.F) {
	_, b := crashed(f, 2)
	f.Add(b, false)
	f.Add(b[:len(b)-9], true)
	f.Fuzz(func(t *testing.T, data []byte, reseal bool) {
		if reseal {
			resealAll(data)
		}
		shown := func(skip bool) (seqs []uint64, torn int64, err error) {
			seqs = []uint64{}
			_, torn, err = cdr.ReadSegment(data, 1, &outdial.Registry{}, skip, func(ev *outdial.Event) bool {
				if n := len(seqs); n > 0 {
					require.Greater(t, ev.Seq, seqs[n-1])
				}
				require.True(t, ev.Replay)
				seqs = append(seqs, ev.Seq)
				return true
			})
			return seqs, torn, err
		}
		strict, torn, err := shown(false)
		lenient, _, lenientErr := shown(true)
		require.GreaterOrEqual(t, len(lenient), len(strict))
		require.Equal(t, strict, lenient[:len(strict)])
		if err == nil {
			require.NoError(t, lenientErr)
			require.Equal(t, strict, lenient)
			end, cut, scanErr := cdr.Scan(data, 1, false)
			require.NoError(t, scanErr)
			require.Equal(t, cut, torn, "Open cuts what a Reader calls torn")
			require.Empty(t, bytes.Trim(data[end+cut:], "\x00"), "and zeros")
		}
	})
}

func resealAll(data []byte) {
	for at := cdr.HeaderSize; at+cdr.RecordHead <= len(data); {
		size := int(data[at+4]) | int(data[at+5])<<8
		end := at + cdr.RecordHead + size
		if end > len(data) {
			return
		}
		cdr.Reseal(data[at:end])
		at = end
	}
}

// Whatever stands in a CSV file, reading it ends; what can be read is written as it was meant.
func FuzzReadCSV(f *testing.F) {
	f.Add("attempt,start,end,cause\n1-1,2026-03-04T12:00:00Z,1.5,17/U\n")
	f.Add("attempt,start,trunk,late,retry_after\n1-1,,\"a\n\",true,-0.5\n")
	f.Fuzz(func(t *testing.T, file string) {
		ids := &outdial.Registry{}
		var events []outdial.Event
		for ev, err := range cdr.ReadCSV(strings.NewReader(file), ids) {
			if err != nil {
				return
			}
			if len(events) > 50 {
				break
			}
			events = append(events, *ev)
		}
		var b bytes.Buffer
		require.NoError(t, cdr.Export{IDs: ids}.WriteCSV(&b, sequence(events...)))
		i := 0
		for ev, err := range cdr.ReadCSV(&b, ids) {
			require.NoError(t, err)
			require.Equal(t, events[i], *ev)
			i++
		}
		require.Len(t, events, i)
	})
}
