package duckdb

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/analytics"
)

// EraseContacts implements analytics.Store. The rows are gone for every question
// at once; their bytes leave the file when its blocks are used again.
func (s *Store) EraseContacts(ctx context.Context, contacts []int64) (int64, error) {
	if len(contacts) == 0 {
		return 0, nil
	}
	// A number that is part of another contact stands for nobody: its facts are the other's.
	const erased = `(SELECT contact FROM contacts WHERE root IN (SELECT unnest($1::BIGINT[]))
		UNION SELECT u.n FROM (SELECT unnest($1::BIGINT[]) AS n) u ANTI JOIN contacts c ON c.contact = u.n)`
	return s.erase(ctx, "erase contacts", func(ctx context.Context) (int64, error) {
		n, err := s.exec(ctx, `DELETE FROM facts WHERE contact IN `+erased, contacts)
		if err != nil {
			return 0, err
		}
		_, err = s.exec(ctx, `DELETE FROM contacts WHERE root IN (SELECT unnest($1::BIGINT[]))`, contacts)
		return n, err
	})
}

// EraseImport implements analytics.Store.
func (s *Store) EraseImport(ctx context.Context, importID string) (int64, error) {
	if importID == "" {
		return 0, nil
	}
	return s.erase(ctx, "erase import", func(ctx context.Context) (int64, error) {
		return s.exec(ctx, `DELETE FROM facts WHERE import_id = $1`, clean(importID))
	})
}

func (s *Store) erase(ctx context.Context, what string, fn func(context.Context) (int64, error)) (facts int64, err error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if err := s.readyForMore(ctx); err != nil {
		return 0, err
	}
	err = s.inTx(ctx, func(ctx context.Context) error {
		facts, err = fn(ctx)
		return err
	})
	if facts > 0 || err != nil {
		s.recall.forget()
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	s.checkpointIfDue(ctx)
	return facts, nil
}

// exec runs a statement of the writer and says how many rows it touched. Under wmu.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := s.writer.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Stats implements analytics.Store. Contacts are those with a profile or facts known to be merged, as they are now.
func (s *Store) Stats(ctx context.Context) (out analytics.Stats, err error) {
	err = s.look(ctx, "read analytics stats", func(*state) error {
		return s.readDB.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM facts),
			(SELECT count(*) FROM contacts WHERE root = contact), seq, idx FROM store`).
			Scan(&out.Facts, &out.Contacts, &out.Position.Seq, &out.Position.Idx)
	})
	if err != nil {
		return out, err
	}
	out.SizeBytes = fileSize(s.path) + fileSize(s.walPath())
	return out, nil
}
