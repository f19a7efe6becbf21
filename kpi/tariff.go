package kpi

import (
	"time"

	"github.com/outdial/outdial"
)

// Tariff is what a carrier bills beside its price of a minute, which is outdial.Candidate.Cost. The zero value bills whole
// conversations to the nanosecond.
type Tariff struct {
	Carrier outdial.CarrierID // 0 = those without a tariff of their own

	Initial   time.Duration  // the shortest time that is billed
	Increment time.Duration  // the step in which it is billed beyond; 0 = exactly
	PerAnswer outdial.Micros // of each answered call, however long

	ShortBelow time.Duration  // conversations shorter than this
	PerShort   outdial.Micros // cost so much more
}

// Cost is what a conversation of length d costs at a price per minute.
func (t *Tariff) Cost(perMinute outdial.Micros, d time.Duration) outdial.Micros {
	billed := max(d, t.Initial)
	if step := t.Increment; step > 0 && billed > t.Initial {
		billed = t.Initial + (billed-t.Initial+step-1)/step*step
	}
	cost := t.PerAnswer
	if perMinute != 0 {
		cost += outdial.Micros(float64(perMinute)*float64(billed)/float64(time.Minute) + 0.5)
	}
	if d < t.ShortBelow {
		cost += t.PerShort
	}
	return cost
}

// tariffs finds the tariff of a carrier.
type tariffs struct {
	by    map[outdial.CarrierID]*Tariff
	other Tariff
}

func newTariffs(list []Tariff) tariffs {
	t := tariffs{}
	for i := range list {
		if list[i].Carrier == 0 {
			t.other = list[i]
			continue
		}
		if t.by == nil {
			t.by = map[outdial.CarrierID]*Tariff{}
		}
		t.by[list[i].Carrier] = &list[i]
	}
	return t
}

// cost is what a conversation of an attempt costs.
func (t *tariffs) cost(a *outdial.Attempt, d time.Duration) outdial.Micros {
	tariff := &t.other
	if len(t.by) > 0 {
		if own, ok := t.by[a.Candidate.Carrier]; ok {
			tariff = own
		}
	}
	return max(tariff.Cost(a.Candidate.Cost, d), 0)
}

// Fees are the costs that no single call brings along.
type Fees struct {
	PerAttempt outdial.Micros // of each seizure
	AgentHour  outdial.Micros // of an agent, talking or idle
	Idle       time.Duration  // agents' waiting time in the window, for instance Agents.Idle
	Fixed      outdial.Micros // channels, numbers, platform: the window's part, for instance by MonthlyPart
}

// MonthlyPart is the part of a monthly fee that falls on a window, of a month of 30 days.
func MonthlyPart(monthly outdial.Micros, window time.Duration) outdial.Micros {
	return outdial.Micros(float64(monthly)*float64(window)/float64(30*24*time.Hour) + 0.5)
}

// TotalCost is what the attempts of the window cost: minutes and surcharges (Cell.Cost), attempts, agents, and fixed fees.
func (c *Cell) TotalCost(f Fees) outdial.Micros {
	agents := (c.AgentTime + f.Idle).Hours() * float64(f.AgentHour)
	return c.Cost + outdial.Micros(c.Seizures())*f.PerAttempt + outdial.Micros(agents+0.5) + f.Fixed
}

// CostPerMinute is TotalCost for each minute of conversation, and false where there was none.
func (c *Cell) CostPerMinute(f Fees) (outdial.Micros, bool) {
	minutes := c.Duration.Sum().Minutes()
	if minutes <= 0 {
		return 0, false
	}
	return outdial.Micros(float64(c.TotalCost(f))/minutes + 0.5), true
}

// CostPerContact is TotalCost for each contact, and false where there was none.
func (c *Cell) CostPerContact(f Fees) (outdial.Micros, bool) {
	if c.Contacts == 0 {
		return 0, false
	}
	return outdial.Micros(float64(c.TotalCost(f))/float64(c.Contacts) + 0.5), true
}

// AgentTimePerAttempt is agent time for each seizure, voicemail handling included; false where there were none.
func (c *Cell) AgentTimePerAttempt() (time.Duration, bool) { return per(c.AgentTime, c.Seizures()) }

// AgentTimePerContact is agent time for each contact; false where there were none.
func (c *Cell) AgentTimePerContact() (time.Duration, bool) { return per(c.AgentTime, c.Contacts) }

func per(d time.Duration, n uint64) (time.Duration, bool) {
	if n == 0 {
		return 0, false
	}
	return d / time.Duration(n), true
}
