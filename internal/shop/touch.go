package shop

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/rounds"
)

// TouchAsk asks by which channels a contact had come until a moment.
type TouchAsk struct {
	Contact int64
	At      int64 // UTC ms
}

// Touched is the answer: "" for a touch that nothing tells of.
type Touched struct{ First, Last string }

// Touches answers from the facts (the analytics store does).
type Touches interface {
	OrderTouches(ctx context.Context, asks []TouchAsk, window time.Duration) ([]Touched, error)
}

const (
	touchRound = 5 * time.Second
	touchBatch = 20_000
	// mostTouchDays bounds the window; 0 is none.
	mostTouchDays = 730
	jobTouches    = "shop.touches"
)

// Start keeps the touches of orders true: what is due is worked out in rounds.
func (s *Service) Start(ctx context.Context) error {
	if s.Touches == nil {
		return nil
	}
	s.run.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, touchRound, nil, func(ctx context.Context) {
			if err := s.SettleTouches(ctx, nil); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "the channels of orders were not worked out", "error", err)
			}
		})
	})
	return nil
}

// Stop ends the rounds.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	return nil
}

// RegisterJobs sets the handler of the job that works out all orders anew. Call it
// while wiring.
func (s *Service) RegisterJobs() { s.Jobs.Register(jobTouches, s.runTouches) }

type dueOrder struct {
	num, contact, at, due int64
}

// SettleTouches works out whatever is due, in portions: one question to the facts
// for each, whatever the number of orders in it.
func (s *Service) SettleTouches(ctx context.Context, progress func(done int64)) error {
	s.settling.Lock()
	defer s.settling.Unlock()
	set, err := s.TouchSettings(ctx)
	if err != nil {
		return err
	}
	after, done := int64(0), int64(0)
	for {
		rows, err := s.DB.Query(ctx, "select num, contact, paid_at, touch_due from orders where touch_due > 0 and num > $1 order by num limit $2", after, touchBatch)
		list, err := db.Collect(rows, err, func(r *sql.Rows) (o dueOrder, err error) {
			return o, r.Scan(&o.num, &o.contact, &o.at, &o.due)
		})
		if err != nil {
			return fmt.Errorf("read orders whose channels are due: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		asks := make([]TouchAsk, len(list))
		for i, o := range list {
			asks[i] = TouchAsk{o.contact, o.at}
		}
		got, err := s.Touches.OrderTouches(ctx, asks, time.Duration(set.Days)*24*time.Hour)
		if err != nil {
			return err
		}
		if err := s.keepTouches(ctx, list, got); err != nil {
			return err
		}
		after = list[len(list)-1].num
		if done += int64(len(list)); progress != nil {
			progress(done)
		}
	}
}

// keepTouches writes the answers, many orders with one statement: there are few
// pairs of channels. What became due again meanwhile stays due.
func (s *Service) keepTouches(ctx context.Context, list []dueOrder, got []Touched) error {
	type same struct {
		Touched
		due int64
	}
	groups := map[same][]int64{}
	var order []same
	for i, o := range list {
		k := same{got[i], o.due}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], o.num)
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, k := range order {
			err := inChunks(groups[k], func(part []int64) error {
				_, err := s.DB.Exec(ctx, "update orders set first_channel = $1, last_channel = $2, touch_due = case when touch_due = $3 then 0 else touch_due end where num in ("+db.In(4, len(part))+")",
					anys([]any{k.First, k.Last, k.due}, part)...)
				return err
			})
			if err != nil {
				return fmt.Errorf("keep the channels of orders: %w", err)
			}
		}
		return nil
	})
}

// TouchFollower is the subscriber that sees what changes the touches of orders:
// facts that come late, and people who become one or two.
func (s *Service) TouchFollower() event.Subscriber { return toucher{s} }

type toucher struct{ s *Service }

// Name implements event.Subscriber.
func (toucher) Name() string { return "shop.touches" }

// BeginsNow implements event.Newcomer: all orders are due when this first runs.
func (toucher) BeginsNow() {}

// Handle implements event.Subscriber; Prepare is what the pipeline calls.
func (t toucher) Handle(ctx context.Context, facts []event.Stored) error {
	return t.Prepare(ctx, facts, func(write func(ctx context.Context) error) error { return write(ctx) })
}

// Prepare implements event.Preparer. Most facts come after the orders before them,
// and cost one look for orders by many contacts.
func (t toucher) Prepare(ctx context.Context, facts []event.Stored, commit func(write func(ctx context.Context) error) error) error {
	since := map[int64]int64{}
	add := func(contact, at int64) {
		if old, ok := since[contact]; contact != 0 && (!ok || at < old) {
			since[contact] = at
		}
	}
	for i := range facts {
		switch f := &facts[i]; {
		case f.Name == event.NameContactMerged || f.Name == event.NameContactSplit:
			add(f.Contact, 0)
		case f.Channel != "" && !event.Administrative(f.Name):
			add(f.Contact, f.Timestamp)
		}
	}
	due, err := t.touched(ctx, since)
	if err != nil || len(due) == 0 {
		return err
	}
	return commit(func(ctx context.Context) error { return t.s.markDue(ctx, due) })
}

func (t toucher) touched(ctx context.Context, since map[int64]int64) (due []int64, err error) {
	nums := make([]int64, 0, len(since))
	for n := range since {
		nums = append(nums, n)
	}
	into, err := t.s.Contacts.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	for from, to := range into {
		at, ok := since[from]
		if old, there := since[to]; ok && (!there || at < old) {
			since[to] = at
		}
	}
	nums = nums[:0]
	for n := range since {
		nums = append(nums, n)
	}
	slices.Sort(nums)
	err = inChunks(nums, func(part []int64) error {
		rows, err := t.s.DB.Query(ctx, "select num, contact, paid_at from orders where contact in ("+db.In(1, len(part))+")", anys(nil, part)...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var num, contact, at int64
			if err = r.Scan(&num, &contact, &at); err == nil && at >= since[contact] {
				due = append(due, num)
			}
			return x, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for orders that a fact concerns: %w", err)
	}
	slices.Sort(due)
	return due, nil
}

func (s *Service) markDue(ctx context.Context, nums []int64) error {
	return inChunks(nums, func(part []int64) error {
		if _, err := s.DB.Exec(ctx, "update orders set touch_due = touch_due + 1 where num in ("+db.In(1, len(part))+")", anys(nil, part)...); err != nil {
			return fmt.Errorf("mark orders whose channels are due: %w", err)
		}
		return nil
	})
}

// TouchSettings say which touch counts as an order's last one.
type TouchSettings struct {
	Days int   `json:"days" minimum:"0" maximum:"730" doc:"A touch so many days before the order still counts; 0: however old"`
	Due  int64 `json:"due" doc:"Orders whose channels are being worked out"`
}

// TouchSettings gives the window, and how many orders are being worked out.
func (s *Service) TouchSettings(ctx context.Context) (t TouchSettings, err error) {
	err = s.DB.QueryRow(ctx, "select touch_days, (select count(*) from orders where touch_due > 0) from order_settings where one = 1").Scan(&t.Days, &t.Due)
	if err != nil {
		return t, fmt.Errorf("read settings of orders: %w", err)
	}
	return t, nil
}

// SetTouchDays changes the window; all orders are worked out anew, as a job.
func (s *Service) SetTouchDays(ctx context.Context, days int) (TouchSettings, error) {
	if days < 0 || days > mostTouchDays {
		return TouchSettings{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("days", "order.bad_window", "limit", mostTouchDays))
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "update order_settings set touch_days = $1 where one = 1", days); err != nil {
			return fmt.Errorf("keep settings of orders: %w", err)
		}
		if _, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobTouches, Title: "touches", Unit: "orders", Link: "/channels", Key: jobTouches}); err != nil {
			return err
		}
		if s.Audit == nil {
			return nil
		}
		return s.Audit.Record(ctx, "order.window_changed", audit.Object{Type: "setting", ID: "order_touches"}, map[string]any{"days": days})
	})
	if err != nil {
		return TouchSettings{}, err
	}
	return s.TouchSettings(ctx)
}

// runTouches makes every order due, a stretch at a time, and works them out.
func (s *Service) runTouches(ctx context.Context, run jobs.Run) error {
	var last int64
	if err := s.DB.QueryRow(ctx, "select coalesce(max(num), 0) from orders").Scan(&last); err != nil {
		return fmt.Errorf("count orders: %w", err)
	}
	run.Progress(0, last)
	for from := int64(0); from < last; from += touchBatch {
		if run.Cancelled() || ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := s.DB.Exec(ctx, "update orders set touch_due = touch_due + 1 where num > $1 and num <= $2", from, from+touchBatch); err != nil {
			return fmt.Errorf("mark orders whose channels are due: %w", err)
		}
	}
	if err := s.SettleTouches(ctx, func(done int64) { run.Progress(min(done, last), last) }); err != nil {
		return err
	}
	return run.Result(map[string]int64{"orders": last})
}

// Sold is what orders of one channel came to, in one currency.
type Sold struct {
	Orders  int64
	Revenue int64 // paid less given back in the period, minor units
}

// SoldBy sums a period up by the first or, with last, the last touch of each order.
// Whichever it is, the sums over all channels are the same.
func (s *Service) SoldBy(ctx context.Context, from, to time.Time, currency string, last bool) (map[string]Sold, error) {
	column := "first_channel"
	if last {
		column = "last_channel"
	}
	rows, err := s.DB.Query(ctx, `select ch, sum(n), sum(amount) from (
			select `+column+` as ch, count(*) as n, sum(total) as amount from orders where type = 'order' and currency = $1 and paid_at >= $2 and paid_at < $3 group by `+column+`
			union all
			select o.`+column+`, 0, -sum(r.amount) from order_refunds r join orders o on o.num = r.order_num where r.currency = $1 and r.refunded_at >= $2 and r.refunded_at < $3 group by o.`+column+`) m
		group by ch`, currency, clock.Ms(from), clock.Ms(to))
	out := map[string]Sold{}
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var ch string
		var v Sold
		err = r.Scan(&ch, &v.Orders, &v.Revenue)
		if ch == "" {
			ch = contact.Unknown
		}
		old := out[ch]
		out[ch] = Sold{old.Orders + v.Orders, old.Revenue + v.Revenue}
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("sum orders up by channel: %w", err)
	}
	return out, nil
}
