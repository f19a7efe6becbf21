package failover

import (
	"errors"
	"fmt"
	"time"
)

// settings are a Config with its defaults, as the fold needs it.
type settings struct {
	baseline   float64 // <= 0 = soft evidence never ejects
	learn      int     // calls; <= 0 = the baseline is fixed
	falseAlarm float64
	hardCount  int // > 0 = as many, < 0 = counts as soft, 0 = by the baseline and hardLeast
	hardLeast  int

	backoff, backoffMax time.Duration
	jitter              float64
	seed                uint64
	probeGood           int
	probeTimeout        time.Duration

	ramp, dwell, flap  time.Duration
	rampFrom, keepWarm float64
	pingEvery, pingOut time.Duration
	pingStale          time.Duration // how old a ping may be

	signalEvery, untested, drillEvery, launch time.Duration
}

// settings fills the defaults and names every bad field in one joined error.
func (cfg *Config) settings() (settings, error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("failover: "+format, args...)) }
	share := func(name string, v, def float64) float64 {
		if v == 0 {
			v = def
		}
		if !(v < 1) { // not a number is bad too
			bad("%s: %v is not below 1", name, v)
		}
		return v
	}
	span := func(name string, v, def time.Duration) time.Duration {
		if v == 0 {
			v = def
		}
		if v < 0 {
			bad("%s: %v is negative", name, v)
		}
		return v
	}
	optional := func(v, def time.Duration) time.Duration {
		if v == 0 {
			v = def
		}
		return max(v, 0)
	}
	count := func(name string, v, def int) int {
		if v == 0 {
			v = def
		}
		if v < 0 {
			bad("%s: %d is negative", name, v)
		}
		return v
	}
	s := settings{
		baseline:     share("Baseline", cfg.Baseline, DefaultBaseline),
		learn:        cfg.BaselineCalls,
		falseAlarm:   share("FalseAlarm", cfg.FalseAlarm, DefaultFalseAlarm),
		hardCount:    cfg.HardCount,
		hardLeast:    3,
		backoff:      span("Backoff", cfg.Backoff, DefaultBackoff),
		backoffMax:   span("BackoffMax", cfg.BackoffMax, DefaultBackoffMax),
		jitter:       max(share("Jitter", cfg.Jitter, DefaultJitter), 0),
		seed:         cfg.Seed,
		probeGood:    count("ProbeGood", cfg.ProbeGood, DefaultProbeGood),
		probeTimeout: span("ProbeTimeout", cfg.ProbeTimeout, DefaultProbeTimeout),
		ramp:         optional(cfg.Ramp, DefaultRamp),
		dwell:        optional(cfg.Dwell, DefaultDwell),
		flap:         optional(cfg.Flap, DefaultFlap),
		keepWarm:     max(share("KeepWarm", cfg.KeepWarm, DefaultKeepWarm), 0),
		pingEvery:    optional(cfg.PingEvery, DefaultPingEvery),
		pingOut:      span("PingOut", cfg.PingOut, DefaultPingOut),
		signalEvery:  span("SignalEvery", cfg.SignalEvery, DefaultSignalEvery),
		untested:     optional(cfg.UntestedAfter, DefaultUntestedAfter),
		drillEvery:   optional(cfg.DrillEvery, DefaultDrillEvery),
		launch:       span("Launch", cfg.Launch, DefaultLaunch),
	}
	s.pingStale = max(pingStale, 4*s.pingOut)
	launchAlarm := share("LaunchFalseAlarm", cfg.LaunchFalseAlarm, DefaultLaunchFalseAlarm)
	if s.learn == 0 {
		s.learn = DefaultBaselineCalls
	}
	if s.falseAlarm < 0 {
		bad("FalseAlarm: %v is negative", s.falseAlarm)
	}
	if launchAlarm < 0 {
		bad("LaunchFalseAlarm: %v is negative", launchAlarm)
	}
	if s.backoffMax < s.backoff {
		bad("BackoffMax: %v is less than Backoff %v", s.backoffMax, s.backoff)
	}
	if s.keepWarm > 0.5 {
		bad("KeepWarm: %v is more than half", s.keepWarm)
	}
	if s.rampFrom = s.keepWarm; s.rampFrom <= 0 {
		s.rampFrom = DefaultKeepWarm
	}
	cfg.LaunchFalseAlarm = launchAlarm
	return s, errors.Join(append(errs, cfg.checkTrunks()...)...)
}

func (cfg *Config) checkTrunks() (errs []error) {
	seen := map[string]bool{}
	for i, t := range cfg.Trunks {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("failover: Trunks[%d] %q: %w", i, t.Name, fmt.Errorf(format, args...)))
		}
		switch {
		case t.Name == "":
			bad("Name: required")
		case seen[t.Name]:
			bad("Name: it is there twice")
		}
		seen[t.Name] = true
		if !(t.Baseline >= 0 && t.Baseline < 1) {
			bad("Baseline: %v is not within 0 and 1", t.Baseline)
		}
		if cfg.IDs == nil {
			bad("names need IDs")
		}
	}
	return errs
}

// launching are the settings of a trunk that is being launched: the same with tighter thresholds.
func (cfg *settings) launching(alarm float64) settings {
	launch := *cfg
	launch.falseAlarm = max(cfg.falseAlarm, alarm)
	launch.hardLeast = 2
	launch.hardCount = min(cfg.hardCount, 2)
	return launch
}
