package kpi_test

import (
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// oracle is the slow meter: it keeps all events and counts them again for every question.
type oracle struct {
	width  time.Duration
	span   int64
	short  []time.Duration
	events []outdial.Event
}

func (o *oracle) epoch(t time.Time) int64 { return t.UnixNano() / int64(o.width) }

func (o *oracle) inWindow(t, now time.Time) bool {
	e, n := o.epoch(t), o.epoch(now)
	return e <= n && e > n-o.span
}

// cell counts what belongs to key within the window that ends at now.
func (o *oracle) cell(key kpi.Key, now time.Time) kpi.Cell {
	c := kpi.Cell{Key: key}
	perCall := key.View&(kpi.ByTrunk|kpi.ByCarrier|kpi.ByPool) == 0
	bid, answered := map[outdial.CallID]bool{}, map[outdial.CallID]bool{}
	call := map[outdial.CallID]time.Time{} // when the first attempt of a call was made, as far as it was told
	for i := range o.events {
		ev := &o.events[i]
		a := ev.Attempt
		firstBid := (ev.Kind == outdial.EventStarted || ev.Kind == outdial.EventRefused) && !bid[a.ID.Call]
		firstAnswer := ev.Kind == outdial.EventAnswered && !a.Late && !answered[a.ID.Call]
		if _, ok := call[a.ID.Call]; !ok && (firstBid || firstAnswer) {
			call[a.ID.Call] = a.Start
		}
		bid[a.ID.Call] = bid[a.ID.Call] || firstBid
		answered[a.ID.Call] = answered[a.ID.Call] || firstAnswer
		if key.View.Key(a) != key {
			continue
		}
		if perCall && o.inWindow(call[a.ID.Call], now) {
			if firstBid {
				c.Calls++
			}
			if firstAnswer {
				c.CallsAnswered++
			}
		}
		if o.inWindow(a.Start, now) {
			o.byStart(&c, ev)
			if conversed(ev) {
				d, _ := a.Timeline.Duration()
				c.CohortEnded++
				c.CohortTime += d.Truncate(time.Millisecond)
			}
		}
		if o.inWindow(ev.Time, now) {
			o.byEnd(&c, ev)
		}
	}
	return c
}

func (o *oracle) byStart(c *kpi.Cell, ev *outdial.Event) {
	a := ev.Attempt
	switch {
	case ev.Kind == outdial.EventRefused:
		c.Refused[ev.RefusalStage]++
		i := slices.IndexFunc(c.Refusals, func(r kpi.RefusalCount) bool {
			return r.Stage == ev.RefusalStage && r.Code == ev.Refusal
		})
		if i < 0 {
			c.Refusals = append(c.Refusals, kpi.RefusalCount{Stage: ev.RefusalStage, Code: ev.Refusal})
			i = len(c.Refusals) - 1
		}
		c.Refusals[i].N++
		slices.SortFunc(c.Refusals, func(x, y kpi.RefusalCount) int {
			return slices.Compare([]string{x.Stage.String(), x.Code}, []string{y.Stage.String(), y.Code})
		})
	case ev.Kind == outdial.EventStarted:
		c.Started++
		c.Labels[outdial.LabelUnknown]++
	case ev.Kind == outdial.EventAnswered, ev.Kind == outdial.EventEnded && !a.Answered():
		class, by := kpi.Classify(a)
		c.Classes[class]++
		c.ClassifiedBy[by]++
		if by == kpi.ByNothing {
			c.Lost++
			return
		}
		if !class.Seizure() {
			return
		}
		o.outcome(c, a, class)
	}
}

func (o *oracle) outcome(c *kpi.Cell, a *outdial.Attempt, class kpi.Class) {
	if a.Timeline[outdial.MarkEarlySDP] != 0 || a.Timeline[outdial.MarkEarlyMedia] != 0 {
		c.EarlyMedia++
		if class == kpi.ClassAnswer {
			c.EarlyMediaAnswer++
		}
	}
	if d, ok := a.Timeline.PDD(); ok {
		c.PDD.Add(kpi.Kept(d))
	} else if class == kpi.ClassAnswer {
		c.AnswerNoRing++
	}
	o.delays(c, a, class)
	code := a.Result.Code
	if class == kpi.ClassAnswer || slices.Contains([]uint16{480, 486, 600, 603}, code) {
		c.Effective++
	} else if code/100 == 3 {
		c.Redirected++
	}
	if class != kpi.ClassAnswer {
		o.status(c, class, code)
		return
	}
	alerted := max(a.Timeline[outdial.MarkInvite], a.Timeline[outdial.MarkRinging])
	if a.Timeline[outdial.MarkAnswer]-alerted < time.Second {
		c.AnswerAtOnce++
	}
	if a.Late {
		c.LateAnswers++
		return
	}
	c.Answers++
	if d, ok := a.Timeline.RingTime(); ok {
		c.Ring.Add(kpi.Kept(d))
	}
}

// delays counts the delays from the INVITE, each from the timeline for itself.
func (o *oracle) delays(c *kpi.Cell, a *outdial.Attempt, class kpi.Class) {
	tl := &a.Timeline
	if tl[outdial.MarkRinging] != 0 {
		c.Ringing.Add(kpi.Kept(tl[outdial.MarkRinging]))
	}
	var heard time.Duration
	for _, m := range []outdial.Mark{outdial.MarkRinging, outdial.MarkEarlySDP, outdial.MarkEarlyMedia, outdial.MarkMedia} {
		if at := tl[m]; at != 0 && (heard == 0 || at < heard) && (tl[outdial.MarkAnswer] == 0 || at <= tl[outdial.MarkAnswer]) {
			heard = at
		}
	}
	if heard != 0 {
		c.Audible.Add(kpi.Kept(heard))
	}
	srd, final := &c.SRDFailed, tl[outdial.MarkEnd]
	if class == kpi.ClassAnswer {
		srd, final = &c.SRD, tl[outdial.MarkAnswer]
	}
	switch {
	case tl[outdial.MarkProvisional] != 0:
		srd.Add(kpi.Kept(tl[outdial.MarkProvisional]))
	case class == kpi.ClassAnswer || a.Result.Code != 0:
		srd.Add(kpi.Kept(final))
	}
}

// status counts the final status of a seizure that was not answered.
func (o *oracle) status(c *kpi.Cell, class kpi.Class, code uint16) {
	switch {
	case code == 0:
		c.Silent++
		if class == kpi.ClassAbandonEarly || class == kpi.ClassAbandonRinging {
			c.SilentGiven++
		}
		return
	case code/100 == 5 || code/100 == 6:
		c.Uncompleted++
	}
	if code/100 == 4 || slices.Contains([]uint16{600, 603, 604, 607, 608}, code) {
		c.ClientError++
	}
	if slices.Contains([]uint16{408, 500, 503, 504}, code) {
		c.Ineffective++
	}
	i := slices.IndexFunc(c.Statuses, func(s kpi.StatusCount) bool { return s.Code == code })
	if i < 0 {
		c.Statuses = append(c.Statuses, kpi.StatusCount{Code: code})
		i = len(c.Statuses) - 1
	}
	c.Statuses[i].N++
}

// conversed reports whether an event is the end of a conversation.
func conversed(ev *outdial.Event) bool {
	a := ev.Attempt
	return ev.Kind == outdial.EventEnded && a.Answered() && !a.Late && a.Result.Origin != outdial.OriginUnknown
}

func (o *oracle) byEnd(c *kpi.Cell, ev *outdial.Event) {
	a := ev.Attempt
	if !conversed(ev) {
		return
	}
	d, _ := a.Timeline.Duration()
	c.Ended++
	c.Duration.Add(kpi.Kept(d))
	switch a.Result.ByeCode / 100 {
	case 0:
	case 2:
		c.SDD.Add(kpi.Kept(a.Result.Bye))
	default:
		c.SDDFailed.Add(kpi.Kept(a.Result.Bye))
	}
	if d < time.Second {
		c.ZeroSecond++
	}
	for i, limit := range o.short {
		if d <= limit {
			c.Short[i]++
		}
	}
}
