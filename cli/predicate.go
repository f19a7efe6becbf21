package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/outdial/outdial"
)

// Predicate is a named condition that every number of a pool meets (PoolConfig.Require): all that is given holds at once, and of a
// list any. A number that does not meet it is an error of the configuration, which says by name what it does not meet. The zero
// value asks nothing.
type Predicate struct {
	Name string // required: what people call it

	Countries []string         `json:",omitempty"` // ISO 3166-1 alpha-2
	Regions   []string         `json:",omitempty"`
	Areas     []outdial.Prefix `json:",omitempty"` // the number begins with one of them
	Types     []Type           `json:",omitempty"`
	Owners    []string         `json:",omitempty"`
	Assigned  []string         `json:",omitempty"` // carriers that assigned the number
	Attested  bool             `json:",omitempty"` // some carrier is expected to sign it with full attestation
}

// meets returns what a number does not meet, or nil.
func (p *Predicate) meets(cfg *Config, n *NumberConfig) error {
	fails := func(what, is string) error { return fmt.Errorf("it does not meet %q: %s %q", p.Name, what, is) }
	among := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	country := countryOf(cfg, n)
	switch {
	case !among(p.Countries, country):
		return fails("country", country)
	case !among(p.Regions, n.Region):
		return fails("region", n.Region)
	case len(p.Areas) > 0 && !slices.ContainsFunc(p.Areas, func(a outdial.Prefix) bool { return a.Contains(n.Number) }):
		return fails("number", n.Number.String())
	case len(p.Types) > 0 && !slices.Contains(p.Types, n.Type):
		return fails("type", n.Type.String())
	case !among(p.Owners, n.Owner):
		return fails("owner", n.Owner)
	case !among(p.Assigned, n.Assigned):
		return fails("assigned by", n.Assigned)
	case p.Attested && n.Assigned == "" && len(n.Attested) == 0:
		return fails("attested by", "")
	}
	return nil
}

// String is the condition as a sentence of the document.
func (p *Predicate) String() string {
	var parts []string
	list := func(what string, of []string) {
		if len(of) > 0 {
			parts = append(parts, what+" "+strings.Join(of, " or "))
		}
	}
	list("country", p.Countries)
	list("region", p.Regions)
	list("area", texts(p.Areas))
	list("type", texts(p.Types))
	list("owner", p.Owners)
	list("assigned by", p.Assigned)
	if p.Attested {
		parts = append(parts, "full attestation expected of some carrier")
	}
	return p.Name + " (" + strings.Join(parts, ", ") + ")"
}

func texts[T fmt.Stringer](list []T) (s []string) {
	for _, x := range list {
		s = append(s, x.String())
	}
	return s
}

func (p *Predicate) check(bad func(field string, err error)) {
	if p.Name == "" {
		bad("Name", errRequired)
	}
	if len(p.Countries)+len(p.Regions)+len(p.Areas)+len(p.Types)+len(p.Owners)+len(p.Assigned) == 0 && !p.Attested {
		bad("Name", errors.New("it asks nothing"))
	}
	for _, t := range p.Types {
		if int(t) >= len(typeNames) {
			bad("Types", fmt.Errorf("%d is not a type", t))
		}
	}
	for _, c := range p.Countries {
		if !isCountry(c) {
			bad("Countries", fmt.Errorf("%q is not two capital letters (ISO 3166-1 alpha-2)", c))
		}
	}
}
