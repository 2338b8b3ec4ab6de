package duckdb

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/platform/numset"
)

// didStatement answers who did things of one name at least once, in any of
// several times: a bit per contact and column. Setting a bit is what costs, so
// times that overlap are cut into pieces that do not, and each is put together of these.
type didStatement struct {
	plan   *plan
	scan   *scan
	kinds  []*didKind
	times  int
	pieces []*numset.Set // by kind and piece, once sql was called
}

// didKind are facts with the same conditions.
type didKind struct {
	cond  string // without the time
	where string // the same as a key
	asked []didTime
}

// didTime is one time that was asked for, and who did it then.
type didTime struct {
	from, to int64
	set      *numset.Set
	pieces   []*numset.Set
}

// mostTimes bounds the columns of one statement.
const mostTimes = 16

// once are those who have a fact among x.
func (p *plan) once(x rows) *numset.Set {
	key := x.key()
	if set := p.found[key]; set != nil {
		return set
	}
	set := &numset.Set{}
	p.found[key] = set
	most := max(1, min(mostTimes, int(p.budget/(p.top/8*2*p.cores))))
	i := slices.IndexFunc(p.did, func(m *didStatement) bool { return m.scan.names[0] == x.name && m.times < most })
	if i < 0 {
		i = len(p.did)
		p.did = append(p.did, &didStatement{scan: p.newScan(x.name), plan: p})
		p.did[i].scan.raw = p.share <= 1 // leading them to whom they are part of is cheaper for bits than for facts, but a sample is known by whom
	}
	m := p.did[i]
	m.times++
	where := rows{where: x.where}.key()
	k := slices.IndexFunc(m.kinds, func(k *didKind) bool { return k.where == where })
	cond := m.scan.conds(x)
	if k < 0 {
		k = len(m.kinds)
		m.kinds = append(m.kinds, &didKind{cond: strings.Join(cond, " AND "), where: where})
	}
	m.kinds[k].asked = append(m.kinds[k].asked, didTime{from: x.from, to: x.to, set: set})
	return set
}

func (m *didStatement) weight() int64 { return 0 }

func (m *didStatement) into() []*numset.Set { return m.pieces }

func (m *didStatement) settle() {
	for _, k := range m.kinds {
		for _, t := range k.asked {
			for _, piece := range t.pieces {
				t.set.Or(piece)
			}
			for i, n := range m.plan.parts {
				if t.set.Has(n) {
					t.set.Remove(n)
					t.set.Add(m.plan.roots[i])
				}
			}
		}
	}
}

func (m *didStatement) sql(p *plan) (string, []any) {
	var conds []string
	for _, k := range m.kinds {
		var cuts []int64
		for _, t := range k.asked {
			cuts = append(cuts, t.from, t.to)
		}
		slices.Sort(cuts)
		cuts = slices.Compact(cuts)
		for i := range len(cuts) - 1 {
			var piece *numset.Set
			for a := range k.asked {
				if t := &k.asked[a]; t.from <= cuts[i] && t.to >= cuts[i+1] {
					if piece == nil {
						piece = &numset.Set{}
					}
					t.pieces = append(t.pieces, piece)
				}
			}
			if piece == nil {
				continue // between two times, in neither
			}
			cond := between("ts", cuts[i], cuts[i+1])
			if k.cond != "" {
				cond = append(cond, k.cond)
			}
			m.pieces, conds = append(m.pieces, piece), append(conds, strings.Join(cond, " AND "))
		}
	}
	switch {
	case len(conds) == 1 && conds[0] == "":
		return "SELECT " + p.bits("") + " FROM " + m.scan.sql(), m.scan.sel.args
	case len(conds) == 1:
		return "SELECT " + p.bits("") + " FROM " + m.scan.sql() + " WHERE " + conds[0], m.scan.sel.args
	}
	cols := make([]string, len(conds))
	for i, c := range conds {
		cols[i] = p.bits(c)
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + m.scan.sql(), m.scan.sel.args
}

// measureStatement answers what has to be kept per contact.
type measureStatement struct {
	scan   *scan
	closed bool
	bytes  int64 // kept per contact
	states []kept
	conds  []string // of the columns, over the states s0, s1, …
	sets   []*numset.Set
}

// kept is one aggregate over some of the facts, per contact.
type kept struct{ fn, cond string }

// measure are those for whom m, of the facts x, does not hold as it does for
// those without any.
func (p *plan) measure(x rows, m measured, empty bool) *numset.Set {
	i := -1
	if !m.alone {
		i = slices.IndexFunc(p.sums, func(have *measureStatement) bool { return !have.closed && have.scan.names[0] == x.name })
	}
	if i < 0 {
		i = len(p.sums)
		p.sums = append(p.sums, &measureStatement{scan: p.newScan(x.name), closed: m.alone, bytes: 8})
	}
	to := p.sums[i]
	cond := to.scan.facts(x)
	var names []string
	for _, a := range m.aggregates(to.scan) {
		at := slices.Index(to.states, kept{a.fn, cond})
		if at < 0 {
			at = len(to.states)
			to.states = append(to.states, kept{a.fn, cond})
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

func (m *measureStatement) settle() {}

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
