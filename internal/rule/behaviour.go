package rule

import "slices"

// Event is a condition on the facts of one name: how many there are, or what
// one of their properties comes to.
type Event struct {
	Name     string  `json:"name" doc:"Name of the event, e.g. order.paid"`
	Where    []Where `json:"where,omitempty" doc:"Only those whose properties fulfil all of these"`
	Within   *Window `json:"within,omitempty" doc:"Only those in this time; without it, ever"`
	Measure  string  `json:"measure,omitempty" enum:"count,sum,avg,min,max,distinct,first,last,firstTime" doc:"What is compared: how many (count, the default), the sum, average, smallest, largest, number of different, first or last value of the property. firstTime holds when the first one ever lies within the time"`
	Property string  `json:"property,omitempty" doc:"What is measured; not for count and firstTime"`
	Op       string  `json:"op,omitempty" doc:"How it compares: gte (the default of count), gt, lte, lt, is, isNot, between; first and last also in, notIn, contains, notContains, startsWith"`
	Value    any     `json:"value,omitempty" doc:"What it is compared with; 1 by default for count"`
}

// Where is a condition on a property of a fact.
type Where struct {
	Property string `json:"property"`
	Op       string `json:"op" doc:"is, isNot, in, notIn, contains, notContains, startsWith, gt, gte, lt, lte, between, set, notSet"`
	Value    any    `json:"value,omitempty" doc:"Numbers compare as numbers, texts as texts, booleans as booleans"`
}

// Window is a time that is looked at: the last so many units, or from one day
// to another, both included.
type Window struct {
	Last int    `json:"last,omitempty" minimum:"1" doc:"How many units back; today counts as the first day"`
	Unit string `json:"unit,omitempty" enum:"minute,hour,day,week,month"`
	From string `json:"from,omitempty" doc:"First day, YYYY-MM-DD; open when empty"`
	To   string `json:"to,omitempty" doc:"Last day, included; open when empty"`
}

// Span is a length of time between two facts, exact: a day is 24 hours.
type Span struct {
	N    int    `json:"n" minimum:"1"`
	Unit string `json:"unit" enum:"minute,hour,day,week"`
}

// Sequence holds for those who did one thing, then another: each step later
// than the one before, others in between do not matter. Of facts at the same
// moment the one that came first is the earlier.
type Sequence struct {
	Steps  []Step  `json:"steps" minItems:"2" maxItems:"5"`
	Gap    *Span   `json:"gap,omitempty" doc:"At most so long from one step to the next"`
	Within *Window `json:"within,omitempty" doc:"All steps lie in this time"`
}

// Step is one of a sequence.
type Step struct {
	Name  string  `json:"name"`
	Where []Where `json:"where,omitempty"`
}

// Habit is a condition on when something is done:
//
//   - regularly: in at least atLeast of the last periods units, the current one included;
//   - stopped: at least times times in the active days before the last quiet
//     days, and not once in those;
//   - resumed: at least once in the last active days so that the time before,
//     whenever that was, lies at least quiet days (of 24 hours) back.
type Habit struct {
	Kind    string  `json:"kind" enum:"regularly,stopped,resumed"`
	Name    string  `json:"name"`
	Where   []Where `json:"where,omitempty"`
	Unit    string  `json:"unit,omitempty" enum:"day,week,month" doc:"regularly: the period; weeks begin on Monday"`
	Periods int     `json:"periods,omitempty" doc:"regularly: how many are looked at"`
	AtLeast int     `json:"atLeast,omitempty" doc:"regularly: in how many of them"`
	Times   int     `json:"times,omitempty" doc:"stopped: how often before; 1 by default"`
	Active  int     `json:"active,omitempty" doc:"stopped, resumed: days"`
	Quiet   int     `json:"quiet,omitempty" doc:"stopped, resumed: days"`
}

// Behaviour is a condition on what was done: exactly one of its parts is given.
type Behaviour struct {
	Event    *Event    `json:"event,omitempty" doc:"Facts of one name, counted or measured"`
	Sequence *Sequence `json:"sequence,omitempty" doc:"One thing after another"`
	Habit    *Habit    `json:"habit,omitempty" doc:"Done regularly, no more, or again"`
}

// Empty tells that the node is no condition on behaviour.
func (b *Behaviour) Empty() bool { return b.Event == nil && b.Sequence == nil && b.Habit == nil }

// Names lists the events that the condition looks at.
func (b *Behaviour) Names() []string {
	var out []string
	switch {
	case b.Event != nil:
		out = []string{b.Event.Name}
	case b.Sequence != nil:
		for _, s := range b.Sequence.Steps {
			if !slices.Contains(out, s.Name) {
				out = append(out, s.Name)
			}
		}
	case b.Habit != nil:
		out = []string{b.Habit.Name}
	}
	return out
}

// wheres are the conditions on properties in it.
func (b *Behaviour) wheres() []Where {
	switch {
	case b.Event != nil:
		return b.Event.Where
	case b.Sequence != nil:
		var out []Where
		for _, s := range b.Sequence.Steps {
			out = append(out, s.Where...)
		}
		return out
	case b.Habit != nil:
		return b.Habit.Where
	}
	return nil
}

// Properties lists the properties of facts that the condition looks at.
func (b *Behaviour) Properties() []string {
	var out []string
	if b.Event != nil && b.Event.Property != "" {
		out = append(out, b.Event.Property)
	}
	for _, w := range b.wheres() {
		if !slices.Contains(out, w.Property) {
			out = append(out, w.Property)
		}
	}
	return out
}

// Numeric tells whether the condition looks at a property as a number alone.
func (b *Behaviour) Numeric(property string) bool {
	if e := b.Event; e != nil && e.Property == property && !slices.Contains([]string{"sum", "avg", "min", "max"}, e.Measure) {
		return false
	}
	for _, w := range b.wheres() {
		if w.Property == property && !numericWhere(w) {
			return false
		}
	}
	return true
}

func numericWhere(w Where) bool {
	switch op, _ := Positive(w.Op); op {
	case "gt", "gte", "lt", "lte", "between":
		return true
	case "is", "in":
		list, ok := w.Value.([]any)
		if !ok {
			list = []any{w.Value}
		}
		return !slices.ContainsFunc(list, func(v any) bool { _, number := v.(float64); return !number })
	}
	return false
}
