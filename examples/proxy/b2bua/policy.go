package b2bua

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// maxFormer is how many configurations can be gone back to.
const maxFormer = 8

// ErrNoFormer says that there is no configuration to go back to.
var ErrNoFormer = errors.New("proxy: no configuration was in force before")

// Loaded says which configuration is in force, since when, and who wanted it.
type Loaded struct {
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
	Actor   string    `json:"actor"`
	Reason  string    `json:"reason"`
}

// Change is who changes something, and why.
type Change struct{ Actor, Reason string }

type former struct {
	Loaded
	cfg Config
}

// VersionOf names a configuration by its text.
func VersionOf(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data))[:16] }

// Version names the text that a configuration was read from; "" = it was not read by Load.
func (c *Config) Version() string { return c.version }

// Load puts another configuration in force, as Reload does, for an operator: the journal has it as a Control before it is in force. What
// the configuration in force was can be gone back to. version is that which the operator has seen; when another one is in force by
// now the error is ErrVersion, and "" means that it does not matter.
func (p *Proxy) Load(cfg Config, version string, by Change) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	if version != "" && version != p.current.Version {
		return ErrVersion
	}
	old := former{p.current, p.set().Config}
	if err := p.replace(cfg, ActionLoad, by); err != nil {
		return err
	}
	p.former = append(p.former[max(0, len(p.former)+1-maxFormer):], old)
	return nil
}

// ErrVersion says that the configuration in force is another one than the operator has seen.
var ErrVersion = errors.New("proxy: another configuration is in force by now")

// Rollback puts the configuration in force again that was before the one that is. version is as for Load.
func (p *Proxy) Rollback(version string, by Change) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	if version != "" && version != p.current.Version {
		return ErrVersion
	}
	n := len(p.former) - 1
	if n < 0 {
		return ErrNoFormer
	}
	if err := p.replace(p.former[n].cfg, ActionRollback, by); err != nil {
		return err
	}
	p.former = p.former[:n]
	return nil
}

// replace checks a configuration, has it journalled, and puts it in force.
func (p *Proxy) replace(cfg Config, action string, by Change) error {
	next, err := p.prepare(cfg)
	if err != nil {
		return err
	}
	now := p.now()
	c := outdial.Control{Actor: by.Actor, Action: action, Value: cfg.version, Reason: by.Reason}
	if err := p.engine.Control(now, c); err != nil {
		return err
	}
	if err := next.install(); err != nil { // the journal has to say that it is not in force after all
		why := outdial.Control{Actor: "proxy", Action: ActionRollback, Value: p.current.Version, Reason: "it could not be put in force"}
		return errors.Join(err, p.engine.Control(p.now(), why))
	}
	p.current = Loaded{Version: cfg.version, Time: now, Actor: by.Actor, Reason: by.Reason}
	return nil
}

// Loaded returns which configuration is in force, and those that can be gone back to, the latest first.
func (p *Proxy) Loaded() (current Loaded, before []Loaded) {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	for i := len(p.former) - 1; i >= 0; i-- {
		before = append(before, p.former[i].Loaded)
	}
	return p.current, before
}

// Check reports what would keep Load from putting a configuration in force: what is wrong with it, and what only a restart can change.
func (p *Proxy) Check(cfg Config) error {
	_, err := p.prepare(cfg)
	return err
}

// Lint finds what is valid in a configuration and hardly meant: in its routing, and in what is on record of its carriers.
func (c *Config) Lint() []routing.Finding {
	return append([]routing.Finding{}, routing.Lint(c.policy())...)
}

// Mistakes are the errors that an error of Load, Check or Validate consists of, in their order.
func Mistakes(err error) []error {
	var list []error
	var walk func(error)
	walk = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // it is the tree itself that is walked
			for _, e := range joined.Unwrap() {
				walk(e)
			}
		} else if err != nil {
			list = append(list, err)
		}
	}
	walk(err)
	return list
}

// Config returns the configuration in force. What it points to is shared: it is not to be changed.
func (p *Proxy) Config() Config { return p.set().Config }
