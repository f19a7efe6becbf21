package decide_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/decide"
)

// snippets are the configurations that no switch runs here, with the variables that they write into requests.
var snippets = map[string][]string{
	"opensips.cfg": {
		`\"`, `"`, `" + $(ci{s.encode.hexa}) + "`, "6162", `" + $rU + "`, callee, "$var(leg)", "1", "$rs", "183", "$var(sdp)", "true",
		"$T_reply_code", "503", "$var(origin)", "caller_hangup",
	},
	"asterisk.conf": {
		"${UNIQUEID}", "1700000000.1", "${FILTER(+0-9,${EXTEN})}", callee, "${ARG2}", "1", "${leg}", "1",
		`${IF($["${cause}" = ""]?0:${cause})}`, "34",
	},
}

var (
	aBody = regexp.MustCompile(`\{"(?:key|leg)":.*?[^$}(]\}(?:\}|"|\)|,|'|$)`)
	aPath = regexp.MustCompile(`/v1/[^"',]+`)
	aNext = regexp.MustCompile(`/next"?, ?"?(\{.*?\})`)
	aRead = regexp.MustCompile(`JSON_DECODE\(answer,(\w+)\)|\$json\(a/(\w+)\)`)
)

// What the snippets for switches that are not run here send is what the API takes, on the paths that it has, and what they read from its answers is
// in them.
func TestSnippetsSpeakTheAPI(t *testing.T) {
	for name, variables := range snippets {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile("../docs/" + name)
			require.NoError(t, err)
			w := newWorld(t, decide.Config{}, "name: test", "name: predictive")
			text := strings.NewReplacer(variables...).Replace(string(data))

			paths := map[string]bool{}
			for _, p := range aPath.FindAllString(text, -1) {
				paths[regexp.MustCompile(`/calls/[^/]+/`).ReplaceAllString(p, "/calls/{token}/")] = true
			}
			require.Equal(t, map[string]bool{
				"/v1/decide": true, "/v1/calls/{token}/progress": true, "/v1/calls/{token}/outcome": true, "/v1/calls/{token}/cancel": true,
				"/v1/calls/{token}/next": true,
			}, paths)

			seen := map[string]int{}
			for _, line := range strings.Split(text, "\n") {
				for _, body := range aBody.FindAllString(line, -1) {
					body = body[:strings.LastIndexByte(body, '}')+1]
					if strings.HasSuffix(body, "}}") { // the second one ends an expression of the dialplan
						body = body[:len(body)-1]
					}
					require.NotContains(t, body, "$", "a variable without a value")
					if strings.HasPrefix(body, `{"key"`) {
						seen["decide"]++
						w.post("/v1/decide", body).want(200, "dial")
						w.post("/v1/decide", body).want(200, "dial") // told twice, answered twice
						continue
					}
					a := w.post("/v1/decide", `{"to":"`+callee+`","dialer":"predictive"}`).want(200, "dial")
					verb := "outcome"
					if strings.Contains(body, `"code":183`) || strings.Contains(body, `"code":200`) {
						verb = "progress"
					}
					seen[verb]++
					if strings.Contains(body, "hangup") { // of an answered call
						w.post("/v1/calls/"+a.Token+"/progress", `{"leg":1,"code":200}`).want(200, "connect")
					}
					told := w.post("/v1/calls/"+a.Token+"/"+verb, body)
					require.Equal(t, 200, told.status, "%s: %s", body, told.body)
					w.post("/v1/calls/"+a.Token+"/cancel", "{}").want(200, "stop")
				}
			}
			require.Equal(t, 1, seen["decide"], "%v", seen)
			require.Equal(t, 1, seen["progress"], "%v", seen)
			require.Greater(t, seen["outcome"], 2, "%v", seen)

			// Where there is no room, they wait, and ask for more with nothing in the body.
			full := newWorld(t, decide.Config{}, append([]string{"name: test", "name: predictive"}, scarce...)...)
			for range 3 {
				full.post("/v1/decide", `{"to":"`+callee+`","dialer":"predictive"}`).want(200, "dial")
			}
			wait := full.post("/v1/decide", `{"to":"`+callee+`","dialer":"predictive"}`).want(200, "wait")
			require.Contains(t, text, `"wait"`)
			for _, member := range []string{"token", "delay_ms"} {
				require.Contains(t, wait.body, `"`+member+`":`)
				require.Regexp(t, `JSON_DECODE\(answer,`+member+`\)|\$json\(a/`+member+`\)`, text)
			}
			bodies := aNext.FindAllStringSubmatch(text, -1)
			require.Len(t, bodies, 1)
			full.now = full.now.Add(time.Duration(wait.Delay) * time.Millisecond)
			require.Equal(t, 200, full.post("/v1/calls/"+wait.Token+"/next", bodies[0][1]).status)

			// The first answers say what is read from them.
			a, refused := w.post("/v1/decide", `{"to":"`+callee+`","dialer":"predictive"}`), w.post("/v1/decide", `{"to":"+19005550123","dialer":"predictive"}`)
			for _, m := range aRead.FindAllStringSubmatch(string(data), -1) {
				key := `"` + m[1] + m[2] + `":`
				require.True(t, strings.Contains(a.body, key) || strings.Contains(refused.body, key), "no answer has %s", key)
			}
		})
	}
}
