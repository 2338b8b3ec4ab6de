package autotag

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// endedFor is how long an automatic tag is kept whose tag is gone: as long as the
// undo of a merge or a deletion of tags may bring it back.
const endedFor = 30 * 24 * time.Hour

// retire ends an automatic tag together with its tag, in the transaction of ctx. It
// is kept, with its exceptions, for the undo of that.
func (s *Service) retire(ctx context.Context, a *automation) error {
	if a.ending {
		return s.remove(ctx, a, false)
	}
	_, err := s.DB.Exec(ctx, `insert into tag_automations_ended (tag, kind, spec, version, created_at, by_id, by_name, ended_at)
		select tag, kind, spec, version, created_at, by_id, by_name, cast($2 as bigint) from tag_automations where tag = $1
		on conflict (tag) do update set kind = excluded.kind, spec = excluded.spec, version = excluded.version, created_at = excluded.created_at,
			by_id = excluded.by_id, by_name = excluded.by_name, ended_at = excluded.ended_at`, a.tag, s.Clock.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("keep an automatic tag that ends: %w", err)
	}
	return s.drop(ctx, a.tag)
}

// Returned implements contact.Returner: a tag whose merge or deletion is undone is
// automatic again. Who it is for is worked out anew. Where a rule made meanwhile
// rests on the tag, so that the two would go in a circle, it stays one that is given
// by hand.
func (s *Service) Returned(ctx context.Context, tag string) error {
	a, err := s.endedOne(ctx, tag)
	if err != nil || a == nil {
		return err
	}
	if err := s.circlesNow(ctx, tag, a.def); err != nil {
		if errs.As(err).Kind != errs.Invalid {
			return err
		}
		s.Log.WarnContext(ctx, "a tag is not automatic again: its rule would rest on itself", "tag", tag, "error", err)
		return nil
	}
	_, err = s.DB.Exec(ctx, `insert into tag_automations (tag, kind, spec, version, created_at, changed_at, by_id, by_name)
		select tag, kind, spec, version, created_at, cast($2 as bigint), by_id, by_name from tag_automations_ended where tag = $1
		on conflict (tag) do nothing`, tag, s.Clock.Now().UnixMilli())
	if err == nil {
		_, err = s.DB.Exec(ctx, "delete from tag_automations_ended where tag = $1", tag)
	}
	if err != nil {
		return fmt.Errorf("bring an automatic tag back: %w", err)
	}
	s.DB.After(ctx, func() { s.rules.Changed(Name) })
	s.nudge(ctx)
	ref, _, err := s.Contacts.TagNamed(ctx, tag)
	if err != nil {
		return err
	}
	return s.record(ctx, "tag.automation_restored", ref, map[string]any{"kind": a.def.Kind, "version": a.version})
}

// ended reads the automatic tags that are kept for an undo.
func (s *Service) ended(ctx context.Context, where string, args ...any) ([]*automation, error) {
	rows, err := s.DB.Query(ctx, "select tag, spec, version from tag_automations_ended"+where, args...)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (*automation, error) {
		a, spec := &automation{}, ""
		if err := r.Scan(&a.tag, &spec, &a.version); err != nil {
			return nil, err
		}
		return a, s.decode(spec, &a.def)
	})
	if err != nil {
		return nil, fmt.Errorf("read automatic tags that ended: %w", err)
	}
	return out, nil
}

func (s *Service) endedOne(ctx context.Context, tag string) (*automation, error) {
	out, err := s.ended(ctx, " where tag = $1", tag)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out[0], nil
}

// followEnded lets rules that are kept for an undo follow a term that became another.
func (s *Service) followEnded(ctx context.Context, from, into contact.Term) error {
	all, err := s.ended(ctx, "")
	if err != nil {
		return err
	}
	for _, a := range all {
		if !refersTo(a.def, from) {
			continue
		}
		follow, err := s.Contacts.Follower(ctx, from, into)
		if err != nil {
			return err
		}
		if !follow(a.def.Rule) {
			continue
		}
		text, err := s.encode(a.def)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update tag_automations_ended set spec = $1 where tag = $2", text, a.tag); err != nil {
			return fmt.Errorf("follow in an automatic tag that ended: %w", err)
		}
	}
	return nil
}

// sweepEnded forgets automatic tags that nothing can bring back any more.
func (s *Service) sweepEnded(ctx context.Context) error {
	before := s.Clock.Now().Add(-endedFor).UnixMilli()
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, query := range []string{
			"delete from tag_exceptions where tag in (select tag from tag_automations_ended where ended_at <= $1) and tag not in (select tag from tag_automations)",
			"delete from tag_automations_ended where ended_at <= $1",
		} {
			if _, err := s.DB.Exec(ctx, query, before); err != nil {
				return fmt.Errorf("forget automatic tags that ended: %w", err)
			}
		}
		return nil
	})
}

var _ contact.Returner = (*Service)(nil)

var _ loops.Source = (*Service)(nil)
