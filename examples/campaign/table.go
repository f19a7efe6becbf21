package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/outdial/outdial/kpi"
)

// Widths in columns. Between the two, the table leaves the 95th percentile out and shortens the bars; on what is narrower
// than the least, the terminal cuts.
const (
	tableWidth = 100
	leastWidth = 80
)

// Lines of the table for failovers and notices, so that it never changes its height.
const (
	failoverLines = 4
	noticeLines   = 6
)

// style paints a text for a terminal; it changes no width.
type style func(text string) string

// styles are what the table uses.
type styles struct{ head, good, bad, dim style }

var (
	plain  = styles{unpainted, unpainted, unpainted, unpainted}
	colour = styles{sgr("1"), sgr("32"), sgr("31;1"), sgr("2")}
)

func unpainted(text string) string { return text }

func sgr(code string) style {
	return func(text string) string { return "\x1b[" + code + "m" + text + "\x1b[0m" }
}

// lines renders the table for a width from leastWidth to tableWidth.
func (v view) lines(st styles, width int) []string {
	share := float64(v.Over) / float64(max(v.Total, 1))
	agents := "%d calls/s · %d waiting for an answer · agents: %d talking, %d wrapping up, %d idle"
	over := "share of last 3 s"
	if width < tableWidth {
		agents, over = "%d calls/s · %d waiting · agents: %d talk, %d wrap up, %d idle", "last 3 s"
	}
	out := []string{
		st.head(cut(fmt.Sprintf("%s  %s %3.0f %%  %d of %d calls over, %d placed", clock(v.Elapsed), bar(share, 24), 100*share, v.Over, v.Total, v.Placed), width)),
		cut("       "+fmt.Sprintf(agents, v.CPS, v.Waiting, v.Busy, v.Wrap, v.Idle), width),
		"",
		st.dim(cells(width, "trunk", "health", over, "attempts", "ASR", "95 %", "PDD p50", "p95", "channels", "calls/s")),
	}
	for _, r := range v.Trunks {
		out = append(out, r.line(st, width))
	}
	out = append(out, "", st.dim("latest failovers"))
	for i := range failoverLines {
		text := ""
		if i < len(v.Failovers) {
			f := v.Failovers[i]
			text = fmt.Sprintf("%s  %s  %s %s → %s after %s", clock(f.At), f.To, f.From, f.Why, f.Next, ms(f.Duration))
		}
		out = append(out, cut(text, width))
	}
	var events []string
	for _, n := range v.Notices {
		events = append(events, wrap(clock(n.At)+"  "+n.Text, width)...)
	}
	events = latest(events, noticeLines)
	out = append(append(out, st.dim("events")), events...)
	return append(out, make([]string, noticeLines-len(events))...)
}

// cells lays the columns of a trunk out.
func cells(width int, name, health, share, attempts, asr, interval, p50, p95, channels, cps string) string {
	list := []string{
		fit(name, 8), fit(health, 9), fit(share, barWidth(width)+6), left(attempts, 8), left(asr, 5), fit(interval, 8), left(p50, 8),
	}
	if width >= tableWidth {
		list = append(list, left(p95, 8))
	}
	return strings.Join(append(list, left(channels, 8), left(cps, 7)), " ")
}

// barWidth is the width of a trunk's bar.
func barWidth(width int) int {
	if width >= tableWidth {
		return 12
	}
	return min(width-75, 12)
}

func (r row) line(st styles, width int) string {
	asr, interval, p50, p95 := "–", "", "–", "–"
	if v, ok := r.ASR.Value(); ok {
		asr, interval = fmt.Sprintf("%.0f %%", 100*v), span(r.ASR)
	}
	if r.P50 > 0 {
		p50, p95 = ms(r.P50), ms(r.P95)
	}
	text := cells(width, r.Name, r.Health, fmt.Sprintf("%s %3.0f %%", bar(r.Share, barWidth(width)), 100*r.Share), fmt.Sprint(r.Attempts), asr, interval,
		p50, p95, fmt.Sprintf("%d/%d", r.InUse, r.Channels), fmt.Sprintf("%d/%d", r.CPS, r.MaxCPS))
	health := fit(r.Health, 9)
	painted := st.bad(health)
	if r.Health == "up" {
		painted = st.good(health)
	}
	return fit(r.Name, 8) + " " + painted + strings.TrimPrefix(text, fit(r.Name, 8)+" "+health)
}

// fewAttempts is how many attempts must lie in the last seconds for a line to tell shares of them.
const fewAttempts = 10

// plainLine is the whole view in one line, for logs.
func (v view) plainLine() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %d/%d calls, %d/s, %d agents talking", clock(v.Elapsed), v.Over, v.Total, v.CPS, v.Busy)
	for _, r := range v.Trunks {
		fmt.Fprintf(&b, " · %s %s", r.Name, r.Health)
		if v.Recent >= fewAttempts {
			fmt.Fprintf(&b, " %.0f %%", 100*r.Share)
		}
	}
	return b.String()
}

// span is a 95 % Wilson interval in per cent.
func span(r kpi.Ratio) string {
	low, high, ok := r.Interval(0.95)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.0f–%.0f %%", 100*low, 100*high)
}

// bar draws a share as a bar of so many columns.
func bar(share float64, columns int) string {
	eighths := int(min(max(share, 0), 1)*float64(columns*8) + 0.5)
	full := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		full += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return full + strings.Repeat("·", columns-utf8.RuneCountInString(full))
}

// cut cuts a text to so many columns.
func cut(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	return string([]rune(text)[:columns-1]) + "…"
}

// wrap breaks a text between words into lines of so many columns. What follows the first is indented like the text that
// stands behind its label, if two spaces set one off, else by two more.
func wrap(text string, columns int) []string {
	if utf8.RuneCountInString(text) <= columns {
		return []string{text}
	}
	indent := utf8.RuneCountInString(text) - utf8.RuneCountInString(strings.TrimLeft(text, " "))
	hang := indent + 2
	label, rest, found := strings.Cut(strings.TrimLeft(text, " "), "  ")
	if n := indent + utf8.RuneCountInString(label) + 2; found && n < columns/2 {
		hang = n + len(rest) - len(strings.TrimLeft(rest, " "))
	}
	lines := []string{}
	for runes := []rune(text); ; {
		if len(runes) <= columns {
			return append(lines, strings.TrimRight(string(runes), " "))
		}
		at := columns
		for at > hang && runes[at] != ' ' {
			at--
		}
		if at == hang { // a word that is longer than the line
			at = columns
		}
		lines = append(lines, strings.TrimRight(string(runes[:at]), " "))
		runes = []rune(strings.Repeat(" ", hang) + strings.TrimLeft(string(runes[at:]), " "))
	}
}

// fit cuts or pads a text to so many columns.
func fit(text string, columns int) string {
	text = cut(text, columns)
	return text + strings.Repeat(" ", columns-utf8.RuneCountInString(text))
}

// left pads a text on its left.
func left(text string, columns int) string {
	return strings.Repeat(" ", max(columns-utf8.RuneCountInString(text), 0)) + text
}

// clock shows the time since the start.
func clock(d time.Duration) string { return fmt.Sprintf("%6.2f", d.Seconds()) }

// ms shows a short duration.
func ms(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d > 0 && d < time.Millisecond:
		return "<1 ms"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// trim shows a number without needless decimals.
func trim(f float64) string { return fmt.Sprintf("%g", f) }
