package contact

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
)

// Lively tells how much alive a contact is.
type Lively struct {
	SeenAt time.Time // when they last did something; zero: never
	Orders int64
}

// Lively tells of contacts when they last did something and how often they bought.
// Numbers that are part of others answer for whom they are part of.
func (s *Service) Lively(ctx context.Context, nums []int64) (map[int64]Lively, error) {
	into, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	roots := make([]int64, len(nums))
	for i, n := range nums {
		roots[i] = cmp.Or(into[n], n)
	}
	found := map[int64]Lively{}
	err = selectIn(ctx, s.DB, "read when contacts were seen", "select num, last_seen_at, orders from contacts where num in (%s)", nil, roots, func(r *sql.Rows) error {
		var num, seen int64
		var l Lively
		err := r.Scan(&num, &seen, &l.Orders)
		if seen > 0 {
			l.SeenAt = clock.FromMs(seen)
		}
		found[num] = l
		return err
	})
	out := make(map[int64]Lively, len(nums))
	for _, n := range nums {
		out[n] = found[cmp.Or(into[n], n)]
	}
	return out, err
}
