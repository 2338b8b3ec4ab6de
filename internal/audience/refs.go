package audience

import (
	"context"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

// Field is the name of the condition on being in a segment.
const Field = "segment"

// segmentsIn lists the segments that a rule rests on.
func segmentsIn(r *rule.Rule) []string {
	var out []string
	if r == nil {
		return nil
	}
	r.Each(func(n *rule.Node) {
		if n.Field != Field {
			return
		}
		for _, id := range n.Texts() {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	})
	return out
}

// checkNesting refuses rules that rest on themselves, by way of whatever else
// follows from rules, and towers of segments.
func (s *Service) checkNesting(ctx context.Context, id string, r *rule.Rule) error {
	node := loops.Node{ID: loops.Segment(id), Name: "…", On: loops.On(r)}
	if g, err := s.get(ctx, id); err == nil { // a new one has no name yet
		node.Name = httpx.Say(ctx, "loops.segment", map[string]any{"name": g.name})
	}
	if err := s.Loops.Refuse(ctx, "rule", node); err != nil {
		return err
	}
	if len(segmentsIn(r)) == 0 {
		return nil
	}
	all, err := s.all(ctx)
	if err != nil {
		return err
	}
	below := map[string][]string{}
	for _, g := range all {
		below[g.id] = segmentsIn(g.rule)
	}
	below[id] = segmentsIn(r)
	above := map[string][]string{}
	for up, list := range below {
		for _, b := range list {
			above[b] = append(above[b], up)
		}
	}
	if down, up := heights(below)(id), heights(above)(id); down+up-1 > maxNesting {
		return rule.Fault("rule", "audience.too_nested", "limit", maxNesting)
	}
	return nil
}

// checkNestingNow is checkNesting in the transaction that keeps the rule: nobody
// else changes one until it ends.
func (s *Service) checkNestingNow(ctx context.Context, id string, r *rule.Rule) error {
	if err := loops.Hold(ctx, s.DB); err != nil {
		return err
	}
	return s.checkNesting(ctx, id, r)
}

// Rests implements loops.Source.
func (s *Service) Rests(ctx context.Context) ([]loops.Node, error) {
	all, err := s.all(ctx)
	out := make([]loops.Node, len(all))
	for i, g := range all {
		out[i] = loops.Node{ID: loops.Segment(g.id), Name: httpx.Say(ctx, "loops.segment", map[string]any{"name": g.name}), On: loops.On(g.rule)}
	}
	return out, err
}

// heights gives a function that tells how many segments stand on each other
// with one and beyond it, as next says. A circle, which somebody who saves at the
// same time may make until the last check refuses it, ends where it began.
func heights(next map[string][]string) func(id string) int {
	known := map[string]int{}
	var of func(id string) int
	of = func(id string) int {
		if h, ok := known[id]; ok {
			return h
		}
		known[id] = 0 // while it is looked at
		most := 0
		for _, n := range next[id] {
			most = max(most, of(n))
		}
		known[id] = most + 1
		return most + 1
	}
	return of
}

// Referrer is a part of the program that refers to segments: journeys, tags,
// stages. Uses lists the places that refer to one, as the caller may see them.
type Referrer interface {
	SegmentUses(ctx context.Context, id string) ([]contact.Use, error)
}

// Refer registers a part that refers to segments. Call it while wiring.
func (s *Service) Refer(r Referrer) { s.referrers = append(s.referrers, r) }

// Asks gives a test that finds the conditions which ask for being in a segment.
func Asks(id string) func(n *rule.Node) bool {
	return func(n *rule.Node) bool { return n.Field == Field && slices.Contains(n.Texts(), id) }
}

// Uses lists where a segment is used.
func (s *Service) Uses(ctx context.Context, id string) ([]contact.Use, error) {
	if _, err := s.get(ctx, id); err != nil {
		return nil, err
	}
	out := []contact.Use{}
	for _, r := range s.referrers {
		uses, err := r.SegmentUses(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("find uses of a segment: %w", err)
		}
		out = append(out, uses...)
	}
	return out, nil
}

// ownReferrer lists the segments and views that rest on a segment.
type ownReferrer struct{ s *Service }

// SegmentUses implements Referrer.
func (o ownReferrer) SegmentUses(ctx context.Context, id string) ([]contact.Use, error) {
	all, err := o.s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []contact.Use
	for _, g := range all {
		if g.archived == 0 && slices.Contains(segmentsIn(g.rule), id) {
			out = append(out, contact.Use{Kind: "segment", ID: g.id, Name: g.name, Link: "/segments/" + g.id})
		}
	}
	views, err := o.s.Contacts.ViewsWith(ctx, Asks(id))
	return append(out, views...), err
}

func refersTo(r *rule.Rule, of contact.Term) (found bool) {
	if !r.Empty() {
		r.Each(func(n *rule.Node) { found = found || contact.RefersTo(n, of) })
	}
	return found
}

// Terms makes segments follow tags and attributes: their pages say which
// segments use them, and a rule follows a tag that was merged.
func (s *Service) Terms() contact.Referrer { return terms{s} }

type terms struct{ s *Service }

// Uses implements contact.Referrer.
func (t terms) Uses(ctx context.Context, of contact.Term) ([]contact.Use, error) {
	all, err := t.s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []contact.Use
	for _, g := range all {
		if refersTo(g.rule, of) {
			out = append(out, contact.Use{Kind: "segment", ID: g.id, Name: g.name, Link: "/segments/" + g.id})
		}
	}
	return out, nil
}

// Moved implements contact.Referrer. A rule that follows means the same people:
// it makes no new version.
func (t terms) Moved(ctx context.Context, from contact.Term, into *contact.Term) error {
	if into == nil {
		return nil
	}
	all, err := t.s.all(ctx)
	if err != nil {
		return err
	}
	follow, err := t.s.Contacts.Follower(ctx, from, *into)
	if err != nil {
		return err
	}
	for _, g := range all {
		if !follow(g.rule) {
			continue
		}
		text, err := t.s.sealRule(ruleField, g.rule)
		if err != nil {
			return err
		}
		if _, err := t.s.DB.Exec(ctx, "update segments set rule = $2 where id = $1", g.id, text); err != nil {
			return fmt.Errorf("follow in segment: %w", err)
		}
		if err := t.s.work(ctx, g); err != nil {
			return err
		}
	}
	return nil
}
