package rfm

import (
	"math"
	"slices"
)

// cutsOf are the four points between five parts of the values: percentiles by
// definition 7 of Hyndman and Fan. The values are sorted by it.
func cutsOf(values []float64) [4]float64 {
	var out [4]float64
	if len(values) == 0 {
		return out
	}
	slices.Sort(values)
	for i := range out {
		at := float64(len(values)-1) * float64(i+1) / 5
		low := math.Floor(at)
		a, b := values[int(low)], values[int(math.Ceil(at))]
		out[i] = a + (at-low)*(b-a)
	}
	return out
}

// above is one more than the number of cuts that a value lies above.
func above(v float64, cuts [4]float64) int {
	n := 1
	for _, c := range cuts {
		if v > c {
			n++
		}
	}
	return n
}

// Scores are those of one customer, each from 1 to 5.
type Scores struct{ R, F, M int }

// FM is the mean of F and M, rounded half up.
func (s Scores) FM() int { return (s.F + s.M + 1) / 2 }

// cell packs scores into a number from 0 to 124.
func (s Scores) cell() uint8 { return uint8((s.R-1)*25 + (s.F-1)*5 + s.M - 1) }

func scoresOf(cell uint8) Scores {
	return Scores{int(cell)/25 + 1, int(cell)/5%5 + 1, int(cell)%5 + 1}
}

// The nine groups, from the best to the one that is asleep.
const (
	Best      = "best"
	Loyal     = "loyal"
	AtRisk    = "at_risk"
	Promising = "promising"
	Attention = "attention"
	Fading    = "fading"
	Newcomer  = "newcomer"
	Casual    = "casual"
	Asleep    = "asleep"
)

// table is groups by thirds: of FM from high to low, of R from high to low.
var table = [3][3]string{
	{Best, Loyal, AtRisk},
	{Promising, Attention, Fading},
	{Newcomer, Casual, Asleep},
}

// Groups lists them.
func Groups() []string {
	return []string{Best, Loyal, AtRisk, Promising, Attention, Fading, Newcomer, Casual, Asleep}
}

// Group is the one of some scores.
func (s Scores) Group() string {
	third := func(n int) int {
		switch {
		case n >= 4:
			return 0
		case n == 3:
			return 1
		}
		return 2
	}
	return table[third(s.FM())][third(s.R)]
}

// The four tiers.
const (
	HighValue = "high"
	Potential = "potential"
	Ordinary  = "ordinary"
	Silent    = "silent"
)

// Tiers lists them.
func Tiers() []string { return []string{HighValue, Potential, Ordinary, Silent} }

// TierOf is the tier of a group.
func TierOf(group string) string {
	switch group {
	case Best, Loyal:
		return HighValue
	case Promising, Newcomer:
		return Potential
	case Attention, Casual:
		return Ordinary
	}
	return Silent
}
