package live

import (
	"math/bits"
	"slices"

	"github.com/koipond/koipond/internal/platform/numset"
)

// Change is how what is kept of a rule differs from what is true. Entered and
// Left did so by themselves and are told; Gained and Dropped follow from contacts
// becoming one, or being erased, and are kept without a word. All are ascending.
type Change struct {
	Entered, Left   []int64
	Gained, Dropped []int64
}

// Empty tells that nothing differs.
func (c Change) Empty() bool {
	return len(c.Entered)+len(c.Left)+len(c.Gained)+len(c.Dropped) == 0
}

// Compare finds what is to be kept and told of one rule, of some contacts or, with
// nil, of everybody: the arguments of Apply and the set that was kept so far, of
// which only the part that holds nums must be there.
//
// A contact that became part of another takes its membership along: it is
// dropped, and the other, if the rule holds for it, gained. Should the rule not
// hold for that other, then the other left: who was in is out. One that is taken
// out of another again had that other's membership, and gains it without a word.
func Compare(t Truths, key string, kept *numset.Set, nums []int64, c Cause) Change {
	var out Change
	if !t.Known(key) {
		return out
	}
	var holds func(num int64) bool
	if nums == nil {
		now := t.Set(key)
		nums = differing(kept, now)
		if c.Except != nil {
			nums = slices.DeleteFunc(nums, c.Except.Has)
		}
		holds = now.Has
	} else {
		nums = Suspects(t, key, nums)
		holds = func(num int64) bool { return t.Holds(key, num) }
	}
	var heirs []int64 // of those that became part of them
	inherited := map[int64]bool{}
	for _, n := range nums {
		if !kept.Has(n) || holds(n) {
			continue
		}
		switch into := t.PartOf(n); into {
		case n:
			if c.Reason == ReasonErased {
				out.Dropped = append(out.Dropped, n)
			} else {
				out.Left = append(out.Left, n)
			}
		case 0:
			out.Dropped = append(out.Dropped, n)
		default:
			out.Dropped = append(out.Dropped, n)
			if !inherited[into] && !kept.Has(into) {
				inherited[into] = true
				heirs = append(heirs, into)
			}
		}
	}
	for _, n := range nums {
		switch {
		case !holds(n) || kept.Has(n) || inherited[n]:
		case kept.Has(t.CameOf(n)):
			out.Gained = append(out.Gained, n)
		default:
			out.Entered = append(out.Entered, n)
		}
	}
	for _, n := range heirs {
		if holds(n) {
			out.Gained = append(out.Gained, n)
		} else {
			out.Left = append(out.Left, n)
		}
	}
	slices.Sort(out.Gained)
	slices.Sort(out.Left)
	return out
}

// Suspects are those of the contacts an owner is told of about whom a rule may say
// something else than it did: an owner needs to look at no others, and at no rule
// that has none. With nil, for everybody, it gives nil.
func Suspects(t Truths, key string, nums []int64) []int64 {
	if s, ok := t.(*truths); ok && nums != nil {
		return s.suspects(key, nums)
	}
	return nums
}

// differing lists the numbers that one set has and the other has not.
func differing(a, b *numset.Set) []int64 {
	var out []int64
	for i := range max(a.Words(), b.Words()) {
		for w := a.Word(i) ^ b.Word(i); w != 0; w &= w - 1 {
			out = append(out, int64(i<<6+bits.TrailingZeros64(w)))
		}
	}
	return out
}
