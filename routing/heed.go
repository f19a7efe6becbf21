package routing

import "github.com/outdial/outdial"

// heed finds the overrides that hold for the call: the pin and the force; the others are asked for each candidate.
func (d *decision) heed() {
	if d.again != nil {
		d.overrides[0] = d.again.orders
	} else {
		d.overrides[0] = d.t.orders
		if d.m != nil {
			d.overrides[1] = *d.m.orders.Load()
		}
	}
	for _, list := range d.overrides {
		for i := range list {
			k := &list[i]
			if !k.holds(d.now, &d.call) {
				continue
			}
			d.overridden = true
			if d.rec.On() {
				d.rec.Text(outdial.StageRouting, 0, "override", k.String())
				d.rec.Text(outdial.StageRouting, 0, readOrder, k.recorded())
			}
			switch k.Action {
			case Pin:
				d.pinned = k
			case Force:
				d.forced = k
			}
		}
	}
}

// overrideOf returns the strongest override about a candidate other than pin and force, or nil.
func (d *decision) overrideOf(c *outdial.Candidate) (found *order) {
	for _, list := range d.overrides {
		for i := range list {
			k := &list[i]
			if !k.means(c) || k.Action == Pin || k.Action == Force || !k.holds(d.now, &d.call) {
				continue
			}
			if found == nil || found.Action != Avoid && (k.Action == Avoid || k.Action == Penalise) {
				found = k
			}
		}
	}
	return found
}

func (d *decision) avoided(c *outdial.Candidate) bool {
	k := d.overrideOf(c)
	return k != nil && k.Action == Avoid
}

// keptOut says why an override keeps a candidate out, and which, or nil.
func (d *decision) keptOut(c *outdial.Candidate) (why *outdial.Refusal, by *order) {
	if !d.overridden {
		return nil, nil
	}
	if k := d.overrideOf(c); k != nil && k.Action == Avoid {
		return ErrAvoided, k
	}
	if d.pinned != nil && d.forced == nil && !d.pinned.means(c) {
		return ErrPinned, d.pinned
	}
	return nil, nil
}

// refused says why a candidate is left out, and by which override if by one, or nil.
func (d *decision) refused(c *outdial.Candidate) (why *outdial.Refusal, by *order) {
	if why, by = d.keptOut(c); why != nil {
		return why, by
	}
	if r := d.poolRisk(c.Pool); r > 0 {
		s := stream(d.seed() ^ uint64(c.Pool))
		if s.float() < r {
			return ErrExposure, nil
		}
	}
	return nil, nil
}
