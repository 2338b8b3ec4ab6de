package live

import (
	"context"
	"errors"
	"slices"

	"github.com/koipond/koipond/internal/platform/numset"
)

// Refresh works conditions on fields out anew, in the background: something
// changed what they say of many contacts, without a fact about each. Owners call
// it after a change of their own that they told nobody.
func (e *Engine) Refresh(fields ...string) {
	e.mu.Lock()
	for _, f := range fields {
		e.stale[f] = true
	}
	e.mu.Unlock()
	e.nudge()
}

// Recheck works everything out anew, in the background: facts were taken back, so
// that nothing of what they made true can be told from other facts.
func (e *Engine) Recheck() {
	e.mu.Lock()
	e.doubted = true
	e.mu.Unlock()
	e.nudge()
}

// recheck does what Recheck asks for.
func (e *Engine) recheck(ctx context.Context) error {
	e.mu.Lock()
	doubted := e.doubted
	e.doubted = false
	e.mu.Unlock()
	if !doubted {
		return nil
	}
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	var conds []*cond
	for _, c := range e.conds {
		if c.known && !c.failing() {
			conds = append(conds, c)
		}
	}
	release()
	if err = e.refresh(ctx, conds, true, Cause{Reason: ReasonFact}); err != nil {
		e.Recheck()
	}
	return err
}

// refresh works conditions out whole and tells owners what that changes.
func (e *Engine) refresh(ctx context.Context, conds []*cond, people bool, cause Cause) error {
	if len(conds) == 0 && !people {
		return nil
	}
	was := map[owning]*numset.Set{}
	before := func(context.Context) error {
		for _, o := range e.owners {
			for _, p := range o.serving {
				if people || slices.ContainsFunc(conds, p.has) {
					was[owning{o, p}] = p.set(e.people)
				}
			}
		}
		return nil
	}
	return e.renew(ctx, conds, people, before, func(ctx context.Context) error {
		changed := map[*owned]*numset.Set{}
		for o, old := range was {
			for _, n := range differing(old, o.plan.set(e.people)) {
				if e.pending.Has(n) { // its own facts are about to be told
					continue
				}
				if changed[o.owner] == nil {
					changed[o.owner] = &numset.Set{}
				}
				changed[o.owner].Add(n)
			}
		}
		var faults []error
		for _, o := range e.owners {
			switch set := changed[o]; {
			case set == nil:
			case set.Count() > tellOneByOne:
				faults = append(faults, e.tellAll(ctx, o, cause))
			default:
				faults = append(faults, e.tellSome(ctx, o, set.List(), cause))
			}
		}
		return errors.Join(faults...)
	})
}

// tellSome tells an owner of some contacts, in a transaction of its own. Under the lock.
func (e *Engine) tellSome(ctx context.Context, o *owned, nums []int64, c Cause) error {
	if o.missed != nil { // it is told of everybody soon
		o.missed.Live = o.missed.Live && c.Live
		return nil
	}
	s := e.newStep(e.d.Clock.Now(), e.d.Zone(ctx), nums)
	err := e.d.DB.Tx(ctx, func(ctx context.Context) error { return e.apply(ctx, s, telling{owner: o, nums: nums, cause: c}) })
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	e.leaveBehind(o, c, err)
	return nil
}

// Forget is for contact.OnRemove: contacts were erased. Owners forget them too.
func (e *Engine) Forget(ctx context.Context, nums []int64) error {
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	nums = slices.Compact(slices.Sorted(slices.Values(nums)))
	if e.renewal != nil {
		for _, n := range nums {
			e.renewal.touched.Add(n)
		}
	}
	if !e.Ready() { // then it is found out at the start
		return nil
	}
	s := e.newStep(e.d.Clock.Now(), e.d.Zone(ctx), nums)
	for i, n := range nums {
		s.cause[i] = Cause{Reason: ReasonErased}
		s.into[n] = 0
		s.person.put(i, false)
		s.forced.set(i)
	}
	return e.keep(ctx, s)
}
