package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

// maxEvidence is how many facts of a contact are looked at to say what was
// counted. The verdict itself is the analytics store's, of all facts.
const (
	maxEvidence  = 20_000
	evidenceStep = 2_000
)

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
	x := &explainer{Service: s, ctx: ctx, contact: &c, path: path, leaves: map[string]expr{}}
	f := &filter{kind: "shown = 1"}
	if c.Kind == event.Visitor {
		f.kind = "shown = 2"
	}
	compiler := s.compiler(ctx, f)
	all := &group{kind: "all"}
	err = eachPath(&r.Node, path, func(n *rule.Node, at string) error {
		e, err := compiler.node(n, at)
		x.leaves[at] = e
		all.parts = append(all.parts, e)
		return err
	})
	if err != nil {
		return Explained{}, err
	}
	x.reader, x.self = s.setReader(ctx, f.kind), numset.Of(c.num)
	if asked := behavioursIn(all, nil); len(asked) > 0 {
		if err := x.reader.ask(asked, x.self); err != nil {
			return Explained{}, err
		}
		if x.facts, err = s.factsOf(ctx, c.num, r); err != nil {
			return Explained{}, err
		}
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
	facts   []rule.Fact
	masked  []rule.Fact // as the caller may see them
	speaker *speaker
}

func (x *explainer) node(n *rule.Node, path string) (Verdict, error) {
	v := Verdict{Path: path, Kind: "condition", Sentence: x.speaker.node(n, true)}
	kind, parts := n.Parts()
	if kind == "" {
		got, err := x.reader.find(x.leaves[path], x.self)
		if err != nil {
			return v, err
		}
		v.Holds = got.Has(x.contact.num)
		if !n.Behaviour.Empty() {
			ev := x.look(&n.Behaviour, v.Holds)
			v.Has = x.speaker.evidence(&n.Behaviour, ev)
			for _, at := range ev.Times {
				v.At = append(v.At, clock.FromMs(at))
			}
			return v, nil
		}
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

// look finds the evidence for a verdict among the facts as the caller may see
// them: who sees personal values masked must not find them out by what was
// counted. Where a condition holds for a value in full, which the store answers
// and which is paced, the facts as they are say so; what they show stays veiled.
func (x *explainer) look(b *rule.Behaviour, holds bool) rule.Evidence {
	if x.masked == nil {
		x.masked = make([]rule.Fact, len(x.facts))
		for i, f := range x.facts {
			f.Properties = veil.Object(f.Properties, false)
			x.masked[i] = f
		}
	}
	zone := x.zone(x.ctx)
	ev := rule.Look(b, x.masked, x.reader.now, zone)
	if ev.Holds != holds {
		if plain := rule.Look(b, x.facts, x.reader.now, zone); plain.Holds == holds {
			ev = plain
		}
	}
	if text, ok := ev.Measure.(string); ok && b.Event != nil {
		ev.Measure = firstWord(veiled(quoteProperty(b.Event.Property, text)), b.Event.Property)
	}
	return ev
}

// quoteProperty is an object with one property.
func quoteProperty(name, text string) json.RawMessage {
	b, _ := json.Marshal(map[string]string{name: text}) // texts are always JSON
	return b
}

// factsOf reads the facts of a contact that a rule looks at, oldest first: the
// newest, when there are more than anybody reads.
func (s *Service) factsOf(ctx context.Context, num int64, r *rule.Rule) ([]rule.Fact, error) {
	if s.Timeline == nil {
		return nil, nil
	}
	q := analytics.TimelineQuery{Limit: evidenceStep}
	q.Contact = num
	r.Each(func(n *rule.Node) { q.Events = append(q.Events, n.Names()...) })
	slices.Sort(q.Events)
	q.Events = slices.Compact(q.Events)
	var out []rule.Fact
	for len(out) < maxEvidence {
		rows, err := s.Timeline.Timeline(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read what a contact did: %w", err)
		}
		for i := range rows {
			out = append(out, rule.Fact{Name: rows[i].Name, At: rows[i].Timestamp, Properties: rows[i].Properties})
		}
		if len(rows) < evidenceStep {
			break
		}
		end := rows[len(rows)-1]
		q.Before = &analytics.TimelineCursor{Timestamp: end.Timestamp, Position: end.Position}
	}
	slices.Reverse(out)
	return out, nil
}
