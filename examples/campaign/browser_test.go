package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/internal/race"
)

// patience is how long a browser on a busy machine may take for a step.
const patience = 60 * time.Second

// A browser sees the campaign live on its page: the trunks with their figures and plots, the pools, calls that come and go; nothing is wider than the
// screen, and the browser has nothing to complain of. OUTDIAL_SHOTS names a directory for screenshots, which are taken once the good carrier broke.
func TestCampaignInABrowser(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector sees nothing of a browser; TestCampaignServesItsPage runs with it")
	}
	shots := os.Getenv("OUTDIAL_SHOTS")
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(integ.Program(t, "chromium", "chromium")), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(patience))
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	defer stopAlloc()
	tab, stopTab := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	defer stopTab()
	require.NoError(t, chromedp.Run(tab)) // the browser is there before there is anything to see
	var mu sync.Mutex
	var problems []string
	chromedp.ListenTarget(tab, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := ev.(type) {
		case *log.EventEntryAdded:
			problems = append(problems, e.Entry.Text+" "+e.Entry.URL)
		case *runtime.EventExceptionThrown:
			problems = append(problems, e.ExceptionDetails.Error())
		}
	})

	// More calls than are needed: the campaign is broken off when all was seen.
	o, _ := quick()
	o.Calls, o.CPS, o.Scale, o.Seats, o.Page = 3000, 60, 15, 50, "127.0.0.1:0"
	list := profiles(o)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	reader, writer := io.Pipe()
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		defer writer.Close()
		_, _ = conduct(ctx, o, list, newScreen(writer, o, nil))
	}()
	url := ""
	lines := bufio.NewScanner(reader)
	for url == "" && lines.Scan() {
		url = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(lines.Text())
	}
	require.NotEmpty(t, url)
	go func() { _, _ = io.Copy(io.Discard, reader) }()

	run := func(actions ...chromedp.Action) {
		t.Helper()
		limited, cancel := context.WithTimeout(tab, patience)
		defer cancel()
		require.NoError(t, chromedp.Run(limited, actions...))
	}
	until := func(expr string) {
		t.Helper()
		var is bool
		run(chromedp.Poll(expr, &is, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience)))
	}
	run(log.Enable(), runtime.Enable(), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url))
	until(`document.querySelector('#link').textContent === 'live' && Number(document.querySelector('#f-answered').textContent) > 3`)
	until(`document.querySelector('#trunks tr[data-key="alpha"] .health') !== null`)
	until(`document.querySelectorAll('#plots canvas').length === 3 && document.querySelectorAll('#pools tbody tr').length > 0`)
	until(`document.querySelector('#calls .open') !== null`)
	if shots != "" {
		until(`document.querySelector('#incidents').textContent.includes('alpha is out')`)
	}
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			run(chromedp.EmulateViewport(width, 900),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
			until(`[...document.querySelectorAll('.uplot')].every(e => e.getBoundingClientRect().right <= innerWidth + 1)`)
			until(`document.documentElement.scrollWidth <= innerWidth`)
			if shots != "" {
				var png []byte
				run(chromedp.Sleep(400*time.Millisecond), chromedp.FullScreenshot(&png, 100))
				require.NoError(t, os.WriteFile(filepath.Join(shots, fmt.Sprintf("campaign-%s-%d.png", scheme, width)), png, 0o600))
			}
		}
	}
	mu.Lock()
	require.Empty(t, problems)
	mu.Unlock()
	stop()
	<-ran
}
