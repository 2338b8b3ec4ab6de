package pipeline

import (
	"context"
	"errors"

	"golang.org/x/sync/semaphore"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/secret"
)

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
		if !p.unpack(ctx, b, m, dec) {
			return false
		}
	case <-ctx.Done():
		return false
	}
	for len(b.facts) < p.deps.BatchFacts && b.bytes < batchBytes {
		select {
		case m := <-in.messages:
			in.room.Release(weight(m))
			if !p.unpack(ctx, b, m, dec) {
				return false
			}
		default:
			return true
		}
	}
	return true
}

// unpack adds a message's facts to the batch; false when ctx ended before they could be read.
func (p *Pipeline) unpack(ctx context.Context, b *batch, m bus.Message, dec *wire.Decoder) bool {
	from := len(b.facts)
	p.metrics.messages.Add(1)
	var err error
	b.facts, err = dec.Decode(b.facts, m.Data)
	for n := 0; errors.Is(err, secret.ErrUnknownKey); n++ { // another node has a key that this one is about to hear of
		p.deps.Log.Error("facts wait: this node lacks the key that sealed a message", "seq", m.Seq, "error", err)
		if !p.backoff(ctx, n) {
			return false
		}
		b.facts, err = dec.Decode(b.facts, m.Data)
	}
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
	return true
}
