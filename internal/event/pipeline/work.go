package pipeline

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/bus"
)

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

// work is the one ordered consumer: it resolves batch after batch, while keep
// stores the one before.
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
	from := p.stored // again from its message's first fact: it may be stored in part
	p.mu.Unlock()
	p.wg.Go(func() { p.read(ctx, from.Seq, in) })
	next := make(chan *workload) // no room: at most one batch is resolved ahead
	p.wg.Go(func() { p.keep(ctx, next) })
	var b batch
	var dec wire.Decoder
	for p.gather(ctx, in, &b, &dec) {
		start := time.Now()
		w := p.resolveBatch(ctx, &b, from)
		if w == nil {
			return
		}
		p.inFlight(w)
		select {
		case next <- w:
		case <-ctx.Done():
			return
		}
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

// queue holds messages between the reader and the stages, bounded by number and bytes.
type queue struct {
	messages chan bus.Message
	room     *semaphore.Weighted
}

func weight(m bus.Message) int64 { return min(int64(len(m.Data)), queueBytes) }

func (q *queue) put(ctx context.Context, m bus.Message) bool {
	if q.room.Acquire(ctx, weight(m)) != nil {
		return false
	}
	select {
	case q.messages <- m:
		return true
	case <-ctx.Done():
		return false
	}
}

// read hands messages on, from where the store is.
func (p *Pipeline) read(ctx context.Context, from uint64, in *queue) {
	r := p.deps.Stream.Reader(from)
	defer r.Close()
	for n := 0; ; {
		m, err := r.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			p.deps.Log.Error("the stream cannot be read just now", "error", err)
			if !p.backoff(ctx, n) {
				return
			}
			n++
			continue
		}
		n = 0
		if !in.put(ctx, m) {
			return
		}
	}
}

// gather waits for a message and takes along what else is there already: one
// fact when little happens, thousands in a flood.
func (p *Pipeline) gather(ctx context.Context, in *queue, b *batch, dec *wire.Decoder) bool {
	clear(b.facts)
	*b = batch{facts: b.facts[:0], at: b.at[:0]}
	select {
	case m := <-in.messages:
		b.since = m.At
		p.oldest.Store(m.At.UnixMilli())
		in.room.Release(weight(m))
		p.unpack(b, m, dec)
	case <-ctx.Done():
		return false
	}
	for len(b.facts) < p.deps.BatchFacts && b.bytes < batchBytes {
		select {
		case m := <-in.messages:
			in.room.Release(weight(m))
			p.unpack(b, m, dec)
		default:
			return true
		}
	}
	return true
}

func (p *Pipeline) unpack(b *batch, m bus.Message, dec *wire.Decoder) {
	from := len(b.facts)
	p.metrics.messages.Add(1)
	var err error
	b.facts, err = dec.Decode(b.facts, m.Data)
	if err != nil {
		p.deps.Log.Error("a message of the stream cannot be read", "seq", m.Seq, "error", err)
		b.bad = append(b.bad, unreadable(m))
	}
	b.bytes += len(m.Data)
	for i := range b.facts[from:] {
		b.at = append(b.at, event.Position{Seq: m.Seq, Idx: uint32(i)})
		f := &b.facts[from+i]
		if p.deps.Prepare != nil {
			p.deps.Prepare(f)
		}
		b.bytes += len(f.Properties) + len(f.Traits) + len(f.Context)
	}
	b.last = event.Position{Seq: m.Seq, Idx: uint32(max(len(b.facts)-from, 1) - 1)}
}
