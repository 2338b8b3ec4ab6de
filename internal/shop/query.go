package shop

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Query asks for orders, newest first. Zero values mean any.
type Query struct {
	Number   string // the beginning of an order number, or the whole number of a refund; letter case does not matter
	Contact  int64
	State    State
	First    string // channel of the first touch, those below it included
	Last     string
	From, To time.Time // paid at, half open
	After    *Cursor
	Limit    int
	Lines    int // at most so many lines of each order; 0 leaves them out
}

// Cursor is the last order of the page before.
type Cursor struct {
	PaidAt int64 `json:"p"`
	Num    int64 `json:"n"`
}

// CursorOf is where a list goes on after o.
func CursorOf(o Order) Cursor { return Cursor{clock.Ms(o.PaidAt), o.num} }

// fewBuyers is how many contacts are named in a query: of more, orders are
// dense enough to be found by walking all orders and skipping the rest.
const fewBuyers = 5000

// List answers a query, with the orders of contacts whom the caller may see.
func (s *Service) List(ctx context.Context, q Query) ([]Order, error) {
	if auth.ScopeOf(ctx).All {
		return s.list(ctx, q, nil)
	}
	if q.Contact == 0 {
		nums, few, err := s.Contacts.ScopeNums(ctx, fewBuyers)
		if err != nil || few {
			if len(nums) == 0 {
				return nil, err
			}
			return s.list(ctx, q, nums)
		}
	}
	var out []Order
	step := q
	for step.Limit = max(q.Limit, 200); ; {
		some, err := s.list(ctx, step, nil)
		if err != nil {
			return nil, err
		}
		seen, err := s.seen(ctx, some)
		if err != nil {
			return nil, err
		}
		if out = append(out, seen...); len(out) >= q.Limit {
			return out[:q.Limit], nil
		}
		if len(some) < step.Limit {
			return out, nil
		}
		after := CursorOf(some[len(some)-1])
		step.After = &after
	}
}

// seen picks the orders of contacts whom the caller may see.
func (s *Service) seen(ctx context.Context, orders []Order) ([]Order, error) {
	nums := make([]int64, 0, len(orders))
	for _, o := range orders {
		if o.Contact != 0 {
			nums = append(nums, o.Contact)
		}
	}
	slices.Sort(nums)
	nums, err := s.Contacts.InScope(ctx, slices.Compact(nums))
	if err != nil {
		return nil, err
	}
	slices.Sort(nums)
	var out []Order
	for _, o := range orders {
		if _, ok := slices.BinarySearch(nums, o.Contact); ok {
			out = append(out, o)
		}
	}
	return out, nil
}

// list answers a query, of these contacts alone when they are named.
func (s *Service) list(ctx context.Context, q Query, of []int64) ([]Order, error) {
	var where []string
	var args []any
	and := func(cond string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			cond = strings.Replace(cond, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, cond)
	}
	if n := strings.ToLower(strings.TrimSpace(q.Number)); n != "" {
		and("(number_key >= ? and number_key < ? or num in (select order_num from order_refunds where number = ?))", n, n+"\U0010ffff", strings.TrimSpace(q.Number))
	}
	if q.Contact != 0 {
		and("contact = ?", q.Contact)
	}
	if len(of) > 0 {
		args = anys(args, of)
		where = append(where, "contact in ("+db.In(len(args)-len(of)+1, len(of))+")")
	}
	if q.State != "" {
		and("state = ?", string(q.State))
	}
	for column, channel := range map[string]string{"first_channel": q.First, "last_channel": q.Last} {
		if channel == "" {
			continue
		}
		ids := []string{channel}
		if s.Below != nil {
			ids = s.Below(channel)
		}
		if slices.Contains(ids, contact.Unknown) {
			ids = append(slices.Clone(ids), "")
		}
		args = anys(args, ids)
		where = append(where, column+" in ("+db.In(len(args)-len(ids)+1, len(ids))+")")
	}
	if !q.From.IsZero() {
		and("paid_at >= ?", clock.Ms(q.From))
	}
	if !q.To.IsZero() {
		and("paid_at < ?", clock.Ms(q.To))
	}
	if q.After != nil {
		and("(paid_at, num) < (?, ?)", q.After.PaidAt, q.After.Num)
	}
	if len(where) == 0 {
		where = append(where, "1 = 1")
	}
	args = append(args, q.Limit)
	orders, err := s.ordersWhere(ctx, strings.Join(where, " and ")+fmt.Sprintf(" order by paid_at desc, num desc limit $%d", len(args)), args...)
	if err != nil || q.Lines == 0 {
		return orders, err
	}
	return orders, s.fillLines(ctx, orders, q.Lines)
}

// Get reads one order by its public id with its lines. An order of a contact
// whom the caller may not see is not found.
func (s *Service) Get(ctx context.Context, id string) (Order, error) {
	orders, err := s.ordersWhere(ctx, "id = $1", id)
	if err != nil {
		return Order{}, err
	}
	if !auth.ScopeOf(ctx).All {
		if orders, err = s.seen(ctx, orders); err != nil {
			return Order{}, err
		}
	}
	if len(orders) == 0 {
		return Order{}, errs.New(errs.NotFound, "order.not_found")
	}
	return orders[0], s.fillLines(ctx, orders, maxLines)
}

// fillLines reads the lines that were paid, or given back for a refund without order.
func (s *Service) fillLines(ctx context.Context, orders []Order, limit int) error {
	at := map[int64]*Order{}
	nums := make([]int64, len(orders))
	for i := range orders {
		at[orders[i].num], nums[i] = &orders[i], orders[i].num
	}
	err := inChunks(nums, func(part []int64) error {
		rows, err := s.DB.Query(ctx, "select order_num, part, sku, name, quantity, price, amount from order_lines where n < $1 and order_num in ("+
			db.In(2, len(part))+") order by order_num, part, n", anys([]any{limit}, part)...)
		_, err = db.Collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var num int64
			var of string
			var l Line
			err := rows.Scan(&num, &of, &l.SKU, &l.Name, &l.Quantity, &l.Price, &l.Amount)
			if o := at[num]; err == nil && (of == "" || o.Type == TypeRefund) && len(o.Lines) < limit {
				o.Lines = append(o.Lines, l)
			}
			return struct{}{}, err
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("read order lines: %w", err)
	}
	return nil
}

// Total is what the records of one currency come to.
type Total struct {
	Currency string
	Orders   int64 // paid orders
	Refunds  int64 // times something was given back
	Paid     int64 // minor units
	Refunded int64
}

// Revenue is what was paid less what was given back.
func (t Total) Revenue() int64 { return t.Paid - t.Refunded }

// Totals sums payments by when they were made and refunds by when they were
// made, within [from, to); zero times are open ends. Sorted by currency.
func (s *Service) Totals(ctx context.Context, from, to time.Time) ([]Total, error) {
	lo, hi := int64(-1<<62), int64(1<<62)
	if !from.IsZero() {
		lo = clock.Ms(from)
	}
	if !to.IsZero() {
		hi = clock.Ms(to)
	}
	rows, err := s.DB.Query(ctx, `select currency, sum(orders), sum(paid), sum(refunds), sum(refunded) from (
			select currency, 1 as orders, total as paid, 0 as refunds, 0 as refunded from orders where type = 'order' and paid_at >= $1 and paid_at < $2
			union all
			select currency, 0, 0, 1, amount from order_refunds where refunded_at >= $1 and refunded_at < $2) m
		group by currency order by currency`, lo, hi)
	out, err := db.Collect(rows, err, func(rows *sql.Rows) (Total, error) {
		var t Total
		err := rows.Scan(&t.Currency, &t.Orders, &t.Paid, &t.Refunds, &t.Refunded)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("total orders: %w", err)
	}
	return out, nil
}
