package kpi

import "github.com/outdial/outdial"

// CostPerContactAt is what CostPerContact would be if the answer rate of the cell were asr instead: the same attempts, fixed fees
// and waiting agents, and for each answer the same minutes, agent time and share of contacts. False where nothing was answered or
// contacted, or asr is not within (0, 1].
func (c *Cell) CostPerContactAt(f Fees, asr float64) (outdial.Micros, bool) {
	perContact, fixed, ok := c.costs(f)
	if !ok || !(asr > 0 && asr <= 1) {
		return 0, false
	}
	return outdial.Micros(perContact + fixed/asr + 0.5), true
}

// CostSensitivity is how the cost of a contact changes with the answer rate, d(cost per contact)/d(ASR), at the rate that the cell
// has: for each point more (0.01) it falls by about a hundredth of it. It is negative; 0 where nothing depends on answers. False as
// for CostPerContactAt.
func (c *Cell) CostSensitivity(f Fees) (perASR outdial.Micros, ok bool) {
	_, fixed, ok := c.costs(f)
	asr, known := c.ASR().Value()
	if !ok || !known {
		return 0, false
	}
	return outdial.Micros(-fixed/(asr*asr) - 0.5), true
}

// costs are the two parts of the cost of a contact: what each contact brings along, and what is spent anyway, as it were at an
// answer rate of one.
func (c *Cell) costs(f Fees) (perContact, fixed float64, ok bool) {
	asr, known := c.ASR().Value()
	if !known || asr == 0 || c.Contacts == 0 {
		return 0, 0, false
	}
	contacts := float64(c.Contacts)
	answered := float64(c.Cost) + c.AgentTime.Hours()*float64(f.AgentHour)
	anyway := float64(c.Seizures())*float64(f.PerAttempt) + f.Idle.Hours()*float64(f.AgentHour) + float64(f.Fixed)
	return answered / contacts, anyway / contacts * asr, true
}
