package main

import (
	"math/rand/v2"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// start is a Monday.
var start = time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC)

// player of package cli: the Governor is told how each call ended, and asked how the number stands.
type cliPlayer struct {
	g       *cli.Governor
	numbers []outdial.Number
	state   []cli.State
	ev      outdial.Event
	a       outdial.Attempt
	seen    uint64 // of the audit
	index   map[outdial.Number]int
}

func newGoverned(w *world) (player, error) { return newCLI(w.numbers) }

func newCLI(numbers int) (*cliPlayer, error) {
	ids := new(outdial.Registry)
	cfg := cli.Config{
		IDs: ids, Pools: []cli.PoolConfig{{Name: "pool", Program: "survey"}},
		Limits: cli.Limits{Caps: []cli.Cap{{Max: 1, Window: time.Second}}}, // nothing is reserved here
	}
	p := &cliPlayer{state: make([]cli.State, numbers), index: map[outdial.Number]int{}}
	for i := range numbers {
		n := outdial.Number(12125550000 + i)
		p.numbers = append(p.numbers, n)
		p.index[n] = i
		p.state[i] = cli.StateActive
		cfg.Numbers = append(cfg.Numbers, cli.NumberConfig{Number: n, Pool: "pool", Evidence: "simulated"})
	}
	var err error
	if p.g, err = cli.New(cfg); err != nil {
		return nil, err
	}
	p.a = outdial.Attempt{
		Call: outdial.Call{To: 13105550000, Program: ids.Programs.ID("survey")}, Pool: ids.Pools.ID("pool"), Use: 1,
		Candidate: outdial.Candidate{Carrier: 1}, State: outdial.AttemptEnded,
	}
	p.ev = outdial.Event{Kind: outdial.EventEnded, Attempt: &p.a}
	return p, nil
}

func (p *cliPlayer) share(n, _ int) float64 {
	if s := p.state[n]; s == cli.StateProbation || s == cli.StateRehab {
		return .25
	}
	return 1
}

func (p *cliPlayer) resting(n int) bool { return !p.state[n].Presentable() }

func (p *cliPlayer) call(n int, day, at float64, answered bool) {
	p.a.Timeline = outdial.Timeline{}
	p.a.Result = outdial.Result{Origin: outdial.OriginNoAnswer}
	if answered {
		p.a.Result.Origin = outdial.OriginCalleeHangup
		p.a.Timeline.Set(outdial.MarkAnswer, time.Second)
		p.a.Timeline.Set(outdial.MarkEnd, 12*time.Second)
	}
	p.tell(n, day, at)
}

func (p *cliPlayer) tell(n int, day, at float64) {
	p.a.CLI = p.numbers[n]
	p.ev.Time = start.Add(time.Duration((day*24 + at*10) * float64(time.Hour)))
	p.g.Observe(&p.ev)
	p.learn()
}

// learn follows the audit.
func (p *cliPlayer) learn() {
	if p.g.AuditSeq() == p.seen {
		return
	}
	for _, e := range p.g.Audit(p.seen) {
		p.seen = e.Seq
		if e.Number != 0 {
			p.state[p.index[e.Number]] = e.To
		}
	}
}

func (p *cliPlayer) endDay(day int) {
	p.g.Advance(start.Add(time.Duration(day)*24*time.Hour + 12*time.Hour))
	p.learn()
	p.g.Notices()
}

// blocks simulates numbers that are blocked in 0.2 % of their attempts, and in 3 % once they are labelled.
func blocks(seeds int) (t tally, err error) {
	const numbers, before, most = 200, 9000, 5000
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(uint64(seed+1), 23))
		p, err := newCLI(numbers)
		if err != nil {
			return t, err
		}
		sick := make([]bool, numbers)
		since := make([]int, numbers)
		t.numbers += numbers
		for k := range before + most {
			day := float64(k / 100)
			at := float64(k%100) / 100
			if k == before {
				for i := 0; i < numbers; i += 20 { // few at a time: else it is the list, not the numbers
					if !p.resting(i) {
						sick[i] = true
						t.decays++
					}
				}
			}
			for i := range numbers {
				if p.resting(i) || k >= before && !sick[i] && i%20 == 0 {
					continue
				}
				rate := .002
				if sick[i] {
					rate = .03
					since[i]++
				}
				p.a.Timeline = outdial.Timeline{}
				p.a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
				if rng.Float64() < rate {
					p.a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 603, Phrase: "Network Blocked"}
				} else if rng.Float64() < baseRate {
					p.a.Result.Origin = outdial.OriginCalleeHangup
					p.a.Timeline.Set(outdial.MarkAnswer, time.Second)
					p.a.Timeline.Set(outdial.MarkEnd, 12*time.Second)
				}
				p.tell(i, day, at)
				switch {
				case !p.resting(i):
				case sick[i]:
					sick[i] = false
					t.delays = append(t.delays, since[i])
				case k < before:
					t.wrong++
				}
			}
			if k%100 == 99 {
				p.endDay(k / 100)
			}
		}
	}
	return t, nil
}
