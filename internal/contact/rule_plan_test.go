package contact

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// leavesOf lists the conditions that an expression reads.
func leavesOf(e expr) []*leaf {
	switch e := e.(type) {
	case *leaf:
		return []*leaf{e}
	case *group:
		var out []*leaf
		for _, p := range e.parts {
			out = append(out, leavesOf(p)...)
		}
		return out
	}
	return nil
}

// fillForPlans fills the tables of PostgreSQL, which plans by how much there is, enough
// to make every index worth its while.
func fillForPlans(t testing.TB, p *pond, tag string) {
	if p.DB.Path() != "" {
		return
	}
	for _, text := range []string{
		`insert into contacts (num, id, kind, shown, name, name_key, created_at, updated_at, last_seen_at, orders, revenue_main, channel, last_channel, first_source, first_campaign, gender, city, kinds, owner_id, birthday, first_order_at, last_order_at, attributes)
			select n, 'ct_' || n, 'person', 1, '王' || n, '王' || n, 1760000000000 + n * 600000, n, 1760000000000 + n * 600000, n % 9, n % 9 * 100000, 'c' || n % 30, 'c' || n % 30, 's' || n % 30, 'x' || n % 30, 'g' || n % 30, '城' || n % 30, 1 << (n % 12)::int, case when n % 3 = 0 then 'us_' || n % 30 else '' end, '19' || 60 + n % 40 || '-' || lpad((1 + n % 12)::text, 2, '0') || '-11',
			1700000000000 + n * 3600000, 1700000000000 + n * 3600000, repeat('x', 900) from generate_series(1::bigint, 20000) as n`,
		`insert into contact_attribute_values (attr, str, num, shown, contact) select a, case a when 'tier' then 'o' || n % 30 when 'slogan' then 't' || n else '' end, case a when 'level' then n % 90 * 10000 when 'joined' then n * 86400000 else 0 end, 1, n
			from generate_series(1::bigint, 20000) as n, unnest(array['level', 'tier', 'joined', 'slogan']) as a`,
		"insert into contact_tags (contact, tag, shown, at, source) select n, case when n % 30 = 0 then '" + tag + "' else 'tg_' || n % 30 end, 1, 1, 'import' from generate_series(1::bigint, 20000) as n",
	} {
		_, err := p.DB.Exec(p.ctx, text)
		require.NoError(t, err)
	}
	for _, table := range []string{"contacts", "contact_tags", "contact_attribute_values"} {
		vacuumWhole(t, p, table)
	}
}

// vacuumWhole has PostgreSQL look over a table until it knows every row to be
// seen by everybody, which is what makes reading an index alone cheap. Whoever
// else works in the database at the time (the tests of other packages do) puts
// that off for as long as their transactions last: one vacuum may come too early,
// and the plans would then be those of a table that has just been written.
func vacuumWhole(t testing.TB, p *pond, table string) {
	require.Eventually(t, func() bool {
		_, err := p.DB.Exec(p.ctx, "vacuum analyze "+table)
		require.NoError(t, err)
		var pages, visible int64
		require.NoError(t, p.DB.QueryRow(p.ctx, "select relpages, relallvisible from pg_class where oid = cast($1 as regclass)", table).Scan(&pages, &visible))
		return pages > 0 && visible == pages
	}, time.Minute, 100*time.Millisecond, "some transaction in the database is a minute old")
}

// postgresPlan is PostgreSQL's plan of a query, were reading the table not an option.
func postgresPlan(t testing.TB, p *pond, query string, args ...any) string {
	var lines []string
	require.NoError(t, p.DB.Tx(p.ctx, func(ctx context.Context) error {
		for _, way := range []string{"enable_seqscan", "enable_bitmapscan"} {
			if _, err := p.DB.Exec(ctx, "set local "+way+" = off"); err != nil {
				return err
			}
		}
		rows, err := p.DB.Query(ctx, "explain "+query, args...)
		lines, err = db.Collect(rows, err, func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) })
		return err
	}))
	return strings.Join(lines, "\n")
}

// Each condition of a rule reads its whole set out of one index and nothing of
// the table, and the few that another condition left by their numbers.
func TestPlansOfRuleConditions(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tag, err := p.EnsureTag(p.ctx, "组", "标签")
		require.NoError(t, err)
		for _, a := range []attribute.Definition{{Key: "level", Type: attribute.Number, Indexed: true}, {Key: "tier", Type: attribute.Enum, Indexed: true, Options: tea}, {Key: "joined", Type: attribute.Date, Indexed: true}, {Key: "slogan", Type: attribute.Text, Indexed: true}} {
			p.define(a)
		}
		fillForPlans(t, p, tag.ID)
		const values = "contact_attribute_values_pkey"
		for condition, index := range map[string]string{
			fmt.Sprintf(`"field":"tag","op":"hasAnyOf","value":[%q]`, tag.ID):       "contact_tags_by_tag",
			`"field":"name","op":"contains","value":"子"`:                            "contacts_by_key",
			`"field":"name","op":"startsWith","value":"王"`:                          "contacts_by_key",
			`"field":"owner","op":"is","value":"us_3"`:                              "contacts_by_owner",
			`"field":"owner","op":"set"`:                                            "contacts_by_owner",
			`"field":"channel","key":"first","op":"in","value":["social"]`:          "contacts_by_channel",
			`"field":"channel","key":"last","op":"in","value":["social","unknown"]`: "contacts_by_last_channel",
			`"field":"source","op":"is","value":"wechat"`:                           "contacts_by_touch",
			`"field":"campaign","op":"contains","value":"春"`:                        "contacts_by_touch",
			`"field":"created","op":"between","value":["2026-01-01","2026-02-10"]`:  "contacts_by_created",
			`"field":"lastSeen","op":"olderThan","value":90`:                        "contacts_by_seen",
			`"field":"firstOrder","op":"within","value":30`:                         "contacts_by_first_order",
			`"field":"lastOrder","op":"set"`:                                        "contacts_by_last_order",
			`"field":"orders","op":"between","value":[2,5]`:                         "contacts_by_orders",
			`"field":"revenue","op":"gte","value":100000`:                           "contacts_by_revenue",
			`"field":"birthday","op":"anniversary","value":30`:                      "contacts_by_birthday",
			`"field":"gender","op":"in","value":["female"]`:                         "contacts_by_about",
			`"field":"city","op":"contains","value":"州"`:                            "contacts_by_about",
			`"field":"identity","op":"in","value":["email"]`:                        "contacts_by_kinds",
			`"field":"attr","key":"level","op":"between","value":[3,6]`:             values,
			`"field":"attr","key":"tier","op":"in","value":["green"]`:               values,
			`"field":"attr","key":"joined","op":"within","value":30`:                values,
			`"field":"attr","key":"slogan","op":"contains","value":"茶"`:             values,
			`"field":"attr","key":"slogan","op":"set"`:                              values,
		} {
			t.Run(condition, func(t *testing.T) {
				rule, err := rule.Parse(`{"v":1,`+condition+`}`, "where")
				require.NoError(t, err)
				f, _, err := p.filterOf(p.ctx, Query{Where: rule})
				require.NoError(t, err)
				e, err := p.ruleExpr(p.ctx, Query{Where: rule}, f)
				require.NoError(t, err)
				leaves := leavesOf(e)
				require.NotEmpty(t, leaves)
				for _, l := range leaves {
					few := p.amongSQL(l.probe, len(l.args)+1)
					among := append(append([]any{}, l.args...), p.numbersArg([]int64{1, 2, 3}))
					if p.DB.Path() == "" {
						whole := postgresPlan(t, p, l.set, l.args...)
						require.Contains(t, whole, "Index Only Scan using "+index+" on")
						require.NotContains(t, whole, "Seq Scan")
						require.Contains(t, postgresPlan(t, p, few, among...), "ANY (", "by number")
						continue
					}
					whole := plan(t, p, l.set, l.args...)
					require.NotContains(t, whole, "TEMP B-TREE")
					if index == values {
						require.Contains(t, whole, "SEARCH contact_attribute_values USING PRIMARY KEY (attr=?")
					} else {
						require.Contains(t, whole, "COVERING INDEX "+index)
						require.NotRegexp(t, `SCAN (contacts|contact_tags)$`, whole)
					}
					require.Regexp(t, `SEARCH \w+ USING (INTEGER PRIMARY KEY \(rowid=\?\)|(COVERING )?INDEX \w+ \((tag=\? AND shown=\? AND )?contact=\?)`, plan(t, p, few, among...))
				}
			})
		}
	})
}

// Where the rule bounds what the list is sorted by, the walk starts at the bound.
func TestPlanOfABoundedWalk(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	rule, err := rule.Parse(`{"v":1,"all":[{"field":"lastSeen","op":"olderThan","value":90},{"field":"orders","op":"gte","value":1}]}`, "where")
	require.NoError(t, err)
	q := Query{Where: rule, Limit: 50}
	f, _, err := p.filterOf(p.ctx, q)
	require.NoError(t, err)
	ord, _ := orderOf("lastSeen", "")
	bounds, err := p.boundsOf(p.ctx, q, f, ord)
	require.NoError(t, err)
	parts, args := p.walkParts(q, bounds, ord, listCursor{})
	require.Len(t, parts, 1)
	got := plan(t, p, parts[0].text, args[:parts[0].args]...)
	require.Contains(t, got, "COVERING INDEX contacts_by_seen (shown=? AND last_seen_at>? AND last_seen_at<?)")
	require.NotContains(t, got, "TEMP B-TREE")
	ord, _ = orderOf("created", "")
	bounds, err = p.boundsOf(p.ctx, q, f, ord)
	require.NoError(t, err)
	require.Empty(t, bounds.plain, "another order is not bounded")
}
