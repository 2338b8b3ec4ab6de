package shop

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/platform/db"
)

// Known tells which of the order numbers of a source have a payment on record,
// and by which import it came ("" when it came otherwise).
func (s *Service) Known(ctx context.Context, source string, numbers []string) (map[string]string, error) {
	out := map[string]string{}
	err := inChunks(numbers, func(part []string) error {
		orders, err := s.ordersWhere(ctx, "source = $1 and payment <> '' and number in ("+db.In(2, len(part))+")", anys([]any{source}, part)...)
		for _, o := range orders {
			out[o.Number] = o.ImportID
		}
		return err
	})
	return out, err
}

// KnownRefunds is Known for refunds with a number of their own.
func (s *Service) KnownRefunds(ctx context.Context, source string, numbers []string) (map[string]string, error) {
	out := map[string]string{}
	err := inChunks(numbers, func(part []string) error {
		rows, err := s.DB.Query(ctx, `select r.number, r.import_id from order_refunds r join orders o on o.num = r.order_num
			where o.source = $1 and r.number in (`+db.In(2, len(part))+`)`, anys([]any{source}, part)...)
		if err != nil {
			return fmt.Errorf("read refunds: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var number, imp string
			if err := rows.Scan(&number, &imp); err != nil {
				return err
			}
			out[number] = imp
		}
		return rows.Err()
	})
	return out, err
}

// DeleteImport takes back every payment and refund that came by an import, in
// transactions of at most 500 records, and calls progress with how many
// records are done so far. Records that other facts made too stay with what is
// left of them. Running it again goes on where it stopped.
func (s *Service) DeleteImport(ctx context.Context, importID string, progress func(done int64)) (int64, error) {
	if importID == "" {
		return 0, nil
	}
	done := int64(0)
	for {
		n, err := s.deleteSome(ctx, importID)
		if err != nil {
			return done, fmt.Errorf("take back orders of %s: %w", importID, err)
		}
		if n == 0 {
			return done, nil
		}
		done += int64(n)
		if progress != nil {
			progress(done)
		}
	}
}

func (s *Service) deleteSome(ctx context.Context, importID string) (n int, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.Contacts.Survivors(ctx, nil); err != nil { // waits until no order fact and no merge is being handled
			return err
		}
		orders, err := s.ordersWhere(ctx, `num in (select num from orders where import_id = $1 and import_id <> '')
			or num in (select order_num from order_refunds where import_id = $1 and import_id <> '') order by num limit 500`, importID)
		if err != nil || len(orders) == 0 {
			return err
		}
		n = len(orders)
		set := newRecordSet()
		if err := s.addRecords(ctx, set, orders); err != nil {
			return err
		}
		var whole, paidOnly []int64
		var part []refund
		for _, r := range set.order {
			set.touch(r.Contact)
			paidGone := r.payment != "" && r.ImportID == importID
			part = append(part, r.takeBack(importID, set)...)
			switch {
			case r.payment == "" && len(r.refunds) == 0:
				whole = append(whole, r.num)
			case paidGone:
				paidOnly = append(paidOnly, r.num)
			}
		}
		if err := s.deleteParts(ctx, whole, paidOnly, part); err != nil {
			return err
		}
		set.order = slices.DeleteFunc(set.order, func(r *record) bool { return r.payment == "" && len(r.refunds) == 0 })
		return s.save(ctx, set)
	})
	return n, err
}

// takeBack removes what the import brought from a record and returns the refunds that go.
func (r *record) takeBack(importID string, set *recordSet) (gone []refund) {
	if r.payment != "" && r.ImportID == importID {
		r.payment, r.ImportID, r.Total = "", "", 0
	}
	r.refunds = slices.DeleteFunc(r.refunds, func(x refund) bool {
		if x.importID != importID {
			return false
		}
		set.touch(x.contact)
		gone = append(gone, x)
		return true
	})
	slices.SortStableFunc(r.refunds, byTime)
	r.changed = true
	if r.payment != "" || len(r.refunds) > 0 {
		r.settle(r.refunds)
	}
	return gone
}

func (s *Service) deleteParts(ctx context.Context, whole, paidOnly []int64, refunds []refund) error {
	err := inChunks(whole, func(part []int64) error {
		in := " in (" + db.In(1, len(part)) + ")"
		_, e1 := s.DB.Exec(ctx, "delete from order_lines where order_num"+in, anys(nil, part)...)
		_, e2 := s.DB.Exec(ctx, "delete from order_refunds where order_num"+in, anys(nil, part)...)
		_, e3 := s.DB.Exec(ctx, "delete from orders where num"+in, anys(nil, part)...)
		return cmp.Or(e1, e2, e3)
	})
	if err != nil {
		return err
	}
	err = inChunks(paidOnly, func(part []int64) error {
		_, err := s.DB.Exec(ctx, "delete from order_lines where part = '' and order_num in ("+db.In(1, len(part))+")", anys(nil, part)...)
		return err
	})
	if err != nil {
		return err
	}
	gone := map[int64]bool{}
	for _, n := range whole {
		gone[n] = true
	}
	for _, x := range refunds {
		if gone[x.orderNum] {
			continue
		}
		_, e1 := s.DB.Exec(ctx, "delete from order_lines where order_num = $1 and part = $2", x.orderNum, x.key)
		_, e2 := s.DB.Exec(ctx, "delete from order_refunds where order_num = $1 and refund_key = $2", x.orderNum, x.key)
		if err := cmp.Or(e1, e2); err != nil {
			return err
		}
	}
	return nil
}
