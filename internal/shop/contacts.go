package shop

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/db"
)

// Move says that a contact is now part of another.
type Move struct{ From, Into int64 }

// MoveContacts gives the orders of merged contacts to those they are part of
// now, in the transaction of the merge and in the order of the merges. The
// order summaries are package contact's to add up: it knows both sides.
func (s *Service) MoveContacts(ctx context.Context, moves []Move) error {
	into := map[int64]int64{}
	var froms []int64
	for _, m := range moves {
		if m.From == m.Into || m.From == 0 || m.Into == 0 {
			continue
		}
		for from, to := range into { // 1 into 2, then 2 into 3
			if to == m.From {
				into[from] = m.Into
			}
		}
		into[m.From] = m.Into
		froms = append(froms, m.From)
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		return inChunks(froms, func(part []int64) error {
			in := "(" + db.In(1, len(part)) + ")"
			// most merged contacts are visitors without orders: one look for all of them
			rows, err := s.DB.Query(ctx, "select contact from orders where contact in "+in+" union select contact from order_refunds where contact in "+in, anys(nil, part)...)
			buyers, err := db.Collect(rows, err, func(rows *sql.Rows) (n int64, err error) { return n, rows.Scan(&n) })
			if err != nil {
				return fmt.Errorf("find orders of merged contacts: %w", err)
			}
			for _, from := range buyers {
				const set = " set contact = $2, home = case when home = 0 then $1 else home end where contact = $1"
				_, e1 := s.DB.Exec(ctx, "update orders"+set, from, into[from])
				_, e2 := s.DB.Exec(ctx, "update order_refunds"+set, from, into[from])
				if err := cmp.Or(e1, e2); err != nil {
					return fmt.Errorf("move orders of a contact: %w", err)
				}
			}
			return nil
		})
	})
}

// SplitContact gives a contact that stands alone again the orders that came to
// one of its members, whatever merge moved them, in the transaction of the
// split; who it was part of keeps the others. Both are summed up anew.
func (s *Service) SplitContact(ctx context.Context, contact, from int64, members []int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		err := inChunks(members, func(part []int64) error {
			where := " set contact = $1 where contact = $2 and home in (" + db.In(3, len(part)) + ")"
			_, e1 := s.DB.Exec(ctx, "update orders"+where, anys([]any{contact, from}, part)...)
			_, e2 := s.DB.Exec(ctx, "update order_refunds"+where, anys([]any{contact, from}, part)...)
			return cmp.Or(e1, e2)
		})
		if err != nil {
			return fmt.Errorf("give back orders of a contact: %w", err)
		}
		return s.summarise(ctx, map[int64]bool{contact: true, from: true})
	})
}

// EraseContacts removes every order of the contacts: part of forgetting a person.
func (s *Service) EraseContacts(ctx context.Context, contacts []int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		return inChunks(contacts, func(part []int64) error {
			in := "(" + db.In(1, len(part)) + ")"
			for _, stmt := range []string{
				"delete from order_lines where order_num in (select num from orders where contact in " + in + ")",
				"delete from order_refunds where order_num in (select num from orders where contact in " + in + ")",
				"delete from orders where contact in " + in,
			} {
				if _, err := s.DB.Exec(ctx, stmt, anys(nil, part)...); err != nil {
					return fmt.Errorf("erase orders of contacts: %w", err)
				}
			}
			return nil
		})
	})
}

// summarise recomputes the order summary of the contacts from their records.
func (s *Service) summarise(ctx context.Context, touched map[int64]bool) error {
	contacts := slices.Sorted(maps.Keys(touched))
	return inChunks(contacts, func(part []int64) error {
		sums, err := s.summaries(ctx, part)
		if err != nil {
			return fmt.Errorf("sum up orders: %w", err)
		}
		if err := s.Contacts.SetOrderSummary(ctx, sums); err != nil {
			return fmt.Errorf("set order summaries: %w", err)
		}
		return nil
	})
}

func (s *Service) summaries(ctx context.Context, contacts []int64) ([]Summary, error) {
	out := make([]Summary, len(contacts))
	at := map[int64]*Summary{}
	for i, c := range contacts {
		out[i].Contact = c
		at[c] = &out[i]
	}
	in, args := "("+db.In(1, len(contacts))+")", anys(nil, contacts)
	rows, err := s.DB.Query(ctx, `select contact, currency, count(*), sum(total), min(paid_at), max(paid_at)
		from orders where type = 'order' and contact in `+in+` group by contact, currency order by contact, currency`, args...)
	_, err = db.Collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var contact, n, sum, first, last int64
		var currency string
		if err := rows.Scan(&contact, &currency, &n, &sum, &first, &last); err != nil {
			return struct{}{}, err
		}
		x := at[contact]
		if x.Orders == 0 || first < x.FirstAt {
			x.FirstAt = first
		}
		x.LastAt = max(x.LastAt, last)
		x.Orders += n
		x.add(currency, n, sum)
		return struct{}{}, nil
	})
	if err != nil {
		return nil, err
	}
	rows, err = s.DB.Query(ctx, `select contact, currency, sum(amount) from order_refunds
		where contact in `+in+` group by contact, currency order by contact, currency`, args...)
	_, err = db.Collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var contact, sum int64
		var currency string
		err := rows.Scan(&contact, &currency, &sum)
		if err == nil {
			at[contact].add(currency, 0, -sum)
		}
		return struct{}{}, err
	})
	return out, err
}

func (s *Summary) add(currency string, orders, amount int64) {
	for i := range s.Revenue {
		if s.Revenue[i].Currency == currency {
			s.Revenue[i].Orders += orders
			s.Revenue[i].Amount += amount
			return
		}
	}
	s.Revenue = append(s.Revenue, contact.Revenue{Currency: currency, Orders: orders, Amount: amount})
}
