package rule

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// Fact is one thing that a contact did.
type Fact struct {
	Name       string
	At         int64 // UTC milliseconds
	Properties json.RawMessage
}

// Evidence is what makes a condition on behaviour hold for a contact, or not.
type Evidence struct {
	Holds bool
	// Matched is how many facts count: of that name, with those properties, in
	// that time. For a sequence, how many of its steps were reached in order; for
	// stopped, how many lie in the active days.
	Matched int
	// Measure is what the property came to: a number or, for first and last, a
	// text; nil when there was nothing. For regularly, in how many periods it was
	// done; for resumed, the longest silence in whole days that ended in the
	// active days.
	Measure any
	// Times are when the last few facts that count were, newest first. For a
	// sequence, those of its steps; for stopped, the ones in the quiet days if
	// there are any.
	Times []int64
}

// shownTimes is how many times evidence has.
const shownTimes = 5

// Holds tells whether a condition on behaviour holds for a contact whose facts
// are given in order of time, those of the same moment in order of arrival; they
// may have other names among them. This is what conditions on behaviour mean.
func Holds(b *Behaviour, facts []Fact, now time.Time, zone *time.Location) bool {
	return b.At(now, zone).Look(facts).Holds
}

// Look is Holds with the evidence for its answer.
func Look(b *Behaviour, facts []Fact, now time.Time, zone *time.Location) Evidence {
	return b.At(now, zone).Look(facts)
}

// Moment is a condition on behaviour at some moment, to be asked of many contacts.
type Moment struct {
	event    Event // with its defaults
	sequence *Sequence
	habit    *Habit
	from, to int64 // of the window
	starts   []int64
	gap      int64
}

// At is the condition at a moment.
func (b *Behaviour) At(now time.Time, zone *time.Location) *Moment {
	m := &Moment{sequence: b.Sequence, habit: b.Habit}
	switch {
	case b.Event != nil:
		m.event = b.Event.Default()
		m.from, m.to = b.Event.Within.Span(now, zone)
	case b.Sequence != nil:
		m.from, m.to = b.Sequence.Within.Span(now, zone)
		m.gap = Forever
		if b.Sequence.Gap != nil {
			m.gap = b.Sequence.Gap.Ms()
		}
	case b.Habit != nil:
		m.starts = b.Habit.Starts(now, zone)
	}
	return m
}

// Look tells whether the condition holds for a contact with these facts, in
// order as for Holds, with the evidence.
func (m *Moment) Look(facts []Fact) Evidence {
	switch {
	case m.sequence != nil:
		return m.lookSequence(facts)
	case m.habit != nil:
		return m.lookHabit(facts)
	}
	return m.lookEvent(facts)
}

// inside tells whether a moment lies in the window.
func (m *Moment) inside(at int64) bool { return at >= m.from && (at < m.to || m.to == Forever) }

// matches tells whether a fact has the name and fulfils all of the conditions.
func matches(f *Fact, name string, where []Where) bool {
	if f.Name != name {
		return false
	}
	for i := range where {
		text, there := property(f.Properties, where[i].Property)
		if !compare(where[i].Op, where[i].Value, text, there) {
			return false
		}
	}
	return true
}

// see notes a fact that counts. Facts come oldest first.
func (ev *Evidence) see(at int64) {
	ev.Matched++
	if len(ev.Times) == shownTimes {
		ev.Times = append(ev.Times[:0], ev.Times[1:]...)
	}
	ev.Times = append(ev.Times, at)
}

func (m *Moment) lookEvent(facts []Fact) (ev Evidence) {
	d := &m.event
	first := d.Measure == "firstTime"
	got := measured{kind: d.Measure}
	for i := range facts {
		f := &facts[i]
		inside := m.inside(f.At)
		if !inside && !first || !matches(f, d.Name, d.Where) {
			continue
		}
		if ev.see(f.At); first {
			ev.Holds = inside
			return ev
		}
		if d.Property != "" {
			if text, there := property(f.Properties, d.Property); there {
				got.take(text)
			}
		}
	}
	slices.Reverse(ev.Times)
	if first {
		return ev
	}
	ev.Holds = got.compare(ev.Matched, d.Op, d.Value)
	ev.Measure = got.value(ev.Matched)
	return ev
}

// measured gathers what a property comes to.
type measured struct {
	kind     string
	n        int // how many numbers
	total    total
	min, max float64 // millionths
	texts    map[string]bool
	text     string // first or last
	there    bool
}

func (m *measured) take(text string) {
	switch m.kind {
	case "distinct":
		if m.texts == nil {
			m.texts = map[string]bool{}
		}
		m.texts[text] = true
		return
	case "first":
		if !m.there {
			m.text, m.there = text, true
		}
		return
	case "last":
		m.text, m.there = text, true
		return
	}
	n, ok := number(text)
	if !ok {
		return
	}
	if m.n++; m.n == 1 {
		m.min, m.max = n, n
	}
	m.min, m.max = min(m.min, n), max(m.max, n)
	m.total.add(n)
}

func (m *measured) compare(count int, op string, value any) bool {
	op, opposite := Positive(op)
	whole := func(n int) func(float64) int {
		return func(v float64) int { return cmp.Compare(float64(n)*1e6, v) }
	}
	var holds bool
	switch m.kind {
	case "count":
		holds = compareNumber(op, value, whole(count))
	case "distinct":
		holds = compareNumber(op, value, whole(len(m.texts)))
	case "first", "last":
		holds = m.there && compareText(op, value, m.text)
	case "sum":
		holds = compareNumber(op, value, func(v float64) int { return m.total.against(v, 1) })
	case "avg":
		holds = m.n > 0 && compareNumber(op, value, func(v float64) int { return m.total.against(v, m.n) })
	case "min":
		holds = m.n > 0 && compareNumber(op, value, func(v float64) int { return cmp.Compare(m.min, v) })
	case "max":
		holds = m.n > 0 && compareNumber(op, value, func(v float64) int { return cmp.Compare(m.max, v) })
	}
	return holds != opposite
}

func (m *measured) value(count int) any {
	switch m.kind {
	case "count":
		return float64(count)
	case "distinct":
		return float64(len(m.texts))
	case "sum":
		return m.total.float()
	case "first", "last":
		if m.there {
			return m.text
		}
	case "avg":
		if m.n > 0 {
			return m.total.float() / float64(m.n)
		}
	case "min":
		if m.n > 0 {
			return m.min / 1e6
		}
	case "max":
		if m.n > 0 {
			return m.max / 1e6
		}
	}
	return nil
}
