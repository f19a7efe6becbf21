// Dialer is an in-house dialer on Engine.Place: a few agents, a list of callees, two carriers over SIP. The carriers
// are simulated (carriers.go), so that it runs as it is; everything in this file is what a real one would have.
//
//	go run ./examples/dialer
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/routing"
	"github.com/outdial/outdial/trunk"
	"github.com/outdial/outdial/trunk/siptrunk"
)

const (
	agents  = 4
	callees = 40
	program = "renewals"
)

// dialer is the engine, what it dials with, and the list.
type dialer struct {
	ids    *outdial.Registry
	engine *outdial.Engine
	sip    *siptrunk.Dialer
	meter  *kpi.Meter
	trunks *trunk.Set
}

func newDialer(east, west string) (*dialer, error) {
	ids := new(outdial.Registry)
	table, err1 := routing.Compile(routing.Policy{
		Trunks: []routing.Trunk{{Name: "east", Carrier: "alpha"}, {Name: "west", Carrier: "beta"}},
		Rules: []routing.Rule{{Tiers: []routing.Tier{{
			Trunks: []routing.Target{{Trunk: "east", Weight: 80}, {Trunk: "west", Weight: 20}},
		}}}},
	}, routing.CompileConfig{IDs: ids})
	hunt, err2 := failover.New(failover.Config{IDs: ids})
	trunks, err3 := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{
		{Name: "east", Channels: 10, CPS: 10, Smooth: time.Second}, {Name: "west", Channels: 10, CPS: 10, Smooth: time.Second},
	}})
	pool := cli.Config{IDs: ids, Pools: []cli.PoolConfig{{Name: "renewals-212", Program: program}}, Limits: cli.Limits{Spacing: -1}}
	for i := range 20 {
		pool.Numbers = append(pool.Numbers, cli.NumberConfig{
			Number: outdial.Number(12125550100 + i), Pool: "renewals-212", Evidence: "contract 4711",
		})
	}
	numbers, err4 := cli.New(pool)
	meter, err5 := kpi.New(kpi.Config{IDs: ids})
	sip, err6 := siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0",
		Trunks:     map[outdial.TrunkID]siptrunk.Trunk{ids.Trunks.ID("east"): {Addr: east}, ids.Trunks.ID("west"): {Addr: west}},
		Offer:      func(*outdial.Attempt) []byte { return []byte(offer) }, // from the media side of the dialer
	})
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return nil, err
	}
	engine, err := outdial.New(outdial.Config{
		IDs: ids, Router: table, Failover: hunt, Trunks: trunks, CLIs: numbers,
		Observers: []outdial.Observer{meter}, MaxWait: 5 * time.Second,
	})
	return &dialer{ids: ids, engine: engine, sip: sip, meter: meter, trunks: trunks}, err
}

const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"

// agent takes callees off the list, one at a time, until it is empty.
func (d *dialer) agent(ctx context.Context, name int, list <-chan outdial.Number) {
	for to := range list {
		call := outdial.Call{Ref: fmt.Sprint("agent-", name), To: to, Program: d.ids.Programs.ID(program), Mode: outdial.ModeManual}
		placed, err := d.engine.Place(ctx, call, d.sip)
		if err != nil {
			fmt.Println(to, err) // a *NoRouteError says which trunk refused, and why
			if ctx.Err() != nil {
				return
			}
			continue
		}
		leg, ok := placed.Answered()
		if !ok {
			last := placed.Attempts()[len(placed.Attempts())-1]
			fmt.Printf("%s not answered: %v %d after %d attempts\n", to, last.Result.Origin, last.Result.Code, len(placed.Attempts()))
			continue
		}
		pdd, _ := leg.Timeline.PDD()
		fmt.Printf("%s answered on %s from %s, post-dial delay %v\n", to, d.ids.Trunks.Name(leg.Candidate.Trunk), leg.CLI, pdd.Round(time.Millisecond))
		select {
		case <-placed.Done(): // the callee hung up
		case <-time.After(time.Duration(200+rand.IntN(400)) * time.Millisecond):
			placed.Hangup()
		}
		if err := placed.Wait(ctx); err != nil {
			return
		}
		_ = d.engine.Dispose(time.Now(), &leg, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Contact: true})
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	east, west, closeCarriers := startCarriers()
	defer closeCarriers()
	d, err := newDialer(east, west)
	if err != nil {
		log.Fatal(err)
	}
	loops, end := context.WithCancel(context.Background())
	var serving, working sync.WaitGroup
	serving.Go(func() { _ = d.sip.Run(loops) })
	serving.Go(func() { _ = d.engine.Run(loops) })

	list := make(chan outdial.Number)
	for a := range agents {
		working.Go(func() { d.agent(ctx, a+1, list) })
	}
	for i := range callees {
		select {
		case list <- outdial.Number(12125551000 + i):
		case <-ctx.Done():
		}
	}
	close(list)
	working.Wait()
	end()
	serving.Wait()

	for cell := range d.meter.Snapshot(time.Now()) {
		if cell.Key.View != kpi.ByTrunk {
			continue
		}
		asr, _ := cell.ASR().Value()
		fmt.Printf("%s: %d legs, ASR %.0f %% (%s)\n", d.ids.Trunks.Name(cell.Key.Trunk), cell.Known(), 100*asr, cell.ASR().Verdict(30))
	}
}
