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
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/rule"
)

// BenchmarkBehaviour asks whom conditions on behaviour hold for among ten
// million facts of a million contacts, one in twenty of them merged away.
//
//   - one: each of sixty conditions by itself, as the exact estimate does;
//     the goal is a p99 of 300 ms;
//   - sample: the same of one contact in eight, as an estimate while typing does it first;
//   - sixty: all of them at once, as the membership of sixty segments is worked
//     out, against the same sixty in SQL written by hand, one after the other, on a
//     copy of the file: these only count, the port gives the members. x_raw is the
//     median of the rounds; the goal is at most 1;
//   - among: the sixty for a thousand contacts, as the live engine asks after a fact.
//
// KOIPOND_BENCH_FACTS makes it smaller (contacts are a tenth), KOIPOND_BENCH_MB
// is the engine's memory, KOIPOND_BENCH_KEEP names a folder where the store is
// kept for the next run.
func BenchmarkBehaviour(b *testing.B) {
	if testing.Short() {
		b.Skip("stores ten million facts")
	}
	total, megs := envInt("KOIPOND_BENCH_FACTS", 10_000_000), envInt("KOIPOND_BENCH_MB", 512)
	dir := os.Getenv("KOIPOND_BENCH_KEEP")
	if dir == "" {
		dir = b.TempDir()
	}
	path := filepath.Join(dir, "behaviour-"+strconv.Itoa(total)+".duckdb")
	s, err := duckdb.Open(b.Context(), duckdb.Config{Path: path, MemoryLimitMB: megs})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	have, err := s.Stats(b.Context())
	require.NoError(b, err)
	copied := filepath.Join(dir, "copy-"+strconv.Itoa(total))
	if have.Facts == 0 {
		began := time.Now()
		r := rand.New(rand.NewPCG(1, 2))
		const size = 50_000
		for seq := uint64(1); seq <= uint64(total/size); seq++ {
			require.NoError(b, s.Append(b.Context(), behaviourBatch(r, seq, size, total)))
		}
		require.NoError(b, s.Backup(b.Context(), copied))
		b.Logf("filled in %s", time.Since(began).Round(time.Second))
		have, err = s.Stats(b.Context())
		require.NoError(b, err)
	}
	b.Logf("%d facts, %d contacts, %d MB, %d MB for the engine", have.Facts, have.Contacts, have.SizeBytes>>20, megs)
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(b, err)
	q := analytics.BehaviourQuery{Now: benchStart.AddDate(0, 0, benchDays).Add(-12 * time.Hour), Zone: zone}
	leaves := benchLeaves(b, q.Now, zone)
	for _, l := range leaves {
		q.Leaves = append(q.Leaves, l.leaf)
	}

	one := func(b *testing.B, share int) {
		var all, cpu []float64
		for b.Loop() {
			for range envInt("KOIPOND_BENCH_ROUNDS", 3) {
				for _, l := range leaves {
					one := q
					one.Leaves, one.Share = []rule.Behaviour{l.leaf}, share
					began, before := time.Now(), cpuTime(b)
					_, err := s.Behaviour(b.Context(), one)
					require.NoError(b, err)
					all, cpu = append(all, time.Since(began).Seconds()*1000), append(cpu, (cpuTime(b)-before).Seconds()*1000)
					if os.Getenv("KOIPOND_BENCH_EACH") != "" {
						fmt.Fprintf(os.Stderr, "%7.1f ms, %7.1f ms of the processors  %s\n", all[len(all)-1], cpu[len(cpu)-1], l.name)
					}
				}
			}
		}
		slices.Sort(all)
		slices.Sort(cpu)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(all[len(all)/2], "p50-ms")
		b.ReportMetric(all[len(all)*99/100], "p99-ms")
		b.ReportMetric(cpu[len(cpu)/2], "p50-cpu-ms")
		b.ReportMetric(cpu[len(cpu)*99/100], "p99-cpu-ms")
		b.ReportMetric(rssMB(b), "rss-MB")
	}
	b.Run("one", func(b *testing.B) { one(b, 1) })
	b.Run("sample", func(b *testing.B) { one(b, 8) })
	b.Run("sixty", func(b *testing.B) {
		raw, err := sql.Open("duckdb", filepath.Join(copied, filepath.Base(path))+"?access_mode=read_only&memory_limit="+strconv.Itoa(megs)+"MiB")
		require.NoError(b, err)
		defer func() { require.NoError(b, raw.Close()) }()
		var port, byHand cost
		var ratios []float64
		for b.Loop() {
			for round := range envInt("KOIPOND_BENCH_ROUNDS", 5) {
				sides := []func(){
					func() {
						port.add(b, func() error {
							got, err := s.Behaviour(b.Context(), q)
							for i := range got {
								leaves[i].port = got[i].Set.Count()
							}
							return err
						})
					},
					func() {
						byHand.add(b, func() error {
							for i := range leaves {
								began, before := time.Now(), cpuTime(b)
								if err := raw.QueryRow(leaves[i].sql).Scan(&leaves[i].raw); err != nil {
									return fmt.Errorf("%s: %w", leaves[i].name, err)
								}
								if os.Getenv("KOIPOND_BENCH_EACH") != "" && round == 0 {
									fmt.Fprintf(os.Stderr, "%7.1f ms, %7.1f ms of the processors by hand  %s\n", time.Since(began).Seconds()*1000, (cpuTime(b)-before).Seconds()*1000, leaves[i].name)
								}
							}
							return nil
						})
					},
				}
				sides[round%2]()
				sides[1-round%2]()
				ratios = append(ratios, float64(port.last)/float64(byHand.last))
			}
		}
		for _, l := range leaves {
			require.Equal(b, l.raw, l.port, l.name)
		}
		slices.Sort(ratios)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(port.best.Seconds()*1000, "port_ms")
		b.ReportMetric(byHand.best.Seconds()*1000, "raw_ms")
		b.ReportMetric(ratios[len(ratios)/2], "x_raw")
		b.ReportMetric(float64(port.cpu)/float64(byHand.cpu), "x_raw_cpu")
		b.ReportMetric(rssMB(b), "rss-MB")
	})
	b.Run("among", func(b *testing.B) {
		r := rand.New(rand.NewPCG(5, 6))
		var took []float64
		before := cpuTime(b)
		for b.Loop() {
			for range 20 {
				few := q
				few.Among = make([]int64, 1000)
				for i := range few.Among {
					few.Among[i] = r.Int64N(int64(total/10)) + 1
				}
				slices.Sort(few.Among)
				began := time.Now()
				_, err := s.Behaviour(b.Context(), few)
				require.NoError(b, err)
				took = append(took, time.Since(began).Seconds()*1000)
			}
		}
		cpu := cpuTime(b) - before
		slices.Sort(took)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(took[len(took)/2], "p50-ms")
		b.ReportMetric(took[len(took)-1], "max-ms")
		b.ReportMetric(cpu.Seconds()*1000/float64(len(took)), "cpu-ms")
	})
}

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// behaviourBatch is benchBatch with a tenth as many contacts as facts, each of
// whom may do something from the start.
func behaviourBatch(r *rand.Rand, seq uint64, size, total int) analytics.Batch {
	contacts := int64(total / 10)
	b := benchBatch(r, seq, size, total)
	b.Profiles, b.Rekeys = nil, nil
	share := contacts * int64(size) / int64(total)
	for c := int64(seq-1)*share + 1; c <= int64(seq)*share; c++ {
		b.Profiles = append(b.Profiles, event.Profile{Contact: c, Kind: event.Person, Channel: benchChannels[r.IntN(len(benchChannels))]})
		if c > 1 && r.IntN(20) == 0 {
			b.Rekeys = append(b.Rekeys, event.Rekey{From: c, Into: r.Int64N(c-1) + 1})
		}
	}
	for i := range b.Rows {
		b.Rows[i].Contact = r.Int64N(contacts) + 1
	}
	return b
}

// benchLeaf is a condition and the same in SQL: how many it holds for or, when it
// holds for those who did nothing, how many it does not hold for.
type benchLeaf struct {
	name, sql string
	leaf      rule.Behaviour
	port, raw int64
}

// benchLeaves are sixty conditions as marketers have them.
func benchLeaves(b *testing.B, now time.Time, zone *time.Location) (out []benchLeaf) {
	const r = "coalesce(c.root, f.contact)"
	since := func(days int) int64 {
		if days == 0 {
			return 0
		}
		from, _ := (&rule.Window{Last: days, Unit: "day"}).Span(now, zone)
		return from
	}
	within := func(days int) string {
		if days == 0 {
			return ""
		}
		return fmt.Sprintf(`,"within":{"last":%d,"unit":"day"}`, days)
	}
	from := func(name string, days int, where string) string {
		return fmt.Sprintf(" FROM facts f LEFT JOIN (SELECT contact, root FROM contacts WHERE root <> contact) c ON c.contact = f.contact WHERE f.name IN ('%s') AND f.ts >= %d%s", name, since(days), where)
	}
	add := func(name, leaf, query string) {
		parsed, err := rule.Parse(`{"v":1,`+leaf+`}`, "leaf")
		require.NoError(b, err, leaf)
		out = append(out, benchLeaf{name: name, leaf: parsed.Behaviour, sql: query})
	}
	event := func(name string, days int, more, where, having string) {
		query := "SELECT count(*) FROM (SELECT " + r + " AS r" + from(name, days, where) + " GROUP BY r HAVING " + having + ")"
		if having == "" {
			query = "SELECT count(DISTINCT " + r + ")" + from(name, days, where)
		}
		add(fmt.Sprint(name, days, more), fmt.Sprintf(`"event":{"name":"%s"%s%s}`, name, more, within(days)), query)
	}
	names := []string{"page.viewed", "product.viewed", "cart.added", "message.opened", "order.paid"}
	for _, n := range names {
		for _, days := range []int{7, 30, 90} {
			event(n, days, "", "", "")
		}
		event(n, 30, `,"op":"is","value":0`, "", "") // all but these
		event(n, 30, `,"op":"gte","value":3`, "", "count(*) >= 3")
		event(n, 90, `,"op":"gte","value":3`, "", "count(*) >= 3")
		add(n+" first", fmt.Sprintf(`"event":{"name":"%s","measure":"firstTime"%s}`, n, within(30)),
			fmt.Sprintf("SELECT count(*) FROM (SELECT %s AS r%s GROUP BY r HAVING min(f.ts) >= %d)", r, from(n, 0, ""), since(30)))
	}
	measure := func(days int, fn, op string, value int, sqlOp string) {
		event("order.paid", days, fmt.Sprintf(`,"measure":"%s","property":"total","op":"%s","value":%d`, fn, op, value), "", fmt.Sprintf("%s(f.p_1) %s %d", fn, sqlOp, value))
	}
	for _, days := range []int{30, 60, 90, 0} {
		measure(days, "sum", "gte", 100_000, ">=")
	}
	measure(90, "avg", "gte", 50_000, ">=")
	measure(0, "avg", "lt", 20_000, "<")
	measure(90, "max", "gte", 80_000, ">=")
	measure(30, "max", "lt", 10_000, "<")
	measure(90, "min", "gte", 50_000, ">=")
	measure(0, "min", "lt", 1_000, "<")
	dear := `,"where":[{"property":"total","op":"gt","value":50000}]`
	event("order.paid", 30, dear, " AND f.p_1 > 50000", "")
	event("order.paid", 90, dear, " AND f.p_1 > 50000", "")
	event("product.viewed", 30, `,"where":[{"property":"sku","op":"startsWith","value":"S00"}]`, " AND starts_with(f.props->>'/sku', 'S00')", "")
	event("product.viewed", 90, `,"where":[{"property":"price","op":"gte","value":80000}]`, " AND try_cast(f.props->>'/price' AS DOUBLE) >= 80000", "")
	event("product.viewed", 30, `,"measure":"distinct","property":"sku","op":"gte","value":2`, "", "count(DISTINCT f.props->>'/sku') >= 2")
	event("product.viewed", 30, `,"measure":"last","property":"sku","op":"startsWith","value":"S1"`, "", "starts_with(arg_max(f.props->>'/sku', f.ts), 'S1')")

	steps := func(gap string, days int, names ...string) string {
		text := ""
		for i, n := range names {
			if i > 0 {
				text += ","
			}
			text += `{"name":"` + n + `"}`
		}
		return `"sequence":{"steps":[` + text + `]` + gap + within(days) + `}`
	}
	add("page, order", steps("", 30, "page.viewed", "order.paid"), "SELECT count(*) FROM (SELECT "+r+" AS r"+
		from("page.viewed', 'order.paid", 30, "")+" GROUP BY r HAVING min(f.ts) FILTER (f.name = 'page.viewed') < max(f.ts) FILTER (f.name = 'order.paid'))")
	one := func(alias, name string, days int) string {
		return "(SELECT " + r + " AS r, f.ts" + from(name, days, "") + ") " + alias
	}
	add("product, cart", steps(`,"gap":{"n":1,"unit":"day"}`, 7, "product.viewed", "cart.added"), "SELECT count(DISTINCT a.r) FROM "+one("a", "product.viewed", 7)+
		" JOIN "+one("b", "cart.added", 7)+" ON b.r = a.r AND b.ts > a.ts AND b.ts <= a.ts + 86400000")
	add("page, cart, order", steps(`,"gap":{"n":7,"unit":"day"}`, 30, "page.viewed", "cart.added", "order.paid"), "SELECT count(DISTINCT a.r) FROM "+one("a", "page.viewed", 30)+
		" JOIN "+one("b", "cart.added", 30)+" ON b.r = a.r AND b.ts > a.ts AND b.ts <= a.ts + 604800000 JOIN "+one("c", "order.paid", 30)+" ON c.r = b.r AND c.ts > b.ts AND c.ts <= b.ts + 604800000")

	regularly := rule.Habit{Kind: "regularly", Unit: "week", Periods: 8}
	add("weekly", `"habit":{"kind":"regularly","name":"page.viewed","unit":"week","periods":8,"atLeast":4}`, fmt.Sprintf("SELECT count(*) FROM (SELECT %s AS r%s AND f.ts >= %[3]d GROUP BY r HAVING count(DISTINCT (f.ts - %[3]d) // 604800000) >= 4)",
		r, from("page.viewed", 0, ""), regularly.Starts(now, zone)[0]))
	regularly = rule.Habit{Kind: "regularly", Unit: "month", Periods: 3}
	add("monthly", `"habit":{"kind":"regularly","name":"order.paid","unit":"month","periods":3,"atLeast":2}`, fmt.Sprintf("SELECT count(*) FROM (SELECT %s AS r%s AND f.ts >= %d GROUP BY r HAVING count(DISTINCT date_trunc('month', epoch_ms(f.ts + %d))) >= 2)",
		r, from("order.paid", 0, ""), regularly.Starts(now, zone)[0], benchZone))
	for times := 1; times <= 2; times++ {
		add("stopped "+strconv.Itoa(times), fmt.Sprintf(`"habit":{"kind":"stopped","name":"order.paid","active":60,"quiet":30,"times":%d}`, times), fmt.Sprintf(
			"SELECT count(*) FROM (SELECT %s AS r%s GROUP BY r HAVING max(f.ts) < %d AND count(*) >= %d)", r, from("order.paid", 90, ""), since(30), times))
	}
	for name, days := range map[string]int{"order.paid": 7, "message.opened": 14} {
		add("resumed "+name, fmt.Sprintf(`"habit":{"kind":"resumed","name":"%s","active":%d,"quiet":30}`, name, days), fmt.Sprintf(
			"SELECT count(DISTINCT r) FROM (SELECT %s AS r, f.ts, f.ts - lag(f.ts) OVER (PARTITION BY %[1]s ORDER BY f.ts) AS gap%s) WHERE ts >= %d AND gap >= 2592000000", r, from(name, 0, ""), since(days)))
	}
	require.Len(b, out, 60)
	return out
}
