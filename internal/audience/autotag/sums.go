package autotag

import (
	"context"
	"database/sql"
	"slices"

	"github.com/koipond/koipond/internal/platform/numset"
)

// sum is a row of tag_scores.
type sum struct {
	own   fading // of the facts stored under the number
	total fading // of everybody who is part of it
	ends  int64
}

const sumColumns = "contact, own, own_at, value, at, ends_at"

// readSums reads the rows of contacts; those without one are left out.
func (s *Service) readSums(ctx context.Context, sums int64, nums []int64) (map[int64]*sum, error) {
	out := make(map[int64]*sum, len(nums))
	err := s.eachIn(ctx, "read scores", "select "+sumColumns+" from tag_scores where sums = $1 and contact in ({in})", []any{sums}, nums, func(r *sql.Rows) error {
		var n int64
		x := &sum{}
		err := r.Scan(&n, &x.own.value, &x.own.at, &x.total.value, &x.total.at, &x.ends)
		out[n] = x
		return err
	})
	return out, err
}

// writeSums writes rows, in order of their contacts.
func (s *Service) writeSums(ctx context.Context, sc *Score, sums int64, rows map[int64]*sum) error {
	nums := make([]int64, 0, len(rows))
	for n := range rows {
		nums = append(nums, n)
	}
	slices.Sort(nums)
	return s.insertMany(ctx, "tag_scores", "sums, contact, own, own_at, value, at, one_at, ends_at",
		`on conflict (sums, contact) do update set own = excluded.own, own_at = excluded.own_at, value = excluded.value, at = excluded.at,
			one_at = excluded.one_at, ends_at = excluded.ends_at`, len(nums), func(i int) []any {
			x := rows[nums[i]]
			return []any{sums, nums[i], x.own.value, x.own.at, x.total.value, x.total.at, x.total.falls(1, sc.half()), x.ends}
		})
}

// outcome is whose tag is to be given, and taken.
type outcome struct{ give, take []int64 }

// addUp adds to the sums of contacts and works out anew what the contacts who
// are concerned come to: their own rows, and those whom they are part of. Of the
// touched, who became one or several, the tag itself tells who had it. It must run
// in a transaction, and be the first to write in it.
func (s *Service) addUp(ctx context.Context, sc *Score, sums int64, add map[int64]fading, touched []int64, tag string) (outcome, error) {
	var out outcome
	asked := slices.Clone(touched)
	for n := range add {
		asked = append(asked, n)
	}
	slices.Sort(asked)
	asked = slices.Compact(asked)
	moved, err := s.Contacts.Survivors(ctx, asked)
	if err != nil {
		return out, err
	}
	var roots []int64
	for _, n := range asked {
		if into, ok := moved[n]; ok {
			n = into
		}
		roots = append(roots, n)
	}
	slices.Sort(roots)
	roots = slices.Compact(roots)
	groups, err := s.Contacts.Groups(ctx, roots)
	if err != nil {
		return out, err
	}
	var members []int64
	for _, r := range roots {
		members = append(members, groups[r]...)
	}
	rows, err := s.readSums(ctx, sums, members)
	if err != nil {
		return out, err
	}
	// whoever became one or several brought tags along, or left them: those are what counts
	holders, asks := &numset.Set{}, &numset.Set{}
	for _, n := range touched {
		if into, ok := moved[n]; ok {
			n = into
		}
		asks.Add(n)
	}
	if len(touched) > 0 {
		if _, holders, err = s.Contacts.TagHolders(ctx, tag, ownSources, roots); err != nil {
			return out, err
		}
	}
	now := s.Clock.Now().UnixMilli()
	half := sc.half()
	for _, r := range roots {
		var total fading
		var ends int64
		for _, n := range groups[r] {
			x := rows[n]
			if x == nil {
				x = &sum{}
			}
			if a, ok := add[n]; ok {
				x.own = x.own.plus(a, half)
			}
			if x.own.value != 0 || rows[n] != nil {
				rows[n] = x
			}
			total = total.plus(x.own, half)
			ends = max(ends, x.ends)
			if n != r { // it leads nobody any more
				x.total, x.ends = fading{}, 0
			}
		}
		root := rows[r]
		if root == nil {
			if total.value == 0 {
				if holders.Has(r) { // brought along from before its facts were erased
					out.take = append(out.take, r)
				}
				continue
			}
			root = &sum{}
			rows[r] = root
		}
		had := ends > 0
		if asks.Has(r) {
			had = holders.Has(r)
		}
		root.total, root.ends = total, sc.ends(total, had, now)
		switch {
		case !had && root.ends > 0:
			out.give = append(out.give, r)
		case had && root.ends == 0:
			out.take = append(out.take, r)
		}
	}
	return out, s.writeSums(ctx, sc, sums, rows)
}
