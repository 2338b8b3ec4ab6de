package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// Explained is why a contact is among those whom a rule means, or not.
type Explained struct {
	Holds    bool       `json:"holds" doc:"Whether the rule means this contact"`
	Kind     event.Kind `json:"kind" enum:"person,visitor" doc:"A visitor may fulfil a rule and yet is in no segment or list of people"`
	Sentence string     `json:"sentence"`
	Rule     Verdict    `json:"rule"`
}

// Verdict is what one node of a rule says of a contact.
type Verdict struct {
	Path     string      `json:"path" doc:"Where in the rule, e.g. rule.all[0]"`
	Kind     string      `json:"kind" enum:"all,any,none,condition" doc:"Sort of node; everybody is all of nothing"`
	Holds    bool        `json:"holds"`
	Sentence string      `json:"sentence" doc:"The node in the caller's language"`
	Has      string      `json:"has,omitempty" doc:"Conditions: what the contact has or did, in words; personal values are masked"`
	At       []time.Time `json:"at,omitempty" doc:"Behaviour: when the last few events that count were, newest first"`
	Parts    []Verdict   `json:"parts,omitempty"`
}

// Explain says of every node of a rule whether it holds for a contact, and why.
func (s *Service) Explain(ctx context.Context, r *rule.Rule, path, id string) (Explained, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return Explained{}, err
	}
	out := Explained{Kind: c.Kind, Sentence: s.Sentence(ctx, r), Holds: true, Rule: Verdict{Path: path, Kind: "all", Holds: true, Sentence: s.Sentence(ctx, r)}}
	if r.Empty() {
		return out, nil
	}
	if err := r.Check(path); err != nil {
		return Explained{}, err
	}
	x := &explainer{Service: s, ctx: ctx, contact: &c, path: path, leaves: map[string]expr{}, did: map[string]rule.Evidence{}}
	f := &filter{kind: "shown = 1"}
	if c.Kind == event.Visitor {
		f.kind = "shown = 2"
	}
	compiler := s.compiler(ctx, f)
	err = eachPath(&r.Node, path, func(n *rule.Node, at string) error {
		e, err := compiler.node(n, at)
		x.leaves[at] = e
		return err
	})
	if err != nil {
		return Explained{}, err
	}
	x.reader, x.self = s.setReader(ctx, f.kind), numset.Of(c.num)
	if err := x.witness(r); err != nil {
		return Explained{}, err
	}
	x.speaker = s.speaker(ctx)
	x.speaker.learn(&r.Node)
	out.Rule, err = x.node(&r.Node, path)
	out.Holds = out.Rule.Holds
	return out, err
}

type explainer struct {
	*Service
	ctx     context.Context
	contact *Contact
	path    string
	leaves  map[string]expr // by path
	reader  *setReader
	self    *numset.Set
	did     map[string]rule.Evidence // by path
	speaker *speaker
}

func (x *explainer) node(n *rule.Node, path string) (Verdict, error) {
	v := Verdict{Path: path, Kind: "condition", Sentence: x.speaker.node(n, true)}
	kind, parts := n.Parts()
	if kind == "" {
		if ev, ok := x.did[path]; ok {
			v.Holds, v.Has = ev.Holds, x.speaker.evidence(&n.Behaviour, ev)
			for _, at := range ev.Times {
				v.At = append(v.At, clock.FromMs(at))
			}
			return v, nil
		}
		got, err := x.reader.find(x.leaves[path], x.self)
		if err != nil || !n.Behaviour.Empty() { // a store that shows nothing only answers
			v.Holds = err == nil && got.Has(x.contact.num)
			return v, err
		}
		v.Holds = got.Has(x.contact.num)
		v.Has, err = x.has(n)
		return v, err
	}
	v.Kind, v.Holds = kind, kind != "any"
	for i := range parts {
		p, err := x.node(&parts[i], fmt.Sprintf("%s.%s[%d]", path, kind, i))
		if err != nil {
			return v, err
		}
		v.Parts = append(v.Parts, p)
		switch {
		case kind == "any" && p.Holds:
			v.Holds = true
		case kind == "all" && !p.Holds, kind == "none" && p.Holds:
			v.Holds = false
		}
	}
	return v, nil
}

// witness asks the analytics store, with one question, for what the contact did
// about the rule's conditions on behaviour.
func (x *explainer) witness(r *rule.Rule) error {
	q := analytics.BehaviourQuery{Among: []int64{x.contact.num}, Now: x.reader.now, Zone: x.zone(x.ctx)}
	var paths []string
	err := eachPath(&r.Node, x.path, func(n *rule.Node, at string) error {
		if !n.Behaviour.Empty() {
			q.Leaves, paths = append(q.Leaves, n.Behaviour), append(paths, at)
		}
		return nil
	})
	store, ok := x.Behaviours.(analytics.Witness)
	if err != nil || len(paths) == 0 || !ok {
		return err
	}
	got, err := store.Evidence(x.ctx, q)
	if err == nil && len(got) != len(paths) {
		err = fmt.Errorf("%d conditions have %d answers", len(paths), len(got))
	}
	if err != nil {
		return fmt.Errorf("ask what a contact did: %w", err)
	}
	for i, at := range paths {
		if text, ok := got[i].Measure.(string); ok { // personal values are masked here too
			name := q.Leaves[i].Event.Property
			got[i].Measure = fmt.Sprint(plain(veil.Object(object1(name, text), false))[name])
		}
		x.did[at] = got[i]
	}
	return nil
}

// object1 is a JSON object with one text.
func object1(name, text string) json.RawMessage {
	b, _ := json.Marshal(map[string]string{name: text}) // texts are always JSON
	return b
}
