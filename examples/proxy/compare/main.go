// Command compare runs the proxy, Kamailio and a bare forwarder on sipgo between the same caller and callee (sipp), in turns on
// one machine, and prints a table in Markdown: docs/proxy-performance.md is its output.
//
//	go run ./examples/proxy/compare               # the whole table, in twenty minutes
//	go run ./examples/proxy/compare -quick        # a rough one, in two minutes
//	go run ./examples/proxy/compare -only cpu,delay
//
// It needs Linux, and of Debian 12 kamailio and sip-tester, which it installs where they are missing and it may.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	quick := flag.Bool("quick", false, "a rough table in two minutes: one round, short measurements")
	rounds := flag.Int("rounds", 3, "how often CPU per call is measured, of which the table shows medians; all else is measured once")
	only := flag.String("only", "", "kinds of measurements, separated by commas: "+strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	prefix := flag.String("prefix", "", "a command that each measurement is run by, such as \"nice -n -5\"")
	proxy := flag.String("proxy", "", "the program of the proxy; \"\" = it is built")
	one := flag.String("job", "", "carry one measurement out and print its figures (JSON): how the command calls itself")
	flag.Parse()
	if err := run(*quick, *rounds, *only, strings.Fields(*prefix), *proxy, *one); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(quick bool, rounds int, only string, prefix []string, proxy, one string) error {
	if one != "" {
		var j job
		if err := json.Unmarshal([]byte(one), &j); err != nil {
			return err
		}
		f, err := j.run()
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	wanted := func(kind string) bool { return true }
	if only != "" {
		list := strings.Split(only, ",")
		for _, kind := range list {
			if kinds[kind] == nil {
				return fmt.Errorf("-only: there is no %q", kind)
			}
		}
		wanted = func(kind string) bool { return slices.Contains(list, kind) }
	}
	if err := install("kamailio", "kamailio"); err != nil {
		return err
	}
	if err := install("sipp", "sip-tester"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if proxy == "" {
		proxy = filepath.Join(dir, "proxy")
		if err := build(proxy, "github.com/outdial/outdial/examples/proxy"); err != nil {
			return err
		}
	}
	forwarder := filepath.Join(dir, "forwarder")
	if err := build(forwarder, "github.com/outdial/outdial/examples/proxy/compare/forwarder"); err != nil {
		return err
	}
	if quick {
		rounds = 1
	}
	all := results{quick: quick, rounds: rounds}
	for round := range rounds {
		for _, j := range plan(quick, round) {
			if !wanted(j.Kind) {
				continue
			}
			j.Proxy, j.Forwarder = proxy, forwarder
			f, err := measured(prefix, j)
			if err != nil {
				return err
			}
			all.add(j, f)
		}
	}
	return all.print(os.Stdout)
}

// measured carries a measurement out, and again where something else has disturbed it.
func measured(prefix []string, j job) (figures, error) {
	for tries := 1; ; tries++ {
		f, err := carryOut(prefix, j)
		if err != nil || j.Kind != "cpu" && j.Kind != "memory" || f["failed"] <= tolerable*f["calls"] || tries == 3 {
			return f, err
		}
	}
}

// carryOut runs a measurement in a process of its own.
func carryOut(prefix []string, j job) (figures, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	args := append(slices.Clone(prefix), self, "-job", string(text))
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var f figures
	if err = cmp.Or(err, json.Unmarshal(out, &f)); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", j.Kind, j.Subject, err)
	}
	fmt.Fprintf(os.Stderr, "%s %s %d/s %s: %v\n", j.Kind, j.Subject, j.Rate, j.First, f)
	return f, nil
}

// install installs what a Debian package has, where it is missing.
func install(program, pkg string) error {
	if _, err := exec.LookPath(program); err == nil {
		return nil
	}
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", pkg}} {
		cmd := exec.Command("apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s is missing, and apt-get %s fails: %w\n%s", program, args[0], err, out)
		}
	}
	if _, err := exec.LookPath(program); err != nil {
		return errors.Join(fmt.Errorf("the package %s brings no %s", pkg, program), err)
	}
	return nil
}

// build compiles a program of this module.
func build(file, pkg string) error {
	if out, err := exec.Command("go", "build", "-o", file, pkg).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", pkg, err, out)
	}
	return nil
}
