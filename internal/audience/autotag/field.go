package autotag

import (
	"context"
	"math"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// FieldName is the field by which lists speak of what tags weigh.
const FieldName = "tagWeight"

// field filters contacts by what a tag weighs just now. Weights are compared by
// their whole points: between 2 and 4 is from 2 up to just below 5. A contact
// without a weight has 0.
type field struct{ s *Service }

// Field is the weight of a tag as a condition.
func (s *Service) Field() contact.Field { return field{s} }

// Views implements contact.Field: one key for each tag that has weights.
func (f field) Views(ctx context.Context) ([]contact.FieldView, error) {
	all, err := f.s.all(ctx)
	if err != nil {
		return nil, err
	}
	var tags []string
	for _, a := range all {
		if a.serves() {
			tags = append(tags, a.tag)
		}
	}
	models, err := f.s.modelTags(ctx)
	if err != nil {
		return nil, err
	}
	var out []contact.FieldView
	for _, tag := range append(tags, models...) {
		t, _, err := f.s.Contacts.TagNamed(ctx, tag)
		if err != nil { // deleted meanwhile
			continue
		}
		out = append(out, contact.FieldView{Key: tag, Type: "number", Group: "activity", Ops: []string{"gte", "lt", "between"},
			Label: httpx.Say(ctx, "contact.field.tagWeight", map[string]any{"tag": t.Name})})
	}
	return out, nil
}

// Among implements contact.Field; no key is a choice.
func (f field) Among(context.Context, string, string) (contact.Among, error) {
	return contact.Among{}, nil
}

// Compare implements contact.Comparer. A score is at least x now when the time at
// which it will have faded to one is late enough: one range of an index.
func (f field) Compare(ctx context.Context, c contact.Comparison) (contact.Among, error) {
	least, most := float64(c.Min), float64(c.Max)+1
	if c.Min == math.MinInt64 {
		least = 0
	}
	if c.Max == math.MaxInt64 {
		most = math.Inf(1)
	}
	a, err := f.s.get(ctx, c.Key)
	if err != nil {
		return contact.Among{}, err
	}
	weighs := modelWeighs(c.Key)
	if a != nil && a.serves() {
		weighs = a.weighs(f.s.Clock.Now())
	}
	switch {
	case most <= 0:
		return contact.Among{Nums: []int64{}}, nil
	case least <= 0:
		return contact.Among{None: []contact.Among{weighs(most)}}, nil
	case math.IsInf(most, 1):
		return weighs(least), nil
	}
	return contact.Among{All: []contact.Among{weighs(least), {None: []contact.Among{weighs(most)}}}}, nil
}

// weighs gives the contacts whose score is at least so much, more than 0.
func (a *automation) weighs(now time.Time) func(least float64) contact.Among {
	sc := a.active.Score
	return func(least float64) contact.Among {
		if math.IsInf(least, 1) || sc.Cap > 0 && least > sc.Cap {
			return contact.Among{Nums: []int64{}}
		}
		one := float64(now.UnixMilli()) + float64(sc.half().Milliseconds())*math.Log2(least)
		return contact.Among{Loose: true, Query: "select contact as n from tag_scores where sums = cast($1 as bigint) and one_at >= cast($2 as bigint)",
			Args: []any{a.sums, int64(math.Ceil(one))}}
	}
}

// modelWeighs is the same for tags whose weight a model gave.
func modelWeighs(tag string) func(least float64) contact.Among {
	return func(least float64) contact.Among {
		if math.IsInf(least, 1) {
			return contact.Among{Nums: []int64{}}
		}
		return contact.Among{Loose: true, Query: "select contact as n from tag_model_weights where tag = $1 and weight >= cast($2 as double precision)", Args: []any{tag, least}}
	}
}
