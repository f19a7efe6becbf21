package b2bua

import (
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// Capacity is what a trunk is used for beyond its channels and calls per second; see trunk.Limits.
type Capacity struct {
	Hard          int            `yaml:"hard"`
	Burst         Burst          `yaml:"burst"`
	Sustain       int            `yaml:"sustain"`
	SustainWindow time.Duration  `yaml:"sustain_window"`
	Jitter        float64        `yaml:"jitter"`
	Manual        int            `yaml:"manual"`
	Reserve       int            `yaml:"reserve"`
	ReserveUrgent int            `yaml:"reserve_urgent"`
	Floors        []Floor        `yaml:"floors"`
	Quotas        []Quota        `yaml:"quotas"`
	Queue         Queue          `yaml:"queue"`
	Alarm         float64        `yaml:"alarm"`
	Learning      trunk.Learning `yaml:"learning"` // hold, report, off
	Trial         Trial          `yaml:"trial"`
	Source        string         `yaml:"source"`
}

// Burst is a ceiling above the channels that costs extra; see trunk.Burst.
type Burst struct {
	Channels int           `yaml:"channels"`
	Window   time.Duration `yaml:"window"`
	Rest     time.Duration `yaml:"rest"`
	Budget   time.Duration `yaml:"budget"`
	Zone     string        `yaml:"zone"`
	Price    float64       `yaml:"price"` // in currency units a minute
	From     Priority      `yaml:"from"`  // bulk, normal, urgent; left out = bulk
}

// Priority is an outdial.Priority as the file writes it.
type Priority outdial.Priority

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Priority) UnmarshalText(text []byte) error {
	known, ok := parsePriority(string(text))
	if !ok {
		return fmt.Errorf("%q: want bulk, normal or urgent", text)
	}
	*p = Priority(known)
	return nil
}

// Floor is a number of channels that a campaign or a program is guaranteed; see trunk.Floor.
type Floor struct {
	Campaign string `yaml:"campaign"`
	Program  string `yaml:"program"`
	Channels int    `yaml:"channels"`
}

// Quota bounds a tenant; see trunk.Quota.
type Quota struct {
	Tenant   string `yaml:"tenant"`
	Channels int    `yaml:"channels"`
	CPS      int    `yaml:"cps"`
}

// Queue lets calls wait; see trunk.Queue.
type Queue struct {
	Length int           `yaml:"length"`
	Wait   time.Duration `yaml:"wait"`
	Retry  time.Duration `yaml:"retry"`
}

// Trial is what a canary may carry and must show; see trunk.Trial.
type Trial struct {
	Calls    int     `yaml:"calls"`
	Good     float64 `yaml:"good"`
	Channels int     `yaml:"channels"`
	CPS      int     `yaml:"cps"`
}

// limits are the limits of a trunk as the package wants them.
func (t Trunk) limits() trunk.Limits {
	c := t.Capacity
	l := trunk.Limits{
		Name: t.Name, Channels: t.Channels, CPS: t.CPS, Smooth: t.Smooth, MaxCall: t.MaxCall, State: t.State,
		Hard: c.Hard, Sustain: c.Sustain, SustainWindow: c.SustainWindow, Jitter: c.Jitter,
		Manual:  c.Manual,
		Reserve: c.Reserve, ReserveUrgent: c.ReserveUrgent, Alarm: c.Alarm, Learning: c.Learning, Source: c.Source,
		Queue: trunk.Queue(c.Queue),
		Trial: trunk.Trial{Calls: c.Trial.Calls, Good: c.Trial.Good, Channels: c.Trial.Channels, CPS: c.Trial.CPS},
		Burst: trunk.Burst{
			Channels: c.Burst.Channels, Window: c.Burst.Window, Rest: c.Burst.Rest, Budget: c.Burst.Budget, Zone: c.Burst.Zone,
			Price: outdial.Micros(math.Round(c.Burst.Price * 1e6)), From: outdial.Priority(c.Burst.From),
		},
	}
	for _, f := range c.Floors {
		l.Floors = append(l.Floors, trunk.Floor(f))
	}
	for _, q := range c.Quotas {
		l.Quotas = append(l.Quotas, trunk.Quota(q))
	}
	return l
}

// shortages asks failover's verdict table, which is made after the trunks, what a rejection says about capacity.
type shortages struct{ p *parts }

func (s shortages) Shortage(carrier outdial.CarrierID, r *outdial.Result) outdial.Shortage {
	return s.p.selector.Shortage(carrier, r)
}
