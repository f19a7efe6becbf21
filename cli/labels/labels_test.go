package labels_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli/labels"
)

const first = outdial.Number(12125550100)

var parsers = map[string]struct {
	parse func([]byte) ([]outdial.Label, error)
	want  []outdial.LabelStatus
}{
	"hiya":       {labels.ParseHiya, []outdial.LabelStatus{outdial.LabelClean, outdial.LabelMixed, outdial.LabelLabelled, outdial.LabelUnknown}},
	"firstorion": {labels.ParseFirstOrion, []outdial.LabelStatus{outdial.LabelClean, outdial.LabelLabelled, outdial.LabelBlocked}},
	"tns":        {labels.ParseTNS, []outdial.LabelStatus{outdial.LabelClean, outdial.LabelLabelled, outdial.LabelBlocked}},
	"telnyx":     {labels.ParseTelnyx, []outdial.LabelStatus{outdial.LabelClean, outdial.LabelMixed, outdial.LabelLabelled}},
}

func TestFixtures(t *testing.T) {
	for engine, p := range parsers {
		t.Run(engine, func(t *testing.T) {
			body, err := os.ReadFile("testdata/" + engine + ".json")
			require.NoError(t, err)
			list, err := p.parse(body)
			require.NoError(t, err)
			require.Len(t, list, len(p.want))
			for i, l := range list {
				require.Equal(t, first+outdial.Number(i), l.Number)
				require.Equal(t, p.want[i], l.Status, i)
				require.Equal(t, engine, l.Engine)
				require.Equal(t, 7*24*time.Hour, l.TTL)
			}
			require.NotEmpty(t, list[2].Category)
			_, err = p.parse([]byte("<html>"))
			require.ErrorContains(t, err, engine)
		})
	}
	_, err := labels.ParseHiya([]byte(`{"results":[{"phone":"911"}]}`))
	require.ErrorContains(t, err, "911")
}

// TestLookup asks a server in batches, and drops what was not asked for.
func TestLookup(t *testing.T) {
	batches := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var question struct {
			Numbers []outdial.Number `json:"phone_numbers"`
		}
		if r.Header.Get("Authorization") != "Bearer x" || json.NewDecoder(r.Body).Decode(&question) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if batches++; batches == 4 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		results := []map[string]string{{"phone": "+13105550000", "status": "flagged"}}
		for _, n := range question.Numbers {
			results = append(results, map[string]string{"phone": n.String(), "status": "flagged"})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
	}))
	defer server.Close()
	s := &labels.Source{
		Client: server.Client(), URL: server.URL, Batch: 2, Header: http.Header{"Authorization": {"Bearer x"}},
		Ask: labels.AskJSON, Parse: labels.ParseHiya,
	}
	list, err := s.Lookup(t.Context(), []outdial.Number{first, first + 1, first + 2})
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Equal(t, 2, batches)
	list, err = s.Lookup(t.Context(), []outdial.Number{first, first + 1, first + 2})
	require.ErrorContains(t, err, "429")
	require.Len(t, list, 2, "what was learned before")
	s.Header = nil
	_, err = s.Lookup(t.Context(), []outdial.Number{first})
	require.ErrorContains(t, err, "401")
	_, err = new(labels.Source).Lookup(t.Context(), nil)
	require.ErrorContains(t, err, "required")
	server.Close()
	_, err = s.Lookup(t.Context(), []outdial.Number{first})
	require.Error(t, err)
}

func FuzzParse(f *testing.F) {
	for engine := range parsers {
		body, err := os.ReadFile("testdata/" + engine + ".json")
		require.NoError(f, err)
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, p := range parsers {
			list, _ := p.parse(body)
			for _, l := range list {
				require.True(t, l.Number.Valid())
			}
		}
	})
}

// A Source for one engine; the address and the key are those of a contract.
func ExampleSource() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"results":[{"phone":"+12125550100","status":"flagged","category":"Telemarketer"}]}`)
	}))
	defer server.Close()
	source := &labels.Source{
		Client: server.Client(), URL: server.URL, Header: http.Header{"Authorization": {"Bearer …"}},
		Ask: labels.AskJSON, Parse: labels.ParseHiya,
	}
	list, err := source.Lookup(context.Background(), []outdial.Number{12125550100})
	fmt.Println(list[0].Number, list[0].Status, list[0].Category, err)
	// Output: +12125550100 labelled Telemarketer <nil>
}
