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
	size   func() int // columns of the terminal; 0 = not known

	drawn int           // lines of the table on the screen
	next  time.Duration // when the next plain line is due
	told  int           // notices that were written as plain lines
}

// newScreen makes a screen. size returns the columns of the terminal, nil where there is none.
func newScreen(out io.Writer, o options, size func() int) *screen {
	terminal := size != nil
	s := &screen{out: out, size: size, silent: o.JSON, next: plainEvery, live: terminal && !o.Headless && !o.JSON, styles: plain}
	if s.live && os.Getenv("NO_COLOR") == "" {
		s.styles = colour
	}
	return s
}

// width is how many columns are used: as many as the terminal has, within the bounds of the table.
func (s *screen) width() int {
	if s.size == nil {
		return tableWidth
	}
	if n := s.size(); n > 0 {
		return min(max(n, leastWidth), tableWidth)
	}
	return tableWidth
}

// banner says what is about to happen.
func (s *screen) banner(lines ...string) {
	if s.silent {
		return
	}
	for _, l := range lines {
		fmt.Fprintln(s.out, strings.Join(wrap(l, s.width()), "\n"))
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
		s.draw(v.lines(s.styles, s.width()))
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
		b.WriteString("\r\x1b[K" + l + "\n") // erased before: behind a full line, the last column would be erased
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
