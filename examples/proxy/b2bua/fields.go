package b2bua

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
)

// origin is how the packages begin an error, and spot how they go on: with the field, as Go names it, and what it is in
// a list: `cli: Numbers[3] +12125550101: Pool: …`, `trunk: Trunks[0] "a": CPS: …`, `outdial: config: Node: …`.
var (
	origin = regexp.MustCompile(`^(?:outdial|cli|trunk|siptrunk|kpi|failover): (?:config: |dial plan: )?`)
	spot   = regexp.MustCompile(`^(\w+)(\[\d+\])?(?: [^:]*)?: `)
)

// otherKeys are the keys that are not spelt as the packages spell their fields.
var otherKeys = map[string]string{"Addr": "address", "PDDTimer": "pdd", "RingTimer": "ring"}

// fields gives the errors of the packages the names that their fields have in the file. f.Path is the section.
func fields(err error) []error {
	var out []error
	for _, e := range leaves(err) {
		var f *FieldError
		if !errors.As(e, &f) {
			out = append(out, e)
			continue
		}
		for _, inner := range leaves(f.Err) {
			path, text := f.Path, inner.Error()
			if path == "routing" { // it names its fields as the file does
				if at, what, ok := strings.Cut(text, ": "); ok && !strings.ContainsAny(at, " \"") {
					path, text = path+"."+at, what
				}
			} else {
				path, text = field(path, origin.ReplaceAllString(text, ""))
			}
			out = append(out, &FieldError{path, errors.New(text)})
		}
	}
	return out
}

// field takes the fields that text begins with into the path of a section, as far as the file has keys for them.
func field(path, text string) (string, string) {
	for m := spot.FindStringSubmatch(text); m != nil; m = spot.FindStringSubmatch(text) {
		key := keyOf(m[1])
		inner := path + "." + key + m[2]
		switch {
		case key == path: // "trunks" and "Trunks[0]" are "trunks[0]"
			inner = path + m[2]
		case hasKey(inner):
		case hasKey(key + m[2]): // the engine's section is "hunting", but for what stands at the top level
			inner = key + m[2]
		default:
			return path, text
		}
		path, text = inner, text[len(m[0]):]
	}
	return path, text
}

var hump = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// keyOf is the key of a field that Go calls by this name.
func keyOf(name string) string {
	if key, ok := otherKeys[name]; ok {
		return key
	}
	return strings.ToLower(hump.ReplaceAllString(name, "${1}_$2"))
}

// hasKey reports whether a configuration has a field at path.
func hasKey(path string) bool {
	t := reflect.TypeFor[Config]()
	for part := range strings.SplitSeq(path, ".") {
		key, _, indexed := strings.Cut(part, "[")
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return false
		}
		f := fieldOf(reflect.New(t).Elem(), key)
		if !f.IsValid() {
			return false
		}
		if t = f.Type(); indexed {
			if t.Kind() != reflect.Slice {
				return false
			}
			t = t.Elem()
		}
	}
	return true
}
