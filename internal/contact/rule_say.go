package contact

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/rule"
)

// Sentence says a rule in the caller's language: what the console shows beside
// the filter builder, and what exports and the audit log keep of it.
func (s *Service) Sentence(ctx context.Context, r *rule.Rule) string {
	p := s.speaker(ctx)
	if r.Empty() {
		return p.say("rule.say.everybody")
	}
	p.learn(&r.Node)
	return p.node(&r.Node, true)
}

func (s *Service) speaker(ctx context.Context) *speaker {
	return &speaker{s: s, ctx: ctx, say: func(code string, params ...any) string {
		m := map[string]any{}
		for i := 0; i+1 < len(params); i += 2 {
			if k, ok := params[i].(string); ok {
				m[k] = params[i+1]
			}
		}
		return httpx.Say(ctx, code, m)
	}}
}

type speaker struct {
	s   *Service
	ctx context.Context
	say func(code string, params ...any) string

	called spoken
}

func (p *speaker) node(n *rule.Node, top bool) string {
	if n.Field != "" {
		return p.condition(n)
	}
	if !n.Behaviour.Empty() {
		return p.did(&n.Behaviour)
	}
	kind, parts := n.Parts()
	said := make([]string, len(parts))
	for i := range parts {
		said[i] = p.node(&parts[i], false)
	}
	code := map[string]string{"all": "rule.say.and", "any": "rule.say.or", "none": "rule.say.or"}[kind]
	text := strings.Join(said, p.say(code))
	switch {
	case kind == "none":
		return p.say("rule.say.not", "what", text)
	case top || len(parts) == 1:
		return text
	}
	return p.say("rule.say.group", "what", text)
}

func (p *speaker) condition(n *rule.Node) string {
	if n.Field == bucketField {
		return p.bucket(n)
	}
	field := p.field(n)
	params := []any{"field", field, "value", p.values(n)}
	if list, ok := n.Value.([]any); ok && n.Op == "between" && len(list) == 2 {
		params = append(params, "from", p.value(n, list[0]), "to", p.value(n, list[1]))
	}
	list, _ := n.Value.([]any)
	return p.say("rule.op."+single(n.Op, len(list)), params...)
}

func (p *speaker) field(n *rule.Node) string {
	if n.Field == "channel" && n.Key == "last" {
		return p.say("contact.field.lastChannel")
	}
	if n.Field == attributeField {
		if def := p.attribute(n); def != nil {
			return def.Name(httpx.Lang(p.ctx) == i18n.EN)
		}
		return n.Key
	}
	if v := p.otherView(n); v.Label != "" {
		return v.Label
	}
	return p.say("contact.field." + n.Field)
}

// attribute is the definition that a condition speaks of; nil when it is gone.
func (p *speaker) attribute(n *rule.Node) *definition {
	defs, err := p.s.engine.definitions(p.ctx)
	if err != nil { // then the key is said
		return nil
	}
	return defs.get(n.Key)
}

func (p *speaker) values(n *rule.Node) string {
	list, ok := n.Value.([]any)
	if !ok {
		list = []any{n.Value}
	}
	names := map[string]string{}
	switch n.Field {
	case "owner":
		var ids []string
		for _, v := range list {
			ids = append(ids, fmt.Sprint(v))
		}
		if p.s.People != nil {
			names = p.s.People.Names(p.ctx, ids)
		}
		names["me"], names["left"] = p.say("rule.say.me"), p.say("rule.say.left")
	case "department":
		if known, err := p.s.departments(p.ctx); err == nil { // without the names the ids are said
			names = known
		}
	case attributeField:
		if def := p.attribute(n); def != nil {
			for _, o := range def.Options {
				names[o.ID] = o.Label
			}
		}
	case "tag":
		var ids []string
		for _, v := range list {
			ids = append(ids, fmt.Sprint(v))
		}
		if tags, err := p.s.tagRefs(p.ctx, ids); err == nil { // without the names the ids are said
			for id, t := range tags {
				names[id] = t.Group + "/" + t.Name
			}
		}
	}
	for _, o := range p.otherView(n).Options {
		names[o.Value] = o.Label
	}
	said := make([]string, 0, len(list))
	for _, v := range list {
		text := p.value(n, v)
		if name, ok := names[text]; ok {
			text = name
		}
		said = append(said, text)
	}
	return strings.Join(said, p.say("rule.say.comma"))
}

func (p *speaker) value(n *rule.Node, v any) string {
	switch v := v.(type) {
	case float64:
		if def := p.attribute(n); n.Field == "revenue" || n.Field == attributeField && def != nil && def.Type == attribute.Money {
			v /= 100
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		switch n.Field {
		case "channel":
			return p.s.engine.channels.name(v, func(code string) string { return p.say(code) })
		case "gender":
			return p.say("contact.gender." + v)
		}
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
