package live

import (
	"context"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/event"
)

// A flood of old facts, as an import sends it, is not followed fact by fact: what
// it changes is worked out once, when it has passed. Nothing of it is news.
const (
	// floodFacts is how many old facts in one batch are a flood.
	floodFacts = 1_000
	// floodOver is how long none may have come for it to have passed.
	floodOver = 2 * time.Second
	// floodMost is how long it is waited for at most.
	floodMost = 5 * time.Minute
)

// flood is what the engine owes for facts that it let pass. Under the lock.
type flood struct {
	first, last time.Time // when the first and the last batch passed; zero: nothing is owed
	over        bool      // somebody knows that no more will come
}

// floods tells whether a batch is part of a flood of old facts.
func (e *Engine) floods(facts []event.Stored) bool {
	if e.pending.Words() > 0 { // contacts of facts that waited at the start are told with these facts
		return false
	}
	if len(facts) < floodFacts {
		return false
	}
	for i := range facts {
		if f := &facts[i]; !old(f) && f.Name != event.NameContactMerged {
			return false
		}
	}
	return true
}

// owe lets a batch pass and notes, with the place in the stream, that everything
// is to be worked out after it.
func (e *Engine) owe(ctx context.Context, commit func(write func(ctx context.Context) error) error) error {
	now := e.d.Clock.Now()
	err := commit(func(ctx context.Context) error {
		if !e.flood.first.IsZero() {
			return nil
		}
		_, err := e.d.DB.Exec(ctx, "insert into audience_live (name, at) values ('flood', $1) on conflict (name) do update set at = excluded.at", now.UnixMilli())
		if err != nil {
			return fmt.Errorf("note a flood of old facts: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if e.flood.first.IsZero() {
		e.flood.first = now
	}
	e.flood.last = now
	return nil
}

// Idle implements event.Idler: while made-up history is filled in, nothing is
// followed; CatchUp works it out.
func (e *Engine) Idle(context.Context) bool { return e.d.Filling != nil && e.d.Filling() }

// owed tells whether facts of a flood were let pass before the program stood still.
func (e *Engine) owed(ctx context.Context) (bool, error) {
	var n int
	if err := e.d.DB.QueryRow(ctx, "select count(*) from audience_live where name = 'flood'").Scan(&n); err != nil {
		return false, fmt.Errorf("read whether old facts were let pass: %w", err)
	}
	return n > 0, nil
}

// paid notes that nothing is owed. Under the lock.
func (e *Engine) paid(ctx context.Context) error {
	if _, err := e.d.DB.Exec(ctx, "delete from audience_live where name = 'flood'"); err != nil {
		return fmt.Errorf("note that old facts are worked out: %w", err)
	}
	e.flood = flood{}
	return nil
}

// settleFlood works out what a flood changed, once it has passed.
func (e *Engine) settleFlood(ctx context.Context) error {
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	was, now := e.flood, e.d.Clock.Now()
	due := !was.first.IsZero() && (was.over || now.Sub(was.last) >= floodOver || now.Sub(was.first) >= floodMost || now.Before(was.last))
	if !due {
		release()
		return nil
	}
	var conds []*cond
	for _, c := range e.conds {
		if c.known && !c.failing() {
			conds = append(conds, c)
		}
	}
	release()
	if err := e.refresh(ctx, conds, true, Cause{Reason: ReasonFact}); err != nil {
		return err
	}
	if release, err = e.hold(ctx); err != nil {
		return err
	}
	defer release()
	if e.flood != was { // more came meanwhile
		return nil
	}
	return e.paid(ctx)
}

// CatchUp works everything out anew, with whatever facts were let pass, without
// waiting for more of them.
func (e *Engine) CatchUp(ctx context.Context) error {
	select {
	case <-e.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	now := e.d.Clock.Now()
	e.flood = flood{first: now, last: now, over: true}
	release()
	e.nudge()
	for {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if release, err = e.hold(ctx); err != nil {
			return err
		}
		over := e.flood.first.IsZero()
		release()
		if over {
			return nil
		}
	}
}
