package duckdb

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// aloneStatement answers one leaf.
type aloneStatement struct {
	scan  *scan
	set   *numset.Set
	bytes int64 // that it keeps per contact
	text  func(p *plan, facts string) string
}

func (m *aloneStatement) weight() int64 { return m.bytes }

func (m *aloneStatement) settle() {}

func (m *aloneStatement) into() []*numset.Set { return []*numset.Set{m.set} }

func (m *aloneStatement) sql(p *plan) (string, []any) {
	return m.text(p, m.scan.sql()), m.scan.sel.args
}

func (p *plan) ask(scan *scan, bytes int64, text func(p *plan, facts string) string) func() *numset.Set {
	m := &aloneStatement{scan: scan, set: &numset.Set{}, bytes: bytes, text: text}
	p.alone = append(p.alone, m)
	return own(m.set)
}

// sequence are those who took all steps. Two steps without a gap are taken when
// the first one of the first kind comes before the last one of the second. Else
// each fact is told when the steps before it were reached last: later is
// better, as that leaves the smallest gap. That takes sorting, so it is done for
// those alone who took each of the steps.
func (p *plan) sequence(s *rule.Sequence) func() *numset.Set {
	from, to := s.Within.Span(p.now, p.zone)
	b := rule.Behaviour{Sequence: s}
	c := p.newScan(b.Names()...)
	last := len(s.Steps)
	var is, some, mask []string
	for i, step := range s.Steps {
		m := "m" + strconv.Itoa(i+1)
		is = append(is, "("+c.facts(rows{step.Name, step.Where, from, to})+") AS "+m)
		some = append(some, m)
		mask = append(mask, fmt.Sprintf("(%s::UTINYINT << %d)", m, i))
	}
	taken := func(facts string) string {
		return "(SELECT *, " + strings.Join(is, ", ") + " FROM " + facts + ") WHERE (" + strings.Join(some, " OR ") + ")"
	}
	if last == 2 && s.Gap == nil {
		k := c.order()
		return p.ask(c, 64, func(p *plan, facts string) string {
			return fmt.Sprintf("SELECT %s FROM (SELECT r FROM %s GROUP BY r HAVING min(%s) FILTER (WHERE m1) < max(%[3]s) FILTER (WHERE m2))", p.bits(""), taken(facts), k)
		})
	}
	order := c.orderBy()
	return p.ask(c, 16, func(p *plan, facts string) string {
		step := func(i int) string { // a fact that is step i of a chain
			cond := "m" + strconv.Itoa(i)
			if i > 1 {
				cond += fmt.Sprintf(" AND e%d IS NOT NULL", i-1)
				if s.Gap != nil {
					cond += fmt.Sprintf(" AND ts - e%d <= %d", i-1, s.Gap.Ms())
				}
			}
			return cond
		}
		chain := fmt.Sprintf("(SELECT * FROM %[1]s AND r IN (SELECT r FROM %[1]s GROUP BY r HAVING bit_or(%[2]s) = %[3]d))",
			taken(facts), strings.Join(mask, " | "), 1<<last-1)
		if p.share > 1 { // reading the facts once more takes longer than sorting those of a sample
			chain = "(SELECT * FROM " + taken(facts) + ")"
		}
		for i := 1; i < last; i++ {
			chain = fmt.Sprintf("(SELECT *, max(CASE WHEN %s THEN ts END) OVER (PARTITION BY r ORDER BY %s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS e%d FROM %s)", step(i), order, i, chain)
		}
		return "SELECT " + p.bits(step(last)) + " FROM " + chain
	})
}

func (p *plan) habit(h *rule.Habit) func() *numset.Set {
	starts := h.Starts(p.now, p.zone)
	x := rows{h.Name, h.Where, starts[0], rule.Forever}
	switch h.Kind {
	case "stopped":
		return p.stopped(h, x, starts[1])
	case "resumed":
		return p.resumed(h, x)
	}
	if h.AtLeast <= 1 {
		return own(p.once(x))
	}
	return own(p.measure(x, measured{
		aggregates: func(*scan) []aggregate {
			// Facts outside of the periods count for nothing, but are worked out all the same.
			return []aggregate{{"bit_or(1::UBIGINT << greatest(" + periodSQL("ts", starts) + ", 0))", 16}}
		},
		holds: func(_ *scan, names []string) string {
			return sure("bit_count("+names[0]+") >= "+strconv.Itoa(h.AtLeast), false)
		},
	}, false))
}

// periodSQL is the number of the period that holds ts, which is not before the
// first; the last one has no end.
func periodSQL(ts string, starts []int64) string {
	last := len(starts) - 1
	if last == 0 {
		return "0"
	}
	return fmt.Sprintf("CASE WHEN %s >= %d THEN %d ELSE %s END", ts, starts[last], last, bucketSQL(ts, starts[:last], starts[last]))
}

func (p *plan) stopped(h *rule.Habit, x rows, quiet int64) func() *numset.Set {
	active := rows{h.Name, h.Where, x.from, quiet}
	since := p.once(rows{h.Name, h.Where, quiet, rule.Forever})
	before := func() *numset.Set { return nil }
	if h.Times <= 1 {
		before = own(p.once(active))
	} else {
		e := rule.Event{Name: h.Name, Where: h.Where, Measure: "count", Op: "gte", Value: float64(h.Times)}
		before = own(p.measure(active, p.event(&e, active), false))
	}
	return func() *numset.Set {
		set := before()
		set.AndNot(since)
		return set
	}
}

// resumed are those with a long silence before the first time in the active
// days, or between two in them.
func (p *plan) resumed(h *rule.Habit, x rows) func() *numset.Set {
	quiet := int64(h.Quiet) * 24 * time.Hour.Milliseconds()
	since := x.from
	x.from = rule.Ever
	c := p.newScan(h.Name)
	cond := c.facts(x)
	return p.ask(c, 56, func(p *plan, facts string) string {
		if p.share > 1 { // as for sequences
			return fmt.Sprintf(`SELECT %s FROM (SELECT r, ts, ts - lag(ts) OVER (PARTITION BY r ORDER BY ts) AS gap FROM %s WHERE %s) WHERE ts >= %d AND gap >= %d`,
				p.bits(""), facts, cond, since, quiet)
		}
		return fmt.Sprintf(`WITH a AS MATERIALIZED (SELECT r, max(ts) FILTER (WHERE ts < %[1]d) AS before, min(ts) FILTER (WHERE ts >= %[1]d) AS first, max(ts) AS last
				FROM %[2]s WHERE %[3]s GROUP BY r HAVING max(ts) >= %[1]d)
			SELECT %[4]s FROM (SELECT r FROM a WHERE first - before >= %[5]d
				UNION ALL SELECT r FROM (SELECT r, ts - lag(ts) OVER (PARTITION BY r ORDER BY ts) AS gap FROM %[2]s
					WHERE ts >= %[1]d AND %[3]s AND r IN (SELECT r FROM a WHERE last - first >= %[5]d)) WHERE gap >= %[5]d)`,
			since, facts, cond, p.bits(""), quiet)
	})
}
