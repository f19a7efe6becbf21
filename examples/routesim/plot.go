package main

import (
	"bytes"
	"fmt"
	"slices"
)

// draw makes an SVG with a panel for each scenario: the share of calls that each strategy gives to the cheapest carrier, by
// quarter of an hour.
func draw(all []result) []byte {
	const width, height, left, top, gap = 430, 150, 46, 40, 50
	colours := map[string]string{"least-cost": "#999999", "qrouting": "#d55e00", "qos": "#cc79a7", "ours": "#0072b2", "oracle": "#009e73"}
	panels := len(all) / len(strategyNames)
	rows := (panels + 1) / 2
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		2*(width+left+20), top+rows*(height+gap)+20)
	fmt.Fprintln(&b, `<rect width="100%" height="100%" fill="white"/>`)
	x := left
	for _, name := range strategyNames {
		fmt.Fprintf(&b, `<rect x="%d" y="8" width="14" height="4" fill="%s"/><text x="%d" y="14">%s</text>`+"\n", x, colours[name], x+19, name)
		x += 100
	}
	fmt.Fprintf(&b, `<text x="%d" y="14">share of calls to the cheapest carrier, by hour</text>`+"\n", x)
	for p := range panels {
		ox, oy := left+p%2*(width+left+20), top+p/2*(height+gap)
		rs := all[p*len(strategyNames) : (p+1)*len(strategyNames)]
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", ox, oy-5, rs[0].scenario.name)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#bbbbbb"/>`+"\n", ox, oy, width, height)
		for _, v := range []int{0, 50, 100} {
			fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%d %%</text>`+"\n", ox-4, oy+height-v*height/100+4, v)
		}
		for h := 0; h <= 24; h += 6 {
			fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%d</text>`+"\n", ox+h*width/24, oy+height+14, h)
		}
		order := slices.Clone(rs)
		slices.SortStableFunc(order, func(a, b result) int { // ours is drawn last, above the others
			return btoi(a.name == "ours") - btoi(b.name == "ours")
		})
		for _, r := range order {
			fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="1.6" points="`, colours[r.name])
			for i, share := range r.sum.shares {
				fmt.Fprintf(&b, "%.1f,%.1f ", float64(ox)+(float64(i)+.5)*float64(width)/96, float64(oy+height)-share*float64(height))
			}
			fmt.Fprintln(&b, `"/>`)
		}
	}
	fmt.Fprintln(&b, "</svg>")
	return b.Bytes()
}
