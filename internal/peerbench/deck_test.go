package peerbench

import "math/rand/v2"

// deck returns at least n distinct prefixes, shaped like the LERG merged with an A-Z rate deck: an area code and
// exchange (1 NPA NXX) for each exchange in use, thousands-blocks (1 NPA NXX B) below four fifths of them, and about
// two in a hundred prefixes of other countries, 2 to 9 digits long, which nest in each other.
func deck(n int) []uint64 {
	r := rand.New(rand.NewPCG(1, 0))
	seen := make(map[uint64]bool, n)
	all := make([]uint64, 0, n+10)
	add := func(p uint64) {
		if !seen[p] {
			seen[p] = true
			all = append(all, p)
		}
	}
	for len(all) < n/50 {
		p := 20 + r.Uint64N(80)
		add(p)
		for range 1 + r.IntN(7) {
			p = p*10 + r.Uint64N(10)
			add(p)
		}
	}
	for len(all) < n {
		exchange := (1000+200+r.Uint64N(360)*2)*1000 + 200 + r.Uint64N(800)
		if seen[exchange] {
			continue
		}
		add(exchange)
		if r.IntN(5) == 0 {
			continue
		}
		for block := range uint64(10) {
			if r.IntN(2) == 0 || n > 400_000 {
				add(exchange*10 + block)
			}
		}
	}
	return all
}

// callees returns n numbers, nine tenths of which begin with a prefix of the deck.
func callees(deck []uint64, n int) []uint64 {
	r := rand.New(rand.NewPCG(1, 1))
	all := make([]uint64, n)
	for i := range all {
		p := deck[r.IntN(len(deck))]
		if r.IntN(10) == 0 {
			p = 1 + r.Uint64N(999)
		}
		for p < 1e10 {
			p = p*10 + r.Uint64N(10)
		}
		all[i] = p
	}
	return all
}
