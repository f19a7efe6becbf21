package decide_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/decide"
)

// Many switches ask at once, and each call is told by two of them, as two workers of one switch may: both get one answer, what is told twice counts
// once, and nothing stays held, while calls that are silent are looked for.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, decide.Config{})
	const pairs, rounds = 8, 30
	type told struct{ Action, Token string }
	ask := func(path, body string) (a told, err error) {
		r := httptest.NewRequest("POST", "http://127.0.0.1"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r)
		if rec.Code != 200 {
			return a, fmt.Errorf("%s %s: %d %s", path, body, rec.Code, rec.Body)
		}
		return a, json.Unmarshal(rec.Body.Bytes(), &a)
	}
	talk := func(key string, cancels bool) (all [2]told, err error) {
		if all[0], err = ask("/v1/decide", `{"key":"`+key+`","to":"`+callee+`","dialer":"test"}`); err != nil {
			return all, err
		}
		call := "/v1/calls/" + all[0].Token
		if cancels {
			all[1], err = ask(call+"/cancel", `{}`)
		} else {
			all[1], err = ask(call+"/outcome", `{"leg":1,"code":486}`)
		}
		return all, err
	}
	var answers [pairs][2][rounds][2]told
	var errs [pairs][2]error
	var asking, looking sync.WaitGroup
	for p := range pairs {
		for side := range 2 {
			asking.Go(func() {
				for i := range rounds {
					if answers[p][side][i], errs[p][side] = talk(fmt.Sprintf("%d-%d", p, i), i%3 == 0); errs[p][side] != nil {
						return
					}
				}
			})
		}
	}
	over := make(chan struct{})
	looking.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				w.server.Sweep(w.now)
				_ = w.server.Stats()
			}
		}
	})
	asking.Wait()
	close(over)
	looking.Wait()
	for p := range pairs {
		for side := range 2 {
			require.NoError(t, errs[p][side])
		}
		require.Equal(t, answers[p][0], answers[p][1])
		for _, a := range answers[p][0] {
			require.Equal(t, []string{"dial", "stop"}, []string{a[0].Action, a[1].Action})
		}
	}
	require.Equal(t, decide.Stats{Decisions: pairs * rounds, Dialled: pairs * rounds, Ended: pairs * rounds}, w.server.Stats())
	require.Zero(t, w.inUse())
}
