package conformance

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/rule"
)

// reference tells whether a condition on behaviour holds for somebody with these
// facts, in order, as plainly as its words allow: days are compared as dates,
// numbers as fractions, sequences are looked for in every combination. It shares
// no code with package rule.
func reference(b *rule.Behaviour, rows []analytics.Row, now time.Time, loc *time.Location) bool {
	c := &calendarDays{now, loc}
	switch {
	case b.Sequence != nil:
		return c.sequence(b.Sequence, rows)
	case b.Habit != nil:
		return c.habit(b.Habit, rows)
	}
	return c.event(b.Event, rows)
}

type calendarDays struct {
	now time.Time
	loc *time.Location
}

// date is the local date of a moment, so many days later.
func (c *calendarDays) date(t time.Time, days int) string {
	y, m, d := t.In(c.loc).Date()
	return time.Date(y, m, d+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

func (c *calendarDays) inside(w *rule.Window, r analytics.Row) bool {
	if w == nil {
		return true
	}
	when := time.UnixMilli(r.Timestamp)
	switch w.Unit {
	case "minute":
		return c.now.Sub(when) <= time.Duration(w.Last)*time.Minute
	case "hour":
		return c.now.Sub(when) <= time.Duration(w.Last)*time.Hour
	case "day":
		return c.date(when, 0) > c.date(c.now, -w.Last)
	case "week":
		return c.date(when, 0) > c.date(c.now, -7*w.Last)
	case "month":
		y, m, d := c.now.In(c.loc).Date()
		back := time.Date(y, m-time.Month(w.Last), 1, 0, 0, 0, 0, time.UTC)
		last := back
		for last.AddDate(0, 0, 1).Month() == back.Month() && last.Day() < d {
			last = last.AddDate(0, 0, 1)
		}
		return c.date(when, 0) > last.Format(time.DateOnly)
	}
	day := c.date(when, 0)
	return (w.From == "" || day >= w.From) && (w.To == "" || day <= w.To)
}

// oddOf finds what a fact has under a name in the table of values.
func oddOf(r analytics.Row, property string) *odd {
	raw := string(r.Properties)
	at := strings.Index(raw, fmt.Sprintf("%q:", property))
	if at < 0 {
		return nil
	}
	raw = raw[at+len(fmt.Sprintf("%q:", property)):]
	for i, o := range odds { // none begins with another and goes on with one of these
		if rest, ok := strings.CutPrefix(raw, o.json); ok && (rest[0] == ',' || rest[0] == '}') {
			return &odds[i]
		}
	}
	return nil
}

// sixth is a number with its six decimals; nil for none.
func sixth(text string) *big.Rat {
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return n
}

// asked is the number of a condition, of which six decimals count.
func asked(v any) *big.Rat { return sixth(fmt.Sprintf("%.6f", v)) }

func compares(n *big.Rat, op string, value any) bool {
	switch op {
	case "gte":
		return n.Cmp(asked(value)) >= 0
	case "gt":
		return n.Cmp(asked(value)) > 0
	case "lte":
		return n.Cmp(asked(value)) <= 0
	case "lt":
		return n.Cmp(asked(value)) < 0
	case "is":
		return n.Cmp(asked(value)) == 0
	case "between":
		list := value.([]any)
		return n.Cmp(asked(list[0])) >= 0 && n.Cmp(asked(list[1])) <= 0
	}
	panic(op)
}

func opposite(op string) string {
	return map[string]string{"isNot": "is", "notIn": "in", "notContains": "contains", "notSet": "set"}[op]
}

func equals(o *odd, v any) bool {
	switch v := v.(type) {
	case string:
		return o.text == v
	case bool:
		return o.text == fmt.Sprint(v)
	default:
		n := sixth(o.number)
		return n != nil && n.Cmp(asked(v)) == 0
	}
}

func fulfils(o *odd, op string, value any) bool {
	if of := opposite(op); of != "" {
		return !fulfils(o, of, value)
	}
	if o == nil {
		return false
	}
	looksSealed := strings.HasPrefix(o.text, "d1.0123abcd.")
	switch op {
	case "set":
		return true
	case "is":
		return equals(o, value)
	case "in":
		return slices.ContainsFunc(value.([]any), func(v any) bool { return equals(o, v) })
	case "contains":
		return !looksSealed && strings.Contains(o.text, value.(string))
	case "startsWith":
		return !looksSealed && strings.HasPrefix(o.text, value.(string))
	}
	n := sixth(o.number)
	return n != nil && compares(n, op, value)
}

// matching are the facts of a name that fulfil all conditions.
func matching(rows []analytics.Row, name string, where []rule.Where) []analytics.Row {
	var out []analytics.Row
	for _, r := range rows {
		ok := r.Name == name
		for _, w := range where {
			ok = ok && fulfils(oddOf(r, w.Property), w.Op, w.Value)
		}
		if ok {
			out = append(out, r)
		}
	}
	return out
}

func (c *calendarDays) event(e *rule.Event, rows []analytics.Row) bool {
	rows = matching(rows, e.Name, e.Where)
	if e.Measure == "firstTime" {
		return len(rows) > 0 && c.inside(e.Within, rows[0])
	}
	rows = slices.DeleteFunc(rows, func(r analytics.Row) bool { return !c.inside(e.Within, r) })
	if e.Measure == "" {
		return len(rows) > 0
	}
	if of := opposite(e.Op); of != "" {
		return !measures(rows, e.Measure, e.Property, of, e.Value)
	}
	return measures(rows, e.Measure, e.Property, e.Op, e.Value)
}

func measures(rows []analytics.Row, measure, property, op string, value any) bool {
	var there []*odd
	texts := map[string]bool{}
	var numbers []*big.Rat
	sum := new(big.Rat)
	for _, r := range rows {
		o := oddOf(r, property)
		if o == nil {
			continue
		}
		there, texts[o.text] = append(there, o), true
		if n := sixth(o.number); n != nil {
			numbers, sum = append(numbers, n), sum.Add(sum, n)
		}
	}
	slices.SortFunc(numbers, (*big.Rat).Cmp)
	switch measure {
	case "count":
		return compares(new(big.Rat).SetInt64(int64(len(rows))), op, value)
	case "distinct":
		return compares(new(big.Rat).SetInt64(int64(len(texts))), op, value)
	case "sum":
		return compares(sum, op, value)
	case "first":
		return len(there) > 0 && fulfils(there[0], op, value)
	case "last":
		return len(there) > 0 && fulfils(there[len(there)-1], op, value)
	}
	if len(numbers) == 0 {
		return false
	}
	return compares(map[string]*big.Rat{
		"min": numbers[0], "max": numbers[len(numbers)-1], "avg": new(big.Rat).Quo(sum, new(big.Rat).SetInt64(int64(len(numbers)))),
	}[measure], op, value)
}

// sequence tries every fact for every step.
func (c *calendarDays) sequence(s *rule.Sequence, rows []analytics.Row) bool {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r analytics.Row) bool { return !c.inside(s.Within, r) })
	failed := map[[2]int]bool{} // from this fact on this step leads nowhere
	var from func(at, step int) bool
	from = func(at, step int) bool { // the fact at is that step
		if step == len(s.Steps)-1 {
			return true
		}
		if failed[[2]int{at, step}] {
			return false
		}
		for next := at + 1; next < len(rows); next++ {
			if g := s.Gap; g != nil && time.UnixMilli(rows[next].Timestamp).Sub(time.UnixMilli(rows[at].Timestamp)) > time.Duration(g.N)*map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour, "week": 168 * time.Hour}[g.Unit] {
				break
			}
			if step := s.Steps[step+1]; len(matching(rows[next:next+1], step.Name, step.Where)) == 0 {
				continue
			}
			if from(next, step+1) {
				return true
			}
		}
		failed[[2]int{at, step}] = true
		return false
	}
	for at := range rows {
		if len(matching(rows[at:at+1], s.Steps[0].Name, s.Steps[0].Where)) > 0 && from(at, 0) {
			return true
		}
	}
	return false
}

func (c *calendarDays) habit(h *rule.Habit, rows []analytics.Row) bool {
	rows = matching(rows, h.Name, h.Where)
	switch h.Kind {
	case "stopped":
		before, since := 0, 0
		for _, r := range rows {
			switch day := c.date(time.UnixMilli(r.Timestamp), 0); {
			case day > c.date(c.now, -h.Quiet):
				since++
			case day > c.date(c.now, -h.Quiet-h.Active):
				before++
			}
		}
		return since == 0 && before >= max(1, h.Times)
	case "resumed":
		for i := 1; i < len(rows); i++ {
			if c.date(time.UnixMilli(rows[i].Timestamp), 0) > c.date(c.now, -h.Active) && rows[i].Timestamp-rows[i-1].Timestamp >= int64(h.Quiet)*86_400_000 {
				return true
			}
		}
		return false
	}
	// The periods as the date of their first day; what lies ahead belongs to the one now.
	period := func(t time.Time, back int) string {
		y, m, d := t.In(c.loc).Date()
		day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		switch h.Unit {
		case "day":
			return day.AddDate(0, 0, -back).Format(time.DateOnly)
		case "month":
			return day.AddDate(0, -back, 1-d).Format("2006-01") + "-01"
		}
		for day.Weekday() != time.Monday {
			day = day.AddDate(0, 0, -1)
		}
		return day.AddDate(0, 0, -7*back).Format(time.DateOnly)
	}
	first, last := period(c.now, h.Periods-1), period(c.now, 0)
	done := map[string]bool{}
	for _, r := range rows {
		if p := min(period(time.UnixMilli(r.Timestamp), 0), last); p >= first {
			done[p] = true
		}
	}
	return len(done) >= h.AtLeast
}
