package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// reply is what one condition says, or why it could not be asked.
type reply struct {
	numset.Choice
	fault error
}

// inquiry asks conditions, all of the same moment.
type inquiry struct {
	e    *Engine
	now  time.Time
	zone *time.Location
	// matters tells whether it is asked for a contact whether a condition on
	// behaviour holds; nil: always.
	matters func(c *cond, num int64) bool
}

// readersAtOnce is how many conditions on fields are read at the same time.
const readersAtOnce = 3

// fields asks conditions on fields, each of its own contacts (nil: everybody). A
// condition that cannot be answered has a fault; an error is nobody's fault.
func (q inquiry) fields(ctx context.Context, conds []*cond, within func(c *cond) []int64) ([]reply, error) {
	out := make([]reply, len(conds))
	var wait sync.WaitGroup
	var mu sync.Mutex
	var passing error
	next := 0
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= len(conds) && passing == nil
	}
	for range min(len(conds), readersAtOnce) {
		wait.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				q.e.metrics.asked.Inc()
				err := guarded(func() (err error) {
					out[i].Choice, err = q.e.d.Contacts.Condition(ctx, &conds[i].node, within(conds[i]))
					return err
				})
				if err == nil {
					continue
				}
				if q.e.passing(ctx, err) {
					mu.Lock()
					passing = err
					mu.Unlock()
					return
				}
				out[i].fault = err
			}
		})
	}
	wait.Wait()
	if passing != nil {
		return nil, fmt.Errorf("ask contacts: %w", passing)
	}
	return out, nil
}

// deeds asks conditions on behaviour, all in one question. When that fails the
// one at fault is searched, unless nothing can be asked at all.
func (q inquiry) deeds(ctx context.Context, conds []*cond, among []int64) ([]reply, error) {
	got, err := q.behaviour(ctx, conds, among)
	if err == nil {
		return got, nil
	}
	if q.e.passing(ctx, err) {
		return nil, fmt.Errorf("ask for behaviour: %w", err)
	}
	if len(conds) == 1 {
		if _, works := q.behaviour(ctx, []*cond{harmless}, []int64{1}); works != nil {
			return nil, errs.New(errs.Unavailable, "internal").Wrap(fmt.Errorf("ask for behaviour: %w", errors.Join(err, works)))
		}
		return []reply{{fault: err}}, nil
	}
	mid := len(conds) / 2
	left, err := q.deeds(ctx, conds[:mid], among)
	if err != nil {
		return nil, err
	}
	right, err := q.deeds(ctx, conds[mid:], among)
	return append(left, right...), err
}

// harmless is a condition that any store can answer.
var harmless = newCond("", &rule.Node{Behaviour: rule.Behaviour{Event: &rule.Event{Name: "contact.created"}}})

func (q inquiry) behaviour(ctx context.Context, conds []*cond, among []int64) (out []reply, err error) {
	q.e.metrics.asked.Add(float64(len(conds)))
	leaves := make([]rule.Behaviour, len(conds))
	for i, c := range conds {
		leaves[i] = c.node.Behaviour
	}
	var got []numset.Choice
	err = guarded(func() (err error) {
		query := analytics.BehaviourQuery{Leaves: leaves, Among: among, Now: q.now, Zone: q.zone}
		if q.matters != nil {
			query.Matters = func(leaf int, num int64) bool { return q.matters(conds[leaf], num) }
		}
		got, err = q.e.d.Store.Behaviour(ctx, query)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(got) != len(conds) {
		return nil, fmt.Errorf("%d conditions have %d answers", len(conds), len(got))
	}
	out = make([]reply, len(got))
	for i := range got {
		out[i].Choice = got[i]
	}
	return out, nil
}

// answer asks what a step wants to know. A condition that cannot be answered
// keeps what it said and is worked out anew later.
func (s *step) answer(ctx context.Context) error {
	var fields, deeds []*cond
	among := newMarks(len(s.nums))
	for c, b := range s.ask {
		switch {
		case c.failing():
		case c.behaviour():
			deeds = append(deeds, c)
			for i := range b {
				among[i] |= b[i]
			}
		default:
			fields = append(fields, c)
		}
	}
	q := inquiry{s.e, s.now, s.zone, func(c *cond, num int64) bool { b, ok := s.ask[c]; return !ok || b.has(s.at[num]) }}
	var did, are []reply
	var faults [2]error
	var wait sync.WaitGroup
	if len(deeds) > 0 {
		wait.Go(func() { did, faults[0] = q.deeds(ctx, deeds, s.numsOf(among)) })
	}
	are, faults[1] = q.fields(ctx, fields, func(c *cond) []int64 { return s.numsOf(s.ask[c]) })
	wait.Wait()
	if err := errors.Join(faults[:]...); err != nil {
		return err
	}
	take := func(c *cond, r reply) {
		if r.fault != nil {
			s.e.fail(c, r.fault)
			return
		}
		for i, n := range s.nums {
			if s.ask[c].has(i) {
				s.say(c, i, r.Has(n))
			}
		}
	}
	for i, c := range fields {
		take(c, are[i])
	}
	for i, c := range deeds {
		take(c, did[i])
	}
	return nil
}

// numsOf lists the contacts that are marked.
func (s *step) numsOf(b marks) []int64 {
	out := []int64{} // nil would be everybody
	for i, n := range s.nums {
		if b.has(i) {
			out = append(out, n)
		}
	}
	return out
}

// failing tells whether the condition waits to be worked out anew.
func (c *cond) failing() bool { return !c.retry.IsZero() }

// fail notes that a condition cannot be answered. Under the lock.
func (e *Engine) fail(c *cond, err error) {
	c.retry = e.d.Clock.Now().Add(retryAfter(c.failures))
	c.failures++
	e.mu.Lock()
	c.broken = err
	e.mu.Unlock()
	e.d.Log.Error("a condition cannot be worked out; what it said before serves", "condition", c.key, "error", err)
}

// mend notes that a condition was answered. Under the lock.
func (e *Engine) mend(c *cond) {
	c.retry, c.failures = time.Time{}, 0
	e.mu.Lock()
	c.broken, c.share = nil, 1
	e.mu.Unlock()
}
