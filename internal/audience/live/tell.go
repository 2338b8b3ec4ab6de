package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

// apply calls an owner once.
func (e *Engine) apply(ctx context.Context, s *step, t telling) error {
	truth := &truths{e: e, step: s, owner: t.owner, only: t.only, ctx: ctx}
	err := guarded(func() error { return t.owner.Apply(ctx, truth, t.nums, t.cause) })
	if err = errors.Join(err, truth.err); err != nil {
		return fmt.Errorf("tell %s: %w", t.owner.Name(), err)
	}
	e.metrics.told.Add(float64(len(t.nums)))
	return nil
}

// tell keeps a step: owners are told in one transaction, and what they were told
// is known from then on. An owner that fails is left behind, so that the others
// go on: it is told of everybody a little later. When the transaction itself
// fails, nothing happened.
func (e *Engine) tell(ctx context.Context, s *step, commit func(write func(ctx context.Context) error) error) error {
	list := s.tellings()
	for {
		var failed *telling
		err := commit(func(ctx context.Context) error {
			for i := range list {
				if list[i].owner.missed != nil {
					continue
				}
				if err := e.apply(ctx, s, list[i]); err != nil {
					failed = &list[i]
					return err
				}
			}
			return nil
		})
		if err == nil {
			break
		}
		if failed == nil || e.passing(ctx, err) {
			return err
		}
		e.leaveBehind(failed.owner, failed.cause, err)
	}
	for _, t := range list {
		if m := t.owner.missed; m != nil {
			m.Live = m.Live && t.cause.Live
		}
	}
	s.settle()
	return nil
}

// passing tells whether an error is nobody's fault that owns rules: the database
// is away, or the program ends.
func (e *Engine) passing(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if k := errs.As(err).Kind; k == errs.Unavailable || k == errs.TooMany {
		return true
	}
	return e.d.DB.Ping(ctx) != nil
}

// The waits after an owner, or a condition, has failed.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
)

func retryAfter(failures int) time.Duration { return min(firstRetry<<min(failures, 9), lastRetry) }

// leaveBehind notes that an owner could not keep what it was told.
func (e *Engine) leaveBehind(o *owned, c Cause, err error) {
	if o.missed == nil {
		o.missed = &Cause{Reason: c.Reason, Live: c.Live}
	}
	o.missed.Live = o.missed.Live && c.Live
	o.retry = e.d.Clock.Now().Add(retryAfter(o.fails))
	o.fails++
	e.d.Log.Error("an owner of rules could not keep what they say; it is told of everybody later", "owner", o.Name(), "error", err)
}

// tellAll tells an owner of everybody, in a transaction of its own. Under the lock.
func (e *Engine) tellAll(ctx context.Context, o *owned, c Cause) error {
	return e.tellEverybody(ctx, o, nil, c)
}

// tellEverybody is tellAll for some rules alone; only is nil for all.
func (e *Engine) tellEverybody(ctx context.Context, o *owned, only map[string]bool, c Cause) error {
	if only != nil && o.missed != nil { // it is told of everybody and all rules soon
		o.missed.Live = o.missed.Live && c.Live
		return nil
	}
	if e.pending.Count() > 0 {
		c.Except = e.pending.Clone()
	}
	s := e.newStep(e.d.Clock.Now(), e.d.Zone(ctx), nil)
	err := e.d.DB.Tx(ctx, func(ctx context.Context) error { return e.apply(ctx, s, telling{owner: o, only: only, cause: c}) })
	if err == nil {
		o.missed, o.fails = nil, 0
		e.refreshKept()
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e.leaveBehind(o, c, err)
	return nil
}

// refreshKept has conditions worked out anew on what owners keep: one that is told
// of everybody may have changed it without a fact about each.
func (e *Engine) refreshKept() {
	var fields []string
	for _, c := range e.conds {
		if c.field.kept {
			fields = append(fields, c.node.Field)
		}
	}
	if len(fields) > 0 {
		e.Refresh(fields...)
	}
}

// catchUp tells owners that were left behind, when it is time.
func (e *Engine) catchUp(ctx context.Context) error {
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	now := e.d.Clock.Now()
	for _, o := range e.owners {
		if o.missed == nil || now.Before(o.retry) {
			continue
		}
		if err := e.tellAll(ctx, o, *o.missed); err != nil {
			return err
		}
	}
	return nil
}
