package contact

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// ruleSet gives whom a query means that is answered by sets: as it was at most
// age ago; a negative age asks anew.
func (s *Service) ruleSet(ctx context.Context, q Query, f *filter, age time.Duration) (*chosen, error) {
	e, err := s.ruleExpr(ctx, q, f)
	if err != nil {
		return nil, err
	}
	key, now := keyOf(f, e), s.Clock.Now()
	if set, ok := s.sets.get(key, now, age); ok {
		return set, nil
	}
	reader := s.setReader(ctx, f.kind)
	c, err := reader.find(e, nil)
	if err != nil {
		return nil, err
	}
	out := &chosen{Choice: c, total: c.Set.Count()}
	if len(reader.told) <= keptTold {
		out.told = reader.told
	}
	if c.Rest {
		all, err := s.count(ctx, &filter{kind: f.kind})
		if err != nil {
			return nil, err
		}
		out.total = max(0, all-out.total)
	}
	s.sets.put(key, now, out)
	return out, nil
}

// numbers lists those found; do not change it.
func (s *Service) numbers(ctx context.Context, f *filter, set *chosen) (*numset.Set, error) {
	if !set.Rest {
		return set.Set, nil
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.listed == nil {
		all, err := s.setReader(ctx, f.kind).restOf(set.Set)
		if err != nil {
			return nil, err
		}
		set.listed = all
	}
	return set.listed, nil
}

// bySets tells whether a query is answered by sets of numbers: those with a rule,
// and those that combine a tag or a search with something else.
func (f *filter) bySets(q Query) bool {
	return !q.Where.Empty() || len(f.drive) > 1 || len(f.drive) == 1 && (len(f.plain) > 0 || f.counted == "" || f.several)
}

// ruleExpr is what a query asks, its rule and the rest, as one expression.
func (s *Service) ruleExpr(ctx context.Context, q Query, f *filter) (expr, error) {
	var parts []expr
	if len(f.plain) > 0 {
		columns := &filter{kind: f.kind, index: f.index}
		for _, c := range f.said {
			columns.add(c.text, c.args...)
		}
		from, _ := s.gatherFrom(columns)
		parts = append(parts, &leaf{set: "select num as n from " + from + " where " + columns.walking(), probe: contactsAmong + " and " + columns.walking(), args: columns.args})
	}
	for _, d := range f.sets {
		l := *d
		l.probe = contactsAmong + " and " + f.kind + " and " + d.probe
		parts = append(parts, &l)
	}
	if !q.Where.Empty() {
		if err := q.Where.Check("where"); err != nil {
			return nil, err
		}
		e, err := s.compiler(ctx, f).compile(q.Where, "where")
		if err != nil {
			return nil, err
		}
		if len(parts) == 0 {
			return e, nil
		}
		parts = append(parts, e)
	}
	return &group{"all", parts}, nil
}

// pageOf finds the keys of a page, and one more: in SQL, or among those found by sets.
func (s *Service) pageOf(ctx context.Context, q Query, f *filter, set *chosen, ord order, cur listCursor) ([]listCursor, error) {
	if set == nil {
		return s.pageKeys(ctx, q, f, ord, cur)
	}
	if !set.Rest && set.total <= s.narrow {
		few := &filter{kind: f.kind, plus: f.plus, drive: []string{s.amongSQL("{in:num}", 1)}, args: []any{s.numbersArg(set.Set.List())}}
		cur.T = set.total // it may have grown since the first page
		return s.pageKeys(ctx, q, few, ord, cur)
	}
	return s.pageAmong(ctx, q, f, set, ord, cur)
}

// pageAmong walks the index of the order in longer and longer stretches until a
// page of those found is met. A few in a million, all at the far end, cost one
// reading of the index; where the rule bounds what the list is sorted by, the
// walk starts there.
func (s *Service) pageAmong(ctx context.Context, q Query, f *filter, set *chosen, ord order, cur listCursor) ([]listCursor, error) {
	bounds, err := s.boundsOf(ctx, q, f, ord)
	if err != nil {
		return nil, err
	}
	var hits []int64
	for stretch := 2_000; ; stretch *= 8 {
		nums, err := s.stretch(ctx, q, bounds, ord, cur, stretch)
		if err != nil {
			return nil, err
		}
		for _, n := range nums {
			if len(hits) <= q.Limit && set.Has(n) {
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

// boundsOf is the list's filter with what the rule demands of the column it is sorted by.
func (s *Service) boundsOf(ctx context.Context, q Query, f *filter, ord order) (*filter, error) {
	out := &filter{kind: f.kind, plus: f.plus}
	if q.Where.Empty() {
		return out, nil
	}
	e, err := s.compiler(ctx, f).compile(q.Where, "where")
	if err != nil {
		return nil, err
	}
	parts := []expr{e}
	if g, ok := e.(*group); ok && g.kind == "all" {
		parts = g.parts
	}
	for _, p := range parts {
		if l, ok := p.(*leaf); ok && !l.negate && l.column == ord.column {
			out.add(placesOf.Replace(l.where), l.args...)
		}
	}
	return out, nil
}

// placesOf turns the arguments of a condition into those of filter.add.
var placesOf = strings.NewReplacer("$1", "{1}", "$2", "{2}")

// stretch reads the next numbers of the whole list in its order.
func (s *Service) stretch(ctx context.Context, q Query, f *filter, ord order, cur listCursor, limit int) ([]int64, error) {
	var out []int64
	parts, args := s.walkParts(q, f, ord, cur)
	for _, p := range parts {
		var packed []byte
		query := "select " + s.packSQL("num") + fmt.Sprintf(" from (%s limit %d) as walked", p.text, limit-len(out))
		if err := s.DB.QueryRow(ctx, query, args[:p.args]...).Scan(&packed); err != nil {
			return nil, fmt.Errorf("walk contacts in order: %w", err)
		}
		if err := s.unpack(packed, func(n int64) { out = append(out, n) }); err != nil {
			return nil, err
		}
		if len(out) >= limit {
			break
		}
	}
	return out, nil
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

// countBySets counts a selection that is answered by sets.
func (s *Service) countBySets(ctx context.Context, sel Selection, f *filter) (int64, error) {
	set, err := s.ruleSet(ctx, sel.Query, f, -1)
	if err != nil {
		return 0, err
	}
	n := set.total
	except, err := s.selected(ctx, sel.Except)
	if err != nil || len(except) == 0 {
		return n, err
	}
	left, err := s.numbers(ctx, f, set)
	if err != nil {
		return 0, err
	}
	for _, num := range except {
		if left.Has(num) {
			n--
		}
	}
	return n, nil
}

// walkSetAge is how old the set may be that a walk goes by. Each batch is
// looked at anew before it is given out.
const walkSetAge = 10 * time.Second

// walkBySets is Walk for a query that is answered by sets. What contacts did is
// not asked anew for each batch: the analytics store scans as long for a few.
func (s *Service) walkBySets(ctx context.Context, q Query, f *filter, except []int64, after int64, limit int) ([]int64, error) {
	age := walkSetAge
	if after == 0 {
		age = -1 // work begins with those who are meant now
	}
	found, err := s.ruleSet(ctx, q, f, age)
	if err != nil {
		return nil, err
	}
	set, err := s.numbers(ctx, f, found)
	if err != nil {
		return nil, err
	}
	e, err := s.ruleExpr(ctx, q, f)
	if err != nil {
		return nil, err
	}
	for {
		nums := set.After(after, limit)
		if len(nums) == 0 {
			return nil, nil
		}
		after = nums[len(nums)-1]
		batch := &numset.Set{}
		for _, n := range nums {
			if _, skip := slices.BinarySearch(except, n); !skip {
				batch.Add(n)
			}
		}
		reader := s.setReader(ctx, f.kind)
		reader.told = maps.Clone(found.told)
		still, err := reader.numbers(e, batch)
		if err != nil {
			return nil, err
		}
		shown, err := s.readNumbers(ctx, s.amongSQL(contactsAmong+" and "+f.kind, 1), s.numbersArg(still.List()))
		if err != nil {
			return nil, err
		}
		if out := shown.List(); len(out) > 0 {
			return out, nil
		}
	}
}

// checkRule tells what is wrong with a rule before it is kept.
func (s *Service) checkRule(ctx context.Context, r *rule.Rule, path string) error {
	if r.Empty() {
		return nil
	}
	if err := r.Check(path); err != nil {
		return err
	}
	_, err := s.compiler(ctx, &filter{kind: "shown = 1"}).compile(r, path)
	return err
}
