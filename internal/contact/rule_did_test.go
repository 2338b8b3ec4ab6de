package contact

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// memory stands in for the analytics store: facts of contacts as they are now.
type memory struct {
	facts map[int64][]rule.Fact
	asked []analytics.BehaviourQuery
}

// remember gives contacts a past, and the pond a store that knows it.
func remember(t *testing.T, p *pond, all []fish) *memory {
	m := &memory{facts: map[int64][]rule.Fact{}}
	r := rand.New(rand.NewPCG(5, 6))
	nums := make([]int64, len(all))
	for i := range all {
		nums[i] = all[i].num
	}
	into, err := p.Survivors(p.ctx, nums)
	require.NoError(t, err)
	for _, num := range nums {
		whose := num
		if n, ok := into[num]; ok {
			whose = n
		}
		for range r.IntN(9) {
			m.facts[whose] = append(m.facts[whose], anyFact(r))
		}
	}
	m.facts[9_999] = []rule.Fact{anyFact(r)} // removed here, not there yet
	for i := range all {
		did := m.facts[all[i].num]
		slices.SortStableFunc(did, func(a, b rule.Fact) int { return int(a.At - b.At) })
		all[i].did = did
	}
	p.Behaviours = m
	return m
}

var didNames = []string{"order.paid", "page.viewed", "signed"}

func anyFact(r *rand.Rand) rule.Fact {
	f := rule.Fact{Name: didNames[r.IntN(len(didNames))], At: start.Add(-time.Duration(r.IntN(40*24)) * time.Hour).UnixMilli()}
	switch r.IntN(4) {
	case 0:
		f.Properties = js(obj{"amount": r.IntN(5), "method": []string{"card", "cash", "卡"}[r.IntN(3)]})
	case 1:
		f.Properties = js(obj{"amount": fmt.Sprint(r.IntN(5)), "gift": r.IntN(2) == 0})
	case 2:
		f.Properties = js(obj{"amount": nil, "method": ""})
	}
	return f
}

func (m *memory) Behaviour(_ context.Context, q analytics.BehaviourQuery) ([]numset.Choice, error) {
	m.asked = append(m.asked, q)
	out := make([]numset.Choice, len(q.Leaves))
	for i := range q.Leaves {
		out[i] = numset.Choice{Set: &numset.Set{}, Rest: rule.Holds(&q.Leaves[i], nil, q.Now, q.Zone)}
		for num, facts := range m.facts {
			asked := q.Among == nil
			if !asked {
				_, asked = slices.BinarySearch(q.Among, num)
			} else if q.Share > 1 {
				asked = analytics.InShare(num, q.Share)
			}
			if holds := rule.Holds(&q.Leaves[i], facts, q.Now, q.Zone); asked && holds != out[i].Rest || !asked && num%2 == 0 { // of others it says anything
				out[i].Set.Add(num)
			}
		}
	}
	return out, nil
}

func (m *memory) Evidence(_ context.Context, q analytics.BehaviourQuery) ([]rule.Evidence, error) {
	var out []rule.Evidence
	for i := range q.Leaves {
		out = append(out, rule.Look(&q.Leaves[i], m.facts[q.Among[0]], q.Now, q.Zone))
	}
	return out, nil
}

// anyBehaviour makes a random condition on behaviour.
func anyBehaviour(r *rand.Rand) rule.Behaviour {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	window := func() *rule.Window {
		switch r.IntN(4) {
		case 0:
			return nil
		case 1:
			return &rule.Window{From: start.AddDate(0, 0, -1-r.IntN(30)).Format(time.DateOnly), To: start.AddDate(0, 0, -r.IntN(2)).Format(time.DateOnly)}
		}
		return &rule.Window{Last: 1 + r.IntN(20), Unit: pick("minute", "hour", "day", "day", "week", "month")}
	}
	where := func() []rule.Where {
		switch r.IntN(4) {
		case 0:
			return []rule.Where{{Property: "amount", Op: pick("gte", "lt", "is", "isNot"), Value: float64(r.IntN(5))}}
		case 1:
			return []rule.Where{{Property: "method", Op: pick("in", "notIn"), Value: []any{"card", "卡"}}, {Property: "gift", Op: pick("set", "notSet")}}
		}
		return nil
	}
	number := func(op string) any {
		if n := float64(r.IntN(5)); op == "between" {
			return []any{n, n + float64(r.IntN(3))}
		} else {
			return n
		}
	}
	ops := []string{"gte", "gt", "lte", "lt", "is", "isNot", "between"}
	switch r.IntN(8) {
	case 0:
		s := &rule.Sequence{Within: window()}
		for range 2 + r.IntN(2) {
			s.Steps = append(s.Steps, rule.Step{Name: pick(didNames...), Where: where()})
		}
		if r.IntN(2) == 0 {
			s.Gap = &rule.Span{N: 1 + r.IntN(10), Unit: pick("hour", "day", "week")}
		}
		return rule.Behaviour{Sequence: s}
	case 1:
		h := &rule.Habit{Kind: pick("regularly", "stopped", "resumed"), Name: pick(didNames...), Where: where()}
		switch h.Kind {
		case "regularly":
			h.Unit, h.Periods = pick("day", "week", "month"), 2+r.IntN(5)
			h.AtLeast = 1 + r.IntN(h.Periods)
		case "stopped":
			h.Active, h.Quiet, h.Times = 5+r.IntN(20), 1+r.IntN(10), r.IntN(3)
		case "resumed":
			h.Active, h.Quiet = 5+r.IntN(20), 1+r.IntN(10)
		}
		return rule.Behaviour{Habit: h}
	}
	e := &rule.Event{Name: pick(didNames...), Where: where(), Within: window()}
	switch e.Measure = pick("", "count", "count", "sum", "avg", "min", "max", "distinct", "first", "last", "firstTime"); e.Measure {
	case "":
	case "count", "distinct", "sum", "avg", "min", "max":
		e.Op = ops[r.IntN(len(ops))]
		e.Value = number(e.Op)
		if e.Measure != "count" {
			e.Property = "amount"
		}
	case "first", "last":
		e.Property, e.Op, e.Value = "method", pick("is", "isNot", "contains"), pick("card", "cash", "卡")
	case "firstTime":
		if e.Within == nil {
			e.Within = &rule.Window{Last: 5, Unit: "day"}
		}
	}
	return rule.Behaviour{Event: e}
}

// The three ways to answer a rule mean one thing: the set of all, the set within
// some, and the verdict on one with its evidence; and so do estimates.
func TestWaysToAnswerARuleAgree(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tags, all := stock(t, p, 120)
		m := remember(t, p, all)
		today := time.Date(2026, 3, 2, 0, 0, 0, 0, china)
		seed := uint64(time.Now().UnixNano())
		t.Log("seed", seed)
		r := rand.New(rand.NewPCG(seed, 2))
		moved, err := p.Survivors(p.ctx, seq(1, int64(len(all))))
		require.NoError(t, err)
		met := map[bool]int{}
		for range 600 {
			made := anyRule(r, tags)
			text := string(made.JSON())
			want := []int64{}
			for i := range all {
				if f := &all[i]; f.shown == 1 && moved[f.num] == 0 && holds(&made.Node, f, today, "us_1") {
					want = append(want, f.num)
				}
			}
			before := len(m.asked)
			got, err := p.Matching(p.ctx, made, "rule", nil)
			require.NoError(t, err, text)
			require.Equal(t, want, append([]int64{}, got.List()...), text)
			require.LessOrEqual(t, len(m.asked)-before, 1, "behaviour is asked with one question: %s", text)

			var within, wanted []int64
			for _, f := range all {
				if r.IntN(3) == 0 {
					within = append(within, f.num)
					if slices.Contains(want, f.num) {
						wanted = append(wanted, f.num)
					}
				}
			}
			before = len(m.asked)
			got, err = p.Matching(p.ctx, made, "rule", within)
			require.NoError(t, err, text)
			require.Equal(t, wanted, got.List(), text)
			require.LessOrEqual(t, len(m.asked)-before, 1)

			whole, err := p.Condition(p.ctx, &made.Node, nil)
			require.NoError(t, err, text)
			some, err := p.Condition(p.ctx, &made.Node, within)
			require.NoError(t, err, text)
			for _, f := range all {
				if f.shown == 1 && moved[f.num] == 0 {
					require.Equal(t, slices.Contains(want, f.num), whole.Has(f.num), text)
					if slices.Contains(within, f.num) {
						require.Equal(t, slices.Contains(want, f.num), some.Has(f.num), text)
					}
				}
			}

			e, err := p.Estimate(p.ctx, made, "rule", false)
			require.NoError(t, err, text)
			require.EqualValues(t, len(want), e.Count, text)
			require.Len(t, e.Sample, min(len(want), sampleSize))
			for _, row := range e.Sample {
				require.Contains(t, want, row.num)
			}

			one := &all[r.IntN(len(all))]
			if one.shown != 1 || moved[one.num] != 0 {
				continue
			}
			brief, err := p.Describe(p.ctx, []int64{one.num})
			require.NoError(t, err)
			x, err := p.Explain(p.ctx, made, "rule", brief[one.num].ID)
			require.NoError(t, err, text)
			require.Equal(t, slices.Contains(want, one.num), x.Holds, text)
			met[x.Holds]++
			require.NoError(t, eachVerdict(&made.Node, x.Rule, func(n *rule.Node, v Verdict) error {
				require.Equal(t, holds(n, one, today, "us_1"), v.Holds, "%s of %s", v.Path, text)
				require.NotEmpty(t, v.Sentence)
				return nil
			}))
		}
		require.Greater(t, met[true], 60)
		require.Greater(t, met[false], 60)
	})
}

// Work on many does not ask for behaviour with every batch, and yet sees within
// seconds who is not meant any more.
func TestWalksAskForBehaviourOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		_, all := stock(t, p, 120)
		m := remember(t, p, all)
		read, err := rule.Parse(`{"v":1,"any":[{"event":{"name":"order.paid"}},{"event":{"name":"signed","op":"is","value":0}}]}`, "where")
		require.NoError(t, err)
		sel := Selection{Query: Query{Where: read}}
		n, err := p.Count(p.ctx, sel)
		require.NoError(t, err)
		require.Greater(t, n, int64(50))
		m.asked = nil
		seen := int64(0)
		for after := int64(0); ; {
			nums, err := p.Walk(p.ctx, sel, after, 5)
			require.NoError(t, err)
			if len(nums) == 0 {
				break
			}
			after, seen = nums[len(nums)-1], seen+int64(len(nums))
		}
		require.Equal(t, n, seen)
		require.Len(t, m.asked, 1)
		first, err := p.Walk(p.ctx, sel, 0, 1)
		require.NoError(t, err)
		later, err := p.Walk(p.ctx, sel, first[0], 1)
		require.NoError(t, err)
		m.facts[later[0]] = []rule.Fact{{Name: "signed", At: start.UnixMilli()}}
		p.clock.Advance(walkSetAge + time.Second)
		now, err := p.Walk(p.ctx, sel, first[0], 1)
		require.NoError(t, err)
		require.NotEqual(t, later, now)
	})
}

// A rule that leaves few by its other conditions asks for the behaviour of those.
func TestBehaviourIsAskedOfFew(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tags, all := stock(t, p, 120)
		m := remember(t, p, all)
		for text, few := range map[string]bool{
			`{"v":1,"all":[{"event":{"name":"order.paid"}},{"all":[{"field":"tag","op":"hasAnyOf","value":["` + tags[0] + `"]},{"field":"orders","op":"gte","value":1}]}]}`: true,
			`{"v":1,"any":[{"event":{"name":"order.paid"}},{"field":"orders","op":"gte","value":1}]}`:                                                                       false,
		} {
			read, err := rule.Parse(text, "where")
			require.NoError(t, err)
			m.asked = nil
			_, err = p.Matching(p.ctx, read, "where", nil)
			require.NoError(t, err)
			require.Len(t, m.asked, 1)
			require.Equal(t, few, m.asked[0].Among != nil, text)
		}
		read, err := rule.Parse(`{"v":1,"all":[{"event":{"name":"order.paid"}},{"field":"name","op":"is","value":"nobody at all"}]}`, "where")
		require.NoError(t, err)
		m.asked = nil
		got, err := p.Matching(p.ctx, read, "where", nil)
		require.NoError(t, err)
		require.Zero(t, got.Count())
		require.Empty(t, m.asked, "nobody is left to be asked about")
	})
}

// Without a store that knows behaviour, conditions on it are refused by name.
func TestBehaviourWithoutAStore(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		read, err := rule.Parse(`{"v":1,"all":[{"event":{"name":"order.paid"}}]}`, "where")
		require.NoError(t, err)
		_, err = p.List(p.ctx, Query{Where: read})
		var e *errs.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "where.all[0] rule.no_behaviour", e.Fields[0].Path+" "+e.Fields[0].Code)
	})
}

// Random groups are even, the same every time, and have nothing to do with each other.
func TestRandomGroupsAreEven(t *testing.T) {
	const people, groups = 200_000, 20
	var counts [2][groups]int
	both := 0
	a, b := bucketSeed("spring"), bucketSeed("summer")
	for num := int64(1); num <= people; num++ {
		x, y := bucketOf(a, num), bucketOf(b, num)
		require.Less(t, x, uint64(bucketSteps))
		counts[0][x*groups/bucketSteps]++
		counts[1][y*groups/bucketSteps]++
		if x < bucketSteps/10 && y < bucketSteps/10 {
			both++
		}
	}
	for _, c := range counts {
		chi := 0.0
		for _, n := range c {
			d := float64(n) - people/groups
			chi += d * d / (people / groups)
		}
		require.Less(t, chi, 43.8, "chi square of 19 degrees, 99.9%%") // numbers and salts are fixed: it never fails by chance
	}
	require.InDelta(t, people/100, both, 150)
	require.Equal(t, []uint64{3151, 7048, 7897}, []uint64{bucketOf(a, 1), bucketOf(a, 2), bucketOf(a, 1_000_000)}, "experiments that run must not be shuffled")
}

// eachVerdict goes through a rule and what was said of it.
func eachVerdict(n *rule.Node, v Verdict, fn func(n *rule.Node, v Verdict) error) error {
	kind, parts := n.Parts()
	if kind != "" && (v.Kind != kind || len(v.Parts) != len(parts)) || kind == "" && v.Kind != "condition" {
		return fmt.Errorf("%s has another shape than the rule", v.Path)
	}
	for i := range parts {
		if err := eachVerdict(&parts[i], v.Parts[i], fn); err != nil {
			return err
		}
	}
	return fn(n, v)
}
