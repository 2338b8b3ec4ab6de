package duckdb

import (
	"context"
	"strconv"

	"github.com/koipond/koipond/internal/analytics"
)

// People implements analytics.Store.
func (s *Store) People(ctx context.Context, q analytics.PeopleQuery) (out []int64, err error) {
	err = s.read(ctx, "list people", func(st *state) error {
		sel := selectFacts(st, q.Filter)
		person := sel.person()
		sel.and(person + " > " + strconv.FormatInt(max(q.After, 0), 10))
		query := "SELECT " + person + " AS r" + sel.from() + " GROUP BY r" + atLeast(q.MinCount) + " ORDER BY r"
		if q.Limit > 0 {
			query += " LIMIT " + strconv.Itoa(q.Limit)
		}
		return ask(ctx, s.readDB, query, sel.args, func(scan func(...any) error) error {
			var n int64
			if err := scan(&n); err != nil {
				return err
			}
			out = append(out, n)
			return nil
		})
	})
	return out, err
}

// CountPeople implements analytics.Store.
func (s *Store) CountPeople(ctx context.Context, q analytics.PeopleQuery) (n int64, err error) {
	err = s.read(ctx, "count people", func(st *state) error {
		sel := selectFacts(st, q.Filter)
		person := sel.person()
		sel.and(person + " > 0")
		query := "SELECT count(DISTINCT " + person + ")" + sel.from()
		if q.MinCount > 1 {
			query = "SELECT count(*) FROM (SELECT " + person + " AS r" + sel.from() + " GROUP BY r" + atLeast(q.MinCount) + ")"
		}
		return s.readDB.QueryRowContext(ctx, query, sel.args...).Scan(&n)
	})
	return n, err
}

func atLeast(count int64) string {
	if count <= 1 {
		return ""
	}
	return " HAVING count(*) >= " + strconv.FormatInt(count, 10)
}
