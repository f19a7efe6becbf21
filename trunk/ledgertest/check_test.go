package ledgertest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/trunk"
	"github.com/outdial/outdial/trunk/ledgertest"
)

// subject runs a ledger on a model clock.
func subject(open func() trunk.Ledger) ledgertest.Subject {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return ledgertest.Subject{
		Open:  func() (trunk.Ledger, error) { return open(), nil },
		Now:   func() time.Time { return now },
		Sleep: func(d time.Duration) { now = now.Add(d) },
	}
}

func TestMemoryLedger(t *testing.T) {
	require.NoError(t, ledgertest.Check(subject(func() trunk.Ledger { return new(trunk.MemoryLedger) })))
}

// spoilt is a MemoryLedger with a fault.
type spoilt struct {
	trunk.MemoryLedger
	claim func(*trunk.Claim)
	grant func(*trunk.Claim, *trunk.Grant)
}

func (s *spoilt) Renew(ctx context.Context, c trunk.Claim) (trunk.Grant, error) {
	if s.claim != nil {
		s.claim(&c)
	}
	g, err := s.MemoryLedger.Renew(ctx, c)
	if err == nil && s.grant != nil {
		s.grant(&c, &g)
	}
	return g, err
}

// TestTheCheckBites: ledgers with the faults that ledgers have are found out, and by the check that is about the fault.
func TestTheCheckBites(t *testing.T) {
	for name, c := range map[string]struct {
		ledger func() trunk.Ledger
		want   []string
	}{
		"adds to each": {
			func() trunk.Ledger { return &spoilt{grant: func(_ *trunk.Claim, g *trunk.Grant) { g.Channels++ }} },
			[]string{"sum of the shares"},
		},
		"takes an ended lease for ended calls": {
			func() trunk.Ledger { return &spoilt{claim: func(c *trunk.Claim) { c.Hold = 0 }} },
			[]string{"is reserved while its calls may live", "whatever nodes do"},
		},
		"cuts a share to what is wanted": {
			func() trunk.Ledger {
				return &spoilt{claim: func(c *trunk.Claim) { c.Channels = min(c.Channels, c.Want) }}
			},
			[]string{"never below what the node keeps to"},
		},
		"lends floors": {func() trunk.Ledger { return &spoilt{claim: func(c *trunk.Claim) { c.Floor = 0 }} }, []string{"floors"}},
		"asks nothing back": {func() trunk.Ledger {
			return &spoilt{grant: func(_ *trunk.Claim, g *trunk.Grant) { g.Target = g.Channels }}
		}, []string{"its part"}},
		"one pot for all":      {func() trunk.Ledger { return &spoilt{claim: func(c *trunk.Claim) { c.Trunk = "one" }} }, []string{"nothing to do with each other"}},
		"does not check":       {func() trunk.Ledger { return &spoilt{claim: func(c *trunk.Claim) { c.TTL = max(c.TTL, 1) }} }, []string{"a bad claim"}},
		"never lets anyone go": {func() trunk.Ledger { return &spoilt{claim: func(c *trunk.Claim) { c.Hold *= 10 }} }, []string{"and then lent"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := ledgertest.Check(subject(c.ledger))
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// The check of an implementation, from a test of its own.
func ExampleCheck() {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	err := ledgertest.Check(ledgertest.Subject{
		Open:  func() (trunk.Ledger, error) { return new(trunk.MemoryLedger), nil },
		Now:   func() time.Time { return now },
		Sleep: func(d time.Duration) { now = now.Add(d) },
	})
	fmt.Println(err)
	// Output: <nil>
}

// A ledger with a clock of its own is checked in real time, with short leases.
func ExampleSubject() {
	s := ledgertest.Subject{Now: time.Now, Sleep: time.Sleep, TTL: 200 * time.Millisecond}
	fmt.Println(s.TTL)
	// Output: 200ms
}
