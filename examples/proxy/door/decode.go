package door

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
)

// MaxBody is how long the body of a request may be where a handler says nothing else.
const MaxBody = 64 << 10

// Body reads the body of a request of a media type.
func Body(w http.ResponseWriter, r *http.Request, mediaType string, most int64) ([]byte, *Problem) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != mediaType {
		return nil, Refuse(http.StatusUnsupportedMediaType, "media_type", "want Content-Type: %s", mediaType)
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, Refuse(http.StatusRequestEntityTooLarge, "too_large", "the body is longer than %d bytes", most)
	case err != nil:
		return nil, Refuse(http.StatusBadRequest, "body", "the body cannot be read: %v", err)
	}
	return data, nil
}

// Decode reads one JSON object into v, a pointer to a struct. Keys that v does not have, keys that are given twice, and anything behind
// the object are refused, by name.
func Decode(w http.ResponseWriter, r *http.Request, v any) *Problem {
	data, p := Body(w, r, "application/json", MaxBody)
	if p != nil {
		return p
	}
	return DecodeJSON(data, v)
}

// DecodeJSON is Decode of what was read.
func DecodeJSON(data []byte, v any) *Problem {
	if field, err := scan(data); err != nil {
		p := Refuse(http.StatusBadRequest, "json", "the body is no JSON object: %v", err)
		if field != "" {
			p.Code, p.Detail = "json", "the body does not say one thing"
			p.Errors = []Field{{field, err.Error()}}
		}
		return p
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		return exact(data, v)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		field := strings.TrimPrefix(kind.Field, embedded(v)) // encoding/json names what is embedded
		return Refuse(http.StatusBadRequest, "type", "a value has the wrong type").With(field, "want %s, not %s", word(kind.Type), kind.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return Refuse(http.StatusBadRequest, "unknown_field", "a field is not known").With(strings.Trim(name, `"`), "unknown field")
	}
	return Refuse(http.StatusBadRequest, "value", "%v", err)
}

// exact refuses keys in another case: encoding/json takes them.
func exact(data []byte, v any) *Problem {
	var keys map[string]json.RawMessage
	if json.Unmarshal(data, &keys) != nil {
		return nil
	}
	known := map[string]bool{}
	names(reflect.TypeOf(v).Elem(), known)
	for key := range keys {
		if !known[key] {
			return Refuse(http.StatusBadRequest, "unknown_field", "a field is not known").With(key, "unknown field")
		}
	}
	return nil
}

// embedded is what encoding/json puts before the fields of the struct that v has embedded.
func embedded(v any) string {
	t := reflect.TypeOf(v).Elem()
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous {
			return f.Name + "."
		}
	}
	return ""
}

func names(t reflect.Type, known map[string]bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			names(f.Type, known)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = true
	}
}

// word is the type of a field as JSON calls it.
func word(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// scan sees to it that data is one object, no key of which is given twice.
func scan(data []byte) (field string, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	t, err := d.Token()
	if err != nil {
		return "", err
	}
	if t != json.Delim('{') {
		return "", errors.New("it begins with something else")
	}
	if field, err = object(d, ""); err != nil {
		return field, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("something follows it")
	}
	return "", nil
}

// object reads to the end of an object whose brace was read.
func object(d *json.Decoder, path string) (field string, err error) {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		key := t.(string)
		place := strings.TrimPrefix(path+"."+key, ".")
		if seen[key] {
			return place, errors.New("it is given twice")
		}
		seen[key] = true
		if field, err := value(d, place); err != nil {
			return field, err
		}
	}
	_, err = d.Token()
	return "", err
}

func value(d *json.Decoder, path string) (field string, err error) {
	t, err := d.Token()
	if err != nil {
		return "", err
	}
	switch t {
	case json.Delim('{'):
		return object(d, path)
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if field, err := value(d, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return field, err
			}
		}
		_, err = d.Token()
	}
	return "", err
}
