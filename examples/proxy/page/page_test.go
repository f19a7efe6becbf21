package page_test

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/page"
	"github.com/outdial/outdial/internal/siptest"
)

// answers is a carrier that talks until the caller hangs up.
func answers() siptest.Script { return siptest.Answer(0, 0, 0) }

func full() siptest.Script { return siptest.Reject(503, "Full") }

func get(t *testing.T, url, bearer string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	return res
}

// The page comes whole from the program, without a token, is small, and may do nothing but show itself.
func TestPageIsWholeAndSmall(t *testing.T) {
	w := newWorld(t, true, full(), answers())
	size := 0
	for _, path := range w.page.Open() {
		res := get(t, w.server.URL+path, "")
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 200, res.StatusCode, path)
		size += len(body)
		csp := res.Header.Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'; script-src 'self'; style-src 'self'")
		require.NotContains(t, csp, "unsafe")
		if path == "/page/uplot-LICENSE.txt" {
			require.Contains(t, string(body), "MIT")
			continue
		}
		// Nothing is fetched from elsewhere: the only addresses are names of XML.
		for _, url := range regexp.MustCompile(`https?://[^\s"')]+`).FindAllString(string(body), -1) {
			require.Regexp(t, `^http://www\.w3\.org/|^https://github\.com/leeoniya/uPlot`, url, path)
		}
		if strings.HasSuffix(path, ".js") && path != "/page/uplot.js" {
			require.NotRegexp(t, `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage`, string(body))
		}
		if path == "/" {
			require.NotRegexp(t, `(?i)<script(?:[^>]*)>[^<]|\son[a-z]+=|\sstyle=|javascript:`, string(body), "no inline script or style")
		}
	}
	require.Greater(t, size, 60_000)
	require.Less(t, size, 150_000, "the page in all")
	t.Logf("%d bytes", size)
	res := get(t, w.server.URL+"/page/stream", "")
	require.NoError(t, res.Body.Close())
	require.Equal(t, 401, res.StatusCode, "figures need the token")
	res = get(t, w.server.URL+"/page/../page.go", "")
	require.NoError(t, res.Body.Close())
	require.NotEqual(t, 200, res.StatusCode)
}

// events reads a stream.
type events struct {
	*bufio.Scanner
	body io.Closer
}

func (w *world) stream(t *testing.T, bearer string) *events {
	t.Helper()
	res := get(t, w.server.URL+"/page/stream", bearer)
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	s := bufio.NewScanner(res.Body)
	s.Buffer(nil, 1<<22)
	return &events{s, res.Body}
}

// next returns the next event of a kind.
func (e *events) next(t *testing.T, kind string, v any) string {
	t.Helper()
	for e.Scan() {
		if e.Text() == "event: "+kind && e.Scan() {
			data := strings.TrimPrefix(e.Text(), "data: ")
			require.NoError(t, json.Unmarshal([]byte(data), v))
			return data
		}
	}
	require.FailNow(t, "the stream ended", "%v", e.Err())
	return ""
}

// A viewer gets what the plots show of the past, and then one snapshot after the other; all viewers get the same ones.
func TestStream(t *testing.T) {
	w := newWorld(t, true, full(), answers())
	w.dial(siptest.CallerCall{HangupAfter: time.Millisecond})
	one, two := w.stream(t, token), w.stream(t, token)
	var hello struct {
		Window  string
		History struct{ T []float64 }
	}
	one.next(t, "hello", &hello)
	require.Equal(t, "hour", hello.Window)
	var s page.Snapshot
	var last string
	for s.KPI == nil || s.KPI.ASR.N < 2 || len(s.Recent) == 0 {
		last = one.next(t, "state", &s)
	}
	require.Len(t, s.Trunks, 2)
	require.Equal(t, "alpha", s.Trunks[0].Carrier)
	require.Equal(t, 2000, s.Trunks[1].Ceiling)
	require.InDelta(t, 1, *s.Trunks[1].KPI.ASR.V, 1e-9)
	require.Less(t, s.Trunks[1].KPI.ASR.Lo, 0.9)
	require.NotNil(t, s.Trunks[1].KPI.P50)
	require.Equal(t, "+1212555····", s.Recent[0].To)
	require.Equal(t, 200, s.Recent[0].Code)
	require.Equal(t, []page.Failover{{T: s.Failovers[0].T, From: "alpha-1", To: "beta-1", Why: "503", N: 1}}, s.Failovers)
	require.Equal(t, map[string]int{"active": 2}, s.Pools[0].States)
	require.NotContains(t, last, "2125550123", "the callee stands masked")
	seen := map[int64]string{}
	for range 20 {
		data := one.next(t, "state", &s)
		seen[s.T] = data
	}
	for same := 0; same < 10; { // what waited for the second one is the same
		if data := two.next(t, "state", &s); seen[s.T] != "" {
			require.Equal(t, seen[s.T], data)
			same++
		}
	}
	require.NoError(t, one.body.Close())
	require.NoError(t, two.body.Close())
}

// Calls a second are those of the last five seconds, or of what there is of them; the system's clock may be set back.
func TestCallsASecond(t *testing.T) {
	require.Equal(t, []float64{0, 10, 5, 6, 12, 0, 0},
		page.Rates([]int{0, 1000, 2000, 5000, 10_000, 15_000, 14_000}, []uint64{100, 110, 110, 130, 190, 190, 190}))
}

// Who does not read is dropped; nobody waits for it.
func TestSlowViewerIsDropped(t *testing.T) {
	w := newWorld(t, false, full(), answers()).still()
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(1024))
	_, err = io.WriteString(conn, "GET /page/stream HTTP/1.1\r\nHost: "+w.server.Listener.Addr().String()+"\r\n\r\n")
	require.NoError(t, err)
	quick := w.stream(t, "")
	defer quick.body.Close()
	for now, dropped := w.page.Viewers(); dropped == 0; now, dropped = w.page.Viewers() {
		require.LessOrEqual(t, now, 2)
		w.page.Tick(t.Context())
		if now == 2 {
			var s page.Snapshot
			quick.next(t, "state", &s)
		}
	}
	now, dropped := w.page.Viewers()
	require.EqualValues(t, 1, dropped)
	require.Equal(t, 1, now, "who reads stays")
}

// The time that a server gives a request to come is not the time that a stream may last.
func TestStreamOutlastsReadTimeout(t *testing.T) {
	w := newWorld(t, false, full(), answers())
	s := httptest.NewUnstartedServer(w.server.Config.Handler)
	s.Config.ReadTimeout = 50 * time.Millisecond
	s.Start()
	w.server.Close()
	w.server = s
	e := w.stream(t, "")
	for range 5 { // 100 ms from one to the next
		var snapshot page.Snapshot
		e.next(t, "state", &snapshot)
	}
	require.NoError(t, e.body.Close())
}

// Without viewers nothing but the plots' past is kept.
func TestPastIsKept(t *testing.T) {
	w := newWorld(t, false, full(), answers()).still()
	for range 320 {
		w.page.Tick(t.Context())
	}
	e := w.stream(t, "")
	defer e.body.Close()
	var hello struct {
		History struct {
			T      []float64
			Trunks map[string]struct{ Use []*int }
		}
	}
	e.next(t, "hello", &hello)
	require.Len(t, hello.History.T, 300)
	require.Len(t, hello.History.Trunks["alpha-1"].Use, 300)
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	_, err := page.New(page.Config{})
	require.ErrorContains(t, err, "Proxy: required")
	w := newWorld(t, false, full(), answers())
	_, err = page.New(page.Config{Proxy: w.proxy, Every: -1})
	require.ErrorContains(t, err, "Every")
}

// Text can be read in both sets of colours: contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3).
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("assets/style.css")
	require.NoError(t, err)
	sets := regexp.MustCompile(`:root[^{]*\{([^}]*)\}`).FindAllStringSubmatch(string(css), -1)
	require.Len(t, sets, 3)
	require.Equal(t, sets[1][1], sets[2][1], "dark by the system and by choice")
	for _, set := range sets[:2] {
		color := map[string]string{}
		for _, c := range regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]+)`).FindAllStringSubmatch(set[1], -1) {
			color[c[1]] = c[2]
		}
		for _, pair := range [][2]string{
			{"text", "surface"},
			{"text", "bg"},
			{"muted", "surface"},
			{"muted", "bg"},
			{"muted", "soft"},
			{"accent", "surface"},
			{"on-accent", "accent"},
			{"ok", "surface"},
			{"warn", "surface"},
			{"bad", "surface"},
			{"ok", "ok-soft"},
			{"warn", "warn-soft"},
			{"bad", "bad-soft"},
			{"surface", "bad"},
			{"bg", "text"},
		} {
			a, b := luminance(t, color[pair[0]]), luminance(t, color[pair[1]])
			require.GreaterOrEqual(t, (max(a, b)+0.05)/(min(a, b)+0.05), 4.5, "%s on %s", pair[0], pair[1])
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	hex = strings.TrimPrefix(hex, "#")
	if len(hex) == 3 {
		hex = hex[:1] + hex[:1] + hex[1:2] + hex[1:2] + hex[2:] + hex[2:]
	}
	require.Len(t, hex, 6)
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
