package cli_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func TestReadCSV(t *testing.T) {
	list, err := cli.ReadCSV(strings.NewReader("\ufeff" + `Number, pool,state,country,area,region,centre,type,owner,assigned,carriers,evidence,expires,attested,callback
+1 212 555 0100,survey,warming,US,+1212,NY,NWYRCYZN01,local,Acme,alpha,alpha beta,"LOA 17, signed",2027-01-31,beta,2026-08-30
tel:+442079460000,,,,,,,,,,,,2027-01-31T12:00:00+01:00,,
`))
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, cli.NumberConfig{
		Number: outdial.MustNumber("+12125550100"), Pool: "survey", State: cli.StateWarming,
		Country: "US", Area: 1212, Region: "NY", Centre: "NWYRCYZN01", Type: cli.TypeLocal,
		Owner: "Acme", Assigned: "alpha", Carriers: []string{"alpha", "beta"},
		Evidence: "LOA 17, signed", Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
		Attested: []string{"beta"}, Callback: time.Date(2026, 8, 30, 0, 0, 0, 0, time.UTC),
	}, list[0])
	require.Equal(t, outdial.MustNumber("+442079460000"), list[1].Number)
	require.True(t, time.Date(2027, 1, 31, 11, 0, 0, 0, time.UTC).Equal(list[1].Expires))
}

func TestReadCSVErrors(t *testing.T) {
	list, err := cli.ReadCSV(strings.NewReader(`number,state,expires,country,evidence
+12125550100,active,,US,LOA
2125550101,,,,
+12125550102,sleepy,31.1.2027,us,
+12125550100,,,,"two
lines"
+12125550103,,,US
+12125550104,,,,LOA
`))
	require.Len(t, list, 2)
	require.Equal(t, outdial.MustNumber("+12125550104"), list[1].Number)
	for _, want := range []string{
		"line 3: number: ", "not in international form",
		"line 4: state: ", "line 4: expires: ",
		"line 5: number: given twice, first in line 2",
		"line 7: wrong number of fields",
	} {
		require.ErrorContains(t, err, want)
	}
	var bad *cli.LineError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, 3, bad.Line)
	require.Equal(t, "number", bad.Column)
	var number *outdial.NumberError
	require.ErrorAs(t, err, &number)
}

func TestReadCSVFile(t *testing.T) {
	for _, tc := range []struct{ file, want string }{
		{"", "line 1: empty"},
		{"pool\nx\n", "line 1: number: required"},
		{"number,number\n", "line 1: number: given twice"},
		{"number,colour\n", "line 1: colour: no such column"},
		{"number\n+12125550100\n\"+1\"2\n+12125550101\n", "line 3"},
		{"number\n" + strings.Repeat("x\n", 200), "too many errors"},
	} {
		_, err := cli.ReadCSV(strings.NewReader(tc.file))
		require.ErrorContains(t, err, tc.want, tc.file)
	}
	broken := errors.New("disk on fire")
	_, err := cli.ReadCSV(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}
