package cdr_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
)

// generic is a mapping of one's own, for testdata/foreign/generic.csv.
var generic = cdr.Mapping{
	Header: true, Comma: ';', Start: "started", To: "callee", Trunk: "route", Status: "code", Cause: "q850", Billed: "seconds",
	Total: "all", PDD: "pdd_ms", MillisPD: true, Cost: "price",
}

// imported counts a file's attempts, by trunk.
func imported(t *testing.T, file string, m cdr.Mapping) (map[string]kpi.Cell, *kpi.Meter, time.Time) {
	t.Helper()
	f, err := os.Open("testdata/foreign/" + file)
	require.NoError(t, err)
	defer f.Close()
	ids := new(outdial.Registry)
	meter, err := kpi.New(kpi.Config{IDs: ids, Window: 24 * time.Hour, Buckets: 24})
	require.NoError(t, err)
	var last time.Time
	for ev, err := range cdr.Import(f, m, ids) {
		require.NoError(t, err)
		require.True(t, ev.Replay)
		meter.Observe(ev)
		if ev.Time.After(last) {
			last = ev.Time
		}
	}
	cells := map[string]kpi.Cell{}
	for c := range meter.Snapshot(last) {
		if c.Key.View == kpi.ByTrunk {
			cells[ids.Trunks.Name(c.Key.Trunk)] = c
		}
	}
	return cells, meter, last
}

func TestImportAsterisk(t *testing.T) {
	cells, _, _ := imported(t, "asterisk.csv", cdr.Asterisk())
	gold, silver := cells["gold"], cells["silver"]
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, gold.ASR())
	require.Equal(t, kpi.Ratio{K: 2, N: 2}, gold.NER())
	acd, _ := gold.ACD()
	require.Equal(t, time.Minute, acd)
	require.EqualValues(t, 1, silver.Classes[kpi.ClassNoAnswer])
	require.EqualValues(t, 1, silver.Classes[kpi.ClassNetworkFailure])
}

func TestImportFreeSWITCH(t *testing.T) {
	cells, _, _ := imported(t, "freeswitch.csv", cdr.FreeSWITCH())
	gold, silver := cells["gold"], cells["silver"]
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, gold.ASR())
	pdd, _ := gold.PDD.Mean()
	require.Equal(t, 2*time.Second, pdd)
	require.Equal(t, 7*time.Second, gold.Ring.Sum())
	require.Equal(t, kpi.Ratio{K: 2, N: 3}, silver.NER())
	require.EqualValues(t, 1, silver.Classes[kpi.ClassAbandonRinging])
	require.EqualValues(t, 1, silver.Classes[kpi.ClassCongestion])
}

func TestImportKamailio(t *testing.T) {
	cells, _, _ := imported(t, "kamailio.csv", cdr.Kamailio())
	gold, silver := cells["gold"], cells["silver"]
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, gold.ASR(), "a retransmitted 200 and an ACK are no attempts")
	acd, _ := gold.ACD()
	require.Equal(t, time.Minute, acd, "from the BYE's line")
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, silver.ASR())
	require.Zero(t, silver.Ended, "no BYE: how long they talked is not known")
}

func TestImportByAMappingOfOnesOwn(t *testing.T) {
	cells, meter, last := imported(t, "generic.csv", generic)
	gold, silver := cells["gold"], cells["silver"]
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, gold.ASR())
	require.EqualValues(t, 2, gold.PDD.Count())
	require.Equal(t, 2700*time.Millisecond, gold.PDD.Sum())
	require.EqualValues(t, 12_000, gold.Cost)
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, silver.NER())

	var card bytes.Buffer
	report := meter.Report(last)
	require.NoError(t, report.WriteCSV(&card, kpi.ByTrunk))
	golden, err := os.ReadFile("testdata/foreign/scorecard.csv")
	require.NoError(t, err)
	require.Equal(t, string(golden), card.String())
}

func TestImportNamesLineAndColumn(t *testing.T) {
	for _, x := range []struct{ rows, want string }{
		{"", "line 1: the file is empty"},
		{"callee\n+1\n", `column "started": missing`},
		{"started\nyesterday\n", `line 2: column "started": "yesterday" is not a time`},
		{"started\n\"\"\n", `line 2: column "started": empty`},
		{"started;callee\n1772445610;12x\n", `line 2: column "callee"`},
		{"started;code\n1772445610;486\n1772445610;abc\n", `line 3: column "code": "abc" is not a SIP status`},
		{"started;code\n1772445610;99\n", `column "code"`},
		{"started;q850\n1772445610;200\n", `column "q850": "200" is not a Q.850 cause`},
		{"started;seconds\n1772445610;-1\n", `column "seconds": "-1" is not a duration`},
		{"started;price\n1772445610;x\n", `column "price": "x" is not a price`},
		{"started\n\"17724\n", "line 2"},
	} {
		var got error
		for _, err := range cdr.Import(strings.NewReader(x.rows), generic, new(outdial.Registry)) {
			if err != nil {
				got = err
			}
		}
		if x.rows == "" {
			require.NoError(t, got, "a file without a line has no attempts")
			continue
		}
		require.ErrorContains(t, got, x.want, x.rows)
		var line *cdr.LineError
		require.ErrorAs(t, got, &line)
	}
	end := generic
	end.End, end.Result = "ended", "word"
	for rows, want := range map[string]string{
		"started;ended\n1772445610;1772445600\n": `column "ended": 10s before the start`,
		"started;word\n1772445610;MAYBE\n":       `column "word": "MAYBE" is not a disposition`,
		"started;word\n1772445610;ANSWERED\n":    `column "word"`,
	} {
		var got error
		for _, err := range cdr.Import(strings.NewReader(rows), end, new(outdial.Registry)) {
			got = errors.Join(got, err)
		}
		require.ErrorContains(t, got, want)
	}
	for _, err := range cdr.Import(strings.NewReader("x"), cdr.Mapping{}, nil) {
		require.ErrorContains(t, err, "required")
	}
	_, err := cdr.MappingOf("yate")
	require.ErrorContains(t, err, "asterisk")
}

// FuzzImport: whatever a file holds, an import gives whole attempts, or an error that says where.
func FuzzImport(f *testing.F) {
	for i, name := range []string{"asterisk.csv", "freeswitch.csv", "kamailio.csv", "generic.csv"} {
		b, err := os.ReadFile("testdata/foreign/" + name)
		require.NoError(f, err)
		f.Add(uint8(i), b)
	}
	mappings := []cdr.Mapping{cdr.Asterisk(), cdr.FreeSWITCH(), cdr.Kamailio(), generic}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		m := mappings[int(which)%len(mappings)]
		var open *outdial.Attempt
		for ev, err := range cdr.Import(bytes.NewReader(b), m, new(outdial.Registry)) {
			if err != nil {
				require.Nil(t, ev)
				continue
			}
			switch ev.Kind {
			case outdial.EventStarted:
				require.Nil(t, open)
				open = ev.Attempt
			case outdial.EventEnded:
				require.Same(t, open, ev.Attempt)
				end, ok := ev.Attempt.Timeline.At(outdial.MarkEnd)
				require.True(t, ok)
				require.GreaterOrEqual(t, end, time.Duration(0))
				open = nil
			default:
				require.Equal(t, outdial.EventAnswered, ev.Kind)
			}
		}
		require.Nil(t, open)
	})
}
