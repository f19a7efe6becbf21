package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

func TestLint(t *testing.T) {
	ids := named("a", "b", "c")
	ids.Carriers.Add("acme", "bell")
	ids.Groups.Add("NANP")
	b := newBench(t, failover.Config{IDs: ids, Jitter: -1, Trunks: []failover.Trunk{
		{Name: "a", Carrier: "acme", Addresses: []string{"192.0.2.1:5060", "192.0.2.9"}},
		{Name: "b", Carrier: "acme", Addresses: []string{"192.0.2.2:5060"}},
		{Name: "c", Carrier: "bell", Addresses: []string{"192.0.2.9", "192.0.2.9 "}},
	}})
	of := func(trunk, carrier int) outdial.Candidate {
		return outdial.Candidate{Trunk: outdial.TrunkID(trunk), Carrier: outdial.CarrierID(carrier)}
	}
	find := func(plan ...outdial.Candidate) (found []string) {
		for _, f := range b.s.Lint(start, []failover.Route{{Group: "NANP", Plan: plan}}) {
			require.NotEmpty(t, f.Text)
			line := string(f.Code)
			for _, name := range f.Trunks {
				line += " " + name
			}
			found = append(found, line)
		}
		return found
	}
	const shared = "shared_address a c"
	require.Equal(t, []string{"few_targets a", shared}, find(of(1, 1)))
	require.Equal(t, []string{"no_baseline b", "shared_carrier a b", shared}, find(of(1, 1), of(2, 1)))
	for i := range 100 {
		b.ring(at(time.Duration(i)*time.Second), 2, 0)
	}
	require.Equal(t, []string{"shared_carrier a b", shared}, find(of(1, 1), of(2, 1)))
	require.Equal(t, []string{"no_baseline c", shared}, find(of(1, 1), of(3, 2)))
	require.Equal(t, []string{shared}, find(of(1, 1), of(2, 2)))
	b.kill(start, 1)
	require.Equal(t, []string{"few_targets b", shared}, find(of(1, 1), of(2, 2)), "one of them is out")
	require.Equal(t, []string{"no_baseline c", "shared_carrier b c", shared}, find(of(1, 1), of(2, 2), of(3, 2)), "those that are left")
	require.Equal(t, []string{"few_targets", shared}, find())

	require.Zero(t, failover.Diversity(nil))
	require.InDelta(t, 1, failover.Diversity([]outdial.Candidate{of(1, 1), of(2, 1)}), 1e-9)
	require.InDelta(t, 2, failover.Diversity([]outdial.Candidate{of(1, 1), of(2, 2)}), 1e-9)
	heavy, light := of(1, 1), of(2, 2)
	heavy.Weight, light.Weight = 90, 10
	require.InDelta(t, 1/(0.81+0.01), failover.Diversity([]outdial.Candidate{heavy, light}), 1e-9)

	_, err := failover.New(failover.Config{Trunks: []failover.Trunk{{}, {Name: "a", Baseline: 2}, {Name: "a"}}, KeepWarm: 0.7})
	for _, want := range []string{`Trunks[0] "": Name: required`, "Baseline: 2", "it is there twice", "names need IDs", "KeepWarm: 0.7"} {
		require.ErrorContains(t, err, want)
	}
}

// TestAlarms: what is out, what is poor, and what refuses calls for a fault of configuration; each ends with its cause.
func TestAlarms(t *testing.T) {
	ids := named("a", "b")
	b := newBench(t, failover.Config{IDs: ids, Jitter: -1, Dwell: -1})
	codes := func(now time.Time) (codes []string) {
		for _, f := range b.s.Alarms(now, start) {
			codes = append(codes, string(f.Code)+" "+f.Trunks[0])
		}
		return codes
	}
	require.Empty(t, codes(start))
	b.kill(start, 1)
	b.end(start, 2, 0, final(403))
	require.Equal(t, []string{"out a", "config_fault b"}, codes(start))
	b.ring(at(time.Second), 2, 0)
	b.revive(at(time.Minute), 1)
	require.Empty(t, codes(at(time.Minute)))
}
