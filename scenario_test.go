package outdial_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/routing"
	"github.com/outdial/outdial/trunk"
)

// TestScenarios plays the scripts in testdata/*.txt against an engine over the real packages. A script is prose in
// lines that begin with #, commands, and under each command that says something what it said, indented by a tab:
// go test -run Scenarios -rewrite . writes the latter anew.
//
//	trunk NAME [channels=N] [cps=N]     set-up: a trunk
//	tier NAME[:WEIGHT] …                set-up: a tier of the one rule
//	number +E164 [cap=N/D]              set-up: a caller ID
//	call +E164                          Begin
//	next                                Next
//	progress LEG CODE [sdp]             Progress
//	abandon LEG no_trying|no_progress   Abandon
//	answer LEG                          Answer
//	end LEG CODE|hangup                 End
//	cancel                              Cancel
//	park                                the call goes on; what follows is another session
//	sleep DURATION                      time passes
//	held                                channels in use
//	kpi                                 what was measured, in total and by trunk
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			require.NoError(t, err)
			var out strings.Builder
			p := &player{t: t, now: start, ids: new(outdial.Registry)}
			for line := range strings.Lines(string(script)) {
				if strings.HasPrefix(line, "\t") {
					continue
				}
				out.WriteString(line)
				if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
					continue
				}
				for said := range strings.Lines(p.do(strings.Fields(line))) {
					out.WriteString("\t" + said)
				}
			}
			golden(t, file, out.String())
		})
	}
}

// player is one script's engine and its one session.
type player struct {
	t       *testing.T
	now     time.Time
	ids     *outdial.Registry
	policy  routing.Policy
	limits  trunk.Config
	numbers cli.Config

	engine *outdial.Engine
	s      *outdial.Session
	trunks *trunk.Set
	meter  *kpi.Meter
}

func (p *player) do(words []string) string {
	switch words[0] {
	case "trunk":
		l := trunk.Limits{Name: words[1], Channels: p.option(words, "channels"), CPS: p.option(words, "cps")}
		p.limits.Trunks = append(p.limits.Trunks, l)
		p.policy.Trunks = append(p.policy.Trunks, routing.Trunk{Name: words[1]})
		return ""
	case "tier":
		var tier routing.Tier
		for _, w := range words[1:] {
			name, weight, _ := strings.Cut(w, ":")
			n, _ := strconv.Atoi(weight)
			tier.Trunks = append(tier.Trunks, routing.Target{Trunk: name, Weight: uint32(n)})
		}
		if len(p.policy.Rules) == 0 {
			p.policy.Rules = []routing.Rule{{}}
		}
		p.policy.Rules[0].Tiers = append(p.policy.Rules[0].Tiers, tier)
		return ""
	case "number":
		p.number(words[1:])
		return ""
	case "sleep":
		d, err := time.ParseDuration(words[1])
		require.NoError(p.t, err)
		p.now = p.now.Add(d)
		return ""
	case "held":
		return p.held()
	case "kpi":
		return p.kpi()
	}
	return p.verb(words)
}

func (p *player) option(words []string, name string) (n int) {
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			n, err := strconv.Atoi(v)
			require.NoError(p.t, err)
			return n
		}
	}
	return -1
}

func (p *player) number(words []string) {
	n := cli.NumberConfig{Number: outdial.MustNumber(words[0]), Pool: "pool", Evidence: "contract"}
	p.numbers.Numbers = append(p.numbers.Numbers, n)
	p.numbers.Pools = []cli.PoolConfig{{Name: "pool", Program: "program", Limits: cli.Limits{Caps: []cli.Cap{}, Spacing: -1}}}
	for _, w := range words[1:] {
		if v, ok := strings.CutPrefix(w, "cap="); ok {
			c, err := cli.ParseCap(v)
			require.NoError(p.t, err)
			p.numbers.Pools[0].Limits.Caps = []cli.Cap{c}
		}
	}
}

// session builds the engine when the first call begins.
func (p *player) session() *outdial.Session {
	if p.s != nil {
		return p.s
	}
	p.limits.IDs, p.numbers.IDs = p.ids, p.ids
	table, err1 := routing.Compile(p.policy, routing.CompileConfig{IDs: p.ids})
	hunt, err2 := failover.New(failover.Config{IDs: p.ids})
	var err3, err4, err5, err6 error
	p.trunks, err3 = trunk.New(p.limits)
	p.meter, err4 = kpi.New(kpi.Config{IDs: p.ids})
	cfg := outdial.Config{
		IDs: p.ids, Router: table, Failover: hunt, Trunks: p.trunks,
		Observers: []outdial.Observer{p.meter}, MaxWait: 5 * time.Second,
	}
	if len(p.numbers.Numbers) > 0 {
		cfg.CLIs, err5 = cli.New(p.numbers)
	}
	p.engine, err6 = outdial.New(cfg)
	require.NoError(p.t, errors.Join(err1, err2, err3, err4, err5, err6))
	p.s = p.engine.NewSession()
	return p.s
}

func (p *player) verb(words []string) string {
	s := p.session()
	var id outdial.AttemptID
	if len(words) > 1 && words[0] != "call" {
		leg, err := strconv.Atoi(words[1])
		require.NoError(p.t, err)
		id = s.Attempts()[leg-1].ID
	}
	var err error
	switch words[0] {
	case "call":
		err = s.Begin(p.now, outdial.Call{To: outdial.MustNumber(words[1]), Program: p.ids.Programs.ID("program")})
	case "next":
		return p.next()
	case "progress":
		code, _ := strconv.Atoi(words[2])
		err = s.Progress(p.now, id, outdial.ProgressOf(code, len(words) > 3))
	case "abandon":
		origins := map[string]outdial.Origin{"no_trying": outdial.OriginNoTrying, "no_progress": outdial.OriginNoProgress}
		err = s.Abandon(p.now, id, outdial.Result{Origin: origins[words[2]]})
	case "answer":
		var action outdial.AnswerAction
		if action, err = s.Answer(p.now, id); err == nil {
			return action.String() + "\n"
		}
	case "end":
		res := outdial.Result{Origin: outdial.OriginCalleeHangup}
		if code, err := strconv.Atoi(words[2]); err == nil {
			res = carrier(uint16(code))
		}
		err = s.End(p.now, id, res)
	case "cancel":
		err = s.Cancel(p.now)
	case "park":
		p.s = p.engine.NewSession()
	default:
		p.t.Fatalf("unknown command %q", words[0])
	}
	if err != nil {
		return err.Error() + "\n"
	}
	return ""
}

func (p *player) next() string {
	step, err := p.s.Next(p.now)
	switch {
	case err != nil:
		return err.Error() + "\n"
	case step.Kind == outdial.StepDial:
		a := step.Attempt
		text := fmt.Sprintf("dial %d on %s", a.ID.Leg, p.ids.Trunks.Name(a.Candidate.Trunk))
		if a.CLI != 0 {
			text += " from " + a.CLI.String()
		}
		return text + "\n"
	case step.Kind == outdial.StepRevive:
		return fmt.Sprintf("revive %d\n", step.Attempt.ID.Leg)
	case step.Kind == outdial.StepWait:
		return fmt.Sprintf("wait %v\n", step.Until.Sub(p.now))
	}
	return fmt.Sprintf("stop: %v\n", step.Stop)
}

func (p *player) held() string {
	var b strings.Builder
	for _, st := range p.trunks.Snapshot(p.now) {
		fmt.Fprintf(&b, "%s %d\n", st.Name, st.InUse)
	}
	return b.String()
}

func (p *player) kpi() string {
	var b strings.Builder
	for c := range p.meter.Snapshot(p.now) {
		name := "total"
		switch c.Key.View {
		case kpi.ByTrunk:
			name = p.ids.Trunks.Name(c.Key.Trunk)
		case 0:
		default:
			continue
		}
		fmt.Fprintf(&b, "%s: legs %d, ASR %s, NER %s", name, c.Known(), ratio(c.ASR()), ratio(c.NER()))
		if c.Key.View == 0 {
			fmt.Fprintf(&b, ", ABR %s", ratio(c.ABR()))
		}
		fmt.Fprintf(&b, ", early media %d, late answers %d\n", c.EarlyMedia, c.LateAnswers)
	}
	return b.String()
}

func ratio(r kpi.Ratio) string {
	v, ok := r.Value()
	if !ok {
		return "undefined"
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}
