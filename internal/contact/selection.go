package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/platform/db"
)

// Group lists every number that stands for the same person as num today: the
// survivor first, then the contacts merged into it, however long the chain.
// Tables that keep their rows under the number they were written for read with
// it; then a merge moves nothing and its undo gives everything back.
func (s *Service) Group(ctx context.Context, num int64) ([]int64, error) {
	root := num
	if into, err := s.Survivors(ctx, []int64{num}); err != nil {
		return nil, err
	} else if n, ok := into[num]; ok {
		root = n
	}
	return s.membersOf(ctx, root)
}

// Selection is a choice of contacts for work on many: those named, or all that
// match a query but for some.
type Selection struct {
	IDs    []string // named ones; when given, Query does not count
	Query  Query    // Sort, Cursor and Limit do not count
	Except []string // left out of what the query matches
}

// Walk gives the numbers of the selected contacts beyond after, ascending, at
// most limit of them: an empty answer is the end. What changes between two
// calls is seen as it is then (whom a rule begins to mean, within seconds);
// nobody comes twice.
func (s *Service) Walk(ctx context.Context, sel Selection, after int64, limit int) ([]int64, error) {
	if limit <= 0 {
		limit = 500
	}
	if len(sel.IDs) > 0 {
		nums, err := s.selected(ctx, sel.IDs)
		if err != nil {
			return nil, err
		}
		from, found := slices.BinarySearch(nums, after)
		if found {
			from++
		}
		return nums[from:min(from+limit, len(nums))], nil
	}
	f, some, err := s.filterOf(ctx, sel.Query)
	if err != nil || !some {
		return nil, err
	}
	except, err := s.selected(ctx, sel.Except)
	if err != nil {
		return nil, err
	}
	if f.bySets(sel.Query) || len(f.drive) > 0 {
		return s.walkBySets(ctx, sel.Query, f, except, after, limit)
	}
	var out []int64
	for len(out) == 0 {
		n := len(f.args)
		rows, err := s.DB.Query(ctx, fmt.Sprintf("select num from contacts where %s and num > $%d order by num limit $%d", f.walking(), n+1, n+2),
			append(f.args[:n:n], after, limit)...)
		nums, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
		if err != nil {
			return nil, fmt.Errorf("walk contacts: %w", err)
		}
		if len(nums) == 0 {
			return nil, nil
		}
		after = nums[len(nums)-1]
		for _, n := range nums {
			if _, skip := slices.BinarySearch(except, n); !skip {
				out = append(out, n)
			}
		}
	}
	return out, nil
}

// Count tells how many contacts are selected.
func (s *Service) Count(ctx context.Context, sel Selection) (int64, error) {
	return s.countAlso(ctx, sel, nil)
}

// countAlso counts those selected who meet what also adds; nil adds nothing.
func (s *Service) countAlso(ctx context.Context, sel Selection, also func(f *filter)) (int64, error) {
	among := func(f *filter, nums []int64) (out int64, err error) {
		args := len(f.args)
		err = selectIn(ctx, s.DB, "count contacts", "select count(*) from contacts where "+f.walking()+" and num in (%s)", f.args[:args:args], nums, func(r *sql.Rows) error {
			var part int64
			err := r.Scan(&part)
			out += part
			return err
		})
		return out, err
	}
	if len(sel.IDs) > 0 {
		nums, err := s.selected(ctx, sel.IDs)
		if err != nil {
			return 0, err
		}
		f := &filter{kind: "merged_into = 0"}
		if also != nil {
			also(f)
		}
		return among(f, nums)
	}
	f, some, err := s.filterOf(ctx, sel.Query)
	if err != nil || !some {
		return 0, err
	}
	if f.bySets(sel.Query) {
		if also == nil {
			return s.countBySets(ctx, sel, f)
		}
		return s.countSetAlso(ctx, sel, f, among, also)
	}
	if also != nil {
		also(f)
	}
	n, err := s.count(ctx, f)
	if err != nil || len(sel.Except) == 0 {
		return n, err
	}
	except, err := s.selected(ctx, sel.Except)
	if err != nil {
		return 0, err
	}
	left, err := among(f, except) // left out, but would have matched
	return n - left, err
}

// countSetAlso counts, of those that sets select, who meet what also adds.
func (s *Service) countSetAlso(ctx context.Context, sel Selection, f *filter, among func(f *filter, nums []int64) (int64, error), also func(f *filter)) (int64, error) {
	found, err := s.ruleSet(ctx, sel.Query, f, -1)
	if err != nil {
		return 0, err
	}
	set, err := s.numbers(ctx, f, found)
	if err != nil {
		return 0, err
	}
	except, err := s.selected(ctx, sel.Except)
	if err != nil {
		return 0, err
	}
	more := &filter{kind: "merged_into = 0"}
	also(more)
	var out int64
	for after := int64(0); ; {
		nums := set.After(after, 5000)
		if len(nums) == 0 {
			return out, nil
		}
		after = nums[len(nums)-1]
		nums = slices.DeleteFunc(nums, func(n int64) bool { _, left := slices.BinarySearch(except, n); return left })
		part, err := among(more, nums)
		if err != nil {
			return 0, err
		}
		out += part
	}
}

// selected gives the numbers of public ids, ascending, each once; a merged
// contact's is its survivor's. Ids of nobody, or of contacts outside the
// caller's data scope, are left out.
func (s *Service) selected(ctx context.Context, ids []string) ([]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var nums []int64
	err := selectIn(ctx, s.DB, "find contacts", "select num from contacts where id in (%s)", nil, ids, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		nums = append(nums, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	moved, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	for i, n := range nums {
		if into, ok := moved[n]; ok {
			nums[i] = into
		}
	}
	slices.Sort(nums)
	return s.InScope(ctx, slices.Compact(nums))
}
