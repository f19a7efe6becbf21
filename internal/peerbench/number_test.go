package peerbench

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

// e164 returns numbers of five countries, plain and as people write them.
func e164(n int) (plain, written []string) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		a, b, c := 201+r.IntN(780), 200+r.IntN(800), r.IntN(10_000)
		switch i % 6 {
		case 0, 1:
			plain = append(plain, fmt.Sprintf("+1%03d%03d%04d", a, b, c))
			written = append(written, fmt.Sprintf("+1 (%03d) %03d-%04d", a, b, c))
		case 2:
			plain = append(plain, fmt.Sprintf("+4420%04d%04d", 7000+a, c))
			written = append(written, fmt.Sprintf("+44 20 %04d %04d", 7000+a, c))
		case 3:
			plain = append(plain, fmt.Sprintf("+4930%03d%04d", b, c))
			written = append(written, fmt.Sprintf("+49 30 %03d%04d", b, c))
		case 4:
			plain = append(plain, fmt.Sprintf("+336%02d%02d%04d", a%90+10, b%90+10, c))
			written = append(written, fmt.Sprintf("+33 6 %02d %02d %04d", a%90+10, b%90+10, c))
		case 5:
			plain = append(plain, fmt.Sprintf("+5511%05d%04d", 90_000+a, c))
			written = append(written, fmt.Sprintf("+55 11 %05d-%04d", 90_000+a, c))
		}
	}
	return plain, written
}

// asNumber is the Number that the peer's result stands for.
func asNumber(p *phonenumbers.PhoneNumber) outdial.Number {
	n := uint64(p.GetCountryCode())
	for range len(fmt.Sprint(p.GetNationalNumber())) {
		n *= 10
	}
	return outdial.Number(n + p.GetNationalNumber())
}

func TestNumbersAgree(t *testing.T) {
	plain, written := e164(600)
	for _, list := range [][]string{plain, written} {
		for _, s := range list {
			n, err := outdial.ParseNumber(s)
			require.NoError(t, err, s)
			p, err := phonenumbers.Parse(s, "ZZ")
			require.NoError(t, err, s)
			require.Equal(t, asNumber(p), n, s)
		}
	}
}

func BenchmarkNumber(b *testing.B) {
	plain, written := e164(1024)
	for _, x := range []struct {
		name string
		list []string
	}{{"plain", plain}, {"written", written}} {
		b.Run(x.name, func(b *testing.B) {
			i := 0
			next := func() string {
				i++
				return x.list[i&1023]
			}
			beside(b,
				serial(ours, func() { _, _ = outdial.ParseNumber(next()) }),
				serial("phonenumbers", func() { _, _ = phonenumbers.Parse(next(), "ZZ") }),
			)
		})
	}
}
