package mirror

import (
	"database/sql"

	"github.com/koipond/koipond/internal/platform/db"
)

// chunked calls fn with parts of a list that fit into one statement.
func chunked[T any](list []T, fn func(part []any) error) error {
	const most = 400
	for len(list) > 0 {
		n := min(most, len(list))
		part := make([]any, n)
		for i, v := range list[:n] {
			part[i] = v
		}
		list = list[n:]
		if err := fn(part); err != nil {
			return err
		}
	}
	return nil
}

// collect reads a column of texts.
func collect(rows *sql.Rows, err error) ([]string, error) {
	return db.Collect(rows, err, func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) })
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
