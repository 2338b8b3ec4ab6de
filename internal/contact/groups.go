package contact

import (
	"context"
	"database/sql"
	"slices"

	"github.com/koipond/koipond/internal/platform/errs"
)

// KindHook follows contacts that became persons, or visitors again. It runs
// inside the transaction that changes them.
type KindHook func(ctx context.Context, nums []int64) error

// OnKind adds a hook that runs whenever stored contacts change kind: for tables
// that count people and visitors apart. Call it while wiring.
func (s *Service) OnKind(hook KindHook) { *s.engine.kinds = append(*s.engine.kinds, hook) }

// reshown tells everybody that contacts stand in another list now.
func (e *engine) reshown(ctx context.Context, nums []int64) error {
	if len(nums) == 0 {
		return nil
	}
	if err := reshownTags(ctx, e.db, nums); err != nil {
		return err
	}
	if err := reshownValues(ctx, e.db, nums); err != nil {
		return err
	}
	for _, hook := range *e.kinds {
		if err := hook(ctx, nums); err != nil {
			return err
		}
	}
	return nil
}

// Groups is Group for many who are nobody's part: by number, everybody that is
// them today, themselves first.
func (s *Service) Groups(ctx context.Context, roots []int64) (map[int64][]int64, error) {
	out := make(map[int64][]int64, len(roots))
	rootOf := make(map[int64]int64, len(roots))
	for _, n := range roots {
		out[n] = []int64{n}
		rootOf[n] = n
	}
	for ask := roots; len(ask) > 0; {
		var next []int64
		err := selectIn(ctx, s.DB, "find merged contacts", "select num, merged_into from contacts where merged_into <> 0 and merged_into in (%s)", nil, ask, func(r *sql.Rows) error {
			var num, into int64
			if err := r.Scan(&num, &into); err != nil {
				return err
			}
			if _, known := rootOf[num]; known { // a number given twice in the list of a query
				return nil
			}
			rootOf[num] = rootOf[into]
			next = append(next, num)
			return nil
		})
		if err != nil {
			return nil, err
		}
		slices.Sort(next)
		for _, n := range next {
			out[rootOf[n]] = append(out[rootOf[n]], n)
		}
		ask = next
	}
	return out, nil
}

// Address is a way to reach somebody, as others may keep it: by blind index and masked.
type Address struct {
	Kind, Lookup, Masked string
}

// AddressOf reads a phone number or e-mail address as identities are read.
func (s *Service) AddressOf(kind, value string) (Address, error) {
	norm, refused := normalize(kind, value, s.Country)
	if refused != "" {
		return Address{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("value", badCode(refused)))
	}
	return Address{Kind: kind, Lookup: s.Keys.Index(field(kind), norm), Masked: Mask(kind, norm)}, nil
}

// Addresses gives the phone numbers and e-mail addresses of living contacts, by blind index.
func (s *Service) Addresses(ctx context.Context, nums []int64) (map[int64][]Address, error) {
	out := map[int64][]Address{}
	err := selectIn(ctx, s.DB, "read addresses", "select distinct contact, kind, lookup from identities where contact in (%s) and kind in ('phone', 'email')", nil, nums, func(r *sql.Rows) error {
		var num int64
		var a Address
		err := r.Scan(&num, &a.Kind, &a.Lookup)
		out[num] = append(out[num], a)
		return err
	})
	return out, err
}

// MaskedAddresses shows a contact's phone numbers and e-mail addresses masked.
func (s *Service) MaskedAddresses(ctx context.Context, num int64) ([]Address, error) {
	var out []Address
	err := selectIn(ctx, s.DB, "read addresses", "select kind, lookup, value_enc from identities where contact in (%s) and kind in ('phone', 'email') order by kind desc, first_seen, lookup", nil, []int64{num}, func(r *sql.Rows) error {
		var a Address
		var sealed string
		if err := r.Scan(&a.Kind, &a.Lookup, &sealed); err != nil {
			return err
		}
		plain, err := s.Keys.Open(field(a.Kind), sealed)
		a.Masked = Mask(a.Kind, plain)
		out = append(out, a)
		return err
	})
	return out, err
}

// Holders tells which living contacts have the addresses, by blind index.
func (s *Service) Holders(ctx context.Context, kind string, lookups []string) (map[string]int64, error) {
	out := map[string]int64{}
	err := selectIn(ctx, s.DB, "find holders", "select lookup, contact from identities where kind = $1 and lookup in (%s)", []any{kind}, lookups, func(r *sql.Rows) error {
		var lookup string
		var num int64
		err := r.Scan(&lookup, &num)
		out[lookup] = num
		return err
	})
	return out, err
}
