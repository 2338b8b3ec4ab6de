package shop

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

const orderColumns = "num, id, source, number, contact, home, payment, state, type, currency, total, refunded, paid_at, line_count, import_id, first_channel, last_channel, touch_due"

func scanOrder(r interface{ Scan(...any) error }) (Order, error) {
	var o Order
	var paid, due int64
	err := r.Scan(&o.num, &o.ID, &o.Source, &o.Number, &o.Contact, &o.home, &o.payment, &o.State, &o.Type, &o.Currency,
		&o.Total, &o.Refunded, &paid, &o.LineCount, &o.ImportID, &o.First, &o.Last, &due)
	o.PaidAt, o.TouchDue = clock.FromMs(paid), due > 0
	return o, err
}

func scanOrders(rows *sql.Rows) (Order, error) { return scanOrder(rows) }

// load reads the records that the movements concern, with their refunds.
func (s *Service) load(ctx context.Context, moves []movement) (*recordSet, error) {
	set := newRecordSet()
	bySource := map[string][]string{}
	seen := map[recordKey]bool{}
	for i := range moves {
		k := recordKey{moves[i].source, moves[i].number}
		if !seen[k] {
			seen[k] = true
			bySource[k.source] = append(bySource[k.source], k.number)
		}
	}
	for source, numbers := range bySource {
		err := inChunks(numbers, func(part []string) error {
			orders, err := s.ordersWhere(ctx, "source = $1 and number in ("+db.In(2, len(part))+") order by num", anys([]any{source}, part)...)
			if err != nil {
				return err
			}
			return s.addRecords(ctx, set, orders)
		})
		if err != nil {
			return nil, err
		}
	}
	return set, nil
}

func (s *Service) ordersWhere(ctx context.Context, where string, args ...any) ([]Order, error) {
	rows, err := s.DB.Query(ctx, "select "+orderColumns+" from orders where "+where, args...)
	orders, err := db.Collect(rows, err, scanOrders)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	return orders, nil
}

func (s *Service) addRecords(ctx context.Context, set *recordSet, orders []Order) error {
	nums := make([]int64, len(orders))
	byNum := map[int64]*record{}
	for i, o := range orders {
		r := &record{Order: o}
		set.add(r)
		byNum[o.num], nums[i] = r, o.num
	}
	return inChunks(nums, func(part []int64) error {
		rows, err := s.DB.Query(ctx, `select order_num, refund_key, number, contact, home, currency, amount, whole, refunded_at, import_id,
			(select count(*) from order_lines l where l.order_num = r.order_num and l.part = r.refund_key)
			from order_refunds r where order_num in (`+db.In(1, len(part))+`) order by order_num, refunded_at, refund_key`, anys(nil, part)...)
		_, err = db.Collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var x refund
			var all int64
			err := rows.Scan(&x.orderNum, &x.key, &x.number, &x.contact, &x.home, &x.currency, &x.amount, &all, &x.at, &x.importID, &x.lineCount)
			x.whole = all == 1
			if r := byNum[x.orderNum]; r != nil {
				r.refunds = append(r.refunds, x)
			}
			return struct{}{}, err
		})
		if err != nil {
			return fmt.Errorf("read refunds: %w", err)
		}
		return nil
	})
}

// save writes every changed record and then the summaries of touched contacts.
func (s *Service) save(ctx context.Context, set *recordSet) error {
	if err := s.number(ctx, set); err != nil {
		return err
	}
	now := s.Clock.Now().UnixMilli()
	var orders, lines, refunds []any
	for _, r := range set.order {
		if !r.changed {
			continue
		}
		orders = append(orders, r.num, r.ID, r.Source, r.Number, strings.ToLower(r.Number), r.Contact, r.home, r.payment, string(r.State), string(r.Type),
			r.Currency, r.Total, r.Refunded, clock.Ms(r.PaidAt), r.LineCount, r.ImportID, now)
		lines = appendLines(lines, r.num, "", r.newLines)
		for _, x := range r.refunds {
			if x.fresh {
				lines = appendLines(lines, r.num, x.key, x.lines)
			}
			if x.fresh || x.dirty {
				refunds = append(refunds, r.num, x.key, x.number, x.contact, x.home, x.currency, x.amount, bit(x.whole), x.at, x.importID)
			}
		}
	}
	err := bulk(ctx, s.DB, "insert into orders (num, id, source, number, number_key, contact, home, payment, state, type, currency, total, refunded, paid_at, line_count, import_id, updated_at)", 17,
		`on conflict (source, number) do update set contact = excluded.contact, home = excluded.home, payment = excluded.payment, state = excluded.state, type = excluded.type,
		currency = excluded.currency, total = excluded.total, refunded = excluded.refunded, paid_at = excluded.paid_at, line_count = excluded.line_count,
		import_id = excluded.import_id, updated_at = excluded.updated_at, touch_due = orders.touch_due + 1`, orders)
	if err != nil {
		return err
	}
	if err := bulk(ctx, s.DB, "insert into order_lines (order_num, part, n, sku, name, quantity, price, amount)", 8, "", lines); err != nil {
		return err
	}
	err = bulk(ctx, s.DB, "insert into order_refunds (order_num, refund_key, number, contact, home, currency, amount, whole, refunded_at, import_id)", 10,
		"on conflict (order_num, refund_key) do update set contact = excluded.contact, home = excluded.home, currency = excluded.currency, amount = excluded.amount", refunds)
	if err != nil {
		return err
	}
	return s.summarise(ctx, set.touched)
}

// number gives fresh records their place and public id.
func (s *Service) number(ctx context.Context, set *recordSet) error {
	n := int64(0)
	for _, r := range set.order {
		if r.fresh {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	next, err := s.DB.Reserve(ctx, "orders", n)
	if err != nil {
		return err
	}
	for _, r := range set.order {
		if r.fresh {
			r.num, r.ID = next, s.IDs.New("or")
			next++
		}
	}
	return nil
}

func appendLines(args []any, num int64, part string, lines []Line) []any {
	for i, l := range lines {
		args = append(args, num, part, int64(i), l.SKU, l.Name, l.Quantity, l.Price, l.Amount)
	}
	return args
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
