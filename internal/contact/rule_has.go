package contact

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// has says in words what the contact has of what a condition is about.
func (x *explainer) has(n *rule.Node) (string, error) {
	text, err := x.valueOf(n)
	if err != nil || text != "" {
		return text, err
	}
	return x.speaker.say("rule.has.nothing"), nil
}

func (x *explainer) valueOf(n *rule.Node) (string, error) {
	c, say := x.contact, x.speaker.say
	touch := func(last bool, of func(t *TouchView) string) string {
		t := c.FirstTouch
		if last {
			t = c.LastTouch
		}
		if t == nil {
			return ""
		}
		return of(t)
	}
	switch n.Field {
	case "name":
		return c.Name, nil
	case "tag":
		names := make([]string, len(c.Tags))
		for i, t := range c.Tags {
			names[i] = t.Group + "/" + t.Name
		}
		return x.list(names), nil
	case "owner":
		if c.Owner == nil {
			return "", nil
		}
		return c.Owner.Name, nil
	case "channel":
		of := touch(n.Key == "last", func(t *TouchView) string { return t.Channel })
		if of == "" {
			return "", nil
		}
		return x.speaker.value(n, of), nil
	case "source":
		return touch(false, func(t *TouchView) string { return t.Source }), nil
	case "medium":
		return touch(false, func(t *TouchView) string { return t.Medium }), nil
	case "campaign":
		return touch(false, func(t *TouchView) string { return t.Campaign }), nil
	case "created":
		return x.day(&c.CreatedAt), nil
	case "lastSeen":
		return x.day(c.LastSeenAt), nil
	case "firstOrder":
		return x.day(c.FirstOrderAt), nil
	case "lastOrder":
		return x.day(c.LastOrderAt), nil
	case "orders":
		return strconv.FormatInt(c.Orders, 10), nil
	case "birthday":
		return c.Birthday, nil
	case "gender":
		if c.Gender == "" {
			return "", nil
		}
		return say("contact.gender." + c.Gender), nil
	case "city":
		return c.City, nil
	case "identity":
		var kinds []string
		for _, i := range c.Identities {
			kinds = append(kinds, i.Kind)
		}
		slices.Sort(kinds)
		return x.list(slices.Compact(kinds)), nil
	case "ownerTouch", "revenue":
		return x.column(n.Field)
	case bucketField:
		return strconv.FormatFloat(float64(bucketOf(bucketSeed(n.Key), c.num))/100, 'f', 2, 64) + "%", nil
	case attributeField:
		row := []Row{c.Row}
		err := x.addAttributes(x.ctx, row, []string{n.Key})
		return row[0].Attributes[n.Key], err
	case "department":
		known, err := x.departments(x.ctx)
		if err != nil {
			return "", err
		}
		var options []Option
		for _, id := range sortedKeys(known) {
			options = append(options, Option{id, known[id]})
		}
		return x.chosen(n, options, "in")
	case "import":
		return x.chosen(n, nil, "in")
	}
	v := x.speaker.otherView(n)
	switch ruleType(v.Type) {
	case typeMulti:
		return x.chosen(n, v.Options, "hasAnyOf")
	case typeChoice:
		return x.chosen(n, v.Options, "in")
	}
	return "", nil
}

// list joins names, or says that there are none.
func (x *explainer) list(names []string) string {
	const most = 20
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return strings.Join(names, x.speaker.say("rule.say.comma"))
}

// day is a moment as a date of the company, as conditions compare it.
func (x *explainer) day(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.In(x.zone(x.ctx)).Format(time.DateOnly)
}

// column reads what the profile does not show.
func (x *explainer) column(field string) (string, error) {
	var touched, revenue int64
	err := x.DB.QueryRow(x.ctx, "select owner_touch_at, revenue_main from contacts where num = $1", x.contact.num).Scan(&touched, &revenue)
	if err != nil {
		return "", fmt.Errorf("read what a contact has: %w", err)
	}
	if field == "revenue" {
		return strconv.FormatFloat(float64(revenue)/100, 'f', -1, 64), nil
	}
	return x.day(timeOrNil(touched)), nil
}

// maxAsked is how many options of a choice are tried to say which ones a contact
// has; of longer lists those alone that the condition names.
const maxAsked = 40

// chosen says which options of a choice hold for the contact.
func (x *explainer) chosen(n *rule.Node, options []Option, op string) (string, error) {
	if len(options) > maxAsked || options == nil {
		named := n.Texts()
		var some []Option
		for _, v := range named {
			o := Option{v, v}
			if at := slices.IndexFunc(options, func(o Option) bool { return o.Value == v }); at >= 0 {
				o = options[at]
			}
			some = append(some, o)
		}
		options = some
	}
	c := x.compiler(x.ctx, &filter{kind: x.reader.shown})
	var has []string
	for _, o := range options {
		e, err := c.node(&rule.Node{Field: n.Field, Key: n.Key, Op: op, Value: []any{o.Value}}, x.path)
		if err != nil {
			return "", err
		}
		got, err := x.reader.find(e, numset.Of(x.contact.num))
		if err != nil {
			return "", err
		}
		if got.Has(x.contact.num) {
			has = append(has, o.Label)
		}
	}
	return x.list(has), nil
}

// evidence says what of a contact's behaviour was counted.
func (p *speaker) evidence(b *rule.Behaviour, ev rule.Evidence) string {
	times := p.say("rule.times.many", "n", ev.Matched)
	if ev.Matched == 1 {
		times = p.say("rule.times.one")
	}
	value := ""
	switch m := ev.Measure.(type) {
	case float64:
		value = strconv.FormatFloat(float64(int64(m*1e4+0.5))/1e4, 'f', -1, 64)
	case string:
		value = m
	}
	switch {
	case b.Sequence != nil:
		return p.say("rule.has.steps", "n", ev.Matched, "of", len(b.Sequence.Steps))
	case b.Habit != nil && b.Habit.Kind == "regularly":
		return p.say("rule.has.periods", "n", value, "of", b.Habit.Periods)
	case b.Habit != nil && b.Habit.Kind == "stopped":
		if !ev.Holds && ev.Matched >= max(1, b.Habit.Times) {
			return p.say("rule.has.goes_on", "times", times)
		}
		return p.say("rule.has.active", "times", times)
	case b.Habit != nil:
		if ev.Measure == nil {
			return p.say("rule.has.no_silence")
		}
		return p.say("rule.has.silence", "span", p.span(max(1, int(ev.Measure.(float64))), "day"))
	case ev.Matched == 0:
		return p.say("rule.has.none")
	}
	e := b.Event.Default()
	switch e.Measure {
	case "count", "firstTime":
		return p.say("rule.has.times", "times", times)
	}
	if ev.Measure == nil {
		return p.say("rule.has.no_value", "times", times)
	}
	return p.say("rule.has."+e.Measure, "value", value, "times", times)
}
