package shop

import (
	"context"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
)

// bulkRows is how many rows one statement writes: beyond that a statement gets
// no faster, and 100 rows stay far below both engines' limits on parameters.
const bulkRows = 100

// bulk runs `head values (…),(…) tail` over args, cols to a row. It must be
// inside a transaction.
func bulk(ctx context.Context, d *db.DB, head string, cols int, tail string, args []any) error {
	full := bulkRows * cols
	if len(args) > full {
		stmt, err := d.Prepare(ctx, bulkText(head, cols, bulkRows, tail))
		if err != nil {
			return fmt.Errorf("prepare %s: %w", head, err)
		}
		defer stmt.Close()
		for ; len(args) >= full; args = args[full:] {
			if _, err := stmt.ExecContext(ctx, args[:full]...); err != nil {
				return fmt.Errorf("%s: %w", head, err)
			}
		}
	}
	if len(args) == 0 {
		return nil
	}
	if _, err := d.Exec(ctx, bulkText(head, cols, len(args)/cols, tail), args...); err != nil {
		return fmt.Errorf("%s: %w", head, err)
	}
	return nil
}

func bulkText(head string, cols, rows int, tail string) string {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString(" values ")
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteString("(" + db.In(r*cols+1, cols) + ")")
	}
	b.WriteString(" " + tail)
	return b.String()
}

// inChunks calls fn with at most 500 values at a time, the size of an `in (…)` list.
func inChunks[T any](values []T, fn func(part []T) error) error {
	for len(values) > 0 {
		n := min(len(values), 500)
		if err := fn(values[:n]); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

func anys[T any](first []any, values []T) []any {
	out := append(make([]any, 0, len(first)+len(values)), first...)
	for _, v := range values {
		out = append(out, v)
	}
	return out
}
