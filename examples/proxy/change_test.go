package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/internal/siptest"
)

// operator steers a program by its admin API.
type operator struct {
	t   testing.TB
	url string
}

// operatorOf reads where the admin API of a program is from the rest of its first line.
func operatorOf(t testing.TB, p *process) *operator {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	_, addr, ok := strings.Cut(strings.TrimSpace(line), " admin ")
	require.True(t, ok, line)
	return &operator{t, "http://" + addr}
}

// change makes a change, and returns when it was asked for and how long it took to be in force, by the API.
func (o *operator) change(method, path, kind, body string) (at time.Time, inForce time.Duration, err error) {
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(body))
	if err != nil {
		return at, 0, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("If-Match", "*")
	at = time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return at, 0, err
	}
	data, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return at, 0, err
	}
	if res.StatusCode != http.StatusOK {
		return at, 0, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, data)
	}
	var answer struct {
		MS float64 `json:"in_force_ms"`
	}
	err = json.Unmarshal(data, &answer)
	return at, time.Duration(answer.MS * float64(time.Millisecond)), err
}

// Changes by the API, while sipp calls: none of the calls fails, and each change is in force for the calls that come after it, which
// OUTDIAL_INTEG=1 demands at 200 calls a second within a second.
func TestSippChangesUnderLoad(t *testing.T) {
	calls, rate := sippRun(t)
	alone := integ.Wanted()
	if alone {
		calls, rate = 2000, 200
	}
	first, second := carrier(t, siptest.Answer(0, 10*time.Millisecond, 0)), carrier(t, siptest.Answer(0, 10*time.Millisecond, 0))
	config := write(t, first.Addr().String(), second.Addr().String(), filepath.Join(t.TempDir(), "journal"))
	data, err := os.ReadFile(config)
	require.NoError(t, err)
	text := string(data) + "admin: {listen: \"127.0.0.1:0\"}\n"
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	p := start(t, build(t), config)
	o := operatorOf(t, p)
	defer http.DefaultClient.CloseIdleConnections()

	turned := strings.Replace(text, "{trunk: first}, {trunk: second}", "{trunk: second}, {trunk: first}", 1)
	const by = `{"actor":"ann","reason":"a test"}`
	type step struct {
		name, method, path, kind, body string
		then                           *siptest.Carrier // where calls go behind it; nil = as before
		at                             time.Time
		took                           time.Duration
		err                            error
	}
	steps := []step{
		{name: "load", method: "PUT", path: "/v1/policy?actor=ann&reason=r", kind: "application/yaml", body: turned, then: second},
		{name: "limit", method: "PATCH", path: "/v1/trunks/second/limits", kind: "application/json", body: `{"actor":"ann","reason":"r","channels":5000}`},
		{name: "rollback", method: "POST", path: "/v1/policy/rollback", kind: "application/json", body: by, then: first},
		{name: "drain", method: "POST", path: "/v1/trunks/first/orders/drain", kind: "application/json", body: by, then: second},
		{name: "reset", method: "POST", path: "/v1/trunks/first/orders/reset", kind: "application/json", body: by, then: first},
	}
	run := time.Duration(calls) * time.Second / time.Duration(rate)
	done := make(chan struct{})
	go func() {
		defer close(done)
		began := time.Now()
		for i := range steps {
			s := &steps[i]
			time.Sleep(time.Until(began.Add(run * time.Duration(i+1) / time.Duration(len(steps)+1))))
			s.at, s.took, s.err = o.change(s.method, s.path, s.kind, s.body)
		}
	}()
	took := sipp(t, "uac.xml", p.addr, calls, rate) // fails unless every call succeeded
	<-done
	require.Len(t, took, calls)
	for i := range steps {
		s := &steps[i]
		require.NoError(t, s.err)
		if s.then == nil {
			continue
		}
		until := time.Now()
		for _, later := range steps[i+1:] {
			if later.then != nil {
				until = later.at
				break
			}
		}
		other := map[*siptest.Carrier]*siptest.Carrier{first: second, second: first}[s.then]
		late := time.Duration(0) // of the last call that still went the other way
		for _, r := range other.Records() {
			if r.InvitedAt.After(s.at) && r.InvitedAt.Before(until) {
				late = max(late, r.InvitedAt.Sub(s.at))
			}
		}
		went, came := 0, 0 // since it was asked for; since it was answered, on either carrier
		for _, r := range append(s.then.Records(), other.Records()...) {
			if r.InvitedAt.After(s.at.Add(s.took)) && r.InvitedAt.Before(until) {
				came++
			}
		}
		for _, r := range s.then.Records() {
			if r.InvitedAt.After(s.at) && r.InvitedAt.Before(until) {
				went++
			}
		}
		if alone || came > 0 { // a busy machine may stand still from one change to the next
			require.Positive(t, went, s.name)
		}
		t.Logf("%s: in force after %v by the API; the last call by the former rule came %v after the request; %d calls followed", s.name, s.took, late, went)
		if alone {
			require.Less(t, late, time.Second, s.name)
			require.Less(t, s.took, time.Second, s.name)
		}
	}
	p.end(t, fmt.Sprintf("msg=ended calls=%d answered=%d lost=0 malformed=0", calls, calls))
}
