package kpi_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

func TestMapper(t *testing.T) {
	m, err := kpi.NewMapper(map[string]kpi.Outcome{
		"SALE": {AnsweredBy: outdial.AnsweredByHuman, Contact: true}, "AM": {AnsweredBy: outdial.AnsweredByVoicemail},
	})
	require.NoError(t, err)
	d, ok := m.Map(" sale ", time.Minute)
	require.True(t, ok)
	require.Equal(t, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Contact: true, AgentTime: time.Minute, Code: " sale "}, d)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 200 {
				d, ok := m.Map(strconv.Itoa(i), 0)
				require.False(t, ok)
				require.Equal(t, outdial.AnsweredByUnknown, d.AnsweredBy)
			}
		})
	}
	all.Wait()
	m.Map(strings.Repeat("x", 300), 0)
	by, others := m.Unknown()
	require.Len(t, by, 100)
	var sum uint64
	for _, n := range by {
		sum += n
	}
	require.EqualValues(t, 801, sum+others)

	_, err = kpi.NewMapper(map[string]kpi.Outcome{
		"": {}, "a": {}, "A ": {}, "machine": {AnsweredBy: outdial.AnsweredByFax, Contact: true}, "x": {AnsweredBy: 99},
	})
	for _, want := range []string{`"": want 1 to`, `"a": given twice`, `"machine": a contact`, `"x": AnsweredBy: 99`} {
		require.ErrorContains(t, err, want)
	}
}
