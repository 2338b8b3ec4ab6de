package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// So many contacts are answered by reading their facts, as long as there are no
// more than so many of these.
const (
	fewPeople = 2_000
	fewFacts  = 100_000
)

var errNotFew = errors.New("more facts than to be read one by one")

// answerFew answers for the contacts of q.Among; done is false when they have too many facts.
func answerFew(ctx context.Context, tx *sql.Tx, st *state, q analytics.BehaviourQuery) (out []numset.Choice, done bool, err error) {
	out = make([]numset.Choice, len(q.Leaves))
	leaves := make([]*rule.Moment, len(q.Leaves))
	for i := range q.Leaves {
		leaves[i] = q.Leaves[i].At(q.Now, q.Zone)
		out[i] = numset.Choice{Set: &numset.Set{}, Rest: leaves[i].Look(nil).Holds}
	}
	err = history(ctx, tx, st, q, fewFacts, func(contact int64, facts *story) {
		for i := range q.Leaves {
			some := facts.of(&q.Leaves[i])
			if len(some) > 0 && leaves[i].Look(some).Holds != out[i].Rest {
				out[i].Set.Add(contact)
			}
		}
	})
	if errors.Is(err, errNotFew) {
		return nil, false, nil
	}
	return out, true, err
}

// Evidence implements analytics.Witness.
func (s *Store) Evidence(ctx context.Context, q analytics.BehaviourQuery) (out []rule.Evidence, err error) {
	if err := checkBehaviour(&q); err != nil {
		return nil, err
	}
	if len(q.Among) != 1 {
		return nil, errors.New("evidence is asked for one contact")
	}
	look := func(facts *story) {
		out = make([]rule.Evidence, len(q.Leaves))
		for i := range q.Leaves {
			out[i] = rule.Look(&q.Leaves[i], facts.of(&q.Leaves[i]), q.Now, q.Zone)
		}
	}
	look(&story{})
	err = s.read(ctx, "look for evidence", func(st *state) error {
		tx, err := s.readDB.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // it changed nothing
		return history(ctx, tx, st, q, 0, func(_ int64, facts *story) { look(facts) })
	})
	return out, err
}

// history reads the facts of the contacts of q.Among that its leaves look at and
// gives them contact by contact. It fails with errNotFew beyond a limit; 0 is none.
//
// Facts are found by their contacts alone: a filter on several names would have
// DuckDB read every column of every fact. Properties are most of what a store
// holds, and read for those facts alone where they matter.
func history(ctx context.Context, tx *sql.Tx, st *state, q analytics.BehaviourQuery, limit int, each func(contact int64, facts *story)) error {
	cols := plainColumns(st)
	needs, since := needsOf(cols, q)
	all := map[int64][]told{}
	var places []int64 // of the facts whose properties must be read
	oldest := int64(rule.Forever)
	query, args := foundSQL(st, cols, q.Among, since, limit)
	seen := 0
	err := ask(ctx, tx, query, args, func(scan func(...any) error) error {
		var of int64
		var f told
		values := make([]any, len(cols))
		into := []any{&of, &f.Name, &f.At, &f.place}
		for i := range values {
			into = append(into, &values[i])
		}
		if err := scan(into...); err != nil {
			return err
		}
		if seen++; limit > 0 && seen > limit {
			return errNotFew
		}
		n := needs[f.Name]
		if n == nil || f.At < n.from {
			return nil
		}
		if f.At >= n.whole {
			places, oldest = append(places, f.place), min(oldest, f.At)
		} else {
			f.Properties = propertiesOf(cols, values)
		}
		all[of] = append(all[of], f)
		return nil
	})
	if err != nil {
		return err
	}
	props, err := propertiesAt(ctx, tx, places, oldest)
	if err != nil {
		return err
	}
	s := &story{byName: map[string][]rule.Fact{}}
	for contact, facts := range all {
		slices.SortFunc(facts, func(a, b told) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.place, b.place)) })
		for _, f := range facts {
			if text, ok := props[f.place]; ok {
				f.Properties = text
			}
			s.all = append(s.all, f.Fact)
			s.byName[f.Name] = append(s.byName[f.Name], f.Fact)
		}
		each(contact, s)
		s.all = s.all[:0]
		for name := range s.byName {
			s.byName[name] = s.byName[name][:0]
		}
	}
	return nil
}

// told is a fact with its place in the store, which is in order of arrival.
type told struct {
	rule.Fact
	place int64
}

// foundSQL finds facts by their contacts.
func foundSQL(st *state, columns []column, among []int64, since int64, limit int) (string, []any) {
	contact, whose := "a.n", "(SELECT unnest($1::BIGINT[]) AS n) a"
	if st.merged {
		// Numbers that are part of another contact are nobody; those that are part of these count.
		contact = "a.r"
		whose = `(SELECT c.contact AS n, c.root AS r FROM contacts c WHERE c.root IN (SELECT unnest($1::BIGINT[]))
			UNION ALL SELECT u.n, u.n FROM (SELECT unnest($1::BIGINT[]) AS n) u ANTI JOIN contacts c ON c.contact = u.n) a`
	}
	cols := []string{contact, "f.name", "f.ts", "f.rowid"}
	for _, c := range columns {
		cols = append(cols, "f."+c.name)
	}
	where := append(between("f.ts", since, rule.Forever), contact+" > 0")
	query := "SELECT " + strings.Join(cols, ", ") + " FROM " + whose + " JOIN facts f ON f.contact = a.n WHERE " + strings.Join(where, " AND ")
	if limit > 0 {
		query += " LIMIT " + strconv.Itoa(limit+1)
	}
	return query, []any{among}
}

// propertiesAt reads the properties of facts by their places.
func propertiesAt(ctx context.Context, tx *sql.Tx, places []int64, oldest int64) (map[int64]json.RawMessage, error) {
	out := make(map[int64]json.RawMessage, len(places))
	if len(places) == 0 {
		return out, nil
	}
	query := "SELECT rowid, props FROM facts WHERE rowid IN (SELECT unnest($1::BIGINT[])) AND ts >= " + strconv.FormatInt(oldest, 10)
	return out, ask(ctx, tx, query, []any{places}, func(scan func(...any) error) error {
		var place int64
		var props sql.NullString
		err := scan(&place, &props)
		out[place] = json.RawMessage(props.String)
		return err
	})
}

// plainColumns are the promoted properties that may stand for what a fact came
// with: texts for any use, numbers where nothing but the number is looked at.
func plainColumns(st *state) []column {
	return slices.DeleteFunc(slices.Clone(st.columns), func(c column) bool { return !c.ready || c.typ != "number" && c.typ != "string" })
}

// need is from which moment on leaves look at the facts of a name, and at more
// of their properties than there are columns for; never is rule.Forever.
type need struct{ from, whole int64 }

// needsOf says what must be read, by name, and from which moment on.
func needsOf(columns []column, q analytics.BehaviourQuery) (needs map[string]*need, since int64) {
	needs, since = map[string]*need{}, rule.Forever
	for i := range q.Leaves {
		l := &q.Leaves[i]
		from, _ := l.Span(q.Now, q.Zone)
		since = min(since, from)
		whole := slices.ContainsFunc(l.Properties(), func(p string) bool {
			return !slices.ContainsFunc(columns, func(c column) bool { return c.property == p && (c.typ == "string" || l.Numeric(p)) })
		})
		for _, name := range l.Names() {
			n := needs[name]
			if n == nil {
				n = &need{rule.Forever, rule.Forever}
				needs[name] = n
			}
			n.from = min(n.from, from)
			if whole {
				n.whole = min(n.whole, from)
			}
		}
	}
	return needs, since
}

// propertiesOf are the properties that have columns, as JSON.
func propertiesOf(columns []column, values []any) json.RawMessage {
	out := make(map[string]any, len(columns))
	for i, c := range columns {
		if values[i] != nil {
			out[c.property] = values[i]
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil // cannot happen: texts and finite numbers always encode
	}
	return raw
}

// story are the facts of one contact in order of time and arrival.
type story struct {
	all    []rule.Fact
	byName map[string][]rule.Fact
}

// of are those that a leaf looks at, perhaps with others.
func (s *story) of(b *rule.Behaviour) []rule.Fact {
	if names := b.Names(); len(names) == 1 {
		return s.byName[names[0]]
	}
	return s.all
}
