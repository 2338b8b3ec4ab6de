package duckdb

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/rule"
)

// What would take more memory than there is stays in the store, and the answers
// are the same; what takes less is at hand again.
func TestMemoryThatIsFull(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.duckdb")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	s.recall.limit = 64 << 10
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	appendFacts := func(seq uint64, name string, n int) {
		b := analytics.Batch{Position: event.Position{Seq: seq, Idx: uint32(n - 1)}}
		for i := range n {
			b.Rows = append(b.Rows, analytics.Row{Position: event.Position{Seq: seq, Idx: uint32(i)}, Contact: int64(i%100 + 1),
				Fact: event.Fact{MessageID: fmt.Sprint(seq, "-", i), Type: event.Track, Name: name, Timestamp: now.UnixMilli(), ReceivedAt: now.UnixMilli(), Properties: fmt.Appendf(nil, `{"sku":"S%d"}`, i)}})
		}
		require.NoError(t, s.Append(t.Context(), b))
	}
	ask := func(text string) analytics.BehaviourQuery {
		r, err := rule.Parse(`{"v":1,`+text+`}`, "where")
		require.NoError(t, err)
		return analytics.BehaviourQuery{Leaves: []rule.Behaviour{r.Behaviour}, Now: now, Zone: time.UTC, Among: []int64{7, 8, 500}}
	}
	settled := func() analytics.Recall {
		var is analytics.Recall
		require.Eventually(t, func() bool { is = s.Recall(); return !is.Loading }, 20*time.Second, time.Millisecond)
		return is
	}
	rare := ask(`"event":{"name":"cart.added","measure":"count","op":"gte","value":2}`)
	often := ask(`"event":{"name":"page.viewed","measure":"distinct","property":"sku","op":"gte","value":20}`)
	holds := func(q analytics.BehaviourQuery, want ...bool) {
		got, err := s.Behaviour(t.Context(), q)
		require.NoError(t, err)
		for i, n := range q.Among {
			require.Equal(t, want[i], got[0].Has(n), "contact %d", n)
		}
	}
	appendFacts(1, "page.viewed", 2000)
	appendFacts(2, "cart.added", 207)

	require.NoError(t, s.Remember(often))
	require.True(t, settled().Full, "two thousand different ones take more than the memory has")
	require.Zero(t, settled().Facts)
	holds(often, true, true, false)

	require.NoError(t, s.Remember(rare))
	is := settled()
	require.True(t, is.Ready)
	require.False(t, is.Full)
	require.EqualValues(t, 207, is.Facts)
	holds(rare, true, true, false)
	appendFacts(3, "cart.added", 100)
	require.EqualValues(t, 307, s.Recall().Facts, "what comes is added")

	n, err := s.EraseContacts(t.Context(), []int64{7})
	require.NoError(t, err)
	require.EqualValues(t, 24, n)
	holds(rare, false, true, false)
	require.EqualValues(t, 303, settled().Facts, "read anew after an erasure")
	holds(rare, false, true, false)

	appendFacts(4, "cart.added", 8000)
	require.True(t, settled().Full, "it grew beyond the memory")
	holds(rare, true, true, false)
	require.NoError(t, s.Remember(analytics.BehaviourQuery{}))
	require.Equal(t, analytics.Recall{Ready: false}, settled(), "nothing is asked for")
}
