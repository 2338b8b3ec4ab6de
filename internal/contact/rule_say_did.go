package contact

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/rule"
)

// spoken is what people call the events of a rule and their properties.
type spoken struct {
	events     map[string]string
	properties map[string]map[string]string
}

// learn reads the titles of all events that a rule speaks of, at once. Without
// them, as when the dictionary cannot be read, names are said as they are.
func (p *speaker) learn(n *rule.Node) {
	var names []string
	n.Each(func(n *rule.Node) {
		for _, name := range n.Names() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	})
	if len(names) == 0 || p.s.Titles == nil {
		return
	}
	if t, err := p.s.Titles.Titles(p.ctx, names); err == nil {
		p.called.events = t
	}
	if t, err := p.s.Titles.PropertyTitles(p.ctx, names); err == nil {
		p.called.properties = t
	}
}

func (p *speaker) event(name string) string { return cmp.Or(p.called.events[name], name) }

func (p *speaker) property(event, name string) string {
	return cmp.Or(p.called.properties[event][name], p.called.properties[""][name], name)
}

// did says a condition on behaviour.
func (p *speaker) did(b *rule.Behaviour) string {
	switch {
	case b.Event != nil:
		return p.didEvent(b.Event)
	case b.Sequence != nil:
		return p.didSequence(b.Sequence)
	}
	return p.didHabit(b.Habit)
}

func (p *speaker) didEvent(e *rule.Event) string {
	d := e.Default()
	params := []any{"event", p.event(d.Name), "when", p.when(d.Within), "where", p.where("rule.did.where", d.Name, d.Where)}
	never := d.Op == "is" && d.Value == 0.0 || d.Op == "lt" && d.Value == 1.0 || d.Op == "lte" && d.Value == 0.0
	switch {
	case d.Measure == "firstTime":
		return p.say("rule.did.firstTime", params...)
	case d.Measure != "count":
		params = append(params, "property", p.padded(p.property(d.Name, d.Property)), "compare", p.compare("rule.measure.", d.Op, d.Value))
		return p.say("rule.did."+d.Measure, params...)
	case never && d.Within == nil:
		return p.say("rule.did.never", params...)
	case never:
		return p.say("rule.did.not", params...)
	case d.Op == "gte" && d.Value == 1.0:
		return p.say("rule.did.event", params...)
	}
	return p.say("rule.did.count", append(params, "times", p.times(d.Op, d.Value))...)
}

// times says how a number of times compares: at least 3 times.
func (p *speaker) times(op string, value any) string {
	count := func(v any) string {
		n, _ := v.(float64)
		if n == 1 {
			return p.say("rule.times.one")
		}
		return p.say("rule.times.many", "n", int64(n))
	}
	if list, ok := value.([]any); ok && len(list) == 2 {
		return p.say("rule.times.between", "from", plainNumber(list[0]), "times", count(list[1]))
	}
	return p.say("rule.times."+op, "times", count(value))
}

// compare says how a value compares, by the codes with a prefix.
func (p *speaker) compare(prefix, op string, value any) string {
	if list, ok := value.([]any); ok {
		if op == "between" && len(list) == 2 {
			return p.say(prefix+op, "from", p.plainValue(list[0]), "to", p.plainValue(list[1]))
		}
		said := make([]string, len(list))
		for i, v := range list {
			said[i] = p.plainValue(v)
		}
		op = single(op, len(list))
		return p.say(prefix+op, "value", strings.Join(said, p.say("rule.say.comma")))
	}
	return p.say(prefix+op, "value", p.plainValue(value))
}

// single is the operator by which one of a list is said when it holds one alone.
func single(op string, values int) string {
	if values == 1 {
		switch op {
		case "in":
			return "is"
		case "notIn":
			return "isNot"
		}
	}
	return op
}

func (p *speaker) plainValue(v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return p.say("rule.say.yes")
		}
		return p.say("rule.say.no")
	case string:
		return v
	}
	return plainNumber(v)
}

func plainNumber(v any) string {
	n, _ := v.(float64)
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// where says conditions on properties, within the frame that a code gives.
func (p *speaker) where(frame, event string, list []rule.Where) string {
	if len(list) == 0 {
		return ""
	}
	said := make([]string, len(list))
	for i, w := range list {
		name := p.property(event, w.Property)
		if w.Op == "set" || w.Op == "notSet" {
			said[i] = p.say("rule.where."+w.Op, "property", name)
			continue
		}
		said[i] = name + " " + p.compare("rule.where.", w.Op, w.Value)
	}
	return p.say(frame, "what", strings.Join(said, p.say("rule.where.and")))
}

// when says a window of time; "" is ever.
func (p *speaker) when(w *rule.Window) string {
	switch {
	case w == nil:
		return ""
	case w.Last == 1:
		return p.say("rule.when.one." + w.Unit)
	case w.Last > 0:
		return p.say("rule.when.last", "span", p.span(w.Last, w.Unit))
	case w.To == "":
		return p.say("rule.when.since", "from", w.From)
	case w.From == "":
		return p.say("rule.when.until", "to", w.To)
	case w.From == w.To:
		return p.say("rule.when.on", "day", w.From)
	}
	return p.say("rule.when.between", "from", w.From, "to", w.To)
}

func (p *speaker) span(n int, unit string) string {
	if n == 1 {
		return p.say("rule.span.one." + unit)
	}
	return p.say("rule.span."+unit, "n", n)
}

func (p *speaker) didSequence(s *rule.Sequence) string {
	steps := make([]string, len(s.Steps))
	for i, step := range s.Steps {
		steps[i] = p.say("rule.did.step", "event", p.event(step.Name), "where", p.where("rule.did.step.where", step.Name, step.Where))
	}
	gap := ""
	if s.Gap != nil {
		gap = p.say("rule.did.gap", "span", p.span(s.Gap.N, s.Gap.Unit))
	}
	return p.say("rule.did.sequence", "steps", strings.Join(steps, p.say("rule.did.then")), "when", p.when(s.Within), "gap", gap)
}

func (p *speaker) didHabit(h *rule.Habit) string {
	params := []any{"event", p.event(h.Name), "where", p.where("rule.did.where", h.Name, h.Where)}
	switch h.Kind {
	case "regularly":
		return p.say("rule.did.regularly."+h.Unit, append(params, "atLeast", h.AtLeast, "periods", h.Periods)...)
	case "stopped":
		times := p.times("gte", float64(max(1, h.Times)))
		return p.say("rule.did.stopped", append(params, "times", times, "active", p.span(h.Active, "day"), "quiet", p.span(h.Quiet, "day"))...)
	}
	return p.say("rule.did.resumed", append(params, "active", p.span(h.Active, "day"), "quiet", p.span(h.Quiet, "day"))...)
}

// padded keeps Latin letters apart from the Chinese around them.
func (p *speaker) padded(name string) string {
	latin := func(r byte) bool { return r < 0x80 }
	if name == "" || p.say("rule.say.and") == " and " {
		return name
	}
	if latin(name[0]) {
		name = " " + name
	}
	if latin(name[len(name)-1]) {
		name += " "
	}
	return name
}
