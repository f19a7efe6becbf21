package cdr_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
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

// having is m without the columns that a file does not have, but for the start.
func having(m cdr.Mapping, file string) cdr.Mapping {
	header, _, _ := strings.Cut(file, "\n")
	names := strings.Split(header, ";")
	for _, column := range []*string{
		&m.To, &m.Trunk, &m.Status, &m.Cause, &m.Billed, &m.Total, &m.PDD, &m.Cost, &m.End, &m.Result, &m.Answer,
	} {
		if !slices.Contains(names, *column) {
			*column = ""
		}
	}
	return m
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
		for _, err := range cdr.Import(strings.NewReader(x.rows), having(generic, x.rows), new(outdial.Registry)) {
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
		"started;ended\n1772445610;1772445600\n":  `column "ended": 10s before the start`,
		"started;all\n1772445610;5\n1772445610\n": `line 3: 1 fields, and the columns that are mapped go up to 2`,
		"started;all;seconds\n1772445610;5;6\n":   `column "seconds": 6s of a call of 5s`,
		"started\n1772445610000\n":                `line 2: column "started": "1772445610000" is not a time`,
		"started\n9999-01-01T00:00:00Z\n":         `is not a time`,
		"started;word\n1772445610;MAYBE\n":        `column "word": "MAYBE" is not a disposition`,
		"started;word\n1772445610;ANSWERED\n":     `column "word"`,
	} {
		var got error
		for _, err := range cdr.Import(strings.NewReader(rows), having(end, rows), new(outdial.Registry)) {
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

// oneFile imports a file of text.
func oneFile(m cdr.Mapping, text string) (list []outdial.Attempt, starts int, err error) {
	for ev, err := range cdr.Import(strings.NewReader(text), m, new(outdial.Registry)) {
		if err != nil {
			return list, starts, err
		}
		switch ev.Kind {
		case outdial.EventStarted:
			starts++
		case outdial.EventEnded:
			list = append(list, *ev.Attempt)
		}
	}
	return list, starts, nil
}

// A column that is mapped and is not there would make every attempt fail, or none have a price: it is an error.
func TestImportMissesAColumn(t *testing.T) {
	_, _, err := oneFile(cdr.Mapping{Header: true, Start: "start", Answer: "answred"}, "start,answered\n1772445610,1772445611\n")
	require.EqualError(t, err, `cdr: line 1: column "answred": missing`)
	_, _, err = oneFile(cdr.Mapping{Start: "1", Answer: "3"}, "1772445610,1772445611\n")
	require.EqualError(t, err, `cdr: line 1: column "3": missing`)
	_, _, err = oneFile(cdr.Mapping{Start: "1", Answer: "2", End: "3"}, "1772445610,1772445611,1772445612\n1772445610,17724\n")
	require.ErrorContains(t, err, "line 2: 2 fields")
	answer := cdr.Mapping{Header: true, Start: "start", Answer: "answer", End: "end"}
	_, _, err = oneFile(answer, "start,answer,end\n1772445610,1772445650,1772445620\n")
	require.EqualError(t, err, `cdr: line 2: column "answer": 30s behind the end`)
}

// Spreadsheets put a mark before what they save.
func TestImportByteOrderMark(t *testing.T) {
	for _, x := range []struct {
		m    cdr.Mapping
		text string
	}{
		{cdr.Mapping{Header: true, Start: "start"}, "\ufeffstart\n1772445610\n"}, {cdr.Mapping{Start: "1"}, "\ufeff1772445610\n"},
	} {
		_, n, err := oneFile(x.m, x.text)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	n := 0
	for _, err := range cdr.ReadCSV(strings.NewReader("\ufeffattempt,start\n1-1,2026-03-02T10:00:00Z\n"), new(outdial.Registry)) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 1, n)
}

// How long they talked comes from whatever the file has.
func TestImportBilledTime(t *testing.T) {
	for columns, row := range map[string]string{
		"start,billed": "1772445610,50", "start,total,billed": "1772445610,60,50", "start,end,billed": "1772445610,1772445670,50",
		"start,answer,billed": "1772445610,1772445620,50", "start,answer,end": "1772445610,1772445620,1772445670",
		"start,answer,total": "1772445610,1772445620,60",
	} {
		m := cdr.Mapping{Header: true, Start: "start"}
		for name, to := range map[string]*string{"answer": &m.Answer, "end": &m.End, "total": &m.Total, "billed": &m.Billed} {
			if strings.Contains(columns, name) {
				*to = name
			}
		}
		list, _, err := oneFile(m, columns+"\n"+row+"\n")
		require.NoError(t, err, columns)
		d, ok := list[0].Timeline.Duration()
		require.True(t, ok, columns)
		require.Equal(t, 50*time.Second, d.Round(time.Millisecond), columns)
		require.Equal(t, outdial.OriginCalleeHangup, list[0].Result.Origin)
	}
	list, _, err := oneFile(cdr.Mapping{Header: true, Start: "start", Answer: "answer"}, "start,answer\n1772445610,1772445620\n")
	require.NoError(t, err)
	require.Equal(t, outdial.OriginUnknown, list[0].Result.Origin, "nothing says how long")
}

// Of a file with a line for each transaction: a challenge is no attempt, but where nothing comes behind it, and a re-INVITE is none.
func TestImportTransactions(t *testing.T) {
	const header = "method,from_tag,to_tag,callid,sip_code,sip_reason,time,src_user,dst_user,gateway\n"
	line := func(method, tag, id, code, at string) string {
		return method + ",f," + tag + "," + id + "," + code + ",x,2026-03-02 10:" + at + ",12125550100,12125550101,gold\n"
	}
	list, starts, err := oneFile(cdr.Kamailio(), header+line("INVITE", "", "a", "407", "00:00")+line("INVITE", "t", "a", "200", "00:05")+
		line("INVITE", "t", "a", "200", "00:25")+line("BYE", "t", "a", "200", "01:05")+
		line("INVITE", "", "b", "401", "02:00")+line("INVITE", "", "c", "407", "02:00")+line("INVITE", "", "c", "486", "02:01"))
	require.NoError(t, err)
	require.Equal(t, 3, starts)
	talked, ok := list[0].Timeline.Duration()
	require.True(t, ok)
	require.Equal(t, time.Minute, talked.Round(time.Second))
	require.Equal(t, 0, list[0].Start.Second(), "from the first INVITE on")
	require.EqualValues(t, 486, list[1].Result.Code)
	require.EqualValues(t, 401, list[2].Result.Code, "it was the last word")
	_, _, err = oneFile(cdr.Kamailio(), header+line("INVITE", "t", "a", "200", "10:05")+line("BYE", "t", "a", "200", "09:05"))
	require.ErrorContains(t, err, "line 3")
	list, _, err = oneFile(cdr.Kamailio(), header+line("INVITE", "t", "", "200", "10:05")+line("INVITE", "u", "", "200", "10:06"))
	require.NoError(t, err)
	require.Len(t, list, 2, "without an id nothing belongs together")
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
