package kpi_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strconv"
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

// Two humps of post-dial delay stand in the report and in the scorecard, where a mean and a median hide them; one hump does not.
func TestHumpsAreReported(t *testing.T) {
	report := func(slow int) kpi.Report {
		m := newMeter(t, kpi.Config{Views: []kpi.View{}})
		for i := range 400 {
			pdd := 1200*time.Millisecond + time.Duration(i%40)*5*time.Millisecond
			if i%100 < slow {
				pdd += 800 * time.Millisecond
			}
			observe(m, answeredLeg(i+1, t0, 1, pdd, time.Minute)...)
		}
		return m.Report(t0.Add(2 * time.Minute))
	}
	r := report(40)
	humps := r.Cells[0].PDD.Humps
	require.Len(t, humps, 2)
	require.InDelta(t, 0.4, humps[1].Share, 0.03)
	require.InDelta(t, 2.1, humps[1].Mode, 0.15)
	var text bytes.Buffer
	require.NoError(t, r.WriteCSV(&text, kpi.Total))
	rows, err := csv.NewReader(&text).ReadAll()
	require.NoError(t, err)
	at := slices.Index(rows[0], "pdd_slow_share")
	require.NotEqual(t, -1, at)
	share, err := strconv.ParseFloat(rows[1][at], 64)
	require.NoError(t, err)
	require.InDelta(t, humps[1].Share, share, 1e-4)
	require.Empty(t, report(0).Cells[0].PDD.Humps)
}

// The names that a report shows lead back to the key; what nobody has had makes none.
func TestKeyOfNames(t *testing.T) {
	ids := new(outdial.Registry)
	ids.Trunks.Add("gold", "silver")
	ids.Groups.Add("US/212")
	ids.Campaigns.Add("spring")
	m := newMeter(t, kpi.Config{IDs: ids, Regions: map[string]string{"US/212": "New York"}})
	key, err := m.KeyOf(map[string]string{"trunk": "silver", "group": "US/212", "country": "US", "region": "New York", "campaign": "spring"})
	require.NoError(t, err)
	require.Equal(t, kpi.Key{
		View:  kpi.ByTrunk | kpi.ByGroup | kpi.ByCountry | kpi.ByRegion | kpi.ByCampaign,
		Trunk: 2, Group: 1, Country: [2]byte{'U', 'S'}, Region: 1, Campaign: 1,
	}, key)
	key, err = m.KeyOf(nil)
	require.NoError(t, err)
	require.Equal(t, kpi.Key{}, key)
	_, err = m.KeyOf(map[string]string{"trunk": "tin", "colour": "red", "country": "USA", "region": "Ohio", "cli": "+1"})
	for _, want := range []string{`no trunk "tin"`, `no colour "red"`, `no country "USA"`, `no region "Ohio"`, `no cli "+1"`} {
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, 2, ids.Trunks.Len())
}
