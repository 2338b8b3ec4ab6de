package mirror

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

const (
	batch     = 200
	atOnce    = 8
	leaseTime = time.Minute
	listEvery = 30 * time.Minute // for callbacks about tags that were missed
	readEvery = 24 * time.Hour   // for callbacks about people that were missed
	faultWait = 2 * time.Minute
	stopWait  = 10 * time.Minute
	noTag     = time.Minute
	never     = 1 << 62
)

// pauses are how long to wait after each call that failed; after the last a person
// looks.
var pauses = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 12 * time.Hour}

// state is an account as the work sees it.
type state struct {
	account         string
	takeNew         bool
	listDue, listed int64
	readDue, read   int64
	job             string
}

// turn does what is due in every account that this node can have.
func (s *Service) turn(ctx context.Context) {
	rows, err := s.DB.Query(ctx, "select account, take_new, list_due, listed_at, read_due, read_at, job from mirror_accounts where enabled = 1 order by account")
	list, err := db.Collect(rows, err, func(r *sql.Rows) (x state, err error) {
		var take int64
		err = r.Scan(&x.account, &take, &x.listDue, &x.listed, &x.readDue, &x.read, &x.job)
		x.takeNew = take == 1
		return x, err
	})
	if err != nil {
		if ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "linked tags cannot be worked on", "error", err)
		}
		return
	}
	for _, x := range list {
		if s.isPaused(x.account) {
			continue
		}
		err := s.work(ctx, x)
		if ctx.Err() != nil {
			return
		}
		if err := s.verdict(ctx, x.account, err); err != nil {
			s.Log.ErrorContext(ctx, "linked tags cannot be worked on", "account", x.account, "error", err)
		}
	}
}

// Work does once what Start does again and again: for tests, and for who wants to
// see everything done that is due.
func (s *Service) Work(ctx context.Context) { s.turn(ctx) }

// mine takes the account for this node for a while.
func (s *Service) mine(ctx context.Context, account string) (bool, error) {
	now := s.Clock.Now()
	n, err := s.DB.ExecN(ctx, "update mirror_accounts set lease = $1, holder = $2 where account = $3 and (lease < $4 or holder = $2)", clock.Ms(now.Add(leaseTime)), s.Node, account, clock.Ms(now))
	return n == 1, wrap(err, "take an account")
}

func (s *Service) work(ctx context.Context, x state) error {
	if ok, err := s.mine(ctx, x.account); err != nil || !ok {
		return err
	}
	now := clock.Ms(s.Clock.Now())
	if x.listDue > 0 || now-x.listed > listEvery.Milliseconds() {
		if err := s.list(ctx, x.account, x.takeNew); err != nil {
			return err
		}
		if err := s.listed(ctx, x.account, x.listDue); err != nil {
			return err
		}
	}
	if x.readDue > 0 || now-x.read > readEvery.Milliseconds() {
		if err := s.startRead(ctx, x.account); err != nil {
			return err
		}
	}
	for {
		n, err := s.send(ctx, x.account)
		if err != nil || n == 0 {
			return err
		}
		if ok, err := s.mine(ctx, x.account); err != nil || !ok {
			return err
		}
	}
}

// verdict keeps what an error means for the account: to wait, and what people read.
func (s *Service) verdict(ctx context.Context, account string, err error) error {
	if err == nil {
		_, err := s.DB.Exec(ctx, "update mirror_accounts set fault = '', fault_number = '' where account = $1 and fault <> ''", account)
		return err
	}
	m := s.Platform.Means(err)
	now := s.Clock.Now()
	switch {
	case !m.Until.IsZero():
		s.pause(account, m.Until)
	case m.Stop:
		s.pause(account, now.Add(stopWait))
	default:
		s.pause(account, now.Add(faultWait))
	}
	s.Log.WarnContext(ctx, "linked tags have to wait", "account", account, "error", err)
	if !m.Until.IsZero() { // a quota is no fault
		return nil
	}
	code := m.Code
	if code == "" {
		code = errs.CodeOf(err)
	}
	_, err = s.DB.Exec(ctx, "update mirror_accounts set fault = $2, fault_number = $3, fault_at = $4 where account = $1", account, code, m.Number, clock.Ms(now))
	return err
}

// startRead starts reading everybody's tags, unless it goes on already.
func (s *Service) startRead(ctx context.Context, account string) error {
	names, err := s.accountNames(ctx)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		var due int64
		if err := s.DB.QueryRow(ctx, "select read_due from mirror_accounts where account = $1", account).Scan(&due); err != nil {
			return fmt.Errorf("read account: %w", err)
		}
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobRead, Title: names[account], Unit: "colleagues", Params: readInput{Account: account}, Link: "/tags?tab=mirror&account=" + account, Key: jobRead + ":" + account})
		if err != nil {
			return err
		}
		_, err = s.DB.Exec(ctx, "update mirror_accounts set job = $2 where account = $1", account, job.ID)
		return wrap(err, "note a reading")
	})
}

// dueRows are the next friendships to look at.
func (s *Service) dueRows(ctx context.Context, account string) ([]*row, error) {
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from mirror_friends where account = $1 and due > 0 and try_at <= $2 order by try_at, staff, customer limit %d", rowColumns, batch), account, clock.Ms(s.Clock.Now()))
	list, err := db.Collect(rows, err, scanRow)
	return list, wrap(err, "find friendships to compare")
}

// task is what has to be done about one friendship.
type task struct {
	*row
	add, remove []string // theirs
	err         error
	at          int64 // when the call was answered
}

// send compares the next friendships and sends what differs. It tells how many it
// looked at.
func (s *Service) send(ctx context.Context, account string) (int, error) {
	list, err := s.dueRows(ctx, account)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	for _, r := range list {
		if r.reread == 1 && r.live == 1 && r.unsure == "" {
			if err := s.reread(ctx, account, r.customer); err != nil {
				return 0, err
			}
		}
	}
	if slices.ContainsFunc(list, func(r *row) bool { return r.reread == 1 }) { // they are others now
		again, err := s.again(ctx, account, list)
		if err != nil {
			return 0, err
		}
		list = again
	}
	b, err := s.book(ctx, account)
	if err != nil {
		return 0, err
	}
	tasks, clean, err := s.compare(ctx, b, list)
	if err != nil {
		return 0, err
	}
	if err := s.settleClean(ctx, clean); err != nil || len(tasks) == 0 {
		return len(list), err
	}
	if err := s.claim(ctx, tasks); err != nil {
		return 0, err
	}
	var wait sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for i := range tasks {
		free <- struct{}{}
		wait.Go(func() {
			defer func() { <-free }()
			t := &tasks[i]
			t.err = s.Platform.Mark(ctx, account, t.staff, t.customer, t.add, t.remove)
			t.at = clock.Ms(s.Clock.Now())
		})
	}
	wait.Wait()
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return len(list), s.outcomes(keep, account, b, tasks)
}

// again reads rows anew.
func (s *Service) again(ctx context.Context, account string, list []*row) ([]*row, error) {
	customers := make([]string, len(list))
	for i, r := range list {
		customers[i] = r.customer
	}
	rows, err := s.rows(ctx, account, customers)
	if err != nil {
		return nil, err
	}
	out := list[:0]
	for _, r := range list {
		if now := rows[r.key]; now != nil && now.due > 0 {
			out = append(out, now)
		}
	}
	return out, nil
}

// reread asks the platform for a customer's tags, and takes them in.
func (s *Service) reread(ctx context.Context, account, customer string) error {
	read := clock.Ms(s.Clock.Now())
	found, err := s.Platform.On(ctx, account, customer)
	if err != nil {
		m := s.Platform.Means(err)
		if !m.Gone {
			return err
		}
		return s.tx(ctx, "end friendships", func(ctx context.Context) error {
			_, err := s.DB.Exec(ctx, "update mirror_friends set live = 0, held = '', unsure = '', due = 0, reread = 0, fault = '' where account = $1 and customer = $2", account, customer)
			return err
		})
	}
	return s.tx(ctx, "take in tags", func(ctx context.Context) error {
		b, err := s.book(ctx, account)
		if err != nil {
			return err
		}
		rows, err := s.rows(ctx, account, []string{customer})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.unsure == "" && r.reread == 1 {
				r.reread, r.dirty = 0, true
			}
		}
		for _, f := range found {
			if r := rows[key{account, f.Staff, customer}]; r != nil {
				// Nothing of this account is being sent meanwhile: it was read after all calls.
				if _, err := s.observe(ctx, r, b, f.Tags, max(read, r.sentAt+1), nil); err != nil {
					return err
				}
			}
		}
		return s.write(ctx, rows)
	})
}

// compare finds what differs between our tags and those there.
func (s *Service) compare(ctx context.Context, b book, list []*row) (tasks []task, clean []*row, err error) {
	nums := make([]int64, len(list))
	for i, r := range list {
		nums[i] = r.contact
	}
	ours, err := s.Contacts.TagsOf(ctx, nums, b.tags)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range list {
		var want []string
		for _, tag := range ours[r.contact] {
			want = append(want, b.id[tag])
		}
		held, unsure := b.linked(unpack(r.held)), b.linked(unpack(r.unsure))
		t := task{row: r}
		for _, id := range want {
			if !slices.Contains(held, id) || slices.Contains(unsure, id) {
				t.add = append(t.add, id)
			}
		}
		for _, id := range slices.Concat(held, unsure) {
			if !slices.Contains(want, id) && !slices.Contains(t.remove, id) {
				t.remove = append(t.remove, id)
			}
		}
		t.add, t.remove = t.add[:min(len(t.add), MarkAtOnce)], t.remove[:min(len(t.remove), MarkAtOnce)]
		if r.live == 0 || len(t.add)+len(t.remove) == 0 {
			clean = append(clean, r)
			continue
		}
		tasks = append(tasks, t)
	}
	return tasks, clean, nil
}

// settleClean notes that nothing differs. What was asked for since stays asked for.
func (s *Service) settleClean(ctx context.Context, list []*row) error {
	if len(list) == 0 {
		return nil
	}
	return s.tx(ctx, "settle friendships", func(ctx context.Context) error {
		for _, r := range list {
			_, err := s.DB.Exec(ctx, "update mirror_friends set due = case when due = $4 and reread = 0 then 0 else due end, unsure = '', tries = 0, fault = '' where account = $1 and staff = $2 and customer = $3", r.account, r.staff, r.customer, r.due)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// claim notes which tags are about to be named, before they are.
func (s *Service) claim(ctx context.Context, tasks []task) error {
	return s.tx(ctx, "note what is sent", func(ctx context.Context) error {
		for i := range tasks {
			t := &tasks[i]
			ids := slices.Concat(unpack(t.unsure), t.add, t.remove)
			slices.Sort(ids)
			t.unsure = pack(slices.Compact(ids))
			if _, err := s.DB.Exec(ctx, "update mirror_friends set unsure = $4 where account = $1 and staff = $2 and customer = $3", t.account, t.staff, t.customer, t.unsure); err != nil {
				return err
			}
		}
		return nil
	})
}

// outcomes keeps what became of calls, and gives the error that stops the account.
func (s *Service) outcomes(ctx context.Context, account string, b book, tasks []task) error {
	var stop error
	sent := 0
	err := s.tx(ctx, "keep what was sent", func(ctx context.Context) error {
		stop, sent = nil, 0
		for _, t := range tasks {
			if t.err == nil {
				sent += len(t.add) + len(t.remove)
				if err := s.done(ctx, b, t); err != nil {
					return err
				}
				continue
			}
			fatal, err := s.failed(ctx, t)
			if err != nil {
				return err
			}
			if fatal {
				stop = errors.Join(stop, t.err)
			}
		}
		_, err := s.DB.Exec(ctx, "update mirror_accounts set sent = sent + $2 where account = $1", account, sent)
		return err
	})
	if err != nil {
		return err
	}
	return stop
}

// done keeps that a call was done: what it named is known now.
func (s *Service) done(ctx context.Context, b book, t task) error {
	held := slices.DeleteFunc(b.linked(slices.Concat(unpack(t.held), t.add)), func(id string) bool { return slices.Contains(t.remove, id) })
	_, err := s.DB.Exec(ctx, `update mirror_friends set held = $4, unsure = '', sent_at = $5, due = case when due = $6 and $7 = 0 and reread = 0 then 0 else due end, tries = 0, try_at = 0, fault = '', fault_number = ''
		where account = $1 and staff = $2 and customer = $3 and live = 1`, t.account, t.staff, t.customer, pack(held), t.at, t.due, flag(len(t.add) == MarkAtOnce || len(t.remove) == MarkAtOnce))
	return err
}

// failed keeps that a call was not done, or that nobody knows; fatal says that the
// others of the account fare no better.
func (s *Service) failed(ctx context.Context, t task) (fatal bool, err error) {
	m := s.Platform.Means(t.err)
	set := func(query string, args ...any) error {
		_, err := s.DB.Exec(ctx, "update mirror_friends set "+query+" where account = $1 and staff = $2 and customer = $3", append([]any{t.account, t.staff, t.customer}, args...)...)
		return err
	}
	now := s.Clock.Now()
	switch {
	case !m.Until.IsZero() || m.Stop:
		return true, nil
	case m.Gone:
		return false, set("live = 0, held = '', unsure = '', due = 0, reread = 0, fault = '', fault_number = ''")
	case m.NoTag: // the list of tags is old; what the call named was not done
		if err := s.wantList(ctx, t.account); err != nil {
			return false, err
		}
		return false, set("tries = tries + 1, try_at = $4, fault = $5, fault_number = $6", clock.Ms(now.Add(noTag)), m.Code, m.Number)
	}
	next := int64(never)
	if int(t.tries) < len(pauses) {
		next = clock.Ms(now.Add(pauses[t.tries]))
	}
	return !m.Final, set("tries = tries + 1, try_at = $4, fault = $5, fault_number = $6", next, m.Code, m.Number)
}
