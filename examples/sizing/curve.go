package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/outdial/outdial/trunk"
)

// The drawing, in its own units.
const (
	width, height            = 720, 420
	left, right, top, bottom = 70, 30, 50, 60
)

// curve draws the blocking over the number of channels, at the traffic of the plan and at a quarter more and less.
func curve(s trunk.Staffing, z trunk.Sizing) []byte {
	from, to := z.Channels/2, z.Channels*3/2
	most := 0.25 // of blocking, at the top
	x := func(n int) float64 { return left + float64(n-from)/float64(to-from)*(width-left-right) }
	y := func(b float64) float64 { return height - bottom - min(b, most)/most*(height-top-bottom) }

	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">`, width, height)
	p(`<rect width="%d" height="%d" fill="white"/>`, width, height)
	p(`<text x="%d" y="28" font-size="16">%d seats at an ASR of %.0f %%: %d channels block %.2g %%</text>`,
		left, s.Seats, 100*s.ASR, z.Channels, 100*z.Blocking)
	for _, share := range []float64{0, .05, .1, .15, .2, .25} {
		p(`<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#dddddd"/>`, left, y(share), width-right, y(share))
		p(`<text x="%d" y="%.1f" text-anchor="end">%.0f %%</text>`, left-8, y(share)+4, 100*share)
	}
	step := max((to-from)/10, 1)
	for n := from; n <= to; n += step {
		p(`<text x="%.1f" y="%d" text-anchor="middle">%d</text>`, x(n), height-bottom+20, n)
	}
	p(`<text x="%d" y="%d" text-anchor="middle">channels</text>`, (left+width-right)/2, height-15)
	p(`<text x="18" y="%d" text-anchor="middle" transform="rotate(-90 18 %d)">blocked attempts</text>`, height/2, height/2)
	for i, traffic := range []struct {
		erlangs float64
		colour  string
	}{{0.75 * z.Erlangs, "#7aa6c2"}, {z.Erlangs, "#0b5394"}, {1.25 * z.Erlangs, "#b45f06"}} {
		var points []string
		for n := from; n <= to; n++ {
			if blocked := trunk.ErlangB(n, traffic.erlangs); blocked <= most {
				points = append(points, fmt.Sprintf("%.1f,%.1f", x(n), y(blocked)))
			}
		}
		p(`<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, strings.Join(points, " "), traffic.colour)
		p(`<text x="%d" y="%d" text-anchor="end" fill="%s">%.0f Erlang</text>`, width-right-6, top+20+20*i, traffic.colour, traffic.erlangs)
	}
	mark(p, x(z.Channels), y(most/8), "#0b5394", fmt.Sprintf("%d for %.3g %%", z.Channels, 100*s.Blocking))
	if s.Base > from && s.Base < to {
		mark(p, x(s.Base), y(most/2), "#666666", fmt.Sprintf("base %d", s.Base))
	}
	p(`</svg>`)
	return b.Bytes()
}

// mark draws a line up at a number of channels, and what it is.
func mark(p func(string, ...any), x, foot float64, colour, text string) {
	p(`<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s" stroke-dasharray="4 3"/>`, x, top, x, height-bottom, colour)
	p(`<text x="%.1f" y="%.1f" fill="%s">%s</text>`, x+5, foot-8, colour, text)
}
