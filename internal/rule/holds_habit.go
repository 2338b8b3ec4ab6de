package rule

import (
	"slices"
	"time"
)

// lookSequence goes over the facts once. For each step it keeps the chain that reached
// it last: a later one leaves less of a gap to what follows.
func (m *Moment) lookSequence(facts []Fact) (ev Evidence) {
	s := m.sequence
	chains := make([][]int64, len(s.Steps)) // times of the steps that led here
	for i := range facts {
		f := &facts[i]
		if !m.inside(f.At) {
			continue
		}
		for k := len(s.Steps) - 1; k >= 0; k-- { // backwards: a fact is one step of a chain
			if k > 0 && (chains[k-1] == nil || f.At-chains[k-1][k-1] > m.gap) {
				continue
			}
			if !matches(f, s.Steps[k].Name, s.Steps[k].Where) {
				continue
			}
			chain := []int64{f.At}
			if k > 0 {
				chain = append(slices.Clone(chains[k-1]), f.At)
			}
			chains[k] = chain
		}
	}
	for _, c := range chains {
		if c != nil {
			ev.Matched, ev.Times = len(c), slices.Clone(c)
		}
	}
	slices.Reverse(ev.Times)
	ev.Holds = ev.Matched == len(s.Steps)
	return ev
}

func (m *Moment) lookHabit(facts []Fact) Evidence {
	h, starts := m.habit, m.starts
	var ev Evidence
	switch h.Kind {
	case "regularly":
		done, last := 0, -1
		for i := range facts {
			f := &facts[i]
			if f.At < starts[0] || !matches(f, h.Name, h.Where) {
				continue
			}
			ev.see(f.At)
			period, exact := slices.BinarySearch(starts, f.At)
			if !exact {
				period--
			}
			if period > last {
				done, last = done+1, period
			}
		}
		ev.Holds, ev.Measure = done >= h.AtLeast, float64(done)
	case "stopped":
		var since Evidence
		for i := range facts {
			f := &facts[i]
			if f.At < starts[0] || !matches(f, h.Name, h.Where) {
				continue
			}
			if f.At >= starts[1] {
				since.see(f.At)
			} else {
				ev.see(f.At)
			}
		}
		ev.Holds = since.Matched == 0 && ev.Matched >= max(1, h.Times)
		if since.Matched > 0 {
			ev.Times = since.Times
		}
	case "resumed":
		const day = 24 * int64(time.Hour/time.Millisecond)
		silence, before, any := int64(-1), int64(0), false
		for i := range facts {
			f := &facts[i]
			if !matches(f, h.Name, h.Where) {
				continue
			}
			if f.At >= starts[0] {
				ev.see(f.At)
				if any {
					silence = max(silence, f.At-before)
				}
			}
			before, any = f.At, true
		}
		if silence >= 0 {
			ev.Measure = float64(silence / day)
		}
		ev.Holds = silence >= int64(h.Quiet)*day
	}
	slices.Reverse(ev.Times)
	return ev
}
