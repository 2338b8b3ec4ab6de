package rule

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
	Node
}

// Node is either a group (exactly one of all, any and none, nested at most
// three deep) or a condition (field, op and what they need).
type Node struct {
	All  []Node `json:"all,omitempty" doc:"Every one of these must hold"`
	Any  []Node `json:"any,omitempty" doc:"At least one of these must hold"`
	None []Node `json:"none,omitempty" doc:"None of these may hold"`

	Field    string `json:"field,omitempty" doc:"What the condition is about; see GET /api/contacts/fields"`
	Key      string `json:"key,omitempty" doc:"Which one of the field: the attribute's key, first or last channel, the kind of identity"`
	Op       string `json:"op,omitempty" doc:"How it compares; see GET /api/contacts/fields"`
	Value    any    `json:"value,omitempty" doc:"A text, number or list of them: what op takes"`
	Children bool   `json:"children,omitempty" doc:"Tags: those below them count too"`

	Behaviour
}

// Limits of a rule.
const (
	MaxDepth      = 5
	MaxConditions = 50
	MaxValues     = 200
	MaxText       = 500
	MaxSize       = 64 << 10
)

// Parse reads a rule from JSON. It checks the form alone: whether fields,
// tags and people exist is found out when the rule is used. path is what the
// rule is called in the errors, e.g. "where".
func Parse(text, path string) (*Rule, error) {
	if len(text) > MaxSize {
		return nil, Fault(path, "rule.too_large", "limit", MaxSize>>10)
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	var r Rule
	if err := dec.Decode(&r); err != nil {
		return nil, Fault(path, "rule.not_json")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, Fault(path, "rule.not_json")
	}
	if err := r.Check(path); err != nil {
		return nil, err
	}
	return &r, nil
}

// Fault is a request that is refused for one thing in its rule.
func Fault(path, code string, params ...any) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(path, code, params...))
}

// Check tells the first thing that is wrong with the form of the rule.
func (r *Rule) Check(path string) error {
	if r.V != 1 {
		return Fault(path+".v", "rule.bad_version")
	}
	n := 0
	if err := r.Node.check(path, 0, &n); err != nil {
		return err
	}
	return nil
}

// Parts is what a group is made of, and which kind of group it is.
func (n *Node) Parts() (kind string, parts []Node) {
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

func (n *Node) check(path string, depth int, count *int) error {
	groups := 0
	for _, g := range [][]Node{n.All, n.Any, n.None} {
		if g != nil {
			groups++
		}
	}
	condition := n.Field != "" || n.Op != "" || n.Key != "" || n.Value != nil || n.Children
	switch {
	case groups > 1 || groups == 1 && (condition || !n.Behaviour.Empty()) || condition && !n.Behaviour.Empty():
		return Fault(path, "rule.mixed")
	case groups == 0 && !condition && n.Behaviour.Empty():
		if depth == 0 { // {"v":1} is everybody
			return nil
		}
		return Fault(path, "rule.empty")
	case groups == 0:
		if *count++; *count > MaxConditions {
			return Fault(path, "rule.too_many", "limit", MaxConditions)
		}
		if condition {
			return n.checkCondition(path)
		}
		return n.Behaviour.check(path)
	case depth == MaxDepth:
		return Fault(path, "rule.too_deep", "limit", MaxDepth)
	}
	kind, parts := n.Parts()
	if len(parts) == 0 && (depth > 0 || kind != "all") { // {"v":1,"all":[]} is everybody
		return Fault(path+"."+kind, "rule.empty")
	}
	for i := range parts {
		if err := parts[i].check(fmt.Sprintf("%s.%s[%d]", path, kind, i), depth+1, count); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) checkCondition(path string) error {
	switch {
	case n.Field == "":
		return Fault(path+".field", "request.field_required")
	case n.Op == "":
		return Fault(path+".op", "request.field_required")
	}
	for at, text := range map[string]string{".field": n.Field, ".op": n.Op, ".key": n.Key} {
		if len(text) > MaxText {
			return Fault(path+at, "request.too_long", "limit", MaxText)
		}
	}
	list, ok := n.Value.([]any)
	if !ok {
		list = []any{n.Value}
	}
	if len(list) > MaxValues {
		return Fault(path+".value", "rule.too_many_values", "limit", MaxValues)
	}
	for _, v := range list {
		switch v := v.(type) {
		case nil, bool, float64:
		case string:
			if len(v) > MaxText {
				return Fault(path+".value", "request.too_long", "limit", MaxText)
			}
		default:
			return Fault(path+".value", "rule.bad_value")
		}
	}
	return nil
}

// Empty tells whether the rule asks nothing.
func (r *Rule) Empty() bool {
	if r == nil {
		return true
	}
	_, parts := r.Parts()
	return r.Field == "" && r.Behaviour.Empty() && len(parts) == 0
}

// Fingerprint is the same for rules that are written the same, whatever the
// order of their keys and the space between.
func (r *Rule) Fingerprint() string {
	if r.Empty() {
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
