package contact

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/numset"
)

// An estimate from a sample says what the sample says, scaled, and that it is
// one; the exact one says what is, and is what estimates say from then on. The
// store answers nonsense about those outside of the sample.
func TestEstimatesFromASample(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tags, all := stock(t, p, 120)
		m := remember(t, p, all)
		p.SampleFrom = 1
		today := time.Date(2026, 3, 2, 0, 0, 0, 0, china)
		r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
		moved, err := p.Survivors(p.ctx, seq(1, int64(len(all))))
		require.NoError(t, err)
		people := &numset.Set{}
		for i := range all {
			if all[i].shown == 1 && moved[all[i].num] == 0 {
				people.Add(all[i].num)
			}
		}
		sampled := 0
		for range 150 {
			p.answers.kept = nil
			made := anyRule(r, tags)
			text := string(made.JSON())
			want := &numset.Set{}
			for i := range all {
				if f := &all[i]; people.Has(f.num) && holds(&made.Node, f, today, "us_1") {
					want.Add(f.num)
				}
			}
			for range 2 { // the second is answered from what is kept
				e, err := p.Estimate(p.ctx, made, "rule", false)
				require.NoError(t, err, text)
				if !e.About {
					require.Equal(t, want.Count(), e.Count, text)
					require.Zero(t, e.Margin)
					continue
				}
				sampled++
				count, margin := scale(sampleOf(want).Count(), sampleOf(people).Count(), people.Count())
				require.Equal(t, []int64{count, margin, people.Count()}, []int64{e.Count, e.Margin, e.Total}, text)
				for _, row := range e.Sample {
					require.True(t, want.Has(row.num) && analytics.InShare(row.num, estimateShare), text)
				}
			}
			before := len(m.asked)
			e, err := p.Estimate(p.ctx, made, "rule", true)
			require.NoError(t, err, text)
			require.Equal(t, []any{want.Count(), false, int64(0)}, []any{e.Count, e.About, e.Margin}, text)
			again, err := p.Estimate(p.ctx, made, "rule", false)
			require.NoError(t, err, text)
			require.Equal(t, e.Count, again.Count, text)
			require.False(t, again.About, "what is known of everybody is used")
			require.LessOrEqual(t, len(m.asked)-before, 1, text)
		}
		require.Greater(t, sampled, 50)
	})
}

// The margin holds in 19 of 20 samples, also of rare things.
func TestTheMarginOfASample(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const all, tries = 20_000, 400
	for _, true1 := range []int{0, 3, 40, 600, 10_000, 19_990} {
		within := 0
		for range tries {
			met, sample := 0, 0
			for n := range all {
				if r.IntN(estimateShare) == 0 {
					sample++
					if n < true1 {
						met++
					}
				}
			}
			count, margin := scale(int64(met), int64(sample), all)
			if d := count - int64(true1); max(d, -d) <= margin {
				within++
			}
		}
		require.GreaterOrEqual(t, within, tries*93/100, "%d of %d", true1, all)
	}
	count, margin := scale(0, 0, 5)
	require.Equal(t, []int64{0, 5}, []int64{count, margin})
	count, margin = scale(1_000, 1_000, 1_000)
	require.Equal(t, []int64{1_000, 0}, []int64{count, margin}, "when the sample is all there are, nothing is uncertain")
}

// One contact in eight is in the sample, whatever their numbers have in common.
func TestWhoIsInTheSample(t *testing.T) {
	for _, step := range []int64{1, 2, 7, 8, 1000} {
		set := &numset.Set{}
		for n := range int64(100_000) {
			set.Add(n * step)
		}
		in := sampleOf(set)
		require.InDelta(t, 12_500, in.Count(), 600, step)
		list := in.List()
		require.True(t, slices.IsSorted(list))
		for _, n := range list {
			require.True(t, analytics.InShare(n, estimateShare))
		}
	}
}
