package main

import (
	"bytes"
	"fmt"
	"math"

	"github.com/outdial/outdial/cli"
)

// trace is how a run went, day by day.
type trace struct {
	rate                 []float64 // answered, of the calls of the day
	sick, probed, rested []int     // numbers that are decayed in truth; on probation or in rehab; in quarantine or out of use
	numbers              int
}

func (t *trace) day(answered, made, sick int, p player) {
	t.rate = append(t.rate, float64(answered)/float64(max(made, 1)))
	c := p.(*cliPlayer)
	t.numbers = len(c.state)
	probed, rested := 0, 0
	for _, s := range c.state {
		switch {
		case !s.Presentable():
			rested++
		case s == cli.StateProbation || s == cli.StateRehab:
			probed++
		}
	}
	t.sick, t.probed, t.rested = append(t.sick, sick), append(t.probed, probed), append(t.rested, rested)
}

const (
	plotWidth, plotHeight = 860, 470
	plotLeft, plotRight   = 60, 840
)

// svg draws the answer rate above, and the numbers by state below.
func (t *trace) svg() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<text x="%d" y="20" font-size="14">Answer rate of the pool, %% of the day's calls</text>`+"\n", plotLeft)
	t.axes(&b, 30, 190, 40, "%")
	curve(&b, 30, 190, 40, t.rate, 100, "#1f4e9c")
	most := 10.
	for i := range t.rested {
		most = max(most, float64(t.rested[i]), float64(t.probed[i]), float64(t.sick[i]))
	}
	most = math.Ceil(most/40) * 40
	fmt.Fprintf(&b, `<text x="%d" y="235" font-size="14">Numbers, of %d</text>`+"\n", plotLeft, t.numbers)
	t.axes(&b, 245, 425, most, "")
	for i, c := range []struct {
		v            []int
		name, colour string
	}{{t.rested, "in quarantine, or out of use", "#b02a2a"}, {t.probed, "on probation or in rehab", "#d08a1d"}, {t.sick, "decayed, and not found yet", "#222222"}} {
		v := make([]float64, len(c.v))
		for k, x := range c.v {
			v[k] = float64(x)
		}
		curve(&b, 245, 425, most, v, 1, c.colour)
		fmt.Fprintf(&b, `<rect x="%d" y="223" width="14" height="4" fill="%s"/><text x="%d" y="230">%s</text>`+"\n",
			200+i*215, c.colour, 220+i*215, c.name)
	}
	fmt.Fprintf(&b, `<text x="%d" y="460">day</text>`+"\n</svg>\n", (plotLeft+plotRight)/2)
	return b.Bytes()
}

func (t *trace) axes(b *bytes.Buffer, top, bottom int, most float64, unit string) {
	for i := range 5 {
		y := bottom - (bottom-top)*i/4
		fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#dddddd"/><text x="%d" y="%d" text-anchor="end">%.0f%s</text>`+"\n",
			plotLeft, y, plotRight, y, plotLeft-6, y+4, most*float64(i)/4, unit)
	}
	for d := 0; d <= len(t.rate); d += 10 {
		x := plotLeft + (plotRight-plotLeft)*d/max(len(t.rate), 1)
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%d</text>`+"\n", x, bottom+16, d)
	}
}

func curve(b *bytes.Buffer, top, bottom int, most float64, v []float64, scale float64, colour string) {
	fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="1.6" points="`, colour)
	for i, x := range v {
		fmt.Fprintf(b, "%.1f,%.1f ", plotLeft+float64(plotRight-plotLeft)*(float64(i)+.5)/float64(len(v)),
			float64(bottom)-float64(bottom-top)*min(x*scale/most, 1))
	}
	fmt.Fprintln(b, `"/>`)
}
