package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/routing"
)

// maxPolicy is how long a configuration may be: rate decks are part of it.
const maxPolicy = 32 << 20

// replayTimeout bounds how long a replay of the journal may take.
const replayTimeout = 20 * time.Second

// policyView is which configuration is in force.
type policyView struct {
	b2bua.Loaded
	ETag     string            `json:"etag"`
	Routing  string            `json:"routing"` // the version that the policy gives itself
	Saved    bool              `json:"saved"`   // the configuration file says the same: a restart changes nothing
	Before   []b2bua.Loaded    `json:"before"`  // what can be gone back to, the latest first
	Findings []routing.Finding `json:"findings"`
}

func policyTag(l b2bua.Loaded) string { return fmt.Sprintf("%q", l.Version) }

func (s *Server) policyView() policyView {
	current, before := s.p.Loaded()
	cfg := s.p.Config()
	v := policyView{Loaded: current, ETag: policyTag(current), Routing: cfg.Routing.Version, Before: before, Findings: cfg.Lint()}
	if v.Before == nil {
		v.Before = []b2bua.Loaded{}
	}
	if s.cfg.File != "" {
		if data, err := os.ReadFile(s.cfg.File); err == nil {
			v.Saved = b2bua.VersionOf(data) == current.Version
		}
	}
	return v
}

func (s *Server) policy(http.ResponseWriter, *http.Request) (reply, *door.Problem) {
	v := s.policyView()
	return reply{etag: v.ETag, body: v}, nil
}

// read reads a configuration from the body of a request. What is wrong with it is named by line and column.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (cfg b2bua.Config, text []byte, p *door.Problem) {
	if text, p = door.Body(w, r, "application/yaml", maxPolicy); p != nil {
		return cfg, nil, p
	}
	name := s.cfg.File
	if name == "" {
		name = "policy.yaml"
	}
	cfg, err := b2bua.Load(name, text)
	if err != nil {
		return cfg, text, badConfig(err)
	}
	return cfg, text, nil
}

// badConfig lists what is wrong with a configuration.
func badConfig(err error) *door.Problem {
	p := door.Refuse(http.StatusUnprocessableEntity, "configuration", "the configuration has mistakes, so the former one stays in force")
	for _, e := range b2bua.Mistakes(err) {
		var file *b2bua.FileError
		var field *b2bua.FieldError
		at, text := "", e.Error()
		if errors.As(e, &file) {
			at, text = fmt.Sprintf("%d:%d", file.Line, file.Column), file.Err.Error()
		}
		if errors.As(e, &field) {
			if text = field.Err.Error(); at != "" {
				at += " "
			}
			at += field.Path
		}
		p.With(at, "%s", text)
	}
	return p
}

// loadProblem is why a configuration was not put in force.
func loadProblem(err error) *door.Problem {
	var field *b2bua.FieldError
	switch {
	case errors.Is(err, b2bua.ErrVersion):
		return door.Refuse(http.StatusPreconditionFailed, "changed", "%v", err)
	case errors.Is(err, b2bua.ErrNoFormer):
		return door.Refuse(http.StatusConflict, "no_former", "%v", err)
	case errors.As(err, &field):
		p := badConfig(err)
		p.Status, p.Title, p.Code = http.StatusConflict, http.StatusText(http.StatusConflict), "not_now"
		p.Detail = "the configuration cannot be put in force as the proxy runs; the former one stays"
		return p
	}
	return refusal(err)
}

func (s *Server) validatePolicy(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	cfg, _, p := s.read(w, r)
	if p != nil {
		return reply{}, p
	}
	out := struct {
		Version  string            `json:"version"`
		Loadable bool              `json:"loadable"` // it could be put in force now
		Problems []string          `json:"problems"` // why not
		Findings []routing.Finding `json:"findings"` // what is valid and hardly meant
	}{Version: cfg.Version(), Loadable: true, Problems: []string{}, Findings: cfg.Lint()}
	if err := s.p.Check(cfg); err != nil {
		out.Loadable = false
		for _, e := range b2bua.Mistakes(err) {
			out.Problems = append(out.Problems, e.Error())
		}
	}
	return ok(out)
}

func (s *Server) diffPolicy(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	q := query{r: r}
	back := q.duration("replay")
	if p := q.problem(); p != nil {
		return reply{}, p
	}
	cfg, _, p := s.read(w, r)
	if p != nil {
		return reply{}, p
	}
	live := s.p.Config()
	out := struct {
		Version     string             `json:"version"`
		Differences []b2bua.Difference `json:"differences"`
		Decks       []deckDiff         `json:"decks"`
		Replay      *b2bua.Replayed    `json:"replay,omitempty"`
	}{Version: cfg.Version(), Differences: b2bua.Diff(live, cfg), Decks: deckDiffs(s.p.Now(), live.Routing, cfg.Routing)}
	if out.Differences == nil {
		out.Differences = []b2bua.Difference{}
	}
	if back > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), replayTimeout)
		defer cancel()
		replay, err := s.p.WhatIf(ctx, cfg, s.p.Now().Add(-back))
		switch {
		case errors.Is(err, b2bua.ErrNoJournal):
			return reply{}, door.Refuse(http.StatusConflict, "no_journal", "%v", err)
		case errors.Is(err, context.DeadlineExceeded):
			return reply{}, door.Refuse(http.StatusConflict, "replay_long", "the journal of %s cannot be replayed within %s", back, replayTimeout)
		case err != nil:
			return reply{}, door.Refuse(http.StatusInternalServerError, "replay", "%v", err)
		}
		out.Replay = replay
	}
	return ok(out)
}

// deckDiff is how a price list differs: see routing.DeckDiff.
type deckDiff struct {
	Deck    string `json:"deck"`
	Added   int    `json:"added"`
	Removed int    `json:"removed"`
	Raised  int    `json:"raised"`
	Lowered int    `json:"lowered"`
}

func deckDiffs(now time.Time, live, next routing.Policy) []deckDiff {
	old, list := map[string]routing.Deck{}, []deckDiff{}
	for _, d := range live.Decks {
		old[d.Name] = d
	}
	typical := cmp.Or(time.Duration(next.Defaults.TypicalCall)*time.Second, time.Minute)
	for _, d := range next.Decks {
		x := routing.DiffDecks(old[d.Name], d, now, typical)
		if n := (deckDiff{d.Name, len(x.Added), len(x.Removed), len(x.Raised), len(x.Lowered)}); n != (deckDiff{Deck: d.Name}) {
			list = append(list, n)
		}
	}
	return list
}

// putPolicy puts a configuration in force.
func (s *Server) putPolicy(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since := time.Now()
	q := query{r: r}
	by := envelope{Actor: q.text("actor"), Reason: q.text("reason")}
	save := q.text("save")
	p := q.problem()
	if p == nil {
		p = by.check(r, s.p.Now())
	}
	if p == nil && save != "" && (save != "true" || s.cfg.File == "") {
		p = door.Invalid("save", "want true, and a proxy that was started with a file")
	}
	if p != nil {
		return reply{}, p
	}
	cfg, text, p := s.read(w, r)
	if p != nil {
		return reply{}, p
	}
	s.edit.Lock()
	defer s.edit.Unlock()
	current, _ := s.p.Loaded()
	if p := match(r, policyTag(current), true); p != nil {
		return reply{}, p
	}
	last := s.lastOrder()
	if err := s.p.Load(cfg, current.Version, b2bua.Change{Actor: by.Actor, Reason: by.Reason}); err != nil {
		return reply{}, loadProblem(err)
	}
	if save != "" {
		if err := overwrite(s.cfg.File, text); err != nil {
			return reply{}, door.Refuse(http.StatusInternalServerError, "not_saved", "it is in force, and could not be written to the file: %v", err)
		}
	}
	return s.changed(since, last, s.readPolicy)
}

func (s *Server) readPolicy() (string, any) {
	v := s.policyView()
	return v.ETag, v
}

func (s *Server) rollbackPolicy(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	since := time.Now()
	var in envelope
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	if p := in.check(r, s.p.Now()); p != nil {
		return reply{}, p
	}
	if in.Expires != nil {
		return reply{}, door.Invalid("expires", "a rollback does not end by itself")
	}
	s.edit.Lock()
	defer s.edit.Unlock()
	current, _ := s.p.Loaded()
	if p := match(r, policyTag(current), false); p != nil {
		return reply{}, p
	}
	last := s.lastOrder()
	if err := s.p.Rollback(current.Version, b2bua.Change{Actor: in.Actor, Reason: in.Reason}); err != nil {
		return reply{}, loadProblem(err)
	}
	return s.changed(since, last, s.readPolicy)
}

// overwrite replaces a file in one step, with the rights that it had.
func overwrite(name string, data []byte) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// explain says what would be done with a call now, and why. Nothing is placed or counted.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) (reply, *door.Problem) {
	var in demand
	if p := door.Decode(w, r, &in); p != nil {
		return reply{}, p
	}
	call, err := s.p.Call(b2bua.Demand(in))
	if err != nil {
		return reply{}, badDemand(err)
	}
	return ok(s.p.Engine().Explain(s.p.Now(), call))
}

// demand is a call that is asked about.
type demand struct {
	Dialer   string `json:"dialer"`
	Ref      string `json:"ref"`
	To       string `json:"to"`
	From     string `json:"from"`
	Tenant   string `json:"tenant"`
	Program  string `json:"program"`
	Campaign string `json:"campaign"`
	Mode     string `json:"mode"`
	Priority string `json:"priority"`
}

func badDemand(err error) *door.Problem {
	var field *b2bua.DemandError
	if errors.As(err, &field) {
		return door.Invalid(field.Field, "%v", field.Err)
	}
	return door.Invalid("to", "%v", err)
}
