package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// What speech over PCMU bears without anybody minding: the round trip is twice the one-way delay of ITU-T G.114, loss and jitter are what
// carriers commonly promise.
const (
	mostLoss   = 0.01
	mostJitter = 30 * time.Millisecond
	mostRTT    = 300 * time.Millisecond
)

// finding is what is wrong, and what helps, in plain English.
type finding struct{ what, fix string }

func (r *report) add(fix, what string, args ...any) {
	r.findings = append(r.findings, finding{fmt.Sprintf(what, args...), fix})
}

// seen is where the target's answers find us: the address that it saw, or that another place saw, or the one that our messages name.
func (r *report) seen() netip.AddrPort {
	switch {
	case r.sightings[0].seen.IsValid():
		return r.sightings[0].seen
	case r.nat.public.IsValid():
		return r.nat.public
	}
	return r.named(r.local)
}

// find draws the findings from what was seen.
func (r *report) find() {
	r.findPorts()
	r.findNetwork()
	switch c := &r.call; {
	case !c.answered():
		r.findUnanswered()
	case c.mediaErr != nil:
		r.add("Ask the carrier for an answer with PCMU (payload type 0) at an IP address of its own; the target may be no echo service.", "No audio could be sent: %v.", c.mediaErr)
	default:
		r.findAudio()
	}
	ours, theirs := r.call.wire.faults(r.seen())
	for _, f := range ours {
		r.add("Set -advertise, and the same in the dialer, to the public address: "+f.Code.Fix()+".", "The carrier sees in our INVITE %s.", f)
	}
	for _, f := range theirs {
		r.add("Show the carrier this line: "+f.Code.Fix()+".", "In the carrier's answer %s.", f)
	}
}

func (r *report) findPorts() {
	if n := len(r.ports.taken); n > 0 {
		r.add("Give the dialer a range of its own, or stop what uses these ports (ss -ulpn shows it).",
			"%d of %d RTP ports cannot be bound: %s (%v).", n, r.ports.total, list(r.ports.taken), r.ports.why)
	}
}

func (r *report) findNetwork() {
	for _, s := range r.sightings {
		switch {
		case s.err != nil && s.by == "STUN":
			r.add("Let UDP out to it, or ask another STUN server.", "STUN server %s: %v.", s.place.name, s.err)
		case errors.Is(s.err, errSilent) && s.place.name == r.to.name && r.call.answered():
			r.add("Ask the carrier to answer OPTIONS, by which a dialer sees that a trunk is alive.", "%s does not answer OPTIONS, but calls.", s.place.name)
		case s.err != nil:
			r.add("Let UDP to and from that address through the firewall, check the address, and ask the carrier whether it knows ours.",
				"OPTIONS to %s: %v.", s.place.name, s.err)
		case s.noRport:
			r.add("Ask the carrier to honour rport (RFC 3581); until then set -advertise to an address and port that are forwarded here.",
				"%s does not say where our request came from: its Via has no rport.", s.place.name)
		}
		if s.via != "" {
			r.add("Switch the SIP ALG of the router or firewall off.", "Our Via came back from %s as %s: something on the way rewrites SIP.", s.place.name, s.via)
		}
	}
	if r.nat.dependent {
		r.add("Forward the SIP port and the RTP range of the NAT to this host, one to one, or give the host a public address; STUN does not help here.",
			"The NAT has an %s: a port that one place learns does not lead here from another.", r.nat.name)
	}
	if r.advertise.IsValid() && r.nat.public.IsValid() && r.nat.public.Addr() != r.advertise {
		r.add("Set -advertise to the address that is seen.", "-advertise is %s, but %s is seen.", r.advertise, r.nat.public.Addr())
	}
}

// help is what a status of the carrier asks for.
var help = map[uint16]string{
	401: "Give -user and its password, as the carrier has issued them.", 407: "Give -user and its password, as the carrier has issued them.",
	403: "Ask the carrier whether it knows this address, and whether it lets this caller ID call (-from).",
	404: "Check the number of the echo service, and the form in which the carrier wants numbers.",
	484: "Check the number of the echo service, and the form in which the carrier wants numbers.",
	486: "The echo service is busy: call again, one test at a time.", 600: "The echo service is busy: call again, one test at a time.",
	480: "The echo service is not there at the moment: call again.", 408: "The carrier could not reach its echo service: call again, then ask the carrier.",
	488: "Ask the carrier which codecs it takes: PCMU is offered.", 606: "Ask the carrier which codecs it takes: PCMU is offered.",
	503: "The carrier is overloaded, down for this route, or limits calls per second: call again, then ask the carrier.",
	603: "The callee or an analytics block has declined: try another caller ID (-from).", 607: "The call counts as unwanted: try another caller ID (-from).", 608: "An analytics block has refused the caller ID: its redress address is in the response.",
}

func (r *report) findUnanswered() {
	res := &r.call.result
	if res.Code != 0 {
		fix, ok := help[res.Code]
		switch {
		case ok:
		case res.Code < 400:
			fix = "Call the address that the carrier redirects to, if it is the carrier's."
		case res.Code >= 500 && res.Code < 600:
			fix = "The fault is the carrier's: show it this report."
		default:
			fix = "Ask the carrier what it refuses, with this line."
		}
		r.add(fix, "The call was not answered: %s.", r.ending())
		return
	}
	fix := "Ask the carrier what became of the call; the target may be no echo service."
	switch res.Origin {
	case outdial.OriginNoTrying:
		fix = "Let UDP to and from the target through the firewall, check the address, and ask the carrier whether it knows ours."
	case outdial.OriginTransport:
		fix = "Nobody listens there, or a router refuses the way: check the address and port of the target."
	}
	r.add(fix, "The call was not answered: %s.", r.ending())
}

// ending says how a call that was not answered ended.
func (r *report) ending() string {
	res := &r.call.result
	if res.Code == 0 {
		switch res.Origin {
		case outdial.OriginNoTrying:
			return "nothing at all came back"
		case outdial.OriginNoProgress:
			return "100 came, and nothing beyond it"
		case outdial.OriginNoAnswer:
			return "it rang, and nobody answered"
		case outdial.OriginTransport:
			return "the network says that nobody is there"
		}
		return "it ended without a response"
	}
	s := fmt.Sprintf("%d %s", res.Code, res.Phrase)
	if res.Cause.Value != 0 {
		s += fmt.Sprintf(", Q.850 %d %s", res.Cause.Value, res.Cause.Name())
	}
	if res.Text != "" {
		s += fmt.Sprintf(" (%s)", res.Text)
	}
	return s
}

func (r *report) findAudio() {
	a, to := &r.call.audio, r.call.media.addr
	if a.err != nil {
		r.add("Let UDP out to the carrier's media addresses.", "Audio could not be sent to %s: %v.", to, a.err)
		return
	}
	if a.cut > 0 {
		r.add("Ask the carrier why its echo service hangs up, or test for a shorter time (-seconds).",
			"The far side hung up after %.1f s of audio.", a.cut.Seconds())
	}
	if a.sent == 0 {
		return
	}
	if r.call.media.direction != "sendrecv" {
		r.add("Ask the carrier for an echo service that sends and receives.", "The answer says a=%s: there is audio in one direction at most.", r.call.media.direction)
	}
	switch {
	case a.received == 0:
		fix := "Let UDP from the carrier's media addresses to the RTP ports through the firewall, and ask the carrier whether our packets arrive."
		if r.nat.public.IsValid() {
			fix += " Behind the NAT, forward the RTP range and set -advertise to the public address, or ask for symmetric RTP (media goes to where ours comes from)."
		}
		r.add(fix, "One-way audio: %d packets were sent to %s, and none came back.", a.sent, to)
		return
	case a.echoed() == 0:
		r.add("Call an echo service that returns audio as it came, without transcoding; until then loss and delay of the way there are not known.",
			"Audio came back, %d packets, but none of ours.", a.received)
	default:
		if a.loss > mostLoss {
			r.add("Look for a full line or a duplex fault on the way (mtr to the media address), and give RTP priority (DSCP EF).",
				"%.1f %% of the packets did not come back; 1 %% can be borne.", 100*a.loss)
		}
		if p95 := a.quantile(0.95); p95 > mostRTT {
			r.add("Ask for a media address of the carrier that is nearer, or put the host nearer to it.",
				"The round trip takes %s (p95); %s can be borne (ITU-T G.114).", millis(p95), millis(mostRTT))
		}
	}
	if a.stats.Jitter > mostJitter {
		r.add("Give RTP priority (DSCP EF), and look for a host or line that is overloaded.", "The jitter is %s; %s can be borne.", millis(a.stats.Jitter), millis(mostJitter))
	}
	for _, from := range a.sources {
		if from != to {
			r.add("Let UDP from that address through the firewall too, and ask the carrier which addresses its media comes from.",
				"RTP came from %s, but the answer says %s: it is not symmetric (RFC 4961).", from, to)
		}
	}
}

// list is a few ports, as ranges.
func list(ports []uint16) string {
	var parts []string
	for i := 0; i < len(ports); {
		j := i
		for j+1 < len(ports) && ports[j+1] == ports[j]+1 {
			j++
		}
		part := fmt.Sprint(ports[i])
		if j > i {
			part += fmt.Sprintf("-%d", ports[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	if len(parts) > 8 {
		parts = append(slices.Clip(parts[:8]), "…")
	}
	return strings.Join(parts, ", ")
}
