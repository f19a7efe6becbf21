package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
)

// kamailioConfig is a stateful proxy that stays in the dialog, and sends every call to one next hop.
const kamailioConfig = `
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
disable_tcp=no
listen=udp:%[1]s
listen=tcp:%[1]s
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
request_route {
	if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
	if (has_totag()) {
		if (loose_route()) { t_relay(); exit; }
		if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
		sl_send_reply("404", "Not Here");
		exit;
	}
	if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
	if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
	t_check_trans();
	if (is_method("INVITE")) { record_route(); }
	$du = "sip:%[2]s";
	t_relay();
}
`

// Kamailio stands in front of the proxy and behind it: sipp, Kamailio, outdial, Kamailio, sipp. Over UDP, and with TCP on both sides of the proxy.
func TestKamailio(t *testing.T) {
	integ.Long(t)
	integ.Program(t, "kamailio", "kamailio")
	calls, _ := sippRun(t)
	calls = min(calls, 50)
	binary := build(t)
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			callee, front, behind := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
			far := sippAt(ctx, t, "uas_routed.xml", callee, calls)
			kamailio(t, behind, callee)
			config := write(t, behind, "127.0.0.1:9", filepath.Join(t.TempDir(), "journal"))
			text, err := os.ReadFile(config)
			require.NoError(t, err)
			changed := strings.Replace(string(text), "name: first, ", "name: first, t100: 30s, pdd: 30s, transport: "+transport+", ", 1)
			changed = "listeners: [{transport: tcp, address: 127.0.0.1:0}]\ncarrier_listeners: [{transport: tcp, address: 127.0.0.1:0}]\n" + changed
			require.NoError(t, os.WriteFile(config, []byte(changed), 0o600))
			p := start(t, binary, config)
			next := p.addr
			if transport == "tcp" {
				next = p.listening(t) + ";transport=tcp"
			}
			kamailio(t, front, next)
			near := sippAt(ctx, t, "uac_routed.xml", "127.0.0.1:"+freePort(t), calls, front, "-s", "+12125550123", "-r", "20")
			require.NoError(t, near.Wait(), "%s", tail([]byte(p.text())))
			require.NoError(t, far.Wait(), "%s", tail([]byte(p.text())))
			p.end(t, fmt.Sprintf("msg=ended calls=%d answered=%d lost=0 malformed=0", calls, calls))
		})
	}
}

// kamailio starts one at an address that sends calls to a next hop, and waits until it answers.
func kamailio(t *testing.T, addr, next string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "kamailio.cfg")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, kamailioConfig, addr, next), 0o600))
	c := exec.CommandContext(context.Background(), "kamailio", "-f", file, "-DD", "-E", "-m", "64", "-M", "8", "-Y", dir, "-P", filepath.Join(dir, "pid"))
	out := &logbook{}
	c.Stdout, c.Stderr = out, out
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
		if t.Failed() {
			t.Logf("kamailio at %s\n%s", addr, tail(out.text.Bytes()))
		}
	})
	probe, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer probe.Close()
	to, err := net.ResolveUDPAddr("udp4", addr)
	require.NoError(t, err)
	buf := make([]byte, 4096)
	require.Eventually(t, func() bool {
		ask := "OPTIONS sip:" + addr + " SIP/2.0\r\nVia: SIP/2.0/UDP " + probe.LocalAddr().String() + ";branch=z9hG4bKprobe;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n" +
			"Call-ID: probe\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
		_, _ = probe.WriteTo([]byte(ask), to)
		_ = probe.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, _, err := probe.ReadFrom(buf)
		return err == nil && strings.HasPrefix(string(buf[:n]), "SIP/2.0 200")
	}, patience, 10*time.Millisecond)
}
