package contact

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// Field is something that contacts can be filtered by and that another package
// knows: what they agreed to, whose team looks after them. Its values are choices.
type Field interface {
	// Views lists it for the filter builder, once for each of its keys. Field,
	// Type and Ops are filled in by this package.
	Views(ctx context.Context) ([]FieldView, error)
	// Among says whom one value means. Key and value are of those that Views lists.
	Among(ctx context.Context, key, value string) (Among, error)
}

// Among is a set of contacts. Exactly one of its parts is given.
type Among struct {
	All, Any, None []Among

	// Query gives numbers of contacts in a column called n; {list} in it stands for
	// the number of the list that is asked for: 1 people, 2 visitors. Loose says
	// that it may give merged contacts, and others than the list shows. Probe, which
	// exact queries may have, is the same for few, whose column is within {in:column}.
	Query, Probe string
	Args         []any
	Loose        bool

	Nums   []int64  // these; merged ones count as who they are part of
	Owners []string // all that are theirs
}

// FilterBy adds a field. Call it while wiring.
func (s *Service) FilterBy(name string, f Field) {
	s.others = append(s.others, otherField{name, f})
}

type otherField struct {
	name string
	Field
}

// otherViews lists the fields of other packages.
func (s *Service) otherViews(ctx context.Context) ([]FieldView, error) {
	var out []FieldView
	for _, f := range s.others {
		views, err := f.Views(ctx)
		if err != nil {
			return nil, err
		}
		for _, v := range views {
			v.Field, v.Type, v.Ops = f.name, string(typeChoice), otherOps
			out = append(out, v)
		}
	}
	return out, nil
}

var otherOps = []string{"in", "notIn"}

// otherRuleField makes the field of a condition that another package answers;
// nil when none does.
func (s *Service) otherRuleField(ctx context.Context, n *rule.Node, path string) (*ruleField, error) {
	at := slices.IndexFunc(s.others, func(f otherField) bool { return f.name == n.Field })
	if at < 0 {
		return nil, nil
	}
	f := s.others[at]
	views, err := f.Views(ctx)
	if err != nil {
		return nil, err
	}
	key := slices.IndexFunc(views, func(v FieldView) bool { return v.Key == n.Key })
	if key < 0 {
		return nil, rule.Fault(path+".key", "rule.bad_key", "key", clip(n.Key, 64))
	}
	options := views[key].Options
	return &ruleField{name: f.name, typ: typeChoice, ops: otherOps, compile: func(c *compiler, n *condition) (expr, error) {
		list, err := n.texts()
		if err != nil {
			return nil, err
		}
		g := &group{kind: "any"}
		for _, v := range list {
			if !slices.ContainsFunc(options, func(o Option) bool { return o.Value == v }) {
				return nil, n.fault("value", "rule.not_a_value", "value", clip(v, 60))
			}
			a, err := f.Among(c.ctx, n.Key, v)
			if err != nil {
				return nil, err
			}
			e, err := c.among(a)
			if err != nil {
				return nil, err
			}
			g.parts = append(g.parts, e)
		}
		return g, nil
	}}, nil
}

// among makes an expression of what another package found.
func (c *compiler) among(a Among) (expr, error) {
	for _, g := range []struct {
		kind  string
		parts []Among
	}{{"all", a.All}, {"any", a.Any}, {"none", a.None}} {
		if len(g.parts) == 0 {
			continue
		}
		out := &group{kind: g.kind}
		for _, p := range g.parts {
			e, err := c.among(p)
			if err != nil {
				return nil, err
			}
			out.parts = append(out.parts, e)
		}
		return out, nil
	}
	switch {
	case a.Query != "":
		list := strings.NewReplacer("{list}", strings.TrimPrefix(c.shown, "shown = "))
		return &leaf{set: list.Replace(a.Query), probe: list.Replace(a.Probe), args: a.Args, loose: a.Loose || a.Probe == ""}, nil
	case len(a.Owners) > 0:
		n := &condition{Node: &rule.Node{Op: "in"}, op: "in"}
		where, args, err := c.textCond(n.with(a.Owners), "owner_id", false)
		return c.column("contacts_by_owner", "owner_id <> ''", where, args...), err
	}
	l := &leaf{loose: true, nums: &numset.Set{}}
	h := fnv.New64a()
	for _, n := range a.Nums {
		l.nums.Add(n)
		_ = binary.Write(h, binary.BigEndian, n) // a hash never fails
	}
	l.set = "these " + string(h.Sum(nil)) // tells it from others, see keyOf
	l.size = max(1, int64(len(a.Nums)))
	return l, nil
}

// otherView is how the field of another package shows what a condition asks;
// the zero value when there is none.
func (p *speaker) otherView(n *rule.Node) FieldView {
	for _, f := range p.s.others {
		if f.name != n.Field {
			continue
		}
		views, err := f.Views(p.ctx)
		if err != nil { // then key and values are said as they are
			return FieldView{}
		}
		if at := slices.IndexFunc(views, func(v FieldView) bool { return v.Key == n.Key }); at >= 0 {
			return views[at]
		}
	}
	return FieldView{}
}
