package digits

// leap is where the walk stands after the first five digits of a number (in a smaller table, four), for all numbers that
// begin with them: as many dependent loads less for most look-ups in a big table.
type leap struct {
	node  uint32 // its index, with how many digits of the number have matched so far in the bits from leapShift
	value uint32 // index of the value of the longest prefix so far
}

const (
	leapShift = 29

	// Numbers of prefixes from which on leaps over four and five digits are worth their memory: they cost at most one
	// and two bytes a prefix.
	leastFour = 10_000 * 8
	leastFive = 100_000 * 4
)

// leapIndex turns the first nibbles into the number that they show: four, or five.
func leapIndex(rest uint64, digits int) uint64 {
	pairs := rest >> 48
	pairs -= (pairs >> 4 & 0x0f0f) * 6 // two digits a byte
	four := pairs - (pairs>>8)*156
	if digits == 4 {
		return four
	}
	return four*10 + rest>>44&0xf
}

// leap fills in the leaps of a table that is big enough. A walk that has ended before the last of these digits goes on at the
// root, which no digit leads to: Lookup takes that as the end.
func (t *Table) leap() {
	switch {
	case len(t.values) < leastFour || len(t.nodes) >= 1<<leapShift:
		return
	case len(t.values) < leastFive:
		t.leapDigits = 4
	default:
		t.leapDigits = 5
	}
	size := pow10[t.leapDigits]
	t.leaps = make([]leap, size)
	for number := size / 10; number < size; number++ {
		l, n, ended := &t.leaps[number], uint32(0), false
		for rest, depth := nibbles(number), uint32(1); depth <= uint32(t.leapDigits) && !ended; depth++ {
			bit, at := uint32(1)<<(rest>>60), &t.nodes[n]
			rest <<= 4
			if at.bits&bit != 0 {
				l.value, l.node = at.valueAt(bit), depth<<leapShift
			}
			if ended = at.bits>>childShift&bit == 0; !ended {
				n = at.childAt(bit)
			}
		}
		if !ended {
			l.node |= n
		}
	}
}
