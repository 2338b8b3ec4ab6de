package contact

import (
	"hash/fnv"
	"math"
	"math/bits"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// bucketField is the field of a stable random number from 0 to 100: experiments
// and careful beginnings take some of the people, always the same ones.
const bucketField = "bucket"

const (
	maxSalt     = 100
	bucketSteps = 10_000 // hundredths of a percent
)

// bucketOf is a contact's random number below bucketSteps. It depends on the salt
// (which grouping) and the contact's number alone, so that a contact stays where
// it is, and two groupings have nothing to do with each other. A contact that
// becomes part of another counts as that one.
//
// The salt is hashed by 64-bit FNV-1a (draft-eastlake-fnv), which seeds one step
// of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
// Generators, 2014), whose finalizer spreads consecutive numbers evenly. The
// high half of a product makes a bucket of it without bias.
func bucketOf(seed uint64, num int64) uint64 {
	x := seed + uint64(num)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	high, _ := bits.Mul64(x^x>>31, bucketSteps)
	return high
}

func bucketSeed(salt string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(salt)) // a hash never fails
	return h.Sum64()
}

func compileBucket(_ *compiler, n *condition) (expr, error) {
	list, _ := n.Value.([]any)
	var ends [2]uint64
	for i := range ends {
		if len(list) != 2 {
			return nil, n.fault("value", "rule.needs_percents")
		}
		v, ok := list[i].(float64)
		step := math.Round(v * bucketSteps / 100)
		if !ok || v < 0 || v > 100 || math.Abs(step-v*bucketSteps/100) > 1e-6 {
			return nil, n.fault("value", "rule.needs_percents")
		}
		ends[i] = uint64(step)
	}
	if ends[0] >= ends[1] {
		return nil, n.fault("value", "rule.needs_percents")
	}
	seed := bucketSeed(n.Key)
	return &leaf{set: "bucket", args: []any{n.Key, ends[0], ends[1]}, size: estimateLimit, holds: func(num int64) bool {
		b := bucketOf(seed, num)
		return b >= ends[0] && b < ends[1]
	}}, nil
}

// holding picks those that a condition on the number itself holds for.
func (r *setReader) holding(l *leaf, within *numset.Set) (numset.Choice, error) {
	if within == nil {
		all, err := r.everybody()
		if err != nil {
			return numset.Choice{}, err
		}
		within = all
	}
	out := &numset.Set{}
	for i := range within.Words() {
		word, keep := within.Word(i), uint64(0)
		for left := word; left != 0; left &= left - 1 {
			if bit := bits.TrailingZeros64(left); l.holds(int64(i<<6 + bit)) {
				keep |= 1 << bit
			}
		}
		out.OrWord(i, keep)
	}
	return numset.Choice{Set: out}, nil
}

func (p *speaker) bucket(n *rule.Node) string {
	list, _ := n.Value.([]any)
	if len(list) != 2 {
		list = []any{nil, nil}
	}
	return p.say("rule.say.bucket", "salt", n.Key, "from", plainNumber(list[0]), "to", plainNumber(list[1]))
}
