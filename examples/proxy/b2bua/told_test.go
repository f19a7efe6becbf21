package b2bua

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

// What a dialer writes of a redirected call, and what it means.
func TestOutcomeAsTold(t *testing.T) {
	at := time.Date(2026, 3, 2, 15, 4, 5, 0, time.UTC)
	for text, want := range map[string]Outcome{
		`{"token":"x"}`: {},
		`{"token":"x","code":486,"phrase":"Busy Here","cause":17,"ended":"2026-03-02T15:04:05Z"}`: {
			Code: 486, Phrase: "Busy Here", Cause: outdial.Cause{Value: 17}, Ended: at,
		},
		`{"token":"x","ended_by":"caller"}`: {Origin: outdial.OriginCaller},
		`{"token":"x","rang":"2026-03-02T15:04:04Z","answered":"2026-03-02T15:04:05Z","ended_by":"caller"}`: {
			Rang: at.Add(-time.Second), Answered: at, Origin: outdial.OriginCallerHangup,
		},
		`{"token":"x","answered":"2026-03-02T15:04:05Z","ended_by":"callee"}`: {Answered: at, Origin: outdial.OriginCalleeHangup},
	} {
		var in told
		require.NoError(t, json.Unmarshal([]byte(text), &in))
		got, err := in.outcome()
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

// FuzzTold: what is taken of a dialer's word has an order of times, an end that its answer allows, and a code that ends a call, or none.
func FuzzTold(f *testing.F) {
	f.Add([]byte(`{"token":"x","rang":"2026-03-02T15:04:04Z","answered":"2026-03-02T15:04:05Z","ended":"2026-03-02T15:06:05Z","ended_by":"callee"}`))
	f.Add([]byte(`{"token":"x","code":486,"phrase":"Busy Here","cause":17}`))
	f.Add([]byte(`{"token":"x","code":200}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var in told
		if json.Unmarshal(text, &in) != nil {
			return
		}
		o, err := in.outcome()
		if err != nil {
			return
		}
		require.NotEmpty(t, in.Token)
		for _, pair := range [][2]time.Time{{o.Rang, o.Answered}, {o.Answered, o.Ended}, {o.Rang, o.Ended}} {
			require.False(t, !pair[0].IsZero() && !pair[1].IsZero() && pair[0].After(pair[1]))
		}
		require.True(t, o.Code == 0 || o.Code >= 300 && o.Code <= 699 && o.Answered.IsZero())
		hungUp := o.Origin == outdial.OriginCallerHangup || o.Origin == outdial.OriginCalleeHangup
		require.False(t, hungUp && o.Answered.IsZero())
	})
}
