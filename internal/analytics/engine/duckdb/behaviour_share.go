package duckdb

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/platform/numset"
)

// didStatement answers who did things of one name at least once: a bit per
// contact and column.
type didStatement struct {
	scan  *scan
	conds []string
	sets  []*numset.Set
}

// once are those who have a fact among x.
func (p *plan) once(x rows) *numset.Set {
	key := x.key()
	if set := p.found[key]; set != nil {
		return set
	}
	set := &numset.Set{}
	p.found[key] = set
	most := max(1, min(32, p.budget/(p.top/8*p.cores)))
	i := slices.IndexFunc(p.did, func(m *didStatement) bool { return m.scan.names[0] == x.name && int64(len(m.sets)) < most })
	if i < 0 {
		i = len(p.did)
		p.did = append(p.did, &didStatement{scan: newScan(p.st, x.name)})
	}
	m := p.did[i]
	m.conds, m.sets = append(m.conds, m.scan.facts(x)), append(m.sets, set)
	return set
}

func (m *didStatement) weight() int64 { return 0 }

func (m *didStatement) into() []*numset.Set { return m.sets }

func (m *didStatement) sql(p *plan) (string, []any) {
	if len(m.conds) == 1 {
		return "SELECT " + p.bits("") + " FROM " + m.scan.sql() + " WHERE " + m.conds[0], m.scan.sel.args
	}
	cols := make([]string, len(m.conds))
	for i, c := range m.conds {
		cols[i] = p.bits(c)
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + m.scan.sql(), m.scan.sel.args
}

// measureStatement answers what has to be kept per contact.
type measureStatement struct {
	scan   *scan
	closed bool
	bytes  int64 // kept per contact
	states []state1
	conds  []string // of the columns, over the states s0, s1, …
	sets   []*numset.Set
}

// state1 is one aggregate over some of the facts.
type state1 struct{ fn, cond string }

// measure are those for whom m, of the facts x, does not hold as it does for
// those without any.
func (p *plan) measure(x rows, m measured, empty bool) *numset.Set {
	i := -1
	if !m.alone {
		i = slices.IndexFunc(p.sums, func(have *measureStatement) bool { return !have.closed && have.scan.names[0] == x.name })
	}
	if i < 0 {
		i = len(p.sums)
		p.sums = append(p.sums, &measureStatement{scan: newScan(p.st, x.name), closed: m.alone, bytes: 8})
	}
	to := p.sums[i]
	cond := to.scan.facts(x)
	var names []string
	for _, a := range m.aggregates(to.scan) {
		at := slices.Index(to.states, state1{a.fn, cond})
		if at < 0 {
			at = len(to.states)
			to.states = append(to.states, state1{a.fn, cond})
			to.bytes += a.weight
		}
		names = append(names, "s"+strconv.Itoa(at))
	}
	holds := m.holds(to.scan, names)
	if empty {
		holds = "NOT (" + holds + ")"
	}
	set := &numset.Set{}
	to.conds, to.sets = append(to.conds, holds), append(to.sets, set)
	to.closed = to.closed || !p.fits(to.bytes+24)
	return set
}

// weight is nothing for different values: DuckDB has no table of all numbers for these.
func (m *measureStatement) weight() int64 {
	if len(m.states) == 1 && strings.Contains(m.states[0].fn, "DISTINCT") {
		return 0
	}
	return m.bytes
}

func (m *measureStatement) into() []*numset.Set { return m.sets }

func (m *measureStatement) sql(p *plan) (string, []any) {
	where := map[string]bool{}
	var any []string
	for _, s := range m.states {
		if !where[s.cond] {
			where[s.cond] = true
			any = append(any, "("+s.cond+")")
		}
	}
	states := make([]string, len(m.states))
	for i, s := range m.states {
		states[i] = s.fn
		if len(any) > 1 {
			states[i] += " FILTER (WHERE " + s.cond + ")"
		}
		states[i] += " AS s" + strconv.Itoa(i)
	}
	cols := make([]string, len(m.conds))
	for i, c := range m.conds {
		cols[i] = p.bits(c)
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT r, %s FROM %s WHERE %s GROUP BY r)", strings.Join(cols, ", "), strings.Join(states, ", "),
		m.scan.sql(), strings.Join(any, " OR ")), m.scan.sel.args
}
