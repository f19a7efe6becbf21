package routing

import (
	"errors"
	"fmt"
)

// problems collects what is wrong with a policy or a deck, each with the place that it is about.
type problems struct {
	all  *[]error
	left int // how many more of this kind are listed
}

// maxListed is how many faults are listed of one deck or one file: enough to see what is wrong with it.
const maxListed = 100

func newProblems() *problems { return &problems{all: new([]error), left: 1 << 30} }

// limited returns a collector into the same list that lists at most maxListed.
func (p *problems) limited() *problems { return &problems{all: p.all, left: maxListed} }

func (p *problems) add(place, format string, args ...any) {
	switch {
	case p.left > 0:
		*p.all = append(*p.all, fmt.Errorf("%s: %w", place, fmt.Errorf(format, args...)))
	case p.left == 0:
		*p.all = append(*p.all, fmt.Errorf("%s: and more faults of this kind", place))
	}
	p.left--
}

func (p *problems) any() bool { return len(*p.all) > 0 }

// err joins what was collected, or returns nil.
func (p *problems) err() error { return errors.Join(*p.all...) }
