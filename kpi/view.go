package kpi

import (
	"fmt"
	"math/bits"
	"strings"
)

// View is a set of dimensions: a meter keeps one cell for each combination of their values. The zero value is Total.
type View uint16

// Dimensions of an attempt. Combine them with |.
const (
	ByTrunk View = 1 << iota
	ByCarrier
	ByGroup // destination group
	ByPool  // caller-ID pool: of the presented number, else of the candidate
	ByProgram
	ByCampaign
	ByDayPart // callee-local
	ByTenant
	ByNetwork // terminating network
	ByCountry // of the callee
	ByRegion  // of the callee, by Config.Regions
	ByBlock   // the callee's number without its last digits, by Config.BlockDigits
	ByCLI     // the caller ID presented

	// Total is the view without a dimension: one cell for everything.
	Total View = 0

	allDimensions = ByCLI<<1 - 1
	perLeg        = ByTrunk | ByCarrier | ByPool | ByCLI // dimensions in which the legs of one call may differ
)

var dimensionNames = [...]string{
	"trunk", "carrier", "group", "pool", "program", "campaign", "day_part", "tenant", "network", "country", "region",
	"block", "cli",
}

// DefaultViews returns the views that a meter keeps when none are configured: total; trunk; trunk and group; pool;
// program.
func DefaultViews() []View {
	return []View{Total, ByTrunk, ByTrunk | ByGroup, ByPool, ByProgram}
}

// String returns the dimensions joined by "+", for example "trunk+group", or "total".
func (v View) String() string {
	if v == Total {
		return "total"
	}
	var names []string
	for i, n := range dimensionNames {
		if v&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, "+")
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (v View) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler: the form of String, in any order of the dimensions.
func (v *View) UnmarshalText(text []byte) error {
	if string(text) == "total" {
		*v = Total
		return nil
	}
	var out View
next:
	for part := range strings.SplitSeq(string(text), "+") {
		for i, n := range dimensionNames {
			if n == part {
				out |= 1 << i
				continue next
			}
		}
		return fmt.Errorf("kpi: view %q: no dimension %q", text, part)
	}
	*v = out
	return nil
}

// contains reports whether v has all dimensions of o, and more.
func (v View) contains(o View) bool { return v&o == o && v != o }

func (v View) size() int { return bits.OnesCount16(uint16(v)) }
