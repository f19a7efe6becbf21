package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/outdial/outdial/kpi"
)

// tableWidth is the width of the table in columns.
const tableWidth = 100

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

// lines renders the table.
func (v view) lines(st styles) []string {
	share := float64(v.Over) / float64(max(v.Total, 1))
	out := []string{
		st.head(cut(fmt.Sprintf("%s  %s %3.0f %%  %d of %d calls over, %d placed", clock(v.Elapsed), bar(share, 24), 100*share, v.Over, v.Total, v.Placed), tableWidth)),
		cut(fmt.Sprintf("       %d calls/s · %d waiting for an answer · agents: %d talking, %d wrapping up, %d idle", v.CPS, v.Waiting, v.Busy, v.Wrap, v.Idle), tableWidth),
		"",
		st.dim(cut(cells("trunk", "health", "share of last 3 s", "attempts", "ASR", "95 %", "PDD p50", "p95", "channels", "calls/s"), tableWidth)),
	}
	for _, r := range v.Trunks {
		out = append(out, r.line(st))
	}
	out = append(out, "", st.dim(cut("latest failovers", tableWidth)))
	for i := range failoverLines {
		text := ""
		if i < len(v.Failovers) {
			f := v.Failovers[i]
			text = fmt.Sprintf("%s  %s  %s %s → %s after %s", clock(f.At), f.To, f.From, f.Why, f.Next, ms(f.Duration))
		}
		out = append(out, cut(text, tableWidth))
	}
	out = append(out, st.dim(cut("events", tableWidth)))
	for i := range noticeLines {
		text := ""
		if i < len(v.Notices) {
			text = clock(v.Notices[i].At) + "  " + v.Notices[i].Text
		}
		out = append(out, cut(text, tableWidth))
	}
	return out
}

// cells lays the columns of a trunk out.
func cells(name, health, share, attempts, asr, interval, p50, p95, channels, cps string) string {
	return strings.Join([]string{
		fit(name, 8), fit(health, 9), fit(share, 18), left(attempts, 8), left(asr, 5), fit(interval, 8), left(p50, 8),
		left(p95, 8), left(channels, 8), left(cps, 7),
	}, " ")
}

func (r row) line(st styles) string {
	asr, interval, p50, p95 := "–", "", "–", "–"
	if v, ok := r.ASR.Value(); ok {
		asr, interval = fmt.Sprintf("%.0f %%", 100*v), span(r.ASR)
	}
	if r.P50 > 0 {
		p50, p95 = ms(r.P50), ms(r.P95)
	}
	text := cells(r.Name, r.Health, fmt.Sprintf("%s %3.0f %%", bar(r.Share, 12), 100*r.Share), fmt.Sprint(r.Attempts), asr, interval,
		p50, p95, fmt.Sprintf("%d/%d", r.InUse, r.Channels), fmt.Sprintf("%d/%d", r.CPS, r.MaxCPS))
	health := fit(r.Health, 9)
	painted := st.bad(health)
	if r.Health == "up" {
		painted = st.good(health)
	}
	return fit(r.Name, 8) + " " + painted + strings.TrimPrefix(text, fit(r.Name, 8)+" "+health)
}

// plainLine is the whole view in one line, for logs.
func (v view) plainLine() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %d/%d calls, %d/s, %d agents talking", clock(v.Elapsed), v.Over, v.Total, v.CPS, v.Busy)
	for _, r := range v.Trunks {
		fmt.Fprintf(&b, " · %s %s %.0f %%", r.Name, r.Health, 100*r.Share)
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
