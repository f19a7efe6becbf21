package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/failover"
)

func TestScenarioBreaksRepairsAndTells(t *testing.T) {
	o := options{Calls: 100, CPS: 55, Scale: 15, Fault: fault503}
	cs, err := startCarriers(o, profiles(o)[:1], new(label))
	require.NoError(t, err)
	defer closeCarriers(cs)
	s := newScenario(o, cs[0], time.Now())
	target := failover.Target{Trunk: 1, Name: good, State: failover.Up, Failed: 4}
	step := func(placed int) {
		require.NoError(t, s.step(time.Now(), placed, []failover.Target{target}))
		s.watch([]failover.Target{target})
	}
	step(49)
	require.True(t, s.broken.IsZero())
	step(50) // half way
	require.False(t, s.broken.IsZero())
	target.State, target.Since, target.Why, target.Failed = failover.Out, s.broken.Add(400*time.Millisecond), "soft failures in a row", 15
	step(55)
	step(60)
	require.Equal(t, target.Since, s.noticed)
	step(75)
	require.False(t, s.healed.IsZero())
	target.State, target.Since = failover.Probing, s.healed.Add(time.Second)
	step(80)
	target.State, target.Since = failover.Ramping, s.healed.Add(2*time.Second)
	step(90)
	require.Equal(t, target.Since, s.back)
	var texts []string
	for _, n := range s.notices {
		texts = append(texts, n.Text)
	}
	require.Equal(t, []string{
		"alpha breaks: it answers 503 to every new call",
		"noticed 400 ms after the fault: alpha rests (soft failures in a row, 11 calls had failed)",
		"alpha is repaired; outdial learns that from its next probe",
		"alpha gets its share again, 2000 ms after the repair",
	}, texts)
}
