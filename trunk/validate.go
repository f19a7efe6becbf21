package trunk

import (
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// validate names every bad field of cfg in one joined error.
func (cfg *Config) validate() error {
	var errs []error
	if cfg.IDs == nil {
		errs = append(errs, errors.New("trunk: IDs: a registry is required"))
	}
	if cfg.Ledger != nil && cfg.Node == "" {
		errs = append(errs, errors.New("trunk: Node: required with a Ledger"))
	}
	seen := make(map[string]bool, len(cfg.Trunks))
	for i, l := range cfg.Trunks {
		if l.Share.on() && cfg.Ledger == nil {
			errs = append(errs, fmt.Errorf("trunk: Trunks[%d] %q: Share: there is no Ledger", i, l.Name))
		}
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("trunk: Trunks[%d] %q: %w", i, l.Name, fmt.Errorf(format, args...)))
		}
		switch {
		case l.Name == "":
			bad("Name: required")
		case seen[l.Name]:
			bad("Name: given twice")
		}
		seen[l.Name] = true
		l.validate(bad)
	}
	return errors.Join(errs...)
}

// validate calls bad for every bad field of l.
func (l Limits) validate(bad func(format string, args ...any)) {
	if l.Channels > MaxChannels {
		bad("Channels: %d is more than %d", l.Channels, MaxChannels)
	}
	if l.CPS > MaxCPS {
		bad("CPS: %d is more than %d", l.CPS, MaxCPS)
	}
	l.validatePace(bad)
	if l.MaxCall > maxMaxCall {
		bad("MaxCall: %v is more than %v", l.MaxCall, maxMaxCall)
	}
	if l.State > Out {
		bad("State: %d is not a state", l.State)
	}
	if l.Learning > LearnOff {
		bad("Learning: %d is not one", l.Learning)
	}
	if !(l.Alarm <= 1) {
		bad("Alarm: %v is not a share", l.Alarm)
	}
	full := l.withDefaults()
	if l.Hard > 0 && full.Channels > l.Hard {
		bad("Hard: %d is less than the %d Channels", l.Hard, full.Channels)
	}
	l.Burst.validate(full.Channels, l.Hard, bad)
	sum := l.validateFloors(bad)
	if full.Channels >= 0 && sum > full.Channels {
		bad("Floors: their sum %d is more than the %d Channels", sum, full.Channels)
	} else if full.Channels < 0 && l.Hard > 0 && sum > l.Hard {
		bad("Floors: their sum %d is more than Hard, %d", sum, l.Hard)
	} else if full.Channels >= 0 && sum+max(l.Reserve, 0)+max(l.ReserveUrgent, 0) >= full.Channels {
		if l.Reserve > 0 || l.ReserveUrgent > 0 {
			bad("Reserve: with the floors nothing is left of %d Channels for bulk calls", full.Channels)
		}
	}
	l.validateQuotas(bad)
	l.Queue.validate(bad)
	l.Trial.validate(bad)
	l.Share.validate(&full, bad)
}

func (l Limits) validatePace(bad func(format string, args ...any)) {
	if l.Smooth > MaxSmooth {
		bad("Smooth: %v is more than %v", l.Smooth, MaxSmooth)
	}
	if l.Smooth > 0 && l.CPS < 0 {
		bad("Smooth: there is no CPS to smooth to")
	}
	if l.Manual > 0 && l.Smooth <= 0 {
		bad("Manual: nothing is held back without Smooth")
	}
	if full := l.withDefaults(); l.Manual > 0 && full.CPS >= 0 && l.Manual >= full.CPS {
		bad("Manual: %d is not less than the CPS of %d", l.Manual, full.CPS)
	}
	if !(l.Jitter <= 1) {
		bad("Jitter: %v is not a share", l.Jitter)
	}
	full := l.withDefaults()
	switch {
	case l.Sustain <= 0:
	case full.CPS >= 0 && l.Sustain > full.CPS:
		bad("Sustain: %d is more than the CPS of %d", l.Sustain, full.CPS)
	case full.SustainWindow < time.Second || full.SustainWindow > time.Hour:
		bad("SustainWindow: %v is not between 1s and 1h", l.SustainWindow)
	case float64(l.Sustain)*full.SustainWindow.Seconds() > maxSustain:
		bad("Sustain: more than %d calls in one SustainWindow", maxSustain)
	}
}

func (b Burst) validate(base, hard int, bad func(format string, args ...any)) {
	if b.Channels <= 0 {
		return
	}
	switch {
	case base < 0:
		bad("Burst.Channels: there is no base ceiling to burst above")
	case b.Channels <= base:
		bad("Burst.Channels: %d is not more than the %d Channels", b.Channels, base)
	case b.Channels > MaxChannels:
		bad("Burst.Channels: %d is more than %d", b.Channels, MaxChannels)
	case hard > 0 && b.Channels > hard:
		bad("Burst.Channels: %d is more than Hard, %d", b.Channels, hard)
	}
	if b.Budget == 0 {
		bad("Burst.Budget: required (negative = no limit)")
	}
	if b.Price < 0 {
		bad("Burst.Price: %d is negative", b.Price)
	}
	if b.From > outdial.PriorityUrgent {
		bad("Burst.From: %d is not a priority", b.From)
	}
	if _, err := time.LoadLocation(b.Zone); err != nil {
		bad("Burst.Zone: %w", err)
	}
}

// validateFloors returns the sum of the floors.
func (l Limits) validateFloors(bad func(format string, args ...any)) (sum int) {
	seen := map[Floor]bool{}
	for i, f := range l.Floors {
		key := f
		key.Channels = 0
		switch {
		case (f.Campaign == "") == (f.Program == ""):
			bad("Floors[%d]: either a Campaign or a Program is required", i)
		case seen[key]:
			bad("Floors[%d]: %q is given twice", i, f.Campaign+f.Program)
		}
		seen[key] = true
		if f.Channels < 1 || f.Channels > MaxChannels {
			bad("Floors[%d].Channels: %d is not between 1 and %d", i, f.Channels, MaxChannels)
			continue
		}
		sum += f.Channels
	}
	if len(l.Floors) > maxFloors {
		bad("Floors: %d are more than %d", len(l.Floors), maxFloors)
	}
	return sum
}

func (l Limits) validateQuotas(bad func(format string, args ...any)) {
	seen := map[string]bool{}
	for i, q := range l.Quotas {
		if seen[q.Tenant] {
			bad("Quotas[%d].Tenant: %q is given twice", i, q.Tenant)
		}
		seen[q.Tenant] = true
		if q.Channels <= 0 && q.CPS <= 0 {
			bad("Quotas[%d]: bounds nothing", i)
		}
		if q.CPS > MaxCPS {
			bad("Quotas[%d].CPS: %d is more than %d", i, q.CPS, MaxCPS)
		}
	}
}
