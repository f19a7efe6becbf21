package b2bua

import (
	"fmt"
	"maps"
	"slices"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial/trunk/siptrunk"
)

// HeaderRules are the header fields that pass a trunk beside those that the proxy writes. Nothing else does: each side has a dialog
// of its own, and learns of the other one what is written anew.
type HeaderRules struct {
	Set  map[string]string `yaml:"set"`  // in every INVITE to the carrier
	Pass []string          `yaml:"pass"` // of the dialer's INVITE, as they are
	Back []string          `yaml:"back"` // of the carrier's provisional responses and answer, as they are
}

// headerRules are HeaderRules ready for use; nil = none.
type headerRules struct {
	set        []siptrunk.Header
	pass, back []string
}

func (r HeaderRules) build() *headerRules {
	if len(r.Set)+len(r.Pass)+len(r.Back) == 0 {
		return nil
	}
	b := &headerRules{pass: r.Pass, back: r.Back}
	for _, name := range slices.Sorted(maps.Keys(r.Set)) {
		b.set = append(b.set, siptrunk.Header{Name: name, Value: r.Set[name]})
	}
	return b
}

// check says which header fields cannot be sent.
func (r HeaderRules) check() (errs []error) {
	var all []siptrunk.Header
	if b := r.build(); b != nil {
		all = b.set
	}
	for _, h := range append(append(all, names(r.Pass)...), names(r.Back)...) {
		if n := lower(h.Name); n == "identity" || n == "y" {
			errs = append(errs, fmt.Errorf("header %s passes by itself, with the number that it was made for and no other", h.Name))
		}
		if err := siptrunk.CheckHeaders([]siptrunk.Header{h}); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

func names(list []string) (hs []siptrunk.Header) {
	for _, n := range list {
		hs = append(hs, siptrunk.Header{Name: n})
	}
	return hs
}

// out are the header fields of an INVITE to the carrier.
func (r *headerRules) out(invite *request) []siptrunk.Header {
	if r == nil {
		return nil
	}
	hs := slices.Clone(r.set)
	for _, name := range r.pass {
		for _, h := range invite.GetHeaders(name) {
			hs = append(hs, siptrunk.Header{Name: name, Value: clean(h.Value())})
		}
	}
	return hs
}

// in are the header fields of the carrier's response that the dialer gets.
func (r *headerRules) in(res *sip.Response) (hs []header) {
	if r == nil || res == nil {
		return nil
	}
	for _, name := range r.back {
		for _, h := range res.GetHeaders(name) {
			hs = append(hs, header{name, h.Value()})
		}
	}
	return hs
}
