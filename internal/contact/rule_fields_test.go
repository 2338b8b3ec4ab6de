package contact

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// shelf is another package's field, with a key of every type.
type shelf struct {
	chosen   map[string]*numset.Set
	compared []Comparison
	scores   map[int64]int64
}

func (shelf) Views(context.Context) ([]FieldView, error) {
	options := []Option{{"a", "甲"}, {"b", "乙"}}
	return []FieldView{
		{Key: "", Label: "架子", Group: "work", Options: options, Ops: []string{"in", "notIn", "set", "notSet"}},
		{Key: "many", Label: "多个", Group: "work", Type: "multi", Options: options},
		{Key: "score", Label: "分数", Group: "work", Type: "number"},
		{Key: "since", Label: "起于", Group: "work", Type: "date"},
		{Key: "word", Label: "词", Group: "work", Type: "text"},
		{Key: "on", Label: "开", Group: "work", Type: "bool"},
	}, nil
}

func (s *shelf) Among(_ context.Context, _, value string) (Among, error) {
	return Among{Set: s.chosen[value]}, nil
}

func (s *shelf) Compare(_ context.Context, c Comparison) (Among, error) {
	s.compared = append(s.compared, c)
	a := Among{Set: &numset.Set{}}
	for num, score := range s.scores {
		if c.Key != "score" || c.Op == "set" || score >= c.Min && score <= c.Max {
			a.Set.Add(num)
		}
	}
	return a, nil
}

// Fields of other packages may be of any type and give sets of their own;
// numbers in them that were merged count as whom they are part of.
func TestFieldsOfOtherPackages(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		var nums []int64
		for _, id := range []string{"u1", "u2", "u3", "u4"} {
			nums = append(nums, p.who(event.Fact{UserID: id}).Contact)
		}
		lost := p.who(event.Fact{AnonymousID: "d"}).Contact
		into := p.who(event.Fact{UserID: "u4", AnonymousID: "d"}).Contact
		require.NotEqual(t, lost, into)
		s := &shelf{chosen: map[string]*numset.Set{"a": numset.Of(nums[0], nums[1]), "b": numset.Of(nums[1], lost)}, scores: map[int64]int64{nums[0]: 5, nums[2]: 9}}
		p.FilterBy("shelf", s)
		ask := func(key, op string, value any) []int64 {
			t.Helper()
			r := &rule.Rule{V: 1, Node: rule.Node{Field: "shelf", Key: key, Op: op, Value: value}}
			set, err := p.Matching(p.ctx, r, "rule", nil)
			require.NoError(t, err)
			within, err := p.Matching(p.ctx, r, "rule", []int64{nums[0], into, lost})
			require.NoError(t, err)
			require.Equal(t, slices.DeleteFunc(set.List(), func(n int64) bool { return n != nums[0] && n != into }), append([]int64{}, within.List()...))
			return append([]int64{}, set.List()...)
		}
		list := func(nums ...int64) []int64 { slices.Sort(nums); return append([]int64{}, nums...) }
		require.Equal(t, list(nums[0], nums[1]), ask("", "in", []any{"a"}))
		require.Equal(t, list(nums[1], into), ask("", "in", []any{"b"}))
		require.Equal(t, list(nums[0], nums[2]), ask("", "notIn", []any{"b"}))
		require.Equal(t, list(nums[0], nums[1], into), ask("", "set", nil))
		require.Equal(t, list(nums[2]), ask("", "notSet", nil))
		require.Equal(t, list(nums[1]), ask("many", "hasAllOf", []any{"a", "b"}))
		require.Equal(t, list(nums[2]), ask("many", "hasNoneOf", []any{"a", "b"}))
		require.Equal(t, list(nums[2]), ask("score", "gt", 5.0))
		require.Equal(t, list(nums[0]), ask("score", "lte", 5.0))
		require.Equal(t, list(nums[1], into), ask("score", "notSet", nil))
		require.Equal(t, list(nums[1], nums[2], into), ask("score", "isNot", 5.0))

		s.compared = nil
		for _, c := range []struct {
			key, op string
			value   any
		}{{"score", "lt", 3.0}, {"score", "between", []any{1.0, 2.0}}, {"since", "on", "2026-03-01"}, {"since", "olderThan", 2.0}, {"word", "notContains", "x"}, {"on", "is", true}} {
			_, err := p.Condition(p.ctx, &rule.Node{Field: "shelf", Key: c.key, Op: c.op, Value: c.value}, nil)
			require.NoError(t, err)
		}
		day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, china) }
		require.Equal(t, []Comparison{
			{Key: "score", Op: "between", Min: math.MinInt64, Max: 2}, {Key: "score", Op: "between", Min: 1, Max: 2},
			{Key: "since", Op: "between", From: day(2026, 3, 1), To: day(2026, 3, 2)}, {Key: "since", Op: "between", To: day(2026, 3, 1)},
			{Key: "word", Op: "contains", Texts: []string{"x"}}, {Key: "on", Op: "is", Flag: true},
		}, s.compared)
		require.ErrorContains(t, p.CheckRule(p.ctx, &rule.Rule{V: 1, Node: rule.Node{Field: "shelf", Op: "in", Value: []any{"z"}}}, "rule"), "rule.not_a_value")
		require.ErrorContains(t, p.CheckRule(p.ctx, &rule.Rule{V: 1, Node: rule.Node{Field: "shelf", Key: "score", Op: "contains", Value: "z"}}, "rule"), "rule.bad_op")
		require.ErrorContains(t, p.CheckRule(p.ctx, &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: "owner", Op: "is", Value: "me"}}}}, "rule"), "[rule.all[0].value: rule.no_me]")
	})
}

// Rules that are kept elsewhere follow what takes the place of a tag or an
// attribute, as far as it can answer for it.
func TestRulesFollowTerms(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for _, key := range []string{"level", "grade"} {
			_, err := p.CreateAttribute(p.ctx, attribute.Definition{Key: key, NameZh: key, Type: attribute.Enum, Indexed: true,
				Options: []attribute.Option{{ID: key + "_gold", Label: "金"}, {ID: key + "_only", Label: key}}})
			require.NoError(t, err)
		}
		made := func() *rule.Rule {
			return &rule.Rule{V: 1, Node: rule.Node{Any: []rule.Node{{Field: "tag", Op: "hasAnyOf", Value: []any{"t1", "t2"}},
				{All: []rule.Node{{Field: "attr", Key: "level", Op: "in", Value: []any{"level_gold"}}, {Field: "attr", Key: "level", Op: "in", Value: []any{"level_only"}}}}}}}
		}
		tag := func(id string) Term { return Term{Tag: &TagRef{ID: id}} }
		r := made()
		require.True(t, RefersTo(&r.Any[0], tag("t1")))
		require.False(t, RefersTo(&r.Any[0], tag("t3")))
		require.True(t, RefersTo(&r.Any[1].All[0], Term{Attribute: "level", Option: "level_gold"}))

		follow, err := p.Follower(p.ctx, tag("t1"), tag("t2"))
		require.NoError(t, err)
		require.True(t, follow(r))
		require.Equal(t, []string{"t2"}, r.Any[0].Texts(), "each once")
		require.False(t, follow(r), "nothing is left to follow")
		require.False(t, follow(&rule.Rule{V: 1}))

		follow, err = p.Follower(p.ctx, Term{Attribute: "level"}, Term{Attribute: "grade"})
		require.NoError(t, err)
		require.True(t, follow(r))
		require.Equal(t, "grade", r.Any[1].All[0].Key)
		require.Equal(t, []string{"grade_gold"}, r.Any[1].All[0].Texts())
		require.Equal(t, "level", r.Any[1].All[1].Key, "the other attribute cannot answer this")
	})
}
