package failover

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Rule is one row of the verdict table: conditions, all of which must hold, and what follows. A condition that is
// left zero holds always. It is data.
type Rule struct {
	// Name stands in a Judgement for the row; "" = "rule" and its place in Config.Rules, from 0.
	Name string

	Origin    outdial.Origin     // who ended the attempt; 0 = any
	From, To  uint16             // range of the final SIP status (or a 6xx in a Reason header behind it), 300 to 699; To 0 = From alone; both 0 = any, and none
	Causes    []uint8            // Q.850 values, 1 to 127; empty = any, and none
	Locations []outdial.Location // where the Q.850 cause was generated; empty = any
	Phrase    string             // part of the reason phrase, in any case (ASCII)
	Text      string             // part of the text of a "Reason: SIP" header, in any case (ASCII)
	Header    Header             // a header field of the response, where the host keeps it: see Selector.Headers

	Verdict  outdial.Verdict // the zero value stops
	Evidence Evidence
	Shortage outdial.Shortage // what the trunk has run out of; with EvidenceFull and without it, it is not known of what
}

// Header is a condition on the header fields of a final response (outdial.Result.Headers): that there is one of that name,
// and with that value. The zero value holds always. It is data.
type Header struct {
	Name     string // in any case
	Value    string // the whole value, in any case; "" = any
	Contains string // part of the value, in any case (ASCII)
}

// Judgement is what the verdict table says about the end of an attempt.
type Judgement struct {
	Verdict  outdial.Verdict
	Evidence Evidence
	Shortage outdial.Shortage // what the trunk has run out of: what package trunk may learn from it
	Suspend  time.Duration    // how long the trunk asked to be left alone (503 with Retry-After), capped; 0 = not at all
	Rule     string           // the row that decided; "" = none did, and hunting stops
}

// classifier is the compiled table; it is immutable.
type classifier struct {
	layers      []layer // asked before rows, where they fit
	rows        []row
	byCode      [700 - 300][]uint16 // the places of the rows that may fit a final response, by its status
	retryAfter  time.Duration       // cap
	ignoreRetry bool
}

type row struct {
	name      string
	origin    outdial.Origin
	from, to  uint16
	causes    [2]uint64 // bit set of Q.850 values; both 0 = any
	locations uint16    // bit set; 0 = any
	phrase    string    // lower case
	text      string    // lower case
	header    Header    // Contains in lower case
	verdict   outdial.Verdict
	evidence  Evidence
	shortage  outdial.Shortage
}

// compile checks rules and makes rows of them. The error names every bad field.
func compile(rules []Rule, where string) ([]row, error) {
	var rows []row
	var errs []error
	for i, r := range rules {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("failover: %s[%d] %q: %w", where, i, r.Name, fmt.Errorf(format, args...)))
		}
		to := max(r.To, r.From)
		switch {
		case r.To != 0 && r.To < r.From:
			bad("To: %d is less than From %d", r.To, r.From)
		case to != 0 && (r.From < 300 || to > 699):
			bad("From, To: %d to %d is not within 300 to 699", r.From, to)
		}
		if r.Origin > outdial.OriginHost {
			bad("Origin: %d is not an origin", r.Origin)
		}
		if r.Verdict > outdial.VerdictAuthenticate {
			bad("Verdict: %d is not a verdict", r.Verdict)
		}
		if r.Evidence > EvidenceCLIBlocked {
			bad("Evidence: %d is not a kind of evidence", r.Evidence)
		}
		switch {
		case r.Shortage > outdial.ShortageUnknown:
			bad("Shortage: %d is not a shortage", r.Shortage)
		case r.Shortage != outdial.ShortageNone && r.Evidence != EvidenceFull:
			bad("Shortage: %s goes with evidence full only, not with %s", r.Shortage, r.Evidence)
		case r.Evidence == EvidenceFull && r.Shortage == outdial.ShortageNone:
			r.Shortage = outdial.ShortageUnknown
		}
		w := row{
			name: r.Name, origin: r.Origin, from: r.From, to: to,
			phrase: lower(r.Phrase), text: lower(r.Text), verdict: r.Verdict, evidence: r.Evidence,
			shortage: r.Shortage, header: r.Header,
		}
		w.header.Contains = lower(r.Header.Contains)
		if w.name == "" {
			w.name = fmt.Sprintf("rule %d", i)
		}
		switch h := r.Header; {
		case h.Name == "" && h != (Header{}):
			bad("Header: Name: required")
		case strings.ContainsAny(h.Name, ": \t\r\n"):
			bad("Header: Name: %q is not the name of a header field", h.Name)
		case h.Value != "" && h.Contains != "":
			bad("Header: Value and Contains exclude each other")
		}
		for _, v := range r.Causes {
			if v < 1 || v > 127 {
				bad("Causes: %d is not a Q.850 value", v)
				continue
			}
			w.causes[v/64] |= 1 << (v % 64)
		}
		for _, l := range r.Locations {
			if l > outdial.LocationBeyond {
				bad("Locations: %d is not a location", l)
				continue
			}
			w.locations |= 1 << l
		}
		rows = append(rows, w)
	}
	return rows, errors.Join(errs...)
}

// ruleBlocked is the Judgement.Rule of a result that is a block: no row decides about it.
const ruleBlocked = "blocked"

// judge returns what the first row that matches says about a result on c. It does not allocate. A block stops before
// any row is asked. A 6xx that stands in a Reason header behind a status which was rewritten on the way counts as that
// 6xx.
func (t *classifier) judge(c *outdial.Candidate, r *outdial.Result) Judgement {
	if r.Blocked() {
		return Judgement{Rule: ruleBlocked, Evidence: EvidenceCLIBlocked}
	}
	if r.SIPCause >= 600 && r.SIPCause <= 699 && r.Code < 600 {
		was := *r
		was.Code = r.SIPCause
		r = &was
	}
	var j Judgement
	if w := t.find(c, r); w != nil {
		j = Judgement{Verdict: w.verdict, Evidence: w.evidence, Shortage: w.shortage, Rule: w.name}
	}
	if r.Code == 603 { // the callee declined; no row can make hunting go on
		j.Verdict = outdial.VerdictStop
	}
	if r.Code == 503 && r.RetryAfter > 0 && j.Verdict != outdial.VerdictStop && !t.ignoreRetry {
		j.Suspend = min(r.RetryAfter, t.retryAfter)
		if j.Evidence == EvidenceSoft {
			j.Evidence = EvidenceNone // it said when it will be back; that is not a failure in a row
		}
	}
	return j
}

// find returns the first row that matches, from the most special layer to the default rules.
func (t *classifier) find(c *outdial.Candidate, r *outdial.Result) *row {
	for i := range t.layers {
		if l := &t.layers[i]; l.fits(c) {
			if w := first(l.rows, r); w != nil {
				return w
			}
		}
	}
	if r.Origin != outdial.OriginCarrier || r.Code < 300 || r.Code > 699 {
		return first(t.rows, r)
	}
	for _, i := range t.byCode[r.Code-300] {
		if w := &t.rows[i]; w.matches(r) {
			return w
		}
	}
	return nil
}

// index finds the rows that may fit each status, so that not all have to be asked.
func (t *classifier) index() {
	for code := range t.byCode {
		for i := range t.rows {
			w := &t.rows[i]
			if status := uint16(code + 300); (w.from == 0 || w.from <= status && status <= w.to) &&
				(w.origin == 0 || w.origin == outdial.OriginCarrier) {
				t.byCode[code] = append(t.byCode[code], uint16(i))
			}
		}
	}
}

func first(rows []row, r *outdial.Result) *row {
	for i := range rows {
		if rows[i].matches(r) {
			return &rows[i]
		}
	}
	return nil
}

func (w *row) matches(r *outdial.Result) bool {
	if w.origin != 0 && w.origin != r.Origin ||
		w.from != 0 && (r.Code < w.from || r.Code > w.to) ||
		w.causes != [2]uint64{} && w.causes[r.Cause.Value/64&1]&(1<<(r.Cause.Value%64)) == 0 ||
		w.locations != 0 && w.locations&(1<<(r.Cause.Location&15)) == 0 {
		return false
	}
	return (w.phrase == "" || containsFold(r.Phrase, w.phrase)) && (w.text == "" || containsFold(r.Text, w.text)) &&
		(w.header.Name == "" || w.header.matches(r.Headers))
}

// matches reports whether a field of that name and value is there. Contains is in lower case.
func (h *Header) matches(hs outdial.Headers) bool {
	for name, value := range hs.All() {
		if strings.EqualFold(name, h.Name) && (h.Value == "" || strings.EqualFold(value, h.Value)) && containsFold(value, h.Contains) {
			return true
		}
	}
	return false
}

// containsFold reports whether part, which is in lower case, occurs in s in any case (ASCII).
func containsFold(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		k := 0
		for k < len(part) && lowerByte(s[i+k]) == part[k] {
			k++
		}
		if k == len(part) {
			return true
		}
	}
	return false
}

func lower(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = lowerByte(b[i])
	}
	return string(b)
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
