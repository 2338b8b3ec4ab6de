package audience_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// told is an engine whose truths are written down.
type told struct {
	in                 map[string][]int64
	partOf             map[int64]int64
	unready            bool
	changed, refreshed int
	problem            error
}

func (e *told) Holds(key string, n int64) bool { return numset.Of(e.in[key]...).Has(n) }
func (e *told) Set(key string) *numset.Set     { return numset.Of(e.in[key]...) }
func (e *told) Known(key string) bool          { return e.in[key] != nil }
func (e *told) CameOf(int64) int64             { return 0 }
func (e *told) PartOf(n int64) int64 {
	if into, ok := e.partOf[n]; ok {
		return into
	}
	return n
}
func (e *told) Problem(string, string) error          { return e.problem }
func (e *told) Refresh(...string)                     { e.refreshed++ }
func (e *told) Changed(string)                        { e.changed++ }
func (e *told) Status(string, string) (bool, float64) { return !e.unready, 0.5 }

func TestSegmentsFollowTheEngine(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		e := &told{in: map[string][]int64{}}
		p.Follow(e)
		own := p.Owner()
		apply := func(nums []int64, c live.Cause) []string {
			t.Helper()
			require.NoError(t, p.db.Tx(p.ctx, func(ctx context.Context) error { return own.Apply(ctx, e, nums, c) }))
			return p.emit.segments()
		}
		var nums []int64
		var ida string
		for i := range 6 {
			n, id := p.person(fmt.Sprint("客", i), "", "杭州")
			ida = id
			nums = append(nums, n)
		}
		p.emit.segments()
		g, err := p.Create(p.ctx, audience.Definition{Name: "杭州", Kind: audience.Dynamic, Rule: inCity(t, "杭州")})
		require.NoError(t, err)
		require.Equal(t, 1, e.changed)
		require.Equal(t, audience.Working, g.Status)
		require.EqualValues(t, 0.5, g.Progress)
		require.Equal(t, nums, p.members(p.ctx, g.ID), "before it is worked out it does not pass for empty")
		rules, err := own.Rules(p.ctx)
		require.NoError(t, err)
		require.Len(t, rules, 1)
		require.Equal(t, g.ID, rules[0].Key)

		// Nothing is known yet: nothing is kept. Then the definition is worked out, without a fact.
		require.Empty(t, apply(nums, live.Cause{Reason: live.ReasonFact, Live: true}))
		e.in[g.ID] = nums[:3]
		require.Empty(t, apply(nil, live.Cause{Reason: live.ReasonDefinition, Keys: []string{g.ID}}))
		g, err = p.Get(p.ctx, g.ID)
		require.NoError(t, err)
		require.Equal(t, audience.Ready, g.Status)
		require.EqualValues(t, 3, g.Members)
		h, _, err := p.History(p.ctx, g.ID, 0)
		require.NoError(t, err)
		require.EqualValues(t, 3, *h[0].Came)

		// Facts: each told once, whoever is told twice.
		e.in[g.ID] = []int64{nums[1], nums[2], nums[3]}
		want := []string{fmt.Sprint("left ", nums[0], " fact true"), fmt.Sprint("entered ", nums[3], " fact true")}
		require.Equal(t, want, apply(nums, live.Cause{Reason: live.ReasonFact, Live: true}))
		require.Empty(t, apply(nums, live.Cause{Reason: live.ReasonFact, Live: true}))
		e.in[g.ID] = []int64{nums[1], nums[2], nums[3], nums[4]}
		require.Equal(t, []string{fmt.Sprint("entered ", nums[4], " fact false")}, apply([]int64{nums[4]}, live.Cause{Reason: live.ReasonFact}), "an old fact")

		// What is rolled back is told again.
		e.in[g.ID] = nums[1:4]
		err = p.db.Tx(p.ctx, func(ctx context.Context) error {
			require.NoError(t, own.Apply(ctx, e, nums, live.Cause{Reason: live.ReasonLapse, Live: true}))
			return errors.New("cut off")
		})
		require.ErrorContains(t, err, "cut off")
		p.emit.segments()
		require.Equal(t, []string{fmt.Sprint("left ", nums[4], " lapse true")}, apply(nil, live.Cause{Reason: live.ReasonLapse, Live: true}))

		// A merge carries membership along: whoever was in did not enter.
		e.partOf = map[int64]int64{nums[1]: nums[5]}
		e.in[g.ID] = []int64{nums[2], nums[3], nums[5]}
		require.Empty(t, apply([]int64{nums[1], nums[5]}, live.Cause{Reason: live.ReasonMerge, Live: true}))
		require.Equal(t, []int64{nums[2], nums[3], nums[5]}, p.members(p.ctx, g.ID))

		// The first start states nothing, a later one does.
		e.in[g.ID] = []int64{nums[2], nums[5]}
		require.Empty(t, apply(nil, live.Cause{Reason: live.ReasonStart}))
		e.in[g.ID] = []int64{nums[2], nums[4], nums[5]}
		require.Equal(t, []string{fmt.Sprint("entered ", nums[4], " start true")}, apply(nil, live.Cause{Reason: live.ReasonStart, Live: true}))

		g, err = p.Get(p.ctx, g.ID)
		require.NoError(t, err)
		require.EqualValues(t, 3, g.Members)
		grown, err := p.Growth(p.ctx, g.ID, 30)
		require.NoError(t, err)
		require.Equal(t, []audience.Day{{Day: "2026-03-02", Size: 3, Entered: 3, Left: 2}}, grown.Days)

		// A new definition: the old members serve until the engine has it.
		e.unready = true
		g, err = p.Update(p.ctx, g.ID, audience.Change{Rule: inCity(t, "上海")})
		require.NoError(t, err)
		require.Equal(t, audience.Working, g.Status)
		require.EqualValues(t, 3, g.Members)
		e.in[g.ID] = []int64{nums[2], nums[4]} // by the old rule still
		require.Equal(t, []string{fmt.Sprint("left ", nums[5], " fact true")}, apply(nums, live.Cause{Reason: live.ReasonFact, Live: true}))
		_, err = own.Rules(p.ctx)
		require.NoError(t, err)
		e.unready, e.in[g.ID] = false, []int64{}
		require.Empty(t, apply(nil, live.Cause{Reason: live.ReasonDefinition, Keys: []string{g.ID}}))
		h, _, err = p.History(p.ctx, g.ID, 0)
		require.NoError(t, err)
		require.Equal(t, "defined", h[0].Action)
		require.EqualValues(t, []int64{0, 2, 0}, []int64{*h[0].Came, *h[0].Went, *h[0].Size})

		e.problem = rule.Fault("rule.all[0].value", "rule.not_a_value", "value", "上海")
		g, err = p.Get(p.ctx, g.ID)
		require.NoError(t, err)
		require.Equal(t, audience.Failed, g.Status)
		require.NotEmpty(t, g.Fault)
		e.problem = nil
		_, err = p.Recount(p.ctx, g.ID)
		require.Equal(t, "audience.kept_live", codeOf(err), "a count on the side would swallow facts")

		require.Positive(t, e.refreshed)
		e.refreshed = 0
		p.static("名单", ida)
		require.Equal(t, 1, e.refreshed, "what rests on a list is asked anew")

		// Put away: not asked any more, and nobody comes or goes.
		_, err = p.Archive(p.ctx, g.ID, false)
		require.NoError(t, err)
		rules, err = own.Rules(p.ctx)
		require.NoError(t, err)
		require.Empty(t, rules)
		e.in[g.ID] = nums
		require.Empty(t, apply(nums, live.Cause{Reason: live.ReasonFact, Live: true}))
	})
}

// Segments that are made one after another: that the engine is told of the next
// does not keep the one before from being ready.
func TestSegmentsMadeInARow(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n, _ := p.person("甲", "", "杭州")
		e := &told{in: map[string][]int64{}}
		p.Follow(e)
		own := p.Owner()
		make := func(name string) *audience.Segment {
			g, err := p.Create(p.ctx, audience.Definition{Name: name, Kind: audience.Dynamic, Rule: inCity(t, "杭州")})
			require.NoError(t, err)
			return g
		}
		a := make("一")
		_, err := own.Rules(p.ctx)
		require.NoError(t, err)
		make("二")
		e.unready = true // it has heard of the second one and not read it yet
		e.in[a.ID] = []int64{n}
		require.NoError(t, own.Apply(p.ctx, e, nil, live.Cause{Reason: live.ReasonDefinition, Keys: []string{a.ID}}))
		g, err := p.Get(p.ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, audience.Ready, g.Status)

		// There and back before the engine looks: it has nothing to tell.
		_, err = p.Update(p.ctx, a.ID, audience.Change{Rule: inCity(t, "上海")})
		require.NoError(t, err)
		_, err = p.Update(p.ctx, a.ID, audience.Change{Rule: inCity(t, "杭州")})
		require.NoError(t, err)
		require.NoError(t, p.SettleReady(p.ctx))
		g, err = p.Get(p.ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, audience.Working, g.Status)
		_, err = own.Rules(p.ctx)
		require.NoError(t, err)
		require.NoError(t, p.SettleReady(p.ctx))
		g, err = p.Get(p.ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, audience.Working, g.Status, "the engine says that it is not ready")
		e.unready = false
		require.NoError(t, p.SettleReady(p.ctx))
		g, err = p.Get(p.ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, audience.Ready, g.Status)
		require.EqualValues(t, 1, g.Members)
		h, _, err := p.History(p.ctx, a.ID, 0)
		require.NoError(t, err)
		require.EqualValues(t, []int64{0, 0, 1}, []int64{*h[0].Came, *h[0].Went, *h[0].Size})
	})
}

// Many segments and many people in one telling: one answer for each.
func TestManySegmentsAreToldAtOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		e := &told{in: map[string][]int64{}}
		p.Follow(e)
		own := p.Owner()
		var ids []string
		for i := range 30 {
			g, err := p.Create(p.ctx, audience.Definition{Name: fmt.Sprint("第", i), Kind: audience.Dynamic, Rule: inCity(t, "杭州")})
			require.NoError(t, err)
			ids, e.in[g.ID] = append(ids, g.ID), []int64{}
		}
		_, err := own.Rules(p.ctx)
		require.NoError(t, err)
		require.NoError(t, own.Apply(p.ctx, e, nil, live.Cause{Reason: live.ReasonDefinition}))
		nums := make([]int64, 1500)
		for i := range nums {
			nums[i] = int64(i * 37)
			e.in[ids[i%30]] = append(e.in[ids[i%30]], nums[i])
		}
		require.NoError(t, p.db.Tx(p.ctx, func(ctx context.Context) error {
			return own.Apply(ctx, e, nums, live.Cause{Reason: live.ReasonFact, Live: true})
		}))
		require.Len(t, p.emit.segments(), 1500)
		for i, id := range ids {
			set, err := p.Sets.Load(p.ctx, id)
			require.NoError(t, err)
			require.Equal(t, e.in[id], set.List(), "segment %d", i)
		}
	})
}
