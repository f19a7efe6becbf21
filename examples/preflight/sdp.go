package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// description is what an answer says of the first audio stream.
type description struct {
	addr      netip.AddrPort // where it wants its packets
	direction string         // "sendrecv", "sendonly", "recvonly" or "inactive", from its side
}

// parseSDP reads an answer to our offer (RFC 8866, RFC 3264). The error says why audio cannot be sent.
func parseSDP(sdp []byte) (description, error) {
	d := description{direction: "sendrecv"}
	host, port := "", ""
	var formats []string
	for line := range strings.Lines(string(sdp)) {
		kind, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		f := strings.Fields(value)
		if kind == "m" && port != "" {
			break // the next stream
		}
		audio := kind == "m" && len(f) > 3 && f[0] == "audio"
		switch {
		case audio:
			port, formats = f[1], f[3:]
		case kind == "m":
			return d, errors.New("the first stream of the answer is no audio")
		case kind == "c" && len(f) == 3: // that of the stream stands later, and wins
			host = f[2]
		case kind == "a" && slices.Contains([]string{"sendrecv", "sendonly", "recvonly", "inactive"}, value):
			d.direction = value
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case port == "":
		return d, errors.New("the answer describes no audio")
	case err != nil:
		return d, fmt.Errorf("the answer has the port %.32q", port)
	case n == 0:
		return d, errors.New("the answer refuses the audio stream (port 0)")
	case !slices.Contains(formats, "0"):
		return d, fmt.Errorf("the answer does not take PCMU, but formats %.64q", strings.Join(formats, " "))
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return d, fmt.Errorf("the answer has no address for audio: c=%.64q", host)
	}
	if addr.IsUnspecified() || addr.IsMulticast() {
		return d, fmt.Errorf("the answer wants audio at %s", addr)
	}
	d.addr = netip.AddrPortFrom(addr.Unmap().WithZone(""), uint16(n))
	return d, nil
}
