package contact

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// Field is something that contacts can be filtered by and that another package
// knows: what they agreed to, whose team looks after them, their segments.
type Field interface {
	// Views lists it for the filter builder, once for each of its keys. Field is
	// filled in by this package, and Type and Ops where they are empty: a choice,
	// compared by in and notIn. Ops may name any that the type has.
	Views(ctx context.Context) ([]FieldView, error)
	// Among says whom one value of a choice (type choice or multi) means. Key and
	// value are of those that Views lists as options.
	Among(ctx context.Context, key, value string) (Among, error)
}

// Comparer is a Field of which some keys are of another type than choice and
// multi: numbers, dates, texts. Compare says whom a condition on such a key means.
type Comparer interface {
	Field
	Compare(ctx context.Context, c Comparison) (Among, error)
}

// Comparison is a condition, read and checked. Its operator is none of the
// opposites (isNot, notIn, notContains, notSet): this package turns the answer
// of what they are the opposite of round.
type Comparison struct {
	Key string
	Op  string // texts: is, in, contains, startsWith; numbers, money and dates: between; bool: is; all: set

	Texts    []string
	Min, Max int64     // numbers, and money in minor units: both included, the smallest and largest int64 when open
	From, To time.Time // dates: half open, in the company's days; zero is open
	Flag     bool
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

	Nums []int64 // these; merged ones count as who they are part of
	// Set is these, as Nums. It is not changed here, and whoever gives it must not
	// change it either as long as a question goes on: give a copy, or a set that is
	// replaced and never written to.
	Set    *numset.Set
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
			out = append(out, f.complete(v))
		}
	}
	return out, nil
}

var otherOps = []string{"in", "notIn"}

// complete fills in what a field leaves to this package.
func (f otherField) complete(v FieldView) FieldView {
	v.Field = f.name
	switch {
	case v.Type == "" || v.Type == string(typeChoice):
		v.Type = string(typeChoice)
		if v.Ops == nil {
			v.Ops = otherOps
		}
	case v.Ops == nil && v.Type == string(typeDate):
		v.Ops = slices.DeleteFunc(slices.Clone(opsOf[typeDate]), func(op string) bool { return op == "anniversary" })
	case v.Ops == nil:
		v.Ops = opsOf[ruleType(v.Type)]
	}
	return v
}

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
	v := f.complete(views[key])
	compile := func(c *compiler, n *condition) (expr, error) { return c.chosenOf(f, v.Options, n) }
	if typ := ruleType(v.Type); typ != typeChoice && typ != typeMulti {
		compare, ok := f.Field.(Comparer)
		if !ok {
			return nil, fmt.Errorf("field %s has a key of type %s and does not compare", f.name, v.Type)
		}
		compile = func(c *compiler, n *condition) (expr, error) { return c.compared(compare, n) }
	}
	return &ruleField{name: f.name, typ: ruleType(v.Type), ops: v.Ops, compile: compile}, nil
}

// chosenOf is a condition on the choices of another package's field.
func (c *compiler) chosenOf(f otherField, options []Option, n *condition) (expr, error) {
	var list []string
	var err error
	g := &group{kind: "any"}
	switch n.op {
	case "set": // any of all there are
		for _, o := range options {
			list = append(list, o.Value)
		}
	case "hasAllOf":
		g.kind = "all"
		fallthrough
	default:
		if list, err = n.texts(); err != nil {
			return nil, err
		}
	}
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
}

// compared is a condition on another package's numbers, dates, texts or flags.
func (c *compiler) compared(f Comparer, n *condition) (expr, error) {
	ask := Comparison{Key: n.Key, Op: n.op}
	var err error
	switch {
	case n.op == "set":
	case n.typ == typeNumber || n.typ == typeMoney:
		ask.Op = "between"
		ask.Min, ask.Max, err = n.bounds()
	case n.typ == typeDate:
		var s span
		s, err = c.span(n)
		ask.Op, ask.From, ask.To = "between", s.from, s.to
	case n.typ == typeBool:
		var ok bool
		if ask.Flag, ok = n.Value.(bool); !ok {
			err = n.fault("value", "rule.needs_flag")
		}
	default:
		ask.Texts, err = n.texts()
	}
	if err != nil {
		return nil, err
	}
	a, err := f.Compare(c.ctx, ask)
	if err != nil {
		return nil, err
	}
	return c.among(a)
}

// bounds are the whole numbers that a numeric operator takes, both included.
func (n *condition) bounds() (least, most int64, err error) {
	v, err := n.wholes(n.whole)
	if err != nil {
		return 0, 0, err
	}
	least, most = math.MinInt64, math.MaxInt64
	switch n.op {
	case "is":
		return v[0], v[0], nil
	case "gt":
		least = v[0] + 1
	case "gte":
		least = v[0]
	case "lt":
		most = v[0] - 1
	case "lte":
		most = v[0]
	default:
		return v[0], v[1], nil
	}
	return least, most, nil
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
	l := &leaf{loose: true, nums: a.Set}
	h := fnv.New64a()
	if a.Set == nil {
		l.nums = numset.Of(a.Nums...)
	}
	for i := range l.nums.Words() {
		_ = binary.Write(h, binary.BigEndian, l.nums.Word(i)) // a hash never fails
	}
	l.set = "these " + string(h.Sum(nil)) // tells it from others, see keyOf
	l.size = max(1, l.nums.Count())
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
			return f.complete(views[at])
		}
	}
	return FieldView{}
}
