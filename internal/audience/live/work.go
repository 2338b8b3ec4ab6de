package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/numset"
)

// renewal works conditions out whole, in the background: what is kept serves
// until it is done. Contacts that are touched meanwhile are asked again before it
// takes the place of what is kept.
type renewal struct {
	conds   []*cond
	people  *numset.Set // worked out anew too; nil: not
	wants   bool        // that people are
	got     map[*cond]numset.Choice
	faults  map[*cond]error
	touched *numset.Set // under the engine's lock
	since   time.Time   // windows that lapse from then on are not in got
	inquiry
}

const (
	// leavesAtOnce is how many conditions on behaviour share one question.
	leavesAtOnce = 40
	// touchedAtOnce is how many contacts may be asked again while everybody waits.
	touchedAtOnce = 2_000
	catchRounds   = 6
)

// renew works conditions out, and everybody with people set, and calls then, with
// the lock held, when they are what is known; before is called when they are not
// yet. Conditions that cannot be worked out stay as they are.
func (e *Engine) renew(ctx context.Context, conds []*cond, people bool, before, then func(ctx context.Context) error) error {
	r, err := e.beginRenewal(ctx, conds, people)
	if err != nil {
		return err
	}
	err = r.work(ctx)
	for round := 0; err == nil; round++ {
		var done bool
		if done, err = r.finish(ctx, round >= catchRounds, before, then); done {
			return err
		}
	}
	if release, lockErr := e.hold(context.WithoutCancel(ctx)); lockErr == nil {
		e.renewal = nil
		release()
	}
	return err
}

func (e *Engine) beginRenewal(ctx context.Context, conds []*cond, people bool) (*renewal, error) {
	release, err := e.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	r := &renewal{conds: conds, wants: people, got: map[*cond]numset.Choice{}, faults: map[*cond]error{}, touched: &numset.Set{},
		inquiry: inquiry{e: e, now: e.d.Clock.Now(), zone: e.d.Zone(ctx)}}
	r.since = r.now
	e.renewal = r
	return r, nil
}

// work asks for everybody, the narrow way first: fields, then behaviour, many
// conditions at a time.
func (r *renewal) work(ctx context.Context) error {
	if r.wants {
		all, err := r.e.d.Contacts.Matching(ctx, everybody, "rule", nil)
		if err != nil {
			return fmt.Errorf("ask who is a person: %w", err)
		}
		r.people = all
	}
	var fields, deeds []*cond
	for _, c := range r.conds {
		if c.behaviour() {
			deeds = append(deeds, c)
		} else {
			fields = append(fields, c)
		}
	}
	for part := range slices.Chunk(fields, readersAtOnce) {
		got, err := r.fields(ctx, part, func(*cond) []int64 { return nil })
		if err != nil {
			return err
		}
		r.take(ctx, part, got)
	}
	for part := range slices.Chunk(deeds, leavesAtOnce) {
		got, err := r.deeds(ctx, part, nil)
		if err != nil {
			return err
		}
		r.take(ctx, part, got)
	}
	return nil
}

func (r *renewal) take(ctx context.Context, conds []*cond, got []reply) {
	for i, c := range conds {
		if got[i].fault != nil {
			r.faults[c] = got[i].fault
			continue
		}
		r.got[c] = got[i].Choice
	}
	r.e.mu.Lock()
	for _, c := range conds {
		c.share = 1
	}
	r.e.mu.Unlock()
	if r.e.Ready() { // definitions that changed meanwhile are known to be others
		if err := r.e.readChanged(ctx); err != nil && ctx.Err() == nil {
			r.e.d.Log.Error("rules cannot be read and are read again", "error", err)
		}
	}
}

// finish asks those anew who were touched. While they are many it does so with
// everything going on; the last few are asked while everybody waits.
func (r *renewal) finish(ctx context.Context, last bool, before, then func(ctx context.Context) error) (done bool, err error) {
	e := r.e
	release, err := e.hold(ctx)
	if err != nil {
		return false, err
	}
	touched := r.touched
	r.touched = &numset.Set{}
	if touched.Count() > touchedAtOnce && !last {
		release()
		return false, r.again(ctx, touched)
	}
	defer release()
	now := e.d.Clock.Now()
	lapsed, err := e.lapsed(ctx, r.conds, r.since, now)
	if err != nil {
		return false, err
	}
	for _, nums := range lapsed {
		for _, n := range nums {
			touched.Add(n)
		}
	}
	if err := r.again(ctx, touched); err != nil {
		return false, err
	}
	if before != nil {
		if err := before(ctx); err != nil {
			return false, err
		}
	}
	if r.people != nil {
		e.people = r.people
	}
	for c, choice := range r.got {
		c.base, c.known = choice, true
		e.mend(c)
	}
	for c, fault := range r.faults {
		e.fail(c, fault)
	}
	e.byName = map[string][]*cond{}
	e.renewal = nil
	return true, then(ctx)
}

// again asks some contacts anew.
func (r *renewal) again(ctx context.Context, some *numset.Set) error {
	nums := some.List()
	r.now = r.e.d.Clock.Now()
	for part := range slices.Chunk(nums, 20_000) {
		if r.people != nil {
			people, err := r.e.d.Contacts.Matching(ctx, everybody, "rule", part)
			if err != nil {
				return fmt.Errorf("ask who is a person: %w", err)
			}
			for _, n := range part {
				put(numset.Choice{Set: r.people}, n, people.Has(n))
			}
		}
		var fields, deeds []*cond
		for _, c := range r.conds {
			switch {
			case r.faults[c] != nil:
			case c.behaviour():
				deeds = append(deeds, c)
			default:
				fields = append(fields, c)
			}
		}
		are, err := r.fields(ctx, fields, func(*cond) []int64 { return part })
		if err != nil {
			return err
		}
		did, err := r.deedsIf(ctx, deeds, part)
		if err != nil {
			return err
		}
		replies := append(are, did...)
		for i, c := range append(fields, deeds...) {
			reply := replies[i]
			if reply.fault != nil {
				r.faults[c] = reply.fault
				delete(r.got, c)
				continue
			}
			for _, n := range part {
				put(r.got[c], n, reply.Has(n))
			}
		}
	}
	return nil
}

func (q inquiry) deedsIf(ctx context.Context, conds []*cond, among []int64) ([]reply, error) {
	if len(conds) == 0 {
		return nil, nil
	}
	return q.deeds(ctx, conds, among)
}

// readChanged reads the rules of owners anew that said so. What is new in them
// is worked out afterwards.
func (e *Engine) readChanged(ctx context.Context) error {
	var faults []error
	for _, o := range e.owners {
		e.mu.Lock()
		due := o.changed && !e.d.Clock.Now().Before(o.reread)
		if due {
			o.changed = false
		}
		e.mu.Unlock()
		if !due {
			continue
		}
		if err := e.readRules(ctx, o); err != nil {
			e.mu.Lock()
			o.changed, o.reread = true, e.d.Clock.Now().Add(firstRetry)
			e.mu.Unlock()
			faults = append(faults, fmt.Errorf("read the rules of %s: %w", o.Name(), err))
		}
	}
	return errors.Join(faults...)
}

func (e *Engine) readRules(ctx context.Context, o *owned) error {
	var rules []Rule
	err := guarded(func() (err error) {
		rules, err = o.Rules(ctx)
		return err
	})
	if err != nil {
		return err
	}
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	wanted := make(map[string]*plan, len(rules))
	for _, r := range rules {
		wanted[r.Key] = e.planOf(o.Name(), r)
	}
	for key := range o.serving {
		if wanted[key] == nil {
			delete(o.serving, key) // nobody asks for it any more
		}
	}
	o.wanted = wanted
	e.gather()
	e.publish()
	return nil
}

// adopt lets wanted definitions serve whose conditions are known, and gives those
// that are new. The owner is to be told of them: see settle. Under the lock.
func (e *Engine) adopt(o *owned) (fresh []*plan) {
	if o.serving == nil {
		o.serving = map[string]*plan{}
	}
	left := 0
	for key, p := range o.wanted {
		if !p.known() {
			left++
			continue
		}
		if was := o.serving[key]; was == nil || was.print != p.print {
			fresh = append(fresh, p)
		}
		o.serving[key] = p
	}
	if left == 0 {
		o.wanted = nil
	}
	e.gather()
	e.publish()
	return fresh
}

// define works out what is new in the rules of owners.
func (e *Engine) define(ctx context.Context) error {
	if err := e.readChanged(ctx); err != nil {
		e.d.Log.Error("rules cannot be read and are read again", "error", err)
	}
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	now := e.d.Clock.Now()
	var whose []*owned
	fresh := map[*cond]bool{}
	for _, o := range e.owners {
		ready := o.wanted != nil && o.offered()
		for _, p := range o.wanted {
			for _, c := range p.conds {
				if !c.known && (!c.failing() || !now.Before(c.retry)) {
					fresh[c] = true
					ready = true
				}
			}
		}
		if ready {
			whose = append(whose, o)
		}
	}
	release()
	if len(whose) == 0 {
		return nil
	}
	then := func(ctx context.Context) error {
		due := map[owning]Cause{}
		for _, o := range whose {
			if o.missed != nil { // what it could not keep comes first
				if err := e.tellAll(ctx, o, *o.missed); err != nil {
					return err
				}
			}
			for _, p := range e.adopt(o) {
				due[owning{o, p}] = Cause{Reason: ReasonDefinition}
			}
		}
		return e.settle(ctx, due)
	}
	if len(fresh) == 0 {
		release, err := e.hold(ctx)
		if err != nil {
			return err
		}
		defer release()
		return then(ctx)
	}
	return e.renew(ctx, slices.Collect(maps.Keys(fresh)), false, nil, then)
}

// offered tells whether definitions are there that could serve and do not yet.
func (o *owned) offered() bool {
	for key, p := range o.wanted {
		if was := o.serving[key]; p.known() && (was == nil || was != p) {
			return true
		}
	}
	return len(o.wanted) == 0 // the last rule is gone
}
