package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// ruleSet gives the numbers that a query with a rule means: as they were at
// most age ago; a negative age asks anew.
func (s *Service) ruleSet(ctx context.Context, q Query, f *filter, age time.Duration) (*numSet, error) {
	e, err := s.ruleExpr(ctx, q, f)
	if err != nil {
		return nil, err
	}
	key, now := keyOf(f, e), s.Clock.Now()
	if set := s.sets.get(key, now, age); set != nil {
		return set, nil
	}
	set, err := (&setReader{s: s, ctx: ctx, shown: f.kind}).numbers(e, nil)
	if err != nil {
		return nil, err
	}
	s.sets.put(key, now, set)
	return set, nil
}

// ruleExpr is what a query asks, its rule and the rest, as one expression.
func (s *Service) ruleExpr(ctx context.Context, q Query, f *filter) (expr, error) {
	if err := q.Where.check("where"); err != nil {
		return nil, err
	}
	e, err := s.compiler(ctx, f).compile(q.Where, "where")
	if err != nil {
		return nil, err
	}
	if len(f.plain) == 0 && len(f.drive) == 0 {
		return e, nil
	}
	from, _ := s.gatherFrom(f)
	rest := &leaf{set: "select num as n from " + from + " where " + f.gathering(), probe: "select num as n from contacts where {in:num} and " + f.walking(), args: f.args}
	return &group{"all", []expr{rest, e}}, nil
}

// pageOf finds the keys of a page, and one more: in SQL, or among the numbers
// that a rule came to.
func (s *Service) pageOf(ctx context.Context, q Query, f *filter, set *numSet, ord order, cur listCursor) ([]listCursor, error) {
	if set == nil {
		return s.pageKeys(ctx, q, f, ord, cur)
	}
	if n := set.count(); n <= s.narrow {
		few := &filter{kind: f.kind, plus: f.plus, drive: []string{s.amongSQL("{in:num}", 1)}, args: []any{s.numbersArg(set.list())}}
		cur.T = n // it may have grown since the first page
		return s.pageKeys(ctx, q, few, ord, cur)
	}
	return s.pageAmong(ctx, q, f, set, ord, cur)
}

// pageAmong walks the index of the order in longer and longer stretches until a
// page of the set is met. A set of few in a million, all at the far end, costs
// one reading of the index.
func (s *Service) pageAmong(ctx context.Context, q Query, f *filter, set *numSet, ord order, cur listCursor) ([]listCursor, error) {
	walk := q
	var hits []int64
	for stretch := 2_000; ; stretch = min(8*stretch, 256_000) {
		walk.Limit = stretch - 1 // one more is read
		query, args := s.pageSQL(walk, &filter{kind: f.kind, plus: f.plus}, ord, cur)
		var text sql.NullString
		err := s.DB.QueryRow(ctx, "select "+s.DB.Pick("group_concat(num)", "cast(array_agg(num) as text)")+" from ("+query+") as walked", args...).Scan(&text)
		if err != nil {
			return nil, fmt.Errorf("walk contacts in order: %w", err)
		}
		nums, err := parseNumbers(text.String)
		if err != nil {
			return nil, err
		}
		for _, n := range nums {
			if set.has(n) && len(hits) <= q.Limit {
				hits = append(hits, n)
			}
		}
		if len(nums) < stretch || len(hits) > q.Limit {
			return s.keysOf(ctx, hits, ord)
		}
		last, err := s.keysOf(ctx, nums[len(nums)-1:], ord)
		if err != nil {
			return nil, err
		}
		cur = last[0]
	}
}

// keysOf gives contacts' sort keys, in the order given.
func (s *Service) keysOf(ctx context.Context, nums []int64, ord order) ([]listCursor, error) {
	out := make([]listCursor, len(nums))
	for i, n := range nums {
		out[i].N = n
	}
	err := selectIn(ctx, s.DB, "read sort keys", "select num, "+ord.column+" from contacts where num in (%s)", nil, nums, func(r *sql.Rows) error {
		var c listCursor
		k := any(&c.I)
		if ord.text() {
			k = &c.S
		}
		err := r.Scan(&c.N, k)
		if i := slices.Index(nums, c.N); i >= 0 {
			out[i] = c
		}
		return err
	})
	return out, err
}

// countRule counts a selection by rule.
func (s *Service) countRule(ctx context.Context, sel Selection) (int64, error) {
	f, some, err := s.filterOf(ctx, sel.Query)
	if err != nil || !some {
		return 0, err
	}
	set, err := s.ruleSet(ctx, sel.Query, f, -1)
	if err != nil {
		return 0, err
	}
	n := set.count()
	except, err := s.selected(ctx, sel.Except)
	for _, num := range except {
		if set.has(num) {
			n--
		}
	}
	return n, err
}

// walkSetAge is how old the set may be that a walk goes by. Each batch is
// looked at anew before it is given out.
const walkSetAge = 10 * time.Second

// walkRule is Walk for a query with a rule.
func (s *Service) walkRule(ctx context.Context, q Query, f *filter, except []int64, after int64, limit int) ([]int64, error) {
	set, err := s.ruleSet(ctx, q, f, walkSetAge)
	if err != nil {
		return nil, err
	}
	e, err := s.ruleExpr(ctx, q, f)
	if err != nil {
		return nil, err
	}
	for {
		nums := set.after(after, limit)
		if len(nums) == 0 {
			return nil, nil
		}
		after = nums[len(nums)-1]
		batch := &numSet{}
		for _, n := range nums {
			if _, skip := slices.BinarySearch(except, n); !skip {
				batch.add(n)
			}
		}
		still, err := (&setReader{s: s, ctx: ctx, shown: f.kind}).numbers(e, batch)
		if err != nil {
			return nil, err
		}
		shown, err := s.readNumbers(ctx, s.amongSQL("select num as n from contacts where {in:num} and "+f.kind, 1), s.numbersArg(still.list()))
		if err != nil {
			return nil, err
		}
		if out := shown.list(); len(out) > 0 {
			return out, nil
		}
	}
}

// parseNumbers reads numbers as addText does, keeping their order.
func parseNumbers(text string) ([]int64, error) {
	var out []int64
	n, some := int64(0), false
	for i := 0; i <= len(text); i++ {
		switch {
		case i < len(text) && text[i] >= '0' && text[i] <= '9':
			n, some = n*10+int64(text[i]-'0'), true
		case i == len(text) || text[i] == ',' || text[i] == '{' || text[i] == '}':
			if some {
				out = append(out, n)
			}
			n, some = 0, false
		default:
			return nil, fmt.Errorf("%q is no list of numbers", text[i])
		}
	}
	return out, nil
}

// checkRule tells what is wrong with a rule before it is kept.
func (s *Service) checkRule(ctx context.Context, r *Rule, path string) error {
	if r.empty() {
		return nil
	}
	if err := r.check(path); err != nil {
		return err
	}
	_, err := s.compiler(ctx, &filter{kind: "shown = 1"}).compile(r, path)
	return err
}
