package b2bua_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	clipkg "github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/routing"
)

// Another policy holds for the next call; calls that are up go on, and what is counted stays.
func TestReload(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 10*time.Second), siptest.Answer(0, 0, time.Second), nil, func(t *testing.T, w *world) {
		done := make(chan *siptest.CallResult, 1)
		go func() { done <- w.call(siptest.CallerCall{}) }()
		time.Sleep(time.Second)

		cfg := config("10.0.1.1:5060", "10.0.1.2:5060")
		cfg.Listen, cfg.CarrierListen = "127.0.0.1:0", "127.0.0.1:0"
		cfg.Routing.Rules[0].Tiers[0].Trunks = []routing.Target{{Trunk: "second"}}
		cfg.Trunks[0].Channels, cfg.Trunks[1].Headers.Set = 1, map[string]string{"X-New": "1"}
		cfg.Dialers = append(cfg.Dialers, b2bua.Dialer{Name: "more", Sources: []string{"10.66.0.6"}, Program: "sales"})
		cfg.CLI.Numbers = append(cfg.CLI.Numbers[:0], clipkg.NumberConfig{Number: outdial.MustNumber("+13035550199"), Pool: "sales", Evidence: "contract 8"})
		require.NoError(t, w.proxy.Reload(cfg))

		require.NotEmpty(t, w.raw("10.66.0.6:5060", invite(t, "INVITE sip", "OPTIONS sip", "1 INVITE", "1 OPTIONS")), "the new dialer is known")
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 200, r.Code())
		require.Equal(t, 200, (<-done).Code())
		w.settled()
		rec := w.second.Records()
		require.Len(t, rec, 1)
		require.Equal(t, "+13035550199", rec[0].PAI)
		require.Contains(t, rec[0].Headers, siptest.Header{Name: "X-New", Value: "1"})
		n, ok := w.proxy.CLIs().Number(time.Now(), outdial.MustNumber(cli))
		require.True(t, ok)
		require.Equal(t, 0, n.InFlight)
		require.Equal(t, 1, w.first.Stats().Invites, "the first call was left alone")
	})
}

// A configuration that is wrong, or that only a restart can bring, leaves everything as it was.
func TestReloadRefused(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		for want, change := range map[string]func(*b2bua.Config){
			"trunks[0].address":           func(c *b2bua.Config) { c.Trunks[0].Address = "" },
			"routing":                     func(c *b2bua.Config) { c.Routing.Rules[0].Tiers[0].Trunks[0].Trunk = "third" },
			"listen: only a restart":      func(c *b2bua.Config) { c.Listen = "127.0.0.1:9" },
			"node: only a restart":        func(c *b2bua.Config) { c.Node = 7 },
			"failover: only a restart":    func(c *b2bua.Config) { c.Failover.HardCount = 9 },
			"hunting: only a restart":     func(c *b2bua.Config) { c.Hunting.MaxAttempts = 2 },
			"kpi: only a restart":         func(c *b2bua.Config) { c.KPI.Buckets = 7 },
			"metrics: only a restart":     func(c *b2bua.Config) { c.Metrics.Listen = "127.0.0.1:0" },
			"journal: only a restart":     func(c *b2bua.Config) { c.Journal.Dir = "/nowhere" },
			"day_parts: only a restart":   func(c *b2bua.Config) { c.DayParts = []b2bua.DayPart{{Name: "x", From: 1, To: 2}} },
			"cli: only a restart can add": func(c *b2bua.Config) { c.CLI = nil },
			"cli.secret: only a restart":  func(c *b2bua.Config) { c.CLI.Secret = "0123456789abcdef" },
		} {
			cfg := config("10.0.1.1:5060", "10.0.1.2:5060")
			cfg.Trunks[0].Prefix = "99"
			change(&cfg)
			require.ErrorContains(t, w.proxy.Reload(cfg), want)
		}
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 200, r.Code())
		require.Equal(t, callee, w.first.Records()[0].To, "no prefix")
		w.settled()
	})
}

// TestEverySectionReloadsOrNot: a section of the configuration is either put in force by a reload, or its change is refused; none is
// ignored.
func TestEverySectionReloadsOrNot(t *testing.T) {
	reloads := map[string]bool{
		"max_calls": true, "drain_timeout": true, "dialers": true, "headers": true, "dial_plan": true, "trunks": true, "routing": true,
		"identity": true, "cli": true, "tls": true, "refer": true, "carrier_tls": true, // TestReloadRefused has what of it a restart must change
		"providers": true, "gate": true,
	}
	whole := reflect.TypeFor[b2bua.Config]()
	for i := range whole.NumField() {
		name := whole.Field(i).Tag.Get("yaml")
		if name == "" || reloads[name] {
			continue
		}
		var changed b2bua.Config
		other(reflect.ValueOf(&changed).Elem().Field(i))
		require.ErrorContains(t, b2bua.Fixed(b2bua.Config{}, changed), name+": only a restart")
	}
}

// other sets the first value within v that can be set to something other than zero.
func other(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8, reflect.Uint16:
		v.SetUint(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() && v.Type().Field(i).Name != "SetupBudget" && other(v.Field(i)) {
				return true
			}
		}
		return false
	default:
		return false
	}
	return true
}
