package routing

import (
	"fmt"
	"slices"
	"strings"
)

// deckColumn is what a column of a deck file holds.
type deckColumn uint8

const (
	colPrefix deckColumn = iota
	colCountryCode
	colNPANXX
	colNPA
	colNXX
	colBlock
	colRate
	colIntrastate
	colIndeterminate
	colIncrement
	colFirst
	colNext
	colSetup
	colEffective
	colEnd
	colIgnored  // for people
	colNameless // a spreadsheet's, which is to be empty
	numColumns
)

// columnNames are the names that carriers give to a column, without spaces, marks and what stands in brackets; our own
// name stands first.
var columnNames = [numColumns][]string{
	colPrefix: {
		"prefix", "code", "dialcode", "dialprefix", "dialingcode", "areacode", "citycode", "destinationcode", "breakout", "e164", "digits",
	},
	colCountryCode:   {"countrycode", "cc"},
	colNPANXX:        {"npanxx", "npanxxx", "npanxxy", "lata6"},
	colNPA:           {"npa"},
	colNXX:           {"nxx", "exchange"},
	colBlock:         {"block", "thousandsblock", "blockid"},
	colRate:          {"rate", "price", "cost", "rateperminute", "permin", "perminute", "interrate", "interstate", "interstaterate", "inter"},
	colIntrastate:    {"intrastate", "intrastaterate", "intrarate", "intra"},
	colIndeterminate: {"indeterminate", "indeterminaterate", "indet", "indetrate", "ij", "ijrate", "ijurisdictional"},
	colIncrement:     {"increment", "increments", "billingincrement", "billingincrements", "billing", "rounding"},
	colFirst:         {"firstincrement", "firstinterval", "initialincrement", "initialinterval", "minimum", "minduration", "minimumduration"},
	colNext:          {"nextincrement", "nextinterval", "subsequentincrement", "subsequentinterval", "interval"},
	colSetup:         {"setup", "setupfee", "connectionfee", "connectfee", "connectioncharge", "setuprate"},
	colEffective:     {"effective", "effectivedate", "effectivefrom", "validfrom", "startdate", "from"},
	colEnd:           {"end", "enddate", "expires", "expiry", "expirydate", "validto", "validuntil", "until"},
	colIgnored: {
		"destination", "country", "name", "description", "destinationname", "comment", "comments", "currency", "lata", "ocn",
		"state", "region", "change", "status", "operator", "network", "location",
	},
}

// columnOf returns what a column with a name holds.
func columnOf(name string) (deckColumn, bool) {
	name, _, _ = strings.Cut(strings.ToLower(name), "(")
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t_-./\\", r) {
			return -1
		}
		return r
	}, name)
	for c, names := range columnNames {
		if slices.Contains(names, name) {
			return deckColumn(c), true
		}
	}
	return 0, false
}

// readHeader returns what each column of a file holds.
func readHeader(header [][]byte) (columns []deckColumn, err error) {
	bad := newProblems()
	var has [numColumns]bool
	for i, name := range header {
		text := string(name)
		if i == 0 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		col, ok := columnOf(text)
		switch {
		case text == "":
			col = colNameless
		case !ok:
			bad.add("header", "unknown column %.40q: want %s", text, wantedColumns())
			col = colIgnored
		case has[col] && col < colIgnored:
			bad.add("header", "%q: there is a column for %q already", text, columnNames[col][0])
		}
		has[col] = true
		columns = append(columns, col)
	}
	if !has[colPrefix] && !has[colNPANXX] && !(has[colNPA] && has[colNXX]) {
		bad.add("header", "column %q is missing (or npanxx, or npa and nxx)", columnNames[colPrefix][0])
	}
	if has[colPrefix] && (has[colNPANXX] || has[colNPA]) {
		bad.add("header", "there is a column for %q and one for area codes of North America", columnNames[colPrefix][0])
	}
	if !has[colRate] {
		bad.add("header", "column %q is missing", columnNames[colRate][0])
	}
	if has[colIncrement] && (has[colFirst] || has[colNext]) {
		bad.add("header", "there is a column for %q and one for its parts", columnNames[colIncrement][0])
	}
	return columns, bad.err()
}

func wantedColumns() string {
	var names []string
	for c := range colIgnored {
		names = append(names, columnNames[c][0])
	}
	return fmt.Sprintf("%s, or what carriers call them", strings.Join(names, ", "))
}
