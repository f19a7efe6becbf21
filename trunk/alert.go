package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// AlertKind tells alerts apart.
type AlertKind uint8

// Kinds of alert; in brackets what Value and Limit are.
const (
	AlertSaturated   AlertKind = iota // use has reached Limits.Alarm of the ceiling (channels in use, ceiling)
	AlertRelieved                     // use is a tenth of the ceiling below that again (the same)
	AlertBurstSpent                   // the day's burst budget is spent (minutes spent, minutes of the budget)
	AlertLearned                      // rejections have taught a lower ceiling of channels (learned, contracted)
	AlertLearnedCPS                   // rejections have taught a lower rate (learned, contracted)
	AlertReclaimed                    // channels were held longer than MaxCall (channels taken back, channels in use)
	AlertTrialPassed                  // the canary goes live (good attempts, attempts)
	AlertTrialFailed                  // the canary has not shown enough, and is tried on (the same)
)

// String returns "saturated", "relieved", "burst_spent", "learned", "learned_cps", "reclaimed", "trial_passed" or
// "trial_failed".
func (k AlertKind) String() string {
	names := [...]string{
		"saturated", "relieved", "burst_spent", "learned", "learned_cps", "reclaimed", "trial_passed", "trial_failed",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return "invalid"
}

// Alert is something that an operator wants to know. It is a plain value: the Set tells nobody, see Set.Alerts.
type Alert struct {
	Kind  AlertKind
	Trunk outdial.TrunkID
	Name  string
	Time  time.Time
	Value float64
	Limit float64
}

// maxAlerts are kept for each trunk until they are asked for; then the oldest are dropped.
const maxAlerts = 32

// Alerts appends what has happened since it was called last to dst, by trunk and in order, and returns the result. What
// is replayed from a journal raises no alert. At most the latest 32 of a trunk are kept.
func (s *Set) Alerts(dst []Alert) []Alert {
	for _, t := range s.table.Load().all {
		t.mu.Lock()
		dst = append(dst, t.alerts...)
		t.alerts = t.alerts[:0]
		t.mu.Unlock()
	}
	return dst
}

func (t *line) alert(at window.Instant, kind AlertKind, value, limit float64) {
	if t.replaying || t.dry {
		return
	}
	if t.alerts == nil {
		t.alerts = make([]Alert, 0, maxAlerts)
	}
	if len(t.alerts) == maxAlerts {
		t.alerts = t.alerts[:copy(t.alerts, t.alerts[1:])]
	}
	t.alerts = append(t.alerts, Alert{Kind: kind, Trunk: t.id, Name: t.name, Time: t.time(at), Value: value, Limit: limit})
}
