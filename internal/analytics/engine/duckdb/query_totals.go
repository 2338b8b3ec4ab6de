package duckdb

import (
	"context"
	"database/sql"

	"github.com/koipond/koipond/internal/analytics"
)

// maxGroups bounds the lines of Totals, largest first.
const maxGroups = "10000"

// Totals implements analytics.Store.
func (s *Store) Totals(ctx context.Context, q analytics.TotalsQuery) (out []analytics.GroupRow, err error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	err = s.read(ctx, "read totals", func(st *state) error {
		query, args := totalsSQL(st, q)
		return ask(ctx, s.readDB, query, args, func(scan func(...any) error) error {
			var g analytics.GroupRow
			if err := scan(&g.Key, &g.Count, &g.People, &g.Repeat, &g.Sum); err != nil {
				return err
			}
			out = append(out, g)
			return nil
		})
	})
	return out, err
}

func totalsSQL(st *state, q analytics.TotalsQuery) (string, []any) {
	sel := selectFacts(st, q.Filter)
	key := sel.group(q.GroupBy)
	person := sel.person()
	sum := "0"
	if q.Property != "" {
		sum = "sum(" + sel.number(q.Property) + ")"
	}
	const answer = `, coalesce(sum(n), 0)::BIGINT, count(*) FILTER (r > 0), count(*) FILTER (r > 0 AND n >= 2), coalesce(sum(s), 0)::DOUBLE FROM (SELECT `
	each := person + ` AS r, count(*) AS n, ` + sum + ` AS s` + sel.from()
	if q.GroupBy == "" {
		return `SELECT ''` + answer + each + ` GROUP BY r)`, sel.args
	}
	return `SELECT k` + answer + key + ` AS k, ` + each + ` GROUP BY k, r) GROUP BY k ORDER BY 2 DESC, k LIMIT ` + maxGroups, sel.args
}

// Summary implements analytics.Store.
func (s *Store) Summary(ctx context.Context, f analytics.Filter) (total, people int64, byEvent []analytics.EventCount, err error) {
	err = s.read(ctx, "summarise facts", func(st *state) error {
		query, args := summarySQL(st, f)
		return ask(ctx, s.readDB, query, args, func(scan func(...any) error) error {
			var name sql.NullString
			var e analytics.EventCount
			if err := scan(&name, &e.Count, &e.People); err != nil {
				return err
			}
			if !name.Valid {
				people = e.People
				return nil
			}
			e.Name = name.String
			total += e.Count
			byEvent = append(byEvent, e)
			return nil
		})
	})
	return total, people, byEvent, err
}

// summarySQL counts in one scan: facts per event and person first, then both answers from that.
func summarySQL(st *state, f analytics.Filter) (string, []any) {
	sel := selectFacts(st, f)
	person := sel.person()
	return `WITH p AS MATERIALIZED (SELECT f.name AS k, ` + person + ` AS r, count(*) AS n` + sel.from() + ` GROUP BY ALL)
		SELECT k, n, m FROM (
			SELECT k, sum(n)::BIGINT AS n, count(*) FILTER (r > 0) AS m FROM p GROUP BY k
			UNION ALL SELECT NULL, 0, count(DISTINCT r) FILTER (r > 0) FROM p)
		ORDER BY n DESC, k`, sel.args
}
