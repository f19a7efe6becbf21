package digits

// Nibbles is exported to the tests.
func Nibbles(n uint64) uint64 { return nibbles(n) }
