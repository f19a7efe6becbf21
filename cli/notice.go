package cli

import (
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Notice is something that a person or a ticket system should do. Notices are handed over as values, and never made in a
// replay.
type Notice struct {
	Kind    NoticeKind
	Time    time.Time
	Number  outdial.Number `json:",omitzero"` // 0 = about the pool
	Pool    string
	Text    string
	Redress *Redress `json:",omitempty"` // NoticeQuarantine: where to object, if a block named it
	Figures []Figure `json:",omitempty"`
}

// NoticeKind is what a Notice is about. It is text in JSON.
type NoticeKind uint8

// Kinds of notice.
const (
	NoticeQuarantine NoticeKind = iota + 1 // a number rests: find out why, and object to a wrong label
	NoticeBreaker                          // too many numbers of a pool look bad at once: the list or the carrier, not the numbers
	NoticeRetire                           // a number goes out of use for good
	NoticeRelease                          // a number can be given back to its carrier
	NoticeUnderused                        // too many numbers of a pool are used too little
	NoticeLabels                           // more numbers of a pool are found labelled than is usual
)

var noticeNames = []string{"", "quarantine", "breaker", "retire", "release", "underused", "labels"}

// String returns the kind in lower case.
func (k NoticeKind) String() string { return nameIn(noticeNames, k) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (k NoticeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Redress is where to object to a block, as a 603+ names it (ATIS-1000099): in the text of its Reason header,
// "v=analytics1;url=…;tel=…;email=…".
type Redress struct {
	URL   string `json:",omitempty"`
	Tel   string `json:",omitempty"`
	Email string `json:",omitempty"`
}

// ParseRedress reads the text of a Reason header; nil if it names nothing.
func ParseRedress(text string) *Redress {
	var r Redress
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch value = strings.TrimSpace(value); strings.ToLower(name) {
		case "url":
			r.URL = strings.Clone(value)
		case "tel":
			r.Tel = strings.Clone(value)
		case "email":
			r.Email = strings.Clone(value)
		}
	}
	if r == (Redress{}) {
		return nil
	}
	return &r
}

// maxNotices bounds what waits to be taken.
const maxNotices = 1 << 12

// notify keeps a notice for whoever asks. In a replay there are none: they were given when it happened.
func (g *Governor) notify(now moment, n *number, kind NoticeKind, text string, figures ...Figure) {
	if g.replaying || len(g.notices) >= maxNotices {
		return
	}
	x := Notice{Kind: kind, Time: g.clock.time(now.at), Number: n.number, Text: text, Figures: figures}
	if n.pool != nil {
		x.Pool = n.pool.name
	}
	if kind == NoticeQuarantine && n.life != nil {
		x.Redress = n.life.redress
	}
	g.notices = append(g.notices, x)
}

// Notices hands over what has come up since it was asked last, the oldest first; each is given once. Some thousand are kept
// if nobody asks.
func (g *Governor) Notices() []Notice {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := g.notices
	g.notices = nil
	return list
}
