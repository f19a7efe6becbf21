package main

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/internal/siptest"
)

// redressURL is where the analytics engine of this campaign takes objections.
const redressURL = "https://redress.example.com/case"

// label is an analytics engine that holds one caller ID for unwanted, the first that it sees: every working carrier
// delivers its block for calls that show it (603+, ATIS-1000099).
type label struct {
	mu     sync.Mutex
	number string
}

// blocks reports whether a call that shows a number is blocked.
func (l *label) blocks(from string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.number == "" {
		l.number = from
	}
	return l.number == from
}

// blockScript is the answer to a call that is blocked.
func blockScript() siptest.Script {
	s := siptest.Reject(603, "Network Blocked", siptest.Header{
		Name: "Reason", Value: `SIP;cause=603;text="v=analytics1;url=` + redressURL + `;tel=+18005550199";location=TN`,
	})
	s.Name = string(blocked)
	return s
}

// labelFacts is what outdial made of the blocks.
type labelFacts struct {
	Number outdial.Number
	Blocks int        // that the carriers delivered
	Entry  *cli.Entry // the quarantine, in the audit; nil = it did not come to that

	Redress *cli.Redress // where to object, as the blocks in the journal say
}

// labelled asks the audit for what became of the number that is blocked.
func (c *campaign) labelled(e *evidence) {
	n, err := calleeOf(c.label.number)
	if err != nil {
		return
	}
	e.Label.Number = n
	for _, p := range e.Carriers {
		for _, r := range p.Records {
			if r.Script == string(blocked) {
				e.Label.Blocks++
			}
		}
	}
	for _, x := range c.proxy.CLIs().Audit(0) {
		if x.Number == n && x.To == cli.StateQuarantined {
			e.Label.Entry = &x
		}
	}
}

// objections reads in the journal where the blocks say that objections go.
func (e *evidence) objections() {
	for _, s := range e.Ledger.stories() {
		for _, a := range s.Attempts {
			if a.CLI == e.Label.Number && a.Result.Blocked() {
				e.Label.Redress = cli.ParseRedress(a.Result.Text)
			}
		}
	}
}

// blocksThatRest is how many blocks in a row rest a number under the campaign's configuration (proxy.go).
const blocksThatRest = 2

// blockedRests checks that a number that is blocked rests, with the figures that it went by, and is shown no more.
func blockedRests(e *evidence) error {
	l := e.Label
	switch {
	case l.Entry == nil && l.Blocks >= 2*blocksThatRest:
		return fmt.Errorf("%v was blocked %d times, and does not rest", l.Number, l.Blocks)
	case l.Entry == nil:
		return nil
	case l.Blocks < blocksThatRest:
		return fmt.Errorf("%v rests, and was blocked %d times", l.Number, l.Blocks)
	case !slices.ContainsFunc(l.Entry.Figures, func(f cli.Figure) bool { return f.Name == "block_cusum" && f.Value >= 5 }):
		return fmt.Errorf("%v rests without evidence: %v", l.Number, l.Entry.Figures)
	case l.Redress == nil || l.Redress.URL != redressURL:
		return fmt.Errorf("%v rests, and nothing says where to object: %v", l.Number, l.Redress)
	}
	for _, s := range e.Ledger.stories() {
		for _, a := range s.Attempts {
			if a.CLI == l.Number && a.Start.After(l.Entry.Time.Add(time.Millisecond)) {
				return fmt.Errorf("%v was shown %v after it was put to rest", l.Number, a.Start.Sub(l.Entry.Time))
			}
		}
	}
	return nil
}

// numbersKept checks that a callee sees another number on a further attempt only where the first one rests or has reached
// its cap.
func numbersKept(e *evidence) error {
	uses := map[outdial.Number][]time.Time{}
	for _, s := range e.Ledger.stories() {
		for _, a := range s.Attempts {
			uses[a.CLI] = append(uses[a.CLI], a.Start)
		}
	}
	most := e.cap()
	for _, s := range e.Ledger.stories() {
		for i, a := range s.Attempts[:max(len(s.Attempts)-1, 0)] {
			next := s.Attempts[i+1]
			if a.CLI == next.CLI || a.CLI == e.Label.Number && e.Label.Entry != nil {
				continue
			}
			before := 0
			for _, t := range uses[a.CLI] {
				if !t.After(next.Start) {
					before++
				}
			}
			if most == 0 || before < most {
				return fmt.Errorf("%v saw %v, then %v, and the first had been used %d times", s.To, a.CLI, next.CLI, before)
			}
		}
	}
	return nil
}

// tellLabel says what became of the number that was blocked.
func (e *evidence) tellLabel() []string {
	l := e.Label
	if l.Blocks == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("%v was blocked %d times by an analytics engine (603+):", l.Number, l.Blocks)}
	if l.Entry == nil {
		return append(lines, "  not often enough to rest it")
	}
	shown := 0
	for _, s := range e.Ledger.stories() {
		for _, a := range s.Attempts {
			if a.CLI == l.Number && a.Start.After(l.Entry.Time.Add(time.Millisecond)) {
				shown++
			}
		}
	}
	figures := ""
	for _, f := range l.Entry.Figures {
		if f.Name == "block_cusum" || f.Name == "calls" {
			figures += fmt.Sprintf(" %s %.4g,", f.Name, f.Value)
		}
	}
	return append(lines,
		fmt.Sprintf("  put to rest at   %s, by%s for its %s", clock(l.Entry.Time.Sub(e.Began)), figures, l.Entry.Reason),
		fmt.Sprintf("  shown after that   %d times", shown),
		fmt.Sprintf("  where to object    %s, %s", l.Redress.URL, l.Redress.Tel))
}
