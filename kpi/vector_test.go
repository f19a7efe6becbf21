package kpi_test

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// TestVectors plays the flows of testdata/vectors.txt through an engine's Session with a meter behind it, and reads the
// KPIs that stand beside each. The head of the file explains the notation.
func TestVectors(t *testing.T) {
	file, err := os.Open("testdata/vectors.txt")
	require.NoError(t, err)
	defer file.Close()
	flows := 0
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Split(line, "|")
		require.Len(t, fields, 3, "line %d", n)
		flows++
		name := strings.TrimSpace(fields[0])
		t.Run(fmt.Sprintf("%d %s", n, name), func(t *testing.T) {
			v := newVector(t)
			for _, step := range strings.Fields(fields[1]) {
				v.play(step)
			}
			want := strings.Fields(fields[2])
			require.NotEmpty(t, want)
			got := v.read()
			for _, w := range want {
				what, value, ok := strings.Cut(w, "=")
				require.True(t, ok, w)
				require.Contains(t, got, what)
				require.Equal(t, value, got[what], what)
			}
		})
	}
	require.NoError(t, lines.Err())
	require.GreaterOrEqual(t, flows, 150)
}

// vector plays one flow.
type vector struct {
	t       *testing.T
	m       *kpi.Meter
	s       *outdial.Session
	now     time.Time
	legs    []outdial.AttemptID
	at      outdial.AttemptID // the leg that the next steps are about
	gaveUp  outdial.Origin    // who cancelled it
	attempt outdial.Attempt
}

func newVector(t *testing.T) *vector {
	v := &vector{t: t, m: newMeter(t, kpi.Config{}), now: t0}
	e, err := outdial.New(outdial.Config{
		Router: outdial.Plan{{Trunk: 1}, {Trunk: 2}, {Trunk: 3}}, Failover: inOrder{}, AdvanceAfterProgress: true,
		Observers: []outdial.Observer{v.m},
	})
	require.NoError(t, err)
	v.s = e.NewSession()
	return v
}

func (v *vector) begin() {
	require.NoError(v.t, v.s.Begin(v.now, outdial.Call{To: 12125550123}))
}

// play plays one step: "word@seconds;key=value;…", the time since the last INVITE.
func (v *vector) play(step string) {
	options := strings.Split(step, ";")
	word, at, timed := strings.Cut(options[0], "@")
	if timed {
		s, err := strconv.ParseFloat(at, 64)
		require.NoError(v.t, err, step)
		v.now = v.attempt.Start.Add(time.Duration(s * float64(time.Second)))
	}
	res := v.result(options[1:])
	end := func(o outdial.Origin, code int) {
		res.Origin, res.Code = o, uint16(code)
		require.NoError(v.t, v.s.End(v.now, v.at, res))
	}
	switch word {
	case "call":
		v.begin()
	case "invite":
		if len(v.legs) == 0 {
			v.begin()
		}
		step, err := v.s.Next(v.now)
		require.NoError(v.t, err)
		require.Equal(v.t, outdial.StepDial, step.Kind)
		v.attempt, v.at, v.gaveUp = *step.Attempt, step.Attempt.ID, 0
		v.legs = append(v.legs, v.at)
	case "leg1", "leg2":
		v.at = v.legs[word[3]-'1']
	case "challenge", "retransmit", "reinvite", "ack": // what a dialer does not report
	case "abandon":
		require.NoError(v.t, v.s.Abandon(v.now, v.at, outdial.Result{Origin: outdial.OriginNoTrying}))
	case "cancel":
		v.gaveUp = outdial.OriginCaller
	case "ringtimer":
		v.gaveUp = outdial.OriginNoAnswer
	case "pddtimer":
		v.gaveUp = outdial.OriginNoProgress
	case "notrying":
		end(outdial.OriginNoTrying, 0)
	case "silent": // no final response to the CANCEL either
		end(v.gaveUp, 0)
	case "icmp":
		end(outdial.OriginTransport, 0)
	case "unsent":
		end(outdial.OriginNeverSent, 0)
	case "full":
		end(outdial.OriginNeverSent, 503)
	case "died":
		end(outdial.OriginUnknown, 0)
	case "bye":
		end(outdial.OriginCallerHangup, 0)
	case "byed":
		end(outdial.OriginCalleeHangup, 0)
	case "medialoss":
		end(outdial.OriginMediaLoss, 0)
	case "late":
		end(outdial.OriginHost, 0)
	case "media":
		require.NoError(v.t, v.s.Progress(v.now, v.at, outdial.MarkMedia.Of()))
	default:
		number, sdp := strings.CutSuffix(word, "+sdp")
		code, err := strconv.Atoi(number)
		require.NoError(v.t, err, step)
		switch {
		case code < 200:
			require.NoError(v.t, v.s.Progress(v.now, v.at, outdial.ProgressOf(code, sdp)))
		case code < 300:
			_, err := v.s.Answer(v.now, v.at)
			require.NoError(v.t, err)
		case v.gaveUp != 0:
			end(v.gaveUp, code)
		default:
			end(outdial.OriginCarrier, code)
		}
	}
}

func (v *vector) result(options []string) (r outdial.Result) {
	for _, o := range options {
		key, value, _ := strings.Cut(o, "=")
		switch key {
		case "q":
			r.Cause = parseCause(v.t, value)
		case "sip":
			code, err := strconv.Atoi(value)
			require.NoError(v.t, err)
			r.SIPCause = uint16(code)
		case "phrase":
			r.Phrase = strings.ReplaceAll(value, "_", " ")
		case "text":
			r.Text = value
		default:
			require.Fail(v.t, "unknown option", o)
		}
	}
	return r
}

// read returns every KPI of all traffic, as the file writes them.
func (v *vector) read() map[string]string {
	c := kpi.Cell{}
	for _, w := range []time.Duration{0, 10 * time.Minute} { // whatever has ended by then
		if got, ok := v.m.Cell(v.now.Add(w), kpi.Key{}); ok {
			c = got
		}
	}
	ratio := func(r kpi.Ratio) string {
		if _, ok := r.Value(); !ok {
			return "undefined"
		}
		return fmt.Sprintf("%d/%d", r.K, r.N)
	}
	span := func(s *kpi.Sketch) string {
		mean, ok := s.Mean()
		if !ok {
			return "none"
		}
		return fmt.Sprintf("%dx%g", s.Count(), mean.Seconds())
	}
	n := c.NERs()
	got := map[string]string{
		"asr": ratio(c.ASR()), "abr": ratio(c.ABR()), "ner": ratio(c.NER()), "ser": ratio(c.SER()), "seer": ratio(c.SEER()),
		"isa": ratio(c.ISA()), "scr": ratio(c.SCR()), "ccr": ratio(n.OpenSIPS), "sipexporter": ratio(n.SIPExporter),
		"voipmonitor": ratio(n.VoIPmonitor), "block": ratio(c.BlockRate()), "abnormal": ratio(c.AbnormalRelease()),
		"early": ratio(c.EarlyMediaRate()), "noring": ratio(c.NoRingAnswers()), "instant": ratio(c.InstantAnswers()),
		"zero": ratio(c.ZeroSecondCalls()), "pdd": span(&c.PDD), "ring": span(&c.Ring), "acd": span(&c.Duration),
		"calls": strconv.FormatUint(c.Calls, 10), "seizures": strconv.FormatUint(c.Seizures(), 10),
		"bids": strconv.FormatUint(c.Bids(), 10), "open": strconv.FormatUint(c.Open(), 10),
		"lost": strconv.FormatUint(c.Lost, 10), "late": strconv.FormatUint(c.LateAnswers, 10),
		"short3": ratio(c.ShortCalls(0)), "short6": ratio(c.ShortCalls(1)), "short10": ratio(c.ShortCalls(2)),
		"short15": ratio(c.ShortCalls(3)),
	}
	var classes, by []string
	for i, k := range c.Classes {
		if k > 0 {
			classes = append(classes, fmt.Sprintf("%v:%d", kpi.Class(i), k))
		}
	}
	for i, k := range c.ClassifiedBy {
		if k > 0 {
			by = append(by, fmt.Sprintf("%v:%d", kpi.ClassifiedBy(i), k))
		}
	}
	slices.Sort(classes)
	got["class"], got["by"] = strings.Join(classes, ","), strings.Join(by, ",")
	return got
}
