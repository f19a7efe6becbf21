package siptest

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/emiago/sipgo/sip"
)

func (d *dial) fault(format string, args ...any) {
	if f := fmt.Sprintf(format, args...); !slices.Contains(d.res.Faults, f) {
		d.res.Faults = append(d.res.Faults, f)
	}
}

// checkResponse looks at what only the caller can: its Via as it comes back, and its Record-Route.
func (d *dial) checkResponse(res *sip.Response) {
	local, via := d.c.ep.local, res.Via()
	port := via.Params.GetOr("rport", "")
	if wrong := port != strconv.Itoa(int(local.Port())); wrong && (d.c.ep.transport == "UDP" || port == "") || // a connection has a port of its own
		via.Params.GetOr("received", "") != local.Addr().String() {
		d.fault("%d to %s without rport or received in Via", res.StatusCode, res.CSeq().MethodName)
	}
	if res.CSeq().MethodName != sip.INVITE || res.StatusCode == 100 || res.StatusCode >= 300 {
		return
	}
	if got := values(res, "Record-Route"); len(d.call.RecordRoute) > 0 && !slices.Equal(got, d.call.RecordRoute) {
		d.fault("%d with Record-Route %q", res.StatusCode, got)
	}
}

// checkRequest looks at a request within the dialog; who sent it is known.
func (d *dial) checkRequest(req *sip.Request) {
	if got := values(req, "Route"); !slices.Equal(got, d.call.RecordRoute) {
		d.fault("%s with Route %q", req.Method, got)
	}
	if got := req.Recipient.String(); "<"+got+">" != d.contact() {
		d.fault("%s to %s", req.Method, got)
	}
	if seq := req.CSeq().SeqNo; seq < d.theirSeq {
		d.fault("%s with CSeq %d after %d", req.Method, seq, d.theirSeq)
	} else {
		d.theirSeq = seq
	}
}
