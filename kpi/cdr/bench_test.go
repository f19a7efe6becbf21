package cdr_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// Append beside a bare write(2) of the same bytes to the same file system. The two take turns, so that a noisy
// neighbour hits both; the medians of the turns are compared.
func BenchmarkAppend(b *testing.B) {
	b.Run("written", func(b *testing.B) { benchAppend(b, cdr.Config{}) })
	b.Run("mapped", func(b *testing.B) { benchAppend(b, cdr.Config{Mapped: true}) })
}

func benchAppend(b *testing.B, cfg cdr.Config) {
	dir := b.TempDir()
	cfg.Dir, cfg.SegmentBytes = dir, 1<<40
	j, _ := open(b, cfg)
	ev := ended(1)
	require.NoError(b, j.Append(ev))
	before := j.Stats().Bytes
	require.NoError(b, j.Append(ev))
	size := int(j.Stats().Bytes - before)
	bare, err := os.OpenFile(filepath.Join(dir, "bare"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(b, err)
	defer bare.Close()
	record := make([]byte, size)

	const turn = 500
	var ours, theirs []float64
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		for range turn {
			if err := j.Append(ev); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		for range turn {
			if _, err := bare.Write(record); err != nil {
				b.Fatal(err)
			}
		}
		ours = append(ours, float64(middle.Sub(start))/turn)
		theirs = append(theirs, float64(time.Since(middle))/turn)
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	a, w := ours[len(ours)/2], theirs[len(theirs)/2]
	b.ReportMetric(a, "append-ns")
	b.ReportMetric(w, "write-ns")
	b.ReportMetric(a/w, "ratio")
	b.ReportMetric(float64(size), "B/record")
}

// Group fsync with 64 writers: how many records share one.
func BenchmarkAppendGroupSync(b *testing.B) {
	j, _ := open(b, cdr.Config{Dir: b.TempDir(), Sync: cdr.SyncGroup})
	b.SetParallelism(32) // 64 writers on two cores
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		ev := ended(1)
		for pb.Next() {
			if err := j.Append(ev); err != nil {
				b.Error(err)
				return
			}
		}
	})
	s := j.Stats()
	b.ReportMetric(float64(s.Events)/float64(s.Syncs), "records/fsync")
}

func BenchmarkReplay(b *testing.B) {
	const events = 100_000
	j, _ := open(b, cdr.Config{Dir: b.TempDir()})
	for i := range events {
		ev := ended(1)
		ev.Attempt.Call.Ref = string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + "-6a3d1f0e-lead"
		ev.Attempt.Call.To += outdial.Number(i)
		if err := j.Append(ev); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := j.Replay(0, func(*outdial.Event) error { n++; return nil }); err != nil || n != events {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
}
