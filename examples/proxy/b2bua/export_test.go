package b2bua

import (
	"log/slog"
	"net/http"
	"slices"

	"github.com/outdial/outdial/internal/seal"
)

// Sealed is a checkpoint with the checksum of what it holds.
func Sealed(b []byte) []byte {
	return seal.Close(checkpointKind, slices.Clone(b))
}

// Fixed names what only a restart can change.
func Fixed(c, next Config) error { return c.fixed(next) }

// Private is a log as a Proxy makes it of the one that it is given.
func Private(log *slog.Logger, l Log) *slog.Logger {
	return slog.New(redacting{log.Handler(), newPrivate(l)})
}

// Feed is GET /kpi/feed.
func (p *Proxy) Feed(w http.ResponseWriter, r *http.Request) { p.feed(w, r) }

// Snake is how a field without a tag is spelt.
var Snake = snake
