//go:build unix

package duckdb_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
)

// BenchmarkTimeline reads one contact's facts among ten million, of
// 200,000 contacts, as a profile does: the newest, the next page, by name, and
// within a time. The goal is 200 ms. KOIPOND_BENCH_FACTS makes it smaller;
// KOIPOND_BENCH_KEEP names a folder where the store is kept for the next run.
func BenchmarkTimeline(b *testing.B) {
	if testing.Short() {
		b.Skip("stores ten million facts")
	}
	total := 10_000_000
	if n, err := strconv.Atoi(os.Getenv("KOIPOND_BENCH_FACTS")); err == nil {
		total = n
	}
	dir := os.Getenv("KOIPOND_BENCH_KEEP")
	if dir == "" {
		dir = b.TempDir()
	}
	s := open(b, filepath.Join(dir, "timeline-"+strconv.Itoa(total)+".duckdb"))
	have, err := s.Stats(b.Context())
	require.NoError(b, err)
	if have.Facts == 0 {
		began := time.Now()
		r := rand.New(rand.NewPCG(1, 2))
		for seq := uint64(1); seq <= uint64(total)/50_000; seq++ {
			require.NoError(b, s.Append(b.Context(), benchBatch(r, seq, 50_000, total)))
		}
		b.Logf("filled in %s", time.Since(began).Round(time.Second))
		have, err = s.Stats(b.Context())
		require.NoError(b, err)
	}
	b.Logf("%d facts, %d MB", have.Facts, have.SizeBytes>>20)
	contact := int64(777)
	newest := analytics.TimelineQuery{Filter: analytics.Filter{Contact: contact}, Limit: 51}
	page, err := s.Timeline(b.Context(), newest)
	require.NoError(b, err)
	require.Greater(b, len(page), 10)
	middle := page[len(page)/2]
	for _, x := range []struct {
		name   string
		change func(q *analytics.TimelineQuery)
	}{
		{"newest", func(*analytics.TimelineQuery) {}},
		{"next", func(q *analytics.TimelineQuery) {
			q.Before = &analytics.TimelineCursor{Timestamp: middle.Timestamp, Position: middle.Position}
		}},
		{"orders", func(q *analytics.TimelineQuery) { q.Events = []string{"order.paid"} }},
		{"month", func(q *analytics.TimelineQuery) {
			q.Range = analytics.Range{From: benchStart.AddDate(0, 1, 0), To: benchStart.AddDate(0, 2, 0)}
		}},
		{"rare", func(q *analytics.TimelineQuery) { q.Events = []string{"never.happened"} }},
	} {
		b.Run(x.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(3, 4))
			var took []time.Duration
			before := cpuTime(b)
			for range b.N {
				q := newest
				q.Contact = r.Int64N(benchContacts/2) + 1 // another each time: nothing is kept for it
				x.change(&q)
				began := time.Now()
				rows, err := s.Timeline(b.Context(), q)
				require.NoError(b, err)
				took = append(took, time.Since(began))
				b.ReportMetric(float64(len(rows)), "rows")
			}
			spent := cpuTime(b) - before
			slices.Sort(took)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms")
			b.ReportMetric(took[len(took)-1].Seconds()*1000, "max-ms")
			b.ReportMetric(spent.Seconds()*1000/float64(b.N), "cpu-ms")
			b.ReportMetric(rssMB(b), "rss-MB")
		})
	}
}
