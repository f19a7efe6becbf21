package siptrunk

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outdial/outdial/internal/dnswire"
)

// DNS says how the names of trunks are looked up. The zero value asks the servers of /etc/resolv.conf for NAPTR and SRV records, and the system
// for addresses, which knows /etc/hosts too.
type DNS struct {
	// Servers are asked for everything, in this order, each an address with or without a port. Their answers are kept as long as their TTL
	// says, a day at most; and for an hour longer where no server answers any more.
	Servers []string
	Timeout time.Duration // of a question to one server, asked twice at most; 0 = 1 s
}

// NAPTR is what a NAPTR record of a domain says of SIP (RFC 3263 §4.1).
type NAPTR struct {
	Order, Preference      uint16
	Flags, Service, Regexp string
	Replacement            string // where SRV records are
}

const (
	resolvConf     = "/etc/resolv.conf"
	defaultTimeout = time.Second
	maxTTL         = 24 * time.Hour
	staleFor       = time.Hour        // how long an answer is used beyond its TTL while nobody answers (RFC 8767)
	failedFor      = 2 * time.Second  // how long nobody is asked again after that
	notThereFor    = 30 * time.Second // where no SOA record says it
	maxAnswers     = 4096
	maxAliases     = 8
)

var (
	errNoAnswer = errors.New("siptrunk: no DNS server has answered")
	errNotThere = errors.New("siptrunk: there is no such name, or no such record")
)

// resolver asks DNS servers, and remembers what they say.
type resolver struct {
	servers []netip.AddrPort
	timeout time.Duration
	now     func() time.Time

	mu      sync.Mutex // guards what follows; a few lines each time
	answers map[question]*answer
}

type question struct {
	name string
	kind dnswire.Type
}

// answer is what is known of a question.
type answer struct {
	asking  chan struct{} // closed when who asks has heard; nil = nobody asks
	records []dnswire.Record
	err     error
	until   time.Time // when it is asked again
	stale   time.Time // when the records are of no use any more
}

// newResolver returns nil when there is nobody to ask.
func newResolver(c DNS) (*resolver, error) {
	r := &resolver{timeout: orDefault(c.Timeout, defaultTimeout), now: time.Now, answers: map[question]*answer{}}
	var errs []error
	for i, s := range c.Servers {
		a, err := serverAddr(s)
		if err != nil {
			errs = append(errs, fault(fmt.Sprintf("DNS.Servers[%d]", i), "%q is not an address, with or without a port", s))
		}
		r.servers = append(r.servers, a)
	}
	if len(c.Servers) == 0 {
		r.servers = systemServers(resolvConf)
	}
	if len(r.servers) == 0 {
		return nil, errors.Join(errs...)
	}
	return r, errors.Join(errs...)
}

func serverAddr(s string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, 53), nil
	}
	return netip.ParseAddrPort(s)
}

// systemServers reads the name servers of a resolv.conf(5).
func systemServers(file string) (all []netip.AddrPort) {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "nameserver" {
			if a, err := netip.ParseAddr(fields[1]); err == nil {
				all = append(all, netip.AddrPortFrom(a, 53))
			}
		}
	}
	return all
}

// lookup returns the records of a name, in whatever order.
func (r *resolver) lookup(ctx context.Context, name string, kind dnswire.Type) ([]dnswire.Record, error) {
	q := question{strings.ToLower(strings.TrimSuffix(name, ".")), kind}
	for {
		now := r.now()
		r.mu.Lock()
		a := r.answers[q]
		switch {
		case a == nil:
			r.makeRoom(now)
			a = &answer{}
			r.answers[q] = a
		case a.asking != nil && now.Before(a.stale): // old ones will do meanwhile
			defer r.mu.Unlock()
			return a.records, nil
		case a.asking != nil:
			asking := a.asking
			r.mu.Unlock()
			select {
			case <-asking:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case now.Before(a.until):
			defer r.mu.Unlock()
			return a.records, a.err
		}
		asking := make(chan struct{})
		a.asking = asking
		r.mu.Unlock()
		records, keep, err := r.ask(ctx, q)
		now = r.now()
		r.mu.Lock()
		a.asking = nil
		switch known := err == nil || errors.Is(err, errNotThere); {
		case known:
			a.records, a.err, a.until, a.stale = records, err, now.Add(min(keep, maxTTL)), time.Time{}
			if err == nil {
				a.stale = a.until.Add(staleFor)
			}
		case now.Before(a.stale): // nobody answers: what was known is better than nothing
			a.until = now.Add(failedFor)
			records, err = a.records, nil
		case ctx.Err() != nil: // who asked had no time; the next one may have
			delete(r.answers, q)
		default:
			a.records, a.err, a.until = nil, err, now.Add(failedFor)
		}
		r.mu.Unlock()
		close(asking)
		return records, err
	}
}

// makeRoom forgets what is of no use, when there is much.
func (r *resolver) makeRoom(now time.Time) {
	if len(r.answers) < maxAnswers {
		return
	}
	for q, a := range r.answers {
		if a.asking == nil && !now.Before(a.until) && !now.Before(a.stale) {
			delete(r.answers, q)
		}
	}
	for q, a := range r.answers { // any, if that was not enough
		if len(r.answers) < maxAnswers {
			return
		}
		if a.asking == nil {
			delete(r.answers, q)
		}
	}
}

// ask asks the servers, follows aliases, and says how long the answer holds.
func (r *resolver) ask(ctx context.Context, q question) (records []dnswire.Record, keep time.Duration, err error) {
	keep = maxTTL
	for range maxAliases {
		m, err := r.exchange(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		name := q.name
		for range maxAliases {
			i := slices.IndexFunc(m.Answers, func(a dnswire.Record) bool { return a.Type == dnswire.TypeCNAME && a.Name == name })
			if i < 0 {
				break
			}
			name, keep = m.Answers[i].Target, min(keep, m.Answers[i].TTL)
		}
		for _, a := range m.Answers {
			if a.Type == q.kind && a.Name == name {
				records, keep = append(records, a), min(keep, a.TTL)
			}
		}
		switch {
		case len(records) > 0:
			return records, keep, nil
		case name == q.name || m.Code == dnswire.CodeNotThere:
			if m.Negative == 0 {
				m.Negative = notThereFor
			}
			return nil, min(keep, m.Negative), fmt.Errorf("%w: %s %s", errNotThere, q.name, q.kind)
		}
		q.name = name
	}
	return nil, notThereFor, fmt.Errorf("%w: %s: too many aliases", errNotThere, q.name)
}

// exchange asks one server after the other, twice, until one has a usable answer.
func (r *resolver) exchange(ctx context.Context, q question) (*dnswire.Message, error) {
	err := errNoAnswer
	for range 2 {
		for _, server := range r.servers {
			m, e := r.question(ctx, server, q)
			if e == nil {
				return m, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			err = fmt.Errorf("%w: %w", errNoAnswer, e)
		}
	}
	return nil, err
}

// question asks one server, over TCP if the answer is too long for a datagram.
func (r *resolver) question(ctx context.Context, server netip.AddrPort, q question) (*dnswire.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	for _, network := range [...]string{"udp", "tcp"} {
		m, err := converse(ctx, network, server, q)
		if err != nil || !m.Truncated {
			return m, err
		}
	}
	return nil, fmt.Errorf("%s: the answer is cut off", server)
}

func converse(ctx context.Context, network string, server netip.AddrPort, q question) (*dnswire.Message, error) {
	id := uint16(rand.Uint32()) // with the port, which the system draws, what a forged answer has to guess
	packet, err := dnswire.AppendQuery(make([]byte, 2, 512), id, q.name, q.kind)
	if err != nil {
		return nil, err
	}
	c, err := new(net.Dialer).DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	datagram := network == "udp"
	if datagram {
		packet = packet[2:]
	} else {
		binary.BigEndian.PutUint16(packet, uint16(len(packet)-2))
	}
	if _, err := c.Write(packet); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	for {
		n := 0
		if datagram {
			n, err = c.Read(buf)
		} else if _, err = io.ReadFull(c, buf[:2]); err == nil {
			n = int(binary.BigEndian.Uint16(buf))
			buf = make([]byte, n)
			_, err = io.ReadFull(c, buf)
		}
		if err != nil {
			return nil, err
		}
		m, err := dnswire.Parse(buf[:n])
		if err != nil || !m.Response || m.ID != id || m.Name != q.name || m.Type != q.kind {
			if datagram {
				continue // it is of somebody else, or forged
			}
			return nil, fmt.Errorf("%s: not an answer to the question", server)
		}
		if m.Code != dnswire.CodeOK && m.Code != dnswire.CodeNotThere {
			return nil, fmt.Errorf("%s: code %d", server, m.Code)
		}
		return m, nil
	}
}
