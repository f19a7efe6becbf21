package b2bua_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	clipkg "github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/kpi"
)

// The file that ships is valid, and every field of it arrives.
func TestShippedFile(t *testing.T) {
	data, err := os.ReadFile("../outdial.yaml")
	require.NoError(t, err)
	cfg, err := b2bua.Load("../outdial.yaml", data)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:5070", cfg.Listen)
	require.Equal(t, 30*time.Second, cfg.DrainTimeout)
	require.Equal(t, []string{"127.0.0.0/8"}, cfg.Dialers[0].Sources)
	require.Equal(t, "011", cfg.DialPlan.International)
	require.Len(t, cfg.Trunks, 2)
	require.Equal(t, 8*time.Second, cfg.Trunks[0].PDD)
	require.Equal(t, 4*time.Hour, cfg.Trunks[0].MaxCall)
	require.Equal(t, []outdial.Prefix{1}, cfg.Routing.Rules[0].Prefixes)
	require.EqualValues(t, 6100, cfg.Routing.Decks[0].Rates[0].PerMinute)
	require.Equal(t, "60/60", cfg.Routing.Decks[0].Rates[0].Increment.String())
	require.Equal(t, clipkg.DefaultCaps(), cfg.CLI.Limits.Caps)
	require.Equal(t, clipkg.DefaultCalleeCaps(), cfg.CLI.Callee)
	require.Equal(t, outdial.MustNumber("+12125550101"), cfg.CLI.Numbers[0].Number)
	require.Equal(t, clipkg.StateActive, cfg.CLI.Numbers[0].State)
	require.Equal(t, time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC), cfg.CLI.Numbers[0].Expires)
	require.Equal(t, time.Date(2035, 11, 2, 0, 0, 0, 0, time.UTC), cfg.CLI.Numbers[0].Callback)
	require.Equal(t, []outdial.Prefix{1201}, cfg.CLI.Adjacent[1212])
	require.Equal(t, "NWYRCYZN01", cfg.CLI.RateCentres[1212555])
	require.Nil(t, cfg.CLI.Rules)
	require.Equal(t, 50, cfg.CLI.Lifecycle.StageUse)
	require.Equal(t, 6*time.Second, cfg.CLI.Lifecycle.Detection.ShortCall)
	require.Len(t, cfg.DayParts[0].Days, 5)
	require.InDelta(t, 0.1, cfg.Failover.Baseline, 0)
	require.Equal(t, "/tmp/outdial/journal", cfg.Journal.Dir)
	require.Equal(t, 5*time.Minute, cfg.Journal.Checkpoint)
	require.Equal(t, kpi.DefaultViews(), cfg.KPI.Views)
	require.Equal(t, b2bua.Span{Window: 24 * time.Hour, Buckets: 24}, cfg.KPI.Spans[1])
	require.Equal(t, []kpi.View{kpi.Total, kpi.ByTrunk, kpi.ByCarrier}, cfg.KPI.Archive.Views)
	require.EqualValues(t, 10_000, cfg.KPI.Tariffs[0].PerShort)
	require.Equal(t, kpi.ByTrunk, *cfg.Metrics.View)
	cfg.KPI.Tariffs[0].Carrier = "nobody"
	require.ErrorContains(t, cfg.Validate(), `kpi.tariffs[0].carrier: no trunk is of "nobody"`)
}

const minimal = `listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
dialers: [{name: d, sources: [127.0.0.1]}]
trunks: [{name: a, address: 127.0.0.1}]
routing: {rules: [{tiers: [{trunks: [{trunk: a}]}]}]}
`

// A whole number may be written as the arithmetic of others writes it.
func TestNumbers(t *testing.T) {
	cfg, err := b2bua.Load("x.yaml", []byte(minimal+"node: 0x10\nmax_calls: 20.0\nfailover: {baseline: 0.2}\ndrain_timeout: -1s\n"))
	require.NoError(t, err)
	require.EqualValues(t, 16, cfg.Node)
	require.Equal(t, 20, cfg.MaxCalls)
	require.InDelta(t, 0.2, cfg.Failover.Baseline, 0)
}

func TestMinimalFile(t *testing.T) {
	cfg, err := b2bua.Load("minimal.yaml", []byte(minimal))
	require.NoError(t, err)
	p, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	require.NotZero(t, p.Addr().Port())
	require.NotZero(t, p.CarrierAddr().Port())
	require.Nil(t, p.CLIs())
	require.NotNil(t, p.Engine())
	require.NoError(t, p.Close())
	require.ErrorIs(t, p.Close(), b2bua.ErrRunning)
	require.ErrorIs(t, p.Run(t.Context()), b2bua.ErrRunning)
}

// Every mistake is reported, with its place.
func TestMistakes(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", []string{
			"x.yaml:1:1: listen: required", "x.yaml:1:1: carrier_listen: required", "x.yaml:1:1: dialers: none: nobody could send a call",
			"x.yaml:1:1: trunks: none: no call could leave",
		}},
		{"no YAML", "a: [", []string{"x.yaml:1:4: "}},
		{"two documents", minimal + "---\na: 1\n", []string{"x.yaml:7:1: only one document is expected"}},
		{"a list", "- a\n", []string{"x.yaml:1:1: want keys with values"}},
		{"a key twice", minimal + "listen: 127.0.0.1:1\n", []string{"x.yaml:6:1: mapping key \"listen\" already defined at [1:1]"}},
		{"unknown keys and wrong values, all at once", minimal + `node: -1
max_calls: lots
drain_timeout: 5
tranks: []
log: {level: loud}
cli:
  numbers:
    - number: 911
      state: lively
  callee: 3/24h
`, []string{
			"x.yaml:6:7: ", "x.yaml:7:12: ", `x.yaml:8:16: time: missing unit in duration "5"`, `x.yaml:9:1: unknown key "tranks"`,
			"x.yaml:13:15: ", "x.yaml:14:14: cli: state", "x.yaml:15:11: want a list",
		}},
		{"values that do not fit, all at once", strings.NewReplacer("127.0.0.1:0\nd", "here\nd", "[127.0.0.1]", "[1.2.3.4, nobody, 1.2.3.4/32]", "address: 127.0.0.1", "format: cubic").Replace(minimal) + `log: {level: loud, numbers: bare}
journal: {sync: often}
dial_plan: {country_code: 1000}
headers: {program: "a b"}
day_parts: [{name: x, from: "08:00", to: "09:00", days: [someday]}]
`, []string{
			"x.yaml:2:1: carrier_listen: ", `x.yaml:3:40: dialers[0].sources[1]: `, `x.yaml:3:48: dialers[0].sources[2]: 1.2.3.4/32 is already a source of "d"`,
			"x.yaml:4:11: trunks[0].address: required", `x.yaml:4:20: trunks[0].format: "cubic": want plus or digits`,
			"x.yaml:6:7: log.level: ", `x.yaml:6:20: log.numbers: "bare": want hashed or masked or clear`,
			`x.yaml:7:11: journal.sync: "often": want none or group`, "x.yaml:8:13: dial_plan.country_code: 1000",
			`x.yaml:9:11: headers.program: "a b" is not the name of a header field`, `x.yaml:10:51: day_parts[0].days: "someday" is not a day of the week`,
		}},
		{"dialers and header fields", strings.NewReplacer("name: d,", "name: d, privacy: hide, lease: -1s, auth: {password: p},",
			"address: 127.0.0.1", "address: 127.0.0.1, asserted: id, strip: +1, headers: {set: {Via: x}, pass: [a b, Identity], back: [To]}").Replace(minimal), []string{
			`dialers[0].privacy: "hide": want refuse or pass`, "dialers[0].lease: -1s is negative", "dialers[0].auth.username: required",
			`trunks[0].asserted: "id": want pai or ppi or rpid or none`, `trunks[0].strip: "+1": only digits are allowed`, "trunks[0].headers: header Via is written by siptrunk itself",
			`header name "a b" is no token`, "header Identity passes by itself", "header To is written",
		}},
		{"tags", strings.NewReplacer("name: d,", "name: d, tags: [vip, a b],", "address: 127.0.0.1", "address: 127.0.0.1, headers: {pass: [x-tags]}").
			Replace(minimal) + "headers: {tags: X-Tags}\n", []string{
			`dialers[0].tags[1]: "a b": want 1 to 64 bytes`, `trunks[0].headers.pass[0]: "x-tags" is for the proxy alone: headers.tags`,
		}},
		{"addresses that nobody could answer to", minimal + "advertise: a b>;x\ncarrier_advertise: 0.0.0.0\n", []string{
			`x.yaml:6:1: advertise: "a b>;x": want a host name or an address`, `x.yaml:7:1: carrier_advertise: "0.0.0.0" is no address`,
		}},
		{"what the packages find, all at once", strings.Replace(minimal, "address: 127.0.0.1", "address: 127.0.0.1, cps: 1000000", 1) + `kpi: {buckets: 1}
failover: {baseline: 2}
cli:
  pools: [{name: p}]
  numbers:
    - {number: +12125550101, pool: q}
    - {number: +12125550101, pool: q}
`, []string{
			"x.yaml:4:40: trunks[0].cps: 1000000 is more than 100000",
			"x.yaml:6:7: kpi.buckets: 1: want 2 to 1024", "x.yaml:7:12: failover.baseline: 2 is not below 1",
			"x.yaml:9:12: cli.pools[0].program: required",
			`x.yaml:11:30: cli.numbers[0].pool: "q" is not configured`, "x.yaml:12:8: cli.numbers[1].number: given twice",
			`x.yaml:12:30: cli.numbers[1].pool: "q" is not configured`,
		}},
		{"routing", strings.Replace(minimal, "trunk: a}", "trunk: b, weight: 0}", 1), []string{
			`x.yaml:5:39: routing.rules[0].tiers[0].trunks[0].trunk: there is no trunk "b"`,
		}},
		{"what siptrunk finds, all at once", strings.Replace(minimal, "address: 127.0.0.1", `username: 'a"b', from_domain: a b, prefix: 1 2, sources: [1.2.3.4, here]`, 1), []string{
			"x.yaml:4:11: trunks[0].address: required", "x.yaml:4:20: trunks[0].username: has a character that cannot be sent",
			`x.yaml:4:37: trunks[0].from_domain: "a b" is not a host name or address`, `x.yaml:4:55: trunks[0].prefix: "1 2": only letters`,
			`x.yaml:4:87: trunks[0].sources[1]: "here" is not an address`,
		}},
		{"one thing that siptrunk finds", strings.Replace(minimal, "address: 127.0.0.1", "address: a b", 1), []string{
			`x.yaml:4:20: trunks[0].address: "a b": not a host name or address`,
		}},
		{"what the engine finds", minimal + "node: 5000\nhunting: {max_attempts: 99}\n", []string{
			"x.yaml:6:1: node: 5000 is not between 0 and 4095", "x.yaml:7:11: hunting.max_attempts: 99 is not between",
		}},
		{"numbers that are none", minimal + `node: 3.5
max_calls: "7"
failover: {baseline: "0.1", hard_count: true, seed: -1}
hunting: {explain: "yes", advance_after_progress: 1}
kpi: {buckets: 7.5, window: 3}
`, []string{
			"x.yaml:6:7: 3.5: want a whole number", `x.yaml:7:12: "7": want a whole number`, `x.yaml:8:22: "0.1": want a number`,
			"x.yaml:8:41: true: want a whole number", "x.yaml:8:53: -1 is out of range", `x.yaml:9:20: "yes": want true or false`,
			"x.yaml:9:51: 1: want true or false", "x.yaml:10:16: 7.5: want a whole number", "x.yaml:10:29: time: missing unit",
		}},
		{"tags and anchors", minimal + "node: &n 7\nmax_calls: *n\nlog: !!map {level: info}\nadvertise: !!str x\n", []string{
			"x.yaml:6:7: tags and anchors are not supported", "x.yaml:7:12: tags and anchors are not supported",
			"x.yaml:8:6: tags and anchors are not supported", "x.yaml:9:12: tags and anchors are not supported",
		}},
		{"rows of the verdict table", minimal + `failover:
  rules: [{code: 100}, {verdict: go}]
  overrides: [{rules: []}]
  limits: [{metric: luck}]
`, []string{`x.yaml:7:34: "go": want one of stop advance`, `x.yaml:9:21: "luck": want one of asr ner`}},
		{"rows that failover refuses", minimal + "failover: {dwell: 1s, rules: [{code: 100, header: {value: x}}], overrides: [{rules: []}]}\n", []string{
			`x.yaml:6:32: failover.rules[0]: From, To: 100 to 100`, "x.yaml:6:43: failover.rules[0].header.name: required",
			"failover.overrides[0]: neither",
		}},
		{"names", minimal + "failover: {presets: {one: [default], two: {}}}\n", []string{
			"x.yaml:6:27: want one value of type string", "x.yaml:6:43: want one value of type string",
		}},
		{"a missing file", minimal + "cli: {numbers_file: nowhere.csv}\n", []string{"x.yaml:6:7: cli.numbers_file: "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b2bua.Load("x.yaml", []byte(tt.text))
			require.Error(t, err)
			got := strings.Split(err.Error(), "\n")
			require.Len(t, got, len(tt.want), "%s", err)
			for i, want := range tt.want {
				require.Regexp(t, `^x\.yaml:\d+:\d+: `, got[i])
				require.Contains(t, got[i], want)
			}
		})
	}
}

func TestNumbersFile(t *testing.T) {
	dir := t.TempDir()
	text := minimal + "cli:\n  pools: [{name: p, program: x}]\n  numbers_file: numbers.csv\n"
	csv := func(s string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "numbers.csv"), []byte(s), 0o600))
	}
	csv("number,pool,evidence\n+12125550101,p,contract\n")
	cfg, err := b2bua.Load(filepath.Join(dir, "x.yaml"), []byte(text))
	require.NoError(t, err)
	p, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	_, ok := p.CLIs().Number(time.Now(), outdial.MustNumber("+12125550101"))
	require.True(t, ok)
	require.NoError(t, p.Close())
	csv("number,pool\n+1212555010x,p\n")
	_, err = b2bua.Load(filepath.Join(dir, "x.yaml"), []byte(text))
	require.ErrorContains(t, err, "line 2")
}

// What New opened is closed when it fails.
func TestNewFails(t *testing.T) {
	cfg, err := b2bua.Load("x.yaml", []byte(minimal))
	require.NoError(t, err)
	cfg.Journal.Dir = t.TempDir()
	p, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	busy := cfg
	_, err = b2bua.New(busy, b2bua.Options{})
	require.ErrorContains(t, err, "journal: ")
	busy.Journal.Dir, busy.Listen = t.TempDir(), p.Addr().String()
	_, err = b2bua.New(busy, b2bua.Options{})
	require.ErrorContains(t, err, "listen: ")
	busy.Listen, busy.CarrierListen = "127.0.0.1:0", p.CarrierAddr().String()
	_, err = b2bua.New(busy, b2bua.Options{})
	require.ErrorContains(t, err, "carrier_listen: ")
	again, err := b2bua.New(b2bua.Config{Journal: busy.Journal, Listen: busy.Listen, CarrierListen: "127.0.0.1:0", Dialers: cfg.Dialers, Trunks: cfg.Trunks, Routing: cfg.Routing}, b2bua.Options{})
	require.NoError(t, err, "the journal is free again")
	require.NoError(t, again.Close())
	busy.Listen = "0.0.0.0:0"
	_, err = b2bua.New(busy, b2bua.Options{})
	require.ErrorContains(t, err, "advertise: required")
	require.NoError(t, p.Close())
}
