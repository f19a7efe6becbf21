package failover

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/outdial/outdial"
)

// Override puts rows in front of the verdict table for one carrier, trunk or route. A row of a route goes before one of its
// carrier, and that before Config.Rules and DefaultRules. What is left empty holds for any; at least one must be set. It
// is data.
type Override struct {
	Carrier string         // name of the carrier
	Trunk   string         // name of the trunk: a route
	Matched outdial.Prefix // the prefix that the route was found under, Candidate.Matched: a route, of the trunk if that is set
	Rules   []Rule
}

// layer is an Override ready for use.
type layer struct {
	carrier outdial.CarrierID
	trunk   outdial.TrunkID
	matched outdial.Prefix
	rows    []row
}

func (l *layer) fits(c *outdial.Candidate) bool {
	return (l.carrier == 0 || l.carrier == c.Carrier) && (l.trunk == 0 || l.trunk == c.Trunk) &&
		(l.matched == 0 || l.matched == c.Matched)
}

// rank is how special a layer is: routes before carriers.
func (l *layer) rank() (rank int) {
	if l.trunk != 0 {
		rank += 4
	}
	if l.matched != 0 {
		rank += 2
	}
	if l.carrier != 0 {
		rank++
	}
	return rank
}

// override compiles the overrides, the most special ones first and otherwise in their order.
func (t *classifier) override(overrides []Override, ids *outdial.Registry) error {
	var errs []error
	for i, o := range overrides {
		where := fmt.Sprintf("Overrides[%d]", i)
		switch {
		case o.Carrier == "" && o.Trunk == "" && o.Matched == 0:
			errs = append(errs, fmt.Errorf("failover: %s: neither Carrier nor Trunk nor Matched is set", where))
		case ids == nil && (o.Carrier != "" || o.Trunk != ""):
			errs = append(errs, fmt.Errorf("failover: %s: names need IDs", where))
			continue
		}
		rows, err := compile(o.Rules, where+".Rules")
		errs = append(errs, err)
		l := layer{matched: o.Matched, rows: rows}
		if ids != nil {
			l.carrier, l.trunk = ids.Carriers.ID(o.Carrier), ids.Trunks.ID(o.Trunk)
		}
		t.layers = append(t.layers, l)
	}
	slices.SortStableFunc(t.layers, func(a, b layer) int { return cmp.Compare(b.rank(), a.rank()) })
	return errors.Join(errs...)
}

// Shortage returns what a carrier has run out of, by what the verdict table says of r: none unless the result says that
// something is full. It is what package trunk learns ceilings from. It does not allocate.
func (s *Selector) Shortage(carrier outdial.CarrierID, r *outdial.Result) outdial.Shortage {
	return s.rules.judge(&outdial.Candidate{Carrier: carrier}, r).Shortage
}

// Headers returns the names of the header fields that rows of the verdict table read, in lower case and ascending: those that
// whoever dials must keep in outdial.Result.Headers (siptrunk.Config.Headers). The caller owns the slice.
func (s *Selector) Headers() []string {
	var names []string
	add := func(rows []row) {
		for i := range rows {
			if name := rows[i].header.Name; name != "" {
				names = append(names, strings.ToLower(name))
			}
		}
	}
	add(s.rules.rows)
	for i := range s.rules.layers {
		add(s.rules.layers[i].rows)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
