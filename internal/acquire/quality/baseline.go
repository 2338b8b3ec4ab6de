package quality

import (
	"math"
	"slices"
)

// What the baseline is made of; the package comment says why.
const (
	samples   = 8  // days of the same weekday
	fewest    = 4  // of them that must hold anybody
	leastPool = 60 // people in all samples
	leastDay  = 30 // people on the day that is judged
	prior     = 20.0
	madScale  = 1.4826
	threshold = 3.0
)

// Sample is how many people began on a day, and how many of them went on.
type Sample struct {
	Day  string `json:"day"`
	Of   int64  `json:"of"`
	Then int64  `json:"then"`
}

// Verdict is a day held against its baseline.
type Verdict struct {
	Share    float64 `json:"share" doc:"Of the day itself"`
	Baseline float64 `json:"baseline"`
	Spread   float64 `json:"spread" doc:"A usual deviation, that of chance included"`
	Off      float64 `json:"off" doc:"Share against baseline: -0.2 is a fifth less"`
	Abnormal bool    `json:"-"`
	Known    bool    `json:"-"` // there is enough to say anything
}

// judge holds a day against days of the same weekday before it. limit is a share:
// 0.15 for 15 per cent.
func judge(day Sample, before []Sample, limit float64) (v Verdict) {
	var of, then int64
	held := 0
	for _, s := range before {
		if s.Of > 0 {
			held++
			of, then = of+s.Of, then+s.Then
		}
	}
	if held < fewest || of < leastPool || day.Of < leastDay || then == 0 {
		return v
	}
	pooled := float64(then) / float64(of)
	shares := make([]float64, 0, held)
	for _, s := range before {
		if s.Of > 0 {
			shares = append(shares, (float64(s.Then)+prior*pooled)/(float64(s.Of)+prior))
		}
	}
	v.Known = true
	v.Baseline = median(shares)
	off := make([]float64, len(shares))
	for i, s := range shares {
		off[i] = math.Abs(s - v.Baseline)
	}
	usual := madScale * median(off)
	smooth := (float64(day.Then) + prior*pooled) / (float64(day.Of) + prior)
	chance := v.Baseline * (1 - v.Baseline) / float64(day.Of)
	v.Spread = math.Sqrt(usual*usual + chance)
	v.Share = float64(day.Then) / float64(day.Of)
	v.Off = v.Share/v.Baseline - 1
	v.Abnormal = math.Abs(smooth/v.Baseline-1) > limit && math.Abs(smooth-v.Baseline) > threshold*v.Spread
	return v
}

// median of at least one number; it changes nothing.
func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
