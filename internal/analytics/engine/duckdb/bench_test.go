//go:build unix

package duckdb_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/event"
)

// The pond of the benchmarks: 2 M facts over 120 days by 200,000 contacts, one in twenty merged away.
const (
	benchFacts    = 2_000_000
	benchContacts = 200_000
	benchDays     = 120
	benchRounds   = 15              // pairs of the port's and the hand-written answer
	benchZone     = 8 * 3600 * 1000 // Asia/Shanghai, ms
)

var (
	benchStart    = time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC) // midnight in Shanghai
	benchNames    = []string{"page.viewed", "page.viewed", "page.viewed", "product.viewed", "product.viewed", "cart.added", "message.opened", "order.paid"}
	benchChannels = []string{"social", "short_video", "organic", "direct", "paid_search", "referral"}
)

// BenchmarkQuery times questions through the port against SQL written by hand
// for the same answers, run by database/sql on a copy of the same file, turn
// about and each first in every other pair. x_raw is the median of the pairs'
// ratios by the clock: what slows the machine down slows both of a pair. The goal
// is at most 1.15. x_raw_low and x_raw_high are the quartiles. x_raw_cpu is the
// ratio of the processor time of all rounds. x_naive_cpu is against hand-written
// SQL that knows nothing of merges, where that differs.
func BenchmarkQuery(b *testing.B) {
	dir := b.TempDir()
	s := open(b, filepath.Join(dir, fileName))
	r := rand.New(rand.NewPCG(1, 2))
	for seq := uint64(1); seq <= benchFacts/20_000; seq++ {
		require.NoError(b, s.Append(b.Context(), benchBatch(r, seq, 20_000, benchFacts)))
	}
	require.NoError(b, s.Backup(b.Context(), filepath.Join(dir, "copy")))
	raw, err := sql.Open("duckdb", filepath.Join(dir, "copy", fileName)+"?memory_limit="+strconv.Itoa(duckdb.DefaultMemoryLimitMB)+"MiB")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, raw.Close()) })
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(b, err)

	quarter := analytics.Range{From: benchStart, To: benchStart.AddDate(0, 0, 90)}
	span := fmt.Sprintf("f.ts >= %d AND f.ts < %d", quarter.From.UnixMilli(), quarter.To.UnixMilli())
	day := fmt.Sprintf("(f.ts + %d) // 86400000", benchZone)
	people := analytics.Filter{Range: quarter, ContactKind: event.Person}
	trend := func(q analytics.TrendQuery) func() error {
		q.Timezone = shanghai
		return func() error { _, err := s.Trend(b.Context(), q); return err }
	}
	joined := " FROM facts f JOIN contacts c ON c.contact = f.contact WHERE c.kind = 'person' AND " + span
	plain := " FROM facts f WHERE f.contact IN (SELECT contact FROM contacts WHERE kind = 'person') AND " + span
	for _, q := range []struct {
		name       string
		port       func() error
		raw, naive string
	}{
		{"trend_orders", trend(analytics.TrendQuery{Filter: analytics.Filter{Range: quarter, Events: []string{"order.paid"}}}),
			"SELECT " + day + " AS b, count(*) FROM facts f WHERE f.name = 'order.paid' AND " + span + " GROUP BY b", ""},
		{"trend_people", trend(analytics.TrendQuery{Filter: people, Measure: analytics.MeasurePeople}),
			"SELECT " + day + " AS b, count(DISTINCT c.root)" + joined + " GROUP BY GROUPING SETS ((b), ())",
			"SELECT " + day + " AS b, count(DISTINCT f.contact)" + plain + " GROUP BY GROUPING SETS ((b), ())"},
		{"trend_people_by_event", trend(analytics.TrendQuery{Filter: people, Measure: analytics.MeasurePeople, Breakdown: analytics.ByEvent}),
			"SELECT " + day + " AS b, f.name, count(DISTINCT c.root)" + joined + " GROUP BY GROUPING SETS ((b, f.name), (f.name))",
			"SELECT " + day + " AS b, f.name, count(DISTINCT f.contact)" + plain + " GROUP BY GROUPING SETS ((b, f.name), (f.name))"},
		{"trend_revenue_by_channel", trend(analytics.TrendQuery{Filter: analytics.Filter{Range: quarter, Events: []string{"order.paid"}, Currency: "CNY"}, Measure: analytics.MeasureSum, Property: "total", Breakdown: analytics.ByChannel}),
			"SELECT " + day + " AS b, c.channel, sum(f.p_1) FROM facts f LEFT JOIN contacts c ON c.contact = f.contact WHERE f.name = 'order.paid' AND f.p_2 = 'CNY' AND " + span + " GROUP BY b, c.channel", ""},
		{"summary", func() error { _, _, _, err := s.Summary(b.Context(), people); return err },
			"SELECT f.name, count(*), count(DISTINCT c.root)" + joined + " GROUP BY GROUPING SETS ((f.name), ())",
			"SELECT f.name, count(*), count(DISTINCT f.contact)" + plain + " GROUP BY GROUPING SETS ((f.name), ())"},
	} {
		b.Run(q.name, func(b *testing.B) {
			var port, byHand, naive cost
			var ratios []float64
			for b.Loop() {
				for i := range benchRounds {
					sides := []func(){func() { port.add(b, q.port) }, func() { byHand.add(b, func() error { return drain(raw, q.raw) }) }}
					sides[i%2]()
					sides[1-i%2]()
					ratios = append(ratios, float64(port.last)/float64(byHand.last))
					if q.naive != "" {
						naive.add(b, func() error { return drain(raw, q.naive) })
					}
				}
			}
			b.ReportMetric(0, "ns/op") // three different things in one loop: no use
			slices.Sort(ratios)
			b.ReportMetric(float64(port.best.Microseconds())/1000, "port_ms")
			b.ReportMetric(ratios[len(ratios)/2], "x_raw")
			b.ReportMetric(ratios[len(ratios)/4], "x_raw_low")
			b.ReportMetric(ratios[len(ratios)*3/4], "x_raw_high")
			b.ReportMetric(float64(port.cpu)/float64(byHand.cpu), "x_raw_cpu")
			if q.naive != "" {
				b.ReportMetric(float64(port.cpu)/float64(naive.cpu), "x_naive_cpu")
			}
		})
	}
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			b.ReportMetric(rssMB(b), "rss_mb") // of this process with both databases open, after all of the above
		}
	})
}

// BenchmarkAppend stores batches durably, with profiles and merges in them.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1_000, 10_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), fileName))
			r := rand.New(rand.NewPCG(1, 2))
			seq := uint64(0)
			var spent time.Duration
			var cpu time.Duration
			for b.Loop() {
				seq++
				batch := benchBatch(r, seq, size, benchFacts)
				start, before := time.Now(), cpuTime(b)
				require.NoError(b, s.Append(b.Context(), batch))
				spent, cpu = spent+time.Since(start), cpu+cpuTime(b)-before
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(seq)*float64(size)/spent.Seconds(), "rows/s")
			b.ReportMetric(float64(seq)*float64(size)/cpu.Seconds(), "rows/cpu_s")
			b.ReportMetric(rssMB(b), "rss_mb")
		})
	}
}

// benchBatch is message seq of so many facts, on the way to total.
func benchBatch(r *rand.Rand, seq uint64, size, total int) analytics.Batch {
	b := analytics.Batch{Position: event.Position{Seq: seq, Idx: uint32(size - 1)}, Rows: make([]analytics.Row, size)}
	step := int64(benchDays) * 86_400_000 / int64(total)
	share := float64(size) / float64(total)
	first := int64(float64(seq-1)*share*benchContacts) + 1
	last := int64(float64(seq) * share * benchContacts)
	for c := first; c <= last; c++ {
		p := event.Profile{Contact: c, Kind: event.Person, Channel: benchChannels[r.IntN(len(benchChannels))]}
		if r.IntN(3) == 0 {
			p.Kind = event.Visitor
		}
		b.Profiles = append(b.Profiles, p)
		if c > 1 && r.IntN(20) == 0 {
			b.Rekeys = append(b.Rekeys, event.Rekey{From: c, Into: r.Int64N(c-1) + 1})
		}
	}
	for i := range b.Rows {
		row := &b.Rows[i]
		n := int64(seq-1)*int64(size) + int64(i)
		row.Position = event.Position{Seq: seq, Idx: uint32(i)}
		row.Contact = r.Int64N(max(last, 1)) + 1
		row.MessageID = fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
		row.AnonymousID = fmt.Sprintf("a-%d", row.Contact)
		row.Type, row.Source = event.Track, "mini-program"
		row.Timestamp = benchStart.UnixMilli() + n*step
		row.ReceivedAt = row.Timestamp + 300
		row.Context = []byte(`{"library":{"name":"analytics-node","version":"3.0.0"},"locale":"zh-CN","ip":"10.2.3.4"}`)
		row.Name = benchNames[r.IntN(len(benchNames))]
		if row.Name == "order.paid" {
			row.Properties = fmt.Appendf(nil, `{"order_id":"D%08d","total":%d,"currency":"CNY","lines":[{"sku":"S%04d","quantity":1}]}`, n, r.IntN(90_000), r.IntN(5000))
		} else {
			row.Properties = fmt.Appendf(nil, `{"url":"https://shop.example.cn/p/%d","sku":"S%04d","price":%d}`, r.IntN(5000), r.IntN(5000), r.IntN(90_000))
		}
	}
	return b
}

// cost is the wall time of the last and the best of some rounds, and the
// processor time of all.
type cost struct{ last, best, cpu time.Duration }

func (c *cost) add(b *testing.B, fn func() error) {
	b.Helper()
	before, start := cpuTime(b), time.Now()
	require.NoError(b, fn())
	took := time.Since(start)
	c.last = took
	c.cpu += cpuTime(b) - before
	if c.best == 0 || took < c.best {
		c.best = took
	}
}

// cpuTime is what this process has used of the processors so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &use))
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func drain(db *sql.DB, query string) error {
	rows, err := db.Query(query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rssMB is the memory of this process that is in RAM; 0 where /proc does not tell.
func rssMB(tb testing.TB) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if os.IsNotExist(err) {
		return 0
	}
	require.NoError(tb, err)
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			require.NoError(tb, err)
			return kb / 1024
		}
	}
	return 0
}
