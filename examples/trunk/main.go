// Trunk limits what leaves on a carrier: 20 channels and 5 calls per second, offered four times as much.
//
//	go run ./examples/trunk
package main

import (
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

func main() {
	ids := new(outdial.Registry)
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "east", Channels: 20, CPS: 5}}})
	if err != nil {
		log.Fatal(err)
	}
	east := outdial.Candidate{Trunk: ids.Trunks.ID("east")}
	type up struct {
		lease outdial.Lease
		until time.Time
	}
	var calls []up
	now := time.Now() // time is an argument: a minute of traffic takes no time
	for range 20 * 60 {
		now = now.Add(50 * time.Millisecond)
		for len(calls) > 0 && now.After(calls[0].until) {
			set.Release(now, calls[0].lease)
			calls = calls[1:]
		}
		lease, _, err := set.Acquire(now, nil, &east)
		if err != nil {
			continue // trunk.ErrChannels: tell the dialer to come back later
		}
		again, err := set.Seize(now, nil, &east, lease)
		if errors.Is(err, trunk.ErrCPS) {
			set.Undo(now, lease) // nothing left: the channel goes back; again says when the next second has room
			_ = again
			continue
		}
		calls = append(calls, up{lease, now.Add(10 * time.Second)})
	}
	s, _ := set.Status(now, east.Trunk)
	fmt.Printf("seized %d, peak %d of %d channels, in use %d, blocked %d by channels and %d by calls per second\n",
		s.Seized, s.Peak, s.Channels, s.InUse, s.Blocked.Channels, s.Blocked.CPS)
}
