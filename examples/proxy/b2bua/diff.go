package b2bua

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Difference is a field that differs between two configurations. Secrets are not shown.
type Difference struct {
	Path    string `json:"path"`              // as the file names it; items of lists by their names: "trunks[alpha-1].channels"
	From    string `json:"from"`              // "" = it was not there
	To      string `json:"to"`                // "" = it is not there any more
	Restart bool   `json:"restart,omitempty"` // only a restart brings it
}

// maxDifferences bounds what Diff lists.
const maxDifferences = 1000

// Diff lists what differs from one configuration to another, in the order of the file, and at most the first 1,000.
func Diff(from, to Config) []Difference {
	d := differ{}
	d.compare("", reflect.ValueOf(from.withDefaults()), reflect.ValueOf(to.withDefaults()))
	fixed := leaves(from.withDefaults().fixed(to.withDefaults()))
	for i := range d.list {
		for _, err := range fixed {
			if f, ok := err.(*FieldError); ok && within(d.list[i].Path, f.Path) { //nolint:errorlint // leaves returns them as they are
				d.list[i].Restart = true
			}
		}
	}
	return d.list
}

// within reports whether a path lies in a section.
func within(path, section string) bool {
	rest, ok := strings.CutPrefix(path, section)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

type differ struct{ list []Difference }

func (d *differ) add(path, from, to string) {
	if len(d.list) < maxDifferences && from != to {
		d.list = append(d.list, Difference{Path: path, From: from, To: to})
	}
}

func (d *differ) compare(path string, a, b reflect.Value) {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return
	}
	if secret(path) {
		d.add(path, hidden(a, "a secret"), hidden(b, "another secret"))
		return
	}
	switch {
	case a.Kind() == reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			d.add(path, shown(a), shown(b))
			return
		}
		d.compare(path, a.Elem(), b.Elem())
	case plain(a):
		d.add(path, shown(a), shown(b))
	case a.Kind() == reflect.Struct:
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.IsExported() {
				name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
				if name == "" {
					name = snake(f.Name)
				}
				d.compare(strings.TrimPrefix(path+"."+name, "."), a.Field(i), b.Field(i))
			}
		}
	case a.Kind() == reflect.Slice:
		d.lists(path, a, b)
	default:
		d.add(path, shown(a), shown(b))
	}
}

// lists compares lists: of things with names by these, of others by their places.
func (d *differ) lists(path string, a, b reflect.Value) {
	keys, was, is := []string{}, map[string]reflect.Value{}, map[string]reflect.Value{}
	for _, side := range []struct {
		v  reflect.Value
		at map[string]reflect.Value
	}{{a, was}, {b, is}} {
		for i := range side.v.Len() {
			key := nameIn(side.v.Index(i), i)
			if _, twice := side.at[key]; twice {
				key = strconv.Itoa(i)
			}
			if side.at[key] = side.v.Index(i); !containsKey(was, key) || side.v == a {
				keys = append(keys, key)
			}
		}
	}
	for _, key := range keys {
		x, there := was[key]
		y, stays := is[key]
		place := path + "[" + key + "]"
		switch {
		case !stays:
			d.add(place, shown(x), "")
		case !there:
			d.add(place, "", shown(y))
		default:
			d.compare(place, x, y)
		}
	}
}

func containsKey(m map[string]reflect.Value, key string) bool { _, ok := m[key]; return ok }

// nameIn is what tells an item of a list from the others.
func nameIn(v reflect.Value, i int) string {
	if v.Kind() == reflect.Struct {
		for _, field := range []string{"Name", "Number", "Carrier", "Campaign", "Tenant"} {
			if f := v.FieldByName(field); f.IsValid() && !f.IsZero() {
				return shown(f)
			}
		}
	}
	return strconv.Itoa(i)
}

// plain reports whether a value is shown as one text.
func plain(v reflect.Value) bool {
	switch v.Interface().(type) {
	case time.Duration, encoding.TextMarshaler, fmt.Stringer:
		return true
	}
	return v.Kind() != reflect.Struct && v.Kind() != reflect.Slice
}

// shown is a value as a text of at most 200 bytes, without its secrets.
func shown(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	text := ""
	switch x := v.Interface().(type) {
	case encoding.TextMarshaler:
		b, _ := x.MarshalText()
		text = string(b)
	case fmt.Stringer:
		text = x.String()
	default:
		switch v.Kind() {
		case reflect.Struct:
			parts := []string{}
			for i := range v.NumField() {
				f := v.Type().Field(i)
				if !f.IsExported() || v.Field(i).IsZero() {
					continue
				}
				name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
				if name == "" {
					name = snake(f.Name)
				}
				if secret(name) {
					parts = append(parts, name+": …")
				} else {
					parts = append(parts, name+": "+shown(v.Field(i)))
				}
			}
			text = "{" + strings.Join(parts, ", ") + "}"
		case reflect.Slice:
			parts := []string{}
			for i := range min(v.Len(), 20) {
				parts = append(parts, shown(v.Index(i)))
			}
			text = "[" + strings.Join(parts, ", ") + "]"
		default:
			text = fmt.Sprint(x)
		}
	}
	if len(text) > 200 {
		text = text[:197] + "…"
	}
	return text
}

func secret(path string) bool {
	last := path[strings.LastIndexByte(path, '.')+1:]
	return last == "password" || last == "secret"
}

func hidden(v reflect.Value, text string) string {
	if v.IsZero() {
		return ""
	}
	return text
}
