package door_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/outdial/outdial/examples/proxy/door"
)

// An API on this machine alone needs no token; one that others reach is not opened without.
func ExampleDoor() {
	_, err := door.Open(door.Config{Listen: "0.0.0.0:0"})
	fmt.Println(errors.Is(err, door.ErrToken))

	d, err := door.Open(door.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	go func() { served <- d.Serve(ctx, door.Guard(d.Tokens, api), slog.New(slog.DiscardHandler)) }()
	res, err := http.Get("http://" + d.Addr().String())
	if err != nil {
		panic(err)
	}
	fmt.Println(res.Status)
	_ = res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	stop()
	fmt.Println(<-served)
	// Output:
	// true
	// 200 OK
	// <nil>
}

// Behind a Guard a handler knows who asks.
func ExampleGuard() {
	tokens, err := door.ParseTokens([]byte("ann 0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	h := door.Guard(tokens, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { fmt.Println("it is", door.CallerOf(r).Name) }))
	for _, token := range []string{"0123456789abcdef0123456789abcdef", "guess"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// it is ann
	// 200
	// 401
}

// What does not fit is refused by name, and nothing of it is taken.
func ExampleDecodeJSON() {
	var limits struct {
		Channels int `json:"channels"`
	}
	for _, body := range []string{`{"channels":40}`, `{"chanels":40}`, `{"channels":"many"}`} {
		if p := door.DecodeJSON([]byte(body), &limits); p != nil {
			fmt.Println(p.Status, p.Code, p.Errors)
			continue
		}
		fmt.Println(limits.Channels)
	}
	// Output:
	// 40
	// 400 unknown_field [{chanels unknown field}]
	// 400 type [{channels want a whole number, not string}]
}
