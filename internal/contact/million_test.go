package contact

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// A pond of a million people and 200,000 visitors, written straight into the
// tables. KOIPOND_BENCH_CONTACTS makes it smaller, KOIPOND_BENCH_ENGINE=postgres
// puts it into PostgreSQL. With KOIPOND_BENCH_KEEP, a folder, it is kept there
// (PostgreSQL: in a schema of its own) and found again by the next run.

func benchPeople() int {
	if n, err := strconv.Atoi(os.Getenv("KOIPOND_BENCH_CONTACTS")); err == nil {
		return n
	}
	return 1_000_000
}

// millionPond opens the pond and fills it if it is new.
func millionPond(b testing.TB) *pond {
	if testing.Short() {
		b.Skip("loads many contacts")
	}
	people, postgres, keep := benchPeople(), os.Getenv("KOIPOND_BENCH_ENGINE") == "postgres", os.Getenv("KOIPOND_BENCH_KEEP")
	var d *db.DB
	switch {
	case keep == "" && postgres:
		d = testkit.Postgres(b, Migrations())
	case keep == "":
		d = testkit.SQLite(b, Migrations())
	default:
		d = keptDatabase(b, keep, fmt.Sprint("bench_", people), postgres)
	}
	p := newPond(b, d)
	deps := p.Deps
	deps.CacheSize = 0 // the size that the program runs with
	p.Service = NewService(deps)
	if one[int64](p, "select count(*) from (select 1 from contacts limit 1) as c") == 0 {
		began := time.Now()
		fillMillion(b, p, people, people/5)
		b.Logf("filled in %s", time.Since(began).Round(time.Second))
	}
	size, err := d.SizeBytes(p.ctx)
	require.NoError(b, err)
	b.Logf("%d people, %d MB", people, size>>20)
	return p
}

func keptDatabase(b testing.TB, dir, name string, postgres bool) *db.DB {
	cfg := db.Config{Path: filepath.Join(dir, name+".db")}
	if postgres {
		base := testkit.PostgresURL(b)
		require.NotEmpty(b, base, testkit.PostgresEnv)
		admin, err := db.Open(b.Context(), db.Config{URL: base, Readers: 1})
		require.NoError(b, err)
		_, err = admin.Exec(b.Context(), "create schema if not exists "+name)
		require.NoError(b, err)
		require.NoError(b, admin.Close())
		u, err := url.Parse(base)
		require.NoError(b, err)
		q := u.Query()
		q.Set("search_path", name)
		q.Set("application_name", fmt.Sprint("koipond-", name, "-", os.Getpid()))
		u.RawQuery = q.Encode()
		cfg = db.Config{URL: u.String(), Readers: 6}
	}
	d, err := db.Open(b.Context(), cfg)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, d.Close()) })
	_, err = d.Migrate(b.Context(), db.Migrations(), Migrations())
	require.NoError(b, err)
	return d
}

// fillMillion makes people with a phone number each, an e-mail address and a
// member number some, tags in a tree, attributes, orders, a channel, an owner
// one in three; and visitors.
func fillMillion(b testing.TB, p *pond, people, visitors int) {
	defer withoutIndices(b, p, "contacts", "contact_tags", "identities", "contact_attribute_values")()
	r := rand.New(rand.NewPCG(1, 2))
	forms := make([]nameForms, len(names))
	for i, n := range names {
		forms[i] = formsOf(n)
	}
	tags := make([]string, 5)
	for i := range tags {
		t, err := p.EnsureTag(p.ctx, "分组", fmt.Sprint("标签", i))
		require.NoError(b, err)
		tags[i] = t.ID
	}
	var below []string
	for i := range 2 {
		t, err := p.CreateTag(p.ctx, NewTag{Group: "分组", Name: fmt.Sprint("下级", i), Parent: tags[2]})
		require.NoError(b, err)
		below = append(below, t.ID)
	}
	for _, d := range []attribute.Definition{
		{Key: "level", NameZh: "等级", Type: attribute.Number, Indexed: true},
		{Key: "tier", NameZh: "会员层级", Type: attribute.Enum, Indexed: true, Options: []attribute.Option{{ID: "gold", Label: "金"}, {ID: "silver", Label: "银"}, {ID: "bronze", Label: "铜"}}},
		{Key: "joined", NameZh: "入会日期", Type: attribute.Date, Indexed: true},
	} {
		_, err := p.CreateAttribute(p.ctx, d)
		require.NoError(b, err)
	}
	channels, tiers, cities, sources := Channels(), []string{"gold", "silver", "bronze", "", "", ""}, []string{"杭州", "上海", "北京", "成都", ""}, []string{"wechat", "douyin", "baidu", "", "", "store", "xiaohongshu"}
	cols := columns(`num:n id kind shown:n name name_key name_pinyin name_initials gender birthday city attributes written owner_id channel first_source first_at:n last_channel last_at:n
		kinds:n created_at:n updated_at:n last_seen_at:n facts:n orders:n revenue revenue_main:n first_order_at:n last_order_at:n`)
	const step, day = 50_000, int64(24 * 3600 * 1000)
	for from := 0; from < people+visitors; from += step {
		n := min(step, people+visitors-from)
		persons := min(n, max(0, people-from))
		var values [][]any
		err := p.DB.Tx(p.ctx, func(ctx context.Context) error {
			err := insertMany(ctx, p.DB, "contacts", cols, n, func(i int) []any {
				num := int64(from + i + 1)
				created := start.UnixMilli() - r.Int64N(365*24*3600)*1000
				seen := created + r.Int64N(30*24*3600)*1000
				if from+i >= people {
					return []any{num, fmt.Sprintf("ct_%010d", num), "visitor", 2, "", "", noName, "", "", "", "", "", "", "", channels[r.IntN(len(channels))], "", 0, "", 0, 1 << 10, created, created, seen, 3, 0, "", 0, 0, 0}
				}
				k, orders, owner := r.IntN(len(names)), max(0, r.Int64N(12)-4), ""
				if r.IntN(3) == 0 {
					owner = fmt.Sprint("us_", r.IntN(20))
				}
				birthday, firstOrder, lastOrder := "", int64(0), int64(0)
				if r.IntN(3) == 0 {
					birthday = time.UnixMilli(r.Int64N(15_000) * day).UTC().Format(time.DateOnly)
				}
				if orders > 0 {
					firstOrder = created + r.Int64N(20)*day
					lastOrder = firstOrder + (orders-1)*r.Int64N(30)*day
				}
				kinds := int64(known[KindPhone].bit)
				if i%4 == 0 {
					kinds |= int64(known[KindEmail].bit | known[KindMemberNo].bit)
				}
				level, tier := r.IntN(10), tiers[r.IntN(len(tiers))]
				attrs := fmt.Sprintf(`{"level":%d}`, level)
				values = append(values, []any{"level", "", level * 10_000, 1, num}, []any{"joined", "", created / day * day, 1, num})
				if tier != "" {
					attrs = fmt.Sprintf(`{"level":%d,"tier":%q}`, level, tier)
					values = append(values, []any{"tier", tier, 0, 1, num})
				}
				return []any{num, fmt.Sprintf("ct_%010d", num), "person", 1, names[k], forms[k].key, forms[k].pinyin, forms[k].initials, []string{"", "male", "female"}[r.IntN(3)], birthday, cities[r.IntN(len(cities))],
					attrs, `{"level":1,"name":1}`, owner, channels[min(r.IntN(len(channels)), r.IntN(len(channels)))], sources[r.IntN(len(sources))], created, channels[r.IntN(len(channels))], seen,
					kinds, created, created, seen, 9, orders, `[{"c":"CNY","n":1,"a":100}]`, orders * r.Int64N(50000), firstOrder, lastOrder}
			}, "")
			if err != nil {
				return err
			}
			if err := fillIdentities(ctx, b, p, from, persons); err != nil {
				return err
			}
			tagCols := columns("contact:n tag shown:n at:n source")
			if err := insertMany(ctx, p.DB, "contact_tags", tagCols, persons, func(i int) []any {
				return []any{from + i + 1, tags[min(r.IntN(5), r.IntN(5), r.IntN(5))], 1, 1, "import"}
			}, ""); err != nil {
				return err
			}
			if err := insertMany(ctx, p.DB, "contact_tags", tagCols, persons/3, func(i int) []any {
				return []any{from + 3*i + 1, below[r.IntN(2)], 1, 1, "import"}
			}, ""); err != nil {
				return err
			}
			return insertMany(ctx, p.DB, "contact_attribute_values", columns("attr str num:n shown:n contact:n"), len(values), func(i int) []any { return values[i] }, "")
		})
		require.NoError(b, err)
	}
	_, err := p.DB.Reserve(p.ctx, "contacts", int64(people+visitors))
	require.NoError(b, err)
}

func fillIdentities(ctx context.Context, b testing.TB, p *pond, from, persons int) error {
	for _, k := range []struct {
		kind  string
		every int
		value func(n int) string
	}{
		{KindPhone, 1, func(n int) string { return fmt.Sprintf("+86139%08d", n) }},
		{KindEmail, 4, func(n int) string { return fmt.Sprintf("p%d@shop.cn", n) }},
		{KindMemberNo, 4, func(n int) string { return fmt.Sprint("M", n) }},
	} {
		err := insertMany(ctx, p.DB, "identities", identityColumns, persons/k.every, func(i int) []any {
			num := from + k.every*i + 1
			value, lookup, sealed := k.value(num), k.value(num), ""
			if keptSealed(k.kind, value) {
				var err error
				sealed, err = p.Keys.Seal(field(k.kind), value)
				require.NoError(b, err)
				lookup = p.Keys.Index(field(k.kind), value)
			}
			return []any{k.kind, lookup, sealed, num, 0, 1, 1, "crm", ""}
		}, "")
		if err != nil {
			return err
		}
	}
	return nil
}

// withoutIndices drops the indices of tables and gives the work that makes them
// again: filling is three times as fast.
func withoutIndices(b testing.TB, p *pond, tables ...string) (remake func()) {
	var indices [][2]string
	for _, table := range tables {
		rows, err := p.DB.Query(p.ctx, p.DB.Pick("select name, sql from sqlite_master where type = 'index' and tbl_name = $1 and sql is not null",
			"select indexname, indexdef from pg_indexes where schemaname = current_schema() and tablename = $1 and indexname <> tablename || '_pkey'"), table)
		some, err := db.Collect(rows, err, func(r *sql.Rows) (i [2]string, err error) { return i, r.Scan(&i[0], &i[1]) })
		require.NoError(b, err)
		indices = append(indices, some...)
	}
	for _, i := range indices {
		_, err := p.DB.Exec(p.ctx, "drop index "+i[0])
		require.NoError(b, err)
	}
	return func() {
		for _, i := range indices {
			_, err := p.DB.Exec(p.ctx, i[1])
			require.NoError(b, err)
		}
		for _, table := range tables { // PostgreSQL does so by itself in a while
			_, err := p.DB.Exec(p.ctx, p.DB.Pick("select 1", "vacuum analyze "+table))
			require.NoError(b, err)
		}
	}
}
