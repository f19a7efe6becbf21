package kpi

import (
	"math"
	"time"
)

// Hump is a part of a distribution that stands apart: its share of all values, and where it is highest.
type Hump struct {
	Share float64
	Mode  time.Duration
}

// Humps tells whether a distribution has two humps, as post-dial delay has when a part of the traffic takes another hop:
// it returns both, or nil where a valley between them cannot be told from chance. A mean hides them, and so does a 95th
// percentile as long as the slow part is small.
//
// It compares the counts in stretches of a sixth (five bins): the valley must lie four standard errors below the lower of
// the two peaks beside it.
func (s *Sketch) Humps() []Hump {
	if len(s.bins) == 0 {
		return nil
	}
	first := int(s.bins[0].at)
	n := make([]float64, int(s.bins[len(s.bins)-1].at)-first+1)
	for _, b := range s.bins {
		n[int(b.at)-first] = float64(b.n)
	}
	const half = 2
	at := make([]float64, len(n)) // counts in the stretch around each bin
	for i := range n {
		for j := max(i-half, 0); j <= min(i+half, len(n)-1); j++ {
			at[i] += n[j]
		}
	}
	left, right := make([]int, len(n)), make([]int, len(n)) // the highest stretch up to i, and from i on
	for i := range at {
		left[i] = i
		if i > 0 && at[left[i-1]] >= at[i] {
			left[i] = left[i-1]
		}
	}
	for i := len(at) - 1; i >= 0; i-- {
		right[i] = i
		if i+1 < len(at) && at[right[i+1]] >= at[i] {
			right[i] = right[i+1]
		}
	}
	best, valley := 0.0, -1
	for i := range at {
		low := min(at[left[i]], at[right[i]])
		if z := (low - at[i]) / math.Sqrt(low+at[i]); z > best {
			best, valley = z, i
		}
	}
	if best < 4 {
		return nil
	}
	var below float64
	for i := range valley {
		below += n[i]
	}
	share := (below + n[valley]/2) / float64(s.placed())
	return []Hump{
		{Share: share, Mode: binValue(uint16(left[valley] + first))},
		{Share: 1 - share, Mode: binValue(uint16(right[valley] + first))},
	}
}

// Difference is how far two distributions lie apart.
type Difference struct {
	D float64 // the greatest distance between the cumulative shares, 0 to 1 (Kolmogorov and Smirnov)
	P float64 // how likely chance gives as much, for large samples; 1 where one of them is empty
}

// Difference compares two distributions, for instance the ring times of one carrier with those of the others to the same
// destinations: a carrier that answers by itself, or takes calls to a recording, has ring times of its own.
func (s *Sketch) Difference(o *Sketch) Difference {
	sn, on := float64(s.placed()), float64(o.placed())
	if sn == 0 || on == 0 {
		return Difference{P: 1}
	}
	var d, a, b float64
	for i, j := 0, 0; i < len(s.bins) || j < len(o.bins); {
		at := uint16(math.MaxUint16)
		if i < len(s.bins) {
			at = s.bins[i].at
		}
		if j < len(o.bins) {
			at = min(at, o.bins[j].at)
		}
		if i < len(s.bins) && s.bins[i].at == at {
			a += float64(s.bins[i].n) / sn
			i++
		}
		if j < len(o.bins) && o.bins[j].at == at {
			b += float64(o.bins[j].n) / on
			j++
		}
		d = max(d, math.Abs(a-b))
	}
	n := math.Sqrt(sn * on / (sn + on))
	return Difference{D: d, P: kolmogorov((n + 0.12 + 0.11/n) * d)}
}

// kolmogorov is the tail of the Kolmogorov distribution.
func kolmogorov(x float64) float64 {
	if x < 0.2 {
		return 1
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k <= 100; k++ {
		term := math.Exp(-2 * k * k * x * x)
		sum += sign * term
		if sign = -sign; term < 1e-16 {
			break
		}
	}
	return min(max(2*sum, 0), 1)
}

// Burst tells how unevenly attempts are spread over the slices of a series: the index of dispersion (variance divided by
// mean; 1 for calls that come independently), and the share of all that fell in the fullest slice. Analytics engines read
// bursts of one caller ID as a sign of unwanted calls. Zero where nothing was started.
func Burst(started []uint64) (dispersion, peak float64) {
	var sum, most float64
	for _, n := range started {
		sum += float64(n)
		most = max(most, float64(n))
	}
	if sum == 0 || len(started) < 2 {
		return 0, 0
	}
	mean := sum / float64(len(started))
	var square float64
	for _, n := range started {
		square += (float64(n) - mean) * (float64(n) - mean)
	}
	return square / float64(len(started)-1) / mean, most / sum
}

// Spikes are lengths at which far more values stand than around them, as conversations do where machines answer: voicemail that
// cuts off, an announcement that is played to its end. Each has the share of all values beyond what stands around it. nil where
// there is none.
//
// A spike is three bins wide (some 8 %), and five standard errors above what the six bins on either side let expect.
func (s *Sketch) Spikes() (list []Hump) {
	if len(s.bins) == 0 {
		return nil
	}
	const half, beside = 1, 6
	first, last := int(s.bins[0].at), int(s.bins[len(s.bins)-1].at)
	n := make([]float64, last-first+1)
	for _, b := range s.bins {
		n[int(b.at)-first] = float64(b.n)
	}
	sum := func(from, to int) (total float64) {
		for i := max(from, 0); i <= min(to, len(n)-1); i++ {
			total += n[i]
		}
		return total
	}
	for i := range n {
		in := sum(i-half, i+half)
		around := sum(i-half-beside, i-half-1) + sum(i+half+1, i+half+beside)
		expected := around * (2*half + 1) / (2 * beside)
		if in-expected < 5*math.Sqrt(max(expected, 1)) || n[i] < sum(i-1, i-1) || n[i] < sum(i+1, i+1) {
			continue
		}
		h := Hump{Share: (in - expected) / float64(s.placed()), Mode: binValue(uint16(i + first))}
		if k := len(list) - 1; k >= 0 && binOf(list[k].Mode)+beside >= binOf(h.Mode) {
			if h.Share > list[k].Share {
				list[k] = h
			}
			continue
		}
		list = append(list, h)
	}
	return list
}
