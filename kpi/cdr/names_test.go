package cdr_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

func TestIDsAreRenumberedIntoTheReadersRegistry(t *testing.T) {
	dir := t.TempDir()
	writer := registry("")
	j, _ := open(t, cdr.Config{Dir: dir, IDs: writer})
	want := full(t, outdial.EventEnded)
	require.NoError(t, j.Append(&want))

	reader := registry("other-") // ids 1 and 2 of every kind belong to other names here
	got, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: reader})
	require.NoError(t, err)
	w, g := want.Attempt, got[0].Attempt
	require.Equal(t, writer.Trunks.Name(w.Candidate.Trunk), reader.Trunks.Name(g.Candidate.Trunk))
	require.Equal(t, writer.Carriers.Name(w.Candidate.Carrier), reader.Carriers.Name(g.Candidate.Carrier))
	require.Equal(t, writer.Pools.Name(w.Candidate.Pool), reader.Pools.Name(g.Candidate.Pool))
	require.Equal(t, writer.Pools.Name(w.Pool), reader.Pools.Name(g.Pool))
	require.Equal(t, writer.Programs.Name(w.Call.Program), reader.Programs.Name(g.Call.Program))
	require.Equal(t, writer.Campaigns.Name(w.Call.Campaign), reader.Campaigns.Name(g.Call.Campaign))
	require.Equal(t, writer.Tenants.Name(w.Call.Tenant), reader.Tenants.Name(g.Call.Tenant))
	require.Equal(t, writer.Groups.Name(w.Call.Dest.Group), reader.Groups.Name(g.Call.Dest.Group))
	require.Equal(t, writer.DayParts.Name(w.Call.Dest.DayPart), reader.DayParts.Name(g.Call.Dest.DayPart))
	require.Equal(t, writer.Networks.Name(w.Call.Dest.Network), reader.Networks.Name(g.Call.Dest.Network))
	for i := range outdial.MaxTags {
		require.Equal(t, writer.Tags.Name(w.Call.Tags[i]), reader.Tags.Name(g.Call.Tags[i]))
	}
	require.Greater(t, g.Candidate.Trunk, outdial.TrunkID(2))
}

func TestIDsOfSeveralProcessesInOneJournal(t *testing.T) {
	dir := t.TempDir()
	for _, names := range [][]string{{"a", "b"}, {"b", "a"}, {"c", "b", "a"}} {
		ids := &outdial.Registry{}
		ids.Trunks.Add(names...)
		j, _ := open(t, cdr.Config{Dir: dir, IDs: ids})
		id, _ := ids.Trunks.Lookup("a")
		require.NoError(t, j.Append(&outdial.Event{
			Kind: outdial.EventStarted, Attempt: &outdial.Attempt{Candidate: outdial.Candidate{Trunk: id}},
		}))
		require.NoError(t, j.Close())
	}
	ids := &outdial.Registry{}
	got, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: ids})
	require.NoError(t, err)
	require.Len(t, got, 3)
	for _, ev := range got {
		require.Equal(t, "a", ids.Trunks.Name(ev.Attempt.Candidate.Trunk))
	}
	require.Equal(t, 1, ids.Trunks.Len(), "only names that events use")
}

func TestIDsWithoutNames(t *testing.T) {
	dir := t.TempDir()
	ids := &outdial.Registry{}
	j, _ := open(t, cdr.Config{Dir: dir, IDs: ids})
	ev := &outdial.Event{Kind: outdial.EventStarted, Attempt: &outdial.Attempt{Candidate: outdial.Candidate{Trunk: 2}}}
	require.NoError(t, j.Append(ev))
	require.NoError(t, j.Append(ev))
	ids.Trunks.Add("one", "two")
	require.NoError(t, j.Append(ev))
	other := &outdial.Registry{}
	got, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: other})
	require.NoError(t, err)
	require.Equal(t, outdial.TrunkID(2), got[0].Attempt.Candidate.Trunk)
	require.Equal(t, outdial.TrunkID(2), got[1].Attempt.Candidate.Trunk)
	require.Equal(t, "two", other.Trunks.Name(got[2].Attempt.Candidate.Trunk))
}

func TestIDsThatCannotBeJournalled(t *testing.T) {
	ids := &outdial.Registry{}
	ids.Trunks.Add(strings.Repeat("x", 5000))
	j, _ := open(t, cdr.Config{Dir: t.TempDir(), IDs: ids})
	for id, problem := range map[outdial.TrunkID]string{1: "5000 bytes", 1<<20 + 1: "more than 1048576"} {
		err := j.Append(&outdial.Event{
			Kind: outdial.EventStarted, Attempt: &outdial.Attempt{Candidate: outdial.Candidate{Trunk: id}},
		})
		require.ErrorContains(t, err, problem)
	}
	require.NoError(t, j.Append(control("x")))
	require.Len(t, replay(t, j, 0), 1)
}

func TestDictionaryIsRepeatedInEverySegment(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 4096})
	for i := range 200 {
		require.NoError(t, j.Append(ended(uint8(i))))
	}
	require.NoError(t, j.Close())
	files := segmentFiles(t, dir)
	require.Greater(t, len(files), 5)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(4096+512))
	}
	// The last segment alone tells all names.
	alone := t.TempDir()
	b, err := os.ReadFile(files[len(files)-1])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(alone, filepath.Base(files[len(files)-1])), b, 0o600))
	ids := &outdial.Registry{}
	got, _, err := read(t, cdr.ReaderConfig{Dir: alone, IDs: ids})
	require.NoError(t, err)
	require.NotEmpty(t, got)
	require.Equal(t, "trunk-a", ids.Trunks.Name(got[0].Attempt.Candidate.Trunk))
	require.Equal(t, "daypart-a", ids.DayParts.Name(got[0].Attempt.Call.Dest.DayPart))
	require.Equal(t, uint64(200), got[len(got)-1].Seq)
}
