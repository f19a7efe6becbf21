package kpi_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

func TestReportIsStableAndHonest(t *testing.T) {
	var reg outdial.Registry
	gold := reg.Trunks.ID("gold")
	build := func() []byte {
		m := newMeter(t, kpi.Config{IDs: &reg})
		observe(m, answeredLeg(1, t0, gold, time.Second, time.Minute)...)
		observe(m, failedLeg(2, 1, t0, 7, 486)...)
		text, err := json.MarshalIndent(m.Report(t0.Add(2*time.Minute)), "", " ")
		require.NoError(t, err)
		return text
	}
	text := build()
	require.Equal(t, string(text), string(build()))
	m := newMeter(t, kpi.Config{IDs: &reg})
	observe(m, answeredLeg(1, t0, gold, time.Second, time.Minute)...)
	observe(m, newLeg(3, 0, t0, 7).refused(outdial.StageTrunk, "full"))
	r := m.Report(t0.Add(2 * time.Minute))
	require.Equal(t, kpi.CodeTable, r.CodeTable)
	require.Equal(t, t0.Add(5*time.Minute), r.To)
	require.Equal(t, t0.Add(-55*time.Minute), r.From)
	require.Equal(t, map[string]string{"trunk": "gold"}, r.Cells[1].Key)
	require.Equal(t, kpi.EvidenceInsufficient, r.Cells[1].ASR.Verdict)
	require.Equal(t, map[string]string{"trunk": "#7"}, r.Cells[2].Key)
	require.Nil(t, r.Cells[2].ASR.Value, "undefined is null")
	require.Equal(t, map[string]uint64{"trunk/full": 1}, r.Cells[2].Refusals)
	require.Equal(t, 60.0, *r.Cells[1].ACD.Mean)
}
