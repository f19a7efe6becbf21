package outdial_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

// TestCallingWindowInSplitAreas: in the area codes that lie in two time zones a call is within the window only where both
// agree: every five minutes around both edges, on ordinary days and on the two nights on which clocks change.
func TestCallingWindowInSplitAreas(t *testing.T) {
	const chicago, newYork, denver, angeles, boise = "America/Chicago", "America/New_York", "America/Denver", "America/Los_Angeles", "America/Boise"
	plan, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: new(outdial.Registry)})
	require.NoError(t, err)
	const from, to = 8 * time.Hour, 21 * time.Hour
	checked, open := 0, 0
	for code, names := range map[outdial.Number][2]string{
		208: {angeles, boise}, 219: {chicago, newYork}, 270: {chicago, newYork}, 308: {denver, chicago}, 423: {chicago, newYork},
		541: {angeles, boise}, 574: {chicago, newYork}, 605: {denver, chicago}, 606: {chicago, newYork}, 620: {denver, chicago},
		701: {denver, chicago}, 775: {angeles, denver}, 785: {denver, chicago}, 812: {chicago, newYork}, 850: {chicago, newYork},
		906: {"America/Menominee", "America/Detroit"}, 907: {"America/Adak", "America/Anchorage"}, 928: {"America/Phoenix", denver},
	} {
		n := 1e10 + code*1e7 + 5_550_123
		zones := plan.Locate(time.Time{}, n).Zones
		var locs [2]*time.Location
		for i, name := range names {
			locs[i], err = time.LoadLocation(name)
			require.NoError(t, err)
		}
		for _, day := range []time.Time{
			time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC),
			time.Date(2026, 1, 14, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 15, 0, 0, 0, 0, time.UTC),
		} {
			for at := day; at.Before(day.Add(72 * time.Hour)); at = at.Add(5 * time.Minute) {
				want := true
				for _, loc := range locs {
					h, m, _ := at.In(loc).Clock()
					clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
					want = want && clock >= from && clock < to
				}
				require.Equal(t, want, plan.AllWithin(at, zones, from, to), "%d at %v", code, at)
				checked++
				if want {
					open++
				}
			}
		}
	}
	require.Greater(t, open, checked/3)
	require.Less(t, open, checked*2/3)
}
