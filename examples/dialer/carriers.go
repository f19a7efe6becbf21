package main

import (
	"log"
	"time"

	"github.com/outdial/outdial/internal/siptest"
)

// startCarriers starts two simulated carriers on loopback: east answers two calls in three and fails one, west answers all.
func startCarriers() (east, west string, closeAll func()) {
	answer := siptest.Answer(60*time.Millisecond, 300*time.Millisecond, 0)
	start := func(name string, b siptest.Behaviour) *siptest.Carrier {
		c, err := siptest.StartCarrier(siptest.CarrierConfig{Name: name, Behaviour: b, Seed: 1})
		if err != nil {
			log.Fatal(err)
		}
		return c
	}
	e := start("east", siptest.Behaviour{Mix: []siptest.Weighted{{Weight: 2, Script: answer}, {Weight: 1, Script: siptest.Unavailable(0)}}})
	w := start("west", siptest.Behaviour{Script: answer})
	return e.Addr().String(), w.Addr().String(), func() {
		_ = e.Close()
		_ = w.Close()
	}
}
