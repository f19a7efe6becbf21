package main

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

var midnight = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func hourOf(t time.Time) float64 { return t.Sub(midnight).Hours() }

// figures are what became of a day.
type figures struct {
	calls, contacts int
	cost            float64
	hits, exposed   int // calls from one o'clock on that counted in the exposure, and those of them that met the bad carrier
	early, met      int // the same with the first hour, in which nothing is known yet
	explored        int
	broken          int
	flaps           int
	recovered       float64     // minutes from healing until the carrier has 80 % of its share again; < 0 = never
	shares          [96]float64 // of the cheapest carrier, by quarter of an hour
}

func (f figures) perContact() float64 { return f.cost / float64(max(f.contacts, 1)) }
func (f figures) exposure() float64   { return float64(f.exposed) / float64(max(f.hits, 1)) }

// pending are outcomes that are not known yet, the next one first.
type pending []outcome

func (p pending) Len() int           { return len(p) }
func (p pending) Less(i, j int) bool { return p[i].known.Before(p[j].known) }
func (p pending) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *pending) Push(x any)        { *p = append(*p, x.(outcome)) }
func (p *pending) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// day plays 24 hours with calls at random moments, rate of them an hour to each of 50 prefixes. What a call meets depends on
// its number and the carrier alone, so all strategies see the same callees.
func day(m *market, s strategy, rate float64, seed uint64) figures {
	const prefixes = 50
	f := figures{recovered: -1}
	arrivals := rand.New(rand.NewPCG(seed, 1))
	var waiting pending
	var quarter [96]struct{ cheap, all int }
	now := midnight
	var minutes [24 * 60]struct{ cheap, all int }
	for call := 0; ; call++ {
		now = now.Add(time.Duration(arrivals.ExpFloat64() / (rate * prefixes) * float64(time.Hour)))
		hour := hourOf(now)
		if hour >= 24 {
			break
		}
		for len(waiting) > 0 && !waiting[0].known.After(now) {
			s.learn(heap.Pop(&waiting).(outcome))
		}
		prefix := arrivals.IntN(prefixes)
		luck := rand.New(rand.NewPCG(seed, uint64(call)+1000))
		chance, delay, fake := luck.Float64(), 30+90*luck.Float64(), luck.Float64()
		carrier, explored := s.pick(now, call, prefix)
		out := outcome{call: call, carrier: carrier, prefix: prefix, start: now, known: now.Add(time.Duration(delay * float64(time.Second)))}
		p := m.ratio(m, hour, carrier, prefix)
		out.answered = chance < p
		if w := m.falseShare(carrier); !out.answered && w > 0 {
			out.false = fake < p*w/(1-w)/(1-p) // of all that looks like an answer, w is none
		}
		if out.false {
			out.known = now.Add(time.Second)
		}
		heap.Push(&waiting, out)
		f.calls++
		f.cost += attemptCost
		if out.looksAnswered() {
			f.cost += prices[carrier]
		}
		if out.answered {
			f.contacts++
		}
		if explored {
			f.explored++
		}
		if m.hit(hour, prefix) {
			bad, settled := btoi(carrier == m.bad), btoi(hour >= 1)
			f.early, f.met = f.early+1, f.met+bad
			f.hits, f.exposed = f.hits+settled, f.exposed+settled*bad
		}
		q, k := &quarter[int(hour*4)], &minutes[int(hour*60)]
		q.all++
		k.all++
		if carrier == 0 {
			q.cheap++
			k.cheap++
		}
	}
	for i, q := range quarter {
		f.shares[i] = float64(q.cheap) / float64(max(q.all, 1))
	}
	f.flaps = flaps(m, f.shares)
	if m.healed > 0 {
		before := 0.0 // its share in the hour before it failed
		for i := 7 * 4; i < 8*4; i++ {
			before += f.shares[i] / 4
		}
		for i := int(m.healed * 60); i+5 <= len(minutes); i++ {
			cheap, all := 0, 0
			for _, k := range minutes[i : i+5] {
				cheap, all = cheap+k.cheap, all+k.all
			}
			if before > 0 && float64(cheap) >= .8*before*float64(all) {
				f.recovered = float64(i) - m.healed*60
				break
			}
		}
	}
	if o, ok := s.(*ours); ok {
		f.broken = o.broken
	}
	return f
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// flaps counts how often the cheapest carrier loses its calls and gets them back although nothing has changed: from most of
// a quarter hour's calls to less than a tenth, and back. The first hour, and the hour after a change, do not count.
func flaps(m *market, shares [96]float64) (n int) {
	up := false
	down := false
	for i, share := range shares {
		hour := float64(i) / 4
		was, is := m.ratio(m, hour, 0, 0), m.ratio(m, max(hour-1, 0), 0, 0)
		if hour < 1 || m.name != "drift" && was != is {
			up, down = false, false
			continue
		}
		switch {
		case share > .5:
			if down {
				n++
			}
			up, down = true, false
		case share < .1 && up:
			down = true
		}
	}
	return n
}
