package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/event"
)

// subscription is one subscriber and how far it is.
type subscription struct {
	p      *Pipeline
	name   string
	to     event.Subscriber
	after  []*subscription // it never goes beyond these
	cursor event.Position  // guarded by p.mu
	failed error           // why it stands still, nil when it does not; guarded by p.mu
	oldest int64           // when the first fact of the batch at hand was received, ms; guarded by p.mu
	inRow  int             // facts set aside one after the other
	passed time.Time       // when it was last written down how far it is while it writes nothing; its own goroutine's
}

const (
	handleFacts = 2000 // facts in one call of Handle
	handleTries = 5
)

func (s *subscription) cursorName() string { return "sub:" + s.name }

// run hands facts over until ctx ends.
func (s *subscription) run(ctx context.Context) {
	for n := 0; ; {
		facts, to, err := s.next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = s.handle(ctx, facts, to, handleTries)
		}
		if ctx.Err() != nil {
			return
		}
		s.note(err)
		if err == nil {
			n = 0
			continue
		}
		s.inRow = 0
		s.p.metrics.failures.Inc()
		s.p.deps.Log.Error("a subscriber stands still and is tried again", "subscriber", s.name, "error", err)
		if !s.p.backoff(ctx, n) {
			return
		}
		n++
	}
}

func (s *subscription) note(err error) {
	s.p.mu.Lock()
	s.failed = err
	s.p.mu.Unlock()
}

// next waits for facts beyond the cursor: from memory, or from the store when
// the subscriber lags. to is how far it has come once they are handled.
func (s *subscription) next(ctx context.Context) (facts []event.Stored, to event.Position, err error) {
	p := s.p
	for {
		p.mu.Lock()
		change, limit, cursor := p.change, p.stored, s.cursor
		for _, before := range s.after {
			if before.cursor.Less(limit) {
				limit = before.cursor
			}
		}
		ok := false
		if cursor.Less(limit) {
			facts, to, ok = p.tail.after(cursor, limit, handleFacts)
		}
		p.mu.Unlock()
		if cursor.Less(limit) && s.idle(ctx) {
			return nil, limit, s.pass(ctx, limit)
		}
		if !ok && cursor.Less(limit) {
			facts, to, err = p.behind(ctx, cursor, limit)
			ok = err == nil
		}
		if ok || err != nil {
			s.hold(facts)
			return facts, to, err
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, cursor, ctx.Err()
		}
	}
}

// idle tells whether the subscriber has no use for facts just now.
func (s *subscription) idle(ctx context.Context) bool {
	i, ok := s.to.(event.Idler)
	return ok && i.Idle(ctx)
}

// passEvery is how often it is written down how far a subscriber has come that
// writes nothing: after a crash it sees no more than the facts of so long a time
// once more, and again has nothing to write. In a flood a transaction for each
// batch would keep others from the one writer of SQLite for nothing.
const passEvery = time.Second

// pass moves a subscriber on that is idle or had nothing to write.
func (s *subscription) pass(ctx context.Context, to event.Position) error {
	now := s.p.deps.Clock.Now()
	if d := now.Sub(s.passed); d >= 0 && d < passEvery {
		return nil
	}
	s.p.gate.RLock()
	defer s.p.gate.RUnlock()
	if err := s.p.deps.DB.Tx(ctx, func(ctx context.Context) error { return s.p.moveCursor(ctx, s.cursorName(), to) }); err != nil {
		return fmt.Errorf("subscriber %s: %w", s.name, err)
	}
	s.passed = now
	return nil
}

// hold notes what is at hand, for lag.
func (s *subscription) hold(facts []event.Stored) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.oldest = 0; len(facts) > 0 {
		s.oldest = facts[0].ReceivedAt
	}
}

// lag is how long ago the oldest fact was received that the subscriber has not
// handled; of facts that it has not even read only those in memory are known.
// Call it with the pipeline's mu held.
func (s *subscription) lag() time.Duration {
	if !s.cursor.Less(s.p.stored) {
		return 0
	}
	at := s.oldest
	if next, _, ok := s.p.tail.after(s.cursor, s.p.stored, 1); ok && len(next) > 0 {
		at = next[0].ReceivedAt
	}
	if at == 0 {
		return 0
	}
	return max(0, s.p.deps.Clock.Now().Sub(time.UnixMilli(at)))
}

// behind reads from the store, up to limit, and asks anew who the contacts are:
// they may have been merged or named since.
func (p *Pipeline) behind(ctx context.Context, cursor, limit event.Position) ([]event.Stored, event.Position, error) {
	p.gate.RLock()
	defer p.gate.RUnlock()
	rows, err := p.deps.Store.After(ctx, cursor, handleFacts)
	if err != nil {
		return nil, cursor, fmt.Errorf("read stored facts: %w", err)
	}
	to := limit
	if n := len(rows); n > 0 && rows[n-1].Position.Less(limit) && n >= handleFacts {
		to = rows[n-1].Position
	}
	for n := len(rows); n > 0 && limit.Less(rows[n-1].Position); n-- {
		rows = rows[:n-1]
	}
	numbers := make([]int64, 0, len(rows))
	asked := map[int64]bool{}
	for i := range rows {
		if n := rows[i].Contact; !asked[n] {
			asked[n] = true
			numbers = append(numbers, n)
		}
	}
	who := map[int64]Contact{}
	if p.deps.Contacts != nil && len(numbers) > 0 {
		if who, err = p.deps.Contacts.Describe(ctx, numbers); err != nil {
			return nil, cursor, fmt.Errorf("describe contacts: %w", err)
		}
	}
	facts := make([]event.Stored, len(rows))
	for i := range rows {
		r := &rows[i]
		c := who[r.Contact]
		facts[i] = event.Stored{Fact: r.Fact, Position: r.Position, ContactID: c.ID, ContactKind: c.Kind, Channel: r.Channel}
		facts[i].Contact = r.Contact
	}
	return facts, to, nil
}

// handle gives facts to the subscriber, moving its cursor in the same
// transaction; what fails again and again is split until the fact at fault
// stands alone, and that one is set aside.
func (s *subscription) handle(ctx context.Context, facts []event.Stored, to event.Position, tries int) error {
	if len(facts) == 0 { // nothing but duplicates: reading over them once more after a restart costs nothing
		s.advance(to)
		return nil
	}
	var err error
	for n := range tries {
		if err = s.handleOnce(ctx, facts, to); err == nil {
			s.inRow = 0
			s.advance(to)
			return nil
		}
		if !s.p.blame(ctx, err) {
			return err
		}
		if n < tries-1 && !s.p.backoff(ctx, n) {
			return ctx.Err()
		}
	}
	if len(facts) == 1 {
		return s.setAside(ctx, facts[0], to, err)
	}
	mid := len(facts) / 2
	if err := s.handle(ctx, facts[:mid], facts[mid-1].Position, 1); err != nil {
		return err
	}
	return s.handle(ctx, facts[mid:], to, 1)
}

func (s *subscription) handleOnce(ctx context.Context, facts []event.Stored, to event.Position) error {
	wrote, err := s.give(ctx, facts, func(ctx context.Context) error { return s.p.moveCursor(ctx, s.cursorName(), to) })
	if err != nil || wrote {
		return err
	}
	return s.pass(ctx, to)
}

// give hands facts over once; settle belongs to the transaction of what the
// subscriber writes, and is not called when it writes nothing (wrote is false).
// Only that transaction holds up a backup, reading does not.
func (s *subscription) give(ctx context.Context, facts []event.Stored, settle func(ctx context.Context) error) (wrote bool, err error) {
	what := "subscriber " + s.name
	committed := false
	commit := func(write func(ctx context.Context) error) error {
		if committed {
			return fmt.Errorf("%s commits one batch twice", what)
		}
		s.p.gate.RLock()
		defer s.p.gate.RUnlock()
		err := s.p.deps.DB.Tx(ctx, func(ctx context.Context) error {
			if err := guarded(s.p.deps.Log, what, func() error { return write(ctx) }); err != nil {
				return err
			}
			return settle(ctx)
		})
		committed = err == nil
		return err
	}
	prepare := func() error { return commit(func(ctx context.Context) error { return s.to.Handle(ctx, facts) }) }
	if to, ok := s.to.(event.Preparer); ok {
		prepare = func() error { return to.Prepare(ctx, facts, commit) }
	}
	if err = guarded(s.p.deps.Log, what, prepare); err != nil && !committed { // once committed, what it says changes nothing
		return false, fmt.Errorf("%s: %w", what, err)
	}
	return committed, nil
}

// setAside puts one fact away for this subscriber alone: others have seen it,
// and it stays in the store.
func (s *subscription) setAside(ctx context.Context, f event.Stored, to event.Position, why error) error {
	if s.inRow++; s.inRow > maxRun {
		return fmt.Errorf("%w (last: %w)", errBroken, why)
	}
	s.p.deps.Log.Error("a fact is set aside for a subscriber", "subscriber", s.name, "messageId", f.MessageID, "error", why)
	s.p.gate.RLock()
	defer s.p.gate.RUnlock()
	err := s.p.deps.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.p.aside.put(ctx, asideFact{stage: stageReact, subscriber: s.name, fact: f.Fact, at: f.Position, err: reason(why, "facts.cannot_react", "subscriber", s.name)}); err != nil {
			return err
		}
		return s.p.moveCursor(ctx, s.cursorName(), to)
	})
	if err != nil {
		return err
	}
	s.p.metrics.asideCount.Add(1)
	s.advance(to)
	return nil
}

func (s *subscription) advance(to event.Position) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.cursor.Less(to) {
		s.cursor = to
	}
	s.p.moved()
}
