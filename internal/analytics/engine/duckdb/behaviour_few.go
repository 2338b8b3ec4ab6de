package duckdb

import (
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
	fewFacts  = 200_000
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
		return history(ctx, s.readDB, st, q, 0, func(_ int64, facts *story) { look(facts) })
	})
	return out, err
}

// history reads the facts of the contacts of q.Among that its leaves look at and
// gives them contact by contact. It fails with errNotFew beyond a limit; 0 is none.
func history(ctx context.Context, db asker, st *state, q analytics.BehaviourQuery, limit int, each func(contact int64, facts *story)) error {
	var names []string
	props, from := false, int64(rule.Forever)
	for i := range q.Leaves {
		for _, n := range q.Leaves[i].Names() {
			if !slices.Contains(names, clean(n)) {
				names = append(names, clean(n))
			}
		}
		props = props || len(q.Leaves[i].Properties()) > 0
		since, _ := q.Leaves[i].Span(q.Now, q.Zone)
		from = min(from, since)
	}
	slices.Sort(names)
	contact := "a.n"
	among := "(SELECT unnest($1::BIGINT[]) AS n) a JOIN facts f ON f.contact = a.n"
	if st.merged {
		// Numbers that are part of another contact are nobody; those that are part of these count.
		among = `(SELECT c.contact AS n, c.root AS r FROM contacts c WHERE c.root IN (SELECT unnest($1::BIGINT[]))
			UNION ALL SELECT u.n, u.n FROM (SELECT unnest($1::BIGINT[]) AS n) u ANTI JOIN contacts c ON c.contact = u.n) a JOIN facts f ON f.contact = a.n`
		contact = "a.r"
	}
	sel := &selection{st: st, args: []any{q.Among}}
	sel.anyOf("f.name", names)
	for _, cond := range between("f.ts", from, rule.Forever) {
		sel.and(cond)
	}
	sel.and(contact + " > 0")
	read := "NULL"
	if props {
		read = "f.props"
	}
	query := "SELECT " + contact + " AS r, f.name, f.ts, " + read + " FROM " + among + " WHERE " + strings.Join(sel.where, " AND ") + " ORDER BY r, f.ts, f.seq, f.idx"
	if limit > 0 {
		query += " LIMIT " + strconv.Itoa(limit+1)
	}
	seen, last, facts := 0, int64(0), &story{byName: map[string][]rule.Fact{}}
	err := ask(ctx, db, query, sel.args, func(scan func(...any) error) error {
		var of int64
		var f rule.Fact
		var props sql.NullString
		if err := scan(&of, &f.Name, &f.At, &props); err != nil {
			return err
		}
		if seen++; limit > 0 && seen > limit {
			return errNotFew
		}
		if of != last && last != 0 {
			each(last, facts)
			clear(facts.byName)
			facts.all = facts.all[:0]
		}
		last, f.Properties = of, json.RawMessage(props.String)
		facts.all = append(facts.all, f)
		facts.byName[f.Name] = append(facts.byName[f.Name], f)
		return nil
	})
	if err == nil && last != 0 {
		each(last, facts)
	}
	return err
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
