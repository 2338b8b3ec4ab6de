package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
)

// match is what a search text can mean: the contacts that have it as an id or
// identity, and a beginning of a name.
type match struct {
	exact  []int64
	name   string // beginning of the name as written, lower case
	pinyin string // beginning of the pinyin, the Latin name or the initials
}

func (m match) some() bool { return len(m.exact) > 0 || m.name != "" || m.pinyin != "" }

// match reads a search text. A phone number, e-mail address or id that somebody
// has is taken as such; anything else is the beginning of a name.
func (s *Service) match(ctx context.Context, q string) (match, error) {
	q = clip(strings.TrimSpace(q), 200)
	var m match
	if q == "" {
		return m, nil
	}
	var err error
	if m.exact, err = s.holders(ctx, q); err != nil {
		return m, err
	}
	if strings.ContainsRune(q, '@') || strings.HasPrefix(q, "ct_") || digits(q) >= 5 {
		return m, nil
	}
	if l, ok := letters(q); ok {
		m.pinyin = l
	} else {
		m.name = formsOf(q).key
	}
	return m, nil
}

func digits(s string) (n int) {
	for _, r := range toASCII(s) {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}

// holders finds the contacts that have the text as public id or as an identity
// of any kind.
func (s *Service) holders(ctx context.Context, q string) ([]int64, error) {
	var out []int64
	add := func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
		return err
	}
	if strings.HasPrefix(q, "ct_") {
		n, err := s.NumOf(ctx, q)
		if err != nil {
			if isNotFound(err) {
				return nil, nil
			}
			return nil, err
		}
		return []int64{n}, nil
	}
	kinds, err := s.kinds(ctx)
	if err != nil {
		return nil, err
	}
	for _, kind := range kinds {
		norm, refused := normalize(kind, q, s.Country)
		if refused != "" {
			continue
		}
		if Personal(kind) {
			norm = s.Keys.Index(field(kind), norm)
		}
		rows, err := s.DB.Query(ctx, "select contact from identities where kind = $1 and lookup = $2", kind, norm)
		if err := scanAll(rows, err, "find identity", add); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// kinds lists the kinds of identity there are: a few steps through the index.
func (s *Service) kinds(ctx context.Context) ([]string, error) {
	rows, err := s.DB.Query(ctx, `with recursive k(kind) as (select min(kind) from identities
		union all select (select min(i.kind) from identities i where i.kind > k.kind) from k where k.kind is not null)
		select kind from k where kind is not null`)
	kinds, err := db.Collect(rows, err, func(r *sql.Rows) (k string, err error) { return k, r.Scan(&k) })
	if err != nil {
		return nil, fmt.Errorf("list kinds of identity: %w", err)
	}
	return kinds, nil
}

// sql is the match as a condition on contacts. Visitors have no names.
// Initials add only those that the pinyin did not find, so nothing is found twice.
func (m match) sql(kind event.Kind) (string, []any) {
	var parts []string
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("{%d}", len(args))
	}
	for _, n := range m.exact {
		parts = append(parts, "select cast("+arg(n)+" as bigint)")
	}
	if kind != event.Visitor {
		prefix := func(column, p string) string {
			return column + " >= " + arg(p) + " and " + column + " < " + arg(beyond(p))
		}
		if m.name != "" {
			parts = append(parts, "select num from contacts where shown = 1 and name_key <> '' and "+prefix("name_key", m.name))
		}
		if m.pinyin != "" {
			parts = append(parts, "select num from contacts where shown = 1 and "+prefix("name_pinyin", m.pinyin))
			if len(m.pinyin) > 1 { // the initial of a name is the first letter of its pinyin
				parts = append(parts, "select num from contacts where shown = 1 and name_initials <> '' and "+prefix("name_initials", m.pinyin)+
					" and not ("+prefix("name_pinyin", m.pinyin)+")")
			}
		}
	}
	if len(parts) == 0 {
		return "", nil
	}
	return "num in (" + strings.Join(parts, " union all ") + ")", args
}

// Search finds a few contacts for the search box: who has the id, phone number
// or e-mail address first, then by the beginning of the name.
func (s *Service) Search(ctx context.Context, q string, limit int) ([]Row, error) {
	m, err := s.match(ctx, q)
	if err != nil || !m.some() {
		return []Row{}, err
	}
	nums := m.exact
	if text, args := (match{name: m.name, pinyin: m.pinyin}).sql(event.Person); text != "" {
		f := &filter{}
		f.add(text, args...)
		// Any matches will do, cut off early; a shorter name is a better match.
		rows, err := s.DB.Query(ctx, "select num, length(name_key) as n from contacts where num in ("+
			strings.TrimSuffix(strings.TrimPrefix(f.where[0], "num in ("), ")")+fmt.Sprintf(" limit %d) order by n, num limit %d", 20*limit, limit), args...)
		found, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { var l int64; return n, r.Scan(&n, &l) })
		if err != nil {
			return nil, fmt.Errorf("search contacts: %w", err)
		}
		for _, n := range found {
			if !slices.Contains(nums, n) {
				nums = append(nums, n)
			}
		}
	}
	return s.ListByNums(ctx, nums[:min(limit, len(nums))])
}
