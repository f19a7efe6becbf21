package cdr_test

import (
	"encoding/hex"
	"hash/crc32"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// bytesOf reads bytes in hexadecimal; what stands behind "//" says what they are.
func bytesOf(t *testing.T, text string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	require.NoError(t, err)
	return b
}

// A segment as FORMAT.md has it, byte for byte, written without the package: an abandoned attempt on one trunk.
func TestFormatByteForByte(t *testing.T) {
	header := bytesOf(t, `
		4f 55 54 44 43 44 52 0a // OUTDCDR\n
		0100 0300               // version 1.3
		28000000                // 40 bytes
		0100000000000000        // first sequence
		00 ca 9a 3b 00000000    // 1 s
		00000000                // room
	`)
	names := bytesOf(t, `
		0a000000 0100000000000000 80
		01 01 01 61       // trunk 1 is "a"
		02 02 03 62 c3 a9 // carrier 2 is "bé"
	`)
	event := bytesOf(t, `
		6c000000 0100000000000000 04 // an abandoned leg
		00 ca 9a 3b 00000000         // 1 s
		01 6100                      // attempt
		08 07 06 05 04 03 02 01 02   // id, leg 2
		29                           // call
		00 02 68 69                  // its id is the same, ref "hi"
		cb f4 f4 95 2d               // to 12125551179
		00 00 00 00                  // from, tenant, program, campaign
		02 01                        // predictive, normal
		00 00 00 00 00 00 00 80      // no deadline
		01 00 00 00 00 00 00 00      // begun 1 ns
		55 53 bc 09                  // US, 1212
		00 00 00 04 00               // group, zones, day-part; unassigned; network
		00                           // no tags
		0a                           // candidate
		01 02 03 3c 00 c7 01 00 00   // trunk, carrier, tier, weight, pool, cost -100, matched, propensity
		00                           // not to explore
		01 bf c0 03                  // by weight, probability 0.5
		00 00                        // CLI, pool
		02 00 00 00 00 00 00 00      // start 2 ns
		81 02 02 80 01               // invite and abandon: 1 ns, 64 ns
		02 00                        // abandoned, not late
		00                           // no result
		0c                           // abandoned
		02 00 00 00 01 78 00 00 02   // nothing came; no code, cause, location; "x"; no SIP cause, text; 1 ns
		00                           // no headers
		00 00                        // no BYE
	`)
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	seal := func(rec []byte) []byte {
		sum := crc32.Checksum(rec, castagnoli)
		return append([]byte{byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24)}, rec...)
	}
	a := &outdial.Attempt{
		ID: outdial.AttemptID{Call: 0x0102030405060708, Leg: 2},
		Call: outdial.Call{
			ID: 0x0102030405060708, Ref: "hi", To: 12125551179, Mode: outdial.ModePredictive, Priority: outdial.PriorityNormal,
			Begun: time.Unix(0, 1).UTC(), Dest: outdial.Destination{Country: [2]byte{'U', 'S'}, Area: 1212, Unassigned: true},
		},
		Candidate: outdial.Candidate{Trunk: 1, Carrier: 2, Tier: 3, Weight: 60, Cost: -100},
		Choice:    outdial.Choice{Why: outdial.WhyWeight, Probability: 0.5},
		Start:     time.Unix(0, 2).UTC(), State: outdial.AttemptAbandoned,
		Abandoned: outdial.Result{Origin: outdial.OriginNoTrying, Phrase: "x", RetryAfter: time.Nanosecond},
	}
	a.Timeline.Set(outdial.MarkInvite, 1)
	a.Timeline.Set(outdial.MarkAbandon, 64)
	ids := &outdial.Registry{}
	ids.Trunks.Add("a")
	ids.Carriers.Add("other", "bé")
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, IDs: ids})
	ev := outdial.Event{Kind: outdial.EventAbandoned, Time: time.Unix(1, 0).UTC(), Attempt: a}
	require.NoError(t, j.Append(&ev))
	got, err := os.ReadFile(segmentFiles(t, dir)[0])
	require.NoError(t, err)
	sum := crc32.Checksum(header, castagnoli)
	want := append(header, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
	want = append(append(want, seal(names)...), seal(event)...)
	require.Equal(t, hex.Dump(want), hex.Dump(got))
	require.Equal(t, []outdial.Event{stripped(ev)}, replay(t, j, 0))
}
