package b2bua

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// FileError is one thing that is wrong with a configuration file, and where.
type FileError struct {
	File         string
	Line, Column int
	Err          error
}

// Error returns "file:line:column: what is wrong".
func (e *FileError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Column, e.Err)
}

// Unwrap returns Err.
func (e *FileError) Unwrap() error { return e.Err }

// Load reads a configuration from YAML and checks it. name is that of the file, for errors and for the files that it
// names. Keys that are not known are errors. The error joins a *FileError for everything that is wrong.
func Load(name string, data []byte) (Config, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Config{}, located(name, err)
	}
	var cfg Config
	d := decoder{file: name, places: map[string]*token.Position{}}
	switch len(file.Docs) {
	case 0:
	case 1:
		d.decode(file.Docs[0].Body, reflect.ValueOf(&cfg).Elem(), "")
	default:
		d.bad(file.Docs[1].Body, errors.New("only one document is expected"))
	}
	cfg.dir, cfg.version = filepath.Dir(name), VersionOf(data)
	if len(d.errs) > 0 {
		return cfg, inOrder(d.errs)
	}
	return cfg, d.locate(cfg.Validate())
}

// decoder fills a Config from a parsed file, and goes on behind errors.
type decoder struct {
	file   string
	places map[string]*token.Position // where each field stands
	errs   []error
}

func (d *decoder) bad(n ast.Node, err error) {
	d.errs = append(d.errs, &FileError{File: d.file, Line: 1, Column: 1, Err: err})
	if t := start(n); t != nil {
		d.errs[len(d.errs)-1] = at(d.file, t.Position, err)
	}
}

// start is the token that a reader sees first; that of a mapping is its first colon.
func start(n ast.Node) *token.Token {
	switch x := n.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if len(x.Values) > 0 {
			return start(x.Values[0])
		}
	case *ast.MappingValueNode:
		return x.Key.GetToken()
	}
	return n.GetToken()
}

func at(file string, p *token.Position, err error) error {
	return &FileError{File: file, Line: p.Line, Column: p.Column, Err: err}
}

// located gives an error of the YAML package its place.
func located(file string, err error) error {
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		return at(file, y.GetToken().Position, errors.New(y.GetMessage()))
	}
	return &FileError{File: file, Line: 1, Column: 1, Err: err}
}

// decode sets v, which path names, to what n says.
func (d *decoder) decode(n ast.Node, v reflect.Value, path string) {
	if n == nil {
		return
	}
	switch n.(type) {
	case *ast.NullNode:
		return
	case *ast.TagNode, *ast.AnchorNode, *ast.AliasNode:
		d.bad(n, errors.New("tags and anchors are not supported"))
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if t, ok := v.Addr().Interface().(*time.Time); ok {
		d.text(n, v, func(b []byte) (err error) { *t, err = date(string(b)); return err })
		return
	}
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, v, t.UnmarshalText)
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		d.text(n, v, func(b []byte) error {
			dur, err := time.ParseDuration(string(b))
			v.SetInt(int64(dur))
			return err
		})
	case v.Kind() == reflect.String:
		d.text(n, v, func(b []byte) error { v.SetString(string(b)); return nil })
	case v.Kind() == reflect.Struct:
		d.mapping(n, v, path)
	case v.Kind() == reflect.Map:
		d.dictionary(n, v, path)
	case v.Kind() == reflect.Slice:
		d.sequence(n, v, path)
	default:
		d.value(n, v)
	}
}

// value sets a number or a truth value; a text in quotes is neither.
func (d *decoder) value(n ast.Node, v reflect.Value) {
	want := "a whole number"
	switch {
	case v.Kind() == reflect.Bool:
		want = "true or false"
	case v.CanFloat():
		want = "a number"
	}
	fits := false
	switch x := n.(type) {
	case *ast.BoolNode:
		fits = v.Kind() == reflect.Bool
	case *ast.IntegerNode:
		fits = v.Kind() != reflect.Bool
	case *ast.FloatNode:
		fits = v.CanFloat() || v.Kind() != reflect.Bool && x.Value == math.Trunc(x.Value)
	}
	if !fits {
		d.bad(n, fmt.Errorf("%s: want %s", n, want))
	} else if err := yaml.NodeToValue(n, v.Addr().Interface()); err != nil {
		d.bad(n, fmt.Errorf("%s is out of range", n))
	}
}

// text gives the text of a scalar, as it is written, to set.
func (d *decoder) text(n ast.Node, v reflect.Value, set func([]byte) error) {
	var s string
	switch x := n.(type) {
	case *ast.StringNode:
		s = x.Value
	case *ast.LiteralNode:
		s = x.Value.Value
	case ast.ScalarNode:
		s = x.GetToken().Value
	default:
		d.bad(n, fmt.Errorf("want one value of type %s", v.Type()))
		return
	}
	if err := set([]byte(s)); err != nil {
		d.bad(n, err)
	}
}

// pairs returns the keys and values of a mapping.
func (d *decoder) pairs(n ast.Node) []*ast.MappingValueNode {
	switch x := n.(type) {
	case *ast.MappingNode:
		return x.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{x}
	}
	d.bad(n, errors.New("want keys with values"))
	return nil
}

// dictionary reads a mapping whose keys are names.
func (d *decoder) dictionary(n ast.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, pair := range d.pairs(n) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		d.decode(pair.Key, key, path)
		d.decode(pair.Value, value, path)
		v.SetMapIndex(key, value)
	}
}

// mapping reads a mapping whose keys are the fields of a struct.
func (d *decoder) mapping(n ast.Node, v reflect.Value, path string) {
	for _, pair := range d.pairs(n) {
		key := pair.Key.GetToken().Value
		f := fieldOf(v, key)
		if !f.IsValid() {
			d.bad(pair.Key, fmt.Errorf("unknown key %q", key))
			continue
		}
		place := strings.TrimPrefix(path+"."+key, ".")
		d.places[place] = pair.Key.GetToken().Position
		d.decode(pair.Value, f, place)
	}
}

func (d *decoder) sequence(n ast.Node, v reflect.Value, path string) {
	x, ok := n.(*ast.SequenceNode)
	if !ok {
		d.bad(n, errors.New("want a list"))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(x.Values), len(x.Values)))
	for i, item := range x.Values {
		place := fmt.Sprintf("%s[%d]", path, i)
		if t := start(item); t != nil {
			d.places[place] = t.Position
		}
		d.decode(item, v.Index(i), place)
	}
}

// fieldOf returns the field of a struct that a key stands for: by its yaml tag, or by its name in snake case.
func fieldOf(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if f.IsExported() && key != "" && key == cmp.Or(name, snake(f.Name)) {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// snake is MaxResting as max_resting, and TTL as ttl.
func snake(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if i > 0 && isUpper(c) && !isUpper(name[i-1]) {
			b.WriteByte('_')
		}
		b.WriteByte(c)
	}
	return strings.ToLower(b.String())
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// date reads a day, in UTC, or a time.
func date(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q: want a date (2027-01-31) or a time (RFC 3339)", s)
	}
	return t, nil
}

// locate gives every FieldError in err the place of its field, or of the nearest one around it.
func (d *decoder) locate(err error) error {
	var out []error
	for _, e := range leaves(err) {
		var f *FieldError
		if !errors.As(e, &f) {
			out = append(out, e)
			continue
		}
		for path := f.Path; ; path = parent(path) {
			if p := d.places[path]; p != nil {
				e = at(d.file, p, f)
			} else if path != "" {
				continue
			} else {
				e = &FileError{File: d.file, Line: 1, Column: 1, Err: f}
			}
			break
		}
		out = append(out, e)
	}
	return inOrder(out)
}

// inOrder joins errors in the order of the file.
func inOrder(errs []error) error {
	slices.SortStableFunc(errs, func(a, b error) int {
		x, y := new(FileError), new(FileError)
		errors.As(a, &x)
		errors.As(b, &y)
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
	})
	return errors.Join(errs...)
}

// parent cuts the last part off "trunks[0].address".
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

// leaves returns the errors that err joins, however deep, up to those that name a field.
func leaves(err error) []error {
	for inner := err; inner != nil; {
		switch x := inner.(type) { //nolint:errorlint // it is the tree itself that is walked
		case *FieldError:
			return []error{x}
		case interface{ Unwrap() []error }:
			var out []error
			for _, e := range x.Unwrap() {
				out = append(out, leaves(e)...)
			}
			return out
		case interface{ Unwrap() error }:
			inner = x.Unwrap()
		default:
			return []error{err}
		}
	}
	return nil
}
