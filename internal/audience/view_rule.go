package audience

import (
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/rule"
)

// ruleOf says the filter of a list as a rule. What a rule cannot say is refused:
// a search by letters, visitors, and times that are no whole days.
func ruleOf(f contact.FilterBody, zone *time.Location) (*rule.Rule, error) {
	cannot := func(code string) (*rule.Rule, error) {
		return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("view", code))
	}
	var all []rule.Node
	add := func(n rule.Node) { all = append(all, n) }
	if f.Q != "" {
		return cannot("audience.view_searches")
	}
	if f.Kind == "visitor" {
		return cannot("audience.view_of_visitors")
	}
	if f.Channel != "" {
		add(rule.Node{Field: "channel", Key: "first", Op: "in", Value: []any{f.Channel}})
	}
	if f.Tag != "" {
		add(rule.Node{Field: "tag", Op: "hasAnyOf", Value: []any{f.Tag}, Children: f.TagBelow})
	}
	switch f.Owner {
	case "":
	case "none":
		add(rule.Node{Field: "owner", Op: "notSet"})
	default:
		add(rule.Node{Field: "owner", Op: "in", Value: []any{f.Owner}})
	}
	if f.Department != "" {
		add(rule.Node{Field: "department", Op: "in", Value: []any{f.Department}})
	}
	day := func(t time.Time) (string, bool) {
		t = t.In(zone)
		return t.Format(time.DateOnly), t.Hour()+t.Minute()+t.Second() == 0
	}
	if !f.CreatedFrom.IsZero() {
		d, whole := day(f.CreatedFrom)
		if !whole {
			return cannot("audience.view_of_hours")
		}
		add(rule.Node{None: []rule.Node{{Field: "created", Op: "before", Value: d}}})
	}
	if !f.CreatedTo.IsZero() {
		d, whole := day(f.CreatedTo)
		if !whole {
			return cannot("audience.view_of_hours")
		}
		add(rule.Node{Field: "created", Op: "before", Value: d})
	}
	if !f.Where.Empty() {
		if len(all) == 0 {
			return f.Where, nil
		}
		if f.Where.All != nil { // so that it nests no deeper than it did
			all = append(all, f.Where.All...)
		} else {
			add(f.Where.Node)
		}
	}
	return &rule.Rule{V: 1, Node: rule.Node{All: all}}, nil
}
