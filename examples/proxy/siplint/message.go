package siplint

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ErrNotSIP is the error of Message for what cannot be read as SIP.
var ErrNotSIP = errors.New("not a SIP message")

// Message lists the faults of a message as it came in one datagram or as a capture has it: those of Check, and a body of another length than
// the message says. The error wraps ErrNotSIP.
func Message(data []byte, from netip.AddrPort) ([]Finding, error) {
	data = bytes.TrimLeft(data, "\r\n")
	head, body, ok := bytes.Cut(data, []byte("\r\n\r\n"))
	if !ok {
		return nil, fmt.Errorf("%w: no empty line after the header fields", ErrNotSIP)
	}
	var c checks
	if n, told := contentLength(string(head)); told && n != len(body) {
		c.add(BodyLength, "Content-Length", "%d, and the body has %d bytes", n, len(body))
		data = withLength(head, body)
	}
	m, err := sip.ParseMessage(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSIP, err)
	}
	datagram := true
	if v := m.Via(); v != nil {
		datagram = strings.EqualFold(v.Transport, "UDP")
	}
	signal, ok := m.(Signal)
	if !ok {
		return c.found, nil
	}
	return append(c.found, Check(signal, from, datagram, true)...), nil
}

// contentLength reads the length that the header fields tell; told is whether they do.
func contentLength(head string) (n int, told bool) {
	for line := range strings.SplitSeq(head, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && isLength(name) {
			n, err := strconv.Atoi(strings.TrimSpace(value))
			return n, err == nil
		}
	}
	return 0, false
}

func isLength(name string) bool {
	name = strings.TrimSpace(name)
	return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "l")
}

// withLength is the message with the length that its body has, so that all of it is looked at.
func withLength(head, body []byte) []byte {
	var b bytes.Buffer
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if name, _, ok := strings.Cut(line, ":"); ok && isLength(name) {
			continue
		}
		b.WriteString(line + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(body))
	b.Write(body)
	return b.Bytes()
}
