package numplan

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ruleZone builds a zone whose file (RFC 8536, version 2) holds no changes but a rule for all
// years, as a host with a slim tz database has it.
func ruleZone(t *testing.T, rule string) *time.Location {
	t.Helper()
	block := append([]byte("TZif2"), make([]byte, 15)...)
	for _, count := range []uint32{0, 0, 0, 0, 1, 4} { // of these, one type and four characters of names
		block = binary.BigEndian.AppendUint32(block, count)
	}
	block = append(block, 0, 0, 0, 0, 0, 0, 'X', 'X', 'X', 0)
	file := append(append([]byte{}, block...), block...)
	loc, err := time.LoadLocationFromTZData(rule, append(file, "\n"+rule+"\n"...))
	require.NoError(t, err)
	return loc
}

func TestDifferEndsWithRules(t *testing.T) {
	eastern := ruleZone(t, "EST5EDT,M3.2.0,M11.1.0")
	like := ruleZone(t, "XST5XDT,M3.2.0,M11.1.0")
	central := ruleZone(t, "CST6CDT,M3.2.0,M11.1.0")
	winter := ruleZone(t, "EST5")
	sooner := ruleZone(t, "EST5EDT,M3.2.0/1,M11.1.0") // one hour a year apart

	summer := time.Date(2028, 7, 1, 0, 0, 0, 0, time.UTC)
	_, offset := summer.In(eastern).Zone()
	require.Equal(t, -4*3600, offset, "the rule is in force")

	require.False(t, differ([]*time.Location{eastern, like}))
	require.False(t, differ([]*time.Location{winter, winter}))
	require.True(t, differ([]*time.Location{eastern, central}))
	require.True(t, differ([]*time.Location{eastern, winter}))
	require.True(t, differ([]*time.Location{eastern, sooner}))
	require.False(t, differ([]*time.Location{eastern}))
	require.False(t, differ(nil))
}
