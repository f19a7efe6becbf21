package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/internal/siptest"
)

// sippRun is how many calls sipp places, and how fast. OUTDIAL_INTEG=1 demands sipp and the full length.
func sippRun(t *testing.T) (calls, rate int) {
	t.Helper()
	integ.Program(t, "sipp", "sip-tester")
	if integ.Wanted() {
		return 500, 100
	}
	if race.Enabled {
		t.Skip("sipp and the proxy are processes of their own, without the race detector")
	}
	return 50, 50
}

// sipp runs a scenario and fails the test unless every call succeeded, which is what sipp's exit status says. It returns how
// long each call took from its INVITE to its final response, as sipp measured it.
func sipp(t *testing.T, scenario, target string, calls, rate int) []time.Duration {
	t.Helper()
	dir := t.TempDir()
	file, err := filepath.Abs(filepath.Join("testdata", "sipp", scenario))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sipp", "-sf", file, target, "-i", "127.0.0.1", "-p", freePort(t), "-s", "+12125550123", "-r", strconv.Itoa(rate),
		"-m", strconv.Itoa(calls), "-nostdin", "-timeout", "80", "-timeout_error", "-trace_err", "-error_file", "errors.log",
		"-trace_rtt", "-rtt_freq", "1")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "errors.log"))
		t.Fatalf("sipp: %v\n%s\n%s", err, tail(out), log)
	}
	return responseTimes(t, dir)
}

// responseTimes reads the file of response times that sipp left: "Date_ms;response_time_ms;rtd_no", a line for each call.
func responseTimes(t *testing.T, dir string) []time.Duration {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*_rtt.csv"))
	require.NoError(t, err)
	require.Len(t, names, 1)
	data, err := os.ReadFile(names[0])
	require.NoError(t, err)
	var all []time.Duration
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if i == 0 {
			continue // the names of the columns
		}
		fields := strings.Split(line, ";")
		require.Len(t, fields, 3, line)
		ms, err := strconv.ParseFloat(fields[1], 64)
		require.NoError(t, err, line)
		all = append(all, time.Duration(ms*float64(time.Millisecond)))
	}
	return all
}

// freePort is a UDP port that was free a moment ago: sipp wants to be told one, or takes 5060.
func freePort(t testing.TB) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer c.Close()
	_, port, err := net.SplitHostPort(c.LocalAddr().String())
	require.NoError(t, err)
	return port
}

// sipp calls through the program, the first of two trunks failing in three ways.
func TestSipp(t *testing.T) {
	calls, rate := sippRun(t)
	alone := integ.Wanted() // other tests do not slow the calls down
	binary := build(t)
	for _, tt := range []struct {
		name, scenario string
		first          siptest.Script
		second         int           // calls that reach the second trunk
		longest        time.Duration // at least one call takes as long from its INVITE to its final response
	}{
		{"the first trunk answers 503", "uac.xml", siptest.Unavailable(0), calls, 0},
		{"the first trunk is silent", "uac.xml", siptest.Silence(), calls, 500 * time.Millisecond}, // half of T100: there are many
		{"the callee is busy", "uac_busy.xml", siptest.Busy(10 * time.Millisecond), 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, second := carrier(t, tt.first), carrier(t, siptest.Answer(0, 10*time.Millisecond, 0))
			p := start(t, binary, write(t, first.Addr().String(), second.Addr().String(), filepath.Join(t.TempDir(), "journal")))
			took := sipp(t, tt.scenario, p.addr, calls, rate)
			require.Len(t, took, calls)
			require.GreaterOrEqual(t, slices.Max(took), tt.longest, "calls went to the silent trunk first")
			if alone {
				for i, d := range took {
					require.LessOrEqual(t, d, tt.longest+300*time.Millisecond, "call %d: the first trunk costs no more", i)
				}
			}
			require.NoError(t, second.Settle(t.Context()))
			s := second.Stats()
			require.Equal(t, tt.second, s.Invites)
			require.Equal(t, tt.second, s.Answered)
			require.Zero(t, s.Channels)
			if tt.second == 0 {
				require.Equal(t, calls, first.Stats().Busy)
			} else {
				require.Positive(t, first.Stats().Invites)
			}
			p.end(t, fmt.Sprintf("msg=ended calls=%d answered=%d lost=0 malformed=0", calls, tt.second))
		})
	}
}

// sipp on both sides: nothing of our own but the proxy, and the trunk that fails.
func TestSippBothSides(t *testing.T) {
	calls, rate := sippRun(t)
	file, err := filepath.Abs(filepath.Join("testdata", "sipp", "uas.xml"))
	require.NoError(t, err)
	binary := build(t)
	for name, script := range map[string]siptest.Script{
		"the first trunk answers 503": siptest.Unavailable(0),
		"the first trunk is silent":   siptest.Silence(),
	} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			uas := exec.CommandContext(context.Background(), "sipp", "-sf", file, "-i", "127.0.0.1", "-p", port, "-nostdin", "-m", strconv.Itoa(calls))
			uas.Dir = t.TempDir()
			require.NoError(t, uas.Start())
			t.Cleanup(func() { _ = uas.Process.Kill() })
			first := carrier(t, script)
			p := start(t, binary, write(t, first.Addr().String(), "127.0.0.1:"+port, filepath.Join(t.TempDir(), "journal")))
			sipp(t, "uac.xml", p.addr, calls, rate)
			require.NoError(t, uas.Wait(), "every call of the carrier's succeeded too")
			require.Positive(t, first.Stats().Invites)
			p.end(t, fmt.Sprintf("msg=ended calls=%d answered=%d lost=0 malformed=0", calls, calls))
		})
	}
}
