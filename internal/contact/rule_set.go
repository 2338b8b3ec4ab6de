package contact

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
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

	nums          *numset.Set          // given: nothing is read
	did           *rule.Behaviour      // on what was done: the analytics store answers
	holds         func(num int64) bool // worked out from the number alone
	column, where string               // the condition on a column of contacts, when it is one
	size          int64                // see estimate; 0: not known
}

// group combines expressions: all, any or none of them.
type group struct {
	kind  string
	parts []expr
}

// describe writes what tells a leaf from all others. Numbers are written out: %q
// makes one and the same character of all large ones.
func (l *leaf) describe(b *strings.Builder) { fmt.Fprintf(b, "%q%#v%v;", l.set, l.args, l.negate) }

func (g *group) describe(b *strings.Builder) {
	b.WriteString(g.kind + "(")
	for _, p := range g.parts {
		p.describe(b)
	}
	b.WriteString(")")
}

// Few enough to look at one by one rather than to read a condition's whole set.
const fewNumbers = 20_000

// estimateLimit is how far a condition is counted to learn which is the narrowest.
const estimateLimit = 20_001

// readersAtOnce is how many conditions of one rule are read at the same time.
const readersAtOnce = 3

// setReader evaluates expressions for one request.
type setReader struct {
	s     *Service
	ctx   context.Context
	shown string // condition of the list on contacts: shown = 1
	slots chan struct{}
	alone bool // inside a transaction, which answers one question at a time
	now   time.Time

	mu    sync.Mutex // guards what follows
	all   *numset.Set
	moved map[int64]int64
	told  map[string]verdict // what the analytics store said, by the condition
}

func (s *Service) setReader(ctx context.Context, shown string) *setReader {
	return &setReader{s: s, ctx: ctx, shown: shown, slots: make(chan struct{}, readersAtOnce), alone: s.DB.InTx(ctx), now: s.Clock.Now()}
}

// choose finds whom e holds for, within some numbers or, with nil, within the
// whole list. The answer is the caller's to change. From outside call find, which
// asks for behaviour beforehand.
func (r *setReader) choose(e expr, within *numset.Set) (numset.Choice, error) {
	if within != nil && within.Count() == 0 {
		return numset.Choice{Set: &numset.Set{}}, nil
	}
	switch e := e.(type) {
	case *leaf:
		return r.leaf(e, within)
	case *group:
		switch e.kind {
		case "any": // none of those that none of them holds for
			parts := make([]expr, len(e.parts))
			for i, p := range e.parts {
				parts[i] = not(p)
			}
			got, err := r.every(parts, within)
			return r.but(got, within), err
		case "none":
			if len(e.parts) == 1 {
				got, err := r.choose(e.parts[0], within)
				return r.but(got, within), err
			}
			parts := make([]expr, len(e.parts))
			for i, p := range e.parts {
				parts[i] = not(p)
			}
			return r.every(parts, within)
		}
		return r.every(e.parts, within)
	}
	return numset.Choice{}, fmt.Errorf("%T is no expression", e)
}

// not is the opposite of an expression.
func not(e expr) expr {
	if l, ok := e.(*leaf); ok {
		opposite := *l
		opposite.negate = !l.negate
		return &opposite
	}
	return &group{"none", []expr{e}}
}

// but turns a numset.Choice around; what was looked for within some numbers stays within them.
func (r *setReader) but(c numset.Choice, within *numset.Set) numset.Choice {
	if within == nil || c.Set == nil {
		return c.Not()
	}
	out := within.Clone()
	out.AndNot(c.Set)
	return numset.Choice{Set: out}
}

// numbers lists what e holds for, within the numbers or, with nil, within the whole list.
func (r *setReader) numbers(e expr, within *numset.Set) (*numset.Set, error) {
	c, err := r.find(e, within)
	if err != nil || !c.Rest {
		return c.Set, err
	}
	return r.restOf(c.Set)
}

// restOf is everybody but some.
func (r *setReader) restOf(set *numset.Set) (*numset.Set, error) {
	all, err := r.everybody()
	if err != nil {
		return nil, err
	}
	out := all.Clone()
	out.AndNot(set)
	return out, nil
}

// every finds those that all parts hold for, the narrowest part first. As long
// as many are left the other parts are read whole, several at a time.
func (r *setReader) every(parts []expr, within *numset.Set) (numset.Choice, error) {
	if len(parts) > 1 && (within == nil || within.Count() > fewNumbers) {
		sizes := map[expr]int64{}
		for _, p := range parts {
			n, err := r.estimate(p)
			if err != nil {
				return numset.Choice{}, err
			}
			sizes[p] = n
		}
		parts = slices.Clone(parts)
		slices.SortStableFunc(parts, func(a, b expr) int { return cmp.Compare(sizes[a], sizes[b]) })
		if sizes[parts[0]] >= estimateLimit { // all are wide
			return r.together(parts, within)
		}
	}
	left := numset.Choice{Set: &numset.Set{}, Rest: true}
	if within != nil {
		left = numset.Choice{Set: within.Clone()}
	}
	for i, p := range parts {
		if !left.Rest && left.Set.Count() > fewNumbers && len(parts)-i > 1 {
			others, err := r.together(parts[i:], within)
			return left.And(others), err
		}
		ask := within
		if !left.Rest {
			ask = left.Set
		}
		got, err := r.choose(p, ask)
		if err != nil {
			return numset.Choice{}, err
		}
		left = left.And(got)
	}
	return left, nil
}

// together finds those that all parts hold for by reading all of them at once.
func (r *setReader) together(parts []expr, within *numset.Set) (numset.Choice, error) {
	got, faults := make([]numset.Choice, len(parts)), make([]error, len(parts))
	var wait sync.WaitGroup
	for i, p := range parts {
		look := func() { got[i], faults[i] = r.choose(p, within) }
		if r.alone {
			look()
		} else {
			wait.Go(look)
		}
	}
	wait.Wait()
	if err := errors.Join(faults...); err != nil {
		return numset.Choice{}, err
	}
	left := got[0]
	for _, g := range got[1:] {
		left = left.And(g)
	}
	return left, nil
}

// estimate tells about how many an expression holds for: exactly up to
// estimateLimit, and beyond that only that it is many. What is negated comes last.
func (r *setReader) estimate(e expr) (int64, error) {
	switch e := e.(type) {
	case *leaf:
		if e.did != nil {
			return r.estimateDid(e), nil
		}
		if e.negate {
			return 2 * estimateLimit, nil
		}
		if e.size != 0 {
			return e.size, nil
		}
		var n int64
		err := r.s.DB.QueryRow(r.ctx, fmt.Sprintf("select count(*) from (select 1 from (%s) as s limit %d) as t", e.set, estimateLimit), e.args...).Scan(&n)
		if err != nil {
			return 0, fmt.Errorf("estimate a condition: %w", err)
		}
		e.size = max(n, 1)
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

func (r *setReader) leaf(l *leaf, within *numset.Set) (numset.Choice, error) {
	if l.negate {
		got, err := r.leaf(not(l).(*leaf), within)
		return r.but(got, within), err
	}
	switch {
	case l.did != nil:
		return r.didOf(l, within)
	case l.holds != nil:
		return r.holding(l, within)
	}
	if within != nil && !l.loose && within.Count() <= fewNumbers {
		got, err := r.read(r.s.amongSQL(l.probe, len(l.args)+1), append(slices.Clone(l.args), r.s.numbersArg(within.List()))...)
		return numset.Choice{Set: got}, err
	}
	got := l.nums
	if got != nil {
		got = got.Clone()
	} else {
		var err error
		if got, err = r.read(l.set, l.args...); err != nil {
			return numset.Choice{}, err
		}
	}
	if l.loose {
		if err := r.follow(got); err != nil {
			return numset.Choice{}, err
		}
		if within == nil {
			shown, err := r.shownOf(got)
			if err != nil {
				return numset.Choice{}, err
			}
			within = shown
		}
	}
	if within != nil {
		got.And(within)
	}
	return numset.Choice{Set: got}, nil
}

// read reads the numbers of a query when it is its turn.
func (r *setReader) read(query string, args ...any) (*numset.Set, error) {
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	return r.s.readNumbers(r.ctx, query, args...)
}

// shownOf gives a set that holds those of some numbers which the list shows.
func (r *setReader) shownOf(some *numset.Set) (*numset.Set, error) {
	if some.Count() > fewNumbers {
		return r.everybody()
	}
	return r.read(r.s.amongSQL(contactsAmong+" and "+r.shown, 1), r.s.numbersArg(some.List()))
}

// follow puts survivors beside contacts that were merged into them.
func (r *setReader) follow(set *numset.Set) error {
	r.mu.Lock()
	defer r.mu.Unlock()
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
		if !set.Has(from) {
			continue
		}
		for next, ok := r.moved[into]; ok; next, ok = r.moved[into] {
			into = next
		}
		set.Add(into)
	}
	return nil
}

// everybody is the whole list, shared: do not change it.
func (r *setReader) everybody() (*numset.Set, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		all, err := r.read("select num as n from contacts" + r.s.DB.Pick(" indexed by contacts_facets", "") + " where " + r.shown)
		if err != nil {
			return nil, err
		}
		r.all = all
	}
	return r.all, nil
}

// readNumbers reads all numbers of a query at once: as one value, which costs a
// tenth of a row each.
func (s *Service) readNumbers(ctx context.Context, query string, args ...any) (*numset.Set, error) {
	var packed []byte
	err := s.DB.QueryRow(ctx, "select "+s.packSQL("n")+" from ("+query+") as s", args...).Scan(&packed)
	if err != nil {
		return nil, fmt.Errorf("read a set of contacts: %w", err)
	}
	out := &numset.Set{}
	return out, s.unpack(packed, out.Add)
}

// packSQL gathers a column of contact numbers into one value: a text on SQLite,
// where it is the fastest, and four bytes each on PostgreSQL. There are never
// more than two billion contacts.
func (s *Service) packSQL(column string) string {
	return s.DB.Pick("group_concat("+column+")", "string_agg(int4send("+column+"::int4), ''::bytea)")
}

// unpack reads what packSQL gathered.
func (s *Service) unpack(packed []byte, take func(n int64)) error {
	if s.DB.Dialect() == db.SQLite {
		return numset.EachNumber(packed, take)
	}
	if len(packed)%4 != 0 {
		return fmt.Errorf("%d bytes are no list of numbers", len(packed))
	}
	for ; len(packed) > 0; packed = packed[4:] {
		take(int64(binary.BigEndian.Uint32(packed)))
	}
	return nil
}

// contactsAmong looks some contacts up. Left to itself, SQLite walks an index of
// everybody instead.
const contactsAmong = "select num as n from contacts{by number} where {in:num}"

// amongSQL fills {in:column}: the column is one of the numbers in argument n.
func (s *Service) amongSQL(text string, n int) string {
	text = strings.ReplaceAll(text, "{by number}", s.DB.Pick(" not indexed", ""))
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
	set *chosen
}

// chosen is whom a rule chose.
type chosen struct {
	numset.Choice
	total int64
	told  map[string]verdict // what the analytics store said; nobody changes it

	mu     sync.Mutex
	listed *numset.Set // all of them, once somebody wanted to go through them
}

const (
	keptSets   = 24
	keptTold   = 8 // answers on behaviour that are kept with a set: of a million people 125 KB each
	keptSetAge = time.Minute
)

func (k *ruleSets) get(key string, now time.Time, age time.Duration) (*chosen, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.kept {
		if d := now.Sub(s.at); s.key == key && d >= 0 && d <= age {
			return s.set, true
		}
	}
	return nil, false
}

func (k *ruleSets) put(key string, now time.Time, set *chosen) {
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
	fmt.Fprintf(&b, "%q%#v;", f.walking(), f.args)
	e.describe(&b)
	h := fnv.New128a()
	_, _ = h.Write([]byte(b.String())) // a hash never fails
	return string(h.Sum(nil))
}
