package contact

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/event"
)

// OwnerMove is one contact that goes from one owner to another. "" is nobody.
type OwnerMove struct {
	Num      int64
	From, To string
}

// Owners gives the owner of contacts by number; those that are gone are left out.
func (s *Service) Owners(ctx context.Context, nums []int64) (map[int64]string, error) {
	out := map[int64]string{}
	err := selectIn(ctx, s.DB, "read owners", "select num, owner_id from contacts where num in (%s) and merged_into = 0", nil, nums, func(r *sql.Rows) error {
		var n int64
		var owner string
		err := r.Scan(&n, &owner)
		out[n] = owner
		return err
	})
	return out, err
}

// Assign moves contacts to other owners where they still have the one stated,
// and states each as a fact. It answers those that it moved. It joins the
// transaction of ctx; which contacts the caller may touch, the caller has checked.
func (s *Service) Assign(ctx context.Context, moves []OwnerMove, why string) (done []OwnerMove, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		done = nil
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		now := s.Clock.Now()
		var facts []event.Fact
		for _, m := range moves {
			if m.From == m.To {
				continue
			}
			n, err := s.DB.ExecN(ctx, "update contacts set owner_id = $1, updated_at = $2 where num = $3 and owner_id = $4 and merged_into = 0", m.To, now.UnixMilli(), m.Num, m.From)
			if err != nil {
				return fmt.Errorf("set owner: %w", err)
			}
			if n == 0 { // somebody else moved it meanwhile
				continue
			}
			done = append(done, m)
			facts = append(facts, s.fact(event.NameOwnerChanged, m.Num, now, map[string]any{"from": m.From, "to": m.To, "why": why, "by": principal(ctx).Name}))
		}
		if err := s.Emit.Emit(ctx, facts...); err != nil {
			return fmt.Errorf("state owners: %w", err)
		}
		return nil
	})
	return done, err
}
