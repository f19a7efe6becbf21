package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// A diff with ?replay= tells where the calls of the journal would have gone, and changes nothing: those of the time asked for, and no others.
func TestDiffReplays(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 0), siptest.Answer(0, 0, 0), func(w *world, caller *siptest.Caller) {
		one := func() {
			done := w.call(caller)
			id := w.get("/v1/calls").at("calls", 0, "id").(string)
			w.post("/v1/calls/"+id+"/hangup", `{`+by+`}`).want(200)
			<-done
		}
		one()
		time.Sleep(2 * time.Hour)
		for range 3 {
			one()
		}
		replay := func(span, text string) *answer {
			return w.post("/v1/policy/diff?replay="+span, text, "Content-Type", "application/yaml").want(200)
		}
		turned := strings.Replace(w.text, "{trunk: first}, {trunk: second}", "{trunk: second}, {trunk: first}", 1)
		for span, n := range map[string]float64{"1h": 3, "4h": 4} {
			a := replay(span, turned)
			require.Equal(t, []any{n, 0.0, []any{}}, []any{a.at("replay", "live", "calls"), a.at("replay", "live", "moved"), a.at("replay", "live", "moves")})
			require.Equal(t, []any{n, n, 0.0}, []any{a.at("replay", "next", "calls"), a.at("replay", "next", "moved"), a.at("replay", "next", "refused")})
			require.Equal(t, []any{map[string]any{"from": "first", "to": "second", "calls": n}}, a.at("replay", "next", "moves"))
			require.Equal(t, false, a.at("replay", "cut"))
		}
		barred := strings.Replace(w.text, "\nrouting:\n", "\nrouting:\n  admission: {deny: [\"+1212\"]}\n", 1)
		a := replay("1h", barred)
		require.Equal(t, []any{3.0, 3.0}, []any{a.at("replay", "next", "calls"), a.at("replay", "next", "refused")})
		require.Equal(t, []string{"first", "second"}, w.plan(), "nothing has changed")
	})
}
