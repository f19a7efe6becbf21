package numplan_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/numplan"
)

// FuzzNew feeds the data reader. What it accepts must look up as a scan of all entries does.
func FuzzNew(f *testing.F) {
	f.Add([]byte("1\tUS\t-\t10\t10\tAmerica/New_York\n44\tGB\t-\t7\t10\tEurope/London"), []byte("1212\tUS\tNY\t-\t212\t-\n4477\t-\t-\tmobile\t-\t-"), []byte("US-NY\tNew York"))
	f.Add([]byte("1\t-\tunassigned\t10\t10\tnone"), []byte("1800\tnone\t-\ttollfree\t-\tnone"), []byte("#\n\r\nCA\tCanada"))
	f.Add([]byte("12\tUS\t-\t1\t13\tnone\n1\tUS\t-\t1\t14\tnone"), []byte("1\t\t\t\t\t"), []byte("\t"))
	f.Fuzz(func(t *testing.T, countries, areas, names []byte) {
		p, err := numplan.New(numplan.Config{
			Bare: true, Countries: bytes.NewReader(countries), Areas: bytes.NewReader(areas), Names: bytes.NewReader(names),
		})
		if err != nil {
			require.Nil(t, p)
			require.NotEmpty(t, err.Error())
			return
		}
		entries := entriesOf(p)
		for _, e := range entries {
			require.NotEmpty(t, e.Group())
			p.Name(e)
			for _, number := range []uint64{e.Area, e.Area + 1, e.Area*10 + 7} {
				want, wantOK := lookupSlowly(entries, number)
				got, ok := p.Lookup(number)
				if number < 1e15 {
					require.Equal(t, wantOK, ok)
					require.Equal(t, want, got)
				}
				if p.Valid(number) == nil {
					require.True(t, ok)
				}
			}
		}
	})
}
