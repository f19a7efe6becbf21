package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// numbers is how many callees there are; each is called once before the first is called again.
const numbers = 50_000

// calls are what sipp counted.
type calls struct {
	made, good, failed, repeated int
}

// gateway starts a sipp that answers, but for a share of its calls that it refuses with 503.
func (b *bench) gateway(refuses float64) (*process, int, error) {
	port, err := freePort()
	if err != nil {
		return nil, 0, err
	}
	name, scenario := fmt.Sprintf("callee%d", port), calleeXML
	if refuses > 0 {
		scenario = strings.Replace(refusingXML, `"CHANCE"`, strconv.Quote(strconv.FormatFloat(refuses, 'f', -1, 64)), 1)
	}
	if err := b.write(name+".xml", scenario); err != nil {
		return nil, 0, err
	}
	p, err := launch(b.dir, "sipp", "-sf", name+".xml", "-i", "127.0.0.1", "-p", strconv.Itoa(port), "-nostdin", "-buff_size", "4194304",
		"-trace_stat", "-stf", name+".csv", "-fd", "1")
	if err != nil {
		return nil, 0, err
	}
	b.running = append(b.running, p)
	return p, port, bound(port, 5*time.Second)
}

// caller begins to place calls at a rate.
func (b *bench) caller(target, rate, count int, limit time.Duration) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var list strings.Builder
	list.WriteString("SEQUENTIAL\n")
	for i := range numbers {
		fmt.Fprintf(&list, "+1%d555%04d\n", areas[i/10000], i%10000)
	}
	if err := cmp.Or(b.write("caller.xml", callerXML), b.write("numbers.csv", list.String())); err != nil {
		return nil, err
	}
	if err := b.forget(); err != nil {
		return nil, err
	}
	every := strconv.Itoa(max(rate/10, 1)) // calls between two writes of response times
	p, err := launch(b.dir, "sipp", "-sf", "caller.xml", local(target), "-i", "127.0.0.1", "-p", strconv.Itoa(port), "-inf", "numbers.csv",
		"-r", strconv.Itoa(rate), "-m", strconv.Itoa(count), "-l", "500000", "-nostdin", "-buff_size", "4194304",
		"-timeout", strconv.Itoa(int(limit/time.Second)), "-trace_stat", "-stf", "caller.csv", "-fd", "1", "-trace_rtt", "-rtt_freq", every)
	if err == nil {
		b.running = append(b.running, p)
	}
	return p, err
}

// forget removes what a former caller has counted.
func (b *bench) forget() error {
	old, err := filepath.Glob(filepath.Join(b.dir, "caller*.csv"))
	for _, name := range old {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// counted reads what a sipp has counted so far.
func (b *bench) counted(name string) (calls, error) {
	var c calls
	f, err := os.Open(filepath.Join(b.dir, name+".csv"))
	if err != nil {
		return c, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.FieldsPerRecord = ';', -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		return c, cmp.Or(err, fmt.Errorf("%s.csv: no counts", name))
	}
	last := rows[len(rows)-1]
	for column, into := range map[string]*int{
		"TotalCallCreated": &c.made, "SuccessfulCall(C)": &c.good, "FailedCall(C)": &c.failed, "Retransmissions(C)": &c.repeated,
	} {
		for i, name := range rows[0] {
			if name == column && i < len(last) {
				if *into, err = strconv.Atoi(last[i]); err != nil {
					return c, err
				}
			}
		}
	}
	return c, nil
}

// answers reads how long calls took from the INVITE to the 200.
func (b *bench) answers() ([]time.Duration, error) {
	names, err := filepath.Glob(filepath.Join(b.dir, "caller_*_rtt.csv"))
	if err != nil || len(names) != 1 {
		return nil, cmp.Or(err, fmt.Errorf("%d files of response times", len(names)))
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		return nil, err
	}
	var all []time.Duration
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSpace(line), ";")
		if len(fields) != 3 || strings.HasPrefix(fields[0], "Date") {
			continue
		}
		ms, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return nil, err
		}
		all = append(all, time.Duration(ms*float64(time.Millisecond)))
	}
	return all, nil
}

// place places calls and waits until they are over.
func (b *bench) place(target, rate, count int, limit time.Duration) (calls, error) {
	p, err := b.caller(target, rate, count, limit)
	if err != nil {
		return calls{}, err
	}
	return b.placed(p, limit)
}

// placed waits until the calls of a caller are over, or for so long. That some failed is no error.
func (b *bench) placed(p *process, limit time.Duration) (calls, error) {
	if p.wait(limit) != nil { // some failed, or are not over yet and have failed by that
		p.stop(syscall.SIGKILL, 0)
	}
	c, err := b.counted("caller")
	if err != nil {
		return c, fmt.Errorf("sipp: %w\n%s", err, &p.output)
	}
	return c, nil
}
