package match

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Sorting on disk gives what sorting in memory gives, twice over.
func TestSpillSorts(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 2*runLength + 77} {
		s, err := newSpill(t.TempDir())
		require.NoError(t, err)
		r := rand.New(rand.NewPCG(1, uint64(n)))
		want := make([]entry, 0, n)
		for range n {
			e := entry{r.Int64N(int64(n)) - int64(n)/2, r.Int64N(3)}
			want = append(want, e)
			require.NoError(t, s.add(e))
		}
		slices.SortFunc(want, entry.compare)
		want = slices.Compact(want)
		for range 2 {
			got := make([]entry, 0, len(want))
			require.NoError(t, s.each(func(e entry) error { got = append(got, e); return nil }))
			require.True(t, slices.Equal(want, got))
		}
		require.NoError(t, s.remove())
	}
}

func TestScoreAndWeightAgree(t *testing.T) {
	for score := 1; score < 100; score++ {
		require.Equal(t, score, scoreOf(weightOf(score)))
		require.Less(t, scoreOf(weightOf(score)-1), score)
	}
	require.Equal(t, 99, scoreOf(60_000))
}
