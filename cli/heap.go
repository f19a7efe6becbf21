package cli

import "github.com/outdial/outdial/internal/window"

// heap is things by an instant, the earliest first, four below each. Where each thing stands is kept beside the heap, in a
// dense array: what moves is 16 bytes, and no record is touched.
type heap []entry

type entry struct {
	at window.Instant
	id int32 // places[id] is where it stands
}

// fan is how many entries stand below each: they fill a cache line.
const fan = 4

// add enters a thing that is not there.
func (h *heap) add(places []int32, e entry) {
	*h = append(*h, e)
	h.up(places, len(*h)-1, e)
}

// remove takes a thing out that is there.
func (h *heap) remove(places []int32, id int32) {
	i := int(places[id])
	places[id] = none
	last := len(*h) - 1
	e := (*h)[last]
	if *h = (*h)[:last]; i < last {
		h.put(places, i, e)
	}
}

// move gives a thing that is there another instant.
func (h *heap) move(places []int32, e entry) { h.put(places, int(places[e.id]), e) }

// put sets e where i was, and moves it to where it belongs.
func (h *heap) put(places []int32, i int, e entry) {
	if i > 0 && e.at < (*h)[(i-1)/fan].at {
		h.up(places, i, e)
	} else {
		h.down(places, i, e)
	}
}

func (h *heap) up(places []int32, i int, e entry) {
	list := *h
	for i > 0 {
		above := (i - 1) / fan
		if list[above].at <= e.at {
			break
		}
		list[i] = list[above]
		places[list[i].id] = int32(i)
		i = above
	}
	list[i] = e
	places[e.id] = int32(i)
}

func (h *heap) down(places []int32, i int, e entry) {
	list := *h
	for {
		below := fan*i + 1
		if below >= len(list) {
			break
		}
		least := below
		for k := below + 1; k < min(below+fan, len(list)); k++ {
			if list[k].at < list[least].at {
				least = k
			}
		}
		if e.at <= list[least].at {
			break
		}
		list[i] = list[least]
		places[list[i].id] = int32(i)
		i = least
	}
	list[i] = e
	places[e.id] = int32(i)
}
