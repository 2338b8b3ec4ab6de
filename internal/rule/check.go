package rule

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Limits of conditions on behaviour.
const (
	MaxSteps   = 5
	MinSteps   = 2
	MaxWheres  = 10
	MaxDays    = 36_500 // a hundred years, for any length of time
	MaxPeriods = 60
	MaxTimes   = 1_000_000
)

// The operators of conditions on behaviour. Those on texts count as well for
// booleans, as far as they are equalities.
var (
	numberOps = []string{"gte", "gt", "lte", "lt", "is", "isNot", "between"}
	textOps   = []string{"is", "isNot", "in", "notIn", "contains", "notContains", "startsWith"}
	whereOps  = append(append([]string{"set", "notSet"}, textOps...), "gte", "gt", "lte", "lt", "between")
	measures  = []string{"count", "sum", "avg", "min", "max", "distinct", "first", "last", "firstTime"}
)

func (b *Behaviour) check(path string) error {
	given := 0
	for _, yes := range []bool{b.Event != nil, b.Sequence != nil, b.Habit != nil} {
		if yes {
			given++
		}
	}
	switch {
	case given > 1:
		return Fault(path, "rule.mixed")
	case b.Event != nil:
		return b.Event.check(path + ".event")
	case b.Sequence != nil:
		return b.Sequence.check(path + ".sequence")
	}
	return b.Habit.check(path + ".habit")
}

// Default fills in what the condition leaves out: its measure, operator and value.
func (e *Event) Default() Event {
	out := *e
	if out.Measure == "" {
		out.Measure = "count"
	}
	if out.Measure == "count" && out.Op == "" {
		out.Op = "gte"
		if out.Value == nil {
			out.Value = 1.0
		}
	}
	return out
}

func (e *Event) check(path string) error {
	if err := checkFacts(path, e.Name, e.Where); err != nil {
		return err
	}
	if err := e.Within.check(path + ".within"); err != nil {
		return err
	}
	d := e.Default()
	if !slices.Contains(measures, d.Measure) {
		return Fault(path+".measure", "rule.not_a_value", "value", clip(d.Measure))
	}
	switch d.Measure {
	case "count":
		if d.Property != "" {
			return Fault(path+".property", "rule.not_here")
		}
		return checkCount(path, d.Op, d.Value)
	case "firstTime":
		switch {
		case d.Property != "":
			return Fault(path+".property", "rule.not_here")
		case d.Op != "" || d.Value != nil:
			return Fault(path+".op", "rule.not_here")
		case d.Within == nil:
			return Fault(path+".within", "request.field_required")
		}
		return nil
	}
	if err := checkName(path+".property", d.Property); err != nil {
		return err
	}
	if d.Op == "" {
		return Fault(path+".op", "request.field_required")
	}
	switch d.Measure {
	case "distinct":
		return checkCount(path, d.Op, d.Value)
	case "first", "last":
		return checkCompare(path, d.Op, d.Value)
	}
	if !slices.Contains(numberOps, d.Op) {
		return Fault(path+".op", "rule.bad_op", "op", clip(d.Op))
	}
	return checkCompare(path, d.Op, d.Value)
}

// checkCount checks how a whole number is compared.
func checkCount(path, op string, value any) error {
	if !slices.Contains(numberOps, op) {
		return Fault(path+".op", "rule.bad_op", "op", clip(op))
	}
	if err := checkCompare(path, op, value); err != nil {
		return err
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, v := range list {
		if n, ok := v.(float64); !ok || n != math.Trunc(n) || n < 0 || n > MaxTimes {
			return Fault(path+".value", "rule.needs_count", "limit", MaxTimes)
		}
	}
	return nil
}

// checkFacts checks which facts are meant.
func checkFacts(path, name string, where []Where) error {
	if err := checkName(path+".name", name); err != nil {
		return err
	}
	if len(where) > MaxWheres {
		return Fault(path+".where", "rule.too_many", "limit", MaxWheres)
	}
	for i, w := range where {
		at := fmt.Sprintf("%s.where[%d]", path, i)
		if err := checkName(at+".property", w.Property); err != nil {
			return err
		}
		switch {
		case w.Op == "":
			return Fault(at+".op", "request.field_required")
		case !slices.Contains(whereOps, w.Op):
			return Fault(at+".op", "rule.bad_op", "op", clip(w.Op))
		case w.Op == "set" || w.Op == "notSet":
			if w.Value != nil {
				return Fault(at+".value", "rule.not_here")
			}
			continue
		}
		if err := checkCompare(at, w.Op, w.Value); err != nil {
			return err
		}
	}
	return nil
}

func checkName(path, name string) error {
	switch {
	case name == "":
		return Fault(path, "request.field_required")
	case len(name) > MaxText:
		return Fault(path, "request.too_long", "limit", MaxText)
	case strings.IndexByte(name, 0) >= 0:
		return Fault(path, "rule.bad_value")
	}
	return nil
}

// checkCompare checks that a value is of the sort its operator takes.
func checkCompare(path, op string, value any) error {
	number := func(v any) bool {
		n, ok := v.(float64)
		return ok && math.Abs(n) <= 1e15
	}
	text := func(v any) bool {
		s, ok := v.(string)
		return ok && s != ""
	}
	switch op {
	case "gte", "gt", "lte", "lt":
		if !number(value) {
			return Fault(path+".value", "rule.needs_number")
		}
		return nil
	case "between":
		list, _ := value.([]any)
		if len(list) != 2 || !number(list[0]) || !number(list[1]) {
			return Fault(path+".value", "rule.needs_two")
		}
		if list[0].(float64) > list[1].(float64) {
			return Fault(path+".value", "rule.wrong_order")
		}
		return nil
	case "is", "isNot":
		if _, isBool := value.(bool); isBool || number(value) || text(value) {
			return checkText(path, value)
		}
	case "in", "notIn":
		list, ok := value.([]any)
		if !ok || len(list) == 0 {
			return Fault(path+".value", "rule.needs_list")
		}
		if len(list) > MaxValues {
			return Fault(path+".value", "rule.too_many_values", "limit", MaxValues)
		}
		for i, v := range list {
			if !number(v) && !text(v) {
				return Fault(fmt.Sprintf("%s.value[%d]", path, i), "rule.needs_text")
			}
			if err := checkText(fmt.Sprintf("%s.value[%d]", path, i), v); err != nil {
				return err
			}
		}
		return nil
	case "contains", "notContains", "startsWith":
		if text(value) {
			return checkText(path, value)
		}
	default:
		return Fault(path+".op", "rule.bad_op", "op", clip(op))
	}
	return Fault(path+".value", "rule.needs_text")
}

func checkText(path string, v any) error {
	if s, ok := v.(string); ok && len(s) > MaxText {
		return Fault(path+".value", "request.too_long", "limit", MaxText)
	}
	return nil
}

func (w *Window) check(path string) error {
	if w == nil {
		return nil
	}
	absolute := w.From != "" || w.To != ""
	relative := w.Last != 0 || w.Unit != ""
	switch {
	case absolute == relative:
		return Fault(path, "rule.bad_window")
	case absolute:
		return checkDays(path, w.From, w.To)
	case daysOf(w.Unit) == 0:
		return Fault(path+".unit", "rule.not_a_value", "value", clip(w.Unit))
	case w.Last < 1 || float64(w.Last)*daysOf(w.Unit) > MaxDays:
		return Fault(path+".last", "rule.needs_days", "limit", int(MaxDays/daysOf(w.Unit)))
	}
	return nil
}

func checkDays(path, from, to string) error {
	for at, day := range map[string]string{".from": from, ".to": to} {
		if day == "" {
			continue
		}
		if d, err := time.Parse(time.DateOnly, day); err != nil || d.Year() < 1900 || d.Year() > 2200 {
			return Fault(path+at, "rule.needs_date")
		}
	}
	if from != "" && to != "" && from > to {
		return Fault(path, "rule.wrong_order")
	}
	return nil
}

// daysOf is about how many days a unit is; 0 for what is none.
func daysOf(unit string) float64 {
	switch unit {
	case "minute":
		return 1.0 / 1440
	case "hour":
		return 1.0 / 24
	case "day":
		return 1
	case "week":
		return 7
	case "month":
		return 31
	}
	return 0
}

func (s *Sequence) check(path string) error {
	if len(s.Steps) < MinSteps || len(s.Steps) > MaxSteps {
		return Fault(path+".steps", "rule.bad_steps", "least", MinSteps, "limit", MaxSteps)
	}
	for i, step := range s.Steps {
		if err := checkFacts(fmt.Sprintf("%s.steps[%d]", path, i), step.Name, step.Where); err != nil {
			return err
		}
	}
	if g := s.Gap; g != nil {
		switch {
		case daysOf(g.Unit) == 0 || g.Unit == "month":
			return Fault(path+".gap.unit", "rule.not_a_value", "value", clip(g.Unit))
		case g.N < 1 || float64(g.N)*daysOf(g.Unit) > MaxDays:
			return Fault(path+".gap.n", "rule.needs_days", "limit", int(MaxDays/daysOf(g.Unit)))
		}
	}
	return s.Within.check(path + ".within")
}

func (h *Habit) check(path string) error {
	if err := checkFacts(path, h.Name, h.Where); err != nil {
		return err
	}
	within := func(at string, n, limit int) error {
		if n < 1 || n > limit {
			return Fault(path+at, "rule.out_of_range", "least", 1, "limit", limit)
		}
		return nil
	}
	none := func(at string, n int) error {
		if n != 0 {
			return Fault(path+at, "rule.not_here")
		}
		return nil
	}
	var faults []error
	switch h.Kind {
	case "regularly":
		if !slices.Contains([]string{"day", "week", "month"}, h.Unit) {
			return Fault(path+".unit", "rule.not_a_value", "value", clip(h.Unit))
		}
		faults = []error{within(".periods", h.Periods, MaxPeriods), within(".atLeast", h.AtLeast, max(1, h.Periods)), none(".times", h.Times), none(".active", h.Active), none(".quiet", h.Quiet)}
	case "stopped", "resumed":
		if h.Unit != "" {
			return Fault(path+".unit", "rule.not_here")
		}
		faults = []error{within(".active", h.Active, MaxDays), within(".quiet", h.Quiet, MaxDays), none(".periods", h.Periods), none(".atLeast", h.AtLeast)}
		if h.Kind == "resumed" {
			faults = append(faults, none(".times", h.Times))
		} else if h.Times != 0 {
			faults = append(faults, within(".times", h.Times, MaxTimes))
		}
	default:
		return Fault(path+".kind", "rule.not_a_value", "value", clip(h.Kind))
	}
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// clip shortens what is repeated in a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
