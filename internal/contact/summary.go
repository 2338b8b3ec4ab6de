package contact

import (
	"context"
	"fmt"
	"slices"
)

// OrderSummary is what a contact's orders come to (package shop keeps the orders).
type OrderSummary struct {
	Num             int64
	Orders          int64
	Revenue         []Revenue // by currency; Orders in it may be 0 when unknown
	FirstAt, LastAt int64     // UTC ms of the first and last payment; 0: none
}

// SetOrderSummary replaces what contacts show of their orders, inside the
// transaction that changed the orders. main is the company's currency, by which
// the list sorts; a contact without any of it is sorted by the largest amount it
// has. A merged contact's summary goes nowhere: its orders are the survivor's.
func (s *Service) SetOrderSummary(ctx context.Context, main string, sums []OrderSummary) error {
	if len(sums) == 0 {
		return nil
	}
	if err := lock(ctx, s.DB); err != nil {
		return err
	}
	sums = slices.Clone(sums)
	slices.SortFunc(sums, func(a, b OrderSummary) int { return int(a.Num - b.Num) })
	var encodeErr error
	err := updateMany(ctx, s.DB, "contacts", `orders = {orders}, revenue = {revenue}, revenue_main = {main}, first_order_at = {first}, last_order_at = {last}`,
		"contacts.num = {num} and contacts.merged_into = 0", columns("num:n orders:n revenue main:n first:n last:n"), len(sums), func(i int) []any {
			o := sums[i]
			revenue, err := encodeRevenue(o.Revenue)
			if err != nil {
				encodeErr = err
			}
			return []any{o.Num, o.Orders, revenue, mainAmount(o.Revenue, main), o.FirstAt, o.LastAt}
		})
	if encodeErr != nil {
		return encodeErr
	}
	if err != nil {
		return fmt.Errorf("set order summaries: %w", err)
	}
	return nil
}

func mainAmount(rs []Revenue, main string) (most int64) {
	for _, r := range rs {
		if r.Currency == main {
			return r.Amount
		}
		most = max(most, r.Amount)
	}
	return most
}
