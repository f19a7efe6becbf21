package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program with what it starts, in a process group of its own.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
	output bytes.Buffer // what it says on standard error; to be read once it is over
}

// launch starts a program in dir.
func launch(dir, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), exited: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stderr, p.cmd.SysProcAttr = dir, &p.output, &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// wait waits until the program is over, or for so long.
func (p *process) wait(limit time.Duration) error {
	select {
	case <-p.exited:
		return p.err
	case <-time.After(limit):
		return fmt.Errorf("%s: not over after %v", p.cmd.Path, limit)
	}
}

// stop ends the program and what it started: by a signal, and by force where that does not help.
func (p *process) stop(sig syscall.Signal, limit time.Duration) {
	_ = syscall.Kill(p.cmd.Process.Pid, sig)
	_ = p.wait(limit)
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
}

// tick is the unit of utime and stime in /proc: USER_HZ, which is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpu is what the group has used of the processors so far.
func (p *process) cpu() (time.Duration, error) {
	var sum time.Duration
	err := p.each(func(dir string, fields []string) error {
		for _, f := range fields[11:13] { // utime and stime
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				return err
			}
			sum += time.Duration(n) * tick
		}
		return nil
	})
	return sum, err
}

// pss is the memory of the group, what is shared with others in proportion, in bytes.
func (p *process) pss() (int64, error) { return p.sum("smaps_rollup", "Pss:") }

func (p *process) sum(file, key string) (sum int64, err error) {
	err = p.each(func(dir string, _ []string) error {
		n, err := kilobytes(filepath.Join(dir, file), key)
		sum += n << 10
		return err
	})
	return sum, err
}

// each calls f for every process of the group, with what /proc/PID/stat says from the state on.
func (p *process) each(f func(dir string, fields []string) error) error {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	found := false
	for _, dir := range dirs {
		data, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it is over
		}
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if len(fields) < 13 || fields[0] == "Z" || fields[2] != strconv.Itoa(p.cmd.Process.Pid) { // state, pgrp
			continue
		}
		found = true
		if err := f(dir, fields); err != nil {
			return err
		}
	}
	if !found {
		return errors.New("the program is over")
	}
	return nil
}

// kilobytes reads a line such as "Pss:  123 kB".
func kilobytes(file, key string) (int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == key {
			return strconv.ParseInt(fields[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s: no %s", file, key)
}

// bound waits until a UDP port of the loopback interface is taken.
func bound(port int, limit time.Duration) error {
	want := fmt.Sprintf(":%04X ", port)
	for end := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		data, err := os.ReadFile("/proc/net/udp")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(data)) {
			if fields := strings.Fields(line); len(fields) > 1 && strings.HasSuffix(fields[1]+" ", want) {
				return nil
			}
		}
		if time.Now().After(end) {
			return fmt.Errorf("port %d is not served", port)
		}
	}
}
