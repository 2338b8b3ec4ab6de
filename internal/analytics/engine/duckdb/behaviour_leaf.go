package duckdb

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// rows are the facts that a leaf looks at; those of rule.Ever to rule.Forever are all.
type rows struct {
	name     string
	where    []rule.Where
	from, to int64
}

// key is the same for the same facts.
func (x rows) key() string {
	text, err := json.Marshal(x.where)
	if err != nil { // texts, numbers and lists of them: always JSON
		panic(err)
	}
	return fmt.Sprintf("%q %d %d %s", x.name, x.from, x.to, text)
}

// leaf says what must be asked for a leaf, and how its answer is made of what
// comes back: those with facts for whom it does not hold as for those without any.
func (p *plan) leaf(b *rule.Behaviour) func() *numset.Set {
	switch {
	case b.Sequence != nil:
		return p.sequence(b.Sequence)
	case b.Habit != nil:
		return p.habit(b.Habit)
	}
	e := b.Event.Default()
	from, to := e.Within.Span(p.now, p.zone)
	x := rows{e.Name, e.Where, from, to}
	switch {
	case e.Measure == "firstTime":
		return p.firstTime(x)
	case e.Measure == "count" && onceIsEnough(e.Op, e.Value):
		return own(p.once(x))
	}
	return own(p.measure(x, p.event(&e, x), p.empty(b)))
}

// own gives a copy of a set that others may share, once it is there.
func own(set *numset.Set) func() *numset.Set { return set.Clone }

// onceIsEnough tells whether a condition on how often is one thing for those who
// never did it and the opposite for all others.
func onceIsEnough(op string, value any) bool {
	is := func(n float64) bool { return rule.Fulfils(op, value, n*1e6) }
	return is(0) != is(1) && is(1) == is(2) && is(1) == is(1e12)
}

// firstTime are those who did something before the end of a time, but not before it.
func (p *plan) firstTime(x rows) func() *numset.Set {
	until := p.once(rows{x.name, x.where, rule.Ever, x.to})
	if x.from == rule.Ever {
		return own(until)
	}
	before := p.once(rows{x.name, x.where, rule.Ever, x.from})
	return func() *numset.Set {
		set := until.Clone()
		set.AndNot(before)
		return set
	}
}

// aggregate is something that a statement keeps per contact.
type aggregate struct {
	fn     string // SQL over the columns of the scan, without its filter
	weight int64  // about how many bytes
}

// measured is what a statement keeps per contact for a leaf, and for which it holds.
type measured struct {
	aggregates func(c *scan) []aggregate
	holds      func(c *scan, names []string) string // never NULL
	alone      bool                                 // it shares its statement with no other
}

// event is a count or a measure of one event.
func (p *plan) event(e *rule.Event, x rows) measured {
	one := func(weight int64, fn func(c *scan) string) func(c *scan) []aggregate {
		return func(c *scan) []aggregate { return []aggregate{{fn(c), weight}} }
	}
	numbers := func(form string, lit func(float64) string) func(*scan, []string) string {
		return func(_ *scan, names []string) string {
			return compareSQL(e.Op, e.Value, strings.ReplaceAll(form, "$", names[0]), lit)
		}
	}
	number := func(c *scan) string { return c.number(e.Property, x) }
	switch e.Measure {
	case "sum":
		return measured{aggregates: one(32, func(c *scan) string { return "sum(" + number(c) + "::HUGEINT)" }), holds: numbers("coalesce($, 0)", wholeSQL)}
	case "avg":
		return measured{
			aggregates: func(c *scan) []aggregate {
				return []aggregate{{"sum(" + number(c) + "::HUGEINT)", 32}, {"count(" + number(c) + ")", 8}}
			},
			holds: func(_ *scan, names []string) string {
				return compareSQL(e.Op, e.Value, names[0], func(n float64) string { return wholeSQL(n) + "::HUGEINT * " + names[1] })
			},
		}
	case "min", "max":
		return measured{aggregates: one(16, func(c *scan) string { return e.Measure + "(" + number(c) + ")" }), holds: numbers("$", doubleSQL)}
	case "distinct":
		return measured{aggregates: one(8, func(c *scan) string { return "count(DISTINCT " + c.text(e.Property, x) + ")" }), holds: numbers("$", countSQL), alone: true}
	case "first", "last":
		fn := map[string]string{"first": "arg_min(", "last": "arg_max("}[e.Measure]
		return measured{
			aggregates: one(80, func(c *scan) string { return fn + c.text(e.Property, x) + ", " + c.order() + ")" }),
			holds: func(c *scan, names []string) string {
				return c.compareText(e.Op, e.Value, func() string { return names[0] }, func() string { return millionthsSQL("try_cast(" + names[0] + " AS DOUBLE)") })
			},
		}
	}
	return measured{aggregates: one(8, func(*scan) string { return "count(*)" }), holds: numbers("$", countSQL)}
}

// wholeSQL is a number of millionths as an integer.
func wholeSQL(n float64) string {
	i, _ := big.NewFloat(n).Int(nil)
	return i.String()
}

// countSQL is a number of millionths as the whole number that it is a million times of.
func countSQL(n float64) string { return strconv.FormatInt(int64(n/1e6), 10) }

// doubleSQL is a number of millionths as a double.
func doubleSQL(n float64) string { return strconv.FormatFloat(n, 'e', -1, 64) }

// compareSQL is a comparison of a number; never NULL. lit writes a number of
// millionths as what x is compared with.
func compareSQL(op string, value any, x string, lit func(n float64) string) string {
	op, opposite := rule.Positive(op)
	to := func(v any) string {
		n, _ := v.(float64) // the form was checked
		m, _ := rule.Millionths(n)
		return lit(m)
	}
	cond := "false"
	switch op {
	case "gte":
		cond = x + " >= " + to(value)
	case "gt":
		cond = x + " > " + to(value)
	case "lte":
		cond = x + " <= " + to(value)
	case "lt":
		cond = x + " < " + to(value)
	case "is":
		cond = x + " = " + to(value)
	case "between":
		if list, _ := value.([]any); len(list) == 2 {
			cond = x + " >= " + to(list[0]) + " AND " + x + " <= " + to(list[1])
		}
	}
	return sure(cond, opposite)
}

// sure makes a condition false where it is NULL, or the opposite of that.
func sure(cond string, opposite bool) string {
	if opposite {
		return "NOT coalesce(" + cond + ", false)"
	}
	return "coalesce(" + cond + ", false)"
}

// millionthsSQL is rule.Millionths of a double.
func millionthsSQL(x string) string {
	return "CASE WHEN abs(" + x + ") <= 1e15 THEN round(" + x + " * 1e6) END"
}
