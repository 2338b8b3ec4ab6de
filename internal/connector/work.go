package connector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/rounds"
)

const (
	lookEvery  = 500 * time.Millisecond
	sweepEvery = 10 * time.Minute
	leaseTime  = time.Minute
	// handleTime is how long the handlers of one callback may take together, and
	// laneTime until when a lane begins with another one: both end before the lease.
	handleTime = 45 * time.Second
	laneTime   = 10 * time.Second
	// urgentFor is how long the handlers of First are tried, from the arrival on.
	urgentFor   = 20 * time.Second
	urgentPause = time.Second
	// urgentAtOnce is large: a welcome waits for the platform, not for us.
	urgentAtOnce = 128
	lanesAtOnce  = 16
	perLane      = 20
	// laterMost is how long a callback may be put off by a Later again and again.
	laterMost = 3 * 24 * time.Hour
)

// pauses are how long to wait after each try that failed; after the last it is given up.
var pauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

// worked is a callback in the hands of this node.
type worked struct {
	n                  int64
	id, account, kind  string
	subject, name      string
	body               string
	happened, at       int64
	lease              int64
	tries, urgentTries int
	urgent             bool
}

// settlement is what became of one.
type settlement struct {
	worked
	release bool // it was not tried
	first   bool // it was tried by the handlers of First
	state   string
	next    int64
	fault   string
	done    int64
}

// Start begins to work on what comes in. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	// What this node held when it went down is nobody's.
	if _, err := s.DB.Exec(ctx, "update connector_inbox set lease = 0, holder = '' where holder = $1 and state = $2", s.Node, Waiting); err != nil {
		return fmt.Errorf("take up callbacks: %w", err)
	}
	s.run.Start(auth.With(ctx, auth.System("connector")), func(ctx context.Context) {
		var wait sync.WaitGroup
		defer wait.Wait()
		wait.Go(func() {
			rounds.Every(ctx, sweepEvery, nil, func(ctx context.Context) {
				if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
					s.Log.ErrorContext(ctx, "the inbox cannot be swept", "error", err)
				}
			})
		})
		wait.Go(func() {
			rounds.Every(ctx, flushEvery, nil, func(ctx context.Context) { s.flushCalls(ctx) })
		})
		d := &dispatcher{s: s, urgent: make(chan struct{}, urgentAtOnce), lanes: make(chan struct{}, lanesAtOnce)}
		rounds.Every(ctx, lookEvery, s.inbox.wake, d.turn)
		d.wait.Wait()
	})
	return nil
}

// Stop ends the work: what is in hand is cut off and tried again later. Safe to
// call twice.
func (s *Service) Stop(ctx context.Context) error {
	s.run.Stop()
	s.flushCalls(ctx)
	s.client.CloseIdleConnections()
	return nil
}

// Work does once what Start does again and again, and waits for the end: for tests,
// and for who wants to see everything done that is due.
func (s *Service) Work(ctx context.Context) error {
	d := &dispatcher{s: s, urgent: make(chan struct{}, urgentAtOnce), lanes: make(chan struct{}, lanesAtOnce)}
	for {
		n, err := d.take(ctx)
		d.wait.Wait()
		if err != nil || n == 0 {
			return err
		}
	}
}

// dispatcher hands out work to as many hands as there are free.
type dispatcher struct {
	s             *Service
	urgent, lanes chan struct{}
	wait          sync.WaitGroup
}

func (d *dispatcher) turn(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := d.take(ctx)
		if err != nil && ctx.Err() == nil {
			d.s.Log.ErrorContext(ctx, "callbacks cannot be worked on", "error", err)
		}
		if n == 0 || err != nil {
			return
		}
	}
}

// take begins with what is due, the urgent first, and tells how many it began with.
func (d *dispatcher) take(ctx context.Context) (int, error) {
	urgent, err := d.s.claim(ctx, true, cap(d.urgent)-len(d.urgent))
	for _, w := range urgent {
		d.urgent <- struct{}{}
		d.wait.Go(func() {
			defer func() { <-d.urgent; d.s.inbox.nudge() }()
			d.s.first(ctx, w)
		})
	}
	if err != nil {
		return len(urgent), err
	}
	free := cap(d.lanes) - len(d.lanes)
	rows, err := d.s.claim(ctx, false, free*perLane)
	n := len(urgent) + len(rows)
	for _, lane := range lanes(rows) {
		d.lanes <- struct{}{}
		d.wait.Go(func() {
			defer func() { <-d.lanes; d.s.inbox.nudge() }()
			d.s.lane(ctx, lane)
		})
	}
	return n, err
}

// lanes parts rows by their subjects, in order.
func lanes(rows []worked) [][]worked {
	var out [][]worked
	at := map[[2]string]int{}
	for _, w := range rows {
		k := [2]string{w.account, w.subject}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], w)
	}
	return out
}

// claim takes up to most callbacks that are due into this node's hands. Without
// urgent they come in order, those of a subject only when none before them waits
// for its time or is in somebody's hands; and of no more subjects than there are
// lanes free.
func (s *Service) claim(ctx context.Context, urgent bool, most int) ([]worked, error) {
	if most <= 0 {
		return nil, nil
	}
	now := s.Clock.Now()
	list, err := s.due(ctx, urgent, min(most, 200), clock.Ms(now))
	if err != nil || len(list) == 0 {
		return nil, err
	}
	lease := clock.Ms(now.Add(leaseTime))
	var mine []worked
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		mine = mine[:0]
		shut, counts := map[[2]string]bool{}, map[[2]string]int{}
		for _, w := range list {
			k := [2]string{w.account, w.subject}
			if !urgent {
				if counts[k] == 0 && len(counts) >= max(1, most/perLane) || counts[k] >= perLane {
					shut[k] = true
				}
				if shut[k] {
					continue
				}
			}
			n, err := s.DB.ExecN(ctx, "update connector_inbox set lease = $2, holder = $3 where n = $1 and state = $4 and lease <= $5 and urgent = $6",
				w.n, lease, s.Node, Waiting, clock.Ms(now), flag(urgent))
			if err != nil {
				return fmt.Errorf("take callback: %w", err)
			}
			if n == 0 { // another node has it: what follows it has to wait
				shut[k] = true
				continue
			}
			w.lease = lease
			counts[k]++
			mine = append(mine, w)
		}
		return nil
	})
	return mine, err
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *Service) due(ctx context.Context, urgent bool, most int, now int64) ([]worked, error) {
	where := `and not exists (select 1 from connector_inbox e where e.account = w.account and e.subject_index = w.subject_index and e.state = 'waiting' and e.n < w.n
		and (e.lease > $1 or e.next_at > $1 or e.urgent = 1))`
	if urgent {
		where = ""
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf(`select n, id, account, kind, subject_index, name, body_enc, happened_at, at, tries, urgent_tries from connector_inbox w
		where state = 'waiting' and urgent = %d and next_at <= $1 and lease <= $1 %s order by n limit %d`, flag(urgent), where, most), now)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (w worked, err error) {
		w.urgent = urgent
		return w, r.Scan(&w.n, &w.id, &w.account, &w.kind, &w.subject, &w.name, &w.body, &w.happened, &w.at, &w.tries, &w.urgentTries)
	})
	if err != nil {
		return nil, fmt.Errorf("read inbox: %w", err)
	}
	return list, nil
}

// first runs the handlers that cannot wait.
func (s *Service) first(ctx context.Context, w worked) {
	short, cancel := context.WithTimeout(ctx, urgentFor)
	defer cancel()
	err := s.handle(short, w, true)
	out := settlement{worked: w, first: true, state: Waiting}
	out.urgentTries++
	now := s.Clock.Now()
	switch {
	case err != nil && ctx.Err() != nil:
		out.release = true
	case err == nil:
		out.urgent = false
		s.inbox.lag.Observe(s.since(w.at).Seconds())
	case GivenUp(err) || s.since(w.at) >= urgentFor:
		out.urgent, out.fault = false, s.fault(ctx, w, err)
	default:
		out.fault, out.next = s.fault(ctx, w, err), clock.Ms(s.after(now, urgentPause, err))
	}
	s.finish(ctx, out)
}

// lane works on callbacks of one subject, one after the other.
func (s *Service) lane(ctx context.Context, lane []worked) {
	began := time.Now()
	for i, w := range lane {
		if ctx.Err() != nil || i > 0 && time.Since(began) > laneTime {
			s.release(ctx, lane[i:])
			return
		}
		short, cancel := context.WithTimeout(ctx, handleTime)
		err := s.handle(short, w, false)
		cancel()
		if ctx.Err() != nil && err != nil {
			s.release(ctx, lane[i:])
			return
		}
		out := s.judge(ctx, w, err)
		s.finish(ctx, out)
		if out.state == Waiting { // those behind it wait for it
			s.release(ctx, lane[i+1:])
			return
		}
	}
}

// judge says what becomes of a callback that was tried.
func (s *Service) judge(ctx context.Context, w worked, err error) settlement {
	out := settlement{worked: w, state: Done}
	now := s.Clock.Now()
	var later *Later
	switch {
	case errors.Is(err, errIgnored):
		out.state = Ignored
	case err == nil:
	case GivenUp(err):
		out.tries++
		out.state = Dead
	case errors.As(err, &later) && s.since(w.at) < laterMost:
		out.state, out.next = Waiting, clock.Ms(s.after(now, time.Second, err))
	case errors.Is(err, errPaused):
		out.state, out.next = Waiting, clock.Ms(now.Add(time.Minute))
	case w.tries >= len(pauses):
		out.tries++
		out.state = Dead
	default:
		out.state, out.next = Waiting, clock.Ms(s.after(now, pauses[w.tries], err))
		out.tries++
	}
	if err != nil && out.state != Ignored {
		out.fault = s.fault(ctx, w, err)
	}
	if out.state != Waiting {
		out.done = clock.Ms(now)
	}
	s.inbox.handled.WithLabelValues(w.kind, out.state).Inc()
	return out
}

// after is when to try again: after the pause, or when the error says so.
func (s *Service) after(now time.Time, pause time.Duration, err error) time.Time {
	at := now.Add(pause)
	if later := (*Later)(nil); errors.As(err, &later) && later.Until.After(at) {
		return later.Until
	}
	return at
}

// finish keeps what became of a callback. When it cannot be kept the lease runs
// out, and the callback is worked on again.
func (s *Service) finish(ctx context.Context, out settlement) {
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := s.inbox.settled.do(keep, out); err != nil {
		s.Log.ErrorContext(ctx, "what became of a callback could not be kept", "callback", out.id, "error", err)
	}
}

func (s *Service) release(ctx context.Context, list []worked) {
	for _, w := range list {
		s.finish(ctx, settlement{worked: w, release: true})
	}
}

// settle writes what became of several, in one transaction.
func (s *Service) settle(ctx context.Context, list []settlement) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, o := range list {
			var err error
			switch {
			case o.release:
				_, err = s.DB.Exec(ctx, "update connector_inbox set lease = 0, holder = '' where n = $1 and holder = $2 and lease = $3", o.n, s.Node, o.lease)
			case o.first:
				_, err = s.DB.Exec(ctx, "update connector_inbox set lease = 0, holder = '', urgent = $4, urgent_tries = $5, urgent_fault = $6, next_at = $7 where n = $1 and holder = $2 and lease = $3",
					o.n, s.Node, o.lease, flag(o.urgent), o.urgentTries, o.fault, o.next)
			default:
				_, err = s.DB.Exec(ctx, "update connector_inbox set lease = 0, holder = '', state = $4, tries = $5, fault = $6, next_at = $7, done_at = $8 where n = $1 and holder = $2 and lease = $3",
					o.n, s.Node, o.lease, o.state, o.tries, o.fault, o.next, o.done)
			}
			if err != nil {
				return fmt.Errorf("settle callback: %w", err)
			}
		}
		return nil
	})
}

// errIgnored says that nobody asked for a callback.
var errIgnored = errors.New("nobody asked for it")

// handle runs the handlers of a callback.
func (s *Service) handle(ctx context.Context, w worked, first bool) error {
	a, err := s.account(ctx, w.account)
	if err != nil {
		return err
	}
	k, body, err := s.openBody(w.body)
	if err != nil {
		return GiveUp(err)
	}
	in := Incoming{Key: k.Key, Subject: k.Subject, Name: w.name, Urgent: first, At: clock.FromMs(w.happened), Body: body, Receipt: k.Receipt,
		ID: w.id, ReceivedAt: clock.FromMs(w.at), Try: w.tries + 1}
	if first {
		in.Try = w.urgentTries + 1
	} else if k.Receipt != nil {
		if err := s.receipt(ctx, a.Account, *k.Receipt); err != nil {
			return err
		}
	}
	list := s.handlers(w.kind, w.name, first)
	if len(list) == 0 && k.Receipt == nil {
		return errIgnored
	}
	for _, h := range list {
		if err := s.safely(ctx, h, a.Account, in); err != nil {
			return err
		}
	}
	return nil
}

// safely turns a panic of a handler into an error: one callback must not end the
// program again and again.
func (s *Service) safely(ctx context.Context, h Handler, a Account, in Incoming) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(ctx, "a handler of callbacks panicked", "callback", in.ID, "name", in.Name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errs.New(errs.Internal, "connector.handler_failed")
		}
	}()
	return h(ctx, a, in)
}
