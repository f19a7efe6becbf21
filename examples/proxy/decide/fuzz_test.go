package decide_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/decide"
)

// What the reader takes, encoding/json takes too, and reads the same from it; what it writes, encoding/json reads.
func FuzzFlat(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"text":"a","number":-12,"truth":true}`, `{"text":"\u00e9\ud83d\ude00\n\"\\\/"}`, `{"text":"\ud83d"}`, `{"number":0,"truth":false}`,
		` { "text" : null , "number" : 9223372036854775807 } `, `{"number":01}`, `{"number":1.5}`, `{"number":1e3}`, `{"text":"a","text":"b"}`,
		`{"Text":"a"}`, `{"text":"a"}x`, `{"text":"` + "\x01" + `"}`, `{"text":"` + "\xff" + `"}`, `{"truth":truest}`, `{"number":-}`, `{"text":"\ud800\u0041"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		text, n, truth, err := decide.ReadFlat(in)
		if err != nil {
			return
		}
		var same struct {
			Text   string `json:"text"`
			Number int64  `json:"number"`
			Truth  bool   `json:"truth"`
		}
		d := json.NewDecoder(bytes.NewReader(in))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&same), "%q", in)
		require.Equal(t, []any{same.Number, same.Truth}, []any{n, truth})
		if utf8.ValidString(text) && !bytes.Contains(in, []byte(`\u`)) {
			require.Equal(t, same.Text, text, "%q", in)
		}
		var back string
		require.NoError(t, json.Unmarshal([]byte(decide.Quoted(text)), &back))
		require.Equal(t, text, back)
	})
}

// Whatever is sent, an answer of the document comes, and no channel is held when every call is cancelled.
func FuzzCall(f *testing.F) {
	for _, s := range []string{
		`{"to":"+12125550123","dialer":"test"}`, `{"leg":1,"code":503}`, `{"leg":1,"code":180,"sdp":true,"ago_ms":5}`, `{"leg":1,"code":200}`,
		`{"leg":1,"origin":"no_trying","abandoned":true}`, `{"leg":2,"code":486,"cause":17,"phrase":"x","reason":"y","retry_after":9}`, `{}`,
	} {
		f.Add(s, s, s)
	}
	f.Add(`{"to":"+12125550123","dialer":"test"}`, `{"leg":1,"origin":"no_trying","abandoned":true}`, `{"leg":1,"code":200}`)
	f.Add(`{"to":"+12125550123","dialer":"test","key":"k"}`, `{"leg":1,"code":503}`, `{"leg":2,"code":200}`)
	f.Fuzz(func(t *testing.T, first, second, third string) {
		w := newWorld(t, decide.Config{})
		a := w.post("/v1/decide", first)
		token := a.Token
		if token == "" {
			token = w.begin("k").Token
		}
		for _, body := range []string{second, third, second} {
			w.post("/v1/calls/"+token+"/outcome", body)
			w.post("/v1/calls/"+token+"/progress", body)
			w.post("/v1/calls/"+token+"/next", body)
		}
		w.post("/v1/calls/"+token+"/cancel", `{}`)
		w.server.Drain(0)
		require.Zero(t, w.inUse())
	})
}
