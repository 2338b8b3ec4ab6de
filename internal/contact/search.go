package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
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
	counted := false
	var looked struct{ kind, value string } // the personal value that was typed, by the kind that somebody has it as
	for _, kind := range kinds {
		before := len(out)
		norm, refused := normalize(kind, q, s.Country)
		if refused != "" {
			continue
		}
		typed := ""
		if keptSealed(kind, norm) {
			if !counted {
				if err := s.guesses.allow(ctx, s.Clock.Now()); err != nil {
					return nil, err
				}
				counted = true
				looked.kind, looked.value = kind, norm
			}
			typed = norm
			norm = s.Keys.Index(field(kind), norm)
		}
		rows, err := s.DB.Query(ctx, "select contact from identities where kind = $1 and lookup = $2", kind, norm)
		if err := scanAll(rows, err, "find identity", add); err != nil {
			return nil, err
		}
		if typed != "" && len(out) > before {
			looked.kind, looked.value = kind, typed
		}
	}
	if looked.kind != "" {
		if err := s.lookedUp(ctx, looked.kind, looked.value, out); err != nil {
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

// addMatch adds what a search text can mean. It tells whether anything can match.
func (s *Service) addMatch(f *filter, m match, kind event.Kind) bool {
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("{%d}", len(args))
	}
	var set, probe []string
	for _, n := range m.exact {
		a := arg(n)
		set = append(set, "select num as n from contacts where num = cast("+a+" as bigint) and "+f.kind)
		probe = append(probe, "num = "+a)
	}
	counted := ""
	if kind != event.Visitor { // visitors have no names
		named, checks := s.namedSQL(m, arg)
		if len(named) > 0 && len(set) == 0 {
			counted = "select count(*) from (" + strings.Join(named, " union all ") + ") as found"
		}
		set, probe = append(set, named...), append(probe, checks...)
	}
	if len(set) == 0 {
		return false
	}
	f.addSet(strings.Join(set, " union all "), strings.Join(probe, " or "), counted, args...)
	return true
}

// namedSQL finds people by the beginning of their name: queries of their
// numbers, none of which finds what another one does, and checks of the same.
func (s *Service) namedSQL(m match, arg func(any) string) (queries, checks []string) {
	prefix := func(column, from, to string) string { return column + " >= " + from + " and " + column + " < " + to }
	query := func(index, where string) {
		queries = append(queries, "select num as n from contacts"+s.DB.Pick(" indexed by "+index, "")+" where shown = 1 and "+where)
	}
	if m.name != "" {
		is := prefix("name_key", arg(m.name), arg(beyond(m.name)))
		query("contacts_by_key", "name_key <> '' and "+is)
		checks = append(checks, is)
	}
	if m.pinyin != "" {
		from, to := arg(m.pinyin), arg(beyond(m.pinyin))
		read := prefix("name_pinyin", from, to)
		query("contacts_by_name", read)
		checks = append(checks, read)
		if len(m.pinyin) > 1 { // the initial of a name is the first letter of its pinyin
			short := prefix("name_initials", from, to)
			query("contacts_by_initials", "name_initials <> '' and "+short+" and not ("+read+")")
			checks = append(checks, short)
		}
	}
	return queries, checks
}

// Search finds a few contacts for the search box: who has the id, phone number
// or e-mail address first, then by the beginning of the name.
func (s *Service) Search(ctx context.Context, q string, limit int) ([]Row, error) {
	if !auth.ScopeOf(ctx).All { // of the few that they may see, those seen last are as good
		page, err := s.List(ctx, Query{Q: q, Limit: limit})
		if strings.TrimSpace(q) == "" {
			page.Items = []Row{}
		}
		return page.Items, err
	}
	m, err := s.match(ctx, q)
	if err != nil || !m.some() {
		return []Row{}, err
	}
	nums := m.exact
	var args []any
	queries, _ := s.namedSQL(m, func(v any) string { args = append(args, v); return fmt.Sprintf("$%d", len(args)) })
	if len(queries) > 0 {
		// Of the first ones found, a shorter name is a better match.
		for i, q := range queries {
			queries[i] = fmt.Sprintf("select n from (%s limit %d) as part_%d", q, 20*limit, i)
		}
		rows, err := s.DB.Query(ctx, "select num from contacts where num in ("+strings.Join(queries, " union all ")+fmt.Sprintf(") order by length(name_key), num limit %d", limit), args...)
		found, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
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
