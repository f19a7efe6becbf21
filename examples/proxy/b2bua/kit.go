package b2bua

import (
	"time"

	"github.com/outdial/outdial"
)

// kit is what a call needs only while it lives, and the next one on the same goroutine uses again.
type kit struct {
	session *outdial.Session // nil = no call has asked for one yet
	timer   *time.Timer
	items   []any // what the inbox gave last
}

// rest stops the timer, and lets what came for the call go.
func (k *kit) rest() {
	k.timer.Stop()
	clear(k.items)
}

// borrow returns the Session.
func (k *kit) borrow(e *outdial.Engine) *outdial.Session {
	if k.session == nil {
		k.session = e.NewSession()
	}
	return k.session
}

// clock returns the timer, which does not run.
func (k *kit) clock() *time.Timer {
	if k.timer == nil {
		k.timer = time.NewTimer(time.Hour)
		k.timer.Stop()
	}
	return k.timer
}
