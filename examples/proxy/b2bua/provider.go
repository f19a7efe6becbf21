package b2bua

import (
	"fmt"
	"slices"
	"time"
)

// Provider is what is on record of a carrier: what was agreed and since when, whom to call, and what it has answered in writing.
type Provider struct {
	Carrier  string            `yaml:"carrier"  json:"carrier"` // required, unique; the carrier of a trunk
	Contact  Contact           `yaml:"contact"  json:"contact"`
	Contract []ContractFigure  `yaml:"contract" json:"contract"`
	Answers  map[string]Answer `yaml:"answers"  json:"answers"` // by Questions
}

// Contact is whom to call when a carrier does not do what it should.
type Contact struct {
	Name  string `yaml:"name"  json:"name"`
	Tel   string `yaml:"tel"   json:"tel"`
	Email string `yaml:"email" json:"email"`
	Hours string `yaml:"hours" json:"hours"` // when somebody is there: "24/7"
	After string `yaml:"after" json:"after"` // whom to go to next, and when
}

// ContractFigure is a figure of the contract, or of a test of it.
type ContractFigure struct {
	Name   string `yaml:"name"   json:"name"` // "channels", "cps", "asr" … ; required
	Value  string `yaml:"value"  json:"value"`
	Source string `yaml:"source" json:"source"` // where it stands
	Date   Day    `yaml:"date"   json:"date"`   // as of when
}

// Answer is what a carrier has said in writing.
type Answer struct {
	Text     string `yaml:"text"     json:"text"`
	Evidence string `yaml:"evidence" json:"evidence"` // where it stands: an address, a document
	Date     Day    `yaml:"date"     json:"date"`
}

// Day is a date as 2026-11-02; the zero Day is none.
type Day struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Day) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*d = Day{}
		return nil
	}
	if d.Time, err = time.Parse(time.DateOnly, string(b)); err != nil {
		return fmt.Errorf("%q: want a date: 2027-01-31", b)
	}
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Day) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.AppendFormat(nil, time.DateOnly), nil
}

// MarshalJSON is MarshalText in quotes.
func (d Day) MarshalJSON() ([]byte, error) {
	b, err := d.MarshalText()
	return fmt.Appendf(nil, "%q", b), err
}

// Question is something that a buyer of minutes should have in writing.
type Question struct{ Key, Text string }

// Questions are the seven that a provider record has answers to.
func Questions() []Question {
	return []Question{
		{"capacity", "How many channels and calls per second are ours at any time, and what does a burst above them cost?"},
		{"overflow", "With which status and words is a call rejected that is above either of them?"},
		{"routes", "Which destinations do you reach directly, and behind whom do the others lie?"},
		{"attestation", "At which level do you sign our numbers, those included that another carrier assigned?"},
		{"traffic", "Which short calls, answer rates and volumes do you charge for, throttle or cut off?"},
		{"failover", "Over which separate addresses and sites can we reach you, and how are we told of an outage?"},
		{"escalation", "Who answers at night, how soon, and who is next?"},
	}
}

// staleAfter is the age at which a figure or an answer is to be confirmed.
const staleAfter = 90 * 24 * time.Hour

// Missing are the keys of the questions without an answer in writing: with a text, and where it stands.
func (p *Provider) Missing() []string {
	var keys []string
	for _, q := range Questions() {
		if a := p.Answers[q.Key]; a.Text == "" || a.Evidence == "" {
			keys = append(keys, q.Key)
		}
	}
	return keys
}

// Stale names the figures ("contract.channels") and answers ("answers.capacity") that are older than 90 days or have no date.
func (p *Provider) Stale(now time.Time) []string {
	var names []string
	for _, f := range p.Contract {
		if old(now, f.Date) {
			names = append(names, "contract."+f.Name)
		}
	}
	for _, q := range Questions() {
		if a, ok := p.Answers[q.Key]; ok && old(now, a.Date) {
			names = append(names, "answers."+q.Key)
		}
	}
	return names
}

func old(now time.Time, d Day) bool { return d.IsZero() || now.Sub(d.Time) > staleAfter }

func (v *validator) providers(all []Provider, trunks []Trunk) {
	seen := map[string]bool{}
	for i, p := range all {
		path := fmt.Sprintf("providers[%d]", i)
		switch {
		case p.Carrier == "":
			v.bad(path+".carrier", errRequired)
		case seen[p.Carrier]:
			v.bad(path+".carrier", fmt.Errorf("%q is given twice", p.Carrier))
		case !slices.ContainsFunc(trunks, func(t Trunk) bool { return t.Carrier == p.Carrier }):
			v.bad(path+".carrier", fmt.Errorf("no trunk is of %q", p.Carrier))
		}
		seen[p.Carrier] = true
		for k, f := range p.Contract {
			if f.Name == "" {
				v.bad(fmt.Sprintf("%s.contract[%d].name", path, k), errRequired)
			}
		}
		for key := range p.Answers {
			if !slices.ContainsFunc(Questions(), func(q Question) bool { return q.Key == key }) {
				v.bad(path+".answers", fmt.Errorf("%q is none of the questions", key))
			}
		}
	}
}

// Providers are the records in force, in the order of the configuration.
func (p *Proxy) Providers() []Provider { return p.set().Providers }

// Escalation is whom to call about a carrier; nil = nobody is on record.
func (p *Proxy) Escalation(carrier string) *Contact {
	for i, r := range p.set().Providers {
		if r.Carrier == carrier && r.Contact != (Contact{}) {
			return &p.set().Providers[i].Contact
		}
	}
	return nil
}
