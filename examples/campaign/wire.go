package main

import (
	"bytes"
	"net"
	"strconv"
)

// wire is the dialer's socket. It tells of every response to an INVITE that comes in, at the moment when it comes: an
// agent is given the call when it is answered, not when it is over.
type wire struct {
	*net.UDPConn
	heard func(callID string, code int)
}

// socketBuffer is asked for, so that a busy machine does not lose a burst of datagrams.
const socketBuffer = 4 << 20

func listenWire(heard func(callID string, code int)) (*wire, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(socketBuffer) // the kernel may grant less
	_ = conn.SetWriteBuffer(socketBuffer)
	return &wire{UDPConn: conn, heard: heard}, nil
}

// ReadFrom implements net.PacketConn.
func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := w.UDPConn.ReadFrom(b)
	if err == nil {
		if callID, code, ok := inviteResponse(b[:n]); ok {
			w.heard(callID, code)
		}
	}
	return n, addr, err
}

// inviteResponse reads Call-ID and status of a response to an INVITE, and reports whether msg is one.
func inviteResponse(msg []byte) (callID string, code int, ok bool) {
	line, rest, _ := bytes.Cut(msg, []byte("\r\n"))
	status, found := bytes.CutPrefix(line, []byte("SIP/2.0 "))
	if !found || len(status) < 3 {
		return "", 0, false
	}
	code, err := strconv.Atoi(string(status[:3]))
	if err != nil {
		return "", 0, false
	}
	invite := false
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		name, value = bytes.TrimSpace(name), bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Call-ID")), bytes.EqualFold(name, []byte("i")):
			callID = string(value)
		case bytes.EqualFold(name, []byte("CSeq")):
			invite = bytes.HasSuffix(value, []byte(" INVITE"))
		}
	}
	return callID, code, invite && callID != ""
}
