package b2bua

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
)

// Names that dialers send are bounded in length and number: those beyond have no id, and those that are known keep theirs.
func TestNamesOfDialersAreBounded(t *testing.T) {
	if race.Enabled {
		t.Skip("each name copies the table")
	}
	ids := new(outdial.Registry)
	require.Zero(t, named(&ids.Campaigns, strings.Repeat("x", maxName+1)))
	require.NotZero(t, named(&ids.Campaigns, strings.Repeat("x", maxName)))
	first := named(&ids.Campaigns, "0")
	for i := range maxNames + 10 {
		named(&ids.Campaigns, strconv.Itoa(i))
	}
	require.LessOrEqual(t, ids.Campaigns.Len(), maxNames)
	require.Zero(t, named(&ids.Campaigns, "one more"))
	require.Equal(t, first, named(&ids.Campaigns, "0"))
}
