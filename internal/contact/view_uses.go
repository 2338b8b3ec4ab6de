package contact

import (
	"context"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

// RefersTo tells whether a condition is about a tag, an attribute or one option
// of it: whoever keeps rules answers Referrer.Uses with it. It looks at the one
// condition; see rule.Node.Each for all of a rule.
func RefersTo(n *rule.Node, of Term) bool {
	switch {
	case of.Tag != nil:
		return n.Field == "tag" && slices.Contains(n.Texts(), of.Tag.ID)
	case n.Field == attributeField:
		if n.Key != of.Attribute {
			return false
		}
	default:
		b, ok := builtInNamed(of.Attribute)
		if !ok || n.Field != of.Attribute && !(n.Field == "identity" && slices.Contains(n.Texts(), b.kind)) {
			return false
		}
	}
	return of.Option == "" || slices.Contains(n.Texts(), of.Option)
}

// refersTo tells whether a view is about a term: by its filter, or a column.
func (d *ViewDefinition) refersTo(of Term) bool {
	found := of.Tag != nil && d.Filter.Tag == of.Tag.ID
	if of.Tag == nil && of.Option == "" {
		found = slices.ContainsFunc(d.Columns, func(c string) bool { return c == attributeColumn+of.Attribute || c == of.Attribute && IsBuiltIn(c) })
	}
	if !d.Filter.Where.Empty() {
		d.Filter.Where.Each(func(n *rule.Node) { found = found || RefersTo(n, of) })
	}
	return found
}

// Uses implements Referrer: the caller's own views and the shared ones by name,
// those of others as one line, since their names are nobody else's.
func (v *views) Uses(ctx context.Context, of Term) ([]Use, error) {
	var out []Use
	for _, w := range builtInViews(v.s.aloneAfter(ctx)) {
		if w.Definition.refersTo(of) {
			out = append(out, Use{Kind: "view", ID: w.ID, Name: httpx.Say(ctx, w.Name, nil), Link: "/contacts?view=" + w.ID})
		}
	}
	all, err := v.everybodys(ctx)
	if err != nil {
		return nil, err
	}
	me, others := principal(ctx).ID, 0
	for _, w := range all {
		switch {
		case !w.Definition.refersTo(of):
		case w.Shared || w.Owner.ID == me:
			out = append(out, Use{Kind: "view", ID: w.ID, Name: w.Name, Link: "/contacts?view=" + w.ID})
		default:
			others++
		}
	}
	if others > 0 {
		out = append(out, Use{Kind: "view", Name: httpx.Say(ctx, "contact.use.private_views", map[string]any{"count": others})})
	}
	return out, nil
}

func (v *views) everybodys(ctx context.Context) ([]View, error) {
	rows, err := v.s.DB.Query(ctx, "select id, owner_id, owner_name, shared, name, definition, updated_at from contact_views order by name_key, id")
	all, err := db.Collect(rows, err, v.scan)
	if err != nil {
		return nil, fmt.Errorf("read views: %w", err)
	}
	return all, nil
}

// Moved implements Referrer: conditions and columns say what took the place of
// a term. A condition that the other attribute could not answer stays as it is,
// and so does one on what nothing took the place of: the view tells what is missing.
func (v *views) Moved(ctx context.Context, from Term, into *Term) error {
	if into == nil {
		return nil
	}
	follow, err := v.follower(ctx, from, *into)
	if err != nil {
		return err
	}
	all, err := v.everybodys(ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		if !w.Definition.refersTo(from) {
			continue
		}
		follow(&w.Definition)
		text, err := v.encode(w.Definition)
		if err != nil {
			return err
		}
		if _, err := v.s.DB.Exec(ctx, "update contact_views set definition = $2 where id = $1", w.ID, text); err != nil {
			return fmt.Errorf("follow in view: %w", err)
		}
	}
	return nil
}

// follower makes the change to a view that a move asks for.
func (v *views) follower(ctx context.Context, from, into Term) (func(*ViewDefinition), error) {
	rules, err := v.s.Follower(ctx, from, into)
	if err != nil {
		return nil, err
	}
	return func(d *ViewDefinition) {
		if from.Tag != nil && d.Filter.Tag == from.Tag.ID {
			d.Filter.Tag = into.Tag.ID
		}
		if from.Tag == nil && from.Option == "" {
			d.followColumn(from.Attribute, into.Attribute)
		}
		rules(d.Filter.Where)
	}, nil
}

// followColumn shows an attribute in the place of another, once.
func (d *ViewDefinition) followColumn(from, into string) {
	for i, c := range d.Columns {
		if c == attributeColumn+from {
			d.Columns[i] = attributeColumn + into
		}
	}
	var seen []string
	d.Columns = slices.DeleteFunc(d.Columns, func(c string) bool {
		twice := slices.Contains(seen, c)
		seen = append(seen, c)
		return twice
	})
}

// Follower makes the change to rules that the end of a term asks for: their
// conditions say what took its place, as views do. Conditions that the other
// attribute could not answer stay as they are. The change tells whether there
// was anything to change. Call it in the transaction of Referrer.Moved.
func (s *Service) Follower(ctx context.Context, from, into Term) (func(r *rule.Rule) (changed bool), error) {
	each := func(fn func(*rule.Node) bool) func(*rule.Rule) bool {
		return func(r *rule.Rule) (changed bool) {
			if r.Empty() {
				return false
			}
			r.Each(func(n *rule.Node) {
				if RefersTo(n, from) && fn(n) {
					changed = true
				}
			})
			return changed
		}
	}
	switch {
	case from.Tag != nil:
		return each(func(n *rule.Node) bool { n.Replace(map[string]string{from.Tag.ID: into.Tag.ID}); return true }), nil
	case from.Option != "":
		return each(func(n *rule.Node) bool { n.Replace(map[string]string{from.Option: into.Option}); return true }), nil
	}
	defs, err := s.engine.readDefinitions(ctx) // as they are in this transaction
	if err != nil {
		return nil, err
	}
	a, b := defs.get(from.Attribute), defs.get(into.Attribute)
	answers := a != nil && b != nil && a.Type == b.Type && b.indexed() && a.Personal.Sealed() == b.Personal.Sealed()
	options := map[string]string{} // those of one to those of the other that are called the same
	if answers {
		for _, o := range a.Options {
			if same, ok := b.Labelled(o.Label); ok {
				options[o.ID] = same.ID
			}
		}
	}
	return each(func(n *rule.Node) bool {
		fits := answers && !slices.ContainsFunc(n.Texts(), func(o string) bool { return len(a.Options) > 0 && options[o] == "" })
		if fits {
			n.Key = into.Attribute
			n.Replace(options)
		}
		return fits
	}), nil
}
