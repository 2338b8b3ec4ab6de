package contact

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// BenchmarkMillion measures what is done with a list of a million people. The
// goals: a page under 200 ms, the first with its count under 300 ms, the count
// alone under 300 ms, a search under 100 ms. `x_plain` compares with the plainest
// there is on the same database, written by hand: a page of 50 rows of one table by
// one key, the number of people, or both.
//
//	go test ./internal/contact -run '^$' -bench Million -benchtime 5x
//
// See million_test.go for the size and the engine.
func BenchmarkMillion(b *testing.B) {
	p := millionPond(b)
	for _, x := range millionQueries(b, p) {
		b.Run("first/"+x.name, func(b *testing.B) {
			var page Page
			inTurns(b, p, func() { plainCount(b, p); plainPage(b, p) }, func() {
				var err error
				page, err = p.List(p.ctx, x.q)
				require.NoError(b, err)
			})
			b.ReportMetric(float64(page.Total), "total")
		})
		b.Run("next/"+x.name, func(b *testing.B) {
			page, err := p.List(p.ctx, x.q)
			require.NoError(b, err)
			if page.Next == "" {
				b.Skip("one page")
			}
			q := x.q
			inTurns(b, p, func() { plainPage(b, p) }, func() {
				if q.Cursor = page.Next; q.Cursor == "" {
					b.Fatal("no further page")
				}
				page, err = p.List(p.ctx, q)
				require.NoError(b, err)
			})
		})
		b.Run("count/"+x.name, func(b *testing.B) {
			inTurns(b, p, func() { plainCount(b, p) }, func() {
				_, err := p.Count(p.ctx, Selection{Query: x.q})
				require.NoError(b, err)
			})
		})
	}
	for _, sort := range Sorts {
		for _, ascending := range []bool{false, true} {
			b.Run(fmt.Sprintf("deep/%s-%v", sort, ascending), func(b *testing.B) {
				q := Query{Sort: sort, Ascending: ascending, Limit: 200}
				page, err := p.List(p.ctx, q)
				for range 300 { // 60,000 rows in
					require.NoError(b, err)
					if page.Next == "" {
						break
					}
					q.Cursor = page.Next
					page, err = p.List(p.ctx, q)
				}
				q.Limit = 50
				inTurns(b, p, func() { plainPage(b, p) }, func() {
					page, err := p.List(p.ctx, q)
					require.NoError(b, err)
					require.NotEmpty(b, page.Items)
				})
			})
		}
	}
	for kind, q := range map[string]string{"name": "张", "full-name": "张子涵", "letter": "z", "pinyin": "zhangzi", "initials": "zzh", "phone": "13900000011", "email": "p5@shop.cn", "member": "M9", "id": "ct_0000000777"} {
		b.Run("search/"+kind, func(b *testing.B) {
			inTurns(b, p, func() { plainPage(b, p) }, func() {
				rows, err := p.Search(p.ctx, q, 10)
				require.NoError(b, err)
				require.NotEmpty(b, rows)
			})
		})
	}
	b.Run("tags", func(b *testing.B) {
		inTurns(b, p, func() { plainPage(b, p) }, func() {
			p.counts.stale(p.ctx, p.DB)
			_, err := p.Tags(p.ctx)
			require.NoError(b, err)
		})
	})
	b.Run("profile", func(b *testing.B) {
		inTurns(b, p, func() { plainPage(b, p) }, func() {
			_, err := p.Get(p.ctx, "ct_0000000777")
			require.NoError(b, err)
		})
	})
}

// BenchmarkBulkTags gives a tag to everybody of a filter, and takes it back: how
// many contacts a second. The goal is 20,000 on SQLite. It changes 100,000 people.
//
//	go test ./internal/contact -run '^$' -bench BulkTags -benchtime 1x
func BenchmarkBulkTags(b *testing.B) {
	const people = 100_000
	d := testkit.SQLite(b, jobs.Migrations(), Migrations())
	if os.Getenv("KOIPOND_BENCH_ENGINE") == "postgres" {
		d = testkit.Postgres(b, jobs.Migrations(), Migrations())
	}
	p := newTagPond(b, d)
	fillMillion(b, p.pond, people, people/5)
	tag, err := p.EnsureTag(p.ctx, "活动", "双十一")
	require.NoError(b, err)
	wait := func(run TagRun, err error) TagRun {
		require.NoError(b, err)
		j, err := p.jobs.Wait(p.ctx, run.JobID)
		require.NoError(b, err)
		require.Equal(b, jobs.Succeeded, j.State, "%v", j.Error)
		return run
	}
	for range b.N {
		report, began := cpu(b), time.Now()
		run := wait(p.BulkTags(p.ctx, TagWork{Selection: &SelectionBody{Filter: &FilterBody{}}, Add: []string{tag.ID}}))
		gave := time.Since(began)
		began = time.Now()
		wait(p.UndoTagRun(p.ctx, run.ID))
		took := time.Since(began)
		report()
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(people/gave.Seconds(), "given/s")
		b.ReportMetric(people/took.Seconds(), "undone/s")
	}
}

type millionQuery struct {
	name string
	q    Query
}

// millionQueries are the ways to look at the list that are measured.
func millionQueries(b testing.TB, p *pond) []millionQuery {
	groups, err := p.Tags(p.ctx)
	require.NoError(b, err)
	tags := map[string]string{}
	for _, t := range groups[0].Tags {
		tags[t.Name] = t.ID
	}
	tag := func(name string) string {
		return fmt.Sprintf(`{"field":"tag","op":"hasAnyOf","value":[%q]}`, tags[name])
	}
	rule := func(conditions ...string) Query {
		r, err := rule.Parse(`{"v":1,"all":[`+strings.Join(conditions, ",")+`]}`, "where")
		require.NoError(b, err)
		return Query{Where: r}
	}
	sorted := func(q Query, sort string) Query { q.Sort = sort; return q }
	const (
		owner  = `{"field":"owner","op":"is","value":"us_3"}`
		date   = `{"field":"created","op":"between","value":["2026-01-01","2026-02-10"]}`
		buyer  = `{"field":"orders","op":"between","value":[2,5]}`
		feeds  = `{"field":"channel","key":"first","op":"in","value":["paid_search","feed_ads","social"]}`
		level  = `{"field":"attr","key":"level","op":"between","value":[3,6]}`
		gold   = `{"field":"attr","key":"tier","op":"in","value":["gold"]}`
		joined = `{"field":"attr","key":"joined","op":"within","value":30}`
	)
	all := []millionQuery{
		{"all", Query{}},
		{"channel", Query{Channel: PaidSearch}}, {"rare-channel", Query{Channel: Unknown}}, {"owner", Query{Owner: "us_3", Sort: "orders"}}, {"unowned", Query{Owner: "none"}},
		{"created", Query{CreatedFrom: start.AddDate(0, -1, 0), CreatedTo: start.AddDate(0, 0, -20)}},
		{"tag", Query{Tag: tags["标签0"]}}, {"rare-tag", Query{Tag: tags["标签4"]}}, {"tag+below", Query{Tag: tags["标签2"], TagBelow: true}},
		{"tag+channel+owner", Query{Tag: tags["标签0"], Channel: PaidSearch, Owner: "us_3"}}, {"tag+channel", Query{Tag: tags["标签0"], Channel: PaidSearch}},
		{"tag+created", Query{Tag: tags["标签1"], CreatedFrom: start.AddDate(0, -3, 0)}}, {"visitors", Query{Kind: event.Visitor}},
		{"rule-tag", rule(tag("标签0"))}, {"rule-below", rule(fmt.Sprintf(`{"field":"tag","op":"hasAnyOf","value":[%q],"children":true}`, tags["标签2"]))},
		{"rule-number", rule(buyer)}, {"rule-three", rule(tag("标签0"), buyer, feeds)},
		{"rule-four", rule(tag("标签0"), buyer, feeds, level)}, {"rule-owner+date", rule(owner, date)},
		{"rule-nested", rule(`{"any":[`+tag("标签2")+`,`+owner+`]}`, `{"none":[`+buyer+`,{"field":"city","op":"contains","value":"上"}]}`)},
		{"rule-any-wide", rule(`{"any":[` + tag("标签0") + `,` + buyer + `,` + feeds + `,` + level + `]}`)},
		{"rule-not", rule(`{"none":[` + tag("标签0") + `]}`)},
		{"rule-silent", rule(`{"field":"lastSeen","op":"olderThan","value":90}`)}, {"rule-silent300", rule(`{"field":"lastSeen","op":"olderThan","value":300}`)},
		{"rule-attr-is", rule(gold)}, {"rule-attr-range", rule(level)}, {"rule-attr-date", rule(joined)}, {"rule-attr-two", rule(gold, level)},
		{"rule-owner-set", rule(`{"field":"owner","op":"set"}`)}, {"rule-owner-unset", rule(`{"field":"owner","op":"notSet"}`)},
		{"rule-source", rule(`{"field":"source","op":"in","value":["wechat","store"]}`)}, {"rule-touch", rule(`{"field":"channel","key":"last","op":"in","value":["paid_search"]}`)},
		{"rule-birthday", rule(`{"field":"birthday","op":"anniversary","value":30}`)}, {"rule-gender", rule(`{"field":"gender","op":"in","value":["female"]}`)},
		{"rule-city", rule(`{"field":"city","op":"contains","value":"州"}`)}, {"rule-name", rule(`{"field":"name","op":"contains","value":"子"}`)},
		{"rule-identity", rule(`{"field":"identity","op":"in","value":["email"]}`)}, {"rule-phone", rule(`{"field":"identity","op":"in","value":["phone"]}`)},
		{"rule-bought", rule(`{"field":"lastOrder","op":"within","value":60}`)}, {"rule-revenue", rule(`{"field":"revenue","op":"gte","value":100000}`)},
		{"q-zh", Query{Q: "张子涵"}}, {"q-family", Query{Q: "张"}}, {"q-letter", Query{Q: "z"}}, {"q-pinyin", Query{Q: "zhang"}}, {"q-initials", Query{Q: "zzh"}},
		{"q-phone", Query{Q: "13900000011"}}, {"q-email", Query{Q: "p5@shop.cn"}}, {"q-nobody", Query{Q: "某某某"}}, {"q-tag", Query{Q: "zhang", Tag: tags["标签0"]}},
	}
	for _, s := range Sorts[1:] {
		all = append(all, millionQuery{"by-" + s, Query{Sort: s}}, millionQuery{"by-" + s + "-asc", Query{Sort: s, Ascending: true}},
			millionQuery{"nested-by-" + s, sorted(all[19].q, s)})
	}
	if only := os.Getenv("KOIPOND_BENCH_ONLY"); only != "" {
		all = slices.DeleteFunc(all, func(x millionQuery) bool { return !slices.Contains(strings.Split(only, ","), x.name) })
	}
	return all
}

// inTurns measures fn and the yardstick. It reports the median by the clock, the
// worst, and the processor time of fn: of this process, and of PostgreSQL's
// connections if the server is on this machine (its parallel workers are not in it).
func inTurns(b *testing.B, p *pond, yardstick, fn func()) {
	b.Helper()
	var took, plain []time.Duration
	report, server := cpu(b), serverTime(b, p)
	for range b.N {
		began := time.Now()
		fn()
		took = append(took, time.Since(began))
	}
	report()
	if p.DB.Dialect() == db.Postgres {
		b.ReportMetric(float64(serverTime(b, p)-server)/1e6/float64(b.N), "server-ms/op")
	}
	for range b.N {
		began := time.Now()
		yardstick()
		plain = append(plain, time.Since(began))
	}
	slices.Sort(took)
	slices.Sort(plain)
	half := took[len(took)/2]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(half.Seconds()*1000, "ms")
	b.ReportMetric(took[len(took)-1].Seconds()*1000, "max-ms")
	b.ReportMetric(half.Seconds()/max(plain[len(plain)/2].Seconds(), 1e-9), "x_plain")
}

// serverTime is the processor time that PostgreSQL's connections of this program
// have used, 0 where it cannot be seen.
func serverTime(b *testing.B, p *pond) (sum int64) {
	b.Helper()
	if p.DB.Dialect() != db.Postgres {
		return 0
	}
	rows, err := p.DB.Query(p.ctx, "select pid from pg_stat_activity where application_name = current_setting('application_name')")
	pids, err := db.Collect(rows, err, func(r *sql.Rows) (pid int64, err error) { return pid, r.Scan(&pid) })
	require.NoError(b, err)
	for _, pid := range pids {
		var ns int64
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err == nil {
			_, err = fmt.Sscan(string(stat), &ns)
		}
		if err == nil {
			sum += ns
		}
	}
	return sum
}

// plainCount is the yardstick of counts.
func plainCount(b *testing.B, p *pond) {
	b.Helper()
	require.Positive(b, one[int64](p, "select count(*) from contacts where shown = 1"))
}

// plainPage is the yardstick: the second page of everybody, newest first.
func plainPage(b *testing.B, p *pond) {
	b.Helper()
	rows, err := p.DB.Query(p.ctx, `select num, id, name, city, owner_id, channel, attributes, created_at, last_seen_at, orders, revenue from contacts
		where shown = 1 and (last_seen_at, num) < ($1, $2) order by last_seen_at desc, num desc limit 50`, clock.Ms(start.AddDate(0, 0, -20)), 77)
	require.NoError(b, err)
	defer rows.Close()
	n := 0
	for rows.Next() {
		var num, created, seen, orders int64
		var id, name, city, owner, channel, attributes, revenue string
		require.NoError(b, rows.Scan(&num, &id, &name, &city, &owner, &channel, &attributes, &created, &seen, &orders, &revenue))
		n++
	}
	require.NoError(b, rows.Err())
	require.Equal(b, 50, n)
}
