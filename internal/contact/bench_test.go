package contact

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// The goals, on two cores and SQLite: resolving 60,000 facts/s of known and
// 15,000 contacts/s of new identities, taking in 10,000 rows/s. Lists of a
// million contacts are measured in million_test.go.
//
//	go test ./internal/contact -run '^$' -bench 'Resolve|Upsert' -benchtime 5x
//
// KOIPOND_BENCH_ENGINE=postgres asks PostgreSQL.

func benchPond(b *testing.B) *pond {
	if testing.Short() {
		b.Skip("loads many contacts")
	}
	var p *pond
	if os.Getenv("KOIPOND_BENCH_ENGINE") == "postgres" {
		p = newPond(b, testkit.Postgres(b, Migrations()))
	} else {
		p = newPond(b, testkit.SQLite(b, Migrations()))
	}
	// the size that the program runs with
	deps := p.Deps
	deps.CacheSize = 0
	p.Service = NewService(deps)
	return p
}

// pageFact looks like what a browser SDK sends.
func pageFact(i int, at int64) event.Fact {
	return event.Fact{MessageID: fmt.Sprint("m", i), Type: event.Page, Name: event.NamePageViewed, Timestamp: at, ReceivedAt: at + 50, Source: "web",
		Properties: []byte(`{"title":"春季新品","path":"/spring"}`),
		Context:    []byte(`{"page":{"url":"https://shop.example.cn/spring","referrer":"https://shop.example.cn/","title":"春季新品"},"userAgent":"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)","library":{"name":"analytics.js","version":"4"}}`)}
}

// knownPond has people with a user id and a device each.
func knownPond(b *testing.B, people int) *pond {
	p := benchPond(b)
	var facts []event.Fact
	for i := range people {
		f := pageFact(i, start.UnixMilli())
		f.UserID, f.AnonymousID = fmt.Sprint("user-", i), fmt.Sprint("anon-", i)
		facts = append(facts, f)
	}
	p.stored(facts...)
	return p
}

// knownFacts are facts of people of a knownPond.
func knownFacts(people, batch int) []event.Fact {
	facts := make([]event.Fact, batch)
	for i := range facts {
		who := rand.IntN(people)
		facts[i] = pageFact(i, start.UnixMilli())
		facts[i].AnonymousID = fmt.Sprint("anon-", who)
		if i%2 == 0 {
			facts[i].UserID = fmt.Sprint("user-", who)
		}
	}
	return facts
}

func BenchmarkResolveKnown(b *testing.B) {
	const people, batch = 20_000, 10_000
	p := knownPond(b, people)
	defer cpu(b)()
	b.ResetTimer()
	n := 0
	for range b.N {
		p.stored(knownFacts(people, batch)...)
		n += batch
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "facts/s")
}

// BenchmarkResolveDefined resolves the same facts in a pond without attributes
// and in one with twenty, of which ten are indexed and one is unique, by turns.
// ratio is how much longer the second takes: facts that say nothing of
// attributes should not pay for them.
func BenchmarkResolveDefined(b *testing.B) {
	const people, batch = 20_000, 10_000
	none, some := knownPond(b, people), knownPond(b, people)
	for i := range 20 {
		some.define(attribute.Definition{Key: fmt.Sprint("a", i), Type: attribute.Text, Indexed: i < 10, Unique: i == 0})
	}
	var ratios []float64 // of single turns: their middle does not mind a busy machine
	var total time.Duration
	b.ResetTimer()
	for i := range b.N {
		facts := knownFacts(people, batch)
		took := func(p *pond) time.Duration {
			began := time.Now()
			p.stored(slices.Clone(facts)...)
			return time.Since(began)
		}
		var without, with time.Duration
		if i%2 == 0 { // whoever comes first warms the machine
			without, with = took(none), took(some)
		} else {
			with, without = took(some), took(none)
		}
		ratios, total = append(ratios, with.Seconds()/without.Seconds()), total+with
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(float64(b.N*batch)/total.Seconds(), "facts/s")
}

func BenchmarkResolveNew(b *testing.B) {
	const batch = 10_000
	p := benchPond(b)
	n := 0
	defer cpu(b)()
	b.ResetTimer()
	for range b.N {
		facts := make([]event.Fact, 0, batch)
		for i := range batch {
			f := pageFact(n, start.UnixMilli())
			f.AnonymousID = fmt.Sprint("anon-", n)
			if i%4 == 0 {
				f.UserID = fmt.Sprint("user-", n)
				f.Identifiers = ids(KindPhone, fmt.Sprintf("139%08d", n))
				f.Traits = js(map[string]any{"name": "张伟", "city": "杭州", "level": n % 5})
			}
			facts = append(facts, f)
			n++
		}
		p.stored(facts...)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "contacts/s")
}

func BenchmarkUpsert(b *testing.B) {
	p := benchPond(b)
	tag, err := p.EnsureTag(p.ctx, "来源", "门店")
	require.NoError(b, err)
	n := 0
	defer cpu(b)()
	b.ResetTimer()
	for range b.N {
		rows := make([]Incoming, 5000)
		for i := range rows {
			rows[i] = Incoming{Line: int64(n + 2), Identifiers: ids(KindPhone, fmt.Sprintf("139%08d", n), KindMemberNo, fmt.Sprint("M", n), KindEmail, fmt.Sprintf("p%d@shop.cn", n)),
				Attributes: map[string]any{"name": names[n%len(names)], "city": "杭州", "level": n % 5, "gender": "女"}, Tags: []string{tag.ID}}
			n++
		}
		_, err := p.Upsert(p.ctx, rows, UpsertOptions{ImportID: "im_1", Source: "crm", UpdateExisting: true})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}

var names = makeNames()

func makeNames() []string {
	family := "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
	given := []string{"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀英", "霞", "平", "刚", "桂英", "子涵", "欣怡", "浩然", "梓轩", "雨桐", "诗涵", "一诺", "宇航"}
	var out []string
	for _, f := range family {
		for _, g := range given {
			out = append(out, string(f)+g)
		}
	}
	return out
}

// cpu reports the processor time of an operation, which a busy machine does not blur.
func cpu(b *testing.B) func() {
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before) // never fails for one's own process
	return func() {
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		ns := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
		b.ReportMetric(float64(ns)/1e6/float64(b.N), "cpu-ms/op")
	}
}
