package cli

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// watch is what is known of the calls and the standing of one pool. It outlives configurations. Its atomics are read
// without the Governor's lock.
type watch struct {
	all     baseline
	strata  map[stratum]*baseline
	alarms  []window.Instant // of the last day, the oldest first
	inUse   int32            // numbers that are presented
	resting int32            // in quarantine by the rules
	suspect int32            // on probation or in rehab
	told    window.Instant   // when the breaker was told of last
	counted window.Instant   // when it was looked at last whether its numbers are used too little
	shut    window.Instant   // until when no number of the pool is quarantined
	labels  labelling
	budgets map[string]*budget

	risk  atomic.Uint64 // float bits: the share of its numbers that should not be exposed
	count atomic.Int64
	open  atomic.Int64 // the breaker is open until, Unix nanoseconds
}

// labelling is how the numbers of a pool are labelled, observation by observation: a cumulative sum that tells a share of labels
// that has risen (labelsBad) from the usual one (labelsRate). It rises before the answers fall, because engines label first.
type labelling struct {
	sum            float32
	seen, labelled uint32         // since the sum was 0
	told           window.Instant // when it was told of last
}

// Shares of observations that find a number labelled, and the sum that is told of: it takes 61 observations at the bad share in
// the mean, and is reached by chance once in 70,000 at the usual one (simulated).
const (
	labelsRate, labelsBad = .03, .15
	labelsMost            = 8
)

// labelled counts an observation, and reports whether labels have risen.
func (w *watch) labelled(r *ruleset, now window.Instant, bad bool) bool {
	l := &w.labels
	if l.sum = climb(l.sum, r.labelling.of(bad)); l.sum == 0 {
		l.seen, l.labelled = 0, 0
		return false
	}
	l.seen++
	if bad {
		l.labelled++
	}
	if l.sum < labelsMost || l.told != window.Never && now < l.told+day {
		return false
	}
	l.told = now
	return true
}

// stratum is calls that are alike but for their number.
type stratum struct {
	carrier outdial.CarrierID
	network outdial.NetworkID
	local   bool        // the number is of the callee's area
	attest  Attestation // that the carrier is expected to sign with
}

// baseline is how the calls of a stratum have gone, the newer ones counting more: half after baselineCalls calls, and half
// after baselineTime.
type baseline struct {
	at                             window.Instant
	calls, answers, blocks, shorts float64
}

const (
	baselineCalls = 20_000
	baselineTime  = 3 * day
	baselineLeast = 200 // calls before it says anything
	poolPrior     = 100 // calls of the pool that a stratum begins with
)

func newWatch() *watch {
	return &watch{strata: map[stratum]*baseline{}, told: window.Never, counted: window.Never, shut: window.Never, labels: labelling{told: window.Never}}
}

func (b *baseline) add(now window.Instant, answered, blocked, short bool) {
	if now-b.at > window.Instant(time.Minute) {
		b.fade(math.Exp2(-float64(now-b.at) / float64(baselineTime)))
		b.at = now
	}
	if most := baselineCalls / math.Ln2; b.calls > most {
		b.fade(1 - 1/most)
	}
	b.calls++
	if answered {
		b.answers++
	}
	if blocked {
		b.blocks++
	}
	if short {
		b.shorts++
	}
}

func (b *baseline) fade(f float64) {
	b.calls *= f
	b.answers *= f
	b.blocks *= f
	b.shorts *= f
}

// stratum returns the baseline of calls like a.
func (w *watch) stratum(a *outdial.Attempt, n *number) *baseline {
	k := stratum{
		carrier: a.Candidate.Carrier, network: a.Call.Dest.Network, local: n.info.area != 0 && n.info.area.Contains(a.Call.To),
		attest: n.pool.classes[n.pool.homes[n.home].class].attestation(a.Candidate.Carrier),
	}
	b := w.strata[k]
	if b == nil {
		b = &baseline{}
		w.strata[k] = b
	}
	return b
}

// peers is the probability that peers answer a call of a stratum, and whether there are any.
func (w *watch) peers(b *baseline, d *detection) (p float64, known bool) {
	if w.all.calls < baselineLeast || int(w.inUse) < d.peers {
		return 0, false
	}
	pool := w.all.answers / w.all.calls
	return (b.answers + poolPrior*pool) / (b.calls + poolPrior), true
}

// moved counts a change of state of a number of the pool.
func (w *watch) moved(from, to State) {
	w.weigh(from, -1)
	w.weigh(to, 1)
	w.publish()
}

func (w *watch) weigh(s State, by int32) {
	if s.Presentable() {
		w.inUse += by
	}
	switch s {
	case StateQuarantined:
		w.resting += by
	case StateProbation, StateRehab:
		w.suspect += by
	}
}

func (w *watch) size() int { return int(w.inUse + w.resting) }

func (w *watch) publish() {
	n := w.size()
	risk := 0.
	if n > 0 {
		risk = (float64(w.resting) + .5*float64(w.suspect)) / float64(n)
	}
	w.risk.Store(math.Float64bits(risk))
	w.count.Store(int64(n))
}

// Risk tells how much a pool should be spared: 0 = healthy, 1 = do not expose. It is the share of its numbers that rest,
// those under suspicion counting half; while the breaker is open, half of the rest on top. A pool of which nothing is
// known gives the zero Estimate. It takes no lock and allocates nothing.
func (g *Governor) Risk(now time.Time, p outdial.PoolID) outdial.Estimate {
	all := g.watches.Load()
	if all == nil || (*all)[p] == nil {
		return outdial.Estimate{}
	}
	w := (*all)[p]
	n := float64(w.count.Load())
	if n == 0 {
		return outdial.Estimate{}
	}
	risk := math.Float64frombits(w.risk.Load())
	if w.open.Load() > now.UnixNano() {
		risk = .5 + risk/2
	}
	return outdial.Estimate{Mean: risk, Var: risk * (1 - risk) / n, N: n}
}
