package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Start takes up what this node left behind and begins to work. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	s.mu.Lock()
	again := s.started
	s.started = true
	s.mu.Unlock()
	if again {
		return nil
	}
	now := s.Clock.Now()
	n, err := s.store.takeOver(ctx, s.Node, true, now.Add(-s.Stale), now)
	if err != nil {
		return err
	}
	if n > 0 {
		s.Log.InfoContext(ctx, "jobs taken up again after a crash", "jobs", n)
	}
	base := context.WithoutCancel(ctx) // the loops end by Stop
	s.dispatching.Go(func() { s.dispatch(base) })
	s.loops.Go(func() { s.tend(base) })
	return nil
}

// Stop asks every handler to return (its context ends; it may still write a
// checkpoint) and waits for them until ctx ends. What did not finish is queued
// again for the next start. Safe to call twice and without Start.
func (s *Service) Stop(ctx context.Context) error {
	s.mu.Lock()
	first := !s.stopping
	s.stopping = true
	for _, r := range s.running {
		r.cancel(errStopping)
	}
	s.mu.Unlock()
	if first {
		close(s.stop)
	}
	quiet := make(chan struct{})
	go func() {
		s.dispatching.Wait() // first: it is what starts handlers
		s.workers.Wait()
		s.loops.Wait()
		close(quiet)
	}()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop jobs: some handlers did not return: %w", ctx.Err())
	}
}

// dispatch claims due jobs whenever there is room.
func (s *Service) dispatch(ctx context.Context) {
	tick := time.NewTicker(s.Poll)
	defer tick.Stop()
	for {
		if err := s.claim(ctx); err != nil {
			s.Log.ErrorContext(ctx, "jobs cannot be claimed", "error", err)
		}
		select {
		case <-s.stop:
			return
		case <-s.wake:
		case <-tick.C:
		}
	}
}

func (s *Service) claim(ctx context.Context) error {
	s.mu.Lock()
	room := s.Workers - len(s.running)
	if s.stopping {
		room = 0
	}
	kinds := make([]string, 0, len(s.handlers))
	for k := range s.handlers {
		kinds = append(kinds, k)
	}
	s.mu.Unlock()
	slices.Sort(kinds)
	rows, err := s.store.claim(ctx, s.Node, kinds, room, s.Clock.Now())
	for _, row := range rows {
		s.launch(ctx, row)
	}
	return err
}

func (s *Service) launch(ctx context.Context, row row) {
	ctx, cancel := context.WithCancelCause(ctx)
	r := &run{s: s, row: row, ctx: ctx, cancel: cancel, done: row.Done, total: row.Total,
		written: [2]int64{row.Done, row.Total}, checkpoint: row.checkpoint}
	if row.Result != nil {
		r.result = string(row.Result)
	}
	if old := s.local(row.ID); old != nil {
		old.cancel(errLost)
	}
	key := runKey{row.ID, row.lease}
	s.mu.Lock()
	s.running[key] = r
	h := s.handlers[row.Kind]
	if s.stopping {
		cancel(errStopping)
	}
	s.mu.Unlock()
	s.workers.Go(func() {
		start := time.Now()
		err := s.call(ctx, h, r)
		r.abandon()
		state := s.settle(ctx, r, err)
		cancel(nil)
		s.metrics.ended(row.Kind, state, time.Since(start))
		s.mu.Lock()
		delete(s.running, key)
		s.mu.Unlock()
		s.announce()
		s.Wake() // there is room again
	})
}

// call runs the handler; a panic is an error like any other.
func (s *Service) call(ctx context.Context, h Handler, r *run) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	s.metrics.started(r.row.Kind)
	if err := ctx.Err(); err != nil { // claimed while the program began to stop
		return err
	}
	who, err := s.creator(ctx, r.row.Job)
	if err != nil {
		return err
	}
	return h(auth.With(ctx, who), r)
}

// creator is who a handler works for: who asked, with what they may do and see
// while it runs.
func (s *Service) creator(ctx context.Context, j Job) (*auth.Principal, error) {
	who := auth.System(j.CreatedByName)
	who.ID = j.CreatedByID
	if s.Principal == nil {
		return who, nil
	}
	p, err := s.Principal(ctx, *who)
	if err != nil {
		return nil, fmt.Errorf("find who asked for the job: %w", err)
	}
	return p, nil
}

// settle stores how a try ended and returns the state.
func (s *Service) settle(ctx context.Context, r *run, err error) State {
	cause := context.Cause(ctx)
	ctx = context.WithoutCancel(ctx) // the outcome is stored although the handler's time is over
	now := clock.Ms(s.Clock.Now())
	log := s.Log.With("job", r.row.ID, "kind", r.row.Kind)
	state, fault, runAt, tries := Succeeded, (*errs.Error)(nil), now, r.row.Attempt
	var known *errs.Error
	switch {
	case err == nil:
	case errors.Is(cause, errLost):
		log.WarnContext(ctx, "job lost to another node")
		return Running
	case errors.Is(cause, errCancelled):
		state = Cancelled
	case errors.Is(cause, errStopping):
		state, tries = Queued, tries-1
	case errors.As(err, &known):
		state, fault = Failed, known
		log.WarnContext(ctx, "job failed", "error", err)
	case r.row.Attempt < maxTries:
		state = Queued
		runAt = now + (time.Second << (2 * (r.row.Attempt - 1))).Milliseconds() // 1 s, 4 s
		log.WarnContext(ctx, "job will be tried again", "error", err, "attempt", r.row.Attempt)
	default:
		state, fault = Failed, errs.New(errs.Internal, "internal")
		log.ErrorContext(ctx, "job failed", "error", err, "attempt", r.row.Attempt)
	}
	if err := s.conclude(ctx, r, state, fault, runAt, int64(tries), now); err != nil {
		// The row stays running without a heartbeat of ours to speak of; it is taken over later.
		log.ErrorContext(ctx, "the end of a job cannot be stored", "error", err)
		return Running
	}
	return state
}

func (s *Service) conclude(ctx context.Context, r *run, state State, fault *errs.Error, runAt, tries, now int64) error {
	raw, err := encodeFault(fault)
	if err != nil {
		return err
	}
	finished := now
	if !state.Final() {
		finished = 0
	}
	done, total := r.progress()
	_, err = s.store.held(ctx, r.row, `state = $1, error = $2, result = $3, done = $4, total = $5, run_at = $6, attempt = $7,
		finished_at = $8, node = '', lease = lease + 1`, string(state), raw, r.result, done, total, runAt, tries, finished)
	return err
}

// tend stores progress, proves that this node lives, takes over from dead ones
// and removes what is old.
func (s *Service) tend(ctx context.Context) {
	progress := time.NewTicker(progressEvery)
	defer progress.Stop()
	beat := time.NewTicker(max(min(s.Stale/6, 5*time.Second), s.Poll/2))
	defer beat.Stop()
	sweep := time.NewTicker(time.Hour)
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-s.stop:
			s.keepAlive(ctx)
			return
		case <-progress.C:
			err = s.flush(ctx)
		case <-beat.C:
			err = s.beat(ctx)
		case <-sweep.C:
			err = s.sweep(ctx)
		}
		if err != nil {
			s.Log.ErrorContext(ctx, "jobs cannot be tended", "error", err)
		}
	}
}

// keepAlive goes on beating while handlers wind up, so that no other node takes their jobs.
func (s *Service) keepAlive(ctx context.Context) {
	over := make(chan struct{})
	go func() { s.dispatching.Wait(); s.workers.Wait(); close(over) }()
	beat := time.NewTicker(max(s.Stale/6, 10*time.Millisecond))
	defer beat.Stop()
	for {
		select {
		case <-over:
			return
		case <-beat.C:
			if _, err := s.store.alive(ctx, s.Node, s.Clock.Now()); err != nil {
				s.Log.ErrorContext(ctx, "jobs cannot be tended", "error", err)
			}
		}
	}
}

func (s *Service) flush(ctx context.Context) error {
	var all []error
	for _, r := range s.runs() {
		all = append(all, r.flush(ctx))
	}
	return errors.Join(all...)
}

func (s *Service) runs() []*run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.running))
}

func (s *Service) beat(ctx context.Context) error {
	now := s.Clock.Now()
	runs := s.runs()
	if len(runs) > 0 {
		held, err := s.store.alive(ctx, s.Node, now)
		if err != nil {
			return err
		}
		wanted := map[runKey]bool{} // by us, and whether it is to stop
		for _, h := range held {
			wanted[h.key] = h.cancelled
		}
		for _, r := range runs {
			cancelled, ours := wanted[runKey{r.row.ID, r.row.lease}]
			switch {
			case !ours: // taken over, or just ended
				r.cancel(errLost)
			case cancelled:
				r.cancel(errCancelled)
			}
		}
	}
	n, err := s.store.takeOver(ctx, s.Node, false, now.Add(-s.Stale), now)
	if n > 0 {
		s.Log.WarnContext(ctx, "jobs of a dead node taken over", "jobs", n)
		s.Wake()
	}
	return err
}

// sweep removes jobs past their time, files first: a crash in between leaves a row, not a lost file.
func (s *Service) sweep(ctx context.Context) error {
	old, err := s.store.old(ctx, s.Clock.Now().Add(-s.Keep), 500)
	if err != nil {
		return err
	}
	for _, j := range old {
		if j.fileKey != "" {
			if err := s.Files.Delete(ctx, j.fileKey); err != nil {
				return fmt.Errorf("remove file of job %s: %w", j.ID, err)
			}
		}
		if err := s.store.remove(ctx, j.ID); err != nil {
			return fmt.Errorf("remove job %s: %w", j.ID, err)
		}
	}
	return nil
}
