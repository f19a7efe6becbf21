package sipstream

import (
	"errors"
	"os"
	"time"
)

// patient reads with the time that a message has.
type patient struct {
	c     *Conn
	r     *reader
	fresh bool      // nothing has come yet of a peer that opened the connection
	begun time.Time // when the message began; zero = none has
	late  bool      // a message was not complete in time
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	cfg := &p.c.set.cfg
	switch {
	case p.fresh:
	case !p.r.begun():
		p.begun = time.Time{} // what came were line ends
	case p.begun.IsZero():
		p.begun = time.Now()
	}
	for {
		if bound := p.fresh || p.r.begun(); bound {
			_ = p.c.nc.SetReadDeadline(p.begun.Add(cfg.MessageTimeout))
		} else {
			_ = p.c.nc.SetReadDeadline(p.c.since.Add(time.Duration(p.c.active.Load()) + cfg.IdleTimeout))
		}
		n, err := p.c.nc.Read(b)
		if n > 0 && p.begun.IsZero() {
			p.begun = time.Now()
		}
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if p.fresh || p.r.begun() {
			p.late = true
			return 0, err
		}
		if time.Since(p.c.since) >= time.Duration(p.c.active.Load())+cfg.IdleTimeout {
			return 0, err
		} // something was written meanwhile
	}
}
