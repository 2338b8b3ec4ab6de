package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/rule"
)

// attributeField is the field of conditions on attributes that are defined; the
// key says which.
const attributeField = "attr"

// attributeRuleType is how an attribute compares.
func attributeRuleType(d *attribute.Attribute) (ruleType, []string) {
	switch {
	case d.Personal.Sealed(): // only its blind index is known
		return typeText, []string{"is", "isNot", "in", "notIn", "set", "notSet"}
	case d.Type == attribute.Number:
		return typeNumber, opsOf[typeNumber]
	case d.Type == attribute.Money:
		return typeMoney, opsOf[typeMoney]
	case d.Type == attribute.Date:
		return typeDate, slices.DeleteFunc(slices.Clone(opsOf[typeDate]), func(op string) bool { return op == "anniversary" })
	case d.Type == attribute.Flag:
		return typeBool, opsOf[typeBool]
	case d.Type == attribute.Enum:
		return typeChoice, opsOf[typeChoice]
	case d.Type == attribute.Multi:
		return typeMulti, opsOf[typeMulti]
	case d.Type == attribute.Region, d.Type == attribute.Phone, d.Type == attribute.Email:
		return typeText, []string{"is", "isNot", "in", "notIn", "set", "notSet"}
	}
	return typeText, opsOf[typeText]
}

// attributeRuleField makes the field of one attribute.
func (s *Service) attributeRuleField(ctx context.Context, key, path string) (*ruleField, error) {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return nil, err
	}
	def := defs.get(key)
	switch {
	case def == nil || def.archived:
		return nil, rule.Fault(path+".key", "rule.no_such_attribute", "key", clip(key, 64))
	case !def.indexed():
		return nil, rule.Fault(path+".key", "rule.not_indexed", "name", def.NameZh)
	}
	typ, ops := attributeRuleType(def.Attribute)
	return &ruleField{name: attributeField, typ: typ, ops: ops, keys: []string{key}, compile: func(c *compiler, n *condition) (expr, error) {
		return c.attribute(def, n)
	}}, nil
}

// values makes the leaf of a condition on the index of values.
func (c *compiler) values(key, where string, args ...any) *leaf {
	shown := strings.Replace(c.shown, "shown", "contact_attribute_values.shown", 1)
	cond := fmt.Sprintf("attr = $%d and %s", len(args)+1, shown)
	if where != "" {
		cond += " and " + where
	}
	by := c.s.DB.Pick(" indexed by contact_attribute_values_by_contact", "")
	return &leaf{args: append(slices.Clone(args), key), set: "select contact as n from contact_attribute_values where " + cond,
		probe: "select contact as n from contact_attribute_values" + by + " where {in:contact} and " + cond}
}

func (c *compiler) attribute(def *definition, n *condition) (expr, error) {
	if n.op == "set" {
		return c.values(def.Key, ""), nil
	}
	if !def.Personal.Sealed() {
		switch def.Type {
		case attribute.Number, attribute.Money:
			read := n.whole
			if def.Type == attribute.Number {
				read = func(v any) (int64, error) {
					f, ok := v.(float64)
					if !ok || math.Abs(f) > 1e14 {
						return 0, n.fault("value", "rule.needs_number")
					}
					return int64(math.Round(f * 10_000)), nil
				}
			}
			where, args, err := n.numberCond("num", read)
			return c.values(def.Key, "str = '' and "+where, args...), err
		case attribute.Date:
			s, err := c.span(n)
			if err != nil {
				return nil, err
			}
			from, to := -int64(1)<<60, int64(1)<<60
			day := func(t time.Time) int64 {
				return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).UnixMilli()
			}
			if !s.from.IsZero() {
				from = day(s.from)
			}
			if !s.to.IsZero() {
				to = day(s.to)
			}
			return c.values(def.Key, "str = '' and num >= cast($1 as bigint) and num < cast($2 as bigint)", from, to), nil
		case attribute.Flag:
			b, ok := n.Value.(bool)
			if !ok {
				return nil, n.fault("value", "rule.needs_flag")
			}
			return c.values(def.Key, "str = $1", fmt.Sprint(b)), nil
		}
	}
	texts, err := n.texts()
	if err != nil {
		return nil, err
	}
	g := &group{kind: "any"}
	if n.op == "hasAllOf" {
		g.kind = "all"
	}
	for _, t := range texts {
		str, err := c.attributeKey(def, n, t)
		if err != nil {
			return nil, err
		}
		switch {
		case n.op == "contains":
			g.parts = append(g.parts, c.values(def.Key, c.s.DB.Pick("instr(str, $1) > 0", "position($1 in str) > 0"), str))
		case n.op == "startsWith":
			g.parts = append(g.parts, c.values(def.Key, "str >= $1 and str < $2", str, beyond(str)))
		case def.Type == attribute.Region && !def.Personal.Sealed(): // all that lies in it
			for len(str) == 6 && strings.HasSuffix(str, "00") || len(str) == 4 && strings.HasSuffix(str, "00") {
				str = str[:len(str)-2]
			}
			g.parts = append(g.parts, c.values(def.Key, "str >= $1 and str < $2", str, beyond(str)))
		default:
			g.parts = append(g.parts, c.values(def.Key, "str = $1", str))
		}
	}
	return g, nil
}

// attributeKey is a text of a condition as the index of values has it.
func (c *compiler) attributeKey(def *definition, n *condition, text string) (string, error) {
	raw := quote(text)
	if n.op != "contains" && n.op != "startsWith" {
		v, fault := def.Read(raw)
		if fault != nil {
			return "", n.fault("value", "rule.not_a_value", "value", clip(text, 60))
		}
		raw = v
		if def.Type == attribute.Multi { // one choice of it
			var ids []json.RawMessage
			if err := json.Unmarshal(v, &ids); err != nil || len(ids) != 1 {
				return "", n.fault("value", "rule.not_a_value", "value", clip(text, 60))
			}
		}
	}
	keys := c.s.engine.keysOfPlain(def, raw)
	if len(keys) != 1 {
		return "", n.fault("value", "rule.not_a_value", "value", clip(text, 60))
	}
	if def.Personal.Sealed() { // a rule would try out hidden digits as well as a search
		if err := c.s.guesses.allowValue(c.ctx, c.s.Clock.Now(), def.Key+" "+keys[0].Str); err != nil {
			return "", err
		}
	}
	return keys[0].Str, nil
}

// attributeViews lists the attributes that there are, for the filter builder.
func (s *Service) attributeViews(ctx context.Context) ([]FieldView, error) {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return nil, err
	}
	var out []FieldView
	for _, key := range sortedKeys(defs.byKey) {
		def := defs.byKey[key]
		if def.archived {
			continue
		}
		typ, ops := attributeRuleType(def.Attribute)
		v := FieldView{Field: attributeField, Key: key, Label: def.Name(httpx.Lang(ctx) == i18n.EN), Group: "attribute", Type: string(typ), Ops: ops}
		for _, o := range def.Options {
			v.Options = append(v.Options, Option{o.ID, o.Label})
		}
		if !def.indexed() {
			v.Blocked = httpx.Say(ctx, "rule.not_indexed", map[string]any{"name": v.Label})
		}
		out = append(out, v)
	}
	return out, nil
}
