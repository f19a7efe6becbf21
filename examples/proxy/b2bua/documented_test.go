package b2bua_test

import (
	"encoding"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/routing"
)

// Every key of the configuration stands in outdial.yaml, in its section: as a key, or in a comment that shows it as one. The rules of
// countries (cli.rules) and what routing.Policy has beside are documented with an example there and in full in their packages.
func TestEveryKeyIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../outdial.yaml")
	require.NoError(t, err)
	sections := map[string]string{}
	section := ""
	for line := range strings.SplitSeq(string(data), "\n") {
		if m := regexp.MustCompile(`^(?:# ?)?([a-z_0-9]+):`).FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		sections[section] += line + "\n"
	}
	var missing []string
	for _, path := range keysOf(reflect.TypeFor[b2bua.Config](), "", map[reflect.Type]bool{}) {
		parts := strings.Split(path, ".")
		text, found := sections[parts[0]]
		key := parts[len(parts)-1]
		if !found || len(parts) > 1 && !regexp.MustCompile(`(^|[^a-z_])`+key+`([^a-z_]|$)`).MatchString(text) {
			missing = append(missing, path)
		}
	}
	require.Empty(t, missing)
}

// keysOf lists the paths of all keys of a type, lists and dictionaries being those of their items.
func keysOf(t reflect.Type, path string, above map[reflect.Type]bool) (all []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	leaf := t.Kind() != reflect.Struct || above[t] || t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[b2bua.Day]() ||
		t == reflect.TypeFor[routing.Date]() || reflect.PointerTo(t).Implements(textUnmarshaler)
	if leaf {
		return []string{path}
	}
	above[t] = true
	defer delete(above, t)
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "-" || f.Type.Kind() == reflect.Interface {
			continue
		}
		if name == "" {
			name = b2bua.Snake(f.Name)
		}
		place := strings.TrimPrefix(path+"."+name, ".")
		if skipped[place] {
			continue
		}
		if path != "" {
			all = append(all, path)
		}
		all = append(all, keysOf(f.Type, place, above)...)
	}
	return all
}

// skipped are keys that the file must not have: the trunks of the policy stand at the top level.
var skipped = map[string]bool{"routing.trunks": true}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
