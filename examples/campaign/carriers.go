package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
)

// carrier is a simulated carrier on a loopback socket.
type carrier struct {
	profile
	sip   *siptest.Carrier
	works siptest.Behaviour
}

// startCarriers starts one carrier for each profile.
func startCarriers(o options, list []profile, l *label) ([]*carrier, error) {
	var cs []*carrier
	for i, p := range list {
		c := &carrier{profile: p, works: siptest.Behaviour{MaxChannels: p.Channels, MaxCPS: p.Contract}}
		if p.Dead {
			c.works = siptest.Behaviour{Script: siptest.Silence(), Options: -1}
		} else {
			c.works.Choose = func(inv siptest.Invite) siptest.Script {
				if l.blocks(inv.From) {
					return blockScript()
				}
				n, err := calleeOf(inv.To)
				if err != nil {
					return siptest.Reject(404, "")
				}
				return p.play(o, i, person(o.Seed, n))
			}
		}
		var err error
		c.sip, err = siptest.StartCarrier(siptest.CarrierConfig{Name: p.Name, Behaviour: c.works, MaxRecords: 100_000})
		if err != nil {
			closeCarriers(cs)
			return nil, fmt.Errorf("carrier %s: %w", p.Name, err)
		}
		cs = append(cs, c)
	}
	return cs, nil
}

// calleeOf reads the user part of a request URI.
func calleeOf(user string) (outdial.Number, error) {
	if len(user) > 0 && user[0] == '+' {
		user = user[1:]
	}
	n, err := strconv.ParseUint(user, 10, 64)
	return outdial.Number(n), err
}

// breakDown makes the carrier fail every call that comes from now on.
func (c *carrier) breakDown(fault string) error {
	b := siptest.Behaviour{Script: siptest.Reject(503, "Service Unavailable"), MaxCPS: c.Contract, MaxChannels: c.Channels}
	if fault == faultSilent {
		b.Script, b.Options = siptest.Silence(), -1
	}
	b.Script.Name = faultScript
	return c.sip.SetBehaviour(b)
}

// breakPart makes the carrier fail every call to the metro area that comes from now on, and no other.
func (c *carrier) breakPart() error {
	b := c.works
	choose := b.Choose
	b.Choose = func(inv siptest.Invite) siptest.Script {
		if n, err := calleeOf(inv.To); err == nil && inMetro(n) {
			s := siptest.Reject(503, "", siptest.Reason(38, "Network out of order"))
			s.Name = networkFailure
			return s
		}
		return choose(inv)
	}
	return c.sip.SetBehaviour(b)
}

// heal makes the carrier work again.
func (c *carrier) heal() error { return c.sip.SetBehaviour(c.works) }

// settle waits until no carrier has a call up, but for calls that were never answered with anything.
func settle(ctx context.Context, cs []*carrier) error {
	var errs []error
	for _, c := range cs {
		if !c.Dead {
			errs = append(errs, c.sip.Settle(ctx))
		}
	}
	return errors.Join(errs...)
}

func closeCarriers(cs []*carrier) {
	for _, c := range cs {
		c.sip.Close()
	}
}
