package b2bua

import (
	"fmt"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// Rule is a row of the verdict table: what the end of an attempt means; see failover.Rule. What is left out holds for any.
type Rule struct {
	Name   string     `yaml:"name"`
	Origin originWord `yaml:"origin"`
	Code   uint16     `yaml:"code"` // SIP status, or the first of a range
	To     uint16     `yaml:"to"`   // the last of it; 0 = code alone
	Causes []uint8    `yaml:"causes"`
	Phrase string     `yaml:"phrase"`
	Text   string     `yaml:"text"`
	Header HeaderOf   `yaml:"header"`

	Verdict  verdictWord       `yaml:"verdict"`
	Evidence failover.Evidence `yaml:"evidence"`
	Shortage shortageWord      `yaml:"shortage"`
}

// HeaderOf is a condition on a header field of a carrier's response; see failover.Header.
type HeaderOf struct {
	Name     string `yaml:"name"`
	Value    string `yaml:"value"`
	Contains string `yaml:"contains"`
}

// Override are rows for one carrier, trunk or route, before those for all; see failover.Override.
type Override struct {
	Carrier string         `yaml:"carrier"`
	Trunk   string         `yaml:"trunk"`
	Prefix  outdial.Prefix `yaml:"prefix"` // under which the route was found
	Rules   []Rule         `yaml:"rules"`
}

// Limit is how poor a figure of a trunk may be; see failover.Limit.
type Limit struct {
	Metric metricWord `yaml:"metric"`
	Poor   float64    `yaml:"poor"`
	Good   float64    `yaml:"good"`
	Least  float64    `yaml:"least"`
}

// Words of the packages that have no text form of their own.
type (
	originWord   outdial.Origin
	verdictWord  outdial.Verdict
	shortageWord outdial.Shortage
	metricWord   outdial.Metric
)

// UnmarshalText reads the word for an origin.
func (o *originWord) UnmarshalText(b []byte) error { return word(b, (*outdial.Origin)(o)) }

// UnmarshalText reads the word for a verdict.
func (v *verdictWord) UnmarshalText(b []byte) error { return word(b, (*outdial.Verdict)(v)) }

// UnmarshalText reads the word for a shortage.
func (s *shortageWord) UnmarshalText(b []byte) error { return word(b, (*outdial.Shortage)(s)) }

// UnmarshalText reads the word for a metric.
func (m *metricWord) UnmarshalText(b []byte) error { return word(b, (*outdial.Metric)(m)) }

// word finds the value whose String is b.
func word[T interface {
	~uint8
	String() string
}](b []byte, v *T) error {
	all := ""
	for x := T(0); x.String() != "invalid"; x++ {
		if x.String() == string(b) {
			*v = x
			return nil
		}
		all += " " + x.String()
	}
	return fmt.Errorf("%q: want one of%s", b, all)
}

func rulesOf(rules []Rule) []failover.Rule {
	var out []failover.Rule
	for _, r := range rules {
		out = append(out, failover.Rule{
			Name: r.Name, Origin: outdial.Origin(r.Origin), From: r.Code, To: r.To, Causes: r.Causes, Phrase: r.Phrase, Text: r.Text,
			Header: failover.Header(r.Header), Verdict: outdial.Verdict(r.Verdict), Evidence: r.Evidence,
			Shortage: outdial.Shortage(r.Shortage),
		})
	}
	return out
}
