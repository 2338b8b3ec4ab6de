package contact

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/db"
)

// KeepApart says of two contacts, by number, that they are different people:
// no fact and no import makes them one from now on, whoever else is merged into
// either. Saying it again changes nothing.
func (s *Service) KeepApart(ctx context.Context, a, b int64, why string) error {
	return s.apartly(ctx, a, b, "contact.kept_apart", func(ctx context.Context) error { return s.keepApart(ctx, a, b, why) })
}

// Reunite takes back what KeepApart said, also of those merged into the two. It merges nobody.
func (s *Service) Reunite(ctx context.Context, a, b int64) error {
	return s.apartly(ctx, a, b, "contact.reunited", func(ctx context.Context) error {
		roots, err := s.roots(ctx, a, b)
		if err != nil {
			return err
		}
		_, err = s.DB.Exec(ctx, "delete from contact_apart where (contact = $1 and other = $2) or (contact = $2 and other = $1)", roots[0], roots[1])
		return err
	})
}

func (s *Service) apartly(ctx context.Context, a, b int64, action string, fn func(context.Context) error) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		if err := fn(ctx); err != nil {
			return err
		}
		if err := s.engine.moved(ctx); err != nil {
			return err
		}
		refs, err := s.Refs(ctx, []int64{a, b})
		if err != nil {
			return err
		}
		return s.record(ctx, action, refs[a].ID, refs[a].Name, map[string]any{"other": refs[b].ID})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

// roots gives whom two contacts are part of today; one person twice is refused.
func (s *Service) roots(ctx context.Context, a, b int64) (out [2]int64, err error) {
	into, err := s.Survivors(ctx, []int64{a, b})
	if err != nil {
		return out, err
	}
	out = [2]int64{cmp.Or(into[a], a), cmp.Or(into[b], b)}
	if out[0] == out[1] {
		return out, errSamePerson
	}
	return out, nil
}

// keepApart puts the pair down from both sides, in the running transaction.
func (s *Service) keepApart(ctx context.Context, a, b int64, why string) error {
	why = veil.Text(why)
	roots, err := s.roots(ctx, a, b)
	if err != nil {
		return err
	}
	by, now := principal(ctx), s.Clock.Now().UnixMilli()
	pair := [2][4]int64{{a, b, roots[0], roots[1]}, {b, a, roots[1], roots[0]}}
	err = insertMany(ctx, s.DB, "contact_apart", columns("home:n other_home:n contact:n other:n why by_id by_name at:n"), 2, func(i int) []any {
		return []any{pair[i][0], pair[i][1], pair[i][2], pair[i][3], why, by.ID, by.Name, now}
	}, "on conflict (home, other_home) do nothing")
	if err != nil {
		return err
	}
	if _, err := s.DB.Exec(ctx, "update contacts set kinds = kinds | $3 where num in ($1, $2)", roots[0], roots[1], int64(apartBit)); err != nil {
		return fmt.Errorf("mark as kept apart: %w", err)
	}
	return nil
}

// Apart tells of each pair of contact numbers whether they are kept apart, as
// they are today. One person twice is not.
func (s *Service) Apart(ctx context.Context, pairs [][2]int64) ([]bool, error) {
	nums := make([]int64, 0, 2*len(pairs))
	for _, p := range pairs {
		nums = append(nums, p[0], p[1])
	}
	into, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	for i, n := range nums {
		nums[i] = cmp.Or(into[n], n)
	}
	apart := map[[2]int64]bool{}
	err = selectIn(ctx, s.DB, "read who is kept apart", "select contact, other from contact_apart where contact in (%s)", nil, nums, func(r *sql.Rows) error {
		var p [2]int64
		err := r.Scan(&p[0], &p[1])
		apart[p] = true
		return err
	})
	out := make([]bool, len(pairs))
	for i := range pairs {
		out[i] = apart[[2]int64{nums[2*i], nums[2*i+1]}]
	}
	return out, err
}

// whyApart reads what was said when two people were kept apart; "" and false when they are not.
func (s *Service) whyApart(ctx context.Context, a, b int64) (why string, apart bool, err error) {
	err = s.DB.QueryRow(ctx, "select why from contact_apart where contact = $1 and other = $2 order by at limit 1", a, b).Scan(&why)
	if db.NoRows(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read why kept apart: %w", err)
	}
	return why, true, nil
}
