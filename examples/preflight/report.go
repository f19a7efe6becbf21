package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/outdial/outdial"
)

func (r *report) verdict() string {
	switch n := len(r.findings); n {
	case 0:
		return "pass"
	case 1:
		return "1 finding"
	default:
		return fmt.Sprintf("%d findings", n)
	}
}

// markdown is the report as a carrier can read it.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	row := func(cells ...any) {
		for _, c := range cells {
			fmt.Fprintf(&b, "| %s ", clean(fmt.Sprint(c)))
		}
		b.WriteString("|\n")
	}
	p("# Network report\n\nOf %s, for `%s` (%s). Result: **%s**.\n", r.at.Format("2006-01-02 15:04:05 UTC"), clean(r.to.name), r.to.addr, r.verdict())
	p("## Ports\n\n| what | value |\n|---|---|")
	row("SIP, local", r.local)
	row("transport", "UDP")
	row("RTP of the test call, local", r.rtp)
	row("named in our messages", fmt.Sprintf("SIP %s, RTP %s", r.named(r.local), r.named(r.rtp)))
	if c := r.ports; c.total > 0 {
		text := fmt.Sprintf("%d-%d: %d of %d can be bound", r.options.rtp.lo, r.options.rtp.hi, c.free, c.total)
		if len(c.taken) > 0 {
			text += ", taken: " + list(c.taken)
		}
		row("RTP range", text)
	}
	p("\nThe far side must let through, in both directions:\n\n| what | here, as seen | there |\n|---|---|---|")
	row("SIP, UDP", r.seen(), r.to.addr)
	there := "the media addresses of the carrier"
	if r.call.media.addr.IsValid() {
		there += fmt.Sprintf(" (here %s)", r.call.media.addr)
	}
	row("RTP and RTCP, UDP", r.media(), there)

	p("\n## NAT\n\nType: **%s**. %s.\n", r.nat.name, upper(r.nat.why))
	p("| asked | by | sees | port kept | answer |\n|---|---|---|---|---|")
	for _, s := range r.sightings {
		r.sighted(row, s, s.place.name, r.local)
	}
	if r.rtpSeen.by != "" {
		r.sighted(row, r.rtpSeen, r.rtpSeen.place.name+" (RTP socket)", r.rtp)
	}
	p("\nThe terms are those of RFC 4787 §4.1; how a NAT or firewall filters is not asked, but by the call.\n")
	r.called(p, row)
	p("\n## Findings\n")
	if len(r.findings) == 0 {
		p("None.")
	}
	for i, f := range r.findings {
		p("%d. %s **%s**", i+1, clean(f.what), clean(f.fix))
	}
	return b.Bytes()
}

// media is where RTP of the dialer is seen, as far as that is known.
func (r *report) media() string {
	host, port := r.seen().Addr(), r.named(r.rtp).Port()
	if r.rtpSeen.seen.IsValid() {
		host, port = r.rtpSeen.seen.Addr(), r.rtpSeen.seen.Port()
	}
	text := netip.AddrPortFrom(host, port).String()
	if r.ports.total > 0 {
		text = fmt.Sprintf("%s ports %d-%d", host, r.options.rtp.lo, r.options.rtp.hi)
	}
	return text
}

func (r *report) sighted(row func(...any), s sighting, name string, local netip.AddrPort) {
	sees, kept, answer := "-", "-", "-"
	if s.seen.IsValid() {
		sees, kept = s.seen.String(), portKept(local, s.seen)
	}
	switch {
	case s.err != nil:
		answer = s.err.Error()
	case s.status != 0:
		answer = fmt.Sprintf("%d after %s", s.status, millis(s.took))
	default:
		answer = "after " + millis(s.took)
	}
	row(name, s.by, sees, kept, answer)
}

// called tells of the call.
func (r *report) called(p func(string, ...any), row func(...any)) {
	c, a := &r.call, &r.call.audio
	p("## Echo test call\n\n| what | value |\n|---|---|")
	if !c.answered() {
		row("answered", "no: "+r.ending())
	} else {
		took, _ := c.timeline.At(outdial.MarkAnswer)
		row("answered", fmt.Sprintf("yes, %d after %s", c.code, millis(took)))
	}
	pdd, ok := c.timeline.PDD()
	if ok {
		row("post-dial delay", millis(pdd))
	} else {
		row("post-dial delay", "none: no response between 100 and the final one")
	}
	if !c.answered() {
		return
	}
	if c.mediaErr != nil {
		row("audio", c.mediaErr)
		return
	}
	row("audio, to", c.media.addr)
	from := make([]string, len(a.sources))
	for i, s := range a.sources {
		from[i] = s.String()
	}
	row("audio, from", strings.Join(from, ", "))
	row("packets sent", a.sent)
	row("packets received", fmt.Sprintf("%d, of which %d of ours", a.received, a.echoed()))
	row("loss, there and back", fmt.Sprintf("%.1f %%", 100*a.loss))
	if lost, ok := a.stats.LossRatio(); ok {
		row("loss, the way back alone", fmt.Sprintf("%.1f %%", 100*lost))
		row("jitter (RFC 3550)", millis(a.stats.Jitter))
	}
	if a.echoed() > 0 {
		row("round trip", fmt.Sprintf("p50 %s, p95 %s", millis(a.quantile(0.5)), millis(a.quantile(0.95))))
	}
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// clean keeps what others wrote, a reason phrase say, from being read as markdown: no line of its own, no cell, no mark-up.
func clean(s string) string {
	return strings.ReplaceAll(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsControl(c):
			return ' '
		case strings.ContainsRune("|<>`", c):
			return '\''
		}
		return c
	}, s), "](", "] (")
}
