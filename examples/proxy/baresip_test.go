package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/internal/siptest"
)

// baresip calls through the proxy, over UDP and over TCP, and talks: RTP goes both ways between it and the carrier, as SDP passes.
func TestBaresip(t *testing.T) {
	integ.Long(t)
	integ.Program(t, "baresip", "baresip")
	binary := build(t)
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			script := siptest.Answer(0, 200*time.Millisecond, 2*time.Second)
			script.Media = &siptest.Media{}
			first := carrier(t, script)
			config := write(t, first.Addr().String(), "127.0.0.1:9", filepath.Join(t.TempDir(), "journal"))
			text, err := os.ReadFile(config)
			require.NoError(t, err)
			changed := "listeners: [{transport: tcp, address: 127.0.0.1:0}]\n" + strings.Replace(string(text), "name: first, ", "name: first, t100: 30s, pdd: 30s, ", 1)
			require.NoError(t, os.WriteFile(config, []byte(changed), 0o600))
			p := start(t, binary, config)
			target := p.addr
			if transport == "tcp" {
				target = p.listening(t)
			}
			out := baresip(t, target+";transport="+transport)
			require.NoError(t, first.Settle(t.Context()))
			s := first.Stats()
			require.Equal(t, 1, s.Answered, "%s\n%s", out, p.text())
			require.Greater(t, s.RTPReceived, 50, "from baresip\n%s", out)
			require.Greater(t, s.RTPSent, 50)
			require.Greater(t, received(t, out), 50, "baresip's own count\n%s", out)
			p.end(t, "msg=ended calls=1 answered=1 lost=0 malformed=0")
		})
	}
}

// received is the count of RTP packets that baresip says it has received.
func received(t *testing.T, out string) int {
	t.Helper()
	m := regexp.MustCompile(`(?:PR=|Receive[^\n]*\n?[^\n]*packets:\s*)(\d+)`).FindStringSubmatch(out)
	require.NotNil(t, m, out)
	n, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	return n
}

// baresip places one call through a proxy, plays a tone, and stays until the far end has hung up.
func baresip(t *testing.T, proxy string) string {
	t.Helper()
	dir := t.TempDir()
	config := `sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aufile,` + filepath.Join(dir, "tone.wav") + `
audio_player aubridge,out
audio_alert aubridge,alert
ausrc_srate 8000
auplay_srate 8000
rtp_stats yes
module_path ` + modules(t) + `
module g711.so
module aufile.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app rtcpsummary.so
`
	host, _, err := net.SplitHostPort(strings.Split(proxy, ";")[0])
	require.NoError(t, err)
	for name, text := range map[string]string{
		"config": config, "contacts": "", "tone.wav": tone(10 * time.Second),
		"accounts": fmt.Sprintf("<sip:+18885550000@%s>;regint=0;outbound=\"sip:%s\"\n", host, proxy),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "baresip", "-f", dir, "-e", "/dial sip:+12125550123@"+host, "-t", "5")
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// tone is 440 Hz for so long, as a WAV file of 8,000 samples a second.
func tone(d time.Duration) string {
	samples := int(d.Seconds() * 8000)
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, uint32(36+2*samples))
	b = append(b, "WAVEfmt "...)
	for _, n := range []uint32{16, 1 | 1<<16, 8000, 16000, 2 | 16<<16} { // PCM, one channel, rates, bytes and bits of a sample
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	b = binary.LittleEndian.AppendUint32(append(b, "data"...), uint32(2*samples))
	for i := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*440*float64(i)/8000))))
	}
	return string(b)
}

// modules is where baresip's modules are.
func modules(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules", "/usr/local/lib/baresip/modules"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	t.Fatal("baresip's modules are nowhere")
	return ""
}
