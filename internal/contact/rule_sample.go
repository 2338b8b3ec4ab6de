package contact

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/numset"
)

// While a rule is being written, what one person in estimateShare did stands for
// what all did, when there are so many that asking about all takes longer than
// one likes to wait: an answer with its margin comes at once, and the console
// asks for the exact one afterwards.
const (
	estimateShare = 8
	sampleFrom    = 200_000 // contacts
)

// worthSampling tells whether there are so many contacts.
func (q *estimator) worthSampling() (bool, error) {
	from := q.s.SampleFrom
	if from == 0 {
		from = sampleFrom
	}
	var highest int64 // numbers follow each other, so this costs nothing and is near enough
	if err := q.s.DB.QueryRow(q.ctx, "select coalesce(max(num), 0) from contacts").Scan(&highest); err != nil {
		return false, fmt.Errorf("count contacts: %w", err)
	}
	return highest >= from, nil
}

// sampleOf gives those of a set that are in the sample.
func sampleOf(set *numset.Set) *numset.Set {
	out := &numset.Set{}
	for w := range set.Words() {
		var kept uint64
		for left := set.Word(w); left != 0; left &= left - 1 {
			bit := bits.TrailingZeros64(left)
			if analytics.InShare(int64(w)*64+int64(bit), estimateShare) {
				kept |= 1 << bit
			}
		}
		if kept != 0 {
			out.SetWord(w, kept)
		}
	}
	return out
}

// scale says of how many of all it is likely that they are meant, when so many of
// those in the sample are: the number, and how far off it is at most in 19 of 20
// samples. The margin is the one of Agresti and Coull (Approximate is better than
// "exact" for interval estimation of binomial proportions, 1998), which also holds
// when few or none are met, made smaller because the sample is a part of all.
func scale(met, sample, all int64) (count, margin int64) {
	switch {
	case sample == 0:
		return 0, all
	case sample >= all:
		return met, 0
	}
	const z = 1.959964
	n := float64(sample) + z*z
	p := (float64(met) + z*z/2) / n
	part := 1 - float64(sample)/float64(all)
	half := z * math.Sqrt(max(0, p*(1-p)/n*part))
	plain := float64(met) / float64(sample)
	off := max(p+half-plain, plain-p+half) // the interval lies around p, not around the plain share
	return int64(math.Round(plain * float64(all))), int64(math.Ceil(off * float64(all)))
}
