package b2bua

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/internal/durable"
	"github.com/outdial/outdial/internal/seal"
)

// checkpointName is the file beside the journal's segments that says what all of them up to a place come to.
const checkpointName = "checkpoint"

const checkpointKind = "OUTDPXY1"

// checkpoint is what the packages knew at one place of the journal. Where one does not fit any more, that package's past is replayed: what is
// not restored is told everything that the journal still has (Keep).
type checkpoint struct {
	Waterline                                     outdial.Waterline
	Meter, Router, Selector, Trunks, CLIs, Orders []byte
	Callees, Numbers                              []byte
}

// readCheckpoint reads the file; nil where there is none.
func readCheckpoint(name string) (*checkpoint, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeCheckpoint(b)
}

func decodeCheckpoint(b []byte) (*checkpoint, error) {
	content, err := seal.Open(checkpointKind, b)
	if err != nil {
		return nil, err
	}
	c := new(checkpoint)
	return c, gob.NewDecoder(bytes.NewReader(content)).Decode(c)
}

func (c *checkpoint) encode() ([]byte, error) {
	out := bytes.NewBuffer(seal.Begin(checkpointKind))
	if err := gob.NewEncoder(out).Encode(c); err != nil {
		return nil, err
	}
	return seal.Close(checkpointKind, out.Bytes()), nil
}

// snapshot takes what the packages know. Calls that have something to tell wait meanwhile.
func (p *Proxy) snapshot() (*checkpoint, error) {
	var c checkpoint
	var errs []error
	p.engine.Checkpoint(func(m outdial.Waterline) {
		take := func(to *[]byte, save func(uint64) ([]byte, error)) {
			b, err := save(m.Seq)
			*to, errs = b, append(errs, err)
		}
		c.Waterline = m
		take(&c.Meter, p.meter.Save)
		take(&c.Router, p.router.Save)
		take(&c.Selector, p.selector.Save)
		take(&c.Trunks, p.trunks.Save)
		p.counted.save(take, &c)
		take(&c.Orders, p.orders.Save)
		if p.clis != nil {
			take(&c.CLIs, p.clis.Save)
		}
	})
	return &c, errors.Join(errs...)
}

// writeCheckpoint replaces the file, in one step, for good. After a power cut it is not ahead of the journal, which is synced first.
func (p *Proxy) writeCheckpoint(c *checkpoint) error {
	b, err := c.encode()
	if err == nil {
		err = p.journal.Sync()
	}
	if err != nil {
		return err
	}
	name := filepath.Join(p.cfg.Journal.Dir, checkpointName)
	f, err := os.CreateTemp(p.cfg.Journal.Dir, checkpointName+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	return durable.SyncDir(p.cfg.Journal.Dir)
}

// checkpoints writes one every so often, and a last one when ctx is done.
func (p *Proxy) checkpoints(ctx context.Context) {
	every := p.cfg.Journal.Checkpoint
	if p.journal == nil || every < 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.checkpoint()
			return
		case <-tick.C:
			p.checkpoint()
		}
	}
}

func (p *Proxy) checkpoint() {
	c, err := p.snapshot()
	if err == nil {
		err = p.writeCheckpoint(c)
	}
	if err != nil {
		p.log.Error("checkpoint", "error", err)
		return
	}
	p.retain(c.Waterline)
}

// readSaved reads the checkpoint that fits the journal, which is open. Without one, everything is replayed.
func (p *Proxy) readSaved() *checkpoint {
	if p.journal == nil || p.cfg.Journal.Checkpoint < 0 {
		return nil
	}
	c, err := readCheckpoint(filepath.Join(p.cfg.Journal.Dir, checkpointName))
	if err == nil && c != nil && c.Waterline.Seq > p.found.LastSeq {
		err = fmt.Errorf("it is of event %d, and the journal ends with %d", c.Waterline.Seq, p.found.LastSeq)
	}
	if err != nil {
		p.log.Warn("checkpoint not used", "error", err)
		return nil
	}
	p.saved = c
	return c
}

// restore makes the packages that are built know what they knew.
func (p *parts) restore(c *checkpoint, warn func(string, error)) {
	warn("kpi", p.meter.Restore(c.Meter))
	p.counted.restore(c, warn)
	warn("routing", p.router.Restore(c.Router))
	warn("failover", p.selector.Restore(c.Selector))
	warn("trunks", p.trunks.Restore(c.Trunks))
	warn("orders", p.orders.Restore(c.Orders))
}

// governor builds the inventory, out of a checkpoint if there is one: that needs a secret of the configuration.
func governor(cfg cli.Config, c *checkpoint, warn func(string, error)) (*cli.Governor, error) {
	if c != nil && len(c.CLIs) > 0 {
		g, err := cli.Restore(cfg, c.CLIs)
		if err == nil {
			return g, nil
		}
		warn("cli", err)
	}
	return cli.New(cfg)
}
