package routing

import (
	"errors"
	"fmt"
	"slices"

	"github.com/outdial/outdial"
)

// Bounds of what a snapshot may say.
const (
	mostCounted  = 1 << 52 // in an hour: calls, micro-units
	mostOutcomes = 1e12
	mostEvidence = 1e6
	mostOrders   = 1 << 16
)

// memory makes of a snapshot what it was made of, with the ids of this process. The error says what no Save has written.
func (k *kept) memory(ids *outdial.Registry) (*memory, error) {
	if k.Newest < 0 || k.Newest > 1<<40 {
		return nil, errors.New("its latest hour is out of range")
	}
	m := newMemory()
	m.newest.Store(k.Newest)
	trunks, err := issue(&ids.Trunks, k.Trunks)
	if err != nil {
		return nil, fmt.Errorf("trunk %w", err)
	}
	groups, err := issue(&ids.Groups, k.Groups)
	if err != nil {
		return nil, fmt.Errorf("group %w", err)
	}
	parts, err := issue(&ids.DayParts, k.Parts)
	if err != nil {
		return nil, fmt.Errorf("day-part %w", err)
	}
	for i, c := range [...]*count{m.calls, m.explored, m.money} {
		if !c.take([...]*keptCount{&k.Calls, &k.Explored, &k.Money}[i], k.Newest) {
			return nil, errors.New("a count is not of a day")
		}
	}
	use := *m.use.Load() // not shared yet
	for i := range k.Shares {
		s := &k.Shares[i]
		id, ok := trunks[s.Trunk]
		place := share{s.Country, id}
		if !ok || use[place] != nil {
			return nil, fmt.Errorf("shares[%d]: a trunk without a name, or a share given twice", i)
		}
		use[place] = m.newCount()
		if !use[place].take(&s.Count, k.Newest) {
			return nil, fmt.Errorf("shares[%d]: not of a day", i)
		}
	}
	months := *m.months.Load()
	for i, s := range k.Months {
		id, ok := trunks[s.Trunk]
		if !ok || months[id] != nil || s.Seconds < 0 || s.Seconds > mostCounted {
			return nil, fmt.Errorf("months[%d]: out of range, or given twice", i)
		}
		c := new(month)
		c.first.Store(s.First)
		c.seconds.Store(s.Seconds)
		months[id] = c
	}
	if err := k.Tracks.take(m, trunks, groups); err != nil {
		return nil, err
	}
	tides := *m.tides.Load()
	for i, w := range k.Tides {
		trunk, ok1 := trunks[w.Trunk]
		part, ok2 := parts[w.Part]
		key, water := tideKey{trunk, part}, &tide{lately: lately{w.K, w.N, w.At}}
		if !ok1 || !ok2 || trunk == 0 || tides[key] != nil || !water.sane() {
			return nil, fmt.Errorf("tides[%d]: out of range, or given twice", i)
		}
		water.publish()
		tides[key] = water
	}
	return m, k.takeOrders(m, ids)
}

// issue gives names their ids in this process, by their ids in the one that saved; 0 is 0.
func issue[ID ~uint32](names *outdial.Names[ID], was keptNames) (map[uint32]ID, error) {
	if len(was.IDs) != len(was.Names) {
		return nil, errors.New("ids and names are not as many")
	}
	names.Add(was.Names...)
	is := make(map[uint32]ID, len(was.IDs)+1)
	is[0] = 0
	for i, id := range was.IDs {
		if _, twice := is[id]; twice || was.Names[i] == "" {
			return nil, fmt.Errorf("%d has no name, or two", id)
		}
		is[id] = names.ID(was.Names[i])
	}
	return is, nil
}

// take fills a new count.
func (c *count) take(k *keptCount, newest int64) bool {
	if len(k.Hours) != len(k.Values) {
		return false
	}
	var sum int64
	for i, at := range k.Hours {
		v, slot := k.Values[i], at%int64(len(c.hours))
		if at < 0 || at > newest || at <= newest-int64(len(c.hours)) || c.values[slot] != 0 || v < -mostCounted || v > mostCounted {
			return false
		}
		c.hours[slot], c.values[slot] = at, v
		sum += v
	}
	c.sum.Store(sum)
	return true
}

func (k *keptTracks) take(m *memory, trunks map[uint32]outdial.TrunkID, groups map[uint32]outdial.GroupID) error {
	n := len(k.Trunk)
	for _, l := range []int{
		len(k.Group), len(k.P), len(k.N), len(k.Beside), len(k.Was), len(k.Daily), len(k.Own[0]), len(k.Own[1]), len(k.OwnAt), len(k.Changed),
		len(k.Rose), len(k.Up[0]), len(k.Up[1]), len(k.Up[2]),
		len(k.Down[0]), len(k.Down[1]), len(k.Down[2]),
	} {
		if l != n || n > maxTracks {
			return errors.New("tracks: too many, or columns of different lengths")
		}
	}
	for i := range n {
		trunk, ok1 := trunks[k.Trunk[i]]
		group, ok2 := groups[k.Group[i]]
		t := &track{p: k.P[i], n: k.N[i], beside: k.Beside[i], was: k.Was[i], daily: k.Daily[i], rose: k.Rose[i]}
		t.own = lately{k.Own[0][i], k.Own[1][i], k.OwnAt[i]}
		t.up = suspicion{k.Up[0][i], k.Up[1][i], k.Up[2][i]}
		t.down = suspicion{k.Down[0][i], k.Down[1][i], k.Down[2][i]}
		t.changed.Store(k.Changed[i])
		p := place{trunk, group}
		shard := *m.tracks[p.shard()].Load()
		if !ok1 || !ok2 || trunk == 0 || shard[p] != nil || !t.sane() {
			return fmt.Errorf("tracks[%d]: out of range, or given twice", i)
		}
		t.publish()
		shard[p] = t
		m.tracked++
	}
	return nil
}

// sane reports whether outcomes could have made the track.
func (t *track) sane() bool {
	ok := isRatio(t.p) && isRatio(t.beside) && isRatio(t.was) && isRatio(t.daily) && t.n >= 0 && t.n <= mostOutcomes && t.own.sane()
	for _, s := range [...]*suspicion{&t.up, &t.down} {
		ok = ok && s.evidence >= 0 && s.evidence <= mostEvidence && s.k >= 0 && s.k <= s.n && s.n <= mostOutcomes
	}
	return ok
}

// sane reports whether outcomes could have made the count.
func (l *lately) sane() bool { return l.k >= 0 && l.k <= l.n && l.n <= mostOutcomes && l.at >= 0 }

func isRatio(v float64) bool { return v >= 0 && v <= 1 }

func (k *kept) takeOrders(m *memory, ids *outdial.Registry) error {
	var all []order
	for i := range k.Overrides {
		o := k.Overrides[i]
		if len(k.Overrides) > mostOrders || !slices.Contains(overrideActions, o.Action) || (o.Trunk == "") == (o.Carrier == "") ||
			slices.ContainsFunc(o.Prefixes, func(p outdial.Prefix) bool { return p >= tooLong }) {
			return fmt.Errorf("overrides[%d]: not one", i)
		}
		all = append(all, compileOrder(ids, o))
	}
	m.orders.Store(&all)
	return nil
}
