package duckdb

import (
	"context"
	"fmt"
	"strconv"

	"github.com/koipond/koipond/internal/analytics"
)

// promoteChunk is about how many facts are filled in one transaction: appends wait that long.
const promoteChunk = 200_000

// Promote implements analytics.Store. The column is added first, and appends
// fill it from then on; the stored facts follow in chunks, between which appends
// go on; then questions use it. After a crash Open goes on where it stopped.
func (s *Store) Promote(ctx context.Context, c analytics.Column) error {
	if err := c.Check(); err != nil {
		return err
	}
	if err := s.addColumn(ctx, c); err != nil {
		return err
	}
	return s.fillColumns(ctx)
}

func (s *Store) addColumn(ctx context.Context, c analytics.Column) error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if err := s.readyForMore(ctx); err != nil {
		return err
	}
	st := *s.state.Load()
	for _, have := range st.columns {
		if have.property != c.Property {
			continue
		}
		if have.typ != c.Type {
			return analytics.ErrColumnTaken.With("property", c.Property, "type", have.typ)
		}
		return nil
	}
	col := column{property: c.Property, typ: c.Type, name: "p_" + strconv.Itoa(len(st.columns)+1)}
	err := s.inTx(ctx, func(ctx context.Context) error {
		if _, err := s.exec(ctx, `ALTER TABLE facts ADD COLUMN `+col.name+` `+col.sqlType()); err != nil {
			return err
		}
		_, err := s.exec(ctx, `INSERT INTO columns VALUES ($1, $2, $3, 0, false)`, col.property, col.typ, col.name)
		return err
	})
	if err != nil {
		return fmt.Errorf("promote property %q: %w", c.Property, err)
	}
	st.columns = append(append([]column(nil), st.columns...), col)
	s.state.Store(&st)
	return nil
}

// resumePromotions finishes what a crash interrupted. Called while opening.
func (s *Store) resumePromotions(ctx context.Context) error { return s.fillColumns(ctx) }

// fillColumns fills every column that is not ready.
func (s *Store) fillColumns(ctx context.Context) error {
	for {
		more, err := s.fillChunk(ctx)
		if err != nil {
			return fmt.Errorf("fill promoted property: %w", err)
		}
		if !more {
			return nil
		}
	}
}

// fillChunk fills one chunk of the first column that needs it and reports whether work remains.
func (s *Store) fillChunk(ctx context.Context) (bool, error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if err := s.readyForMore(ctx); err != nil {
		return false, err
	}
	st := *s.state.Load()
	columns := append([]column(nil), st.columns...)
	for i := range columns {
		if columns[i].ready {
			continue
		}
		err := s.inTx(ctx, func(ctx context.Context) error { return s.fillNext(ctx, &columns[i]) })
		if err != nil {
			return false, err
		}
		st.columns = columns
		s.state.Store(&st)
		s.checkpointIfDue(ctx)
		return true, nil
	}
	return false, nil
}

func (s *Store) fillNext(ctx context.Context, c *column) error {
	var end uint64 // sequence of the chunk's last fact: whole messages only
	var count int64
	err := s.writer.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0), count(*) FROM
		(SELECT seq FROM facts WHERE seq > $1 ORDER BY seq LIMIT `+strconv.Itoa(promoteChunk)+`)`, c.filledTo).Scan(&end, &count)
	if err != nil {
		return err
	}
	c.ready = count < promoteChunk
	if count > 0 {
		_, err := s.exec(ctx, `UPDATE facts SET `+c.name+` = `+c.read("props")+
			` WHERE seq > $1 AND seq <= $2 AND props IS NOT NULL`, c.filledTo, end)
		if err != nil {
			return err
		}
		c.filledTo = end
	}
	_, err = s.exec(ctx, `UPDATE columns SET filled_to = $1, ready = $2 WHERE name = $3`, c.filledTo, c.ready, c.name)
	return err
}

// Columns implements analytics.Store: those in use, the ones being filled not yet.
func (s *Store) Columns(ctx context.Context) (out []analytics.Column, err error) {
	err = s.look(ctx, "read analytics columns", func(st *state) error {
		for _, c := range st.columns {
			if c.ready {
				out = append(out, analytics.Column{Property: c.property, Type: c.typ})
			}
		}
		return nil
	})
	return out, err
}
