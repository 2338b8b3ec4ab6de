package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/errs"
)

func stack() string { return string(debug.Stack()) }

// batch is a stretch of the stream at work. Its slices are reused.
type batch struct {
	facts []event.Fact
	at    []event.Position
	bad   []asideFact // messages that could not be read
	last  event.Position
	since time.Time // when its oldest message came
	bytes int
	// doubted: several facts in a row could not be resolved and then one could.
	// That is what the end of an outage looks like, so the batch was begun anew once.
	doubted bool
}

const (
	// batchBytes ends a batch of large facts early.
	batchBytes = 4 << 20
	// After a batch that came up short the next one waits for company, twice as
	// long as the work took but no longer than maxPace: most of a batch's cost is
	// the same for one fact as for a thousand. The first fact after a pause never waits.
	maxPace = 60 * time.Millisecond
	// While senders crowd the door the pipeline works a quarter of the time, in
	// breaks of at most maxBreak, until facts are maxYield old.
	maxBreak = 500 * time.Millisecond
	maxYield = 10 * time.Second
	// Messages that wait in memory, beside those of the bus.
	queueMessages = 256
	queueBytes    = 1 << 20
)

// work is the one ordered consumer.
func (p *Pipeline) work(ctx context.Context) {
	for n := 0; ; n++ {
		err := p.buildFilter(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
		p.deps.Log.Error("the duplicate filter cannot be built yet", "error", err)
		if !p.backoff(ctx, n) {
			return
		}
	}
	p.ready.Store(true)
	in := &queue{messages: make(chan bus.Message, queueMessages), room: semaphore.NewWeighted(queueBytes)}
	p.mu.Lock()
	from := p.stored.Seq // again from its first fact: it may be stored in part
	p.mu.Unlock()
	p.wg.Go(func() { p.read(ctx, from, in) })
	var b batch
	dec := p.decoder()
	for {
		if !p.gather(ctx, in, &b, dec) {
			return
		}
		if !p.await(ctx, b.facts) {
			return
		}
		start := time.Now()
		if !p.digest(ctx, &b) {
			return
		}
		p.oldest.Store(0)
		if !p.pace(ctx, &b, time.Since(start)) {
			return
		}
	}
}

// pace waits between two batches: for company after a small one, and in favour
// of the senders when they are many. A fact refused or late at the door is lost
// to its sender, one that waits in the stream is not; but not for longer than
// maxYield. It returns false when ctx ended.
func (p *Pipeline) pace(ctx context.Context, b *batch, took time.Duration) bool {
	wait := time.Duration(0)
	if len(b.facts) < p.deps.BatchFacts/2 {
		wait = min(2*took, maxPace)
	}
	if p.deps.Busy != nil && p.deps.Busy() && p.deps.Clock.Now().Sub(b.since) < maxYield {
		wait = max(wait, min(3*took, maxBreak))
	}
	if wait == 0 {
		return true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// maxAwait is how long a batch waits for subscribers before it goes on without them.
const maxAwait = 250 * time.Millisecond

// await holds a batch back while it would push facts out of memory that a
// subscriber is about to ask for: in a flood the stages are ahead of their slowest
// subscriber, and reading everything back from the store for it costs more than
// storing it did. One that does not move in time, or reads from the store already,
// is not waited for. It returns false when ctx ended.
func (p *Pipeline) await(ctx context.Context, facts []event.Fact) bool {
	var t *time.Timer
	for {
		p.mu.Lock()
		change, wait := p.change, false
		if gone, ok := p.tail.pushedOut(facts); ok {
			for _, s := range p.subs {
				wait = wait || s.failed == nil && s.cursor.Less(gone) && !s.cursor.Less(p.tail.from)
			}
		}
		p.mu.Unlock()
		if !wait {
			return true
		}
		if t == nil {
			t = time.NewTimer(maxAwait)
			defer t.Stop()
		}
		select {
		case <-change:
		case <-t.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// digest takes a batch through the stages until it is stored; it gives up only
// when ctx ends.
func (p *Pipeline) digest(ctx context.Context, b *batch) bool {
	for n := 0; ; n++ {
		p.gate.RLock()
		err := p.digestOnce(ctx, b)
		p.gate.RUnlock()
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		p.metrics.failures.Inc()
		p.deps.Log.Error("facts wait: a stage failed and is tried again", "from", b.last.Seq, "error", err)
		if !p.backoff(ctx, n) {
			return false
		}
	}
}

func (p *Pipeline) digestOnce(ctx context.Context, b *batch) error {
	// What is stored already must not be stored again: after a start in the
	// middle of a message, and after a failure that was none.
	stored, err := p.deps.Store.Position(ctx)
	if err != nil {
		return fmt.Errorf("read the store's position: %w", err)
	}
	p.catchUp(stored)
	if !stored.Less(b.last) {
		p.advance(stored, b.last, nil)
		return nil
	}
	w := &workload{}
	if err := p.leaveOutRepeats(ctx, b, stored, w); err != nil {
		return err
	}
	if err := p.resolve(ctx, w, b); err != nil {
		return errors.Join(err, p.takeBack(ctx, w))
	}
	if err := p.store(ctx, w, b.last); err != nil {
		return errors.Join(err, p.takeBack(ctx, w))
	}
	p.finish(b, w)
	return nil
}

// catchUp accepts that the store has more than was thought, after a failure in
// the middle: subscribers read that part from the store.
func (p *Pipeline) catchUp(stored event.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stored.Less(stored) {
		p.stored = stored
		p.tail.reset(stored)
		p.moved()
	}
}

// workload is what is left of a batch after the duplicates.
type workload struct {
	facts    []event.Fact
	at       []event.Position
	repeats  int
	out      []event.Stored // resolved, in order
	rekeys   []event.Rekey
	profiles []event.Profile
	aside    []asideFact // set aside in this attempt
	run      int         // set aside one after the other without a success between
}

// finish makes the stored batch known.
func (p *Pipeline) finish(b *batch, w *workload) {
	p.advance(b.last, b.last, w.out)
	p.metrics.batch(len(w.out), w.repeats, len(w.aside), p.deps.Clock.Now().Sub(b.since))
	if p.deps.Watcher == nil {
		return
	}
	p.deps.Watcher.Stored(w.out)
	for i := range w.aside {
		a := &w.aside[i]
		p.deps.Watcher.Left(a.fact, a.at, SetAside, a.err)
	}
}

// advance moves the stored position and hands the facts to the subscribers.
func (p *Pipeline) advance(stored, whole event.Position, facts []event.Stored) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tail.add(facts, stored)
	p.stored = stored
	p.done = max(p.done, whole.Seq)
	p.moved()
}

// buildFilter learns the message ids of the window from the store.
func (p *Pipeline) buildFilter(ctx context.Context) error {
	p.filter.clear()
	since := p.deps.Clock.Now().Add(-Window)
	return p.deps.Store.MessageHashes(ctx, since, func(hashes []uint64, newest int64) error {
		for _, h := range hashes {
			p.filter.add(h, newest)
		}
		return ctx.Err()
	})
}

// leaveOutRepeats fills w with the facts that were not seen before. The filter
// only asks the question; the store, and the batch itself, answer it exactly.
func (p *Pipeline) leaveOutRepeats(ctx context.Context, b *batch, stored event.Position, w *workload) error {
	w.facts = make([]event.Fact, 0, len(b.facts))
	w.at = make([]event.Position, 0, len(b.facts))
	var ask []string
	suspects := map[int]bool{}
	oldest := int64(math.MaxInt64)
	for i := range b.facts {
		if !stored.Less(b.at[i]) {
			continue
		}
		f := &b.facts[i]
		oldest = min(oldest, f.ReceivedAt)
		h := analytics.HashMessageID(f.MessageID)
		if p.filter.maybe(h) {
			suspects[i] = true
			ask = append(ask, f.MessageID)
		} else {
			p.filter.add(h, f.ReceivedAt)
		}
	}
	seen, err := p.seen(ctx, oldest, ask)
	if err != nil {
		return err
	}
	var here map[string]bool // ids of this batch, needed only when something repeats
	if len(ask) > 0 {
		here = make(map[string]bool, len(b.facts))
	}
	for i := range b.facts {
		if !stored.Less(b.at[i]) {
			continue
		}
		f := &b.facts[i]
		if suspects[i] && (seen[f.MessageID] || here[f.MessageID]) {
			w.repeats++
			if p.deps.Watcher != nil {
				p.deps.Watcher.Left(*f, b.at[i], Duplicate, nil)
			}
			continue
		}
		if here != nil {
			here[f.MessageID] = true
		}
		w.facts = append(w.facts, *f)
		w.at = append(w.at, b.at[i])
	}
	if oldest != math.MaxInt64 {
		p.filter.forget(oldest - Window.Milliseconds())
	}
	return nil
}

// seen asks the store in portions.
func (p *Pipeline) seen(ctx context.Context, oldest int64, ids []string) (map[string]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	since := time.UnixMilli(oldest).Add(-Window)
	seen := make(map[string]bool, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), 2000)
		some, err := p.deps.Store.Seen(ctx, since, ids[:n])
		if err != nil {
			return nil, fmt.Errorf("look for repeats: %w", err)
		}
		for id, yes := range some {
			seen[id] = seen[id] || yes
		}
		ids = ids[n:]
	}
	return seen, nil
}

const (
	// tries is how often a stage is tried with a stretch before it is split to
	// find the fact that it cannot digest.
	tries = 3
	// maxRun is how many facts in a row may be set aside: beyond it the stage
	// is broken and not the facts, and everything waits instead.
	maxRun = 20
)

var errBroken = errors.New("a stage refuses fact after fact: it is broken, the facts are not")

// resolve says whose the facts are, splitting the stretch when that fails.
func (p *Pipeline) resolve(ctx context.Context, w *workload, b *batch) error {
	for _, a := range b.bad {
		if err := p.setAside(ctx, w, a); err != nil {
			return err
		}
		w.run = 0 // whatever made these unreadable, waiting does not mend it
	}
	if len(w.facts) == 0 {
		return nil
	}
	return p.resolvePart(ctx, b, w, w.facts, w.at, b.last, tries)
}

// doubtful is how many facts in a row make one wonder whose fault it is.
const doubtful = 3

var errDoubt = errors.New("facts failed one after the other until a moment ago: once more from the beginning")

func (p *Pipeline) resolvePart(ctx context.Context, b *batch, w *workload, facts []event.Fact, at []event.Position, last event.Position, tries int) error {
	var err error
	for n := range tries {
		if err = p.resolveOnce(ctx, w, facts, at, last); err == nil {
			if w.run >= doubtful && !b.doubted {
				b.doubted = true
				return errDoubt
			}
			w.run = 0
			return nil
		}
		if !p.blame(ctx, err) {
			return err
		}
		if n < tries-1 && !p.backoff(ctx, n) {
			return ctx.Err()
		}
	}
	if len(facts) == 1 {
		p.deps.Log.Error("a fact cannot be resolved and is set aside", "messageId", facts[0].MessageID, "error", err)
		return p.setAside(ctx, w, asideFact{stage: stageResolve, fact: facts[0], at: at[0], err: reason(err, "facts.cannot_resolve")})
	}
	mid := len(facts) / 2
	if err := p.resolvePart(ctx, b, w, facts[:mid], at[:mid], at[mid-1], 1); err != nil {
		return err
	}
	return p.resolvePart(ctx, b, w, facts[mid:], at[mid:], last, 1)
}

func (p *Pipeline) setAside(ctx context.Context, w *workload, a asideFact) error {
	if w.run++; w.run > maxRun {
		return errBroken
	}
	if err := p.deps.DB.Tx(ctx, func(ctx context.Context) error { return p.aside.put(ctx, a) }); err != nil {
		return err
	}
	w.aside = append(w.aside, a)
	return nil
}

// takeBack removes what an attempt that failed after all had set aside: the
// next one decides anew. What the store's position has passed stays.
func (p *Pipeline) takeBack(ctx context.Context, w *workload) error {
	if len(w.aside) == 0 {
		return nil
	}
	stored, err := p.deps.Store.Position(ctx)
	if err != nil {
		return err
	}
	again := w.aside[:0]
	for _, a := range w.aside {
		if stored.Less(a.at) {
			again = append(again, a)
		}
	}
	return p.aside.remove(ctx, again)
}

// resolveCursor names the resolve stage's place; the store's own is in the store.
const resolveCursor = "stage:resolve"

// resolveOnce is one transaction: contacts, set-aside rows and the cursor move together.
func (p *Pipeline) resolveOnce(ctx context.Context, w *workload, facts []event.Fact, at []event.Position, last event.Position) error {
	var res event.Resolved
	var aside []asideFact
	err := p.deps.DB.Tx(ctx, func(ctx context.Context) error {
		err := guarded(p.deps.Log, "resolver", func() (err error) {
			res, err = p.deps.Resolver.Resolve(ctx, facts, at)
			return err
		})
		if err != nil {
			return fmt.Errorf("resolve: %w", err)
		}
		if len(res.Facts) != len(facts) {
			return fmt.Errorf("resolve: %d answers for %d facts", len(res.Facts), len(facts))
		}
		for i := range res.Facts {
			if e := res.Facts[i].Err; e != nil {
				a := asideFact{stage: stageResolve, fact: facts[i], at: at[i], err: e}
				if err := p.aside.put(ctx, a); err != nil {
					return err
				}
				aside = append(aside, a)
			}
		}
		return p.moveCursor(ctx, resolveCursor, last)
	})
	if err != nil {
		return err
	}
	w.aside = append(w.aside, aside...)
	w.rekeys = append(w.rekeys, res.Rekeys...)
	w.profiles = append(w.profiles, res.Profiles...)
	for i, r := range res.Facts {
		if r.Err != nil {
			continue
		}
		f := facts[i]
		f.Contact = r.Contact
		w.out = append(w.out, event.Stored{Fact: f, Position: at[i], ContactID: r.ID, ContactKind: r.Kind, Channel: r.Channel})
	}
	return nil
}

// store appends the resolved facts, splitting the stretch when that fails.
func (p *Pipeline) store(ctx context.Context, w *workload, last event.Position) error {
	w.run = 0
	rows := make([]analytics.Row, len(w.out))
	for i := range w.out {
		s := &w.out[i]
		rows[i] = analytics.Row{Fact: s.Fact, Position: s.Position, Contact: s.Contact, Channel: s.Channel}
	}
	before := len(w.aside)
	if err := p.storePart(ctx, w, rows, last, tries); err != nil {
		return err
	}
	if len(w.aside) > before { // subscribers must not see what is not stored
		gone := map[event.Position]bool{}
		for _, a := range w.aside[before:] {
			gone[a.at] = true
		}
		kept := w.out[:0]
		for _, s := range w.out {
			if !gone[s.Position] {
				kept = append(kept, s)
			}
		}
		w.out = kept
	}
	return nil
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

// reason is what a person reads on the list of set-aside facts. A coded error
// keeps its words; anything else is ours: its cause stays in the log.
func reason(err error, code string, params ...any) *errs.Error {
	if e := errs.As(err); e.Kind != errs.Internal {
		return e
	}
	return errs.New(errs.Internal, code, params...).Wrap(err)
}
