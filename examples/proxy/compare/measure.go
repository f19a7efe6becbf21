package main

import (
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"
)

// job is one measurement, of one subject with processes of its own.
type job struct {
	Kind    string
	Subject string
	Rate    int           // calls per second
	Length  time.Duration // of what is measured
	First   string        // the first of two gateways: "" = there is only one; live, dead, 10, 100 (per cent that are refused)

	Proxy, Forwarder string // programs
}

// figures are what a job has measured, by name.
type figures map[string]float64

// bench is a job under way.
type bench struct {
	job
	dir     string
	running []*process
	silent  net.PacketConn // the dead gateway

	delays      []time.Duration
	placedSoFar int
}

var kinds = map[string]func(*bench) (figures, error){
	"cpu": (*bench).measureCPU, "memory": (*bench).measureMemory, "ceiling": (*bench).measureCeiling,
	"delay": (*bench).measureDelay, "failover": (*bench).measureFailover,
}

// run carries a job out.
func (j job) run() (figures, error) {
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return nil, err
	}
	b := &bench{job: j, dir: dir}
	defer os.RemoveAll(dir)
	defer b.end()
	return kinds[j.Kind](b)
}

// end ends what the job has started.
func (b *bench) end() {
	for _, p := range slices.Backward(b.running) {
		p.stop(syscall.SIGTERM, time.Second)
	}
	b.running = nil
	if b.silent != nil {
		_ = b.silent.Close()
		b.silent = nil
	}
}

// set starts the gateways and the subject between them and the caller.
func (b *bench) set() (p *process, target int, err error) {
	var ports []int
	switch b.First {
	case "":
	case "dead":
		silent, err := listen() // somebody is there, and says nothing
		if err != nil {
			return nil, 0, err
		}
		b.silent = silent
		ports = append(ports, silent.LocalAddr().(*net.UDPAddr).Port)
	default:
		share := map[string]float64{"live": 0, "10": .1, "100": 1}[b.First]
		_, port, err := b.gateway(share)
		if err != nil {
			return nil, 0, err
		}
		ports = append(ports, port)
	}
	_, port, err := b.gateway(0)
	if err != nil {
		return nil, 0, err
	}
	if b.Subject == direct {
		return nil, port, nil
	}
	return b.start(b.Subject, append(ports, port)...)
}

// warmUp is how long calls are placed before anything is measured.
const warmUp = time.Second

// measureCPU places calls at a rate, and divides what the subject uses meanwhile by the calls.
func (b *bench) measureCPU() (figures, error) {
	p, target, err := b.set()
	if err != nil {
		return nil, err
	}
	limit := b.Length + 5*time.Second
	caller, err := b.caller(target, b.Rate, int(float64(b.Rate)*(warmUp+b.Length+500*time.Millisecond).Seconds()), limit)
	if err != nil {
		return nil, err
	}
	time.Sleep(warmUp)
	used, over, err := b.use(p, b.Length)
	if err != nil {
		return nil, err
	}
	c, err := b.placed(caller, limit)
	if err != nil {
		return nil, err
	}
	return figures{
		"cpu":    used.Seconds() * 1000 / (float64(b.Rate) * over.Seconds()) * 1000,
		"failed": float64(c.made - c.good), "repeated": float64(c.repeated), "calls": float64(c.made),
	}, nil
}

// use is what a process uses of the processors for a while, and how long that was.
func (b *bench) use(p *process, length time.Duration) (used, over time.Duration, err error) {
	begin := time.Now()
	before, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(length)
	over = time.Since(begin)
	after, err := p.cpu()
	return after - before, over, err
}

// tail is how long after its last call a subject still works on what it keeps: RFC 3261 has transactions stay for 32 s.
const tail = 35 * time.Second

// measureMemory places calls at a rate and looks at the memory when the last one is placed; and then at what is still to do.
func (b *bench) measureMemory() (figures, error) {
	p, target, err := b.set()
	if err != nil {
		return nil, err
	}
	idle, err := p.pss()
	if err != nil {
		return nil, err
	}
	limit := b.Length + 5*time.Second
	caller, err := b.caller(target, b.Rate, int(float64(b.Rate)*b.Length.Seconds()), limit)
	if err != nil {
		return nil, err
	}
	time.Sleep(b.Length)
	loaded, err := p.pss()
	if err != nil {
		return nil, err
	}
	c, err := b.placed(caller, limit)
	if err != nil {
		return nil, err
	}
	f := figures{"pss": float64(loaded) / 1e6, "idle": float64(idle) / 1e6, "failed": float64(c.made - c.good), "calls": float64(c.made)}
	if b.Length >= 20*time.Second {
		used, _, err := b.use(p, tail)
		if err != nil {
			return nil, err
		}
		f["afterwards"] = used.Seconds() * 1000 / float64(c.made) * 1000
	}
	return f, nil
}

// tolerable is the share of calls that may fail or need a repetition.
const tolerable = 0.001

// measureCeiling looks for the highest rate at which the subject still serves nearly all calls at once: upwards by a quarter, and then
// between the last two rates.
func (b *bench) measureCeiling() (figures, error) {
	low, high := 0, 0
	for try := b.Rate; high == 0 || high-low > low/20; {
		good, err := b.carries(try)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "%s: %d calls/s: %v\n", b.Subject, try, good)
		switch {
		case good:
			low = try
		case low == 0 && try < 200:
			return nil, fmt.Errorf("%s does not carry %d calls/s", b.Subject, try)
		default:
			high = try
		}
		switch {
		case low == 0:
			try = try * 3 / 4
		case high == 0:
			try = try * 5 / 4
		default:
			try = (low + high) / 2
		}
	}
	return figures{"ceiling": float64(low)}, nil
}

// carries reports whether the subject serves a rate.
func (b *bench) carries(rate int) (bool, error) {
	defer b.end()
	_, target, err := b.set()
	if err != nil {
		return false, err
	}
	limit := b.Length + 6*time.Second
	c, err := b.place(target, rate, int(float64(rate)*b.Length.Seconds()), limit)
	if err != nil {
		return false, err
	}
	bad := c.repeated + c.made - c.good
	return float64(bad) < tolerable*float64(c.made) && c.made >= int(float64(rate)*b.Length.Seconds()), nil
}

// late is from when on a call counts as delayed: what hunting on from a silent gateway takes is more.
const late = 500 * time.Millisecond

// measureFailover places calls while the first of two gateways fails.
func (b *bench) measureFailover() (figures, error) {
	p, target, err := b.set()
	if err != nil {
		return nil, err
	}
	before, err := p.cpu()
	if err != nil {
		return nil, err
	}
	c, err := b.place(target, b.Rate, int(float64(b.Rate)*b.Length.Seconds()), b.Length+20*time.Second)
	if err != nil {
		return nil, err
	}
	after, err := p.cpu()
	if err != nil {
		return nil, err
	}
	answers, err := b.answers()
	if err != nil {
		return nil, err
	}
	delayed := 0
	for _, d := range answers {
		if d > late {
			delayed++
		}
	}
	return figures{
		"lost": float64(c.made - c.good), "delayed": float64(delayed), "calls": float64(c.made),
		"cpu": (after - before).Seconds() * 1000 / float64(c.made) * 1000,
	}, nil
}
