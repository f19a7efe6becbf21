package kpi

// Loss is how many of something did not come that would have come at the usual rate, with the ends of an interval. Negative: more
// came than usual.
type Loss struct {
	N, Low, High float64
}

// Lost is what a stretch of time cost beside the usual: an incident beside the hours before it, for instance.
type Lost struct {
	Answers  Loss
	Contacts Loss
}

// LostOf compares the legs of a stretch with the usual ones, at a level of confidence in (0, 1): as many of them as were made, at the
// usual rates. Legs that were not made at all for want of a route are not in it. It returns false where either has no leg with a
// known outcome, or level is out of range.
func LostOf(usual, during *Cell, level float64) (l Lost, ok bool) {
	loss := func(a, b Ratio) (Loss, bool) {
		d, low, high, ok := a.Minus(b, level)
		n := float64(b.N)
		return Loss{d * n, low * n, high * n}, ok
	}
	l.Answers, ok = loss(usual.ASR(), during.ASR())
	if ok {
		l.Contacts, ok = loss(usual.Contact(), during.Contact())
	}
	return l, ok
}
