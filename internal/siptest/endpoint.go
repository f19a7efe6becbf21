package siptest

import (
	"container/heap"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// An endpoint is a socket with one loop: every message, timer and command of a far end runs on the same
// goroutine, one after the other. So nothing needs a lock, answers leave in the order of the script, and
// a call costs memory and timers but no goroutine. A second goroutine reads and parses.
type endpoint struct {
	conn  net.PacketConn
	local netip.AddrPort
	// transport is that of Via: UDP, TCP or TLS.
	transport string
	log       *slog.Logger
	handle    func(sip.Message, netip.AddrPort)

	inbox chan event
	quit  chan struct{}
	once  sync.Once
	done  sync.WaitGroup

	tasks tasks // the loop's own
	seq   uint64
}

type event struct {
	msg  sip.Message
	from netip.AddrPort
	run  func()
}

// A task is a timer of the loop.
type task struct {
	due  time.Time
	seq  uint64
	run  func()
	dead bool
}

// stop keeps the task from running; nil is fine.
func (t *task) stop() {
	if t != nil {
		t.dead, t.run = true, nil
	}
}

// socketBuffer is asked for on real sockets: the usual 208 KiB drop bursts.
const socketBuffer = 4 << 20

func listenLoopback() (*net.UDPConn, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	// The kernel may grant less; that is no reason to fail.
	_ = c.SetReadBuffer(socketBuffer)
	_ = c.SetWriteBuffer(socketBuffer)
	return c, nil
}

func newEndpoint(conn net.PacketConn, log *slog.Logger) (*endpoint, error) {
	if conn == nil {
		c, err := listenLoopback()
		if err != nil {
			return nil, fmt.Errorf("siptest: signalling socket: %w", err)
		}
		conn = c
	}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, fmt.Errorf("siptest: local address: %w", err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	transport := "UDP"
	if s, ok := conn.(*StreamConn); ok {
		transport = s.transport
	}
	return &endpoint{
		conn: conn, transport: transport, local: netip.AddrPortFrom(local.Addr().Unmap(), local.Port()), log: log,
		inbox: make(chan event, 1024), quit: make(chan struct{}),
	}, nil
}

// contact is the value of a Contact of ours, with the transport if it is not UDP.
func (e *endpoint) contact(user string) string {
	uri := "sip:" + user + "@" + e.local.String()
	if e.transport != "UDP" {
		uri += ";transport=" + strings.ToLower(e.transport)
	}
	return "<" + uri + ">"
}

func (e *endpoint) start(handle func(sip.Message, netip.AddrPort)) {
	e.handle = handle
	e.done.Go(e.read)
	e.done.Go(e.loop)
}

// close ends both goroutines and the socket, and waits for them.
func (e *endpoint) close() error {
	err := error(nil)
	e.once.Do(func() {
		close(e.quit)
		err = e.conn.Close()
	})
	e.done.Wait()
	return err
}

// post runs f on the loop; false when the endpoint is closed.
func (e *endpoint) post(f func()) bool {
	select {
	case <-e.quit:
		return false
	default:
	}
	select {
	case <-e.quit:
		return false
	case e.inbox <- event{run: f}:
		return true
	}
}

// do runs f on the loop and waits for it; false when the endpoint was closed before.
func (e *endpoint) do(f func()) bool {
	done := make(chan struct{})
	if !e.post(func() { f(); close(done) }) {
		return false
	}
	select {
	case <-done:
		return true
	case <-e.quit:
		e.done.Wait() // f is over, or will never run
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}

// after runs f on the loop in d. Loop only.
func (e *endpoint) after(d time.Duration, f func()) *task {
	e.seq++
	t := &task{due: time.Now().Add(d), seq: e.seq, run: f}
	heap.Push(&e.tasks, t)
	return t
}

// send writes one message. An error is a matter of the network: it is logged and returned.
func (e *endpoint) send(to netip.AddrPort, msg []byte) error {
	var err error
	if c, ok := e.conn.(interface {
		WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
	}); ok {
		_, err = c.WriteToUDPAddrPort(msg, to)
	} else {
		_, err = e.conn.WriteTo(msg, net.UDPAddrFromAddrPort(to))
	}
	if err != nil {
		e.log.Debug("siptest: write", "to", to, "error", err)
	}
	return err
}

// repeat sends msg again by the given back-off until the returned task is stopped, and then calls expired.
func (e *endpoint) repeat(t **task, b *backoff, again, expired func()) {
	d, more := b.next()
	*t = e.after(d, func() {
		if !more {
			expired()
			return
		}
		again()
		e.repeat(t, b, again, expired)
	})
}

func (e *endpoint) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		for len(e.tasks) > 0 && (e.tasks[0].dead || !e.tasks[0].due.After(now)) {
			if t := heap.Pop(&e.tasks).(*task); !t.dead {
				t.run()
			}
		}
		var due <-chan time.Time
		if len(e.tasks) > 0 {
			timer.Reset(time.Until(e.tasks[0].due))
			due = timer.C
		}
		select {
		case <-e.quit:
			return
		case <-due:
		case ev := <-e.inbox:
			if ev.run != nil {
				ev.run()
			} else {
				e.handle(ev.msg, ev.from)
			}
		}
	}
}

// maxReadErrors in a row end the reader: a socket that only fails is broken.
const maxReadErrors = 1000

func (e *endpoint) read() {
	parser := sip.NewParser()
	buf := make([]byte, maxDatagram)
	failed := 0
	for failed < maxReadErrors {
		n, addr, err := e.conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // a late ICMP error concerns one datagram, not the socket
			failed++
			e.log.Debug("siptest: read", "error", err)
			continue
		}
		failed = 0
		from, err := addrPort(addr)
		if err != nil || n <= 4 { // keep-alives
			continue
		}
		msg, err := parser.ParseSIP(buf[:n])
		if err != nil {
			e.log.Debug("siptest: not SIP", "from", from, "error", err)
			continue
		}
		msg.SetSource(from.String())
		msg.SetTransport(e.transport)
		select {
		case <-e.quit:
			return
		case e.inbox <- event{msg: msg, from: from}:
		}
	}
}

func addrPort(a net.Addr) (netip.AddrPort, error) {
	if u, ok := a.(*net.UDPAddr); ok {
		ap := u.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
	}
	return netip.ParseAddrPort(a.String())
}

type tasks []*task

func (t tasks) Len() int { return len(t) }
func (t tasks) Less(i, j int) bool {
	if t[i].due.Equal(t[j].due) {
		return t[i].seq < t[j].seq
	}
	return t[i].due.Before(t[j].due)
}
func (t tasks) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *tasks) Push(x any)   { *t = append(*t, x.(*task)) }
func (t *tasks) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return x
}
