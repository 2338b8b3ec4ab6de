package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// Append implements analytics.Store. It returns once the batch is synced to disk.
func (s *Store) Append(ctx context.Context, b analytics.Batch) error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if err := s.ready(ctx); err != nil {
		return err
	}
	st := *s.state.Load()
	if !analytics.Beyond(b.Position, st.pos) {
		return nil
	}
	first := slices.IndexFunc(b.Rows, func(r analytics.Row) bool { return analytics.Beyond(r.Position, st.pos) })
	if first < 0 {
		first = len(b.Rows)
	}
	rows := b.Rows[first:]
	// The first merge ever changes how questions are put: none may run across it.
	if len(b.Rekeys) > 0 && !st.merged {
		if err := s.gate.Acquire(ctx, readers); err != nil {
			return fmt.Errorf("append to analytics: %w", err)
		}
		defer s.gate.Release(readers)
	}
	store := func(ctx context.Context) error {
		if err := s.appendRows(ctx, rows, st.columns); err != nil {
			return err
		}
		merged, err := s.appendContacts(ctx, b)
		if err != nil {
			return err
		}
		st.merged = st.merged || merged
		_, err = s.writer.ExecContext(ctx, `UPDATE store SET seq = $1, idx = $2`, b.Position.Seq, b.Position.Idx)
		return err
	}
	err := s.inTx(ctx, store)
	if s.roomier(ctx, err) {
		if err = s.ready(ctx); err == nil { // the state is in doubt
			err = s.inTx(ctx, store)
		}
	}
	if err != nil {
		s.recall.forget() // perhaps it took effect
		return fmt.Errorf("append to analytics: %w", err)
	}
	st.pos = b.Position
	s.state.Store(&st)
	s.recall.appended(rows)
	s.checkpointIfDue(ctx)
	return nil
}

// ready refuses work on a closed store and settles what an interrupted write left open. Under wmu.
func (s *Store) ready(ctx context.Context) error {
	if s.closed {
		return analytics.ErrClosed
	}
	if s.stale {
		return s.reload(ctx)
	}
	return nil
}

// readyForMore is ready for work that may need more memory than storing does. Under wmu.
func (s *Store) readyForMore(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.wake(ctx)
}

// inTx runs fn in a transaction of the writer. Under wmu. After an error the
// state is read again before the next write: a commit may have been cut off
// by ctx after it took effect.
func (s *Store) inTx(ctx context.Context, fn func(context.Context) error) (err error) {
	defer func() {
		if err == nil {
			return
		}
		s.stale = true
		_, back := s.writer.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		if back != nil && !strings.Contains(back.Error(), "no transaction is active") {
			err = errors.Join(err, fmt.Errorf("roll back: %w", back))
		}
	}()
	if _, err := s.writer.ExecContext(ctx, `BEGIN`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(ctx); err != nil {
		return err
	}
	if _, err := s.writer.ExecContext(ctx, `COMMIT`); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// appendRows adds the rows in order. The JSON texts are checked, and promoted
// properties are read from them, by DuckDB itself: its parser is the one that
// will read them in questions.
func (s *Store) appendRows(ctx context.Context, rows []analytics.Row, columns []column) error {
	if len(rows) == 0 {
		return nil
	}
	types, names, err := appendTypes()
	if err != nil {
		return err
	}
	return s.writer.Raw(func(conn any) error {
		app, err := duck.NewQueryAppender(conn.(driver.Conn), appendSQL(columns), "batch", types, names)
		if err != nil {
			return fmt.Errorf("start appending: %w", err)
		}
		values := make([]driver.Value, len(fields))
		for i := range rows {
			fillRow(values, &rows[i])
			if err := app.AppendRow(values...); err != nil {
				return errors.Join(fmt.Errorf("append fact %s: %w", rows[i].MessageID, err), app.Clear(), app.Close())
			}
		}
		if err := app.CloseWithCancel(ctx); err != nil {
			return fmt.Errorf("append %d facts: %w", len(rows), err)
		}
		return nil
	})
}

func appendTypes() ([]duck.TypeInfo, []string, error) {
	types := make([]duck.TypeInfo, len(fields))
	names := make([]string, len(fields))
	for i, f := range fields {
		t, err := duck.NewTypeInfo(f.typ)
		if err != nil {
			return nil, nil, fmt.Errorf("type of column %s: %w", f.name, err)
		}
		types[i], names[i] = t, f.name
	}
	return types, names, nil
}

func appendSQL(columns []column) string {
	var into, from, checked strings.Builder
	into.WriteString(fieldList(""))
	from.WriteString(fieldList(""))
	for i, f := range fields {
		if i > 0 {
			checked.WriteString(", ")
		}
		if f.json {
			fmt.Fprintf(&checked, `CASE WHEN %[1]s IS NULL OR json_valid(%[1]s) THEN %[1]s ELSE json_object('$broken', %[1]s)::VARCHAR END AS %[1]s`, f.name)
		} else {
			checked.WriteString(f.name)
		}
	}
	for _, c := range columns {
		into.WriteString(", " + c.name)
		from.WriteString(", " + c.read("props"))
	}
	return "INSERT INTO facts (" + into.String() + ") SELECT " + from.String() +
		" FROM (SELECT " + checked.String() + " FROM batch) b"
}

// fillRow puts a row's values in the order of fields.
func fillRow(v []driver.Value, r *analytics.Row) {
	v[0], v[1], v[2] = r.Position.Seq, r.Position.Idx, r.Contact
	v[3], v[4] = clean(string(r.Type)), clean(r.Name)
	v[5], v[6] = r.Timestamp, r.ReceivedAt
	mid := clean(r.MessageID)
	v[7], v[8] = mid, analytics.HashMessageID(mid)
	v[9], v[10] = orNull(r.UserID), orNull(r.AnonymousID)
	v[11] = idsOf(&r.Fact)
	v[12], v[13], v[14] = clean(r.Source), clean(r.Channel), orNull(r.ImportID)
	v[15], v[16], v[17] = cleanJSON(r.Properties), cleanJSON(r.Traits), cleanJSON(r.Context)
}

// lastOf keeps the last profile given for each contact, in order of first mention.
func lastOf(profiles []event.Profile) []event.Profile {
	at := make(map[int64]int, len(profiles))
	out := make([]event.Profile, 0, len(profiles))
	for _, p := range profiles {
		if i, ok := at[p.Contact]; ok {
			out[i] = p
			continue
		}
		at[p.Contact] = len(out)
		out = append(out, p)
	}
	return out
}
