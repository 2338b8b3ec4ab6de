package audience

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// Random changes, some of them cut off: the store is always what a plain map says.
func TestSetsUnderRandomChanges(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), &SetStore{DB: d}
		rnd := rand.New(rand.NewPCG(1, 2))
		truth := map[int64]bool{}
		some := func(n int) []int64 {
			out := make([]int64, n)
			for i := range out {
				switch rnd.IntN(3) {
				case 0: // crowded rows turn dense and back
					out[i] = rnd.Int64N(500)
				case 1:
					out[i] = 3*partSize + rnd.Int64N(partSize)
				default:
					out[i] = rnd.Int64N(40 * partSize)
				}
			}
			return out
		}
		crash := errors.New("cut off")
		for round := range 120 {
			in, out := some(rnd.IntN(1500)), some(rnd.IntN(600))
			next := map[int64]bool{}
			for n := range truth {
				next[n] = true
			}
			cut := rnd.IntN(4) == 0
			var came, went []int64
			err := d.Tx(ctx, func(ctx context.Context) (err error) {
				if rnd.IntN(6) == 0 { // a whole new set
					set := numset.Of(in...)
					next = map[int64]bool{}
					for _, n := range in {
						next[n] = true
					}
					c, w, err := s.Replace(ctx, "a", set)
					if err != nil {
						return err
					}
					came, went = c.List(), w.List()
				} else {
					for _, n := range out {
						delete(next, n)
					}
					for _, n := range in {
						next[n] = true
					}
					if came, went, err = s.Apply(ctx, "a", in, out); err != nil {
						return err
					}
				}
				if cut {
					return crash
				}
				return nil
			})
			if cut {
				require.ErrorIs(t, err, crash)
			} else {
				require.NoError(t, err)
				var wantCame, wantWent []int64
				for n := range next {
					if !truth[n] {
						wantCame = append(wantCame, n)
					}
				}
				for n := range truth {
					if !next[n] {
						wantWent = append(wantWent, n)
					}
				}
				slices.Sort(wantCame)
				slices.Sort(wantWent)
				require.Equal(t, wantCame, came, "round %d", round)
				require.Equal(t, wantWent, went, "round %d", round)
				truth = next
			}
			got, err := s.Load(ctx, "a")
			require.NoError(t, err)
			var want []int64
			for n := range truth {
				want = append(want, n)
			}
			slices.Sort(want)
			require.Equal(t, want, got.List(), "round %d", round)
			n, err := s.Count(ctx, "a")
			require.NoError(t, err)
			require.EqualValues(t, len(truth), n)
			ask := some(50)
			has, err := s.Has(ctx, "a", ask)
			require.NoError(t, err)
			for _, n := range ask {
				require.Equal(t, truth[n], has.Has(n))
			}
		}
		var most, empty int64
		require.NoError(t, d.QueryRow(ctx, "select max(length(bits)), sum(case when n = 0 then 1 else 0 end) from audience_sets").Scan(&most, &empty))
		require.EqualValues(t, denseSize, most, "a crowded row has a bit for each")
		require.Zero(t, empty, "empty rows are not kept")
	}, Migrations())
}

func TestSetsApart(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), &SetStore{DB: d}
		_, _, err := s.Replace(ctx, "a", numset.Of(1, 2, 5000))
		require.NoError(t, err)
		require.NoError(t, s.Copy(ctx, "a", "b"))
		_, _, err = s.Apply(ctx, "a", []int64{3}, []int64{5000, -1})
		require.NoError(t, err)
		all, err := s.LoadAll(ctx, "a", "b", "none")
		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, all["a"].List())
		require.Equal(t, []int64{1, 2, 5000}, all["b"].List())
		require.Zero(t, all["none"].Count())
		var sparse int64
		require.NoError(t, d.QueryRow(ctx, "select length(bits) from audience_sets where set_key = 'b' and part = 0").Scan(&sparse))
		require.EqualValues(t, 4, sparse)
		require.NoError(t, s.Forget(ctx, []int64{2, 5000}))
		all, err = s.LoadAll(ctx, "a", "b")
		require.NoError(t, err)
		require.Equal(t, []int64{1, 3}, all["a"].List())
		require.Equal(t, []int64{1}, all["b"].List())
		require.NoError(t, s.Drop(ctx, "a"))
		n, err := s.Count(ctx, "a")
		require.NoError(t, err)
		require.Zero(t, n)
	}, Migrations())
}

func TestRowsOfSetsAreChecked(t *testing.T) {
	var w words
	require.Error(t, w.decode(make([]byte, denseSize+2)))
	require.Error(t, w.decode([]byte{1}))
	require.Error(t, w.decode([]byte{0xff, 0xff}))
	require.NoError(t, w.decode(nil))
}
