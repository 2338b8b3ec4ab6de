// Package numset answers: which contacts, as numbers? Sets of dense numbers, a
// bit each, and choices: a set, or everybody but a set.
package numset

import (
	"fmt"
	"math/bits"
)

// Set is a set of contact numbers, a bit each: contacts are numbered
// densely, so a million people take 125 KB and are intersected in microseconds.
type Set struct{ words []uint64 }

// Add puts a number in; numbers are not negative.
func (s *Set) Add(n int64) {
	w := int(n >> 6)
	s.reach(w)
	s.words[w] |= 1 << (n & 63)
}

// Remove takes a number out.
func (s *Set) Remove(n int64) {
	if s.Has(n) {
		s.words[n>>6] &^= 1 << (n & 63)
	}
}

// Has tells whether a number is in it.
func (s *Set) Has(n int64) bool {
	w := int(n >> 6)
	return n >= 0 && w < len(s.words) && s.words[w]&(1<<(n&63)) != 0
}

// Count tells how many numbers are in it.
func (s *Set) Count() int64 {
	n := 0
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return int64(n)
}

// And keeps those that o has too.
func (s *Set) And(o *Set) {
	s.words = s.words[:min(len(s.words), len(o.words))]
	for i := range s.words {
		s.words[i] &= o.words[i]
	}
}

// AndNot drops those that o has.
func (s *Set) AndNot(o *Set) {
	for i := range min(len(s.words), len(o.words)) {
		s.words[i] &^= o.words[i]
	}
}

// Or adds those of o.
func (s *Set) Or(o *Set) {
	if len(o.words) > len(s.words) {
		s.words = append(s.words, make([]uint64, len(o.words)-len(s.words))...)
	}
	for i, w := range o.words {
		s.words[i] |= w
	}
}

// Clone is a copy of its own.
func (s *Set) Clone() *Set { return &Set{append([]uint64(nil), s.words...)} }

// After gives up to limit numbers beyond n, ascending.
func (s *Set) After(n int64, limit int) []int64 {
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

// Spread gives up to n numbers, evenly picked from the first to the last.
func (s *Set) Spread(n int) []int64 {
	count := s.Count()
	if n <= 0 || count <= int64(n) {
		return s.After(-1, n)
	}
	var out []int64
	rank, next := int64(0), int64(0)
	for w, word := range s.words {
		here := int64(bits.OnesCount64(word))
		for ; next < rank+here && len(out) < n; next = int64(len(out)) * (count - 1) / int64(max(n-1, 1)) {
			left := word
			for range next - rank {
				left &= left - 1
			}
			out = append(out, int64(w<<6+bits.TrailingZeros64(left)))
		}
		rank += here
	}
	return out
}

// Of is the set of some numbers.
func Of(nums ...int64) *Set {
	s := &Set{}
	for _, n := range nums {
		s.Add(n)
	}
	return s
}

// Word is the 64 numbers from 64·i on, a bit each, the lowest first.
func (s *Set) Word(i int) uint64 {
	if i < 0 || i >= len(s.words) {
		return 0
	}
	return s.words[i]
}

// Words tells beyond which word there are no numbers.
func (s *Set) Words() int { return len(s.words) }

// OrWord adds those of the 64 numbers from 64·i on whose bits are set.
func (s *Set) OrWord(i int, word uint64) {
	if word == 0 {
		return
	}
	s.reach(i)
	s.words[i] |= word
}

// SetWord says which of the 64 numbers from 64·i on are in it.
func (s *Set) SetWord(i int, word uint64) {
	if word == 0 && i >= len(s.words) {
		return
	}
	s.reach(i)
	s.words[i] = word
}

// reach makes room for word i.
func (s *Set) reach(i int) {
	if i >= len(s.words) {
		grown := make([]uint64, max(i+1, 2*len(s.words)))
		copy(grown, s.words)
		s.words = grown
	}
}

// List gives all numbers, ascending.
func (s *Set) List() []int64 { return s.After(-1, int(s.Count())) }

// Choice is a set of contacts of a list: those in Set or, with Rest, all of the
// list but those in Set. So what a rule leaves out is never read to be counted.
type Choice struct {
	Set  *Set
	Rest bool
}

// Has tells whether a contact of the list is chosen.
func (c Choice) Has(n int64) bool { return c.Set.Has(n) != c.Rest }

// And keeps those that o has too. Both are used up.
func (c Choice) And(o Choice) Choice {
	switch {
	case c.Rest && o.Rest:
		c.Set.Or(o.Set)
		return c
	case c.Rest:
		return o.And(c)
	case o.Rest:
		c.Set.AndNot(o.Set)
	default:
		c.Set.And(o.Set)
	}
	return c
}

// Not is everybody else.
func (c Choice) Not() Choice { return Choice{c.Set, !c.Rest} }

// EachNumber reads numbers written with commas between them.
func EachNumber(text []byte, take func(n int64)) error {
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
