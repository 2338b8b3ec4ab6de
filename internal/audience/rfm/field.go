package rfm

import (
	"context"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/numset"
)

// Fields are what lists, segments and rules ask of scores; the key is a model.
func (s *Service) Fields() map[string]contact.Field {
	return map[string]contact.Field{"rfm": groupField{s}, "tier": tierField{s}, "rfmScore": scoreField{s}, "rfmMove": moveField{s}}
}

// views lists a field once for each model.
func (s *Service) views(ctx context.Context, field string, options []contact.Option, typ string, ops []string) ([]contact.FieldView, error) {
	all, err := s.Models(ctx)
	if err != nil {
		return nil, err
	}
	var out []contact.FieldView
	for _, m := range all {
		label := httpx.Say(ctx, "contact.field."+field, nil)
		if len(all) > 1 {
			label += " · " + m.Name
		}
		out = append(out, contact.FieldView{Key: m.ID, Label: label, Group: "orders", Type: typ, Ops: ops, Options: options})
	}
	return out, nil
}

// among is everybody whose present scores fulfil a condition.
func (s *Service) among(ctx context.Context, model string, fits func(Scores) bool) (contact.Among, error) {
	m, err := s.Model(ctx, model)
	if err != nil {
		return contact.Among{}, err
	}
	r, err := s.scores(ctx, m, s.today(ctx))
	if err != nil {
		return contact.Among{}, err
	}
	return contact.Among{Set: r.set(fits)}, nil
}

type groupField struct{ s *Service }

// Views implements contact.Field.
func (f groupField) Views(ctx context.Context) ([]contact.FieldView, error) {
	var options []contact.Option
	for _, g := range Groups() {
		options = append(options, contact.Option{Value: g, Label: httpx.Say(ctx, "rfm.group."+g, nil)})
	}
	return f.s.views(ctx, "rfm", options, "", nil)
}

// Among implements contact.Field.
func (f groupField) Among(ctx context.Context, key, value string) (contact.Among, error) {
	return f.s.among(ctx, key, func(sc Scores) bool { return sc.Group() == value })
}

type tierField struct{ s *Service }

// Views implements contact.Field.
func (f tierField) Views(ctx context.Context) ([]contact.FieldView, error) {
	var options []contact.Option
	for _, t := range Tiers() {
		options = append(options, contact.Option{Value: t, Label: httpx.Say(ctx, "rfm.tier."+t, nil)})
	}
	return f.s.views(ctx, "tier", options, "", nil)
}

// Among implements contact.Field.
func (f tierField) Among(ctx context.Context, key, value string) (contact.Among, error) {
	return f.s.among(ctx, key, func(sc Scores) bool { return TierOf(sc.Group()) == value })
}

// scoreField is one score of R, F or M: "r5", "f1".
type scoreField struct{ s *Service }

// Views implements contact.Field.
func (f scoreField) Views(ctx context.Context) ([]contact.FieldView, error) {
	var options []contact.Option
	for _, axis := range []string{"r", "f", "m"} {
		for n := 5; n >= 1; n-- {
			options = append(options, contact.Option{Value: fmt.Sprint(axis, n), Label: fmt.Sprint(strings.ToUpper(axis), n)})
		}
	}
	return f.s.views(ctx, "rfmScore", options, "", nil)
}

// Among implements contact.Field.
func (f scoreField) Among(ctx context.Context, key, value string) (contact.Among, error) {
	n := int(value[len(value)-1] - '0')
	return f.s.among(ctx, key, func(sc Scores) bool {
		return map[byte]int{'r': sc.R, 'f': sc.F, 'm': sc.M}[value[0]] == n
	})
}

// moveField is who went from one group to another between two days, as
// Migration names them: 2026-05-01:2026-11-01:best:asleep.
type moveField struct{ s *Service }

// Views implements contact.Field.
func (f moveField) Views(ctx context.Context) ([]contact.FieldView, error) {
	return f.s.views(ctx, "rfmMove", nil, "text", []string{"is"})
}

// Among implements contact.Field; the field has no choices.
func (f moveField) Among(context.Context, string, string) (contact.Among, error) {
	return contact.Among{}, nil
}

// Compare implements contact.Comparer. What is no migration means nobody.
func (f moveField) Compare(ctx context.Context, c contact.Comparison) (contact.Among, error) {
	out := &numset.Set{}
	parts := strings.Split(strings.Join(c.Texts, ""), ":")
	if len(parts) != 4 {
		return contact.Among{Set: out}, nil
	}
	m, err := f.s.Model(ctx, c.Key)
	if err != nil {
		return contact.Among{}, err
	}
	from, to, err := f.s.dates(ctx, parts[0], parts[1])
	if err != nil {
		return contact.Among{Set: out}, nil // an old day is nobody, and no fault of the list
	}
	// The list narrows to the caller's scope itself.
	everybody := auth.With(ctx, auth.System("rfm"))
	_, err = f.s.passages(everybody, m, from, to, func(num int64, a, b string) bool {
		if a == parts[2] && b == parts[3] {
			out.Add(num)
		}
		return false
	})
	return contact.Among{Set: out}, err
}
