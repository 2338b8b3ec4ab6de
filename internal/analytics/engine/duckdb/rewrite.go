package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

var _ analytics.Rewriter = (*Store)(nil)

// rewritable are the columns that Rewrite may change, with their place in fields.
var rewritable = []struct {
	name string
	at   int
}{{"user_id", 9}, {"anonymous_id", 10}, {"ids", 11}, {"props", 15}, {"traits", 16}, {"context", 17}}

// Rewrite implements analytics.Rewriter. The facts are read like any question;
// only the writing, one statement for all that changed, holds appends up.
// Facts erased in between stay erased; nothing else changes these columns.
func (s *Store) Rewrite(ctx context.Context, after event.Position, limit int, fn func(f *event.Fact) error) (to event.Position, seen, changed int, err error) {
	rows, err := s.After(ctx, after, limit)
	if err != nil {
		return after, 0, 0, err
	}
	to = after
	was, is := make([]driver.Value, len(fields)), make([]driver.Value, len(fields))
	var todo [][]driver.Value
	for i := range rows {
		to = rows[i].Position
		fillRow(was, &rows[i])
		if err := fn(&rows[i].Fact); err != nil {
			return after, 0, 0, fmt.Errorf("rewrite fact %s: %w", rows[i].MessageID, err)
		}
		fillRow(is, &rows[i])
		differs := false
		line := []driver.Value{is[0], is[1]}
		for _, c := range rewritable {
			differs = differs || was[c.at] != is[c.at]
			line = append(line, is[c.at])
		}
		if differs {
			todo = append(todo, line)
		}
	}
	if len(todo) > 0 {
		if err := s.rewriteRows(ctx, todo); err != nil {
			return after, 0, 0, fmt.Errorf("rewrite facts: %w", err)
		}
	}
	return to, len(rows), len(todo), nil
}

func (s *Store) rewriteRows(ctx context.Context, lines [][]driver.Value) error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if err := s.readyForMore(ctx); err != nil {
		return err
	}
	st := *s.state.Load()
	names, types := []string{"seq", "idx"}, []duck.TypeInfo{}
	var set []string
	for _, c := range rewritable {
		names = append(names, c.name)
		set = append(set, c.name+" = b."+c.name)
	}
	for _, c := range st.columns { // promoted properties follow the text they come from
		set = append(set, c.name+" = "+c.read("b.props"))
	}
	for i := range names {
		kind := duck.TYPE_VARCHAR
		switch i {
		case 0:
			kind = duck.TYPE_UBIGINT
		case 1:
			kind = duck.TYPE_UINTEGER
		}
		t, err := duck.NewTypeInfo(kind)
		if err != nil {
			return err
		}
		types = append(types, t)
	}
	low, high := lines[0][0].(uint64), lines[len(lines)-1][0].(uint64)
	query := fmt.Sprintf("UPDATE facts SET %s FROM batch b WHERE facts.seq = b.seq AND facts.idx = b.idx AND facts.seq BETWEEN %d AND %d", strings.Join(set, ", "), low, high)
	err := s.inTx(ctx, func(ctx context.Context) error {
		return s.writer.Raw(func(conn any) error {
			app, err := duck.NewQueryAppender(conn.(driver.Conn), query, "batch", types, names)
			if err != nil {
				return err
			}
			for _, l := range lines {
				if err := app.AppendRow(l...); err != nil {
					return errors.Join(err, app.Clear(), app.Close())
				}
			}
			return app.CloseWithCancel(ctx)
		})
	})
	s.recall.forget()
	if err != nil {
		return err
	}
	s.checkpointIfDue(ctx)
	return nil
}

// Mentioning implements analytics.Rewriter.
func (s *Store) Mentioning(ctx context.Context, text string) (n int64, err error) {
	err = s.read(ctx, "search facts", func(*state) error {
		var any []string
		for _, c := range rewritable {
			any = append(any, "contains("+c.name+", $1)")
		}
		return s.readDB.QueryRowContext(ctx, "SELECT count(*) FROM facts WHERE "+strings.Join(any, " OR "), text).Scan(&n)
	})
	return n, err
}
