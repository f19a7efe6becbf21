package failover

import "math"

const (
	priorCalls  = 500 // how many calls the configured baseline weighs as
	groupPrior  = 200 // … and the baseline of its trunk, for a destination group
	recompute   = 64  // calls between two looks at the thresholds
	baselineMin = 0.02
	baselineMax = 0.40
)

// test is the sequential test of one target: whether its calls fail more often than its baseline says. It knows no other
// target. Two rules run side by side.
//
// A row of failures: k in a row, the least k for which a row is rarer than the false-alarm rate A at the baseline p₀, that
// is ⌈ln A / ln p₀ − ¼⌉. It finds total death. Rows of silence and refusals are shorter.
//
// A cumulative sum (E. S. Page, Biometrika 41, 1954) of the log-likelihood ratio of p₁ = max(½, p₀ + (1−p₀)/3) to p₀,
// that alarms at ln 1/A: from a healthy target it does so at most once in 1/A calls (G. Lorden, Ann. Math. Statist. 42,
// 1971). It finds the target that fails one call in two.
//
// The baseline is learned from what did not end in an alarm: a run of calls is added to it when the sum has come
// back to zero, and forgotten when it has set off the alarm.
type test struct {
	calls, failed float64 // behind the baseline
	since         int     // calls since the thresholds were computed

	p0       float64 // baseline of the thresholds; 0 = not computed
	alarm    float64 // the false-alarm rate that they are for
	up, down float64 // what a failure adds to the sum, a success takes off
	limit    float64
	softAt   int // failures in a row; 0 = never
	hardAt   int

	soft, hard          int // failures in a row
	sum                 float64
	runCalls, runFailed float64 // since the sum was zero
}

// prime starts the test with a baseline that weighs as so many calls.
func (t *test) prime(baseline, calls float64) { t.calls, t.failed = calls, calls*baseline }

// look computes the thresholds from the baseline.
func (t *test) look(cfg *settings) {
	t.since = 0
	p := min(max(t.failed/t.calls, baselineMin), baselineMax)
	if p == t.p0 && cfg.falseAlarm == t.alarm {
		return
	}
	t.p0, t.alarm = p, cfg.falseAlarm
	t.thresholds(cfg)
}

// thresholds are those of p0 at the false-alarm rate of cfg.
func (t *test) thresholds(cfg *settings) {
	p := t.p0
	t.limit = math.Log(1 / cfg.falseAlarm)
	worse := max(0.5, p+(1-p)/3)
	t.up, t.down = math.Log(worse/p), math.Log((1-p)/(1-worse))
	t.softAt = max(2, int(math.Ceil(t.limit/math.Log(1/p)-0.25)))
	switch {
	case cfg.hardCount > 0:
		t.hardAt = cfg.hardCount
	case cfg.hardCount < 0:
		t.hardAt = 0
	default:
		t.hardAt = min(max(cfg.hardLeast, (t.softAt+1)/2), t.softAt)
	}
	if cfg.baseline <= 0 {
		t.softAt, t.limit = 0, math.Inf(1)
	}
}

// pass counts a call that did well.
func (t *test) pass(cfg *settings) {
	t.soft, t.hard = 0, 0
	t.count(0, cfg)
	if t.sum -= t.down; t.sum <= 0 {
		t.settle(cfg)
	}
}

// fail counts a call that failed at the carrier, and returns why that ejects it; "" = it does not.
func (t *test) fail(hard bool, cfg *settings) (why string) {
	t.count(1, cfg)
	t.soft++
	if t.hard++; !hard {
		t.hard = 0 // it answers: not silent
	}
	t.sum += t.up
	switch {
	case t.hardAt > 0 && t.hard >= t.hardAt:
		return whyHard
	case t.softAt > 0 && t.soft >= t.softAt:
		return whySoft
	case t.sum >= t.limit:
		return whyRate
	}
	return ""
}

func (t *test) count(failed float64, cfg *settings) {
	t.runCalls++
	t.runFailed += failed
	if t.since++; t.p0 == 0 || t.alarm != cfg.falseAlarm || t.since >= recompute {
		t.look(cfg)
	}
}

// settle adds the run to the baseline.
func (t *test) settle(cfg *settings) {
	if window := float64(cfg.learn); cfg.learn > 0 {
		t.calls += t.runCalls
		t.failed += t.runFailed
		if t.calls > window {
			t.failed *= window / t.calls
			t.calls = window
		}
	}
	t.clear()
}

// clear forgets the run.
func (t *test) clear() { t.sum, t.runCalls, t.runFailed, t.soft, t.hard = 0, 0, 0, 0, 0 }

// suspicious reports whether the evidence is half way to an alarm.
func (t *test) suspicious() bool {
	return t.softAt > 0 && 2*t.soft > t.softAt || t.p0 > 0 && 2*t.sum >= t.limit || t.silent()
}

// silent reports whether the last call was met with silence or refused: the next may be too.
func (t *test) silent() bool { return t.hardAt > 1 && t.hard > 0 }

// baseline is the failure rate that the test holds for usual.
func (t *test) baseline() float64 { return max(t.failed/t.calls, 0) }
