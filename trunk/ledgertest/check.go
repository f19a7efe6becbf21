package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial/trunk"
)

// Subject is an implementation and its clock.
type Subject struct {
	// Open returns an empty ledger; it is called once for each check.
	Open func() (trunk.Ledger, error)

	// Now is the time that claims are made at, and Sleep lets time pass for the ledger and for Now: a model clock for a
	// ledger that goes by Claim.Time, the system's for one with a clock of its own.
	Now   func() time.Time
	Sleep func(time.Duration)

	// TTL of the leases that are asked for; 0 = 10 s. With a real clock make it short, but no shorter than the ledger can tell.
	TTL time.Duration
}

// Check returns what the ledger does not keep, each with the name of its check; nil = it keeps everything.
func Check(s Subject) error {
	if s.TTL == 0 {
		s.TTL = 10 * time.Second
	}
	var errs []error
	for _, c := range []struct {
		name string
		run  func(*book) error
	}{
		{"the sum of the shares is within the limit", sum},
		{"a share is never below what the node keeps to", kept},
		{"a lease that has ended is reserved while its calls may live, and then lent", orphaned},
		{"a node that comes back takes its orphan back", cameBack},
		{"a node that has less than its part gets it in the end", fair},
		{"a lowered limit cuts nobody, and grants nothing until use is within it", lowered},
		{"calls per second are lent a second after they were given back", cooled},
		{"floors are never lent", floors},
		{"without a limit everyone gets what he wants", unlimited},
		{"trunks have nothing to do with each other", apart},
		{"a bad claim is an error and changes nothing", rejected},
		{"whatever nodes do, and however they die, the sum is within the limit", chaos},
	} {
		ledger, err := s.Open()
		if err == nil {
			err = c.run(&book{Subject: s, ledger: ledger})
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	return errors.Join(errs...)
}

// book is a ledger under check.
type book struct {
	Subject
	ledger trunk.Ledger
}

// limit of channels in the checks.
const limit = 100

// claim is a claim of a node, for a trunk of limit channels without a limit of calls per second.
func (b *book) claim(node string, has, wants int) trunk.Claim {
	return trunk.Claim{
		Trunk: "alpha", Node: node, Time: b.Now(), TTL: b.TTL, Limit: limit, CPS: -1, Channels: has, Want: wants, Nodes: 4,
	}
}

func (b *book) renew(c trunk.Claim) (trunk.Grant, error) {
	return b.ledger.Renew(context.Background(), c)
}

// expect renews and says what is wrong when other channels are granted.
func (b *book) expect(what string, c trunk.Claim, want int) error {
	g, err := b.renew(c)
	if err == nil && g.Channels != want {
		err = fmt.Errorf("%s: %s has %d, wants %d and is granted %d, not %d", what, c.Node, c.Channels, c.Want, g.Channels, want)
	}
	return err
}

// first returns the first error of steps that are taken in order.
func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func sum(b *book) error {
	return first(
		func() error { return b.expect("the first", b.claim("a", 0, 60), 60) },
		func() error { return b.expect("the second", b.claim("b", 0, 60), 40) },
		func() error { return b.expect("the third", b.claim("c", 0, 60), 0) },
		func() error { return b.expect("wants none any more", b.claim("c", 0, 0), 0) },
		func() error { return b.expect("again", b.claim("a", 60, 60), 60) },
		func() error { return b.expect("grows", b.claim("b", 40, 90), 40) },
		func() error { return b.expect("shrinks", b.claim("a", 20, 20), 20) },
		func() error { return b.expect("grows", b.claim("b", 40, 90), 80) },
	)
}

func kept(b *book) error {
	return first(
		func() error { return b.expect("grows", b.claim("a", 0, 90), 90) },
		func() error { return b.expect("wants less than it keeps to", b.claim("a", 90, 10), 90) },
		func() error { return b.expect("others want", b.claim("b", 0, 50), 10) },
		func() error { return b.expect("keeps", b.claim("a", 90, 90), 90) },
	)
}

func orphaned(b *book) error {
	dying := b.claim("a", 0, 70)
	dying.Hold = 2 * b.TTL
	return first(
		func() error { return b.expect("before", dying, 70) },
		func() error { b.Sleep(b.TTL + b.TTL/10); return nil },
		func() error { return b.expect("its calls may live", b.claim("b", 0, 90), 30) },
		func() error { b.Sleep(b.TTL / 2); return nil },
		func() error { return b.expect("they still may", b.claim("b", 30, 90), 30) },
		func() error { b.Sleep(b.TTL / 2); return nil },
		func() error { return b.expect("they still may", b.claim("b", 30, 90), 30) },
		func() error { b.Sleep(b.TTL / 2); return nil },
		func() error { return b.expect("they still may", b.claim("b", 30, 90), 30) },
		func() error { b.Sleep(b.TTL / 2); return nil },
		func() error { return b.expect("they are over", b.claim("b", 30, 90), 90) },
	)
}

func cameBack(b *book) error {
	stalled := b.claim("a", 0, 70)
	stalled.Hold = 100 * b.TTL
	return first(
		func() error { return b.expect("before", stalled, 70) },
		func() error { b.Sleep(b.TTL + b.TTL/10); return nil },
		func() error { return b.expect("reserved", b.claim("b", 0, 90), 30) },
		func() error { return b.expect("it is back with what is up", b.claim("a", 50, 50), 50) },
		func() error { return b.expect("the rest is free", b.claim("b", 30, 90), 50) },
	)
}

func fair(b *book) error {
	if err := b.expect("alone", b.claim("a", 0, limit), limit); err != nil {
		return err
	}
	has := map[string]int{"a": limit}
	for range 10 {
		for _, node := range []string{"a", "b"} {
			g, err := b.renew(b.claim(node, has[node], limit))
			if err != nil {
				return err
			}
			has[node] = min(g.Channels, g.Target)
		}
	}
	if has["b"] != limit/2 || has["a"] != limit/2 {
		return fmt.Errorf("two nodes that want all have %d and %d", has["a"], has["b"])
	}
	return nil
}

func lowered(b *book) error {
	less := func(node string, has, wants int) trunk.Claim {
		c := b.claim(node, has, wants)
		c.Limit = 40
		return c
	}
	return first(
		func() error { return b.expect("before", b.claim("a", 0, 50), 50) },
		func() error { return b.expect("before", b.claim("b", 0, 50), 50) },
		func() error { return b.expect("is not cut", less("a", 50, 60), 50) },
		func() error { return b.expect("shrinks", less("b", 10, 60), 10) },
		func() error { return b.expect("shrinks", less("a", 20, 20), 20) },
		func() error { return b.expect("within the limit", less("b", 10, 60), 20) },
	)
}

func cooled(b *book) error {
	rate := func(node string, has, wants int) trunk.Claim {
		c := b.claim(node, 0, 0)
		c.CPS, c.Rate, c.WantRate, c.TTL = 10, has, wants, 10*time.Second
		return c
	}
	expect := func(c trunk.Claim, want int) error {
		g, err := b.renew(c)
		if err == nil && g.Rate != want {
			err = fmt.Errorf("%s has %d, wants %d and is granted %d a second, not %d", c.Node, c.Rate, c.WantRate, g.Rate, want)
		}
		return err
	}
	return first(
		func() error { return expect(rate("a", 0, 10), 10) },
		func() error { return expect(rate("b", 0, 10), 0) },
		func() error { return expect(rate("a", 4, 4), 4) },
		func() error { b.Sleep(900 * time.Millisecond); return expect(rate("b", 0, 10), 0) },
		func() error { b.Sleep(200 * time.Millisecond); return expect(rate("b", 0, 10), 6) },
	)
}

func floors(b *book) error {
	floor := func(node string, has, wants int) trunk.Claim {
		c := b.claim(node, has, wants)
		c.Floor = 5
		return c
	}
	return first(
		func() error { return b.expect("three others have theirs", floor("a", 0, limit), 85) },
		func() error { return b.expect("its own is there", floor("b", 0, 5), 5) },
		func() error { return b.expect("nothing else is", floor("b", 5, 30), 5) },
		func() error { return b.expect("idle", floor("b", 0, 0), 0) },
		func() error { return b.expect("an idle one's floor is not lent", floor("a", 85, limit), 85) },
	)
}

func unlimited(b *book) error {
	free := b.claim("a", 0, 5000)
	free.Limit = -1
	other := b.claim("b", 0, 7000)
	other.Limit = -1
	return first(
		func() error { return b.expect("one", free, 5000) },
		func() error { return b.expect("another", other, 7000) },
	)
}

func apart(b *book) error {
	beta := b.claim("b", 0, 90)
	beta.Trunk = "beta"
	return first(
		func() error { return b.expect("one", b.claim("a", 0, 90), 90) },
		func() error { return b.expect("another", beta, 90) },
	)
}

func rejected(b *book) error {
	if err := b.expect("before", b.claim("a", 0, 90), 90); err != nil {
		return err
	}
	for _, spoil := range []func(*trunk.Claim){
		func(c *trunk.Claim) { c.Trunk = "" },
		func(c *trunk.Claim) { c.Node = "" },
		func(c *trunk.Claim) { c.TTL = 0 },
		func(c *trunk.Claim) { c.Channels = -1 },
		func(c *trunk.Claim) { c.Want = -1 },
	} {
		c := b.claim("b", 0, 10)
		spoil(&c)
		if _, err := b.renew(c); err == nil {
			return fmt.Errorf("%+v is taken", c)
		}
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.ledger.Renew(done, b.claim("b", 0, 10)); err == nil {
		return errors.New("a claim is taken although its context is done")
	}
	return b.expect("after", b.claim("c", 0, 90), 10)
}
