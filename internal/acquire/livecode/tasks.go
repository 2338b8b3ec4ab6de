package livecode

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// The states of a task; one that is done is gone.
const (
	waiting = "waiting"
	dead    = "dead"
)

// taskWaits are the pauses after tries that failed; after the last there is no other.
var taskWaits = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}

// atATime is how many tasks one turn takes.
const atATime = 50

type task struct {
	n, at, tries                   int64
	code, account, staff, customer string
}

// Work does what is due at the platform, in order, and sweeps up welcomes that
// nobody will send any more.
func (s *Service) Work(ctx context.Context) error {
	if err := s.sweep(ctx); err != nil {
		return err
	}
	for {
		now := clock.Ms(s.Clock.Now())
		rows, err := s.DB.Query(ctx, fmt.Sprintf("select n, code, account, staff, person, at, tries from livecode_tasks where state = $1 and next_at <= $2 order by n limit %d", atATime), waiting, now)
		list, err := db.Collect(rows, err, func(r *sql.Rows) (t task, err error) {
			return t, r.Scan(&t.n, &t.code, &t.account, &t.staff, &t.customer, &t.at, &t.tries)
		})
		if err != nil {
			return fmt.Errorf("read tasks: %w", err)
		}
		for _, t := range list {
			// One node takes it: the others see it as tried and due later.
			n, err := s.DB.ExecN(ctx, "update livecode_tasks set next_at = $2 where n = $1 and state = $3 and next_at <= $4", t.n, now+leaseTime.Milliseconds(), waiting, now)
			if err != nil {
				return fmt.Errorf("take task: %w", err)
			}
			if n == 0 {
				continue
			}
			if err := s.remark(ctx, t); err != nil {
				return err
			}
		}
		if len(list) < atATime || ctx.Err() != nil {
			return nil
		}
	}
}

// remark writes how a colleague calls a newcomer.
func (s *Service) remark(ctx context.Context, t task) error {
	c := s.book.get(t.code)
	if c == nil || c.Remark == "" { // the rule was taken away meanwhile
		return s.taskDone(ctx, t.n)
	}
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	name, err := s.Platform.CustomerName(call, t.account, t.customer)
	if err == nil {
		err = s.Platform.Remark(call, t.account, t.staff, t.customer, remarkOf(c.Remark, name, c.Name, clock.FromMs(t.at).In(s.Zone(ctx))))
	}
	switch {
	case err == nil:
		return s.taskDone(ctx, t.n)
	case ctx.Err() != nil: // the program ends: it was no try
		_, err := s.DB.Exec(context.WithoutCancel(ctx), "update livecode_tasks set next_at = 0 where n = $1", t.n)
		return err
	}
	fault, code := faultOf(err)
	now := s.Clock.Now()
	state, next := waiting, int64(0)
	if final(err) || int(t.tries) >= len(taskWaits) {
		state = dead
	} else {
		pause := taskWaits[t.tries]
		if r, ok := refusalOf(err); ok && r.After > pause {
			pause = r.After
		}
		next = clock.Ms(now.Add(pause))
	}
	if _, err := s.DB.Exec(ctx, "update livecode_tasks set state = $2, tries = tries + 1, next_at = $3, fault = $4, fault_code = $5 where n = $1", t.n, state, next, fault, code); err != nil {
		return fmt.Errorf("keep what became of a task: %w", err)
	}
	if state == dead {
		return s.note(ctx, t.code, "fault", map[string]any{"fault": fault, "code": code, "what": "remark", "staff": t.staff})
	}
	return nil
}

func (s *Service) taskDone(ctx context.Context, n int64) error {
	if _, err := s.DB.Exec(ctx, "delete from livecode_tasks where n = $1", n); err != nil {
		return fmt.Errorf("end task: %w", err)
	}
	return nil
}

// sweep settles what stayed claimed although its time is over: the program died
// in the middle, and the callback did not come again. Whether it arrived nobody
// knows, and it is never sent late.
func (s *Service) sweep(ctx context.Context) error {
	now := s.Clock.Now()
	over := clock.Ms(now.Add(-welcomeTime - claimLease))
	n, err1 := s.DB.ExecN(ctx, "update livecode_welcomes set state = $1, fault = $2, lease = 0 where state = $3 and at < $4 and lease < $5", unknown, faultUnknown, claimed, over, clock.Ms(now))
	if n > 0 {
		s.Log.WarnContext(ctx, "welcomes whose outcome nobody knows", "count", n)
	}
	var err2 error
	if n > 0 { // a hook that went with one of them counts as given
		_, err2 = s.DB.Exec(ctx, "update livecode_gifts set given = 2 where given = 0 and welcome <> '' and at < $1", over)
	}
	return errors.Join(err1, err2)
}
