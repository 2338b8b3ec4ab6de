package connector

import (
	"context"
	"sync"
)

// gather writes what many bring at the same time in one transaction: the disk makes
// a write safe a few hundred times a second, and callbacks come in bursts.
type gather[T any] struct {
	most  int
	write func(ctx context.Context, list []T) error

	mu      sync.Mutex
	waiting []*gathered[T]
	busy    bool
}

type gathered[T any] struct {
	what T
	done chan error
}

// do returns when what was brought is committed. Whoever finds nobody writing
// writes, for all that came meanwhile.
func (g *gather[T]) do(ctx context.Context, what T) error {
	one := &gathered[T]{what, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, one)
	lead := !g.busy
	g.busy = true
	g.mu.Unlock()
	if lead {
		// Whoever leads writes for others, too: it must not end with its own caller.
		go g.lead(context.WithoutCancel(ctx))
	}
	select {
	case err := <-one.done:
		return err
	case <-ctx.Done():
		return ctx.Err() // it may be written all the same, and is then told again
	}
}

func (g *gather[T]) lead(ctx context.Context) {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), g.most)
		if n == 0 {
			g.busy = false
			g.mu.Unlock()
			return
		}
		list := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.mu.Unlock()
		g.one(ctx, list)
	}
}

// one writes a batch. When that fails each is tried alone, so that one bad thing
// fails by itself.
func (g *gather[T]) one(ctx context.Context, list []*gathered[T]) {
	all := make([]T, len(list))
	for i, w := range list {
		all[i] = w.what
	}
	err := g.write(ctx, all)
	for _, w := range list {
		if err != nil && len(list) > 1 {
			w.done <- g.write(ctx, []T{w.what})
			continue
		}
		w.done <- err
	}
}
