package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCapacityGrowsWithTheTraffic(t *testing.T) {
	usual := profiles(options{CPS: 55, Scale: 15})
	busy := profiles(options{CPS: 550, Scale: 15})
	slow := profiles(options{CPS: 55, Scale: 1.5})
	for i, p := range usual {
		require.Greater(t, p.Contract, p.CPS, "the carrier's meter needs some room")
		require.Equal(t, 10*p.Channels, busy[i].Channels)
		require.Equal(t, 10*p.CPS, busy[i].CPS)
		require.Equal(t, 10*p.Channels, slow[i].Channels)
		require.Equal(t, p.CPS, slow[i].CPS)
	}
}

func TestPlayComesFromTheSeed(t *testing.T) {
	o := options{Seed: 3, CPS: 55, Scale: 15}
	p := profiles(o)[0]
	for _, c := range callees(3, 200) {
		require.Equal(t, p.play(o, 0, c), p.play(o, 0, c))
	}
}

func TestGoodCarrierDoesWhatTheCalleeDoes(t *testing.T) {
	o := options{Seed: 3, CPS: 55, Scale: 15}
	p := profiles(o)[0]
	for _, c := range callees(3, 500) {
		s := p.play(o, 0, c)
		require.Equal(t, string(c.Outcome), s.Name)
		final := s.Steps[len(s.Steps)-1]
		require.Equal(t, c.Outcome.answers(), final.Code == 200)
		if c.Outcome == human && c.HangsUp {
			require.Equal(t, c.Talk/15, s.Talk)
		} else {
			require.Zero(t, s.Talk, "the dialer hangs up")
		}
		if c.Outcome == human {
			require.Equal(t, c.Ring/15, final.After, "ringing is scaled")
			pdd := s.Steps[1].After
			require.Greater(t, pdd, 100*time.Millisecond, "post-dial delay is not")
		}
	}
}

func TestBadCarrierFailsAndMangles(t *testing.T) {
	o := options{Seed: 3, CPS: 55, Scale: 15}
	p := profiles(o)[1]
	count := map[string]int{}
	list := callees(3, 4000)
	for _, c := range list {
		count[p.play(o, 1, c).Name]++
	}
	share := func(name string) float64 { return float64(count[name]) / float64(len(list)) }
	require.InDelta(t, 0.25, share(networkFailure), 0.02)
	require.InDelta(t, 0.17*0.75*0.6, share(string(human)), 0.02)
}
