package b2bua_test

import (
	"bufio"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// RFC 4475: each message is treated as testdata/rfc4475/expected.txt says, from the carriers' side too nothing breaks, and the next call is
// served.
func TestTorture(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "rfc4475", "expected.txt"))
	require.NoError(t, err)
	defer file.Close()
	seen := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), "#")
		want := strings.Fields(text)
		msg, err := os.ReadFile(filepath.Join("testdata", "rfc4475", want[0]+".dat"))
		require.NoError(t, err)
		seen++
		t.Run(want[0], func(t *testing.T) {
			change := func(c *b2bua.Config) { c.Dialers[0].NAT = true } // the Vias name hosts that are not there
			bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), change, func(t *testing.T, w *world) {
				var got []string
				conn, err := w.network.Listen("10.0.0.2:7000")
				require.NoError(t, err)
				_, err = conn.WriteToUDPAddrPort(msg, netip.MustParseAddrPort(proxyAddr))
				require.NoError(t, err)
				synctest.Wait()
				for buf := make([]byte, 65535); len(got) < 2; {
					require.NoError(t, conn.SetReadDeadline(time.Now().Add(100*ms)))
					n, _, err := conn.ReadFrom(buf)
					if err != nil {
						break
					}
					got = append(got, status(string(buf[:n]))[:3])
				}
				if len(got) == 0 {
					got = []string{"-"}
				}
				require.Equal(t, want[1:], got)
				require.NoError(t, conn.Close())
				trunk, err := w.network.Listen("10.0.1.1:5061")
				require.NoError(t, err)
				_, err = trunk.WriteToUDPAddrPort(msg, netip.MustParseAddrPort("10.0.0.1:5080"))
				require.NoError(t, err)
				require.NoError(t, trunk.Close())
				require.Equal(t, 200, w.call(siptest.CallerCall{}).Code())
				w.settled()
				require.Equal(t, 1, w.first.Stats().Invites, "no carrier was called by it")
				time.Sleep(siptest.DrainTime)
			})
		})
	}
	files, err := filepath.Glob(filepath.Join("testdata", "rfc4475", "*.dat"))
	require.NoError(t, err)
	require.Equal(t, len(files), seen, "every message has its line")
}
