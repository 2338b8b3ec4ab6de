package numset

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersInASet(t *testing.T) {
	s := &Set{}
	require.NoError(t, EachNumber([]byte("7,64,1000000,7"), s.Add))
	require.Equal(t, []int64{7, 64, 1_000_000}, s.List())
	require.Equal(t, []int64{64}, s.After(7, 1))
	require.True(t, s.Has(64))
	require.False(t, s.Has(-1) || s.Has(65) || s.Has(1<<40))
	o := s.Clone()
	o.Remove(64)
	o.Remove(1 << 50)
	s.AndNot(o)
	require.Equal(t, []int64{64}, s.List())
	s.Or(o)
	require.EqualValues(t, 3, s.Count())
	s.And(&Set{})
	require.Empty(t, s.List())
	s.OrWord(2, 5)
	require.Equal(t, []int64{128, 130}, s.List())
	s.SetWord(2, 1)
	s.SetWord(9, 0)
	require.Equal(t, []int64{128}, s.List())
	require.Equal(t, uint64(1), s.Word(2))
	require.Zero(t, s.Word(1<<30)+s.Word(-1))
	require.Error(t, EachNumber([]byte("1,x"), s.Add))
}

func TestSpreadPicksEvenly(t *testing.T) {
	set := &Set{}
	for n := int64(3); n < 3000; n += 3 {
		set.Add(n)
	}
	all := set.List()
	for _, n := range []int{1, 2, 10, 64, 500} {
		got := set.Spread(n)
		require.Len(t, got, n)
		for i, num := range got {
			want := 0
			if n > 1 {
				want = i * (len(all) - 1) / (n - 1)
			}
			require.Equal(t, all[want], num)
		}
	}
	require.Equal(t, []int64{1, 70}, Of(1, 70).Spread(10))
	require.Empty(t, set.Spread(0))
	require.Empty(t, Of().Spread(3))
}
