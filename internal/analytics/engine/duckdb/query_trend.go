package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/koipond/koipond/internal/analytics"
)

// Lines of the trend statement that are not values of a bucket.
const (
	lineTotal = -1 // of one series over the whole range
	lineOther = -2 // beyond the kept series
)

// Trend implements analytics.Store.
func (s *Store) Trend(ctx context.Context, q analytics.TrendQuery) (out analytics.Trend, err error) {
	if err := q.Check(); err != nil {
		return out, err
	}
	err = s.read(ctx, "read trend", func(st *state) error {
		if !q.From.IsZero() && !q.To.IsZero() {
			out, err = trend(ctx, s.readDB, st, q)
			return err
		}
		// The ends of the data and the answer must come from one state of the store.
		tx, err := s.readDB.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // it changed nothing
		if err := closeRange(ctx, tx, st, &q); err != nil {
			return err
		}
		out, err = trend(ctx, tx, st, q)
		return err
	})
	return out, err
}

// closeRange puts the first and last matching fact where an end of q's range is open.
func closeRange(ctx context.Context, db asker, st *state, q *analytics.TrendQuery) error {
	sel := selectFacts(st, q.Filter)
	var first, last sql.NullInt64
	err := db.QueryRowContext(ctx, "SELECT min(f.ts), max(f.ts)"+sel.from(), sel.args...).Scan(&first, &last)
	if err != nil {
		return err
	}
	switch {
	case !first.Valid: // nothing matches: an empty range
		q.From, q.To = time.UnixMilli(0), time.UnixMilli(0)
		return nil
	case q.From.IsZero():
		q.From = time.UnixMilli(first.Int64)
	}
	if q.To.IsZero() {
		q.To = time.UnixMilli(last.Int64 + 1)
	}
	return nil
}

func trend(ctx context.Context, db asker, st *state, q analytics.TrendQuery) (out analytics.Trend, err error) {
	out.Buckets, err = analytics.Buckets(q.Range, q.Interval, q.Timezone)
	if err != nil {
		return out, err
	}
	if q.Breakdown == "" {
		out.Series = []analytics.Series{{Values: make([]float64, len(out.Buckets))}}
	}
	if len(out.Buckets) == 0 {
		return out, nil
	}
	starts := make([]int64, len(out.Buckets))
	for i, b := range out.Buckets {
		starts[i] = b.UnixMilli()
	}
	a := trendAnswer{out: &out, totalled: q.Measure == analytics.MeasurePeople || q.Breakdown != "", at: map[string]int{}}
	if q.Breakdown == "" {
		a.at[""] = 0
	}
	query, args := trendSQL(st, q, starts)
	return out, ask(ctx, db, query, args, a.line)
}

// trendAnswer gathers the lines of the statement into series.
type trendAnswer struct {
	out      *analytics.Trend
	totalled bool           // totals come as lines; else they are the sum of the values
	at       map[string]int // key → series
}

func (a *trendAnswer) line(scan func(...any) error) error {
	var bucket int64
	var key string
	var value float64
	if err := scan(&bucket, &key, &value); err != nil {
		return err
	}
	if bucket == lineOther {
		a.out.Other = value
		return nil
	}
	i, ok := a.at[key]
	if !ok {
		i = len(a.out.Series)
		a.at[key] = i
		a.out.Series = append(a.out.Series, analytics.Series{Key: key, Values: make([]float64, len(a.out.Buckets))})
	}
	series := &a.out.Series[i]
	switch {
	case bucket == lineTotal:
		series.Total = value
	case bucket < 0 || bucket >= int64(len(series.Values)):
		return fmt.Errorf("bucket %d of %d", bucket, len(series.Values))
	default:
		series.Values[bucket] = value
		if !a.totalled {
			series.Total += value
		}
	}
	return nil
}

// trendSQL is one statement that scans the facts once. With a breakdown its
// total lines come first, best series first, which gives the series their order.
func trendSQL(st *state, q analytics.TrendQuery, starts []int64) (string, []any) {
	sel := selectFacts(st, q.Filter)
	bucket, key := bucketSQL("f.ts", starts, ceilMs(q.To)), sel.group(q.Breakdown)
	if q.Measure == analytics.MeasurePeople {
		return peopleTrendSQL(sel, q, bucket, key)
	}
	value := "count(*)::DOUBLE"
	if q.Measure == analytics.MeasureSum {
		value = "coalesce(sum(" + sel.number(q.Property) + "), 0)"
	}
	scan := "SELECT " + bucket + " AS b, " + key + " AS k, " + value + " AS v" + sel.from()
	if q.Breakdown == "" {
		return scan + " GROUP BY b", sel.args // not by k: a constant, but a text, which would cost a slower aggregate
	}
	scan += " GROUP BY b, k"
	return `WITH g AS MATERIALIZED (` + scan + `),
		t AS MATERIALIZED (SELECT k, sum(v) AS v FROM g GROUP BY k ORDER BY v DESC, k LIMIT ` + strconv.Itoa(q.Limit) + `)
		SELECT b, k, v FROM (
			SELECT ` + strconv.Itoa(lineTotal) + ` AS b, k, v FROM t
			UNION ALL SELECT ` + strconv.Itoa(lineOther) + `, '', coalesce(sum(v), 0) FROM g ANTI JOIN t USING (k)
			UNION ALL SELECT g.b, g.k, g.v FROM g JOIN t USING (k))
		ORDER BY b >= 0, v DESC, k`, sel.args
}

// peopleTrendSQL reduces the facts to distinct (bucket, key, person) and counts from there.
func peopleTrendSQL(sel *selection, q analytics.TrendQuery, bucket, key string) (string, []any) {
	person := sel.person()
	sel.and(person + " > 0")
	if q.Breakdown == "" {
		p := `WITH p AS MATERIALIZED (SELECT DISTINCT ` + bucket + ` AS b, ` + person + ` AS r` + sel.from() + `)`
		return p + ` SELECT b, '', count(*)::DOUBLE FROM p GROUP BY b
			UNION ALL SELECT ` + strconv.Itoa(lineTotal) + `, '', count(DISTINCT r)::DOUBLE FROM p`, sel.args
	}
	p := `WITH p AS MATERIALIZED (SELECT DISTINCT ` + bucket + ` AS b, ` + key + ` AS k, ` + person + ` AS r` + sel.from() + `)`
	return p + `, t AS MATERIALIZED (SELECT k, count(DISTINCT r) AS v FROM p GROUP BY k ORDER BY v DESC, k LIMIT ` + strconv.Itoa(q.Limit) + `)
		SELECT b, k, v::DOUBLE FROM (
			SELECT ` + strconv.Itoa(lineTotal) + ` AS b, k, v FROM t
			UNION ALL SELECT ` + strconv.Itoa(lineOther) + `, '', count(DISTINCT r) FROM p ANTI JOIN t USING (k)
			UNION ALL SELECT p.b, p.k, count(*) FROM p JOIN t USING (k) GROUP BY p.b, p.k)
		ORDER BY b >= 0, v DESC, k`, sel.args
}

// ceilMs is the first whole millisecond not before t: facts are kept in milliseconds.
func ceilMs(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}
