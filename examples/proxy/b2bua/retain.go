package b2bua

import (
	"errors"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

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
