package failover

import "time"

// gate keeps a trunk out of every choice until a test of it was passed, where Trunk.Gated asks for that.
type gate struct {
	needed bool      // by the configuration
	passed bool      // by the last test that was told of
	at     time.Time // when it was
	until  time.Time // when it has to be passed again; zero = never
}

// tell takes the outcome of a test.
func (g *gate) tell(now time.Time, passed bool, until time.Time) {
	g.passed, g.at, g.until = passed, now, until
}

// shut reports whether the trunk must wait for a test.
func (g *gate) shut(now time.Time) bool {
	return g.needed && (!g.passed || !g.until.IsZero() && !now.Before(g.until))
}

// watched reports whether it may be shut now or later by time alone.
func (g *gate) watched() bool { return g.needed && (!g.passed || !g.until.IsZero()) }

// since is from when on it has been shut; zero = ever since.
func (g *gate) since() time.Time {
	if g.passed {
		return g.until
	}
	return g.at
}
