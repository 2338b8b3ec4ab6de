package quality

import (
	"math"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// plain is what judge means, written down as the package comment says it and in no
// hurry: ranks are counted instead of sorted out, everything is worked out anew.
func plain(day Sample, before []Sample, limit float64) (abnormal, known bool, baseline float64) {
	var lived []Sample
	var of, then int64
	for _, s := range before {
		if s.Of != 0 {
			lived = append(lived, s)
			of += s.Of
			then += s.Then
		}
	}
	if len(lived) < 4 || of < 60 || day.Of < 30 || then == 0 {
		return false, false, 0
	}
	pool := float64(then) / float64(of)
	drawn := func(s Sample) float64 { return (float64(s.Then) + 20*pool) / (float64(s.Of) + 20) }
	middle := func(at func(i int) float64) float64 {
		v := make([]float64, len(lived))
		for i := range v {
			v[i] = at(i)
		}
		sort.Float64s(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	baseline = middle(func(i int) float64 { return drawn(lived[i]) })
	mad := middle(func(i int) float64 { return math.Abs(drawn(lived[i]) - baseline) })
	noise := math.Sqrt(math.Pow(1.4826*mad, 2) + baseline*(1-baseline)/float64(day.Of))
	off := math.Abs(drawn(day) - baseline)
	return off > limit*baseline && off > 3*noise, true, baseline
}

func TestJudgeIsThePlainRule(t *testing.T) {
	told := 0
	rapid.Check(t, func(r *rapid.T) {
		sample := func(name string, most int64) Sample {
			of := rapid.Int64Range(0, most).Draw(r, name)
			return Sample{Of: of, Then: rapid.Int64Range(0, of).Draw(r, name+" then")}
		}
		before := make([]Sample, rapid.IntRange(0, 8).Draw(r, "days"))
		rate := rapid.Float64Range(.01, .9).Draw(r, "rate")
		for i := range before {
			before[i] = sample("before", 400)
			if rapid.Bool().Draw(r, "usual") {
				before[i].Then = int64(float64(before[i].Of) * rate)
			}
		}
		day := sample("day", 600)
		limit := float64(rapid.IntRange(5, 90).Draw(r, "percent")) / 100
		v := judge(day, before, limit)
		abnormal, known, baseline := plain(day, before, limit)
		require.Equal(r, known, v.Known)
		require.InDelta(r, baseline, v.Baseline, 1e-12)
		if baseline > 0 && math.Abs(math.Abs(v.Off)-limit) > 1e-9 {
			require.Equal(r, abnormal, v.Abnormal)
		}
		if v.Abnormal {
			told++
		}
	})
	require.NotZero(t, told, "some of the days are told")
}

// What a person would say: an ordinary day is no news, a collapse is, and one odd
// day among the samples changes neither.
func TestDaysThatArePlain(t *testing.T) {
	usual := []Sample{{Of: 200, Then: 60}, {Of: 190, Then: 58}, {Of: 220, Then: 64}, {Of: 205, Then: 63}, {Of: 180, Then: 54}, {Of: 210, Then: 65}, {Of: 195, Then: 57}, {Of: 200, Then: 61}}
	require.False(t, judge(Sample{Of: 200, Then: 58}, usual, .15).Abnormal)
	require.True(t, judge(Sample{Of: 200, Then: 12}, usual, .15).Abnormal, "traffic that does not go on")
	require.True(t, judge(Sample{Of: 200, Then: 130}, usual, .15).Abnormal, "too good is abnormal, too")
	odd := append([]Sample{{Of: 200, Then: 199}}, usual[1:]...)
	require.True(t, judge(Sample{Of: 200, Then: 12}, odd, .15).Abnormal)
	require.False(t, judge(Sample{Of: 200, Then: 58}, odd, .15).Abnormal)
	require.False(t, judge(Sample{Of: 12, Then: 0}, usual, .15).Known, "twelve people say nothing")
	require.False(t, judge(Sample{Of: 40, Then: 9}, usual, .15).Abnormal, "a quarter fewer of forty is chance")
	require.False(t, judge(Sample{Of: 200, Then: 12}, usual[:3], .15).Known, "three samples are none")
}
