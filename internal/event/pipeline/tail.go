package pipeline

import "github.com/koipond/koipond/internal/event"

// The tail keeps the newest stored batches in memory, so that subscribers who
// keep up never ask the store. Bounded; whoever falls behind reads the store.
const (
	tailFacts = 4_000
	tailBytes = 4 << 20
)

type tailBatch struct {
	facts []event.Stored
	to    event.Position // everything stored up to here is in this batch or before it
	bytes int
}

// tail is guarded by the pipeline's mu.
type tail struct {
	from    event.Position // what is stored beyond it is here
	batches []tailBatch
	facts   int
	bytes   int
}

func (t *tail) reset(at event.Position) { *t = tail{from: at} }

func (t *tail) add(facts []event.Stored, to event.Position) {
	b := tailBatch{facts: facts, to: to}
	for i := range facts {
		b.bytes += sizeOf(&facts[i].Fact)
	}
	t.batches = append(t.batches, b)
	t.facts += len(facts)
	t.bytes += b.bytes
	for len(t.batches) > 1 && (t.facts > tailFacts || t.bytes > tailBytes) {
		old := t.batches[0]
		t.from = old.to
		t.facts -= len(old.facts)
		t.bytes -= old.bytes
		t.batches[0] = tailBatch{}
		t.batches = t.batches[1:]
	}
}

// sizeOf is about how much memory a fact takes.
func sizeOf(f *event.Fact) int { return 400 + len(f.Properties) + len(f.Traits) + len(f.Context) }

// pushedOut tells up to which position facts leave to make room for new ones;
// false when there is room.
func (t *tail) pushedOut(by []event.Fact) (upTo event.Position, ok bool) {
	facts, bytes := t.facts+len(by), t.bytes
	for i := range by {
		bytes += sizeOf(&by[i])
	}
	for _, b := range t.batches {
		if facts <= tailFacts && bytes <= tailBytes {
			break
		}
		facts -= len(b.facts)
		bytes -= b.bytes
		upTo, ok = b.to, true
	}
	return upTo, ok
}

// after gives up to most facts beyond pos and not beyond limit, and the position
// up to which they are complete; false when that part is not in memory any more.
func (t *tail) after(pos, limit event.Position, most int) (facts []event.Stored, to event.Position, ok bool) {
	if pos.Less(t.from) {
		return nil, pos, false
	}
	to = pos
	for _, b := range t.batches {
		if !pos.Less(b.to) {
			continue
		}
		for i := range b.facts {
			if !pos.Less(b.facts[i].Position) {
				continue
			}
			if limit.Less(b.facts[i].Position) {
				return facts, limit, true
			}
			if len(facts) >= most {
				return facts, to, true
			}
			facts = append(facts, b.facts[i])
			to = b.facts[i].Position
		}
		if !b.to.Less(limit) {
			return facts, limit, true
		}
		to = b.to
	}
	return facts, to, true
}
