package audience

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// EventWord is an event that customers do, and what it is called.
type EventWord struct{ Name, Title string }

const (
	typicalDays  = 30   // of events
	mostEvents   = 60   // that a comparison looks at, the commonest
	mostTypical  = 200  // traits in an answer
	significance = 0.01 // of a comparison as a whole
)

// Comparison is what is typical of the people of a segment.
type Comparison struct {
	Segment contact.Ref  `json:"segment"`
	With    *contact.Ref `json:"with,omitempty" doc:"The segment it is compared with; none: everybody who is not in it"`
	Inside  int64        `json:"inside" doc:"People of the segment"`
	Outside int64        `json:"outside" doc:"People it is compared with"`
	TooFew  bool         `json:"tooFew,omitempty" doc:"One of both has fewer than 20 people: nothing can be said"`
	Items   []Typical    `json:"items" doc:"The surest first"`
	Tested  int          `json:"tested" doc:"How many traits were looked at"`
}

// Typical is a trait that is more, or less, common among the people of a segment.
type Typical struct {
	Group        string     `json:"group" enum:"tag,channel,gender,city,stage,pool,tier,attribute,event"`
	Of           string     `json:"of" doc:"What it is a value of: the tag's group, the attribute"`
	Label        string     `json:"label"`
	Inside       int64      `json:"inside" doc:"How many of the segment have it"`
	Outside      int64      `json:"outside" doc:"How many of the others have it"`
	ShareInside  float64    `json:"shareInside"`
	ShareOutside float64    `json:"shareOutside"`
	Lift         *float64   `json:"lift,omitempty" doc:"shareInside / shareOutside; left out when none of the others has it"`
	More         bool       `json:"more" doc:"More common in the segment than outside"`
	Score        float64    `json:"score" doc:"G², the log-likelihood ratio of both shares being one (Dunning 1993); the higher the surer"`
	P            float64    `json:"p" doc:"How likely a score this high is by chance, times the number of traits tested (Bonferroni)"`
	Significant  bool       `json:"significant" doc:"p is below 0.01"`
	Rule         *rule.Rule `json:"rule" doc:"The people of the segment who have it"`
}

// loglikelihood is G² of a two by two table: a of n have something, and b of m.
// It is 2·Σ observed·ln(observed/expected), see Dunning, "Accurate methods for the
// statistics of surprise and coincidence", 1993: unlike χ² it may be trusted where
// few have it. p is the chance of a value this high with one degree of freedom.
func loglikelihood(a, n, b, m int64) (g2, p float64) {
	all, have := float64(n+m), float64(a+b)
	if all == 0 {
		return 0, 1
	}
	cell := func(seen, row, column float64) float64 {
		if seen == 0 {
			return 0
		}
		return seen * math.Log(seen*all/(row*column))
	}
	in, out, lack := float64(n), float64(m), all-have
	g2 = 2 * (cell(float64(a), in, have) + cell(float64(n-a), in, lack) + cell(float64(b), out, have) + cell(float64(m-b), out, lack))
	g2 = max(0, g2)
	return g2, math.Erfc(math.Sqrt(g2 / 2))
}

// Compare finds what is typical of the people of a segment: against everybody
// else or, given another segment, against its people. It speaks of people whom
// the caller may see, and of traits that at least twenty of them have.
func (s *Service) Compare(ctx context.Context, id, with string) (Comparison, error) {
	ids := []string{id}
	if with != "" {
		if with == id {
			return Comparison{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("with", "audience.same_segment"))
		}
		ids = append(ids, with)
	}
	if _, err := s.get(ctx, id); err != nil {
		return Comparison{}, err
	}
	list, sets, crowd, err := s.manyOf(ctx, "with", ids)
	if err != nil {
		return Comparison{}, err
	}
	out := Comparison{Segment: contact.Ref{ID: list[0].id, Name: list[0].name}, Items: []Typical{}}
	people, err := crowd.People()
	if err != nil {
		return out, err
	}
	in, others := sets[0], (*numset.Set)(nil)
	in.And(people)
	if with == "" {
		others = people.Clone()
		others.AndNot(in)
	} else {
		others = sets[1]
		others.And(people)
		out.With = &contact.Ref{ID: list[1].id, Name: list[1].name}
	}
	out.Inside, out.Outside = in.Count(), others.Count()
	if out.TooFew = out.Inside < leastTypical || out.Outside < leastTypical; out.TooFew {
		return out, nil
	}
	add := func(t contact.Trait, who *numset.Set) error {
		x := Typical{Group: t.Group, Of: t.Of, Label: t.Label, Inside: common(in, who), Outside: common(others, who)}
		if max(x.Inside, x.Outside) < leastTypical {
			return nil
		}
		x.ShareInside, x.ShareOutside = float64(x.Inside)/float64(out.Inside), float64(x.Outside)/float64(out.Outside)
		x.More = x.ShareInside > x.ShareOutside
		if x.More && x.Inside < leastTypical || !x.More && x.Outside < leastTypical {
			return nil
		}
		if x.Outside > 0 {
			lift := x.ShareInside / x.ShareOutside
			x.Lift = &lift
		}
		x.Score, x.P = loglikelihood(x.Inside, out.Inside, x.Outside, out.Outside)
		x.Rule = &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: Field, Op: "in", Value: []any{id}}, t.Node}}}
		out.Items = append(out.Items, x)
		return nil
	}
	if err := s.Contacts.EachTrait(ctx, leastTypical, add); err != nil {
		return out, err
	}
	if err := s.eachEvent(ctx, people, add); err != nil {
		return out, err
	}
	out.Tested = len(out.Items)
	for i := range out.Items {
		x := &out.Items[i]
		x.P = min(1, x.P*float64(out.Tested))
		x.Significant = x.P < significance
	}
	slices.SortStableFunc(out.Items, func(a, b Typical) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	out.Items = out.Items[:min(len(out.Items), mostTypical)]
	return out, nil
}

// eachEvent visits what customers did in the last thirty days: all of it is one
// question to the analytics store.
func (s *Service) eachEvent(ctx context.Context, people *numset.Set, visit func(t contact.Trait, who *numset.Set) error) error {
	if s.Behaviours == nil || s.Events == nil {
		return nil
	}
	events, err := s.Events(ctx)
	if err != nil {
		return fmt.Errorf("list events: %w", err)
	}
	events = events[:min(len(events), mostEvents)]
	if len(events) == 0 {
		return nil
	}
	leaves := make([]rule.Behaviour, len(events))
	for i, e := range events {
		leaves[i] = rule.Behaviour{Event: &rule.Event{Name: e.Name, Within: &rule.Window{Last: typicalDays, Unit: "day"}}}
	}
	did, err := s.Behaviours.Behaviour(ctx, analytics.BehaviourQuery{Leaves: leaves, Now: s.Clock.Now(), Zone: s.zone(ctx)})
	if err != nil {
		return fmt.Errorf("ask what people did: %w", err)
	}
	of := httpx.Say(ctx, "audience.done_lately", map[string]any{"days": typicalDays})
	for i, c := range did {
		who := c.Set
		if c.Rest {
			who = people.Clone()
			who.AndNot(c.Set)
		}
		if err := visit(contact.Trait{Group: "event", Of: of, Label: events[i].Title, Node: rule.Node{Behaviour: leaves[i]}}, who); err != nil {
			return err
		}
	}
	return nil
}

// common counts the numbers that two sets share.
func common(a, b *numset.Set) (n int64) {
	for i := range min(a.Words(), b.Words()) {
		n += int64(bits.OnesCount64(a.Word(i) & b.Word(i)))
	}
	return n
}
