package b2bua_test

import (
	"bytes"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// A buffer takes what several goroutines log.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// TestLogHasNoNumbers: whatever is logged of a run at the finest level, no number of a callee, a caller or a caller ID stands in it.
func TestLogHasNoNumbers(t *testing.T) {
	var logged logBuffer
	run := func(change func(*b2bua.Config)) string {
		logged.b.Reset()
		bubbleWith(t, siptest.Reject(503, "No way to "+callee), siptest.Answer(100*ms, 200*ms, time.Second), change,
			b2bua.Options{Logger: slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))},
			func(t *testing.T, w *world) {
				w.call(siptest.CallerCall{From: "13125550177", CallID: "13125550177-1@dialer"})
				w.call(siptest.CallerCall{From: "+13125550177", To: "+1900"})           // no number
				w.call(siptest.CallerCall{To: "+12125550123999999999"})                 // nor this
				w.call(siptest.CallerCall{To: "+442079460000", CallID: "442079460000"}) // nothing wrong
				require.NoError(t, w.second.SetBehaviour(siptest.Behaviour{Script: siptest.Silence()}))
				w.call(siptest.CallerCall{To: "+12125550199"})
				w.settled()
			})
		require.Contains(t, logged.b.String(), `"msg":"call"`)
		return logged.b.String()
	}
	raw := regexp.MustCompile(`2125550123|2125550199|3125550177|2079460000|3035550100`)
	text := run(nil)
	require.Empty(t, raw.FindAllString(text, -1), text)
	hash := regexp.MustCompile(`"to":"(#[0-9a-f]{16})"`).FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, hash)
	require.Equal(t, 1, len(regexp.MustCompile(`"cli":"#[0-9a-f]{16}"`).FindAllString(text, 1)))

	// With a secret the hash stays the same from run to run.
	secret := func(c *b2bua.Config) { c.Log.Secret = "0123456789abcdef" }
	again := regexp.MustCompile(`"to":"#[0-9a-f]{16}"`)
	require.Equal(t, again.FindAllString(run(secret), -1), again.FindAllString(run(secret), -1))
	require.NotEqual(t, hash[0][0], again.FindString(run(secret)))

	text = run(func(c *b2bua.Config) { c.Log.Numbers = "masked" })
	require.Empty(t, raw.FindAllString(text, -1))
	require.Contains(t, text, `"to":"+1212555····"`)
	require.Contains(t, run(func(c *b2bua.Config) { c.Log.Numbers = "clear" }), callee)
}

// Nothing gets past by its kind.
func TestRedaction(t *testing.T) {
	var b bytes.Buffer
	log := b2bua.Private(slog.New(slog.NewJSONHandler(&b, nil)), b2bua.Log{Numbers: "hashed"})
	number := "+12125550123"
	log.With("with", "sip:12125550123@x").WithGroup("g").Info("to "+number, "error", errors.New(number), "any", []string{number}, "call", "1234567890123",
		slog.Group("in", "n", number), "at", time.Unix(1_700_000_000, 0), "n", 12125550123, "short", "+123456", "word", "z9hG4bK12125550123")
	require.NotContains(t, strings.ReplaceAll(strings.ReplaceAll(b.String(), `"n":12125550123`, ""), "z9hG4bK12125550123", ""), "2125550123")
	require.Contains(t, b.String(), `"call":"1234567890123"`)
	require.Contains(t, b.String(), `"short":"+123456"`)
}
