package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

// workload is a batch without its duplicates on the way through the stages.
type workload struct {
	last     event.Position // of the batch
	since    time.Time      // when its oldest message came
	facts    []event.Fact
	at       []event.Position
	repeats  int
	left     []int          // which facts of the batch were repeats
	out      []event.Stored // resolved, in order
	rekeys   []event.Rekey
	profiles []event.Profile
	aside    []asideFact // set aside so far
	run      int         // set aside one after the other without a success between
}

// resolveBatch says whose facts a batch has; it gives up only when ctx ends,
// with nil. from is where the store stood at the start.
func (p *Pipeline) resolveBatch(ctx context.Context, b *batch, from event.Position) *workload {
	for n := 0; ; n++ {
		p.gate.RLock()
		w, err := p.resolveTry(ctx, b, from)
		p.gate.RUnlock()
		if err == nil {
			p.showRepeats(b, w)
			w.facts, w.at = nil, nil // what goes on is in out
			return w
		}
		if !p.again(ctx, b.last, err, n) {
			return nil
		}
	}
}

// again tells of a failed attempt and waits before the next.
func (p *Pipeline) again(ctx context.Context, last event.Position, err error, n int) bool {
	if ctx.Err() != nil {
		return false
	}
	p.metrics.failures.Inc()
	p.deps.Log.Error("facts wait: a stage failed and is tried again", "upTo", last.Seq, "error", err)
	return p.backoff(ctx, n)
}

func (p *Pipeline) resolveTry(ctx context.Context, b *batch, from event.Position) (*workload, error) {
	w, err := p.leaveOutRepeats(ctx, b, from)
	if err != nil {
		return nil, err
	}
	if err := p.resolve(ctx, w, b); err != nil {
		// The next attempt decides anew what is to be set aside.
		return nil, errors.Join(err, p.aside.remove(ctx, w.aside))
	}
	return w, nil
}

func (p *Pipeline) showRepeats(b *batch, w *workload) {
	if p.deps.Watcher == nil {
		return
	}
	for _, i := range w.left {
		p.deps.Watcher.Left(b.facts[i], b.at[i], Duplicate, nil)
	}
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

// reason is what a person reads on the list of set-aside facts. A coded error
// keeps its words; anything else is ours: its cause stays in the log.
func reason(err error, code string, params ...any) *errs.Error {
	if e := errs.As(err); e.Kind != errs.Internal {
		return e
	}
	return errs.New(errs.Internal, code, params...).Wrap(err)
}
