package team

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
)

const (
	// cacheFor is how long an answer is trusted without asking the database:
	// the time after which a change made by another process counts.
	cacheFor = 2 * time.Second
	// staleFor is how much longer it serves while the database does not answer,
	// where the caller allows it.
	staleFor  = time.Minute
	cacheSize = 10_000
)

// cache remembers what credentials open. Bounded: the one unused for longest
// makes room. The database is asked without a lock held.
type cache[V any] struct {
	clock clock.Clock
	mu    sync.Mutex
	items map[string]*list.Element
	order *list.List // front: used last
	gen   uint64     // counts invalidations, so that a load begun before one is not kept
}

type cached[V any] struct {
	key string
	val V
	at  time.Time
}

func newCache[V any](c clock.Clock) *cache[V] {
	return &cache[V]{clock: c, items: map[string]*list.Element{}, order: list.New()}
}

// get answers from memory while fresh, else from load. What load fails on is
// not remembered; with allowStale an older answer serves a while when fails(err)
// says that the failure is the database's.
func (c *cache[V]) get(ctx context.Context, key string, stale func(error) bool, load func(context.Context) (V, error)) (V, error) {
	now := c.clock.Now()
	c.mu.Lock()
	gen := c.gen
	var old *cached[V]
	if el := c.items[key]; el != nil {
		e := el.Value.(cached[V])
		c.order.MoveToFront(el)
		if age := now.Sub(e.at); age >= 0 && age < cacheFor {
			c.mu.Unlock()
			return e.val, nil
		}
		old = &e
	}
	c.mu.Unlock()

	v, err := load(ctx)
	if err != nil {
		if old != nil && stale != nil && stale(err) && now.Sub(old.at) < cacheFor+staleFor {
			return old.val, nil
		}
		c.drop(key)
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gen == gen {
		c.put(cached[V]{key, v, now})
	}
	return v, nil
}

func (c *cache[V]) put(e cached[V]) {
	if el := c.items[e.key]; el != nil {
		el.Value = e
		return
	}
	c.items[e.key] = c.order.PushFront(e)
	if c.order.Len() > cacheSize {
		last := c.order.Back()
		delete(c.items, last.Value.(cached[V]).key)
		c.order.Remove(last)
	}
}

func (c *cache[V]) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.items[key]; el != nil {
		delete(c.items, key)
		c.order.Remove(el)
	}
}

// clear forgets everything, and whatever is being loaded right now.
func (c *cache[V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gen++
	clear(c.items)
	c.order.Init()
}

func (c *cache[V]) len() int { c.mu.Lock(); defer c.mu.Unlock(); return c.order.Len() }
