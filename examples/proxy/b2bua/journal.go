package b2bua

import (
	"errors"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// Journal is where facts are kept; see kpi/cdr.
type Journal struct {
	Dir         string `yaml:"dir"`          // "" = no journal: nothing survives a restart
	Sync        string `yaml:"sync"`         // none: survives kill -9; group: survives a power cut. "" = none
	OnFailure   string `yaml:"on_failure"`   // refuse or place_anyway; "" = refuse
	Append      string `yaml:"append"`       // mapped: events are stored in a mapping of the file; written: by a system call each. "" = mapped
	SkipDamaged bool   `yaml:"skip_damaged"` // start although a segment is damaged

	Checkpoint time.Duration `yaml:"checkpoint"` // how often what the past comes to is written beside it; 0 = 5m, negative = never
	Keep       Keep          `yaml:"keep"`
}

// Keep is what is deleted of the journal: whole segments, of 64 MiB or a day at most, the oldest first, once a checkpoint holds what they come to.
// From then on the checkpoint is all that is known of them: a start with another cli.secret, or with KPIs of another shape, begins anew there.
type Keep struct {
	Age   time.Duration `yaml:"age"`   // a segment goes when its last event is older; 0 = however old
	Bytes int64         `yaml:"bytes"` // … or while all together are larger; 0 = however large
}

// keep demands of a journal of which something is deleted that a checkpoint can hold what that comes to.
func (v *validator) keep(c Config) {
	k := c.Journal.Keep
	if k.Age < 0 {
		v.bad("journal.keep.age", errors.New("negative"))
	}
	if k.Bytes < 0 {
		v.bad("journal.keep.bytes", errors.New("negative"))
	}
	switch {
	case k == Keep{}:
	case c.Journal.Dir == "":
		v.bad("journal.keep", errors.New("there is no journal (journal.dir)"))
	case c.Journal.Checkpoint < 0:
		v.bad("journal.keep", errors.New("without checkpoints (journal.checkpoint) everything has to be kept"))
	case c.CLI != nil && c.CLI.Secret == "":
		v.bad("cli.secret", errors.New("required with journal.keep: without it no checkpoint knows who was called, and everything has to be kept"))
	}
}

// retain deletes what is not to be kept of the journal, and what a restart does not need: the checkpoint that was just written is of m.
func (p *Proxy) retain(m outdial.Waterline) {
	k := p.cfg.Journal.Keep
	if k == (Keep{}) || m.Since == 0 {
		return
	}
	gone, err := p.journal.Retain(p.now(), cdr.Retention{MaxAge: k.Age, MaxBytes: k.Bytes, Through: m.Since})
	if err != nil {
		p.log.Error("journal", "keep", k, "error", err)
	}
	if gone.Segments > 0 {
		p.log.Info("journal", "deleted", gone.Segments, "bytes", gone.Bytes, "through", gone.Through)
	}
}
