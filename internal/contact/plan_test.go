package contact

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// plan is SQLite's plan of a query, a step a line.
func plan(t testing.TB, p *pond, query string, args ...any) string {
	rows, err := p.DB.Query(p.ctx, "explain query plan "+query, args...)
	steps, err := db.Collect(rows, err, func(r *sql.Rows) (s string, err error) {
		var a, b, c int
		return s, r.Scan(&a, &b, &c, &s)
	})
	require.NoError(t, err, query)
	return strings.Join(steps, "\n")
}

// The plans without which a million contacts are slow. A plan that changes
// here must be measured: go test ./internal/contact -run '^$' -bench Million.
func TestPlansOfTheList(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	const wide = narrow + 1
	for _, c := range []struct {
		name  string
		q     Query
		total int64 // 0: the count
		uses  []string
	}{
		{"count all", Query{}, 0, []string{"COVERING INDEX contacts_by_", "(shown=?)"}},
		{"count channel", Query{Channel: "x"}, 0, []string{"COVERING INDEX contacts_by_channel (shown=? AND channel=?)"}},
		{"count owner", Query{Owner: "x", Channel: "y"}, 0, []string{"COVERING INDEX contacts_by_owner (owner_id=? AND shown=? AND channel=?)"}},
		{"count created", Query{CreatedFrom: start, CreatedTo: start}, 0, []string{"COVERING INDEX contacts_by_created (shown=? AND created_at>? AND created_at<?)"}},
		{"count tag", Query{Tag: "t"}, 0, []string{"COVERING INDEX contact_tags_by_tag (tag=? AND shown=?)"}},
		{"count tag of channel", Query{Tag: "t", Channel: "x"}, 0, []string{"COVERING INDEX contacts_facets (num=?)"}},
		{"count name", Query{Q: "张"}, 0, []string{"COVERING INDEX contacts_by_key (name_key>? AND name_key<?)"}},
		{"count pinyin", Query{Q: "zh"}, 0, []string{"COVERING INDEX contacts_by_name (name_pinyin>? AND name_pinyin<?)", "COVERING INDEX contacts_by_initials (name_initials>? AND name_initials<?)"}},
		{"page by last seen", Query{}, wide, []string{"COVERING INDEX contacts_by_seen (shown=?)"}},
		{"page by name", Query{Sort: "name", Ascending: true}, wide, []string{"COVERING INDEX contacts_by_name"}},
		{"page by name, the nameless last", Query{Sort: "name"}, wide, []string{"SCAN contacts USING COVERING INDEX contacts_by_name", "COVERING INDEX contacts_by_name (name_pinyin=?)"}},
		{"page by last order, none last", Query{Sort: "lastOrder", Ascending: true}, wide, []string{"COVERING INDEX contacts_by_last_order (last_order_at>?)", "COVERING INDEX contacts_by_last_order (last_order_at=?)"}},
		{"page of visitors", Query{Kind: event.Visitor, Sort: "orders"}, wide, []string{"COVERING INDEX contacts_by_created (shown=?)"}},
		{"page of a usual channel", Query{Channel: "x", Sort: "revenue"}, wide, []string{"COVERING INDEX contacts_by_revenue"}},
		{"page of a usual tag", Query{Tag: "t"}, wide, []string{"COVERING INDEX contacts_by_seen (shown=?)", "USING PRIMARY KEY (contact=? AND tag=?)"}},
		{"page of a rare channel", Query{Channel: "x"}, 9, []string{"INDEX contacts_by_channel (shown=? AND channel=?)", "TEMP B-TREE"}},
		{"page of a rare tag", Query{Tag: "t"}, 9, []string{"INTEGER PRIMARY KEY (rowid=?)", "COVERING INDEX contact_tags_by_tag (tag=? AND shown=?)"}},
		{"page of a rare name", Query{Q: "张三"}, 9, []string{"INTEGER PRIMARY KEY (rowid=?)", "COVERING INDEX contacts_by_key"}},
		{"page of an owner's tag", Query{Tag: "t", Owner: "x"}, 9, []string{"INDEX contacts_by_owner (owner_id=? AND shown=?)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, _, err := p.filterOf(p.ctx, c.q)
			require.NoError(t, err)
			ord, _ := orderOf(c.q.Sort, c.q.Kind)
			text, args := p.countSQL(f), f.args
			if c.total > 0 {
				c.q.Limit = 50
				text, args = p.pageSQL(c.q, f, ord, listCursor{T: c.total})
			}
			got := plan(t, p, text, args...)
			for _, use := range c.uses {
				require.Contains(t, got, use)
			}
			if c.total == wide && !ord.misplaced(c.q.Ascending) { // else two pages are, at most
				require.NotContains(t, got, "TEMP B-TREE", "a wide list is never sorted")
			}
		})
	}
}

// A keyset page must begin in the index, not filter its way there.
func TestPlanOfTheNextPage(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	f, _, err := p.filterOf(p.ctx, Query{})
	require.NoError(t, err)
	ord, _ := orderOf("lastSeen", event.Person)
	text, args := p.pageSQL(Query{Limit: 50}, f, ord, listCursor{N: 7, I: 9, T: 1 << 30})
	got := plan(t, p, text, args...)
	require.Contains(t, got, "contacts_by_seen (shown=? AND last_seen_at=? AND num<?)")
	require.Contains(t, got, "contacts_by_seen (shown=? AND last_seen_at<?)")
}

func TestPlansOfResolving(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	for query, use := range map[string]string{
		"select lookup, contact, last_seen from identities where kind = 'phone' and lookup in ('a','b')":          "USING PRIMARY KEY (kind=? AND lookup=?)",
		"select num, id from contacts where num in (1,2)":                                                         "INTEGER PRIMARY KEY (rowid=?)",
		"select from_num from contact_merges where seq >= 1 and seq <= 2":                                         "contact_merges_by_seq (seq>? AND seq<?)",
		"update contacts set facts = 1 from (values (1,2)) as v where contacts.num = v.column1":                   "INTEGER PRIMARY KEY (rowid=?)",
		fmt.Sprintf(phonesSQL(p.DB), "1,2,3,4,5,6,7,8"):                                                           "identities_by_contact (contact=? AND kind=?)",
		fmt.Sprintf(tagsSQL, "1,2,3,4,5,6,7,8"):                                                                   "SEARCH ct USING PRIMARY KEY (contact=?)",
		"update identities set contact = v.column2 from (values (1,2)) as v where identities.contact = v.column1": "identities_by_contact (contact=?)",
	} {
		require.Contains(t, plan(t, p, query), use, query)
	}
}
