package cli

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// NumberConfig is a number of the inventory. A number is in one pool only, and so serves one purpose.
type NumberConfig struct {
	Number outdial.Number
	Pool   string `json:",omitempty"` // empty = in stock, and not presented
	State  State  `json:",omitzero"`  // zero = active

	// Where the number belongs to: its country (ISO 3166-1 alpha-2), its area code with the country code ("+1212"),
	// and its region in the user's own words (state, province, département). Numbers of one area code should
	// agree on the region; then it is also known of callees there.
	Country string         `json:",omitempty"`
	Area    outdial.Prefix `json:",omitzero"`
	Region  string         `json:",omitempty"`
	Centre  string         `json:",omitempty"` // rate centre
	Type    Type           `json:",omitzero"`

	Owner    string   `json:",omitempty"` // who holds the right to use it
	Assigned string   `json:",omitempty"` // the carrier that assigned it
	Carriers []string `json:",omitempty"` // the carriers that accept it; empty = every carrier

	// Evidence is the recorded right to use: a contract, an LOA, a porting order. Without it the number is never
	// presented. Expires is when the right ends; zero = it stands until it is changed.
	Evidence string    `json:",omitempty"`
	Expires  time.Time `json:",omitzero"`

	// Attested are carriers, beside Assigned, that hold a proof of the right to use (an LOA) and are expected to sign with
	// full attestation.
	Attested []string `json:",omitempty"`

	// Callback is when it was last tested that calls back to the number arrive; zero = never. See CountryRule.Callback.
	Callback time.Time `json:",omitzero"`
}

// check reports what is wrong with the number by itself.
func (n *NumberConfig) check(bad func(field string, err error)) {
	if !n.Number.Valid() {
		bad("Number", fmt.Errorf("%d is not an E.164 number", uint64(n.Number)))
	}
	if int(n.State) >= len(stateNames) {
		bad("State", fmt.Errorf("%d is not a state", n.State))
	}
	if int(n.Type) >= len(typeNames) {
		bad("Type", fmt.Errorf("%d is not a type", n.Type))
	}
	if n.Country != "" && !isCountry(n.Country) {
		bad("Country", fmt.Errorf("%q is not two capital letters (ISO 3166-1 alpha-2)", n.Country))
	}
	if !n.Area.Contains(n.Number) {
		bad("Area", fmt.Errorf("the number does not begin with %s", n.Area))
	}
	for field, names := range map[string][]string{"Carriers": n.Carriers, "Attested": n.Attested} {
		if slices.Contains(names, "") {
			bad(field, errors.New("an empty name"))
		}
	}
}

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}
