package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// keep stores resolved batches in order and makes them known to subscribers.
func (p *Pipeline) keep(ctx context.Context, next <-chan *workload) {
	for {
		select {
		case w := <-next:
			if !p.keepBatch(ctx, w) {
				return
			}
			p.landed(w)
		case <-ctx.Done():
			return
		}
	}
}

// keepBatch stores one batch; it gives up only when ctx ends.
func (p *Pipeline) keepBatch(ctx context.Context, w *workload) bool {
	resolved := len(w.aside)
	for n := 0; ; n++ {
		p.gate.RLock()
		err := p.keepTry(ctx, w, resolved)
		p.gate.RUnlock()
		if err == nil {
			break
		}
		if !p.again(ctx, w.last, err, n) {
			return false
		}
	}
	p.leaveOutAside(w, resolved)
	p.letSubscribersCome(ctx, len(w.out))
	p.finish(w)
	return true
}

// keepTry appends what the store does not have yet: it may have a part, or all
// of it, after a failure that was none.
func (p *Pipeline) keepTry(ctx context.Context, w *workload, resolved int) error {
	stored, err := p.deps.Store.Position(ctx)
	if err != nil {
		return fmt.Errorf("read the store's position: %w", err)
	}
	if !stored.Less(w.last) {
		return nil
	}
	w.run = 0
	rows := make([]analytics.Row, 0, len(w.out))
	for i := range w.out {
		if s := &w.out[i]; stored.Less(s.Position) {
			rows = append(rows, analytics.Row{Fact: s.Fact, Position: s.Position, Contact: s.Contact, Channel: s.Channel})
		}
	}
	if err := p.storePart(ctx, w, rows, w.last, tries); err != nil {
		return errors.Join(err, p.takeBack(ctx, w, resolved))
	}
	return nil
}

// takeBack undoes what a failed attempt has set aside, for the next one to
// decide anew. What the store's position has passed stays set aside.
func (p *Pipeline) takeBack(ctx context.Context, w *workload, resolved int) error {
	if len(w.aside) == resolved {
		return nil
	}
	stored, err := p.deps.Store.Position(ctx)
	if err != nil {
		return err
	}
	stay, again := w.aside[:resolved:resolved], []asideFact{}
	for _, a := range w.aside[resolved:] {
		if stored.Less(a.at) {
			again = append(again, a)
		} else {
			stay = append(stay, a)
		}
	}
	w.aside = stay
	return p.aside.remove(ctx, again)
}

func (p *Pipeline) storePart(ctx context.Context, w *workload, rows []analytics.Row, last event.Position, tries int) error {
	// Merges and profiles go with every part: both may be given twice, and a
	// crash between two parts must not lose them.
	part := analytics.Batch{Position: last, Rows: rows, Rekeys: w.rekeys, Profiles: w.profiles}
	var err error
	for n := range tries {
		err = guarded(p.deps.Log, "store", func() error { return p.deps.Store.Append(ctx, part) })
		if err == nil {
			w.run = 0
			return nil
		}
		if !p.blame(ctx, err) {
			return fmt.Errorf("store: %w", err)
		}
		if n < tries-1 && !p.backoff(ctx, n) {
			return ctx.Err()
		}
	}
	switch len(rows) {
	case 0:
		return fmt.Errorf("store: %w", err)
	case 1:
		p.deps.Log.Error("a fact cannot be stored and is set aside", "messageId", rows[0].MessageID, "error", err)
		a := asideFact{stage: stageStore, fact: rows[0].Fact, at: rows[0].Position, err: reason(err, "facts.cannot_store")}
		if err := p.setAside(ctx, w, a); err != nil {
			return err
		}
		return p.storePart(ctx, w, nil, last, 1)
	}
	mid := len(rows) / 2
	if err := p.storePart(ctx, w, rows[:mid], rows[mid-1].Position, 1); err != nil {
		return err
	}
	return p.storePart(ctx, w, rows[mid:], last, 1)
}

// leaveOutAside keeps subscribers from seeing what could not be stored.
func (p *Pipeline) leaveOutAside(w *workload, resolved int) {
	if len(w.aside) == resolved {
		return
	}
	gone := map[event.Position]bool{}
	for _, a := range w.aside[resolved:] {
		gone[a.at] = true
	}
	kept := make([]event.Stored, 0, len(w.out))
	for _, s := range w.out {
		if !gone[s.Position] {
			kept = append(kept, s)
		}
	}
	p.mu.Lock() // the resolving side looks at batches on their way
	w.out = kept
	p.mu.Unlock()
}

// patience is how long a batch waits for subscribers before they have to read
// the store instead of the memory.
const patience = 500 * time.Millisecond

// letSubscribersCome waits a moment while one that keeps up otherwise would
// lose its place in memory: reading the store costs everybody more.
func (p *Pipeline) letSubscribersCome(ctx context.Context, facts int) {
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		p.mu.Lock()
		change, wait := p.change, false
		if edge, full := p.tail.edge(facts); full {
			for _, s := range p.subs {
				wait = wait || s.failed == nil && !s.cursor.Less(p.tail.from) && s.cursor.Less(edge)
			}
		}
		p.mu.Unlock()
		if !wait {
			return
		}
		select {
		case <-change:
		case <-t.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// finish makes the stored batch known.
func (p *Pipeline) finish(w *workload) {
	p.mu.Lock()
	p.tail.add(w.out, w.last)
	p.stored, p.done = w.last, max(p.done, w.last.Seq)
	p.moved()
	p.mu.Unlock()
	p.metrics.batch(len(w.out), w.repeats, len(w.aside), p.deps.Clock.Now().Sub(w.since))
	p.oldest.CompareAndSwap(w.since.UnixMilli(), 0)
	if p.deps.Watcher == nil {
		return
	}
	p.deps.Watcher.Stored(w.out)
	for i := range w.aside {
		a := &w.aside[i]
		p.deps.Watcher.Left(a.fact, a.at, SetAside, a.err)
	}
}
