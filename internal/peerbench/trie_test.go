package peerbench

// trie is the digit tree that most switches and Go packages use: a node has ten slots, each with the value of the
// prefix that ends there and a pointer to the next digit.
type trie [10]struct {
	next  *trie
	value uint32
	set   bool
}

func (t *trie) add(prefix uint64, value uint32) {
	var text [20]byte
	digits := spell(prefix, &text)
	for len(digits) > 1 {
		slot := &t[digits[0]]
		if slot.next == nil {
			slot.next = new(trie)
		}
		t, digits = slot.next, digits[1:]
	}
	t[digits[0]].value, t[digits[0]].set = value, true
}

func (t *trie) lookup(number uint64) (value uint32, ok bool) {
	var text [20]byte
	for _, d := range spell(number, &text) {
		slot := &t[d]
		if slot.set {
			value, ok = slot.value, true
		}
		if t = slot.next; t == nil {
			break
		}
	}
	return value, ok
}

// spell writes the digits of n, as numbers from 0 to 9, to the end of text.
func spell(n uint64, text *[20]byte) []byte {
	i := len(text)
	for ; n > 0; n /= 10 {
		i--
		text[i] = byte(n % 10)
	}
	return text[i:]
}
