package cdr

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Mapping says where a plain file of call detail records, comma-separated with one line for each attempt, keeps what. A
// column is named as the file's first line has it, or, in a file without such a line, by its number from 1. Empty = the
// file does not have it; one that is named and missing is an error, and so is a line that ends before it. Asterisk, FreeSWITCH
// and Kamailio return mappings for those.
//
// Of an answered attempt, where the answer came is unknown without Answer, or Total and Billed: it counts as answered at once.
// Where nothing says when it ended, how long it lasted is unknown.
type Mapping struct {
	Header bool // the first line names the columns
	Comma  rune // between fields; 0 = ","

	Start    string // when the attempt was made: required
	Answer   string // when it was answered; empty or zero in the file = it was not
	End      string // when it ended
	Ring     string // when it first rang
	Total    string // seconds from start to end, where End is empty
	Billed   string // seconds from answer to end, where Answer is empty
	PDD      string // seconds, or with MillisPDD milliseconds, from start to the first response beyond 100
	MillisPD bool

	To, From string // numbers, as Dial reads them
	Ref      string // the file's own id of the call
	Trunk    string // a name; of an Asterisk channel "SIP/gold-0000a1" or a FreeSWITCH gateway the part that names it
	Carrier  string
	Campaign string
	Pool     string
	Cost     string // price of a minute, in currency units

	Status string // SIP status of the final response
	Cause  string // Q.850: a number, or a name of FreeSWITCH or Asterisk ("USER_BUSY")
	Result string // a word: "ANSWERED", "BUSY", "NO ANSWER", "FAILED" …
	Phrase string

	// Layout is how times are written: a layout of package time, "unix" for seconds and "unixmicro" for microseconds since
	// 1970. "" = any of RFC 3339, "2006-01-02 15:04:05" and seconds since 1970, each with a fraction or without.
	Layout string
	Zone   *time.Location // of times that do not say theirs; nil = UTC
	Dial   outdial.DialPlan
}

// Asterisk is the mapping of Master.csv, which cdr_csv writes: no header, the trunk from the destination channel.
func Asterisk() Mapping {
	return Mapping{
		From: "2", To: "3", Trunk: "7", Start: "10", Answer: "11", End: "12", Total: "13", Billed: "14", Result: "15", Ref: "17",
	}
}

// FreeSWITCH is the mapping of mod_cdr_csv with a template of these columns, in this order and without a header:
// "${caller_id_number}","${destination_number}","${start_stamp}","${progress_stamp}","${answer_stamp}","${end_stamp}",
// "${duration}","${billsec}","${hangup_cause}","${sip_term_status}","${sip_gateway_name}","${uuid}".
func FreeSWITCH() Mapping {
	return Mapping{
		From: "1", To: "2", Start: "3", Ring: "4", Answer: "5", End: "6", Total: "7", Billed: "8", Cause: "9", Status: "10",
		Trunk: "11", Ref: "12",
	}
}

// Kamailio is the mapping of a dump of the acc table with a header, one line a transaction: method, from_tag, to_tag, callid,
// sip_code, sip_reason, time, with src_user, dst_user and the gateway as extra columns. Lines of other methods than INVITE
// are passed over; a BYE line with the same callid ends the call. A challenge (401, 407) that the same callid tries again
// behind is no attempt of its own, and neither is an INVITE of a dialog that is there already (the same callid and to_tag).
func Kamailio() Mapping {
	return Mapping{
		Header: true, Start: "time", Ref: "callid", Status: "sip_code", Phrase: "sip_reason", From: "src_user", To: "dst_user",
		Trunk: "gateway",
	}
}

// MappingOf returns the mapping of a kind of file: "asterisk", "freeswitch" or "kamailio".
func MappingOf(kind string) (Mapping, error) {
	switch kind {
	case "asterisk":
		return Asterisk(), nil
	case "freeswitch":
		return FreeSWITCH(), nil
	case "kamailio":
		return Kamailio(), nil
	}
	return Mapping{}, fmt.Errorf("cdr: no mapping %q: want asterisk, freeswitch or kamailio", kind)
}

// Import reads a plain file of call detail records and gives the events of each attempt: EventStarted, EventAnswered if it
// was answered, EventEnded, in this order and with Replay set, so that a meter counts them as it does live ones. Attempts
// get call ids in the order of the file, from 1: a plain file does not tell which attempts were of one call. Names get their ids
// from ids.
//
// An error comes once, with a nil event, and is the end; those of the file's content are of type *LineError and name line
// and column. An event and what it points to are valid until the next one.
func Import(r io.Reader, m Mapping, ids *outdial.Registry) iter.Seq2[*outdial.Event, error] {
	return func(yield func(*outdial.Event, error) bool) {
		if m.Start == "" || ids == nil {
			yield(nil, errors.New("cdr: Import: Mapping.Start and a registry are required"))
			return
		}
		x := importer{mapping: m, ids: ids}
		if err := x.run(r, yield); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

var errStopped = errors.New("the reader has seen enough")

// importer reads one file.
type importer struct {
	mapping Mapping
	ids     *outdial.Registry
	at      map[string]int // column by name
	least   int            // fields that a line must have
	row     []string
	line    int
	calls   outdial.CallID
	open    map[string]*dialog          // Kamailio: answered, without a BYE yet, by Ref
	asked   map[string]*outdial.Attempt // Kamailio: challenged, and not tried again yet, by Ref
}

func (x *importer) run(r io.Reader, yield func(*outdial.Event, error) bool) error {
	in := csv.NewReader(withoutMark(r))
	in.FieldsPerRecord = -1
	in.ReuseRecord = true
	if x.mapping.Comma != 0 {
		in.Comma = x.mapping.Comma
	}
	for first := true; ; first = false {
		row, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return x.flush(yield)
		case err != nil:
			return csvError(err)
		}
		x.line, _ = in.FieldPos(0)
		if first {
			if err := x.columns(row); err != nil {
				return err
			}
			if x.mapping.Header {
				continue
			}
		}
		if len(row) < x.least {
			return &LineError{Line: x.line, Err: fmt.Errorf("%d fields, and the columns that are mapped go up to %d", len(row), x.least)}
		}
		x.row = row
		if err := x.attempt(yield); err != nil {
			return err
		}
	}
}

// columns finds where the mapping's columns stand.
func (x *importer) columns(first []string) error {
	x.at = map[string]int{}
	m := &x.mapping
	for _, name := range []string{
		m.Start, m.Answer, m.End, m.Ring, m.Total, m.Billed, m.PDD, m.To, m.From, m.Ref, m.Trunk, m.Carrier, m.Campaign, m.Pool,
		m.Cost, m.Status, m.Cause, m.Result, m.Phrase,
	} {
		n, err := strconv.Atoi(name)
		switch {
		case name == "":
			continue
		case m.Header:
			n = 1 + slices.IndexFunc(first, func(have string) bool { return strings.EqualFold(strings.TrimSpace(have), name) })
		case err != nil || n < 1:
			return &LineError{Line: 1, Column: name, Err: errors.New("a file without a header has its columns by number")}
		}
		if n < 1 || n > len(first) {
			return &LineError{Line: 1, Column: name, Err: errors.New("missing")}
		}
		x.at[name], x.least = n-1, max(x.least, n)
	}
	if m.Header {
		for i, have := range first {
			if name := strings.ToLower(strings.TrimSpace(have)); name == "method" || name == "to_tag" {
				x.at[name] = i
			}
		}
	}
	return nil
}

// field is the text of a column, "" where the file has none.
func (x *importer) field(name string) string {
	i, ok := x.at[name]
	if name == "" || !ok || i >= len(x.row) {
		return ""
	}
	return strings.TrimSpace(x.row[i])
}

func (x *importer) fault(column string, err error) error {
	return &LineError{Line: x.line, Column: column, Err: err}
}
