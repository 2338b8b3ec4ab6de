package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// Trait is something that is true of some people now, as a condition of rules.
type Trait struct {
	Group string    // tag, channel, gender, city, stage, pool, tier, attribute
	Of    string    // what it is a value of, in words: the tag's group, the attribute
	Label string    // in words
	Node  rule.Node // whom it means
}

// optionFields are the fields with few values that another package may answer.
var optionFields = []string{"stage", "pool", "tier"}

// mostOptions bounds the values of one field or attribute that are looked at.
const mostOptions = 60

// EachTrait visits the tags, channels, genders, cities, stages, pools, tiers and
// options of attributes that at least so many people have, with who has them. Each
// sort is read by one query whole, so that it takes seconds for a million people.
// The sets are of people of everybody, whatever the caller may see, and are good
// during the visit only.
func (s *Service) EachTrait(ctx context.Context, least int64, visit func(t Trait, who *numset.Set) error) error {
	err := s.eachTag(ctx, least, visit)
	if err != nil {
		return err
	}
	say := func(code string) string { return httpx.Say(ctx, code, nil) }
	about := s.DB.Pick(" indexed by contacts_by_about", "")
	for _, q := range []struct {
		group, column, index, where string
		trait                       func(v string) Trait
	}{
		{"channel", "channel", s.DB.Pick(" indexed by contacts_by_channel", ""), "channel not in ('', 'unknown')", func(v string) Trait {
			return Trait{Label: s.engine.channels.name(v, say), Node: rule.Node{Field: "channel", Key: "first", Op: "in", Value: []any{v}}}
		}},
		{"gender", "gender", about, "gender <> ''", func(v string) Trait {
			return Trait{Label: say("contact.gender." + v), Node: rule.Node{Field: "gender", Op: "in", Value: []any{v}}}
		}},
		{"city", "city", about, "city <> ''", func(v string) Trait {
			return Trait{Label: v, Node: rule.Node{Field: "city", Op: "is", Value: v}}
		}},
	} {
		text := fmt.Sprintf("select %s, %s from contacts%s where shown = 1 and %s group by %s having count(*) >= $1", q.column, s.packSQL("num"), q.index, q.where, q.column)
		err := s.eachSet(ctx, text, []any{least}, func(v string, who *numset.Set) error {
			t := q.trait(v)
			t.Group, t.Of = q.group, say("contact.field."+q.group)
			return visit(t, who)
		})
		if err != nil {
			return err
		}
	}
	if err := s.eachOption(ctx, visit); err != nil {
		return err
	}
	return s.eachChoice(ctx, least, visit)
}

// eachSet visits the rows of a query of a value and the numbers that have it.
func (s *Service) eachSet(ctx context.Context, query string, args []any, visit func(value string, who *numset.Set) error) error {
	rows, err := s.DB.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read traits: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		var packed []byte
		if err := rows.Scan(&value, &packed); err != nil {
			return fmt.Errorf("read traits: %w", err)
		}
		who := &numset.Set{}
		if err := s.unpack(packed, who.Add); err != nil {
			return err
		}
		if err := visit(value, who); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read traits: %w", err)
	}
	return nil
}

func (s *Service) eachTag(ctx context.Context, least int64, visit func(t Trait, who *numset.Set) error) error {
	names, err := s.tagWords(ctx)
	if err != nil {
		return err
	}
	return s.eachSet(ctx, "select tag, "+s.packSQL("contact")+" from contact_tags where shown = 1 group by tag having count(*) >= $1", []any{least}, func(id string, who *numset.Set) error {
		name, ok := names[id]
		if !ok {
			return nil
		}
		return visit(Trait{Group: "tag", Of: name[0], Label: name[1], Node: rule.Node{Field: "tag", Op: "hasAnyOf", Value: []any{id}}}, who)
	})
}

// eachOption visits the values of fields with few of them: one question each.
func (s *Service) eachOption(ctx context.Context, visit func(t Trait, who *numset.Set) error) error {
	list, err := s.listFields(ctx, nil)
	if err != nil {
		return err
	}
	for _, f := range list.Body.Items {
		if !slices.Contains(optionFields, f.Field) || ruleType(f.Type) != typeChoice && ruleType(f.Type) != typeMulti {
			continue
		}
		op := "in"
		if !slices.Contains(f.Ops, op) {
			op = "hasAnyOf"
		}
		for _, o := range f.Options[:min(len(f.Options), mostOptions)] {
			n := rule.Node{Field: f.Field, Key: f.Key, Op: op, Value: []any{o.Value}}
			who, err := s.Matching(ctx, &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{n}}}, "rule", nil)
			if err != nil {
				return err
			}
			if err := visit(Trait{Group: f.Field, Of: f.Label, Label: o.Label, Node: n}, who); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachChoice visits the options of attributes that chooses among some, unless
// their values are hidden.
func (s *Service) eachChoice(ctx context.Context, least int64, visit func(t Trait, who *numset.Set) error) error {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return err
	}
	views, err := s.attributeViews(ctx)
	if err != nil {
		return err
	}
	for _, v := range views {
		def := defs.byKey[v.Key]
		if def == nil || !def.indexed() || def.Personal.Sealed() || def.Type != attribute.Enum && def.Type != attribute.Multi {
			continue
		}
		op := "in"
		if def.Type == attribute.Multi {
			op = "hasAnyOf"
		}
		options := map[string]Option{}
		for _, o := range v.Options[:min(len(v.Options), mostOptions)] {
			options[o.Value] = o
		}
		text := "select str, " + s.packSQL("contact") + " from contact_attribute_values where attr = $1 and shown = 1 and str <> '' group by str having count(*) >= $2"
		err := s.eachSet(ctx, text, []any{v.Key, least}, func(id string, who *numset.Set) error {
			o, ok := options[id]
			if !ok {
				return nil
			}
			return visit(Trait{Group: "attribute", Of: v.Label, Label: o.Label, Node: rule.Node{Field: attributeField, Key: v.Key, Op: op, Value: []any{o.Value}}}, who)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tagWords gives group and name of every tag that is in use.
func (s *Service) tagWords(ctx context.Context) (map[string][2]string, error) {
	out := map[string][2]string{}
	rows, err := s.DB.Query(ctx, "select t.id, g.name, t.name from tags t join tag_groups g on g.id = t.group_id")
	return out, scanAll(rows, err, "read tags", func(r *sql.Rows) error {
		var id, group, name string
		err := r.Scan(&id, &group, &name)
		out[id] = [2]string{group, name}
		return err
	})
}
