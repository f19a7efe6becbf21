package page_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk"
)

// patience is how long a browser on a busy machine may take for a step.
const patience = 60 * time.Second

// browser is a tab of headless Chromium that shows the page. What it complains of, fails the test.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// chromium is the one browser of all tests; it is started by the first that needs it.
var chromium struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func startChromium(path string) {
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	silent := chromedp.WithErrorf(func(string, ...any) {}) // it knows less of the protocol than the browser
	ctx, stopBrowser := chromedp.NewContext(alloc, silent)
	chromium.ctx, chromium.err = ctx, chromedp.Run(ctx)
	chromium.stop = func() {
		stopBrowser()
		stop()
	}
}

// open shows the page of w in a tab.
func open(t *testing.T, w *world, width, height int64) *browser {
	t.Helper()
	if race.Enabled {
		t.Skip("the race detector sees nothing of a browser; the tests of the stream run with it")
	}
	path := integ.Program(t, "chromium", "chromium")
	chromium.once.Do(func() { startChromium(path) })
	require.NoError(t, chromium.err)
	ctx, stop := chromedp.NewContext(chromium.ctx)
	t.Cleanup(stop)
	require.NoError(t, chromedp.Run(ctx)) // the tab lives as long as the context of its first run
	b := &browser{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, func(ev any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := ev.(type) {
		case *log.EventEntryAdded: // of the Content-Security-Policy too
			b.problems = append(b.problems, e.Entry.Text+" "+e.Entry.URL)
		case *runtime.EventExceptionThrown:
			b.problems = append(b.problems, e.ExceptionDetails.Error())
		}
	})
	b.run(log.Enable(), runtime.Enable(), chromedp.EmulateViewport(width, height), chromedp.Navigate(w.server.URL+"/"))
	return b
}

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Run(ctx, actions...))
}

// until waits until an expression is true.
func (b *browser) until(expr string) {
	b.t.Helper()
	var is bool
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Poll(expr, &is, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience)))
	if err != nil {
		var text string
		b.eval(`document.body.innerText + document.querySelector('dialog[open]')?.innerText`, &text)
		require.NoError(b.t, err, "%s\n%s", expr, text)
	}
}

func (b *browser) eval(expr string, v any) {
	b.t.Helper()
	b.run(chromedp.Evaluate(expr, v))
}

// text is the text of what a selector finds.
func (b *browser) text(sel string) (s string) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`document.querySelector(%q).textContent`, sel), &s)
	return s
}

// press clicks the button that has a name for screen readers.
func (b *browser) press(name string) {
	b.t.Helper()
	b.run(chromedp.Click(fmt.Sprintf(`button[aria-label=%q]`, name), chromedp.ByQuery))
}

// order fills in who and why, and confirms.
func (b *browser) order(actor, reason string) {
	b.t.Helper()
	b.until(`document.querySelector('#d-order').open`)
	b.run(chromedp.SetValue("#o-actor", actor, chromedp.ByQuery), chromedp.SetValue("#o-reason", reason, chromedp.ByQuery),
		chromedp.Click("#go-order", chromedp.ByQuery))
}

// calm sees to it that the browser had nothing to complain of but what is expected.
func (b *browser) calm(expected ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		known := false
		for _, e := range expected {
			known = known || strings.Contains(p, e)
		}
		require.True(b.t, known, p)
	}
}

// shoot takes a screenshot for people, where OUTDIAL_SHOTS names a directory.
func (b *browser) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("OUTDIAL_SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	b.run(chromedp.Sleep(400*time.Millisecond), chromedp.CaptureScreenshot(&png))
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

func (b *browser) scheme(value string) {
	b.t.Helper()
	b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}))
}

// An operator watches figures move, has a call explained, drills, drains and returns a trunk, and rests a number.
func TestPageIsOperated(t *testing.T) {
	w := newWorld(t, false, full(), siptest.Answer(50*time.Millisecond, 100*time.Millisecond, 0))
	b := open(t, w, 1280, 900)
	w.traffic(6, siptest.CallerCall{HangupAfter: 700 * time.Millisecond})

	b.until(`document.querySelector('#link').textContent === 'live'`)
	b.until(`Number(document.querySelector('#f-answered').textContent) > 3`)
	before := b.text("#f-answered")
	b.until(fmt.Sprintf(`Number(document.querySelector('#f-answered').textContent) > %s`, before))
	b.until(`document.querySelectorAll('#trunks tbody tr').length === 2`)
	b.until(`/100 %/.test(document.querySelector('#trunks tr[data-key="beta-1"]').textContent)`)
	b.until(`/\d \/ 2000/.test(document.querySelector('#trunks tr[data-key="beta-1"]').textContent)`)
	b.until(`/out|suspect|probing/.test(document.querySelector('#trunks tr[data-key="alpha-1"] .health').textContent)`)
	b.until(`/alpha-1 → beta-1/.test(document.querySelector('#failovers').textContent)`)
	b.until(`/alpha-1/.test(document.querySelector('#incidents').textContent)`)
	b.until(`document.querySelectorAll('#plots canvas').length === 3`)
	b.shoot("light")
	b.scheme("dark")
	b.shoot("dark")
	b.scheme("light")

	// A live call explained, and hung up; then one that is over.
	talk := w.talk()
	b.until(`/^(up|200)/.test(document.querySelector('#calls .open[aria-label*="+1212777"]')?.closest('tr').cells[2].textContent)`)
	b.run(chromedp.Click("#c-hold", chromedp.ByQuery))
	b.run(chromedp.Click(`#calls .open[aria-label*="+1212777"]`, chromedp.ByQuery))
	b.until(`document.querySelectorAll('#call .candidate').length === 2`)
	require.Contains(t, b.text("#t-call"), "+1212777····")
	require.Contains(t, b.text("#call"), "Stateup")
	require.Regexp(t, `leg \d, dialledbeta-1`, b.text("#call"))
	require.Contains(t, b.text("#call"), "Outcome of huntinganswered")
	require.Contains(t, b.text("#call"), "What was read")
	b.shoot("live")
	b.press("Hang up the call to +1212777····")
	b.order("noc", "the callee asked for it")
	require.NoError(t, talk())
	b.until(`!document.querySelector('#d-call').open && !document.querySelector('#d-order').open`)
	b.run(chromedp.Click("#c-recent", chromedp.ByQuery))
	b.until(`document.querySelector('#calls .open[aria-label*="+1212555"]') !== null`)
	b.run(chromedp.Click(`#calls .open[aria-label*="+1212555"]`, chromedp.ByQuery))
	b.until(`document.querySelectorAll('#call .candidate').length === 2`)
	require.Contains(t, b.text("#call"), "beta-1")
	require.Contains(t, b.text("#call"), "What was read")
	require.Contains(t, b.text("#t-call"), "+1212555····")
	b.shoot("call")
	b.run(chromedp.Click("#d-call .cancel", chromedp.ByQuery), chromedp.Click("#c-live", chromedp.ByQuery), chromedp.Click("#c-hold", chromedp.ByQuery))
	b.until(`!document.querySelector('#d-call').open`)

	// A drill, and its end.
	b.press("Drill beta-1")
	b.until(`document.querySelector('#d-order').open`)
	require.Empty(t, w.proxy.Failover().Drills(time.Now()), "nothing is ordered before it is confirmed")
	b.shoot("drill")
	b.order("noc", "monthly drill")
	b.until(`document.querySelector('button[aria-label="End drill of beta-1"]') !== null`)
	drills := w.proxy.Failover().Drills(time.Now())
	require.Len(t, drills, 1)
	require.Equal(t, []any{"noc", "monthly drill", 0.25}, []any{drills[0].Actor, drills[0].Reason, drills[0].Order.Share})
	require.WithinDuration(t, drills[0].From.Add(10*time.Minute), drills[0].Until, time.Second)
	b.press("End drill of beta-1")
	b.order("noc", "seen enough")
	b.until(`document.querySelector('button[aria-label="Drill beta-1"]') !== null`)

	// A drain, and the return. Who it is, the page remembers.
	b.press("Drain alpha-1")
	b.until(`document.querySelector('#o-actor').value === 'noc'`)
	b.order("noc", "carrier asked for it")
	b.until(`/draining/.test(document.querySelector('#trunks tr[data-key="alpha-1"]').textContent)`)
	id, _ := w.proxy.IDs().Trunks.Lookup("alpha-1")
	status, _ := w.proxy.Trunks().Status(time.Now(), id)
	require.Equal(t, trunk.Draining, status.State)
	b.press("Return alpha-1")
	b.order("noc", "they are done")
	b.until(`document.querySelector('button[aria-label="Drain alpha-1"]') !== null`)

	// Quarantine and release of a number.
	b.press("Numbers of sales")
	b.until(`document.querySelectorAll('#numbers tbody tr').length === 2`)
	b.shoot("pool")
	b.press("Quarantine " + number)
	b.order("noc", "labelled as spam")
	b.until(`/held by noc|quarantined/.test(document.querySelector('#numbers tbody tr').textContent)`)
	b.press("Release " + number)
	b.order("noc", "the label is gone")
	b.until(fmt.Sprintf(`document.querySelector('button[aria-label="Quarantine %s"]') !== null`, number))
	b.run(chromedp.Click("#d-pool .cancel", chromedp.ByQuery))

	// What was refused is told in the dialog, and changes nothing.
	b.press("Drill beta-1")
	b.until(`document.querySelector('#d-order').open`)
	b.run(chromedp.SetValue("#o-actor", strings.Repeat("x", 64), chromedp.ByQuery), chromedp.SetValue("#o-reason", "   ", chromedp.ByQuery),
		chromedp.Click("#go-order", chromedp.ByQuery))
	b.until(`/reason: required/.test(document.querySelector('#e-order').textContent)`)
	b.calm("422")

	orders := w.proxy.Orders()
	var actions []string
	for _, o := range orders {
		require.Equal(t, "noc", o.Actor)
		actions = append(actions, o.Action)
	}
	require.Len(t, actions, 7, "%v", actions)
}

// Whatever a dialer or a carrier writes is shown as it is, and does nothing.
func TestPageShowsHostileText(t *testing.T) {
	const evil = `<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>`
	w := newWorld(t, false, siptest.Reject(503, evil), siptest.Reject(480, `"><svg onload=window.pwned=3>`))
	b := open(t, w, 1280, 900)
	w.dial(siptest.CallerCall{CallID: `a"><b>x</b>@h`, Headers: []siptest.Header{
		{Name: "X-Outdial-Campaign", Value: evil}, {Name: "X-Outdial-Tenant", Value: "{{7*7}}${7*7}"}, {Name: "User-Agent", Value: evil},
	}})
	b.until(`document.querySelector('#link').textContent === 'live'`)
	b.run(chromedp.Click("#c-recent", chromedp.ByQuery))
	b.until(`document.querySelector('#calls .open') !== null`)
	b.run(chromedp.Click("#calls .open", chromedp.ByQuery))
	b.until(`document.querySelectorAll('#call .candidate').length === 2`)
	text := b.text("#call")
	require.Contains(t, text, evil)
	require.Contains(t, text, `"><svg onload=window.pwned=3>`)
	require.Contains(t, text, "{{7*7}}${7*7}")
	var is bool
	b.eval(`window.pwned === undefined && document.querySelectorAll('img, svg, #call script, #call b b').length === 0`, &is)
	require.True(t, is)
	b.calm()
}

// The page asks for the token, says where it is wrong, and keeps it in its tab alone.
func TestPageAsksForTheToken(t *testing.T) {
	w := newWorld(t, true, full(), answers())
	b := open(t, w, 1280, 900)
	b.until(`document.querySelector('#d-token').open`)
	b.run(chromedp.SetValue("#token", strings.Repeat("f", 32), chromedp.ByQuery), chromedp.Click("#d-token .go", chromedp.ByQuery))
	b.until(`/does not know this token/.test(document.querySelector('#e-token').textContent)`)
	require.Equal(t, "token required", b.text("#link"))
	require.Equal(t, "–", b.text("#f-live"))
	b.run(chromedp.SetValue("#token", token, chromedp.ByQuery), chromedp.Click("#d-token .go", chromedp.ByQuery))
	b.until(`document.querySelector('#link').textContent === 'live' && !document.querySelector('#d-token').open`)
	var kept string
	b.eval(`JSON.stringify([sessionStorage.token, localStorage.length, document.cookie, location.href.includes(sessionStorage.token)])`, &kept)
	require.Equal(t, `["`+token+`",0,"",false]`, kept)

	// The name of the token is who it is: another one is refused, and nothing is changed.
	b.press("Drain beta-1")
	b.order("somebody else", "to see what happens")
	b.until(`/the token is that of "noc"/.test(document.querySelector('#e-order').textContent)`)
	require.Empty(t, w.proxy.Orders())
	b.order("noc", "maintenance")
	b.until(`/draining/.test(document.querySelector('#trunks').textContent)`)
	b.calm("401", "422")
}

// Everything can be done with keys alone, and the focus stays where people left it.
func TestPageByKeyboard(t *testing.T) {
	w := newWorld(t, false, full(), answers())
	b := open(t, w, 1280, 900)
	b.until(`document.querySelectorAll('#trunks tbody tr').length === 2`)
	focus := func() (s string) {
		b.eval(`(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || document.activeElement.id).trim().slice(0, 60)`, &s)
		return s
	}
	b.run(chromedp.KeyEvent(kb.Tab))
	require.Equal(t, "Skip to the trunks", focus())
	b.run(chromedp.KeyEvent(kb.Enter))
	b.until(`document.activeElement.id === 'main'`)
	b.run(chromedp.KeyEvent(kb.Tab))
	require.Equal(t, "Drill alpha-1", focus())
	b.run(chromedp.KeyEvent(kb.Tab))
	require.Equal(t, "Drain alpha-1", focus())
	was := b.text("#f-live")
	w.traffic(1, siptest.CallerCall{})
	b.until(fmt.Sprintf(`document.querySelector('#f-live').textContent !== %q`, was))
	require.Equal(t, "Drain alpha-1", focus(), "snapshots came, and the focus stays")
	b.run(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector('#d-order').open && document.activeElement.id === 'o-actor'`)
	b.run(chromedp.KeyEvent("noc"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("keys alone"), chromedp.KeyEvent(kb.Enter))
	b.until(`/draining/.test(document.querySelector('#trunks').textContent)`)
	b.until(`document.activeElement.getAttribute('aria-label') === 'Return alpha-1'`)
	require.Equal(t, "noc", w.proxy.Orders()[0].Actor)
	b.run(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector('#d-order').open`)
	b.run(chromedp.KeyEvent(kb.Escape))
	b.until(`!document.querySelector('#d-order').open && document.activeElement.getAttribute('aria-label') === 'Return alpha-1'`)
	require.Len(t, w.proxy.Orders(), 1, "Escape orders nothing")
	b.calm()
}

// Screen readers find landmarks, headings and a name for everything that can be used; and nothing is wider than the screen.
func TestPageForEverybody(t *testing.T) {
	w := newWorld(t, false, full(), siptest.Answer(50*time.Millisecond, 100*time.Millisecond, 0))
	b := open(t, w, 390, 844)
	w.traffic(4, siptest.CallerCall{HangupAfter: 500 * time.Millisecond})
	b.until(`Number(document.querySelector('#f-answered').textContent) > 2`)
	var problems []string
	b.eval(`(() => {
		const out = [], name = e => (e.getAttribute('aria-label') || e.labels?.[0]?.textContent || document.getElementById(e.getAttribute('aria-labelledby'))?.textContent || e.textContent || '').trim();
		for (const e of document.querySelectorAll('button, input, select, dialog, section, [role=img], [role=group], [tabindex="0"]')) if (!name(e)) out.push('no name: ' + e.outerHTML.slice(0, 80));
		if (document.querySelectorAll('main').length !== 1 || document.querySelectorAll('body > header').length !== 1 || document.querySelectorAll('h1').length !== 1) out.push('landmarks');
		for (const s of document.querySelectorAll('section')) if (!s.querySelector('h2')) out.push('a section without a heading');
		for (const t of document.querySelectorAll('#trunks, #pools')) for (const r of t.tBodies[0].rows) if (r.getAttribute('role') !== 'row' || r.cells[0].getAttribute('scope') !== 'row') out.push('a row without a head');
		const live = document.querySelectorAll('[aria-live]:not([aria-live=off])');
		if (live.length !== 1 || live[0].id !== 'say') out.push('live regions: ' + live.length);
		if (document.documentElement.lang !== 'en' || !document.title) out.push('language or title');
		for (const h of document.querySelectorAll('.health')) if (!/[a-z]{2}/.test(h.textContent)) out.push('health by sign alone');
		return out;
	})()`, &problems)
	require.Empty(t, problems)
	for _, width := range []int64{390, 320, 768, 1280, 1920} {
		b.run(chromedp.EmulateViewport(width, 900))
		b.until(`[...document.querySelectorAll('.uplot')].every(e => e.getBoundingClientRect().right <= innerWidth + 1)`) // they are told of their width
		var over []string
		b.eval(`[...document.querySelectorAll('body *')].filter(e => e.offsetParent && !e.closest('.sr, .skip, .scroll, .list') && !e.matches('.sr') && getComputedStyle(e.closest('thead') || e).position !== 'absolute' && e.getBoundingClientRect().right > innerWidth + 1)
			.map(e => e.tagName + '#' + e.id + '.' + e.className).slice(0, 5)`, &over)
		require.Empty(t, over, "%d", width)
		var wide bool
		b.eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
		require.False(t, wide, "%d", width)
	}
	b.run(chromedp.EmulateViewport(390, 844))
	b.shoot("390-top")
	if os.Getenv("OUTDIAL_SHOTS") != "" {
		b.run(chromedp.Evaluate(`scrollTo(0, 844)`, nil))
		b.shoot("390-below")
		b.run(chromedp.Evaluate(`scrollTo(0, 1650)`, nil))
		b.shoot("390-end")
	}
	// What is said aloud is that a trunk changed, and not every figure that moves.
	b.until(`/^$|is (out|suspect|probing|up|ramping)/.test(document.querySelector('#say').textContent)`)
	b.calm()
}

// A proxy that goes away is told, and the page comes back with it.
func TestPageConnectsAgain(t *testing.T) {
	w := newWorld(t, false, full(), answers())
	b := open(t, w, 1280, 900)
	b.until(`document.querySelector('#link').textContent === 'live'`)
	w.server.CloseClientConnections()
	b.until(`document.querySelector('#say').textContent.includes('is lost')`)
	b.until(`document.querySelector('#link').textContent === 'live'`)
}
