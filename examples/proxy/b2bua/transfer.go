package b2bua

import (
	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial/trunk/siptrunk"
)

// A transfer (RFC 3515) is a REFER and the NOTIFYs of how it went. Either side asks the other; the proxy makes no call of it. Whom a REFER names is
// for the other side to read, so that its Refer-To and Referred-By pass as they are.

// transfers reports whether REFER passes.
func (p *Proxy) transfers() bool { return p.set().Refer == "pass" }

// allow lists the methods that are understood.
func (p *Proxy) allow() string {
	if p.transfers() {
		return allow + ", REFER, NOTIFY"
	}
	return allow
}

// allowed are those beside siptrunk's.
func (p *Proxy) allowed() []string {
	if p.transfers() {
		return []string{"REFER", "NOTIFY"}
	}
	return nil
}

func isTransfer(m sip.RequestMethod) bool { return m == sip.REFER || m == sip.NOTIFY }

// negotiates reports whether a request can change the session: of those there is one at a time.
func negotiates(m sip.RequestMethod) bool { return m == sip.INVITE || m == sip.UPDATE }

// transferred are the header fields of a transfer that pass, with their compact forms.
var transferred = [...][2]string{{"Refer-To", "r"}, {"Referred-By", "b"}, {"Refer-Sub", ""}, {"Event", "o"}, {"Subscription-State", ""}}

// transfer returns those of a request.
func transfer(r *sip.Request) (all []siptrunk.Header) {
	if !isTransfer(r.Method) {
		return nil
	}
	for _, name := range transferred {
		h := r.GetHeader(name[0])
		if h == nil && name[1] != "" {
			h = r.GetHeader(name[1])
		}
		if h != nil {
			all = append(all, siptrunk.Header{Name: name[0], Value: clean(h.Value())})
		}
	}
	return all
}
