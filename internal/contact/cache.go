package contact

import (
	"sync"

	"github.com/koipond/koipond/internal/event"
)

// idKey names one identity: its canonical kind and its lookup value.
type idKey struct{ kind, lookup string }

// heldBy is what the cache knows of an identity.
type heldBy struct {
	contact  int64
	home     int64
	lastSeen int64
}

// cache remembers which contact holds an identity, and the little that
// resolving needs to know of contacts. Only the Resolver has one. It holds
// committed state only: what a stretch changes is dropped when it is written
// and filled in after the commit; all is dropped when anybody else changed
// identities (see Resolver.enter). An identity may point to a contact that was
// merged away since: that contact is then not in the cache, and its row tells
// the survivor.
//
// Bounded: two generations, the older thrown away when the younger is full, so
// that what is in use stays.
type cache struct {
	mu       sync.Mutex
	ids      generations[idKey, heldBy]
	contacts generations[int64, snapshot]
	run      int64 // counts stretches: a fill that comes after the next stretch began is dropped
	// What the records said when the cache was last right.
	epoch  int64
	cursor event.Position
}

func newCache(size int) *cache {
	return &cache{ids: newGenerations[idKey, heldBy](size), contacts: newGenerations[int64, snapshot](size / 2)}
}

// begin starts a stretch. Everything is dropped unless the records are as this
// cache left them: epoch counts changes by others, cursor moves with each stretch.
func (c *cache) begin(epoch int64, cursor event.Position) (run int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run == 0 || c.epoch != epoch || c.cursor != cursor {
		c.ids.clear()
		c.contacts.clear()
	}
	c.epoch, c.cursor = epoch, cursor
	c.run++
	return c.run
}

// each calls fn for every identity that the cache knows. A nil cache knows none.
func (c *cache) each(ids map[idKey]*ident, fn func(*ident, heldBy)) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, i := range ids {
		if h, ok := c.ids.get(key); ok {
			fn(i, h)
		}
	}
}

// contact is what the cache knows of a contact. A nil cache knows none.
func (c *cache) contact(num int64) (snapshot, bool) {
	if c == nil {
		return snapshot{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.contacts.get(num)
}

// forget drops contacts that the running stretch changes.
func (c *cache) forget(nums []int64) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range nums {
		c.contacts.drop(n)
	}
}

// fill takes over what a stretch left, once it is committed.
func (c *cache) fill(run int64, cursor event.Position, w *world) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if run != c.run {
		return // the stretch that began meanwhile found another cursor, and dropped all
	}
	c.cursor = cursor
	for key, i := range w.idents {
		if st := i.holder(); st != nil {
			c.ids.put(key, heldBy{st.num, i.home.number(), i.seen})
		}
	}
	for _, st := range w.states {
		if st != nil && st.into == nil {
			c.contacts.put(st.num, st.snapshot)
		}
	}
	for _, st := range w.fresh {
		if st.into == nil {
			c.contacts.put(st.num, st.snapshot)
		}
	}
}

// lookups remembers the normal form and blind index of personal identifiers as
// they are sent: both cost much more than a look in a map. Nothing stored
// depends on it.
type lookups struct {
	mu sync.Mutex
	m  generations[rawKey, found]
}

// rawKey is an identifier of a personal kind as it was sent; country is for phones.
type rawKey struct{ kind, value, country string }

// found is its normal form, or why it is none.
type found struct{ value, lookup, refused string }

func newLookups(size int) *lookups { return &lookups{m: newGenerations[rawKey, found](size)} }

func (l *lookups) get(k rawKey) (found, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.m.get(k)
}

func (l *lookups) put(k rawKey, f found) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.m.put(k, f)
}

// generations is a bounded map: at most 2×size entries.
type generations[K comparable, V any] struct {
	size       int
	young, old map[K]V
}

func newGenerations[K comparable, V any](size int) generations[K, V] {
	return generations[K, V]{size: max(size, 16), young: map[K]V{}}
}

func (g *generations[K, V]) get(k K) (V, bool) {
	if v, ok := g.young[k]; ok {
		return v, true
	}
	v, ok := g.old[k]
	if ok {
		g.put(k, v)
	}
	return v, ok
}

func (g *generations[K, V]) put(k K, v V) {
	if len(g.young) >= g.size {
		g.old, g.young = g.young, make(map[K]V, g.size/4)
	}
	g.young[k] = v
}

func (g *generations[K, V]) drop(k K) {
	delete(g.young, k)
	delete(g.old, k)
}

func (g *generations[K, V]) clear() {
	g.young, g.old = map[K]V{}, nil
}
