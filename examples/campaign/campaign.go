package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/kpi"
)

const (
	watchEvery  = 50 * time.Millisecond
	drawEvery   = 250 * time.Millisecond
	shareWindow = 3 * time.Second // the share of a trunk is that of the attempts of so long
	settleLimit = 5 * time.Second // for carriers and goroutines at the end
)

// campaign is a running campaign: carriers, proxy and dialer, and those who watch them.
type campaign struct {
	opts     options
	dir      string
	carriers []*carrier
	proxy    *b2bua.Proxy
	page     *served // nil = none
	dialer   *dialer
	scenario *scenario
	orders   *orders
	screen   *screen
	label    label
	began    time.Time

	follow  *ledger // the journal so far
	samples []sample

	decision outdial.Explanation
	decided  time.Duration
}

// sample is how many attempts each trunk had at one moment.
type sample struct {
	at     time.Time
	seized []uint64
}

// conduct runs a campaign from the first socket to the last, and sums it up. The first of the carriers is the one that
// breaks. It ends early, and in order, when ctx is done.
func conduct(ctx context.Context, o options, list []profile, s *screen) (_ *summary, err error) {
	baseline := runtime.NumGoroutine()
	dir, err := os.MkdirTemp("", "outdial-campaign-")
	if err != nil {
		return nil, err
	}
	if !o.Keep {
		defer os.RemoveAll(dir)
	}
	c := &campaign{opts: o, dir: dir, screen: s}
	if err := c.start(list); err != nil {
		return nil, errors.Join(err, c.abort())
	}
	e := &evidence{Options: o, Began: c.began, Callers: callerIDs(o), Caps: numberCaps, Baseline: baseline}
	if err := c.run(ctx, e); err != nil {
		return nil, err
	}
	if err := c.gather(e); err != nil {
		return nil, err
	}
	return newSummary(e, dir), nil
}

// start opens all sockets.
func (c *campaign) start(list []profile) (err error) {
	if c.carriers, err = startCarriers(c.opts, list, &c.label); err != nil {
		return err
	}
	if c.proxy, err = newProxy(c.opts, c.dir, c.carriers); err != nil {
		return err
	}
	if c.page, err = servePage(c.opts.Page, c.proxy); err != nil {
		return err
	}
	if c.dialer, err = newDialer(c.opts, c.proxy.Addr().String()); err != nil {
		return err
	}
	c.began = time.Now()
	c.scenario = newScenario(c.opts, c.carriers[0], c.began)
	c.orders = &orders{scenario: c.scenario, carriers: c.carriers, proxy: c.proxy}
	c.follow = newLedger(c.proxy.IDs())
	c.screen.banner(c.opening()...)
	return nil
}

// abort closes what start opened before it failed.
func (c *campaign) abort() error {
	closeCarriers(c.carriers)
	err := c.page.close()
	if c.proxy != nil {
		err = errors.Join(err, c.proxy.Close())
	}
	return err
}

// run dials until every call is over, drains the proxy, and lets the carriers settle.
func (c *campaign) run(ctx context.Context, e *evidence) error {
	serving, stopProxy := context.WithCancel(context.Background())
	defer stopProxy()
	ran, dialled := make(chan error, 1), make(chan struct{})
	go func() {
		ran <- c.proxy.Run(serving)
		close(ran)
	}()
	dialling, stopDialer := context.WithCancel(ctx)
	defer stopDialer()
	go func() {
		defer close(dialled)
		c.dialer.run(dialling)
	}()
	err := c.watch(dialled, ran)
	stopDialer()
	<-dialled
	e.Interrupted = ctx.Err() != nil
	e.Finished = time.Now()
	c.scenario.note(e.Finished, "all calls are over; the proxy drains")
	c.show(e.Finished)
	stopProxy()
	err = errors.Join(err, c.page.close(), <-ran) // unless watch has read it already: then it is closed
	settling, stop := context.WithTimeout(context.Background(), settleLimit)
	defer stop()
	if c.opts.Fault == faultSilent {
		_ = settle(settling, c.carriers[1:]) // what is still up there is an invariant
	} else {
		_ = settle(settling, c.carriers)
	}
	c.show(time.Now())
	c.screen.end()
	e.Worked = c.dialer.close()
	closeCarriers(c.carriers)
	e.Goroutines = runtime.NumGoroutine()
	for i := 0; e.Goroutines > e.Baseline && i < int(settleLimit/watchEvery); i++ {
		time.Sleep(watchEvery)
		e.Goroutines = runtime.NumGoroutine()
	}
	return err
}

// watch drives scenario and screen until the dialer is done, or the proxy fails.
func (c *campaign) watch(dialled <-chan struct{}, ran <-chan error) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	draw := c.began
	for {
		select {
		case <-dialled:
			return nil
		case err := <-ran:
			return errors.Join(errors.New("the proxy ended"), err)
		case now := <-ticker.C:
			if err := c.observe(now); err != nil {
				return err
			}
			if !now.Before(draw) {
				draw = now.Add(drawEvery)
				if err := c.follow.read(filepath.Join(c.dir, journalDir)); err != nil {
					return err
				}
				c.show(now)
			}
		}
	}
}

// observe lets the scenario go on, and asks for an explanation once outdial has noticed the fault.
func (c *campaign) observe(now time.Time) error {
	placed, _, _ := c.dialer.progress(now)
	if err := c.scenario.step(now, placed, c.proxy.Failover().Snapshot(now)); err != nil {
		return err
	}
	c.scenario.watch(c.proxy.Failover().Snapshot(now))
	if err := c.orders.step(time.Now(), placed); err != nil {
		return err
	}
	if c.decision.Outcome == "" && !c.scenario.noticed.IsZero() {
		c.decision = c.proxy.Engine().Explain(now, outdial.Call{
			To: c.dialer.list[len(c.dialer.list)-1].Number, Mode: outdial.ModePredictive,
			Program: c.proxy.IDs().Programs.ID("sales"), Campaign: c.proxy.IDs().Campaigns.ID("spring"),
		})
		c.decided = now.Sub(c.began)
	}
	return nil
}

// show draws the campaign as it stands.
func (c *campaign) show(now time.Time) { c.screen.show(c.view(now), c.scenario.notices) }

func (c *campaign) view(now time.Time) view {
	v := view{Elapsed: now.Sub(c.began), Total: c.opts.Calls, Waiting: c.dialer.waiting()}
	v.Placed, v.Over, v.CPS = c.dialer.progress(now)
	v.Idle, v.Busy, v.Wrap = c.dialer.seats.count()
	states := c.states(now)
	recent, attempts := c.recent(now)
	v.Recent = attempts
	for i, p := range c.carriers {
		id := c.proxy.IDs().Trunks.ID(p.Name)
		cell, _ := c.proxy.Meter().Cell(now, kpi.Key{View: kpi.ByTrunk, Trunk: id})
		st, _ := c.proxy.Trunks().Status(now, id)
		r := row{
			Name: p.Name, Health: states[p.Name], Share: recent[i], Attempts: cell.Started, ASR: asrOf(&cell),
			InUse: st.InUse, Channels: st.Channels, CPS: st.LastSecond, MaxCPS: st.CPS,
		}
		r.P50, _ = cell.PDD.Quantile(0.5)
		r.P95, _ = cell.PDD.Quantile(0.95)
		v.Trunks = append(v.Trunks, r)
	}
	for _, f := range latest(c.follow.Failovers, failoverLines) {
		v.Failovers = append(v.Failovers, failoverLine{At: f.At.Sub(c.began), advance: f})
	}
	v.Notices = latest(c.scenario.notices, noticeLines)
	return v
}

// states returns how each trunk stands with failover; one that it has nothing to say about is up.
func (c *campaign) states(now time.Time) map[string]string {
	states := make(map[string]string)
	for _, p := range c.carriers {
		states[p.Name] = "up"
	}
	for _, t := range c.proxy.Failover().Snapshot(now) {
		if t.Group == 0 {
			states[t.Name] = t.State.String()
		}
	}
	return states
}

// recent returns each trunk's share of the attempts of the last seconds, and how many those were.
func (c *campaign) recent(now time.Time) ([]float64, int) {
	s := sample{at: now}
	for _, st := range c.proxy.Trunks().Snapshot(now) {
		s.seized = append(s.seized, st.Seized)
	}
	c.samples = append(c.samples, s)
	for len(c.samples) > 1 && now.Sub(c.samples[1].at) >= shareWindow {
		c.samples = c.samples[1:]
	}
	shares, sum := make([]float64, len(s.seized)), 0.0
	for i, n := range s.seized {
		shares[i] = float64(n - c.samples[0].seized[i])
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= max(sum, 1)
	}
	return shares, int(sum)
}
