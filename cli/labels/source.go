package labels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// Source is a cli.LabelSource over HTTP. Client, URL, Ask and Parse are required. It is safe for concurrent use as long as
// its fields are not changed.
type Source struct {
	Client *http.Client // its timeout bounds each request
	URL    string
	Batch  int // numbers of one request. 0 = 100

	// Header is sent with each request: what authenticates it.
	Header http.Header

	// Ask writes the body of a request for numbers, and its content type.
	Ask func(numbers []outdial.Number) (body []byte, contentType string, err error)

	// Parse reads an answer.
	Parse func(body []byte) ([]outdial.Label, error)
}

var _ cli.LabelSource = (*Source)(nil)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// Lookup implements cli.LabelSource. It asks in batches, one after the other. An answer about a number that was not asked for
// is dropped. When a request fails, what was learned before it is returned with the error.
func (s *Source) Lookup(ctx context.Context, numbers []outdial.Number) ([]outdial.Label, error) {
	if s.Client == nil || s.URL == "" || s.Ask == nil || s.Parse == nil {
		return nil, errors.New("labels: Client, URL, Ask and Parse are required")
	}
	batch := s.Batch
	if batch <= 0 {
		batch = 100
	}
	asked := make(map[outdial.Number]bool, len(numbers))
	for _, n := range numbers {
		asked[n] = true
	}
	var all []outdial.Label
	for part := range slices.Chunk(numbers, batch) {
		list, err := s.ask(ctx, part)
		for _, l := range list {
			if asked[l.Number] {
				all = append(all, l)
			}
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func (s *Source) ask(ctx context.Context, numbers []outdial.Number) ([]outdial.Label, error) {
	body, contentType, err := s.Ask(numbers)
	if err != nil {
		return nil, fmt.Errorf("labels: ask: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	for name, values := range s.Header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := s.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("labels: %w", err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("labels: %s: status %d", req.URL.Host, resp.StatusCode)
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("labels: %s: an answer of more than %d bytes", req.URL.Host, maxAnswer)
	}
	return s.Parse(answer)
}
