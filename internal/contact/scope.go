package contact

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
)

// Whose contacts a caller may see is checked in few places, through which all
// else goes: NumOf for one contact by its id, filterOf for lists, counts and
// walks, selected for contacts named by many ids, InScope for numbers that come
// from elsewhere (orders, facts). A contact outside is as one that is not there.
//
// Numbers of tags and of the overview count everybody; the people behind them
// are narrowed. Names that a change states in its audit entry are not.

// fewOwners is how many owners' contacts are surely fewer than what other
// conditions leave: lists start from them.
const fewOwners = 3

// scopeCondition is a scope in SQL, with {1} for the first of args; "" is no condition.
func scopeCondition(sc auth.Scope) (text string, args []any) {
	if sc.All {
		return "", nil
	}
	var parts []string
	if len(sc.Owners) > 0 {
		marks := make([]string, len(sc.Owners))
		for i, o := range sc.Owners {
			marks[i] = fmt.Sprintf("{%d}", i+1)
			args = append(args, o)
		}
		parts = append(parts, "owner_id in ("+strings.Join(marks, ", ")+")")
	}
	switch {
	case sc.Unowned:
		parts = append(parts, "owner_id = ''")
	case len(parts) > 0:
		parts[0] += " and owner_id <> ''" // lets the owners' index serve
	default:
		return "1 = 0", nil
	}
	return "(" + strings.Join(parts, " or ") + ")", args
}

// within narrows a filter to what the caller may see. It tells whether anything can match.
func (f *filter) within(sc auth.Scope) bool {
	text, args := scopeCondition(sc)
	if text == "" {
		return true
	}
	f.add(text, args...)
	if !sc.Unowned && (len(sc.Owners) <= fewOwners || f.index == "" && len(f.drive) == 0) {
		f.index = "contacts_by_owner"
	}
	return len(sc.Owners) > 0 || sc.Unowned
}

// filterOf turns a query into a condition that holds for no contact outside the
// caller's data scope. some is false when nothing can match.
func (s *Service) filterOf(ctx context.Context, q Query) (f *filter, some bool, err error) {
	f, some, err = s.conditions(ctx, q)
	if err == nil && some {
		some = f.within(auth.ScopeOf(ctx))
	}
	return f, some, err
}

// InScope picks the numbers that the caller may see, in their order. A merged
// contact is seen by whoever sees its survivor.
func (s *Service) InScope(ctx context.Context, nums []int64) ([]int64, error) {
	sc := auth.ScopeOf(ctx)
	if sc.All || len(nums) == 0 {
		return nums, nil
	}
	moved, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	ask := make([]int64, len(nums))
	for i, n := range nums {
		if ask[i] = n; moved[n] != 0 {
			ask[i] = moved[n]
		}
	}
	f := &filter{}
	text, args := scopeCondition(sc)
	f.add(text, args...)
	seen := map[int64]bool{}
	err = selectIn(ctx, s.DB, "check whose contacts", "select num from contacts where "+f.plain[0]+" and num in (%s)", f.args, ask, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		seen[n] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]int64, 0, len(nums))
	for i, n := range nums {
		if seen[ask[i]] {
			out = append(out, n)
		}
	}
	return out, nil
}

// ScopeNums lists the people that the caller may see by number (those
// merged away do not come: what is theirs moves with a merge) when they are at
// most limit; else few is false: there are too many to name.
func (s *Service) ScopeNums(ctx context.Context, limit int) (nums []int64, few bool, err error) {
	sc := auth.ScopeOf(ctx)
	if sc.All || sc.Unowned {
		return nil, false, nil
	}
	if len(sc.Owners) == 0 {
		return nil, true, nil
	}
	f := &filter{}
	text, args := scopeCondition(sc)
	f.add(text, args...)
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select num from contacts%s where %s limit %d", s.DB.Pick(" indexed by contacts_by_owner", ""), f.plain[0], limit+1), f.args...)
	nums, err = db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil {
		return nil, false, fmt.Errorf("list whose contacts: %w", err)
	}
	return nums, len(nums) <= limit, nil
}

// ownerOfNew is who gets a contact that the caller makes: whoever would lose
// sight of it otherwise, nobody else.
func ownerOfNew(ctx context.Context) string {
	sc, p := auth.ScopeOf(ctx), auth.From(ctx)
	switch {
	case sc.Sees("") || p == nil:
		return ""
	case sc.Sees(p.ID):
		return p.ID
	case len(sc.Owners) > 0: // an API token works for whoever made it
		return sc.Owners[0]
	}
	return ""
}

// outside tells which of nums the caller may not see.
func (s *Service) outside(ctx context.Context, nums []int64) (map[int64]bool, error) {
	seen, err := s.InScope(ctx, nums)
	if err != nil {
		return nil, err
	}
	out := map[int64]bool{}
	for _, n := range nums {
		out[n] = true
	}
	for _, n := range seen {
		delete(out, n)
	}
	return out, nil
}
