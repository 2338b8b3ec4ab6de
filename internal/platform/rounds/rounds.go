// Package rounds answers: how does work go on in the background, again and again,
// until it is told to stop?
package rounds

import (
	"context"
	"sync"
	"time"
)

// Runner is one goroutine with a start and an end. The zero value is ready.
type Runner struct {
	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
}

// Start runs fn in the background until Stop ends its context: not until whoever
// started it goes. While it runs, another Start does nothing.
func (r *Runner) Start(ctx context.Context, fn func(context.Context)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		return
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	r.done = done
	go func() { defer close(done); fn(ctx) }()
}

// Stop ends it and waits. Safe to call twice and without Start.
func (r *Runner) Stop() {
	r.mu.Lock()
	cancel, done := r.cancel, r.done
	r.cancel = nil
	r.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}

// Every takes a turn at once, and then each time that so long has passed or
// somebody wakes it (nil: nobody does), until ctx ends.
func Every(ctx context.Context, long time.Duration, wake <-chan struct{}, turn func(context.Context)) {
	tick := time.NewTicker(long)
	defer tick.Stop()
	for {
		turn(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-wake:
		}
	}
}
