package b2bua

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"regexp"
	"strings"

	"github.com/outdial/outdial"
)

// private writes telephone numbers for a log as the configuration wants them: hashed, masked or clear.
type private struct {
	mode string
	key  []byte
}

func newPrivate(l Log) *private {
	p := &private{mode: l.Numbers, key: []byte(l.Secret)}
	if l.Secret == "" { // other hashes with every start
		p.key = make([]byte, 32)
		_, _ = rand.Read(p.key) // it never fails
	}
	return p
}

// number is a number as it may stand in a log. The same number has the same hash as long as the secret stays: who looks for one
// computes it (HMAC-SHA256 over "+" and the digits, the first 8 bytes in hexadecimal).
func (p *private) number(n outdial.Number) string { return p.text(n.String()) }

func (p *private) text(s string) string {
	switch {
	case p.mode == numbersClear:
		return s
	case p.mode == numbersMasked:
		return s[:max(0, len(s)-4)] + "····"[:2*min(4, len(s))]
	}
	m := hmac.New(sha256.New, p.key)
	m.Write([]byte("+" + strings.TrimPrefix(s, "+")))
	return "#" + hex.EncodeToString(m.Sum(nil)[:8])
}

// numberLike is what may be a telephone number in a text: seven digits or more behind a plus, or ten to fifteen digits that are no part of
// a longer word. What is masked already, with dots at its end, is none.
var numberLike = regexp.MustCompile(`(?:\+[0-9]{7,15}|\b[0-9]{10,15}\b)·*`)

// redact hides what may be a number in a text.
func (p *private) redact(s string) string {
	if p.mode == numbersClear || len(s) < 8 {
		return s
	}
	return numberLike.ReplaceAllStringFunc(s, func(found string) string {
		if strings.HasSuffix(found, "·") {
			return found
		}
		return p.text(found)
	})
}

// redacting is a log in which no text has a number in clear, whoever wrote it: errors quote what dialers and carriers sent.
type redacting struct {
	slog.Handler
	private *private
}

// Handle implements slog.Handler.
func (h redacting) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, h.private.redact(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(h.attr(a))
		return true
	})
	return h.Handler.Handle(ctx, out)
}

// attr hides numbers in an attribute. Ids of calls and attempts are hexadecimal numbers of ours.
func (h redacting) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		if a.Key != "call" && a.Key != "attempt" {
			a.Value = slog.StringValue(h.private.redact(v.String()))
		}
	case slog.KindAny:
		if text := v.String(); h.private.redact(text) != text {
			a.Value = slog.StringValue(h.private.redact(text))
		}
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindBool, slog.KindDuration, slog.KindTime, slog.KindLogValuer:
	case slog.KindGroup:
		group := v.Group()
		hidden := make([]slog.Attr, len(group))
		for i := range group {
			hidden[i] = h.attr(group[i])
		}
		a.Value = slog.GroupValue(hidden...)
	}
	return a
}

// WithAttrs implements slog.Handler.
func (h redacting) WithAttrs(attrs []slog.Attr) slog.Handler {
	hidden := make([]slog.Attr, len(attrs))
	for i := range attrs {
		hidden[i] = h.attr(attrs[i])
	}
	return redacting{h.Handler.WithAttrs(hidden), h.private}
}

// WithGroup implements slog.Handler.
func (h redacting) WithGroup(name string) slog.Handler {
	return redacting{h.Handler.WithGroup(name), h.private}
}
