package kpi_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// A contact-centre mix of 1,000 attempts, of which the same counts make five "NERs" between 62 and 91 %.
func TestFiveNERsOfOneMix(t *testing.T) {
	m := newMeter(t, kpi.Config{Views: []kpi.View{}})
	call := 0
	add := func(n int, rang bool, r outdial.Result) {
		for range n {
			call++
			l := newLeg(call, 1, t0, 1)
			observe(m, l.started())
			if rang {
				observe(m, l.progressed(180, false, time.Second))
			}
			if r.Code == 200 {
				observe(m, l.answered(9*time.Second))
				continue
			}
			observe(m, l.ended(r, 20*time.Second))
		}
	}
	carrier := func(code uint16, q uint8) outdial.Result {
		return outdial.Result{Origin: outdial.OriginCarrier, Code: code, Cause: outdial.Cause{Value: q}}
	}
	add(290, true, outdial.Result{Code: 200})
	add(110, false, carrier(486, 17))
	add(178, true, carrier(480, 19))
	add(30, true, carrier(603, 0))
	add(15, false, carrier(600, 0))
	add(100, true, outdial.Result{Origin: outdial.OriginCaller, Code: 487}) // the dialer gave up while it rang
	add(25, true, carrier(408, 18))                                         // nobody answered, said by a gateway
	add(10, true, carrier(504, 19))                                         // the same behind two of them
	add(20, false, carrier(408, 0))
	add(40, false, carrier(503, 34))
	add(7, false, carrier(500, 41))
	add(33, false, carrier(502, 27))
	add(92, false, carrier(404, 1))
	add(50, false, carrier(403, 21))
	require.Equal(t, 1000, call)

	c := cell(t, m, t0.Add(time.Minute), kpi.Key{})
	n := c.NERs()
	for name, x := range map[string]struct {
		got  kpi.Ratio
		want float64
	}{
		"ASR": {c.ASR(), 0.290}, "SEER": {n.SEER, 0.623}, "E.425": {n.E425, 0.758}, "CCR": {n.OpenSIPS, 0.865},
		"sip-exporter": {n.SIPExporter, 0.898}, "VoIPmonitor": {n.VoIPmonitor, 0.910},
	} {
		require.EqualValues(t, 1000, x.got.N, name)
		v, ok := x.got.Value()
		require.True(t, ok)
		require.InDelta(t, x.want, v, 1e-9, name)
	}
}

// A labelling hits answers, not connectivity.
func TestLabellingMovesASRAndNotNER(t *testing.T) {
	run := func(answered, unanswered int) (asr, ner float64) {
		m := newMeter(t, kpi.Config{Views: []kpi.View{}})
		for i := range answered + unanswered + 20 {
			l := newLeg(i+1, 1, t0, 1)
			observe(m, l.started(), l.progressed(180, false, time.Second))
			switch {
			case i < answered:
				observe(m, l.answered(9*time.Second))
			case i < answered+unanswered:
				observe(m, l.ended(outdial.Result{Origin: outdial.OriginNoAnswer}, 30*time.Second))
			default:
				observe(m, l.ended(outdial.Result{Origin: outdial.OriginCarrier, Code: 503}, 30*time.Second))
			}
		}
		c := cell(t, m, t0.Add(time.Minute), kpi.Key{})
		asr, _ = c.ASR().Value()
		ner, _ = c.NER().Value()
		return asr, ner
	}
	asr, ner := run(40, 60)
	after, same := run(10, 90)
	require.Greater(t, asr, 3*after)
	require.InDelta(t, ner, same, 1e-12)
}

// A count that Merge forgets would be lost between machines.
func TestMergeAddsEveryField(t *testing.T) {
	var a, b kpi.Counters
	n := uint64(0)
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case reflect.Array:
			for i := range v.Len() {
				fill(v.Index(i))
			}
		default:
			n++
			v.SetUint(n)
		}
	}
	fill(reflect.ValueOf(&a).Elem())
	want := a
	b.Merge(&a)
	require.Equal(t, want, b)
}

// A route on which a part of the calls takes an 800 ms hop more shows two humps, and no route does that has one.
func TestTwoHumps(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, seed))
	pdd := func(n int, share float64) *kpi.Sketch {
		var s kpi.Sketch
		for range n {
			d := 1.2 + 0.15*rng.NormFloat64()
			if rng.Float64() < share {
				d += 0.8
			}
			s.Add(time.Duration(d * 1e9))
		}
		return &s
	}
	for _, share := range []float64{0.2, 0.5, 0.8} {
		humps := pdd(1000, share).Humps()
		require.Len(t, humps, 2, share)
		require.InDelta(t, 1-share, humps[0].Share, 0.05)
		require.InDelta(t, 1.2, humps[0].Mode.Seconds(), 0.15)
		require.InDelta(t, 2.0, humps[1].Mode.Seconds(), 0.2)
	}
	// The control: the means of a route with a 20 % mix and of a slower route with one hump are alike.
	one := pdd(1000, 0)
	require.Nil(t, one.Humps())
	found := 0
	for range 200 {
		if pdd(1000, 0).Humps() != nil {
			found++
		}
	}
	require.LessOrEqual(t, found, 2, "of 200 routes without a second hump")
	require.Nil(t, pdd(20, 0.5).Humps(), "too few to tell")
	require.Nil(t, new(kpi.Sketch).Humps())
}

// Ring times of a carrier that answers by itself stand out beside the others' to the same destinations.
func TestRingTimesTellFalseAnswers(t *testing.T) {
	const seed = 11
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, seed))
	ring := func(n int, constant float64) *kpi.Sketch {
		var s kpi.Sketch
		for range n {
			d := rng.ExpFloat64() * 8e9
			if rng.Float64() < constant {
				d = 1.5e9
			}
			s.Add(time.Duration(d))
		}
		return &s
	}
	honest, other, fake := ring(400, 0), ring(2000, 0), ring(400, 0.3)
	require.Greater(t, honest.Difference(other).P, 0.01)
	d := fake.Difference(other)
	require.Less(t, d.P, 1e-6)
	require.Greater(t, d.D, 0.2)
	require.Equal(t, kpi.Difference{P: 1}, fake.Difference(new(kpi.Sketch)))
	require.Equal(t, 0.0, fake.Difference(fake).D)
}

func TestBurst(t *testing.T) {
	dispersion, peak := kpi.Burst([]uint64{10, 10, 10, 10})
	require.Zero(t, dispersion)
	require.InDelta(t, 0.25, peak, 1e-12)
	dispersion, peak = kpi.Burst([]uint64{0, 0, 40, 0})
	require.InDelta(t, 40, dispersion, 1e-12)
	require.InDelta(t, 1, peak, 1e-12)
	dispersion, _ = kpi.Burst(nil)
	require.Zero(t, dispersion)
}

// The series of one key over the window: its slices add up to the cell.
func TestSeries(t *testing.T) {
	m := newMeter(t, kpi.Config{Views: []kpi.View{kpi.ByCLI}, Window: time.Minute, Buckets: 6})
	for i := range 30 {
		l := newLeg(i+1, 1, t0.Add(time.Duration(i)*2*time.Second), 1)
		l.a.CLI = 12125550001
		observe(m, l.started())
	}
	w, _ := m.Over(time.Minute)
	key := kpi.Key{View: kpi.ByCLI, CLI: 12125550001}
	var sum uint64
	slices := 0
	for at, c := range w.Series(t0.Add(59*time.Second), key) {
		require.Equal(t, t0.Add(time.Duration(slices)*10*time.Second), at)
		require.EqualValues(t, 5, c.Started)
		sum += c.Started
		slices++
	}
	require.Equal(t, 6, slices)
	require.EqualValues(t, 30, sum)
}

// Coverage by exact enumeration over the binomial distribution, n ≥ 30 and p in [.02, .98]: Wilson, Jeffreys, and Wald, which
// is what one should not use.
func TestIntervalCoverage(t *testing.T) {
	type interval func(kpi.Ratio) (low, high float64)
	wald := func(r kpi.Ratio) (low, high float64) {
		p, _ := r.Value()
		half := 1.959964 * math.Sqrt(p*(1-p)/float64(r.N))
		return p - half, p + half
	}
	for _, x := range []struct {
		name      string
		interval  interval
		mean, min float64
		worseThan float64 // the least coverage is known to be below this; 0 = not asked
	}{
		{"wilson", func(r kpi.Ratio) (float64, float64) { l, h, _ := r.Interval(0.95); return l, h }, 0.95, 0.915, 0},
		{"jeffreys", func(r kpi.Ratio) (float64, float64) { l, h, _ := r.Jeffreys(0.95); return l, h }, 0.945, 0.85, 0},
		{"wald", wald, 0.90, 0.40, 0.50},
	} {
		least, sum, points := 1.0, 0.0, 0
		for _, n := range []uint64{30, 40, 50, 75, 100, 150, 200, 300, 500} {
			bounds := make([][2]float64, n+1)
			for k := range bounds {
				bounds[k][0], bounds[k][1] = x.interval(kpi.Ratio{K: uint64(k), N: n})
			}
			for p := 0.02; p < 0.985; p += 0.01 {
				covered := 0.0
				for k, b := range bounds {
					if b[0] <= p && p <= b[1] {
						covered += binomial(n, uint64(k), p)
					}
				}
				least = min(least, covered)
				sum += covered
				points++
			}
		}
		t.Logf("%s: mean %.4f, least %.4f", x.name, sum/float64(points), least)
		require.GreaterOrEqual(t, sum/float64(points), x.mean, x.name)
		require.GreaterOrEqual(t, least, x.min, x.name)
		if x.worseThan > 0 {
			require.Less(t, least, x.worseThan)
		}
	}
}

// Calls of one batch that are alike widen the interval; independent ones do not.
func TestDesignEffect(t *testing.T) {
	const seed = 3
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, seed))
	batches := func(spread float64) []kpi.Ratio {
		out := make([]kpi.Ratio, 60)
		for i := range out {
			p := 0.4 + spread*(2*rng.Float64()-1)
			for range 50 {
				out[i].N++
				if rng.Float64() < p {
					out[i].K++
				}
			}
		}
		return out
	}
	require.InDelta(t, 1, kpi.DesignEffect(batches(0)), 0.4)
	alike := kpi.DesignEffect(batches(0.3))
	require.InDelta(t, 1+50*0.03/0.24, alike, 2.5) // 1 + n × variance of p ÷ p(1−p)
	require.Equal(t, 1.0, kpi.DesignEffect(nil))
	require.Equal(t, 1.0, kpi.DesignEffect([]kpi.Ratio{{K: 0, N: 10}, {}}))

	r := kpi.Ratio{K: 400, N: 1000}
	low, high, _ := r.Interval(0.95)
	wideLow, wideHigh, ok := r.Correlated(0.95, 4)
	require.True(t, ok)
	require.InDelta(t, 2, (wideHigh-wideLow)/(high-low), 0.02)
	_, _, ok = r.Correlated(0.95, 0.5)
	require.False(t, ok)
}

// The interval of a corrected share covers the truth, whatever the classifier is like.
func TestCorrectedShareCoverage(t *testing.T) {
	const seed = 5
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, seed))
	draw := func(n int, p float64) kpi.Ratio {
		r := kpi.Ratio{N: uint64(n)}
		for range n {
			if rng.Float64() < p {
				r.K++
			}
		}
		return r
	}
	for _, x := range []struct{ truth, sensitivity, specificity float64 }{
		{0.4, 0.69, 0.95}, {0.1, 0.9, 0.9}, {0.8, 0.95, 0.8},
	} {
		covered := 0
		for range 1000 {
			f := kpi.Classifier{Sensitivity: draw(300, x.sensitivity), Specificity: draw(300, x.specificity)}
			apparent := x.truth*x.sensitivity + (1-x.truth)*(1-x.specificity)
			_, low, high, ok := f.Correct(draw(500, apparent), 0.95)
			if ok && low <= x.truth && x.truth <= high {
				covered++
			}
		}
		require.InDelta(t, 950, covered, 40, fmt.Sprint(x))
	}
	_, _, _, ok := kpi.Classifier{}.Correct(kpi.Ratio{K: 1, N: 2}, 0.95)
	require.False(t, ok, "nothing is known about the classifier")
	coin := kpi.Classifier{Sensitivity: kpi.Ratio{K: 1, N: 2}, Specificity: kpi.Ratio{K: 1, N: 2}}
	_, _, _, ok = coin.Correct(kpi.Ratio{K: 1, N: 2}, 0.95)
	require.False(t, ok, "no better than chance")
}

// Legs that got no final response count as ineffective, and the callers who gave up others do not make fewer of them.
func TestISATellsSilenceFromGivingUp(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	for i := range 10 {
		l := newLeg(i+1, 1, t0, 1)
		observe(m, l.started(), l.ended(outdial.Result{Origin: outdial.OriginTransport}, time.Second))
		l = newLeg(100+i, 1, t0, 1)
		observe(m, l.started(), l.progressed(180, false, time.Second),
			l.ended(outdial.Result{Origin: outdial.OriginCaller, Code: 487}, 5*time.Second))
		l = newLeg(200+i, 1, t0, 1) // nothing had come when the caller gave up, and nothing came after
		observe(m, l.started(), l.ended(outdial.Result{Origin: outdial.OriginCaller}, time.Second))
	}
	c := cell(t, m, t0, kpi.Key{})
	require.Equal(t, kpi.Ratio{K: 10, N: 30}, c.ISA())
	require.Equal(t, kpi.Ratio{K: 20, N: 30}, c.NERs().SIPExporter)
	require.EqualValues(t, 20, c.Silent)
}
