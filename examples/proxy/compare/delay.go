package main

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// sipp measures in steps of milliseconds, so that these are a caller and a callee of our own, in one process and by one clock.

func listen() (*net.UDPConn, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_, _ = c.SetReadBuffer(4<<20), c.SetWriteBuffer(4<<20)
	return c, nil
}

// measureDelay measures the time from an INVITE until it rings, a call after the other at even distances.
func (b *bench) measureDelay() (figures, error) {
	callee, err := listen()
	if err != nil {
		return nil, err
	}
	defer callee.Close()
	go answer(callee)
	target := callee.LocalAddr().(*net.UDPAddr).Port
	if b.Subject != direct {
		if _, target, err = b.start(b.Subject, target); err != nil {
			return nil, err
		}
	}
	for range 2 { // the first time is the warm-up
		var all []time.Duration
		if all, err = b.ring(target); err != nil {
			return nil, err
		}
		slices.Sort(all)
		b.delays = all
	}
	at := func(q float64) float64 { return float64(b.delays[int(q*float64(len(b.delays)-1))].Microseconds()) }
	return figures{"p50": at(.5), "p99": at(.99)}, nil
}

// ring places calls for the length of the job, and returns how long each took to ring.
func (b *bench) ring(target int) ([]time.Duration, error) {
	conn, err := listen()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	local, to := conn.LocalAddr().String(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(target))
	count := int(float64(b.Rate) * b.Length.Seconds())
	var mu sync.Mutex
	sent, rang, over := make([]time.Time, count), make([]time.Duration, count), 0
	done := make(chan struct{})
	go func() {
		buf := make([]byte, 65535)
		for {
			n, _, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			now, msg := time.Now(), buf[:n]
			id, _, _ := bytes.Cut(field(msg, "Call-ID"), []byte("@"))
			call, err := strconv.Atoi(string(id))
			if err != nil || call < 0 || call >= count {
				continue
			}
			answered := bytes.HasPrefix(msg, []byte("SIP/2.0 200"))
			if answered || bytes.HasPrefix(msg, []byte("SIP/2.0 180")) { // the stack may let the one overtake the other
				mu.Lock()
				if rang[call] == 0 {
					rang[call] = now.Sub(sent[call])
				}
				mu.Unlock()
			}
			switch {
			case !answered:
			case bytes.HasSuffix(field(msg, "CSeq"), []byte("INVITE")):
				for seq, method := range []string{"ACK", "BYE"} {
					_, _ = conn.WriteToUDPAddrPort(within(msg, method, seq+1, local, call), to)
				}
			default:
				if over++; over == count {
					close(done)
				}
			}
		}
	}()
	const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
	begin := time.Now()
	for i := range count {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / time.Duration(b.Rate))))
		number := fmt.Sprintf("+1%d555%04d", areas[i%len(areas)], (b.placedSoFar+i)%10000)
		msg := fmt.Appendf(nil, "INVITE sip:%[1]s@%[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bKi%[4]d\r\n"+
			"From: <sip:+18885550000@%[3]s>;tag=d%[4]d\r\nTo: <sip:%[1]s@%[2]s>\r\nCall-ID: %[4]d@%[3]s\r\nCSeq: 1 INVITE\r\n"+
			"Contact: <sip:dialer@%[3]s>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: %[5]d\r\n\r\n%[6]s",
			number, to, local, i, len(sdp), sdp)
		mu.Lock()
		sent[i] = time.Now()
		mu.Unlock()
		if _, err := conn.WriteToUDPAddrPort(msg, to); err != nil {
			return nil, err
		}
	}
	b.placedSoFar += count
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		return nil, fmt.Errorf("%s: of %d calls %d are over", b.Subject, count, over)
	}
	mu.Lock()
	defer mu.Unlock()
	return rang, nil
}

// within writes an ACK or BYE by the dialog that an answer makes.
func within(answer []byte, method string, seq int, local string, call int) []byte {
	uri := bytes.Trim(field(answer, "Contact"), "<>")
	b := fmt.Appendf(nil, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d\r\n", method, uri, local, method, call)
	routes := fields(answer, "Record-Route")
	for _, r := range slices.Backward(routes) {
		b = fmt.Appendf(b, "Route: %s\r\n", r)
	}
	return fmt.Appendf(b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		field(answer, "From"), field(answer, "To"), field(answer, "Call-ID"), seq, method)
}

// answer is a callee that answers at once, until its socket is closed.
func answer(conn *net.UDPConn) {
	local := conn.LocalAddr().String()
	in, out := make([]byte, 65535), make([]byte, 0, 4096)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(in)
		if err != nil {
			return
		}
		msg := in[:n]
		respond := func(status, tag, rest string) {
			out = fmt.Appendf(out[:0], "SIP/2.0 %s\r\n", status)
			for _, name := range []string{"Via", "Record-Route"} {
				for _, v := range fields(msg, name) {
					out = fmt.Appendf(out, "%s: %s\r\n", name, v)
				}
			}
			out = fmt.Appendf(out, "From: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n%s", field(msg, "From"), field(msg, "To"), tag,
				field(msg, "Call-ID"), field(msg, "CSeq"), rest)
			_, _ = conn.WriteToUDPAddrPort(out, from)
		}
		const none = "Content-Length: 0\r\n\r\n"
		contact := "Contact: <sip:callee@" + local + ">\r\n"
		switch {
		case bytes.HasPrefix(msg, []byte("INVITE ")):
			respond("100 Trying", "", none)
			respond("180 Ringing", ";tag=callee", contact+none)
			respond("200 OK", ";tag=callee", contact+"Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n")
		case bytes.HasPrefix(msg, []byte("BYE ")), bytes.HasPrefix(msg, []byte("OPTIONS ")):
			respond("200 OK", "", none)
		}
	}
}

// field is the value of the first header field of that name, and fields all of them.
func field(msg []byte, name string) []byte {
	if all := fields(msg, name); len(all) > 0 {
		return all[0]
	}
	return nil
}

func fields(msg []byte, name string) (all [][]byte) {
	for line := range bytes.SplitSeq(msg, []byte("\r\n")) {
		if len(line) == 0 {
			return all
		}
		if v, ok := bytes.CutPrefix(line, []byte(name+": ")); ok {
			all = append(all, v)
		}
	}
	return all
}
