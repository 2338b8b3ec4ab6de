package duckdb

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/rule"
)

// scan reads the facts of some names for a statement: a line per fact with the
// contact r it belongs to today, its time ts and the properties asked for, each
// read once however many leaves look at it.
type scan struct {
	sel      *selection
	names    []string
	from, to int64 // all that the leaves look at lies in here
	some     bool  // from and to are set
	ordered  bool  // the order of the facts is asked for, as k
	numbered bool  // … at the same moment, as i
	raw      bool  // r is the number that a fact was stored under
	share    int   // only the facts of one contact in so many; up to 1: of all
	texts    []*scanned
	numbers  []*scanned
	bound    map[string]string
}

// scanned is a property that is read, for the facts of some time.
type scanned struct {
	property string
	from, to int64
}

func newScan(st *state, names ...string) *scan {
	return &scan{sel: &selection{st: st}, names: names, bound: map[string]string{}}
}

// bind binds a text, once.
func (c *scan) bind(text string) string {
	if c.bound[text] == "" {
		c.bound[text] = c.sel.bind(clean(text))
	}
	return c.bound[text]
}

// order is the order of the facts of one contact as a number: by time, and by
// arrival at the same one. Facts are only ever added at the end, so that the
// number of their row tells.
func (c *scan) order() string {
	c.ordered = true
	return "k"
}

// orderBy is the same as a list of columns.
func (c *scan) orderBy() string {
	c.numbered = true
	return "ts, i"
}

func (c *scan) column(in *[]*scanned, property string, x rows) int {
	i := slices.IndexFunc(*in, func(s *scanned) bool { return s.property == property })
	if i < 0 {
		*in = append(*in, &scanned{property, x.from, x.to})
		return len(*in) - 1
	}
	s := (*in)[i]
	s.from, s.to = min(s.from, x.from), max(s.to, x.to)
	return i
}

// text is a property of these facts as text.
func (c *scan) text(property string, x rows) string {
	return "t" + strconv.Itoa(c.column(&c.texts, property, x))
}

// number is a property of these facts as a number of millionths.
func (c *scan) number(property string, x rows) string {
	i := c.column(&c.numbers, property, x)
	if !c.promoted(property) {
		c.text(property, x)
	}
	return "n" + strconv.Itoa(i)
}

// promoted tells whether a property has a column of numbers.
func (c *scan) promoted(property string) bool {
	return slices.ContainsFunc(c.sel.st.columns, func(p column) bool { return p.ready && p.typ == "number" && p.property == property })
}

// facts is the condition that a fact is one of x.
func (c *scan) facts(x rows) string {
	cond := append(between("ts", x.from, x.to), c.conds(x)...)
	if len(cond) == 0 {
		return "true"
	}
	return strings.Join(cond, " AND ")
}

// conds are the conditions that a fact is one of x, but for the time.
func (c *scan) conds(x rows) (cond []string) {
	if !c.some {
		c.from, c.to, c.some = x.from, x.to, true
	}
	c.from, c.to = min(c.from, x.from), max(c.to, x.to)
	if len(c.names) > 1 {
		cond = append(cond, "name = "+c.bind(x.name))
	}
	for _, w := range x.where {
		cond = append(cond, c.compareText(w.Op, w.Value, func() string { return c.text(w.Property, x) }, func() string { return c.number(w.Property, x) }))
	}
	return cond
}

// between says that a time lies from one moment to before another.
func between(ts string, from, to int64) []string {
	var out []string
	if from != rule.Ever {
		out = append(out, ts+" >= "+strconv.FormatInt(from, 10))
	}
	if to != rule.Forever {
		out = append(out, ts+" < "+strconv.FormatInt(to, 10))
	}
	return out
}

// compareText is a condition on a text that may be NULL; never NULL itself.
// number gives the same as a number of millionths; only what is looked at is
// asked for.
func (c *scan) compareText(op string, value any, text, number func() string) string {
	positive, opposite := rule.Positive(op)
	switch positive {
	case "set":
		return "(" + text() + " IS NOT NULL) <> " + strconv.FormatBool(opposite)
	case "is":
		return sure(c.anyOf([]any{value}, text, number), opposite)
	case "in":
		list, _ := value.([]any)
		return sure(c.anyOf(list, text, number), opposite)
	case "contains", "startsWith":
		part, _ := value.(string) // the form was checked
		fn := map[string]string{"contains": "contains", "startsWith": "starts_with"}[positive]
		return sure(fmt.Sprintf("%s(%s, %s) AND NOT %s", fn, text(), c.bind(part), sealedSQL(text())), opposite)
	}
	return compareSQL(op, value, number(), doubleSQL)
}

// sealedSQL tells, as secret.FixedKey does, whether a text is a sealed value.
func sealedSQL(text string) string {
	return fmt.Sprintf(`(starts_with(%[1]s, 'd1.') AND strlen(%[1]s) >= 34 AND regexp_matches(%[1]s, '^d1\.[0-9a-f]{8}\.'))`, text)
}

// anyOf is the condition that a text is one of some values; NULL or false else.
func (c *scan) anyOf(values []any, text, number func() string) string {
	var texts, numbers []string
	for _, v := range values {
		switch v := v.(type) {
		case string:
			texts = append(texts, c.bind(v))
		case bool:
			texts = append(texts, "'"+strconv.FormatBool(v)+"'")
		case float64:
			if m, fits := rule.Millionths(v); fits {
				numbers = append(numbers, doubleSQL(m))
			}
		}
	}
	var any []string
	if len(texts) > 0 {
		any = append(any, text()+" IN ("+strings.Join(texts, ", ")+")")
	}
	if len(numbers) > 0 {
		any = append(any, "coalesce("+number()+" IN ("+strings.Join(numbers, ", ")+"), false)")
	}
	if len(any) == 0 {
		return "false"
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// sql is the scan as a table. Call it after all else was asked of c.
func (c *scan) sql() string {
	names := make([]string, len(c.names))
	for i, n := range c.names {
		names[i] = c.bind(n)
	}
	c.sel.and("f.name IN (" + strings.Join(names, ", ") + ")")
	for _, cond := range between("f.ts", c.from, c.to) {
		c.sel.and(cond)
	}
	person := "f.contact"
	if !c.raw {
		person = c.sel.person()
	}
	c.sel.and(person + " > 0")
	if c.share > 1 {
		c.sel.and(fmt.Sprintf("((%s & 2147483647) * %d & 4294967295) < %d", person, analytics.ShareMix, analytics.ShareLimit(c.share)))
	}
	cols := []string{person + " AS r", "f.ts AS ts"}
	if len(c.names) > 1 {
		cols = append(cols, "f.name AS name")
	}
	if c.ordered { // rows are numbered in far less than 48 bits
		cols = append(cols, "f.ts::HUGEINT * 281474976710656 + f.rowid AS k")
	}
	if c.numbered {
		cols = append(cols, "f.rowid AS i")
	}
	for i, t := range c.texts {
		cols = append(cols, c.guard(t, c.sel.text(t.property))+" AS t"+strconv.Itoa(i))
	}
	var doubles, numbers []string
	for i, n := range c.numbers {
		d := "d" + strconv.Itoa(i)
		if c.promoted(n.property) {
			cols = append(cols, c.sel.number(n.property)+" AS "+d)
		} else {
			t := slices.IndexFunc(c.texts, func(s *scanned) bool { return s.property == n.property })
			doubles = append(doubles, fmt.Sprintf("try_cast(t%d AS DOUBLE) AS %s", t, d))
		}
		numbers = append(numbers, millionthsSQL(d)+" AS n"+strconv.Itoa(i))
	}
	out := "(SELECT " + strings.Join(cols, ", ") + c.sel.from() + ")"
	for _, more := range [][]string{doubles, numbers} {
		if len(more) > 0 {
			out = "(SELECT *, " + strings.Join(more, ", ") + " FROM " + out + ")"
		}
	}
	return out
}

// guard reads a property out of JSON only where somebody looks at it.
func (c *scan) guard(s *scanned, expr string) string {
	if s.from <= c.from && s.to >= c.to || !strings.Contains(expr, "->>") {
		return expr
	}
	return "CASE WHEN " + strings.Join(between("f.ts", s.from, s.to), " AND ") + " THEN " + expr + " END"
}
