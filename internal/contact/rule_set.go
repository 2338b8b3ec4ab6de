package contact

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A rule is answered by algebra over sets of contact numbers: each condition
// reads the numbers it holds for out of one index, and groups combine them in
// memory. The time it takes is that of reading those indices, whatever the
// rule's shape and however badly an engine would guess; a condition that holds
// for few is read first, and the others then only look at those few.

// expr is a rule made ready: a leaf, or a group of them.
type expr interface{ describe(b *strings.Builder) }

// leaf is a set of contact numbers in SQL.
type leaf struct {
	set    string // gives one column, n
	probe  string // the same among the numbers that {in:column} stands for
	args   []any
	negate bool // those it does not give
	loose  bool // may give numbers of merged contacts, and of others than the list shows
}

// group combines expressions: all, any or none of them.
type group struct {
	kind  string
	parts []expr
}

func (l *leaf) describe(b *strings.Builder) { fmt.Fprintf(b, "%q%q%v;", l.set, l.args, l.negate) }

func (g *group) describe(b *strings.Builder) {
	b.WriteString(g.kind + "(")
	for _, p := range g.parts {
		p.describe(b)
	}
	b.WriteString(")")
}

// Few enough to look at one by one rather than to read a condition's whole set.
const fewNumbers = 5_000

// estimateLimit is how far a condition is counted to learn which is the narrowest.
const estimateLimit = 20_001

// setReader evaluates expressions for one request.
type setReader struct {
	s     *Service
	ctx   context.Context
	shown string // condition of the list on contacts: shown = 1
	all   *numSet
	moved map[int64]int64
}

// numbers lists what e holds for, within some numbers or, with nil, within the
// whole list. The answer is the caller's to change.
func (r *setReader) numbers(e expr, within *numSet) (*numSet, error) {
	if within != nil && within.count() == 0 {
		return &numSet{}, nil
	}
	switch e := e.(type) {
	case *leaf:
		return r.leaf(e, within)
	case *group:
		switch e.kind {
		case "any":
			out := &numSet{}
			for _, p := range e.parts {
				got, err := r.numbers(p, within)
				if err != nil {
					return nil, err
				}
				out.or(got)
			}
			return out, nil
		case "none":
			return r.but(&group{"any", e.parts}, within)
		}
		return r.every(e.parts, within)
	}
	return nil, fmt.Errorf("%T is no expression", e)
}

// but lists those that e does not hold for.
func (r *setReader) but(e expr, within *numSet) (*numSet, error) {
	if within == nil {
		all, err := r.everybody()
		if err != nil {
			return nil, err
		}
		within = all
	}
	not, err := r.numbers(e, within)
	if err != nil {
		return nil, err
	}
	out := within.clone()
	out.andNot(not)
	return out, nil
}

// every lists those that all parts hold for, the narrowest part first.
func (r *setReader) every(parts []expr, within *numSet) (*numSet, error) {
	if len(parts) > 1 && (within == nil || within.count() > fewNumbers) {
		sizes := map[expr]int64{}
		for _, p := range parts {
			n, err := r.estimate(p)
			if err != nil {
				return nil, err
			}
			sizes[p] = n
		}
		parts = slices.Clone(parts)
		slices.SortStableFunc(parts, func(a, b expr) int { return cmp.Compare(sizes[a], sizes[b]) })
	}
	for _, p := range parts {
		var err error
		if within, err = r.numbers(p, within); err != nil {
			return nil, err
		}
	}
	switch {
	case within == nil:
		all, err := r.everybody()
		if err != nil {
			return nil, err
		}
		return all.clone(), nil
	case len(parts) == 0:
		return within.clone(), nil
	}
	return within, nil
}

// estimate tells about how many an expression holds for: exactly up to
// estimateLimit, and beyond that only that it is many. What is negated comes last.
func (r *setReader) estimate(e expr) (int64, error) {
	switch e := e.(type) {
	case *leaf:
		if e.negate {
			return 2 * estimateLimit, nil
		}
		var n int64
		err := r.s.DB.QueryRow(r.ctx, fmt.Sprintf("select count(*) from (select 1 from (%s) as s limit %d) as t", e.set, estimateLimit), e.args...).Scan(&n)
		if err != nil {
			return 0, fmt.Errorf("estimate a condition: %w", err)
		}
		return n, nil
	case *group:
		if e.kind == "none" {
			return 2 * estimateLimit, nil
		}
		sum, least := int64(0), int64(2*estimateLimit)
		for _, p := range e.parts {
			n, err := r.estimate(p)
			if err != nil {
				return 0, err
			}
			sum, least = sum+n, min(least, n)
		}
		if e.kind == "any" {
			return sum, nil
		}
		return least, nil
	}
	return 0, nil
}

func (r *setReader) leaf(l *leaf, within *numSet) (*numSet, error) {
	if l.negate {
		plain := *l
		plain.negate = false
		return r.but(&plain, within)
	}
	if within != nil && !l.loose && within.count() <= fewNumbers {
		return r.s.readNumbers(r.ctx, r.s.amongSQL(l.probe, len(l.args)+1), append(slices.Clone(l.args), r.s.numbersArg(within.list()))...)
	}
	got, err := r.s.readNumbers(r.ctx, l.set, l.args...)
	if err != nil {
		return nil, err
	}
	if l.loose {
		if err := r.follow(got); err != nil {
			return nil, err
		}
		if within == nil {
			if within, err = r.everybody(); err != nil {
				return nil, err
			}
		}
	}
	if within != nil {
		got.and(within)
	}
	return got, nil
}

// follow puts survivors beside contacts that were merged into them.
func (r *setReader) follow(set *numSet) error {
	if r.moved == nil {
		r.moved = map[int64]int64{}
		rows, err := r.s.DB.Query(r.ctx, "select num, merged_into from contacts where merged_into <> 0")
		err = scanAll(rows, err, "read merged contacts", func(rows *sql.Rows) error {
			var from, into int64
			err := rows.Scan(&from, &into)
			r.moved[from] = into
			return err
		})
		if err != nil {
			return err
		}
	}
	for from, into := range r.moved {
		if !set.has(from) {
			continue
		}
		for next, ok := r.moved[into]; ok; next, ok = r.moved[into] {
			into = next
		}
		set.add(into)
	}
	return nil
}

// everybody is the whole list, shared: do not change it.
func (r *setReader) everybody() (*numSet, error) {
	if r.all == nil {
		all, err := r.s.readNumbers(r.ctx, "select num as n from contacts"+r.s.DB.Pick(" indexed by contacts_facets", "")+" where "+r.shown)
		if err != nil {
			return nil, err
		}
		r.all = all
	}
	return r.all, nil
}

// readNumbers reads all numbers of a query at once: as one text, which costs a
// tenth of a row each.
func (s *Service) readNumbers(ctx context.Context, query string, args ...any) (*numSet, error) {
	var text []byte
	err := s.DB.QueryRow(ctx, "select "+s.DB.Pick("group_concat(n)", "cast(array_agg(n) as text)")+" from ("+query+") as s", args...).Scan(&text)
	if err != nil {
		return nil, fmt.Errorf("read a set of contacts: %w", err)
	}
	out := &numSet{}
	return out, out.addText(text)
}

// amongSQL fills {in:column}: the column is one of the numbers in argument n.
func (s *Service) amongSQL(text string, n int) string {
	head, rest, found := strings.Cut(text, "{in:")
	if !found {
		return text
	}
	column, tail, _ := strings.Cut(rest, "}")
	return head + fmt.Sprintf(s.DB.Pick("%s in (select value from json_each($%d))", "%s = any(cast($%d as bigint[]))"), column, n) + s.amongSQL(tail, n)
}

// numbersArg is a list of numbers as an argument for amongSQL.
func (s *Service) numbersArg(nums []int64) string {
	b := []byte(s.DB.Pick("[", "{"))
	for i, n := range nums {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(append(b, s.DB.Pick("]", "}")...))
}

// ruleSets keeps what rules came to for a while, so that the next page of a
// list and the next batch of a job need not ask again.
type ruleSets struct {
	mu   sync.Mutex
	kept []keptSet
}

type keptSet struct {
	key string
	at  time.Time
	set *numSet
}

const (
	keptSets   = 24
	keptSetAge = time.Minute
)

func (k *ruleSets) get(key string, now time.Time, age time.Duration) *numSet {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.kept {
		if d := now.Sub(s.at); s.key == key && d >= 0 && d <= age {
			return s.set
		}
	}
	return nil
}

func (k *ruleSets) put(key string, now time.Time, set *numSet) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = slices.DeleteFunc(k.kept, func(s keptSet) bool { return s.key == key })
	if len(k.kept) >= keptSets {
		k.kept = slices.Delete(k.kept, 0, 1)
	}
	k.kept = append(k.kept, keptSet{key, now, set})
}

// keyOf names what an expression asks of the list that f describes.
func keyOf(f *filter, e expr) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q%q;", f.walking(), f.args)
	e.describe(&b)
	h := fnv.New128a()
	_, _ = h.Write([]byte(b.String())) // a hash never fails
	return string(h.Sum(nil))
}
