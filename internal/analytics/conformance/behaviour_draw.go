package conformance

import (
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/rule"
)

// sentence is a leaf as it is written.
func sentence(b *rule.Behaviour) string {
	r := rule.Rule{V: 1, Node: rule.Node{Behaviour: *b}}
	return string(r.JSON())
}

func drawLeaf(r *rapid.T, now time.Time) rule.Behaviour {
	switch rapid.IntRange(0, 9).Draw(r, "kind") {
	case 0, 1:
		return rule.Behaviour{Sequence: drawSequence(r, now)}
	case 2, 3, 4:
		return rule.Behaviour{Habit: drawHabit(r)}
	}
	return rule.Behaviour{Event: drawEvent(r, now)}
}

func drawWhere(r *rapid.T) []rule.Where {
	var out []rule.Where
	for range rapid.SampledFrom([]int{0, 0, 1, 1, 2}).Draw(r, "wheres") {
		w := rule.Where{Property: drawProperty.Draw(r, "property")}
		w.Op = rapid.SampledFrom([]string{"is", "isNot", "in", "notIn", "contains", "notContains", "startsWith", "gt", "gte", "lt", "lte", "between", "set", "notSet"}).Draw(r, "op")
		w.Value = drawOperand(r, w.Op)
		out = append(out, w)
	}
	return out
}

// drawNumber draws numbers on both sides of those that facts have.
func drawNumber(r *rapid.T) float64 {
	if rapid.IntRange(0, 3).Draw(r, "which") == 0 {
		for {
			if n, err := strconv.ParseFloat(drawOdd.Draw(r, "number").number, 64); err == nil {
				return n
			}
		}
	}
	return rapid.SampledFrom([]float64{3, 0, -2, 1.5, 0.3, 0.1, 0.000001, 4.5, 6, 9, 1, 0.6, 1e15, -0.0000004}).Draw(r, "number")
}

// drawScalar draws a value that is looked at as a text, a number or a boolean.
func drawScalar(r *rapid.T, booleans bool) any {
	switch rapid.IntRange(0, 3).Draw(r, "sort") {
	case 0:
		return drawNumber(r)
	case 1:
		if booleans {
			return rapid.Bool().Draw(r, "boolean")
		}
	}
	for {
		if text := drawOdd.Draw(r, "text").text; text != "" {
			return text
		}
	}
}

func drawOperand(r *rapid.T, op string) any {
	switch op {
	case "set", "notSet":
		return nil
	case "is", "isNot":
		return drawScalar(r, true)
	case "in", "notIn":
		var list []any
		for range rapid.IntRange(1, 4).Draw(r, "values") {
			list = append(list, drawScalar(r, false))
		}
		return list
	case "contains", "notContains", "startsWith":
		return rapid.SampledFrom([]string{"a", "1", "茶", "d1.", "A", ".", "e", "礼盒", "'", `"`, "-"}).Draw(r, "part")
	case "between":
		a, b := drawNumber(r), drawNumber(r)
		return []any{min(a, b), max(a, b)}
	}
	return drawNumber(r)
}

func drawWindow(r *rapid.T, now time.Time) *rule.Window {
	switch rapid.IntRange(0, 3).Draw(r, "window") {
	case 0:
		return nil
	case 1:
		day := func() string { return now.AddDate(0, 0, rapid.IntRange(-90, 20).Draw(r, "day")).Format(time.DateOnly) }
		w := &rule.Window{From: day(), To: day()}
		if w.From > w.To {
			w.From, w.To = w.To, w.From
		}
		switch rapid.IntRange(0, 3).Draw(r, "open") {
		case 0:
			w.From = ""
		case 1:
			w.To = ""
		}
		return w
	}
	unit := rapid.SampledFrom([]string{"minute", "hour", "day", "day", "week", "month"}).Draw(r, "unit")
	most := map[string]int{"minute": 3000, "hour": 100, "day": 60, "week": 9, "month": 4}[unit]
	last := rapid.IntRange(1, most).Draw(r, "last")
	if unit == "minute" {
		last = 60 * (1 + last/60) // where facts are
	}
	return &rule.Window{Last: last, Unit: unit}
}

func drawEvent(r *rapid.T, now time.Time) *rule.Event {
	e := &rule.Event{Name: drawName.Draw(r, "event"), Where: drawWhere(r), Within: drawWindow(r, now)}
	e.Measure = rapid.SampledFrom([]string{"", "count", "count", "sum", "avg", "min", "max", "distinct", "first", "last", "firstTime"}).Draw(r, "measure")
	whole := func() any { return float64(rapid.IntRange(0, 4).Draw(r, "n")) }
	op := func(more ...string) string {
		return rapid.SampledFrom(append([]string{"gte", "gt", "lte", "lt", "is", "isNot", "between"}, more...)).Draw(r, "op")
	}
	switch e.Measure {
	case "":
		return e
	case "firstTime":
		if e.Within == nil {
			e.Within = &rule.Window{Last: 30, Unit: "day"}
		}
		return e
	case "count", "distinct":
		if e.Measure == "distinct" {
			e.Property = drawProperty.Draw(r, "of")
		}
		e.Op, e.Value = op(), whole()
		if e.Op == "between" {
			a, b := whole().(float64), whole().(float64)
			e.Value = []any{min(a, b), max(a, b)}
		}
		return e
	case "first", "last":
		e.Property = drawProperty.Draw(r, "of")
		e.Op = op("in", "notIn", "contains", "notContains", "startsWith")
		e.Value = drawOperand(r, e.Op)
		return e
	}
	e.Property = drawProperty.Draw(r, "of")
	e.Op = op()
	if e.Op == "between" {
		e.Value = drawOperand(r, "between")
	} else {
		e.Value = drawNumber(r)
	}
	return e
}

func drawSequence(r *rapid.T, now time.Time) *rule.Sequence {
	s := &rule.Sequence{Within: drawWindow(r, now)}
	for range rapid.IntRange(2, 4).Draw(r, "steps") {
		step := rule.Step{Name: drawName.Draw(r, "step")}
		if rapid.IntRange(0, 3).Draw(r, "where?") == 0 {
			step.Where = drawWhere(r)
		}
		s.Steps = append(s.Steps, step)
	}
	if rapid.Bool().Draw(r, "gap?") {
		s.Gap = &rule.Span{N: rapid.IntRange(1, 30).Draw(r, "gap"), Unit: rapid.SampledFrom([]string{"hour", "day", "day", "week"}).Draw(r, "of")}
	}
	return s
}

func drawHabit(r *rapid.T) *rule.Habit {
	h := &rule.Habit{Name: drawName.Draw(r, "event"), Kind: rapid.SampledFrom([]string{"regularly", "stopped", "resumed"}).Draw(r, "habit")}
	if rapid.IntRange(0, 2).Draw(r, "where?") == 0 {
		h.Where = drawWhere(r)
	}
	switch h.Kind {
	case "regularly":
		h.Unit = rapid.SampledFrom([]string{"day", "week", "month"}).Draw(r, "unit")
		h.Periods = rapid.SampledFrom([]int{1, 2, 3, 5, 8, 60}).Draw(r, "periods")
		h.AtLeast = rapid.IntRange(1, min(h.Periods, 4)).Draw(r, "at least")
	case "stopped":
		h.Times = rapid.IntRange(0, 3).Draw(r, "times")
		fallthrough
	default:
		h.Active, h.Quiet = rapid.IntRange(1, 60).Draw(r, "active"), rapid.IntRange(1, 30).Draw(r, "quiet")
	}
	return h
}
