package pipeline

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

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

// leaveOutRepeats gives the facts beyond from that were not seen before. The
// filter only asks the question; the store, the batches on their way to it, and
// this batch itself answer it exactly.
func (p *Pipeline) leaveOutRepeats(ctx context.Context, b *batch, from event.Position) (*workload, error) {
	w := &workload{last: b.last, since: b.since, facts: make([]event.Fact, 0, len(b.facts)), at: make([]event.Position, 0, len(b.facts))}
	var suspects map[string]bool // ids that may have come before; true: they did
	oldest := int64(math.MaxInt64)
	for i := range b.facts {
		f := &b.facts[i]
		if !from.Less(b.at[i]) {
			continue
		}
		oldest = min(oldest, f.ReceivedAt)
		if h := analytics.HashMessageID(f.MessageID); !p.filter.maybe(h) {
			p.filter.add(h, f.ReceivedAt)
			continue
		}
		if suspects == nil {
			suspects = map[string]bool{}
		}
		suspects[f.MessageID] = false
	}
	if err := p.seen(ctx, oldest, suspects); err != nil {
		return nil, err
	}
	for i := range b.facts {
		f := &b.facts[i]
		if !from.Less(b.at[i]) {
			continue
		}
		if before, suspect := suspects[f.MessageID]; suspect {
			if before {
				w.repeats++
				w.left = append(w.left, i)
				continue
			}
			suspects[f.MessageID] = true // from now on, within this batch
		}
		w.facts = append(w.facts, *f)
		w.at = append(w.at, b.at[i])
	}
	if oldest != math.MaxInt64 {
		p.filter.forget(oldest - Window.Milliseconds())
	}
	return w, nil
}

// seen marks the suspects that came before: first those on their way to the
// store, then those in it, so that none slips through between.
func (p *Pipeline) seen(ctx context.Context, oldest int64, suspects map[string]bool) error {
	if len(suspects) == 0 {
		return nil
	}
	p.mu.Lock()
	for _, w := range p.flying {
		for i := range w.out { // one that was set aside may come again
			if _, suspect := suspects[w.out[i].MessageID]; suspect {
				suspects[w.out[i].MessageID] = true
			}
		}
	}
	p.mu.Unlock()
	var ask []string
	for id, yes := range suspects {
		if !yes {
			ask = append(ask, id)
		}
	}
	since := time.UnixMilli(oldest).Add(-Window)
	for some := range slices.Chunk(ask, 2000) {
		found, err := p.deps.Store.Seen(ctx, since, some)
		if err != nil {
			return fmt.Errorf("look for repeats: %w", err)
		}
		for id, yes := range found {
			if yes {
				suspects[id] = true
			}
		}
	}
	return nil
}

// inFlight remembers a resolved batch until it is stored.
func (p *Pipeline) inFlight(w *workload) {
	p.mu.Lock()
	p.flying = append(p.flying, w)
	p.mu.Unlock()
}

// landed forgets it.
func (p *Pipeline) landed(w *workload) {
	p.mu.Lock()
	p.flying = slices.DeleteFunc(p.flying, func(o *workload) bool { return o == w })
	p.mu.Unlock()
}
