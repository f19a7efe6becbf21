package failover

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// tested is the standing of a sequential test whose thresholds stand.
type tested struct {
	sum  float64
	soft int
}

// exactly follows a target that fails at a rate through its test, call by call and with the probability of everything that may
// happen: the alarms per call, and the mean number of calls to the first.
func exactly(t *testing.T, baseline, rate float64) (alarms, first float64) {
	cfg, err := (&Config{Baseline: baseline}).settings()
	require.NoError(t, err)
	fresh := test{p0: baseline, alarm: cfg.falseAlarm, calls: 1}
	fresh.thresholds(&cfg)
	at := map[tested]float64{{}: 1}
	calls, alarm := 0.0, 0.0
	for n := 1.0; len(at) > 0; n++ {
		next := map[tested]float64{}
		for from, p := range at {
			if p < 1e-13 {
				continue
			}
			calls += p
			for _, failed := range []bool{false, true} {
				x, q := fresh, p*(1-rate)
				x.sum, x.soft = from.sum, from.soft
				if failed {
					if q = p * rate; x.fail(false, &cfg) != "" {
						alarm, first = alarm+q, first+q*n
						continue
					}
				} else {
					x.pass(&cfg)
				}
				next[tested{math.Round(x.sum*1e9) / 1e9, x.soft}] += q
			}
		}
		if rate == baseline { // one that is well begins anew whenever the sum has come back to zero
			delete(next, tested{})
		}
		at = next
	}
	return alarm / calls, first / alarm
}

// TestFalseAlarmsExactly: what TestFalseAlarms finds by chance, computed: less than 2 false ejections in 10⁶ calls at any baseline, by
// both rules together, and half of the calls failing is found after 30 and 70 calls in the mean.
func TestFalseAlarmsExactly(t *testing.T) {
	for _, baseline := range []float64{0.02, 0.05, 0.10, 0.15, 0.20, 0.30, 0.40} {
		alarms, _ := exactly(t, baseline, baseline)
		t.Logf("baseline %v: %.2g false ejections a call", baseline, alarms)
		require.Less(t, alarms, 2e-6, baseline)
		require.Greater(t, alarms, 1e-7, baseline)
	}
	for baseline, calls := range map[float64]float64{0.10: 30, 0.20: 70} {
		_, first := exactly(t, baseline, 0.5)
		t.Logf("baseline %v: half of the calls failing is found after %.1f", baseline, first)
		require.Less(t, first, calls)
		require.Greater(t, first, 10.0)
	}
}
