package outdial

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/outdial/outdial/internal/digits"
)

// NetworkTableConfig is what a NetworkTable is built from: lines of two fields between which a tab stands. Empty lines and
// those that begin with "#" are passed over.
type NetworkTableConfig struct {
	IDs *Registry // required: networks get their ids here

	// Ranges gives number ranges to networks: a prefix in international form, and the network's name, for example an
	// operating company number (OCN): "+1212555	6664". The longest prefix counts.
	Ranges io.Reader

	// Ported gives single numbers a location routing number (LRN), whose range says which network serves them:
	// "+12125550123	+16465550000". nil = none.
	Ported io.Reader
}

// NetworkTable says which network serves a number, from number ranges and from a list of ported numbers. It is
// immutable and safe for concurrent use; a newer table takes its place in a new Engine, or behind a Networks of the
// host's own. It takes some 10 bytes for each range and each ported number.
type NetworkTable struct {
	table *digits.Table
	ids   []NetworkID // by the table's values
}

var _ Networks = (*NetworkTable)(nil)

// NewNetworkTable builds a table. The error names the file and the line of everything that does not fit, up to ten.
func NewNetworkTable(cfg NetworkTableConfig) (*NetworkTable, error) {
	if cfg.IDs == nil || cfg.Ranges == nil {
		return nil, errors.New("outdial: network table: IDs and Ranges are required")
	}
	var ranges digits.Builder
	var names []string              // in the order in which they come
	numbered := map[string]uint32{} // place in names, from 1
	problems := readPairs(cfg.Ranges, "Ranges", func(prefix, network string) error {
		p, err := ParsePrefix(prefix)
		if err != nil {
			return err
		}
		if numbered[network] == 0 {
			names = append(names, network)
			numbered[network] = uint32(len(names))
		}
		return ranges.Add(uint64(p), numbered[network])
	})
	byRange := ranges.Build()
	if cfg.Ported != nil {
		problems = append(problems, readPairs(cfg.Ported, "Ported", func(number, lrn string) error {
			n, err := ParseNumber(number)
			if err != nil {
				return err
			}
			to, err := ParseNumber(lrn)
			if err != nil {
				return err
			}
			network, _, ok := byRange.Lookup(uint64(to))
			if !ok {
				return fmt.Errorf("no range has the routing number %v", to)
			}
			return ranges.Add(uint64(n), network)
		})...)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("outdial: network table: %w", errors.Join(problems...))
	}
	cfg.IDs.Networks.Add(names...) // at once: each change of a registry copies it
	t := &NetworkTable{table: ranges.Build(), ids: make([]NetworkID, len(names)+1)}
	for name, i := range numbered {
		t.ids[i] = cfg.IDs.Networks.ID(name)
	}
	return t, nil
}

// Network implements Networks. It allocates nothing.
func (t *NetworkTable) Network(_ time.Time, to Number) NetworkID {
	i, _, _ := t.table.Lookup(uint64(to)) // 0 = not found, which is no network
	return t.ids[i]
}

// Len is the number of ranges and ported numbers.
func (t *NetworkTable) Len() int { return t.table.Len() }

// readPairs gives each line's two fields to add, and returns what was wrong with which line.
func readPairs(r io.Reader, name string, add func(key, value string) error) (problems []error) {
	const most = 10
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan() && len(problems) < most; n++ {
		line := strings.TrimRight(lines.Text(), " \r\t")
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "\t")
		err := errors.New("want two fields with a tab between them")
		if ok && value != "" {
			err = add(key, value)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: line %d: %w", name, n, err))
		}
	}
	if err := lines.Err(); err != nil {
		problems = append(problems, fmt.Errorf("%s: %w", name, err))
	}
	return problems
}
