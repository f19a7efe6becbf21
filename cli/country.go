package cli

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Purpose is what the numbers of a pool are for: one purpose each. It is text in JSON. The zero value says nothing, and no
// rule that is about a purpose applies to it.
type Purpose uint8

// Purposes.
const (
	PurposeUnset Purpose = iota
	PurposeTelemarketing
	PurposeCollections
	PurposePolitical
	PurposeSurvey
	PurposeCharity
	PurposeInformational
	PurposeService
)

var purposeNames = []string{
	"", "telemarketing", "collections", "political", "survey", "charity", "informational", "service",
}

// String returns the purpose in lower case, "" for the zero value.
func (p Purpose) String() string { return nameIn(purposeNames, p) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (p Purpose) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an empty text is the zero value.
func (p *Purpose) UnmarshalText(text []byte) error { return parseIn(purposeNames, "purpose", p, text) }

// CountryRule is what one country asks of calls and caller IDs, as data with a date. It is not legal advice: the rules that
// ship (BuiltinRules) are a starting point that counsel has to look at. All rules that apply to a call hold at once.
type CountryRule struct {
	Country string // ISO 3166-1 alpha-2 of the callee, and of the caller ID
	// Code is the country's calling code (+33). Where nothing says what country a number is of, the code does; where the inventory
	// says Country, its numbers begin with it. Rules of one country agree on it. Empty = it is not known.
	Code     outdial.Prefix `json:",omitzero"`
	Name     string         // unique
	Purposes []Purpose      `json:",omitempty"` // empty = every purpose, the unset one included
	Dated    string         // when it was looked up: 2026-11-02
	Source   string         // where it stands

	// Callee is how often a program may call one callee of the country.
	Callee []Cap `json:",omitempty"`
	// AfterTalk is how long a callee is left alone by the program after a conversation; AfterAbandoned after a call that was
	// answered and that nobody talked on (disposed as DispositionAbandoned).
	AfterTalk      Span `json:",omitempty"`
	AfterAbandoned Span `json:",omitempty"`

	// Allow are the prefixes of the country's numbers that may be presented; empty = all. Deny are types of them that may
	// not. A number of a pool that they do not allow is an error of the configuration.
	Allow []outdial.Prefix `json:",omitempty"`
	Deny  []Type           `json:",omitempty"`

	// Callback is how old the last test that calls back to a number of the country arrive may be (NumberConfig.Callback);
	// 0 = nothing is asked. Governor.Lint finds the numbers that were not tested since; with CallbackOnly they are not
	// presented.
	Callback     Span `json:",omitempty"`
	CallbackOnly bool `json:",omitempty"`
}

// Span is a duration that is text in JSON, as time.ParseDuration takes it: "168h".
type Span time.Duration

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = Span(d)
	return err
}

// DispositionAbandoned is the outdial.Disposition.Code of a call that was answered, and that no agent was free for.
const DispositionAbandoned = "abandoned"

//go:embed data/rules.json
var builtinRules []byte

// BuiltinRules returns the rules that ship.
func BuiltinRules() []CountryRule {
	rules, err := ParseRules(builtinRules)
	if err != nil {
		panic(err) // TestBuiltinRules reads them
	}
	return rules
}

// ParseRules reads a country pack: a JSON array of CountryRule. Unknown fields are errors.
func ParseRules(data []byte) ([]CountryRule, error) {
	var rules []CountryRule
	if err := unmarshalStrict(data, &rules); err != nil {
		return nil, fmt.Errorf("cli: rules: %w", err)
	}
	var errs []error
	checkRules(rules, func(i int, field string, err error) {
		errs = append(errs, fmt.Errorf("cli: rules[%d] %q: %s: %w", i, rules[i].Name, field, err))
	})
	return rules, errors.Join(errs...)
}

func checkRules(rules []CountryRule, bad func(i int, field string, err error)) {
	seen, codes := map[string]bool{}, map[string]outdial.Prefix{}
	for i := range rules {
		r := &rules[i]
		r.check(func(field string, err error) { bad(i, field, err) })
		if seen[r.Name] {
			bad(i, "Name", errTwice)
		}
		seen[r.Name] = true
		if r.Code == 0 {
			continue
		}
		if code, ok := codes[r.Country]; ok && code != r.Code {
			bad(i, "Code", fmt.Errorf("%v, but another rule of %s has %v", r.Code, r.Country, code))
		}
		codes[r.Country] = r.Code
	}
}

// codeOf is the calling code of a country, by the rules; 0 = not known.
func (cfg *Config) codeOf(country string) outdial.Prefix {
	for i := range cfg.Rules {
		if r := &cfg.Rules[i]; r.Country == country && r.Code != 0 {
			return r.Code
		}
	}
	return 0
}

// codes are the calling codes that the rules know.
func (cfg *Config) codes() (list []countryCode) {
	for i := range cfg.Rules {
		if c := (countryCode{cfg.Rules[i].Code, countryKey(cfg.Rules[i].Country)}); c.code != 0 && !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

// countries are those whose rules a number is judged by: what the inventory says, and what the numbering plan does. Calling codes
// tell only where neither does, for countries share them.
func (cfg *Config) countries(n *NumberConfig) []string {
	list := []string{countryOf(cfg, n)}
	if cfg.Numbering == nil && list[0] != "" {
		return list
	}
	if located := cfg.located(n.Number); located != "" && located != list[0] {
		list = append(list, located)
	}
	return list
}

// located is the country that the digits of a number tell: by the numbering plan, else by the calling codes of the rules.
func (cfg *Config) located(n outdial.Number) string {
	if cfg.Numbering != nil {
		if d := cfg.Numbering.Locate(time.Time{}, n); d.Country != [2]byte{} {
			return string(d.Country[:])
		}
		return ""
	}
	for i := range cfg.Rules {
		if r := &cfg.Rules[i]; r.Code != 0 && r.Code.Contains(n) {
			return r.Country
		}
	}
	return ""
}

func (r *CountryRule) check(bad func(field string, err error)) {
	if !isCountry(r.Country) {
		bad("Country", fmt.Errorf("%q is not two capital letters (ISO 3166-1 alpha-2)", r.Country))
	}
	if r.Name == "" {
		bad("Name", errRequired)
	}
	if r.Code.Len() > 3 {
		bad("Code", fmt.Errorf("%v is longer than a calling code", r.Code))
	}
	if _, err := time.Parse(time.DateOnly, r.Dated); err != nil {
		bad("Dated", fmt.Errorf("%q: want a date (2027-01-31)", r.Dated))
	}
	checkCalleeCaps(r.Callee, bad)
	for field, s := range map[string]Span{"AfterTalk": r.AfterTalk, "AfterAbandoned": r.AfterAbandoned, "Callback": r.Callback} {
		if s < 0 || time.Duration(s) > MaxWindow {
			bad(field, fmt.Errorf("%v is not between 0 and %v", time.Duration(s), MaxWindow))
		}
	}
	if r.CallbackOnly && r.Callback == 0 {
		bad("CallbackOnly", errors.New("without Callback it says nothing"))
	}
}

func checkCalleeCaps(caps []Cap, bad func(field string, err error)) {
	checkCaps("Callee", caps, bad)
	for i, c := range caps {
		if c.Max > MaxCalleeUses {
			bad(fmt.Sprintf("Callee[%d]", i), fmt.Errorf("%d calls are more than %d", c.Max, MaxCalleeUses))
		}
	}
}

// about reports whether the rule is about a purpose.
func (r *CountryRule) about(p Purpose) bool {
	return len(r.Purposes) == 0 || slices.Contains(r.Purposes, p)
}

// permits returns why a number of the rule's country may not be presented, or nil.
func (r *CountryRule) permits(n *NumberConfig) error {
	if slices.Contains(r.Deny, n.Type) {
		return fmt.Errorf("rule %q: %v numbers may not be presented", r.Name, n.Type)
	}
	if len(r.Allow) > 0 && !slices.ContainsFunc(r.Allow, func(p outdial.Prefix) bool { return p.Contains(n.Number) }) {
		return fmt.Errorf("rule %q: none of the prefixes that may be presented", r.Name)
	}
	return nil
}

// calleeRule is what is asked of calls of one program to one country, and of the numbers of that country that it presents;
// immutable.
type calleeRule struct {
	caps                      []Cap
	afterTalk, afterAbandoned window.Instant

	callback     time.Duration // the least of the rules; 0 = nothing is asked
	callbackOnly time.Duration // of those whose numbers are not presented else
}

// calleeRules returns what a program with a purpose keeps to, by country; the zero country is what holds everywhere.
func calleeRules(cfg *Config, purpose Purpose) map[[2]byte]*calleeRule {
	rules := map[[2]byte]*calleeRule{{}: {caps: slices.Clone(cfg.Callee)}}
	for i := range cfg.Rules {
		r := &cfg.Rules[i]
		if !r.about(purpose) {
			continue
		}
		country := [2]byte{r.Country[0], r.Country[1]}
		c := rules[country]
		if c == nil {
			c = &calleeRule{caps: slices.Clone(cfg.Callee)}
			rules[country] = c
		}
		c.caps = append(c.caps, r.Callee...)
		c.afterTalk = max(c.afterTalk, window.Instant(r.AfterTalk))
		c.afterAbandoned = max(c.afterAbandoned, window.Instant(r.AfterAbandoned))
		c.callback = shorter(c.callback, time.Duration(r.Callback))
		if r.CallbackOnly {
			c.callbackOnly = shorter(c.callbackOnly, time.Duration(r.Callback))
		}
	}
	return rules
}

// shorter is the lesser of two spans of which 0 is none.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// testedUntil is until when a number that was tested last at a time may be presented under the rule, all in Unix seconds.
func (r *calleeRule) testedUntil(callback uint32) int64 {
	switch {
	case r.callbackOnly == 0:
		return noEnd
	case callback == 0:
		return 0
	}
	return int64(callback) + int64(r.callbackOnly/time.Second)
}

func unmarshalStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
