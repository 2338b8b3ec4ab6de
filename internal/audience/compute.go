package audience

import (
	"context"
	"errors"
	"fmt"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// jobCompute works out a whole segment.
const jobCompute = "segment.compute"

type computeParams struct {
	ID string `json:"id"`
}

// matching works out whom a rule means now, of everybody.
func (s *Service) matching(ctx context.Context, r *rule.Rule) (*numset.Set, error) {
	return s.Contacts.Matching(asProgram(ctx), r, "rule", nil)
}

// kept is the kept set of a segment. One that was never worked out yet is worked
// out on the spot: it must not pass for empty.
func (s *Service) kept(ctx context.Context, g *segment) (*numset.Set, error) {
	if g.dynamic() && g.readyVersion == 0 {
		return s.matching(ctx, g.rule)
	}
	return s.Sets.Load(ctx, g.id)
}

// seen are the members whom the caller may see.
func (s *Service) seen(ctx context.Context, g *segment) (*numset.Set, error) {
	set, err := s.kept(ctx, g)
	if err != nil {
		return nil, err
	}
	crowd, err := s.Contacts.Crowd(ctx)
	if err != nil {
		return nil, err
	}
	return crowd.Of(set), nil
}

// runCompute is the job. When the definition changes meanwhile it begins anew.
func (s *Service) runCompute(ctx context.Context, run jobs.Run) error {
	var p computeParams
	if err := run.Params(&p); err != nil {
		return fmt.Errorf("read which segment: %w", err)
	}
	run.Progress(0, 1)
	ctx = asProgram(ctx)
	for {
		g, err := s.get(ctx, p.ID)
		if err != nil {
			return err
		}
		if g.archived > 0 || !g.dynamic() {
			return nil
		}
		set, err := s.matching(ctx, g.rule)
		if err != nil {
			return s.fail(ctx, g, err)
		}
		done, err := s.settle(ctx, g, set)
		if err != nil {
			return err
		}
		if done {
			run.Progress(1, 1)
			return run.Result(map[string]any{"members": set.Count()})
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// fail keeps why a definition cannot be worked out. Faults that may pass are
// tried again by the job.
func (s *Service) fail(ctx context.Context, g *segment, cause error) error {
	var known *errs.Error
	if !errors.As(cause, &known) || known.Kind == errs.Internal || known.Kind == errs.Unavailable {
		return cause
	}
	code := known.Code
	if len(known.Fields) > 0 {
		code = known.Fields[0].Code
	}
	if _, err := s.DB.Exec(ctx, "update segments set state = $3, fault = $4 where id = $1 and version = $2", g.id, g.version, Failed, code); err != nil {
		return errors.Join(cause, fmt.Errorf("keep why a segment failed: %w", err))
	}
	return cause
}

// settle puts what a definition came to in the place of the old members, and
// writes it into the history: nobody did anything, so no fact is stated. done is
// false when the definition is not that of g any more.
func (s *Service) settle(ctx context.Context, g *segment, set *numset.Set) (done bool, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		now, err := s.hold(ctx, g.id)
		if err != nil {
			return err
		}
		if done = now.version == g.version; !done || now.archived > 0 {
			return nil
		}
		came, went, err := s.Sets.Replace(ctx, g.id, set)
		if err != nil {
			return err
		}
		return s.settled(ctx, now, set.Count(), came.Count(), went.Count())
	})
	return done, err
}

// settled writes that a segment's definition is worked out.
func (s *Service) settled(ctx context.Context, g *segment, size, came, went int64) error {
	now := s.Clock.Now()
	counted := g.counted
	if came+went > 0 || counted == 0 {
		counted = clock.Ms(now)
	}
	if _, err := s.DB.Exec(ctx, "update segments set state = $2, fault = '', job = '', ready_version = version, members = $3, counted_at = $4 where id = $1", g.id, Ready, size, counted); err != nil {
		return fmt.Errorf("keep a segment's members: %w", err)
	}
	n, err := s.DB.ExecN(ctx, "update segment_history set came = $2, went = $3, size = $4 where segment = $1 and size = -1", g.id, came, went, size)
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	if n == 0 && came+went > 0 && g.state == Ready { // somebody had it counted anew
		if err := s.put(ctx, &entry{segment: g.id, action: "recounted", came: came, went: went, size: size}); err != nil {
			return err
		}
	}
	if came+went > 0 {
		s.unsaid(ctx)
	}
	return s.dayOf(ctx, g.id, size, 0, 0)
}

// dayOf puts down what a day brought a segment, and its size now.
func (s *Service) dayOf(ctx context.Context, id string, size, entered, went int64) error {
	_, err := s.DB.Exec(ctx, `insert into segment_days (segment, day, size, entered, went) values ($1,$2,$3,$4,$5)
		on conflict (segment, day) do update set size = excluded.size, entered = segment_days.entered + excluded.entered, went = segment_days.went + excluded.went`,
		id, s.day(ctx, s.Clock.Now()), size, entered, went)
	if err != nil {
		return fmt.Errorf("count a segment's day: %w", err)
	}
	return nil
}

// Recount works a dynamic segment out anew, as a job.
func (s *Service) Recount(ctx context.Context, id string) (job jobs.Job, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		g, err := s.hold(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case !g.dynamic():
			return errs.New(errs.Conflict, "audience.static_is_counted")
		case g.archived > 0:
			return errs.New(errs.Conflict, "audience.archived")
		case s.live != nil: // what a count on the side finds before the engine would never be told
			return errs.New(errs.Conflict, "audience.kept_live")
		}
		if job, err = s.enqueueCompute(ctx, g); err != nil {
			return err
		}
		return s.record(ctx, "segment.recounted", g, nil)
	})
	return job, err
}

// Forget takes contacts that are gone out of every segment, list and snapshot.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	if err := s.Sets.Forget(ctx, nums); err != nil {
		return err
	}
	if _, err := s.DB.Exec(ctx, "update segments set members = (select coalesce(sum(n), 0) from audience_sets where set_key = segments.id)"); err != nil {
		return fmt.Errorf("count segments: %w", err)
	}
	return nil
}
