package machine

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/numset"
)

// placedPlace is where a list of those who were placed by hand goes on.
type placedPlace struct {
	Until   int64 `json:"u"`
	Contact int64 `json:"c"`
}

// Placed lists whom colleagues placed by hand, of those the caller sees: the ones
// whose choice is over soonest first.
func (s *Service) Placed(ctx context.Context, machine, cursor string, limit int) (out []Placed, next string, err error) {
	out = []Placed{}
	after := placedPlace{Until: s.Clock.Now().UnixMilli(), Contact: 1 << 62}
	if cursor != "" {
		if err := httpx.DecodeCursor(cursor, &after); err != nil {
			return nil, "", err
		}
	}
	d, err := s.newest(ctx, machine)
	if err != nil || d == nil {
		return out, "", err
	}
	limit, zone := min(max(limit, 1), 100), s.Zone(ctx)
	type row struct {
		num, until int64
		Placed
	}
	for len(out) < limit { // a caller who sees few customers may have to pass many
		rows, err := s.DB.Query(ctx, "select "+pinColumns+" from "+pinTables+` where s.machine = $1 and s.shown = 1 and s.pinned_until > 0
			and (s.pinned_until, s.contact) > (cast($2 as bigint), cast($3 as bigint)) order by s.pinned_until, s.contact limit $4`, machine, after.Until, after.Contact, 200)
		part, err := db.Collect(rows, err, func(r *sql.Rows) (x row, err error) {
			x.num, x.until, x.Placed, err = s.scanPin(r, zone)
			return x, err
		})
		if err != nil {
			return nil, "", fmt.Errorf("list who was placed by hand: %w", err)
		}
		if len(part) == 0 {
			return out, "", nil
		}
		nums := make([]int64, len(part))
		for i, x := range part {
			nums[i] = x.num
		}
		if nums, err = s.Contacts.InScope(ctx, nums); err != nil {
			return nil, "", err
		}
		names, err := s.Contacts.Refs(ctx, nums)
		if err != nil {
			return nil, "", err
		}
		for _, x := range part {
			if len(out) == limit {
				return out, httpx.EncodeCursor(after), nil
			}
			after = placedPlace{x.until, x.num}
			ref, ok := names[x.num]
			if !ok {
				continue
			}
			x.Contact, x.Label = ref, x.State
			if st := d.state(x.State); st != nil {
				x.Label, x.Color = st.Name.in(ctx), st.Color
			}
			out = append(out, x.Placed)
		}
	}
	return out, httpx.EncodeCursor(after), nil
}

// handCounts counts by state whom colleagues placed by hand, of those the caller sees.
func (s *Service) handCounts(ctx context.Context, d *Definition, all bool) (map[string]int64, error) {
	const from = " from machine_states where machine = $1 and shown = 1 and pinned_until > 0 and pinned_until > cast($2 as bigint)"
	now := s.Clock.Now().UnixMilli()
	if all {
		return s.counts(ctx, "select state, count(*)"+from+" group by state", d.Machine, now)
	}
	out := map[string]int64{}
	rows, err := s.DB.Query(ctx, "select contact, state"+from, d.Machine, now)
	in := map[string]*numset.Set{}
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var n int64
		var state string
		err := r.Scan(&n, &state)
		if in[state] == nil {
			in[state] = &numset.Set{}
		}
		in[state].Add(n)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count who was placed by hand: %w", err)
	}
	for state, set := range in {
		nums, err := s.Contacts.InScope(ctx, set.List())
		if err != nil {
			return nil, err
		}
		out[state] = int64(len(nums))
	}
	return out, nil
}
