package audience

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// How far back changes of a list can be taken back. A set is up to a bit per
// contact, so that they must not gather for ever; what a change came to stays in
// the history.
const (
	undoChanges = 50
	undoDays    = 400
)

// listed tells whether an entry of the history changed who is on a list.
func listed(action string) bool {
	return action == "added" || action == "removed" || action == "uploaded"
}

// undoSets are the keys under which an entry's sets are kept: whom it put on, and whom it took off.
func undoSets(id string) (on, off string) { return id + "+", id + "-" }

// Undo takes back one change of a list: whom it put on comes off, whom it took
// off is put on again.
func (s *Service) Undo(ctx context.Context, id, entryID string) (*Event, error) {
	var g *segment
	var back entry
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		var err error
		if g, err = s.holdList(ctx, id); err != nil {
			return err
		}
		e, err := s.entryOf(ctx, id, entryID)
		if err != nil {
			return err
		}
		switch {
		case !listed(e.action) || e.undoneAt > 0:
			return errs.New(errs.Conflict, "audience.not_undoable")
		case !e.undo:
			return errs.New(errs.Conflict, "audience.undo_gone", "limit", undoChanges, "days", undoDays)
		}
		on, off := undoSets(e.id)
		sets, err := s.Sets.LoadAll(ctx, on, off)
		if err != nil {
			return err
		}
		back = entry{action: "undone", detail: EventDetail{Of: e.id}}
		if err := s.changeList(ctx, g, &back, sets[off], sets[on]); err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update segment_history set undone_at = $2, undone_by = $3 where id = $1", e.id, clock.Ms(s.Clock.Now()), principal(ctx).Name); err != nil {
			return fmt.Errorf("write history: %w", err)
		}
		if err := s.dropUndo(ctx, e.id); err != nil {
			return err
		}
		return s.record(ctx, "segment.undone", g, map[string]any{"of": e.id, "came": back.came, "went": back.went})
	})
	if err != nil {
		return nil, err
	}
	v := s.event(ctx, g, &back, principal(ctx).Scope.All)
	return &v, nil
}

// dropUndo forgets by what entries could be taken back.
func (s *Service) dropUndo(ctx context.Context, ids ...string) error {
	keys := make([]string, 0, 2*len(ids))
	for _, id := range ids {
		on, off := undoSets(id)
		keys = append(keys, on, off)
		if _, err := s.DB.Exec(ctx, "update segment_history set undo = 0 where id = $1", id); err != nil {
			return fmt.Errorf("forget an undo: %w", err)
		}
	}
	return s.Sets.Drop(ctx, keys...)
}

// boundUndo forgets by what the changes of a held list could be taken back that
// are too old, or have too many after them.
func (s *Service) boundUndo(ctx context.Context, segment string) error {
	rows, err := s.DB.Query(ctx, "select id, at from segment_history where segment = $1 and undo = 1 order by nth desc", segment)
	kept, oldest := 0, s.undoFrom()
	drop, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) {
		var at int64
		if err = r.Scan(&id, &at); err != nil {
			return "", err
		}
		if kept++; kept <= undoChanges && at >= oldest {
			return "", nil
		}
		return id, nil
	})
	if err != nil {
		return fmt.Errorf("find old changes: %w", err)
	}
	for _, id := range drop {
		if id == "" {
			continue
		}
		if err := s.dropUndo(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) undoFrom() int64 {
	return clock.Ms(s.Clock.Now().AddDate(0, 0, -undoDays))
}

// undoSweep is how often lists that nobody changes are looked at.
const undoSweep = time.Hour

// DropOldUndo forgets by what old changes of lists could be taken back, also of
// lists that nobody changes any more.
func (s *Service) DropOldUndo(ctx context.Context) error {
	rows, err := s.DB.Query(ctx, "select distinct segment from segment_history where undo = 1 and at < $1", s.undoFrom())
	lists, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return fmt.Errorf("find lists with old changes: %w", err)
	}
	for _, id := range lists {
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			if _, err := s.hold(ctx, id); err != nil {
				return err
			}
			return s.boundUndo(ctx, id)
		})
		if err != nil {
			return fmt.Errorf("list %s: %w", id, err)
		}
	}
	return nil
}
