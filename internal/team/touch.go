package team

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

const (
	// touchEvery is how old a last-used time must be before it is written again.
	touchEvery = time.Minute
	flushEvery = 5 * time.Second
	maxTouches = 50_000
)

type touchKind uint8

const (
	touchSession touchKind = iota
	touchToken
	touchKey
)

type touch struct {
	kind touchKind
	id   string
}

// touches are last-used times not yet written: a request never waits for the
// database's writer only to say that it was there.
type touches struct {
	mu      sync.Mutex
	pending map[touch]time.Time
	recent  map[touch]time.Time // written in the last minute; caches may not know yet
}

// mark notes a use, unless the time last written is recent enough.
func (t *touches) mark(k touchKind, id string, written, now time.Time) {
	if age := now.Sub(written); age >= 0 && age < touchEvery {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if age := now.Sub(t.recent[touch{k, id}]); age >= 0 && age < touchEvery {
		return
	}
	if t.pending == nil {
		t.pending = map[touch]time.Time{}
	}
	if len(t.pending) < maxTouches {
		t.pending[touch{k, id}] = now
	}
}

// seen is a use that is not written yet; zero when there is none.
func (t *touches) seen(k touchKind, id string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pending[touch{k, id}]
}

// take gives what is waiting; it goes on waiting until written says that it is done.
func (t *touches) take() map[touch]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.pending)
}

func (t *touches) written(m map[touch]time.Time, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.recent == nil {
		t.recent = map[touch]time.Time{}
	}
	maps.DeleteFunc(t.recent, func(_ touch, at time.Time) bool { return now.Sub(at) >= touchEvery })
	for k, at := range m {
		t.recent[k] = at
		if t.pending[k].Equal(at) {
			delete(t.pending, k)
		}
	}
}

// Flush writes the last-used times that are waiting.
func (s *Service) Flush(ctx context.Context) error {
	m := s.touched.take()
	if len(m) == 0 {
		return nil
	}
	all := func(ctx context.Context) error {
		for k, at := range m {
			if err := s.store.touch(ctx, k, clock.Ms(at)); err != nil {
				return fmt.Errorf("write last-used times: %w", err)
			}
		}
		return nil
	}
	// SQLite syncs once for all of them. PostgreSQL takes them one by one: rows
	// of many users held together would meet changes of users in another order.
	var err error
	if s.db.Dialect() == db.SQLite {
		err = s.db.Tx(ctx, all)
	} else {
		err = all(ctx)
	}
	if err != nil {
		return err
	}
	s.touched.written(m, s.clock.Now())
	return nil
}
