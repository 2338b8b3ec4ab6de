package contact

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
)

// column is one column of a list of values, with the type that PostgreSQL
// must be told where it cannot infer it.
type column struct{ name, typ string }

func columns(spec string) []column {
	var out []column
	for f := range strings.FieldsSeq(spec) {
		name, typ, ok := strings.Cut(f, ":")
		if !ok {
			typ = "text"
		} else if typ == "n" {
			typ = "bigint"
		}
		out = append(out, column{name, typ})
	}
	return out
}

// chunkSizes keep the number of different statement texts small: a list of any
// length is cut into pieces of these sizes.
var chunkSizes = [...]int{128, 32, 8, 2, 1}

// eachChunk cuts n items into pieces.
func eachChunk(n int, fn func(from, to int) error) error {
	for at := 0; at < n; {
		size := 1
		for _, s := range chunkSizes {
			if s <= n-at {
				size = s
				break
			}
		}
		if err := fn(at, at+size); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// valueList writes n rows of placeholders. With cast, the first row says the types.
func valueList(b *strings.Builder, cols []column, n int, cast bool) {
	p := 0
	for r := range n {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c, col := range cols {
			p++
			if c > 0 {
				b.WriteByte(',')
			}
			if cast && r == 0 {
				b.WriteString("cast($" + strconv.Itoa(p) + " as " + col.typ + ")")
			} else {
				b.WriteString("$" + strconv.Itoa(p))
			}
		}
		b.WriteByte(')')
	}
}

// insertMany inserts rows in few statements; tail is e.g. an `on conflict` clause.
func insertMany(ctx context.Context, d *db.DB, table string, cols []column, n int, row func(i int) []any, tail string) error {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	return eachChunk(n, func(from, to int) error {
		var b strings.Builder
		b.WriteString("insert into " + table + " (" + strings.Join(names, ",") + ") values ")
		valueList(&b, cols, to-from, false)
		b.WriteString(" " + tail)
		if _, err := d.Exec(ctx, b.String(), gather(cols, from, to, row)...); err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
		return nil
	})
}

// insertReturning inserts rows and reads back what tail returns of them.
func insertReturning(ctx context.Context, d *db.DB, table string, cols []column, rows [][]any, tail string, scan func(*sql.Rows) error) error {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	return eachChunk(len(rows), func(from, to int) error {
		var b strings.Builder
		b.WriteString("insert into " + table + " (" + strings.Join(names, ",") + ") values ")
		valueList(&b, cols, to-from, false)
		got, err := d.Query(ctx, b.String()+" "+tail, gather(cols, from, to, func(i int) []any { return rows[i] })...)
		return scanAll(got, err, "insert into "+table, scan)
	})
}

// updateMany runs `update table set … from (values …) as v where …` in few
// statements. In set and where, `{name}` stands for a value column.
func updateMany(ctx context.Context, d *db.DB, table, set, where string, cols []column, n int, row func(i int) []any) error {
	return updateReturning(ctx, d, table, set, where, "", cols, n, row, nil)
}

// updateReturning is updateMany that reads back rows of the table.
func updateReturning(ctx context.Context, d *db.DB, table, set, where, returning string, cols []column, n int, row func(i int) []any, scan func(*sql.Rows) error) error {
	set, where = named(set, cols), named(where, cols)
	return eachChunk(n, func(from, to int) error {
		var b strings.Builder
		b.WriteString("update " + table + " set " + set + " from (values ")
		valueList(&b, cols, to-from, true)
		b.WriteString(") as v where " + where)
		args := gather(cols, from, to, row)
		if returning == "" {
			if _, err := d.Exec(ctx, b.String(), args...); err != nil {
				return fmt.Errorf("update %s: %w", table, err)
			}
			return nil
		}
		rows, err := d.Query(ctx, b.String()+" returning "+returning, args...)
		return scanAll(rows, err, "update "+table, scan)
	})
}

func named(s string, cols []column) string {
	for i, c := range cols {
		s = strings.ReplaceAll(s, "{"+c.name+"}", "v.column"+strconv.Itoa(i+1))
	}
	return s
}

func gather(cols []column, from, to int, row func(i int) []any) []any {
	args := make([]any, 0, (to-from)*len(cols))
	for i := from; i < to; i++ {
		args = append(args, row(i)...)
	}
	return args
}

// scanAll reads every row with scan and closes rows.
func scanAll(rows *sql.Rows, err error, what string, scan func(*sql.Rows) error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// selectIn runs a query with a list of values in pieces. The text holds `%s`
// for the placeholders, which begin after the fixed arguments.
func selectIn[T any](ctx context.Context, d *db.DB, what, query string, fixed []any, list []T, scan func(*sql.Rows) error) error {
	const most = 500
	for len(list) > 0 {
		n := min(most, len(list))
		size := 1
		for size < n {
			size *= 2
		}
		size = min(size, most)
		args := append(make([]any, 0, len(fixed)+size), fixed...)
		for i := range size { // a short list repeats its last value: few different texts
			args = append(args, list[min(i, n-1)])
		}
		rows, err := d.Query(ctx, fmt.Sprintf(query, db.In(len(fixed)+1, size)), args...)
		if err := scanAll(rows, err, what, scan); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}
