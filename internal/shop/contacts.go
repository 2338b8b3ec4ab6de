package shop

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/koipond/koipond/internal/platform/db"
)

// MoveContact gives every order of one contact to another, in the transaction
// of a merge, and remembers it: order facts resolved before the merge but
// handled after it follow. Moving back (an undone merge) forgets the first move.
func (s *Service) MoveContact(ctx context.Context, from, into int64) error {
	if from == into || from == 0 || into == 0 {
		return nil
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, stmt := range []string{
			"update orders set contact = $2 where contact = $1",
			"update order_refunds set contact = $2 where contact = $1",
			"delete from order_contact_moves where from_contact = $2 and into_contact = $1",
			"update order_contact_moves set into_contact = $2 where into_contact = $1",
			"insert into order_contact_moves (from_contact, into_contact) values ($1, $2) on conflict (from_contact) do update set into_contact = excluded.into_contact",
		} {
			if _, err := s.DB.Exec(ctx, stmt, from, into); err != nil {
				return fmt.Errorf("move orders of a contact: %w", err)
			}
		}
		return s.summarise(ctx, map[int64]bool{from: true, into: true})
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
				"delete from order_contact_moves where from_contact in " + in,
				"delete from order_contact_moves where into_contact in " + in,
			} {
				if _, err := s.DB.Exec(ctx, stmt, anys(nil, part)...); err != nil {
					return fmt.Errorf("erase orders of contacts: %w", err)
				}
			}
			return nil
		})
	})
}

func (s *Service) mergedInto(ctx context.Context, contacts []int64) (map[int64]int64, error) {
	out := map[int64]int64{}
	err := inChunks(contacts, func(part []int64) error {
		rows, err := s.DB.Query(ctx, "select from_contact, into_contact from order_contact_moves where from_contact in ("+db.In(1, len(part))+")", anys(nil, part)...)
		_, err = db.Collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var from, into int64
			err := rows.Scan(&from, &into)
			out[from] = into
			return struct{}{}, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read merged contacts: %w", err)
	}
	return out, nil
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
		x.add(currency, sum)
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
			at[contact].add(currency, -sum)
		}
		return struct{}{}, err
	})
	return out, err
}

func (s *Summary) add(currency string, amount int64) {
	for i := range s.Revenue {
		if s.Revenue[i].Currency == currency {
			s.Revenue[i].Amount += amount
			return
		}
	}
	s.Revenue = append(s.Revenue, Money{amount, currency})
}
