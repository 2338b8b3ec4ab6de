package autotag

import (
	"context"
	"fmt"
	"math"

	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

// check tells what is wrong with a definition of a tag before it is kept.
func (s *Service) check(ctx context.Context, tag string, d *Definition) error {
	switch d.Kind {
	case ByRule:
		switch {
		case d.Score != nil:
			return rule.Fault("score", "autotag.not_both")
		case d.Rule.Empty():
			return rule.Fault("rule", "autotag.rule_needed")
		}
		if err := s.Contacts.CheckRule(ctx, d.Rule, "rule"); err != nil {
			return err
		}
		return s.circles(ctx, tag, d.Rule)
	case ByScore:
		switch {
		case d.Rule != nil:
			return rule.Fault("rule", "autotag.not_both")
		case d.Keep:
			return rule.Fault("keep", "autotag.keep_is_for_rules")
		case d.Score == nil:
			return rule.Fault("score", "request.field_required")
		}
		return d.Score.check()
	}
	return rule.Fault("kind", "rule.not_a_value", "value", d.Kind)
}

// circles refuses a rule that asks, by way of whatever else follows from rules,
// whether a contact has the very tag: it might change its mind for ever.
func (s *Service) circles(ctx context.Context, tag string, r *rule.Rule) error {
	return s.Loops.Refuse(ctx, "rule", loops.Node{ID: loops.Tag(tag), Name: s.saidInLoops(ctx, tag), On: loops.On(r)})
}

// circlesNow is circles in the transaction that keeps the rule: nobody else changes
// one until it ends.
func (s *Service) circlesNow(ctx context.Context, tag string, d Definition) error {
	if d.Kind != ByRule {
		return nil
	}
	if err := loops.Hold(ctx, s.DB); err != nil {
		return err
	}
	return s.circles(ctx, tag, d.Rule)
}

// Rests implements loops.Source.
func (s *Service) Rests(ctx context.Context) ([]loops.Node, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []loops.Node
	for _, a := range all {
		if a.def.Kind == ByRule && !a.ending {
			out = append(out, loops.Node{ID: loops.Tag(a.tag), Name: s.saidInLoops(ctx, a.tag), On: loops.On(a.def.Rule)})
		}
	}
	return out, nil
}

func (s *Service) saidInLoops(ctx context.Context, tag string) string {
	name := tag
	if t, _, err := s.Contacts.TagNamed(ctx, tag); err == nil {
		name = t.Name
	}
	return httpx.Say(ctx, "loops.tag", map[string]any{"name": name})
}

func (s *Score) check() error {
	if len(s.Events) == 0 || len(s.Events) > maxEvents {
		return rule.Fault("score.events", "rule.out_of_range", "least", 1, "limit", maxEvents)
	}
	between := func(at string, v, least, most float64) error {
		if math.IsNaN(v) || v < least || v > most {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("score."+at, "autotag.number_between", "least", least, "limit", most))
		}
		return nil
	}
	for i, e := range s.Events {
		at := fmt.Sprintf("events[%d]", i)
		if err := rule.CheckFacts("score."+at, e.Name, e.Where); err != nil {
			return err
		}
		if err := between(at+".weight", e.Weight, 0.01, maxWeight); err != nil {
			return err
		}
	}
	if err := between("halfLife", float64(s.HalfLife), 1, maxHalfLife); err != nil {
		return err
	}
	if err := between("have", s.Have, 0.01, maxThreshold); err != nil {
		return err
	}
	if s.Lose != 0 {
		if err := between("lose", s.Lose, 0.001, maxThreshold); err != nil {
			return err
		}
		if s.Lose > s.Have*0.99 { // a score begins to fade at once: the tag would go with it
			return rule.Fault("score.lose", "autotag.lose_below_have")
		}
	}
	if s.Cap != 0 {
		if err := between("cap", s.Cap, 0.01, maxThreshold); err != nil {
			return err
		}
		if s.Cap < s.Have {
			return rule.Fault("score.cap", "autotag.cap_above_have")
		}
	}
	return nil
}
