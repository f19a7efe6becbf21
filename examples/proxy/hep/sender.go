package hep

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a Sender is made from.
type Config struct {
	Collector string // "host:port", UDP; required. A name is looked up when Run begins, and again after failures
	Identity  Identity
	Queue     int // messages that wait to be sent; 0 = 4096
}

// Stats are counts since New.
type Stats struct {
	Sent    uint64 // packets that the network took; whether they arrived nobody knows
	Dropped uint64 // messages that found no room in the queue, or in a packet
	Failed  uint64 // packets that the network did not take
}

// Sender sends copies of messages to one collector. Make it with New; Run does the sending. All methods are safe for concurrent use.
type Sender struct {
	cfg   Config
	queue chan *[]byte
	spare sync.Pool // *[]byte

	sent, dropped, failed atomic.Uint64
}

const (
	defaultQueue = 4096
	redial       = 5 * time.Second // the least time between two attempts to reach a collector
)

// New checks cfg; the error names every bad field. Nothing is sent before Run.
func New(cfg Config) (*Sender, error) {
	var errs []error
	if host, port, err := net.SplitHostPort(cfg.Collector); err != nil {
		errs = append(errs, fmt.Errorf("collector: %w", err))
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" {
		errs = append(errs, fmt.Errorf("collector: %q: want host:port", cfg.Collector))
	}
	if len(cfg.Identity.Key) > maxText || len(cfg.Identity.Node) > maxText {
		errs = append(errs, fmt.Errorf("key, node: longer than %d bytes", maxText))
	}
	if cfg.Queue < 0 {
		errs = append(errs, fmt.Errorf("queue: %d is negative", cfg.Queue))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if cfg.Queue == 0 {
		cfg.Queue = defaultQueue
	}
	s := &Sender{cfg: cfg, queue: make(chan *[]byte, cfg.Queue)}
	s.spare.New = func() any { return new([]byte) }
	return s, nil
}

// Send puts a copy of p into the queue. It never waits.
func (s *Sender) Send(p *Packet) {
	b := s.spare.Get().(*[]byte)
	var err error
	if *b, err = p.Append((*b)[:0], &s.cfg.Identity); err != nil {
		s.dropped.Add(1)
		s.spare.Put(b)
		return
	}
	select {
	case s.queue <- b:
	default:
		s.dropped.Add(1)
		s.spare.Put(b)
	}
}

// Run sends what is put into the queue until ctx is done, and what is left in it then. It returns nil.
func (s *Sender) Run(ctx context.Context) error {
	var l line
	defer l.close()
	for {
		select {
		case b := <-s.queue:
			s.write(ctx, &l, b)
			continue
		case <-ctx.Done():
		}
		for {
			select {
			case b := <-s.queue:
				s.write(ctx, &l, b)
				continue
			default:
			}
			return nil
		}
	}
}

// line is the socket towards the collector.
type line struct {
	conn  net.Conn
	tried time.Time
	bad   bool // the last write failed
}

func (l *line) close() {
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// reach opens the socket, or opens it anew where it does not work: the collector may have another address by now.
func (l *line) reach(ctx context.Context, addr string) bool {
	if (l.conn == nil || l.bad) && time.Since(l.tried) >= redial {
		l.tried = time.Now()
		var d net.Dialer
		if conn, err := d.DialContext(ctx, "udp", addr); err == nil {
			l.close()
			l.conn, l.bad = conn, false
		}
	}
	return l.conn != nil
}

func (s *Sender) write(ctx context.Context, l *line, b *[]byte) {
	defer s.spare.Put(b)
	if !l.reach(ctx, s.cfg.Collector) {
		s.failed.Add(1)
		return
	}
	if _, err := l.conn.Write(*b); err != nil { // as a rule what ICMP said of an earlier one: nobody listens there
		l.bad = true
		s.failed.Add(1)
		return
	}
	s.sent.Add(1)
}

// Stats returns the counts.
func (s *Sender) Stats() Stats {
	return Stats{Sent: s.sent.Load(), Dropped: s.dropped.Load(), Failed: s.failed.Load()}
}
