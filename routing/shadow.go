package routing

import (
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// shadow is a table that is asked beside the one in force, and how its answers differ.
type shadow struct {
	standing
	calls, same, moved, refused atomic.Int64
	admitted                    atomic.Int64
	live, other                 atomic.Int64 // expected cost of a minute of the calls that both route
}

// ShadowReport is how a policy that was asked in the shadow of the one in force answered the same calls.
type ShadowReport struct {
	Version  string         // of the policy in the shadow
	Calls    int64          // that were asked for meanwhile
	Same     int64          // both give the same first trunk
	Moved    int64          // another first trunk
	Refused  int64          // only the shadow refuses the call
	Admitted int64          // only the policy in force refuses it
	Live     outdial.Micros // what a minute of each call that both route is expected to cost, summed up
	Shadow   outdial.Micros
}

// SetShadow asks a table beside the one in force from now on, for every call, whether it may be made and how; nil stops it. Its
// answers are counted and have no effect; its suppression list is not asked. It explores nothing, so calls that the policy in force uses to explore count as moved.
func (r *Router) SetShadow(t *Table) {
	if t == nil {
		r.shadow.Store(nil)
		return
	}
	r.shadow.Store(&shadow{standing: standing{t, t.newCells()}})
}

// ShadowReport returns what was counted since SetShadow; false without a shadow.
func (r *Router) ShadowReport() (ShadowReport, bool) {
	s := r.shadow.Load()
	if s == nil {
		return ShadowReport{}, false
	}
	return ShadowReport{
		Version: s.table.version, Calls: s.calls.Load(), Same: s.same.Load(), Moved: s.moved.Load(), Refused: s.refused.Load(),
		Admitted: s.admitted.Load(), Live: outdial.Micros(s.live.Load()), Shadow: outdial.Micros(s.other.Load()),
	}, true
}

// compare routes a call by the shadow too.
func (s *shadow) compare(now time.Time, call *outdial.Call, live []outdial.Candidate, err error, m *memory) {
	var other []outdial.Candidate
	_, refused := s.table.admit(now, call, nil)
	if refused == nil {
		d := decision{matter: matter{
			t: s.table, m: m, cells: s.cells, greedy: true, brief: true, now: now, call: *call, dst: live[len(live):],
		}}
		other, refused = d.route()
	}
	s.calls.Add(1)
	switch {
	case err != nil && refused == nil:
		s.admitted.Add(1)
	case err == nil && refused != nil:
		s.refused.Add(1)
	case err == nil && live[0].Trunk == other[0].Trunk:
		s.same.Add(1)
	case err == nil:
		s.moved.Add(1)
	default:
		s.same.Add(1)
	}
	if err == nil && refused == nil {
		s.live.Add(int64(live[0].Cost))
		s.other.Add(int64(other[0].Cost))
	}
}

// refusal counts a call that the policy in force does not admit. What a suppression list says is nobody's policy.
func (s *shadow) refusal(now time.Time, call *outdial.Call, why error) {
	s.calls.Add(1)
	_, err := s.table.admit(now, call, nil)
	if err != nil || why == error(ErrSuppressed) || why == error(ErrSuppressionUnavailable) {
		s.same.Add(1)
		return
	}
	s.admitted.Add(1)
}
