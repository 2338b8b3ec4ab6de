package contact

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"strings"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Rule says who is meant: a tree of conditions. It is what the list's filter
// builder makes, what views keep, and a part of the language that segments will
// speak; version 1 knows what is true of a contact now, not what it did.
type Rule struct {
	V int `json:"v" minimum:"1" maximum:"1" doc:"Version of the language: 1"`
	RuleNode
}

// RuleNode is either a group (exactly one of all, any and none, nested at most
// three deep) or a condition (field, op and what they need).
type RuleNode struct {
	All  []RuleNode `json:"all,omitempty" doc:"Every one of these must hold"`
	Any  []RuleNode `json:"any,omitempty" doc:"At least one of these must hold"`
	None []RuleNode `json:"none,omitempty" doc:"None of these may hold"`

	Field    string `json:"field,omitempty" doc:"What the condition is about; see GET /api/contacts/fields"`
	Key      string `json:"key,omitempty" doc:"Which one of the field: the attribute's key, first or last channel, the kind of identity"`
	Op       string `json:"op,omitempty" doc:"How it compares; see GET /api/contacts/fields"`
	Value    any    `json:"value,omitempty" doc:"A text, number or list of them: what op takes"`
	Children bool   `json:"children,omitempty" doc:"Tags: those below them count too"`
}

// Limits of a rule.
const (
	maxRuleDepth      = 3
	maxRuleConditions = 50
	maxRuleValues     = 200
	maxRuleText       = 500
	maxRuleSize       = 64 << 10
)

// ParseRule reads a rule from JSON. It checks the form alone: whether fields,
// tags and people exist is found out when the rule is used. path is what the
// rule is called in the errors, e.g. "where".
func ParseRule(text, path string) (*Rule, error) {
	if len(text) > maxRuleSize {
		return nil, ruleFault(path, "contact.rule.too_large", "limit", maxRuleSize>>10)
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	var r Rule
	if err := dec.Decode(&r); err != nil {
		return nil, ruleFault(path, "contact.rule.not_json")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, ruleFault(path, "contact.rule.not_json")
	}
	if err := r.check(path); err != nil {
		return nil, err
	}
	return &r, nil
}

func ruleFault(path, code string, params ...any) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(path, code, params...))
}

// check tells the first thing that is wrong with the form of the rule.
func (r *Rule) check(path string) error {
	if r.V != 1 {
		return ruleFault(path+".v", "contact.rule.bad_version")
	}
	n := 0
	if err := r.RuleNode.check(path, 0, &n); err != nil {
		return err
	}
	return nil
}

// parts is what a group is made of, and which kind of group it is.
func (n *RuleNode) parts() (kind string, parts []RuleNode) {
	switch {
	case n.All != nil:
		return "all", n.All
	case n.Any != nil:
		return "any", n.Any
	case n.None != nil:
		return "none", n.None
	}
	return "", nil
}

func (n *RuleNode) check(path string, depth int, count *int) error {
	groups := 0
	for _, g := range [][]RuleNode{n.All, n.Any, n.None} {
		if g != nil {
			groups++
		}
	}
	condition := n.Field != "" || n.Op != "" || n.Key != "" || n.Value != nil || n.Children
	switch {
	case groups > 1 || groups == 1 && condition:
		return ruleFault(path, "contact.rule.mixed")
	case groups == 0 && !condition:
		if depth == 0 { // {"v":1} is everybody
			return nil
		}
		return ruleFault(path, "contact.rule.empty")
	case condition:
		if *count++; *count > maxRuleConditions {
			return ruleFault(path, "contact.rule.too_many", "limit", maxRuleConditions)
		}
		return n.checkCondition(path)
	case depth == maxRuleDepth:
		return ruleFault(path, "contact.rule.too_deep", "limit", maxRuleDepth)
	}
	kind, parts := n.parts()
	if len(parts) == 0 && (depth > 0 || kind != "all") { // {"v":1,"all":[]} is everybody
		return ruleFault(path+"."+kind, "contact.rule.empty")
	}
	for i := range parts {
		if err := parts[i].check(fmt.Sprintf("%s.%s[%d]", path, kind, i), depth+1, count); err != nil {
			return err
		}
	}
	return nil
}

func (n *RuleNode) checkCondition(path string) error {
	switch {
	case n.Field == "":
		return ruleFault(path+".field", "request.field_required")
	case n.Op == "":
		return ruleFault(path+".op", "request.field_required")
	}
	for at, text := range map[string]string{".field": n.Field, ".op": n.Op, ".key": n.Key} {
		if len(text) > maxRuleText {
			return ruleFault(path+at, "request.too_long", "limit", maxRuleText)
		}
	}
	list, ok := n.Value.([]any)
	if !ok {
		list = []any{n.Value}
	}
	if len(list) > maxRuleValues {
		return ruleFault(path+".value", "contact.rule.too_many_values", "limit", maxRuleValues)
	}
	for _, v := range list {
		switch v := v.(type) {
		case nil, bool, float64:
		case string:
			if len(v) > maxRuleText {
				return ruleFault(path+".value", "request.too_long", "limit", maxRuleText)
			}
		default:
			return ruleFault(path+".value", "contact.rule.bad_value")
		}
	}
	return nil
}

// empty tells whether the rule asks nothing.
func (r *Rule) empty() bool {
	if r == nil {
		return true
	}
	_, parts := r.parts()
	return r.Field == "" && len(parts) == 0
}

// Fingerprint is the same for rules that are written the same, whatever the
// order of their keys and the space between.
func (r *Rule) Fingerprint() string {
	if r.empty() {
		return ""
	}
	h := fnv.New64a()
	_, _ = h.Write(r.JSON()) // a hash never fails
	return hex.EncodeToString(h.Sum(nil))
}

// JSON is the rule as it is stored.
func (r *Rule) JSON() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil { // texts, numbers and lists of them: always JSON
		panic(err)
	}
	return bytes.TrimSpace(b.Bytes())
}
