package main

import (
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The page says what was measured, by medians, and calls a goal that is missed a goal that is missed.
func TestPage(t *testing.T) {
	r := results{rounds: 3}
	for _, v := range []float64{300, 900, 310} {
		r.add(job{Kind: "cpu", Subject: full, Rate: 1000}, figures{"cpu": v})
	}
	r.add(job{Kind: "cpu", Subject: dialogs, Rate: 1000}, figures{"cpu": 400})
	r.add(job{Kind: "cpu", Subject: full, Rate: 500}, figures{"cpu": 700})
	r.add(job{Kind: "cpu", Subject: dialogs, Rate: 500}, figures{"cpu": 400})
	r.add(job{Kind: "delay", Subject: direct, Rate: 200}, figures{"p50": 100, "p99": 200})
	r.add(job{Kind: "delay", Subject: full, Rate: 200}, figures{"p50": 600, "p99": 9200})
	r.add(job{Kind: "failover", Subject: full, Rate: 10, First: "100"}, figures{"lost": 1, "delayed": 0})
	var page strings.Builder
	require.NoError(t, r.print(&page))
	for _, want := range []string{
		"1,000 calls/s, × Kamailio tm + dialog | ≤ 1 × | 0.78 × | met |",
		"500 calls/s, × Kamailio tm + dialog | ≤ 1.25 × | 1.75 × | **missed** |",
		"median | ≤ 1 ms | 0.50 ms | met |", "99th percentile | ≤ 8 ms | 9 ms | **missed** |",
		"on 100 % | ≤ 0 | 1 | **missed** |", "highest rate, × Kamailio tm + dialog | ≥ 1.20 × | – | not measured |",
		"| " + title(full) + " | 700 | 310 | – | – | – | 0.50 ms | 9 ms |", "3 rounds of CPU",
	} {
		require.Contains(t, page.String(), want)
	}
}

func TestShow(t *testing.T) {
	for want, v := range map[string]float64{"–": math.NaN(), "0.12 ms": .123, "12.3 ms": 12.34, "1234 ms": 1234.4, "-3.10 ms": -3.1, "2 ms": 2} {
		require.Equal(t, want, show(v, "ms"))
	}
}

// Every measurement of a plan is of something that there is, and each round lets another one begin.
func TestPlan(t *testing.T) {
	for _, quick := range []bool{true, false} {
		first, second := plan(quick, 0), plan(quick, 1)
		require.Less(t, len(second), len(first))
		for _, j := range second {
			require.Equal(t, "cpu", j.Kind)
		}
		require.NotEqual(t, first[0].Subject, second[0].Subject)
		for _, j := range first {
			require.Contains(t, kinds, j.Kind)
			require.True(t, j.Subject == direct || title(j.Subject) != j.Subject, j.Subject)
			require.Positive(t, j.Rate)
			require.Positive(t, j.Length)
		}
	}
}

// What a process and its children use is counted, and they end with it.
func TestProcess(t *testing.T) {
	for _, needed := range []string{"/proc/self/smaps_rollup", "/bin/sh"} {
		if _, err := os.Stat(needed); err != nil {
			t.Skip(err)
		}
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	p, err := launch(t.TempDir(), "sh", "-c", "sh -c 'while :; do :; done' & wait")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		used, err := p.cpu()
		return err == nil && used >= 20*time.Millisecond
	}, time.Minute, 10*time.Millisecond)
	memory, err := p.pss()
	require.NoError(t, err)
	require.Positive(t, memory)
	p.stop(9, time.Second)
	require.Eventually(t, func() bool {
		_, err := p.cpu()
		return err != nil
	}, time.Minute, 10*time.Millisecond, "the child is over too")
}

// The answer of one side is what the other makes its next request of.
func TestWithin(t *testing.T) {
	answer := "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z\r\nRecord-Route: <sip:one;lr>\r\nRecord-Route: <sip:two;lr>\r\n" +
		"From: <sip:a>;tag=1\r\nTo: <sip:b>;tag=2\r\nCall-ID: 7@x\r\nCSeq: 1 INVITE\r\nContact: <sip:callee@h>\r\n\r\nbody: To: x"
	require.Equal(t, "BYE sip:callee@h SIP/2.0\r\nVia: SIP/2.0/UDP me;branch=z9hG4bKBYE7\r\nRoute: <sip:two;lr>\r\nRoute: <sip:one;lr>\r\n"+
		"From: <sip:a>;tag=1\r\nTo: <sip:b>;tag=2\r\nCall-ID: 7@x\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		string(within([]byte(answer), "BYE", 2, "me", 7)))
	require.Nil(t, field([]byte(answer), "body"))
}
