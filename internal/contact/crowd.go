package contact

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/numset"
)

// Crowd is the people whom a caller may see, as they are now: for work on sets
// of contacts that are kept elsewhere. It is read once and then answers without
// the database.
type Crowd struct {
	s      *Service
	ctx    context.Context
	people *numset.Set // nil: everybody, and not read yet
	all    bool
	moved  map[int64]int64
}

// Crowd reads whom the caller may see.
func (s *Service) Crowd(ctx context.Context) (*Crowd, error) {
	c := &Crowd{s: s, ctx: ctx, all: auth.ScopeOf(ctx).All}
	moved, err := s.movedAll(ctx)
	if err != nil {
		return nil, err
	}
	if c.moved = moved; !c.all {
		_, err = c.People()
	}
	return c, err
}

// movedAll gives whom every merged contact is part of.
func (s *Service) movedAll(ctx context.Context) (map[int64]int64, error) {
	direct := map[int64]int64{}
	rows, err := s.DB.Query(ctx, "select num, merged_into from contacts where merged_into <> 0")
	err = scanAll(rows, err, "read merged contacts", func(rows *sql.Rows) error {
		var from, into int64
		err := rows.Scan(&from, &into)
		direct[from] = into
		return err
	})
	for from, into := range direct {
		for next, ok := direct[into]; ok; next, ok = direct[into] {
			into = next
		}
		direct[from] = into
	}
	return direct, err
}

// All tells that the caller sees everybody.
func (c *Crowd) All() bool { return c.all }

// People are all of them; do not change it.
func (c *Crowd) People() (*numset.Set, error) {
	if c.people != nil {
		return c.people, nil
	}
	f := &filter{kind: "shown = 1", plus: c.s.DB.Pick("+", "")}
	if !f.within(auth.ScopeOf(c.ctx)) {
		c.people = &numset.Set{}
		return c.people, nil
	}
	from := "contacts" + c.s.DB.Pick(" indexed by contacts_facets", "")
	if f.index != "" {
		from = "contacts" + c.s.DB.Pick(" indexed by "+f.index, "")
	}
	got, err := c.s.readNumbers(c.ctx, "select num as n from "+from+" where "+f.walking(), f.args...)
	if err != nil {
		return nil, err
	}
	c.people = got
	return got, nil
}

// Of gives the people of a kept set whom the caller may see: those who were
// merged count as whom they are part of. The set itself stays as it is.
func (c *Crowd) Of(set *numset.Set) *numset.Set {
	out := set.Clone()
	if len(c.moved) > 0 {
		for from, into := range c.moved {
			if out.Has(from) {
				out.Add(into)
			}
		}
		for from := range c.moved {
			out.Remove(from)
		}
	}
	if !c.all {
		out.And(c.people)
	}
	return out
}

// ViewFilter gives the filter of a view that the caller may use, with the
// caller's own id where it says "me".
func (s *Service) ViewFilter(ctx context.Context, id string) (FilterBody, error) {
	w, err := s.views.get(ctx, id)
	if err != nil {
		return FilterBody{}, err
	}
	f := w.Definition.Filter
	if f.Owner == "me" {
		f.Owner = principal(ctx).ID
	}
	return f, nil
}

// FoundPerson is what a line that names a person came to: Num is the number of
// the person, or Reason the code that says why nobody is meant.
type FoundPerson struct {
	Num    int64
	Reason string
}

// FindNamed finds whom texts name: contact ids, or identities of a kind; "auto"
// looks at each text. Nobody is made, and whom the caller may not see is nobody.
func (s *Service) FindNamed(ctx context.Context, kind string, texts []string) ([]FoundPerson, error) {
	rows := make([]fileRow, len(texts))
	for i, t := range texts {
		rows[i].value = t
		if t == "" {
			rows[i].reason = missingEmpty
		}
	}
	if err := s.findPeople(ctx, rows, kind); err != nil {
		return nil, err
	}
	out := make([]FoundPerson, len(rows))
	for i, r := range rows {
		out[i] = FoundPerson{r.num, r.reason}
	}
	return s.peopleOnly(ctx, out)
}

// peopleOnly turns visitors into nobody.
func (s *Service) peopleOnly(ctx context.Context, found []FoundPerson) ([]FoundPerson, error) {
	var nums []int64
	for _, f := range found {
		if f.Reason == "" {
			nums = append(nums, f.Num)
		}
	}
	people := map[int64]bool{}
	err := selectIn(ctx, s.DB, "find people", "select num from contacts where shown = 1 and num in (%s)", nil, nums, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		people[n] = true
		return err
	})
	for i := range found {
		if found[i].Reason == "" && !people[found[i].Num] {
			found[i] = FoundPerson{Reason: missingNobody}
		}
	}
	return found, err
}

// Numbers gives whom a selection means now, as a set. Those outside the caller's
// data scope are not in it.
func (s *Service) Numbers(ctx context.Context, sel Selection) (*numset.Set, error) {
	out := &numset.Set{}
	if len(sel.IDs) > 0 {
		nums, err := s.selected(ctx, sel.IDs)
		for _, n := range nums {
			out.Add(n)
		}
		return out, err
	}
	f, some, err := s.filterOf(ctx, sel.Query)
	if err != nil || !some {
		return out, err
	}
	if f.bySets(sel.Query) {
		found, err := s.ruleSet(ctx, sel.Query, f, -1)
		if err != nil {
			return nil, err
		}
		set, err := s.numbers(ctx, f, found)
		if err != nil {
			return nil, err
		}
		out = set.Clone()
	} else {
		for after := int64(0); ; {
			nums, err := s.Walk(ctx, Selection{Query: sel.Query}, after, 20_000)
			if err != nil {
				return nil, err
			}
			if len(nums) == 0 {
				break
			}
			for _, n := range nums {
				out.Add(n)
			}
			after = nums[len(nums)-1]
		}
	}
	except, err := s.selected(ctx, sel.Except)
	if err != nil {
		return nil, fmt.Errorf("find whom a selection leaves out: %w", err)
	}
	for _, n := range except {
		out.Remove(n)
	}
	return out, nil
}
