package contact

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/rule"
)

// ruleType is what a field holds, which decides how it compares.
type ruleType string

const (
	typeText   ruleType = "text"
	typeChoice ruleType = "choice" // one of a list
	typeMulti  ruleType = "multi"  // several of a list: tags
	typeNumber ruleType = "number"
	typeMoney  ruleType = "money" // minor units
	typeDate   ruleType = "date"
	typeBool   ruleType = "bool"
	typeBucket ruleType = "bucket" // a stable random number below 100
)

// opsOf are the ways to compare, in the order the console offers them.
var opsOf = map[ruleType][]string{
	typeText:   {"is", "isNot", "in", "notIn", "contains", "notContains", "startsWith", "set", "notSet"},
	typeChoice: {"in", "notIn", "is", "isNot", "set", "notSet"},
	typeMulti:  {"hasAnyOf", "hasAllOf", "hasNoneOf", "set", "notSet"},
	typeNumber: {"is", "isNot", "gt", "gte", "lt", "lte", "between", "set", "notSet"},
	typeMoney:  {"gte", "gt", "lt", "lte", "between", "is", "isNot", "set", "notSet"},
	typeDate:   {"within", "olderThan", "on", "before", "after", "between", "next", "anniversary", "set", "notSet"},
	typeBool:   {"is", "set", "notSet"},
	typeBucket: {"between"},
}

// positive gives the operator that op is the opposite of.
var positive = map[string]string{"isNot": "is", "notIn": "in", "notContains": "contains", "hasNoneOf": "hasAnyOf", "notSet": "set"}

// ruleField is something a condition can be about.
type ruleField struct {
	name string
	typ  ruleType
	ops  []string // nil: those of the type
	keys []string // which ones there are; nil: the field has none
	free bool     // any key will do, and there must be one
	// compile answers a condition whose operator is none of the opposites.
	compile func(c *compiler, n *condition) (expr, error)
}

func (f *ruleField) allows(op string) bool {
	ops := f.ops
	if ops == nil {
		ops = opsOf[f.typ]
	}
	return slices.Contains(ops, op)
}

// condition is a node being compiled.
type condition struct {
	*rule.Node
	op   string // positive form
	typ  ruleType
	path string
}

func (c *condition) fault(part, code string, params ...any) error {
	return rule.Fault(c.path+"."+part, code, params...)
}

// compiler turns a rule into an expression for one request: it knows who asks and when.
type compiler struct {
	s     *Service
	ctx   context.Context
	shown string    // of the list: shown = 1
	today time.Time // the company's midnight
	now   time.Time
	me    string
}

func (s *Service) compiler(ctx context.Context, f *filter) *compiler {
	return &compiler{s: s, ctx: ctx, shown: f.kind, me: principal(ctx).ID, today: s.today(ctx), now: s.Clock.Now()}
}

// today is the company's last midnight.
func (s *Service) today(ctx context.Context) time.Time {
	now := s.Clock.Now().In(s.zone(ctx))
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
}

func (c *compiler) compile(r *rule.Rule, path string) (expr, error) { return c.node(&r.Node, path) }

func (c *compiler) node(n *rule.Node, path string) (expr, error) {
	if n.Field != "" {
		return c.condition(n, path)
	}
	if !n.Behaviour.Empty() {
		return c.behaviour(&n.Behaviour, path)
	}
	kind, parts := n.Parts()
	g := &group{kind: kind}
	if kind == "" {
		g.kind = "all"
	}
	for i := range parts {
		p, err := c.node(&parts[i], fmt.Sprintf("%s.%s[%d]", path, kind, i))
		if err != nil {
			return nil, err
		}
		g.parts = append(g.parts, p)
	}
	return g, nil
}

func (c *compiler) condition(n *rule.Node, path string) (expr, error) {
	f, err := c.s.ruleFieldOf(c.ctx, n, path)
	if err != nil {
		return nil, err
	}
	cond := &condition{Node: n, op: n.Op, typ: f.typ, path: path}
	if !f.allows(n.Op) {
		return nil, cond.fault("op", "rule.bad_op", "op", n.Op)
	}
	op, negate := positive[n.Op]
	if negate {
		cond.op = op
	}
	e, err := f.compile(c, cond)
	if err != nil {
		return nil, err
	}
	if negate {
		e = &group{"none", []expr{e}}
	}
	return e, nil
}

// ruleFieldOf finds the field of a condition, and that its key is one of the field's.
func (s *Service) ruleFieldOf(ctx context.Context, n *rule.Node, path string) (*ruleField, error) {
	if n.Field == attributeField {
		return s.attributeRuleField(ctx, n.Key, path)
	}
	for i := range ruleFields {
		f := &ruleFields[i]
		if f.name != n.Field {
			continue
		}
		switch {
		case f.free && (strings.TrimSpace(n.Key) == "" || len(n.Key) > maxSalt):
			return nil, rule.Fault(path+".key", "rule.needs_salt")
		case f.free:
		case f.keys == nil && n.Key != "" || f.keys != nil && !slices.Contains(f.keys, n.Key):
			return nil, rule.Fault(path+".key", "rule.bad_key", "key", n.Key)
		}
		return f, nil
	}
	if f, err := s.otherRuleField(ctx, n, path); f != nil || err != nil {
		return f, err
	}
	return nil, rule.Fault(path+".field", "rule.bad_field", "field", n.Field)
}

// column makes the leaf of a condition on columns of contacts. index holds all
// that it reads; narrower is what the index leaves out, said again for the engine.
func (c *compiler) column(index, narrower, where string, args ...any) *leaf {
	from := "contacts"
	if c.shown == "shown = 1" { // visitors have few of the indices
		from += c.s.DB.Pick(" indexed by "+index, "")
	}
	cond := c.shown + " and " + where
	if narrower != "" {
		cond = c.shown + " and " + narrower + " and " + where
	}
	return &leaf{where: where, set: "select num as n from " + from + " where " + cond, probe: contactsAmong + " and " + c.shown + " and " + where, args: args}
}

// on says that the condition bounds a column by which lists are sorted.
func (l *leaf) on(column string) *leaf {
	l.column = column
	return l
}

// texts reads one text, or a list of them.
func (n *condition) texts() ([]string, error) {
	list, ok := n.Value.([]any)
	if !ok {
		list = []any{n.Value}
	}
	var out []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok || s == "" {
			return nil, n.fault("value", "rule.needs_text")
		}
		out = append(out, s)
	}
	single := n.op == "is" || n.op == "contains" || n.op == "startsWith"
	if len(out) == 0 || single && len(out) != 1 {
		return nil, n.fault("value", "rule.needs_text")
	}
	return out, nil
}

// textCond is a condition on a text column: "set", "is", "in", "contains" or "startsWith".
// fold tells that the column holds lower case, so that the value is made so too.
func (c *compiler) textCond(n *condition, column string, fold bool) (string, []any, error) {
	if n.op == "set" {
		return column + " <> ''", nil, nil
	}
	texts, err := n.texts()
	if err != nil {
		return "", nil, err
	}
	if fold {
		for i, t := range texts {
			texts[i] = formsOf(t).key
		}
	}
	args := make([]any, len(texts))
	marks := make([]string, len(texts))
	for i, t := range texts {
		args[i], marks[i] = t, fmt.Sprintf("$%d", i+1)
	}
	switch n.op {
	case "contains":
		if fold || asciiLower(texts[0]) == asciiUpper(texts[0]) { // no letter in it has a case
			return fmt.Sprintf(c.s.DB.Pick("instr(%s, $1) > 0", "position($1 in %s) > 0"), column), args, nil
		}
		args[0] = asciiLower(texts[0])
		return fmt.Sprintf(c.s.DB.Pick("instr(lower(%s), $1) > 0", `position($1 in lower(%s collate "C")) > 0`), column), args, nil
	case "startsWith":
		bytes := column + c.s.DB.Pick("", ` collate "C"`)
		return bytes + " >= $1 and " + bytes + " < $2", []any{texts[0], beyond(texts[0])}, nil
	}
	return column + " in (" + strings.Join(marks, ", ") + ")", args, nil
}

func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r + 'A' - 'a'
		}
		return r
	}, s)
}

// asciiLower folds the letters that both engines fold alike.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// whole reads a whole number.
func (n *condition) whole(v any) (int64, error) {
	f, ok := v.(float64)
	if i, isInt := v.(int); isInt {
		f, ok = float64(i), true
	}
	if !ok || f != float64(int64(f)) || f > 1<<53 || f < -1<<53 {
		return 0, n.fault("value", "rule.needs_whole")
	}
	return int64(f), nil
}

// wholes reads what a numeric operator needs: one, or two in order.
func (n *condition) wholes(read func(v any) (int64, error)) ([]int64, error) {
	if n.op != "between" {
		v, err := read(n.Value)
		return []int64{v}, err
	}
	list, _ := n.Value.([]any)
	if len(list) != 2 {
		return nil, n.fault("value", "rule.needs_two")
	}
	a, err := read(list[0])
	if err != nil {
		return nil, err
	}
	b, err := read(list[1])
	if err != nil {
		return nil, err
	}
	if a > b {
		return nil, n.fault("value", "rule.wrong_order")
	}
	return []int64{a, b}, nil
}

// numberCond is a condition on a whole-number column.
func (n *condition) numberCond(column string, read func(v any) (int64, error)) (string, []any, error) {
	v, err := n.wholes(read)
	if err != nil {
		return "", nil, err
	}
	switch n.op {
	case "is":
		return column + " = cast($1 as bigint)", []any{v[0]}, nil
	case "gt":
		return column + " > cast($1 as bigint)", []any{v[0]}, nil
	case "gte":
		return column + " >= cast($1 as bigint)", []any{v[0]}, nil
	case "lt":
		return column + " < cast($1 as bigint)", []any{v[0]}, nil
	case "lte":
		return column + " <= cast($1 as bigint)", []any{v[0]}, nil
	}
	return column + " >= cast($1 as bigint) and " + column + " <= cast($2 as bigint)", []any{v[0], v[1]}, nil
}

// maxRuleDays bounds relative dates: a hundred years.
const maxRuleDays = 36_500

func (n *condition) days() (int, error) {
	d, err := n.whole(n.Value)
	if err != nil || d < 1 || d > maxRuleDays {
		return 0, n.fault("value", "rule.needs_days", "limit", maxRuleDays)
	}
	return int(d), nil
}

func (n *condition) day(v any, zone *time.Location) (time.Time, error) {
	s, _ := v.(string)
	t, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil || t.Year() < 1800 || t.Year() > 2300 {
		return t, n.fault("value", "rule.needs_day")
	}
	return t, nil
}

// span is a stretch of days, half open; a zero end is open.
type span struct{ from, to time.Time }

// span reads what a date operator means today. A day is a day of the company's time zone.
func (c *compiler) span(n *condition) (span, error) {
	zone := c.today.Location()
	next := func(t time.Time, days int) time.Time { return t.AddDate(0, 0, days) }
	switch n.op {
	case "within", "olderThan", "next":
		d, err := n.days()
		if err != nil {
			return span{}, err
		}
		switch n.op {
		case "within": // today is the last of them
			return span{next(c.today, 1-d), next(c.today, 1)}, nil
		case "olderThan":
			return span{to: next(c.today, 1-d)}, nil
		}
		return span{c.today, next(c.today, d)}, nil // today is the first of them
	case "between":
		list, _ := n.Value.([]any)
		if len(list) != 2 {
			return span{}, n.fault("value", "rule.needs_two")
		}
		a, err := n.day(list[0], zone)
		if err != nil {
			return span{}, err
		}
		b, err := n.day(list[1], zone)
		if err != nil {
			return span{}, err
		}
		if a.After(b) {
			return span{}, n.fault("value", "rule.wrong_order")
		}
		return span{a, next(b, 1)}, nil
	}
	d, err := n.day(n.Value, zone)
	if err != nil {
		return span{}, err
	}
	switch n.op {
	case "before":
		return span{to: d}, nil
	case "after":
		return span{from: next(d, 1)}, nil
	}
	return span{d, next(d, 1)}, nil
}

// timeCond is a condition on a column of UTC milliseconds, in which 0 is never.
func (c *compiler) timeCond(n *condition, column string) (string, []any, error) {
	if n.op == "set" {
		return column + " > 0", nil, nil
	}
	s, err := c.span(n)
	if err != nil {
		return "", nil, err
	}
	from, to := int64(1), int64(1)<<62
	if !s.from.IsZero() {
		from = max(from, s.from.UnixMilli())
	}
	if !s.to.IsZero() {
		to = s.to.UnixMilli()
	}
	return column + " >= cast($1 as bigint) and " + column + " < cast($2 as bigint)", []any{from, to}, nil
}
