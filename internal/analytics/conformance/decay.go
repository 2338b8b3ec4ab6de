package conformance

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/analytics"
)

// testDecay compares sums that fade with one addition for every fact.
func testDecay(t *testing.T, e Engine) {
	t.Run("by hand", func(t *testing.T) {
		s := load(t, e, batch(1, fact("a", 1, 0, ""), fact("a", 1, 24, ""), fact("b", 1, 0, `{"total":5}`), fact("b", 2, 0, `{"total":50}`), fact("c", 3, 0, "")))
		ahead := fact("a", 4, 100, "")
		ahead.ReceivedAt = at(48) // its clock ran ahead
		require.NoError(t, s.Append(t.Context(), batch(2, ahead)))
		q := analytics.DecayQuery{HalfLife: 24 * time.Hour, Now: hour(48), Weights: []analytics.Weighted{{Name: "a", Weight: 1},
			{Name: "b", Weight: 10, Matches: func(p json.RawMessage) bool { return strings.Contains(string(p), "50") }}}}
		sums, pos, err := s.(analytics.Decayer).DecayedSums(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, uint64(2), pos.Seq)
		require.Equal(t, []analytics.Decayed{{Contact: 1, Value: 1.5, At: at(24)}, {Contact: 2, Value: 10, At: at(0)}, {Contact: 4, Value: 1, At: at(48)}}, sums)
		q.After = batch(1, fact("a", 1, 0, "")).Position
		q.After.Idx = 4
		sums, _, err = s.(analytics.Decayer).DecayedSums(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, []analytics.Decayed{{Contact: 4, Value: 1, At: at(48)}}, sums)
	})
	rapid.Check(t, func(r *rapid.T) {
		h := &history{engine: e, t: t, s: e.Open(t), m: NewModel()}
		defer func() { require.NoError(r, h.s.Close()) }()
		for range rapid.IntRange(1, 5).Draw(r, "steps") {
			h.step(r)
		}
		q := analytics.DecayQuery{HalfLife: time.Duration(rapid.IntRange(1, 400).Draw(r, "half")) * time.Hour, Now: hour(rapid.IntRange(2200, 2300).Draw(r, "now"))}
		for range rapid.IntRange(1, 3).Draw(r, "weights") {
			w := analytics.Weighted{Name: drawName.Draw(r, "name"), Weight: rapid.Float64Range(0.1, 100).Draw(r, "weight")}
			if rapid.Bool().Draw(r, "picked") {
				w.Matches = func(p json.RawMessage) bool { return strings.Contains(string(p), "a") }
			}
			q.Weights = append(q.Weights, w)
		}
		if len(h.m.rows) > 0 && rapid.Bool().Draw(r, "some") {
			q.After = h.m.rows[rapid.IntRange(0, len(h.m.rows)-1).Draw(r, "after")].Position
		}
		got, pos, err := h.s.(analytics.Decayer).DecayedSums(t.Context(), q)
		require.NoError(r, err)
		require.Equal(r, h.m.pos, pos)
		require.True(r, slices.IsSortedFunc(got, func(a, b analytics.Decayed) int { return int(a.Contact - b.Contact) }))
		want := map[int64]float64{}
		last := map[int64]int64{}
		now, half := q.Now.UnixMilli(), float64(q.HalfLife.Milliseconds())
		for _, row := range h.m.rows {
			at := min(row.Timestamp, row.ReceivedAt)
			if row.Contact < 1 || !q.After.Less(row.Position) || float64(now-at) > analytics.DecayReach*half {
				continue
			}
			for _, w := range q.Weights {
				if w.Name == row.Name && (w.Matches == nil || w.Matches(row.Properties)) {
					want[row.Contact] += w.Weight * math.Pow(0.5, float64(now-at)/half)
					last[row.Contact] = max(last[row.Contact], at)
				}
			}
		}
		require.Len(r, got, len(want))
		for _, x := range got {
			require.Equal(r, last[x.Contact], x.At)
			require.InEpsilon(r, want[x.Contact], x.Value*math.Pow(0.5, float64(now-x.At)/half), 1e-9, "contact %d", x.Contact)
		}
	})
}
