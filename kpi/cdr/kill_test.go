package cdr_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/kpi/cdr"
)

// Set for the child that is going to be killed.
const (
	killDir    = "OUTDIAL_CDR_KILL_DIR"
	killMapped = "OUTDIAL_CDR_KILL_MAPPED"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		appendForEver(dir)
	}
	os.Exit(m.Run())
}

// appendForEver appends from four goroutines and prints the sequence and the reference of what was acknowledged,
// each by one write.
func appendForEver(dir string) {
	j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: registry(""), SegmentBytes: 16 << 10, Mapped: os.Getenv(killMapped) != ""})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				ev := ended(uint8(w))
				ev.Attempt.Call.Ref = fmt.Sprintf("%d.%d.%d", os.Getpid(), w, i)
				if err := j.Append(ev); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				if _, err := fmt.Fprintf(os.Stdout, "%d %s\n", ev.Seq, ev.Attempt.Call.Ref); err != nil {
					os.Exit(1)
				}
			}
		}()
	}
	select {}
}

// A process that is killed while it writes loses nothing that it acknowledged, whether it writes or stores in a mapping, in turns.
// OUTDIAL_KILL_TRIALS sets the number of trials; the journal goes on from trial to trial.
func TestKilledProcessLosesNothing(t *testing.T) {
	trials := 10
	if s := os.Getenv("OUTDIAL_KILL_TRIALS"); s != "" {
		var err error
		trials, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	dir := t.TempDir()
	acknowledged := map[uint64]string{}
	torn := 0
	for trial := range trials {
		if trial%50 == 49 {
			dir, acknowledged = t.TempDir(), map[uint64]string{}
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		if trial%2 == 1 {
			cmd.Env = append(cmd.Env, killMapped+"=1")
		}
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		before := len(acknowledged)
		killAt := before + 1 + trial*37%400
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			seq, ref, ok := strings.Cut(lines.Text(), " ")
			n, err := strconv.ParseUint(seq, 10, 64)
			if !ok || err != nil {
				continue // the line that the kill cut short
			}
			acknowledged[n] = ref
			if len(acknowledged) == killAt {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait(), "it was killed")
		require.GreaterOrEqual(t, len(acknowledged), killAt)

		j, rec := open(t, cdr.Config{Dir: dir})
		if rec.Cut > 0 {
			torn++
		}
		got := map[uint64]string{}
		for i, ev := range replay(t, j, 0) {
			require.Equal(t, uint64(i+1), ev.Seq)
			got[ev.Seq] = ev.Attempt.Call.Ref
		}
		for seq, ref := range acknowledged {
			require.Equal(t, ref, got[seq], "trial %d, sequence %d", trial, seq)
		}
		require.NoError(t, j.Close())
	}
	t.Logf("%d trials, %d torn tails", trials, torn)
}
