package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// plainEvery is how often a line is written where there is no terminal.
const plainEvery = 3 * time.Second

// screen shows a campaign while it runs: a table that is drawn over itself in a terminal, a line now and then elsewhere,
// and nothing where only JSON is asked for.
type screen struct {
	out    io.Writer
	live   bool
	silent bool
	styles styles

	drawn int           // lines of the table on the screen
	next  time.Duration // when the next plain line is due
	told  int           // notices that were written as plain lines
}

func newScreen(out io.Writer, o options, terminal bool) *screen {
	s := &screen{out: out, silent: o.JSON, next: plainEvery, live: terminal && !o.Headless && !o.JSON, styles: plain}
	if s.live && os.Getenv("NO_COLOR") == "" {
		s.styles = colour
	}
	return s
}

// banner says what is about to happen.
func (s *screen) banner(lines ...string) {
	if s.silent {
		return
	}
	for _, l := range lines {
		fmt.Fprintln(s.out, l)
	}
	if s.live {
		fmt.Fprint(s.out, "\x1b[?25l\x1b[?7l") // no cursor; long lines are cut, not wrapped
	}
}

// show draws the view. all are all notices since the start.
func (s *screen) show(v view, all []notice) {
	switch {
	case s.silent:
	case s.live:
		s.draw(v.lines(s.styles))
	default:
		for ; s.told < len(all); s.told++ {
			fmt.Fprintf(s.out, "%s  %s\n", clock(all[s.told].At), all[s.told].Text)
		}
		if v.Elapsed >= s.next {
			s.next = v.Elapsed + plainEvery
			fmt.Fprintln(s.out, v.plainLine())
		}
	}
}

// draw writes the table over the one before, in one write, so that nothing flickers.
func (s *screen) draw(lines []string) {
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", s.drawn)
	}
	for _, l := range lines {
		b.WriteString("\r" + l + "\x1b[K\n")
	}
	s.drawn = len(lines)
	_, _ = io.WriteString(s.out, b.String())
}

// end leaves the table as it stands and gives the terminal back.
func (s *screen) end() {
	if s.live {
		fmt.Fprint(s.out, "\x1b[?25h\x1b[?7h\n")
	}
}

// isTerminal reports whether f shows to a person. It takes no library: a character device that is not the null device.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
