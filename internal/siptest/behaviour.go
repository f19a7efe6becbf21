package siptest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// A Behaviour is how a carrier treats calls: data, swapped at run time by [Carrier.SetBehaviour]. A
// swap concerns the calls that come after it. The zero value never answers an INVITE, and OPTIONS with 200.
type Behaviour struct {
	// Choose picks the script of a call, if set. It runs on the carrier's loop: it must not block nor
	// call the carrier, apart from reading. A script that does not validate is answered 500.
	Choose func(Invite) Script
	// Mix is drawn from by weight with the carrier's seed, if Choose is nil.
	Mix []Weighted
	// Script is used for every call, if Choose is nil and Mix empty.
	Script Script

	// MaxChannels bounds the calls that are up or being set up; zero means no bound. What comes beyond is answered
	// ChannelsFull; the zero Step means 403 "User channel limit exceeded D1".
	MaxChannels  int
	ChannelsFull Step
	// MaxCPS bounds the INVITEs that are let in within any second (half-open: exactly one second apart is a
	// new second); zero means no bound. What comes beyond is answered TooFast; the zero Step means 503
	// "CPS limit exceeded".
	MaxCPS  int
	TooFast Step

	// Auth demands digest authentication before anything else; nil means none.
	Auth *Auth
	// Options is the status that answers OPTIONS: zero means 200, negative silence.
	Options int
}

// Weighted is one entry of a Mix. Weights are relative and must not be negative.
type Weighted struct {
	Weight float64
	Script Script
}

// An Invite is what Choose sees of a call. Headers and Body must not be changed.
type Invite struct {
	Seq      int    // calls of this carrier are counted from 1
	Channels int    // busy channels, this call included
	CallID   string // Call-ID
	From     string // user part of From
	PAI      string // user part of the first P-Asserted-Identity
	To       string // user part of the request URI
	Source   netip.AddrPort
	At       time.Time
	Headers  []Header
	Body     []byte
}

func (b Behaviour) validate() error {
	errs := []error{b.Script.validate()}
	total := 0.0
	for i, w := range b.Mix {
		if !(w.Weight >= 0) {
			errs = append(errs, fmt.Errorf("Mix[%d].Weight %v is negative", i, w.Weight))
		}
		total += w.Weight
		errs = append(errs, w.Script.validate())
	}
	if len(b.Mix) > 0 && !(total > 0) {
		errs = append(errs, errors.New("no positive weight in Mix"))
	}
	if b.MaxChannels < 0 || b.MaxCPS < 0 {
		errs = append(errs, errors.New("negative MaxChannels or MaxCPS"))
	}
	for name, st := range map[string]Step{"ChannelsFull": b.ChannelsFull, "TooFast": b.TooFast} {
		if st.Code != 0 && st.Code < 300 {
			errs = append(errs, fmt.Errorf("%s: code %d is no rejection", name, st.Code))
		} else if st.Code != 0 && st.validate() != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, st.validate()))
		}
	}
	if b.Options > 699 || b.Options > 0 && b.Options < 200 {
		errs = append(errs, fmt.Errorf("status %d in Options is not final", b.Options))
	}
	if b.Auth != nil {
		errs = append(errs, b.Auth.validate())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("siptest: behaviour: %w", err)
	}
	return nil
}

func (b *Behaviour) channelsFull() Step {
	if b.ChannelsFull.Code != 0 {
		return b.ChannelsFull
	}
	return Step{Code: 403, Phrase: "User channel limit exceeded D1"}
}

func (b *Behaviour) tooFast() Step {
	if b.TooFast.Code != 0 {
		return b.TooFast
	}
	return Step{Code: 503, Phrase: "CPS limit exceeded"}
}

func (b *Behaviour) script(inv Invite, rng *rand.Rand) Script {
	switch {
	case b.Choose != nil:
		s := b.Choose(inv)
		if s.validate() != nil {
			return Reject(500, "Invalid Script")
		}
		return s
	case len(b.Mix) > 0:
		total := 0.0
		for _, w := range b.Mix {
			total += w.Weight
		}
		x, last := rng.Float64()*total, 0
		for i, w := range b.Mix {
			if w.Weight == 0 {
				continue
			}
			last = i
			if x -= w.Weight; x < 0 {
				break
			}
		}
		return b.Mix[last].Script
	default:
		return b.Script
	}
}
