package b2bua

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNonces(t *testing.T) {
	n, now := newNonces(), time.Unix(1_800_000_000, 0)
	a, b := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")
	nonce := n.at(now, a)
	for _, tt := range []struct {
		at          time.Duration
		from        netip.Addr
		nonce       string
		ours, stale bool
	}{
		{0, a, nonce, true, false},
		{nonceLife, a, nonce, true, false},
		{nonceLife + time.Second, a, nonce, true, true},
		{-time.Hour, a, nonce, true, true},
		{0, b, nonce, false, false},
		{0, a, "ffff" + nonce, false, false},
		{0, a, nonce + "0", false, false},
		{0, a, "", false, false},
		{0, a, newNonces().at(now, a), false, false},
	} {
		ours, stale := n.check(now.Add(tt.at), tt.from, tt.nonce)
		require.Equal(t, [2]bool{tt.ours, tt.stale}, [2]bool{ours, stale}, "%+v", tt)
	}
}

// An answer to a nonce is good once: its count goes up, and without one there is no second time. What is no longer remembered is stale.
func TestNoncesAreUsedOnce(t *testing.T) {
	n, now, a := newNonces(), time.Unix(1_800_000_000, 0), netip.MustParseAddr("10.0.0.2")
	require.NotEqual(t, n.at(now, a), n.at(now, a), "two in one second")
	nonce := n.at(now, a)
	for _, tt := range []struct {
		nc    string
		first bool
	}{{"00000001", true}, {"00000001", false}, {"00000003", true}, {"00000002", false}, {"x", false}, {"0000000a", true}, {"", true}, {"", false}, {"0000000b", false}} {
		require.Equal(t, tt.first, n.use(now, nonce, tt.nc), tt.nc)
	}
	late := n.at(now, a)
	require.True(t, n.use(now.Add(nonceLife), late, "1"))
	require.False(t, n.use(now.Add(nonceLife+time.Second), late, "1"), "of the generation before")
	require.True(t, n.use(now.Add(nonceLife+time.Second), late, "2"))

	first := n.at(now, a)
	now = now.Add(2 * nonceLife)
	kept := n.at(now, a)
	require.True(t, n.use(now, kept, "1"))
	for range 2*maxNonces + 2 {
		require.True(t, n.use(now.Add(time.Second), n.at(now.Add(time.Second), a), "1"))
	}
	require.False(t, n.use(now.Add(time.Second), kept, "1"), "forgotten, and so stale")
	require.False(t, n.use(now.Add(time.Second), first, "1"))
	require.LessOrEqual(t, len(n.used)+len(n.before), 2*maxNonces)
}

// The examples of RFC 7616 §3.9.1, and of RFC 2069 without qop.
func TestDigestVectors(t *testing.T) {
	const common = `Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ` +
		`nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, `
	a := Auth{Username: "Mufasa", Password: "Circle of Life", Realm: "http-auth@example.org", Algorithms: []string{"SHA-256", "MD5"}}
	for _, s := range []string{
		common + `algorithm=MD5, response="8ca523f5e9506fed4657c9700eebdbec"`,
		common + `algorithm=SHA-256, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"`,
	} {
		p, ok := digestParams(s)
		require.True(t, ok)
		require.True(t, a.answers(p, "GET"), s)
		require.False(t, a.answers(p, "POST"))
		other := a
		other.Password = "circle of life"
		require.False(t, other.answers(p, "GET"))
	}
	p, _ := digestParams(common + `algorithm=SHA-512, response="8ca523f5e9506fed4657c9700eebdbec"`)
	require.False(t, a.answers(p, "GET"))
	a.Algorithms = []string{"SHA-256"}
	p, _ = digestParams(common + `algorithm=MD5, response="8ca523f5e9506fed4657c9700eebdbec"`)
	require.False(t, a.answers(p, "GET"), "an algorithm that was not offered")
}

func TestDigestParams(t *testing.T) {
	p, ok := digestParams(`digest a="x, \"y\"=z" , B = c,d=`)
	require.True(t, ok)
	require.Equal(t, map[string]string{"a": `x, "y"=z`, "b": "c", "d": ""}, p)
	for _, s := range []string{"", "Digest", "Basic a=b", `Digest a=1, a=2`} {
		_, ok := digestParams(s)
		require.False(t, ok, s)
	}
}

func FuzzDigestParams(f *testing.F) {
	for _, s := range []string{`Digest a="b\"c", d=e`, `Digest "="`, `Digest a="`, `Digest a=b,,=,c`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := digestParams(s)
		require.True(t, ok || p == nil)
		for name := range p {
			require.Equal(t, strings.ToLower(name), name)
		}
	})
}
