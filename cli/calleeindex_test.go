package cli

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCalleeIndex compares the index with a map while keys come and go: many that have one tag, many that crowd one group, and
// those that come by chance.
func TestCalleeIndex(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for name, draw := range map[string]func() calleeKey{
		"by chance": func() calleeKey { return calleeKey(rng.Uint64() & calleeKeyMask) },
		"one tag":   func() calleeKey { return calleeKey(rng.Uint64N(1<<12)) | 7<<30 },
		"no tag":    func() calleeKey { return calleeKey(rng.Uint64N(1 << 12)) },
		"one group": func() calleeKey { return calleeKey(rng.Uint64N(1<<40)) | 0xff<<46 },
		"last":      func() calleeKey { return calleeKey(rng.Uint64N(1<<20)) | 0xffff<<30 },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCallees()
			c.most = 1 << 30
			model := map[calleeKey]int32{}
			var keys []calleeKey
			for step := range 30_000 {
				key := draw()
				if step%5 > 2 && len(keys) > 0 {
					k := rng.IntN(len(keys))
					key, keys[k] = keys[k], keys[len(keys)-1]
					keys = keys[:len(keys)-1]
					c.drop(model[key])
					delete(model, key)
					if c.find(key) != none {
						t.Fatalf("step %d: %x was dropped", step, key)
					}
					continue
				}
				i, known := model[key]
				if !known {
					if c.find(key) != none {
						t.Fatalf("step %d: %x was never there", step, key)
					}
					i = c.add(key, 0)
					c.stamp(i, 0, second) // so that it is worth remembering
					model[key] = i
					keys = append(keys, key)
				}
				if c.find(key) != i { // require would take most of the test's time
					t.Fatalf("step %d: %x is at %d, not %d", step, key, c.find(key), i)
				}
			}
			for key, i := range model {
				require.Equal(t, i, c.find(key))
			}
			for _, key := range keys {
				c.drop(model[key])
			}
			for p := range c.index.parts {
				part := &c.index.parts[p]
				require.Zero(t, part.used)
				for g := range part.groups() {
					if at := part.at(g); at.fill != 0 || at.tags != [len(at.tags)]uint16{} {
						t.Fatalf("part %d, group %d: %d places, tags %x", p, g, at.fill, at.tags)
					}
				}
			}
		})
	}
}
