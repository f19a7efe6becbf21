package door_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial/examples/proxy/door"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "0123456789abcdef0123456789abcdef"

func ExampleParseTokens() {
	tokens, err := door.ParseTokens([]byte("# who may come in\nann 0123456789abcdef0123456789abcdef\nwallboard fedcba9876543210fedcba9876543210 read\n"))
	if err != nil {
		panic(err)
	}
	fmt.Println(tokens.Find("fedcba9876543210fedcba9876543210"))
	fmt.Println(tokens.Find("guess"))
	// Output:
	// {wallboard true} true
	// { false} false
}

func ExampleProblem() {
	p := door.Invalid("channels", "want %d to %d", 1, 100)
	fmt.Println(p.Status, p.Code, p.Errors[0].Field, p.Errors[0].Detail)
	// Output: 422 invalid channels want 1 to 100
}

// An API that others reach is not opened without a token; what is wrong with tokens is said without showing them.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(text string, mode os.FileMode) string {
		name := filepath.Join(dir, "tokens")
		_ = os.Remove(name)
		require.NoError(t, os.WriteFile(name, []byte(text), mode))
		require.NoError(t, os.Chmod(name, mode))
		return name
	}
	t.Setenv("OUTDIAL_TEST_EMPTY", " ")
	for _, c := range []struct {
		cfg  door.Config
		want string
	}{
		{door.Config{Listen: "0.0.0.0:0"}, door.ErrToken.Error()},
		{door.Config{Listen: "[::]:0"}, door.ErrToken.Error()},
		{door.Config{Listen: "localhost:0"}, door.ErrToken.Error()},
		{door.Config{Listen: "nowhere"}, "missing port"},
		{door.Config{Listen: "127.0.0.1:0", TokenFile: filepath.Join(dir, "none")}, "no such file"},
		{door.Config{Listen: "127.0.0.1:0", TokenFile: write("short", 0o600)}, "line 1: the token is shorter than 32"},
		{door.Config{Listen: "127.0.0.1:0", TokenEnv: "OUTDIAL_TEST_EMPTY"}, "is empty"},
		{door.Config{Listen: "127.0.0.1:0", CertFile: "x"}, "come together"},
		{door.Config{Listen: "127.0.0.1:0", CertFile: "x", KeyFile: "y"}, "no such file"},
	} {
		_, err := door.Open(c.cfg)
		require.ErrorContains(t, err, c.want, "%+v", c.cfg)
		require.NotContains(t, err.Error(), "short ")
	}
	_, err := door.Open(door.Config{Listen: "127.0.0.1:0", TokenFile: write(token, 0o604)})
	require.ErrorContains(t, err, "others may read or write it")
	for _, text := range []string{"a b c d", "ann " + token + " write"} {
		_, err := door.ParseTokens([]byte(text))
		require.Error(t, err)
		require.NotContains(t, err.Error(), token)
	}
	t.Setenv("OUTDIAL_TEST_TOKEN", "ann "+token)
	d, err := door.Open(door.Config{Listen: "0.0.0.0:0", TokenEnv: "OUTDIAL_TEST_TOKEN"})
	require.NoError(t, err)
	require.NoError(t, d.Close())
}

// A door is served until its context is done.
func TestServe(t *testing.T) {
	d, err := door.Open(door.Config{Listen: ":0"})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(d.Addr().String(), "127.0.0.1:"), d.Addr())
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- d.Serve(ctx, door.Guard(d.Tokens, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") })),
			slog.New(slog.DiscardHandler))
	}()
	res, err := http.Get("http://" + d.Addr().String())
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "in", string(b))
	stop()
	require.NoError(t, <-served)
	http.DefaultClient.CloseIdleConnections()
}

// What is read is strict, whatever is sent.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"text":"a","number":1,"list":["x"],"inner":{"a":1}}`, `{"text":"a","text":"b"}`, `{"inner":{"a":1,"a":2}}`, `{"Text":"a"}`, `{} {}`, `[]`, `null`,
		`{"number":"x"}`, `{"more":1}`, `{"text":`, strings.Repeat("[", 5000), `{"list":[{"a":1,"a":1}]}`, `{"number":1e400}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v struct {
			Text   string   `json:"text"`
			Number int      `json:"number"`
			List   []string `json:"list"`
			Inner  struct {
				A int `json:"a"`
			} `json:"inner"`
		}
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(data)))
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		p := door.Decode(httptest.NewRecorder(), req, &v)
		if p == nil {
			require.Equal(t, byte('{'), []byte(strings.TrimSpace(string(data)))[0])
			return
		}
		require.Contains(t, []int{400, 413}, p.Status)
		require.NotEmpty(t, p.Code)
		rec := httptest.NewRecorder()
		p.Write(rec)
		require.Equal(t, p.Status, rec.Code)
	})
}

func FuzzParseTokens(f *testing.F) {
	for _, s := range []string{"", token, "ann " + token, "ann " + token + " read", "# x\n\n" + token + "\n" + token + "1", "read " + token, "a b c"} {
		f.Add([]byte(s), token)
	}
	f.Fuzz(func(t *testing.T, data []byte, guess string) {
		tokens, err := door.ParseTokens(data)
		if err != nil {
			return
		}
		if _, ok := tokens.Find(guess); ok {
			require.Contains(t, string(data), guess)
			require.GreaterOrEqual(t, len(guess), door.LeastToken)
		}
	})
}
