package cli_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func TestReadJSON(t *testing.T) {
	want := cli.NumberConfig{
		Number: outdial.MustNumber("+12125550100"), Pool: "survey", State: cli.StateWarming,
		Country: "US", Area: 1212, Region: "NY", Centre: "NWYRCYZN01", Type: cli.TypeLocal,
		Owner: "Acme", Assigned: "alpha", Carriers: []string{"alpha", "beta"},
		Evidence: "LOA 17, signed", Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
		Attested: []string{"beta"}, Callback: time.Date(2026, 8, 30, 0, 0, 0, 0, time.UTC),
	}
	const first = `{"number": "+1 212 555 0100", "pool": "survey", "state": "warming", "country": "US", "area": "+1212",
  "region": "NY", "centre": "NWYRCYZN01", "type": "local", "owner": "Acme", "assigned": "alpha",
  "carriers": ["alpha", "beta"], "evidence": "LOA 17, signed", "expires": "2027-01-31", "attested": ["beta"],
  "callback": "2026-08-30"}`
	const second = `{"Number": "tel:+442079460000", "Pool": null, "Expires": "2027-01-31T12:00:00+01:00"}`
	for name, file := range map[string]string{
		"array": "\ufeff[\n" + first + ",\n" + second + "\n]\n", "lines": first + "\n" + second + "\n",
	} {
		list, err := cli.ReadJSON(strings.NewReader(file))
		require.NoError(t, err, name)
		require.Len(t, list, 2, name)
		require.Equal(t, want, list[0], name)
		require.Equal(t, outdial.MustNumber("+442079460000"), list[1].Number, name)
		require.True(t, time.Date(2027, 1, 31, 11, 0, 0, 0, time.UTC).Equal(list[1].Expires), name)
	}
	data, err := json.Marshal([]cli.NumberConfig{want})
	require.NoError(t, err)
	list, err := cli.ReadJSON(strings.NewReader(string(data)))
	require.NoError(t, err)
	require.Equal(t, []cli.NumberConfig{want}, list, "what encoding/json writes of a NumberConfig")
	list, err = cli.ReadJSON(strings.NewReader("[]"))
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestReadJSONErrors(t *testing.T) {
	list, err := cli.ReadJSON(strings.NewReader(`[
{"number": "+12125550100", "state": "active"},
{"number": "2125550101"},
{
  "number": "+12125550102",
  "state": "sleepy",
  "expires": "31.1.2027",
  "colour": "red",
  "carriers": "alpha",
  "owner": 7,
  "owner": "Acme"
},
{"number": "+12125550100"},
{"pool": "survey"},
{"number": "+12125550104", "country": "us"},
{"number": "+12125550105"}
]`))
	require.Len(t, list, 2)
	require.Equal(t, outdial.MustNumber("+12125550105"), list[1].Number)
	for _, want := range []string{
		"line 3: number: ", "not in international form",
		"line 6: state: ", "line 7: expires: ", "line 8: colour: no such field", "line 9: carriers: want an array",
		"line 10: owner: want a string", "line 11: owner: given twice",
		"line 13: number: given twice, first in line 2", "line 14: number: required", "line 15: country: ",
	} {
		require.ErrorContains(t, err, want)
	}
	var bad *cli.LineError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, 3, bad.Line)
	for _, tc := range []struct {
		file string
		good int
		want string
	}{
		{"[\n{\"number\": \"+12125550100\"},\n{\"number\": \"+1212", 1, "line 3: unexpected EOF"},
		{"[\n{\"number\": \"+12125550100\"}\n", 1, "line 3: unexpected EOF"},
		{"[\n{\"number\": \"+12125550100\"}]\n[]", 1, "line 3: something follows"},
		{"{\"number\": \"+12125550100\"}\n\n7", 1, "line 3: want an object"},
		{"{\"number\": \"+12125550100\"}\n\n{]", 1, "line 3: invalid character"},
		{"[" + strings.Repeat("{},", 200) + "{}]", 0, "too many errors"},
	} {
		list, err := cli.ReadJSON(strings.NewReader(tc.file))
		require.ErrorContains(t, err, tc.want, tc.file)
		require.Len(t, list, tc.good, tc.file)
	}
	broken := errors.New("disk on fire")
	_, err = cli.ReadJSON(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}
