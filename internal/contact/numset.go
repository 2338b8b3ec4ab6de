package contact

import (
	"fmt"
	"math/bits"
)

// numSet is a set of contact numbers, a bit each: contacts are numbered
// densely, so a million people take 125 KB and are intersected in microseconds.
type numSet struct{ words []uint64 }

func (s *numSet) add(n int64) {
	w := int(n >> 6)
	if w >= len(s.words) {
		grown := make([]uint64, max(w+1, 2*len(s.words)))
		copy(grown, s.words)
		s.words = grown
	}
	s.words[w] |= 1 << (n & 63)
}

func (s *numSet) remove(n int64) {
	if s.has(n) {
		s.words[n>>6] &^= 1 << (n & 63)
	}
}

func (s *numSet) has(n int64) bool {
	w := int(n >> 6)
	return n >= 0 && w < len(s.words) && s.words[w]&(1<<(n&63)) != 0
}

func (s *numSet) count() int64 {
	n := 0
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return int64(n)
}

// and keeps those that o has too.
func (s *numSet) and(o *numSet) {
	s.words = s.words[:min(len(s.words), len(o.words))]
	for i := range s.words {
		s.words[i] &= o.words[i]
	}
}

// andNot drops those that o has.
func (s *numSet) andNot(o *numSet) {
	for i := range min(len(s.words), len(o.words)) {
		s.words[i] &^= o.words[i]
	}
}

// or adds those of o.
func (s *numSet) or(o *numSet) {
	if len(o.words) > len(s.words) {
		s.words = append(s.words, make([]uint64, len(o.words)-len(s.words))...)
	}
	for i, w := range o.words {
		s.words[i] |= w
	}
}

func (s *numSet) clone() *numSet { return &numSet{append([]uint64(nil), s.words...)} }

// after gives up to limit numbers beyond n, ascending.
func (s *numSet) after(n int64, limit int) []int64 {
	var out []int64
	n = max(n+1, 0)
	for w := int(n >> 6); w < len(s.words) && len(out) < limit; w++ {
		word := s.words[w]
		if w == int(n>>6) {
			word &= ^uint64(0) << (n & 63)
		}
		for word != 0 && len(out) < limit {
			out = append(out, int64(w<<6+bits.TrailingZeros64(word)))
			word &= word - 1
		}
	}
	return out
}

// list gives all numbers, ascending.
func (s *numSet) list() []int64 { return s.after(-1, int(s.count())) }

// choice is a set of contacts of a list: those in set or, with rest, all of the
// list but those in set. So what a rule leaves out is never read to be counted.
type choice struct {
	set  *numSet
	rest bool
}

// has tells whether a contact of the list is chosen.
func (c choice) has(n int64) bool { return c.set.has(n) != c.rest }

// and keeps those that o has too. Both are used up.
func (c choice) and(o choice) choice {
	switch {
	case c.rest && o.rest:
		c.set.or(o.set)
		return c
	case c.rest:
		return o.and(c)
	case o.rest:
		c.set.andNot(o.set)
	default:
		c.set.and(o.set)
	}
	return c
}

// not is everybody else.
func (c choice) not() choice { return choice{c.set, !c.rest} }

// eachNumber reads numbers written with commas between them.
func eachNumber(text []byte, take func(n int64)) error {
	n, some := int64(0), false
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			n, some = n*10+int64(c-'0'), true
		case c == ',' && some:
			take(n)
			n, some = 0, false
		default:
			return fmt.Errorf("%q is in no list of numbers", c)
		}
	}
	if some {
		take(n)
	}
	return nil
}
