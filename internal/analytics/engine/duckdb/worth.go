package duckdb

import (
	"context"

	"github.com/koipond/koipond/internal/analytics"
)

var _ analytics.Worths = (*Store)(nil)

// Worth implements analytics.Worths: one scan, grouped by contact.
func (s *Store) Worth(ctx context.Context, q analytics.WorthQuery, each func(analytics.Worth)) error {
	if q.Property != "" {
		if err := analytics.CheckProperty(q.Property); err != nil {
			return err
		}
	}
	return s.read(ctx, "ask what contacts are worth", func(st *state) error {
		query, args := worthSQL(st, q)
		return ask(ctx, s.readDB, query, args, func(scan func(...any) error) error {
			var w analytics.Worth
			if err := scan(&w.Contact, &w.Last, &w.Count, &w.Sum); err != nil {
				return err
			}
			each(w)
			return nil
		})
	})
}

func worthSQL(st *state, q analytics.WorthQuery) (string, []any) {
	events := []string{q.Event}
	if q.Less != "" && q.Property != "" {
		events = append(events, q.Less)
	}
	sel := selectFacts(st, analytics.Filter{Range: analytics.Range{From: q.From, To: q.To}, Events: events, Currency: q.Currency})
	person := sel.person()
	value := "0"
	if q.Property != "" {
		value = "coalesce(" + sel.number(q.Property) + ", 0)"
	}
	bought := "f.name = " + sel.bind(clean(q.Event))
	return `SELECT r, max(ts) FILTER (b), count(*) FILTER (b), sum(CASE WHEN b THEN v ELSE -v END)::DOUBLE FROM (
		SELECT ` + person + ` AS r, f.ts AS ts, ` + bought + ` AS b, ` + value + ` AS v` + sel.from() + `)
		WHERE r > 0 GROUP BY r HAVING count(*) FILTER (b) > 0 ORDER BY r`, sel.args
}
