package cli

import (
	"context"

	"github.com/outdial/outdial"
)

// LabelSource tells how caller IDs are labelled: by an analytics engine, a reseller, test calls to handsets. Hosts ask it
// now and then and tell each observation to Engine.Label; a Governor asks nobody. Package cli/labels has one over HTTP.
type LabelSource interface {
	// Lookup returns what is known of numbers; a number of which nothing is known may be missing. What it learned before an
	// error is returned with it.
	Lookup(ctx context.Context, numbers []outdial.Number) ([]outdial.Label, error)
}
