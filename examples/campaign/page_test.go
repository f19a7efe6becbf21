package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The page is there while the campaign runs, with its calls on it, and gone with it.
func TestCampaignServesItsPage(t *testing.T) {
	o, list := quick()
	o.Page = "127.0.0.1:0"
	reader, writer := io.Pipe()
	seen := make(chan string, 1)
	go func() {
		url := ""
		lines := bufio.NewScanner(reader)
		for lines.Scan() {
			if m := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(lines.Text()); m != "" && url == "" {
				url = m
				go func() { seen <- watchPage(url) }()
			}
		}
	}()
	sum, err := conduct(context.Background(), o, list, newScreen(writer, o, nil))
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	for _, c := range sum.Checked {
		require.True(t, c.OK, "%s: %s", c.Name, c.Fault)
	}
	require.Equal(t, "a snapshot with answers", <-seen)
}

// watchPage reads snapshots until one has an answered call.
func watchPage(url string) string {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if !strings.Contains(string(text), "<title>outdial</title>") {
		return string(text)
	}
	if res, err = client.Get(url + "page/stream"); err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if regexp.MustCompile(`"answered":[1-9].*"name":"alpha"`).MatchString(lines.Text()) {
			return "a snapshot with answers"
		}
	}
	return "the stream ended"
}

func TestPageIsAnOption(t *testing.T) {
	for want, args := range map[string][]string{
		"127.0.0.1:0": {}, "": {"--headless"}, ":8484": {"--json", "--page", ":8484"}, "127.0.0.1:1": {"--page", "127.0.0.1:1"},
	} {
		o, err := parseOptions(args, &bytes.Buffer{})
		require.NoError(t, err)
		require.Equal(t, want, o.Page)
	}
	o, list := quick()
	o.Page = "192.0.2.1:0" // without a token on loopback alone
	_, err := conduct(context.Background(), o, list, newScreen(&bytes.Buffer{}, o, nil))
	require.ErrorContains(t, err, "token")
}
