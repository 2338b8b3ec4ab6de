package audience_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

func inside(ids ...string) *rule.Rule {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: audience.Field, Op: "in", Value: list}}}}
}

func TestSegmentsOnSegments(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, _ := p.person("甲", "", "杭州")
		p.person("乙", "", "上海")
		var last *audience.Segment
		var all []*audience.Segment
		for i := range 5 {
			r := inCity(t, "杭州")
			if last != nil {
				r = inside(last.ID)
			}
			last = p.dynamic(fmt.Sprint("层", i), r)
			all = append(all, last)
		}
		require.Equal(t, []int64{a}, p.members(p.ctx, last.ID))
		_, err := p.Create(p.ctx, audience.Definition{Name: "太高", Kind: audience.Dynamic, Rule: inside(last.ID)})
		require.Equal(t, "request.invalid rule:audience.too_nested", codeOf(err))
		_, err = p.Update(p.ctx, all[0].ID, audience.Change{Rule: inside(all[2].ID)})
		require.Equal(t, "request.invalid rule:audience.circle", codeOf(err))
		require.ErrorContains(t, err, "circle")
		other := p.dynamic("另", inCity(t, "上海"))
		_, err = p.Update(p.ctx, all[0].ID, audience.Change{Rule: inside(other.ID)})
		require.Equal(t, "request.invalid rule:audience.too_nested", codeOf(err), "those above count as well")
		_, err = p.Create(p.ctx, audience.Definition{Name: "没有", Kind: audience.Dynamic, Rule: inside("sg_none")})
		require.ErrorContains(t, err, "rule.all[0].value")

		uses, err := p.Uses(p.ctx, all[0].ID)
		require.NoError(t, err)
		require.Equal(t, []contact.Use{{Kind: "segment", ID: all[1].ID, Name: "层1", Link: "/segments/" + all[1].ID}}, uses)
		_, err = p.Archive(p.ctx, all[0].ID, false)
		require.Equal(t, "audience.in_use", codeOf(err))
		g, err := p.Archive(p.ctx, all[0].ID, true)
		require.NoError(t, err)
		require.Equal(t, audience.Archived, g.Status)
		require.Equal(t, []int64{a}, p.members(p.ctx, all[1].ID), "what rests on it keeps its members")
		_, err = p.Update(p.ctx, all[0].ID, audience.Change{Rule: inCity(t, "上海")})
		require.Equal(t, "audience.archived", codeOf(err))
		items, _, err := p.List(p.ctx, audience.Query{})
		require.NoError(t, err)
		require.Len(t, items, 5)
		items, _, err = p.List(p.ctx, audience.Query{Archived: true, Text: "层"})
		require.NoError(t, err)
		require.Len(t, items, 1)
		g, err = p.Restore(p.ctx, all[0].ID)
		require.NoError(t, err)
		require.Equal(t, audience.Ready, p.settled(g).Status)
	})
}

func TestNamesOfSegments(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		g := p.static(" 老  客户 ")
		require.Equal(t, "老 客户", g.Name)
		_, err := p.Create(p.ctx, audience.Definition{Name: "老 客户", Kind: audience.Static})
		require.Equal(t, "audience.name_taken name:audience.name_taken", codeOf(err))
		_, err = p.Create(p.ctx, audience.Definition{Name: "  ", Kind: audience.Static})
		require.Equal(t, "request.invalid name:request.field_required", codeOf(err))
		_, err = p.Create(p.ctx, audience.Definition{Name: "x", Kind: audience.Static, Rule: inCity(t, "杭州")})
		require.Equal(t, "request.invalid rule:audience.static_has_no_rule", codeOf(err))
		_, err = p.Create(p.ctx, audience.Definition{Name: "x", Kind: audience.Dynamic})
		require.Equal(t, "request.invalid rule:request.field_required", codeOf(err))
		_, err = p.Create(p.ctx, audience.Definition{Name: "x", Kind: audience.Dynamic, Rule: parse(t, `{"v":1,"all":[{"field":"owner","op":"in","value":["me"]}]}`)})
		require.ErrorContains(t, err, "no_me")
		name, owner, note, folder := "13800001234 的名单", "us_2", "说明", "活动"
		g, err = p.Update(p.ctx, g.ID, audience.Change{Name: &name, OwnerID: &owner, Note: &note, Folder: &folder})
		require.NoError(t, err)
		require.Equal(t, "138****1234 的名单", g.Name, "numbers in names are masked")
		require.Equal(t, &contact.Ref{ID: "us_2", Name: "李娜"}, g.Owner)
		h, _, err := p.History(p.ctx, g.ID, 0)
		require.NoError(t, err)
		require.Equal(t, &audience.EventDetail{Name: g.Name, Was: "老 客户"}, h[0].Detail)
		nobody := "us_9"
		_, err = p.Update(p.ctx, g.ID, audience.Change{OwnerID: &nobody})
		require.Equal(t, "request.invalid ownerId:contact.no_such_user", codeOf(err))
	})
}

func TestSnapshots(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, ida := p.person("甲", "us_a", "杭州")
		b, idb := p.person("乙", "us_b", "杭州")
		c, idc := p.person("丙", "us_a", "杭州")
		g := p.static("名单", ida, idb)
		x, err := p.Snap(p.ctx, g.ID, "双十一前")
		require.NoError(t, err)
		require.EqualValues(t, 2, x.Size)
		_, _, err = p.ChangeMembers(p.ctx, g.ID, contact.Selection{IDs: []string{idb}}, true)
		require.NoError(t, err)
		_, _, err = p.ChangeMembers(p.ctx, g.ID, contact.Selection{IDs: []string{idc}}, false)
		require.NoError(t, err)
		d, err := p.Diff(p.ctx, g.ID, x.ID, "")
		require.NoError(t, err)
		require.Equal(t, audience.SnapshotDiff{Then: 2, Now: 2, Came: 1, Left: 1, Stayed: 1}, d)
		for part, want := range map[string]int64{"came": c, "left": b, "stayed": a} {
			set, err := p.SnapshotPeople(p.ctx, g.ID, x.ID, "", part)
			require.NoError(t, err)
			require.Equal(t, []int64{want}, set.List(), part)
		}
		mine := testkit.Scoped(t.Context(), "user_ops", false, "us_a")
		d, err = p.Diff(mine, g.ID, x.ID, "")
		require.NoError(t, err)
		require.Equal(t, audience.SnapshotDiff{Then: 1, Now: 2, Came: 1, Stayed: 1}, d)

		// By a schedule: at the company's midnight, the newest two are kept.
		g, err = p.SetSchedule(p.ctx, g.ID, &audience.Schedule{Every: "day", Keep: 2})
		require.NoError(t, err)
		require.Equal(t, time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC), *g.Schedule.Next)
		require.NoError(t, p.MakeDueSnapshots(p.ctx))
		list, err := p.Snapshots(p.ctx, g.ID)
		require.NoError(t, err)
		require.Len(t, list, 1, "it is not midnight yet")
		for range 4 {
			p.clock.Advance(24 * time.Hour)
			require.NoError(t, p.MakeDueSnapshots(p.ctx))
			require.NoError(t, p.MakeDueSnapshots(p.ctx))
		}
		list, err = p.Snapshots(p.ctx, g.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"day", "day", ""}, []string{list[0].Every, list[1].Every, list[2].Every}, "one made by hand stays")
		require.NoError(t, p.DropSnapshot(p.ctx, g.ID, x.ID))
		_, err = p.Diff(p.ctx, g.ID, x.ID, "")
		require.Equal(t, "audience.no_such_snapshot", codeOf(err))
		n, err := p.Sets.Count(p.ctx, x.ID)
		require.NoError(t, err)
		require.Zero(t, n)
		_, err = p.SetSchedule(p.ctx, g.ID, nil)
		require.NoError(t, err)
	})
}

func TestOverlap(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		var ids []string
		for i := range 8 {
			_, id := p.person(fmt.Sprint("客", i), []string{"us_a", "us_b"}[i%2], "杭州")
			ids = append(ids, id)
		}
		a, b, c := p.static("一", ids[:4]...), p.static("二", ids[2:6]...), p.static("三", ids[3:8]...)
		o, err := p.Overlap(p.ctx, []string{a.ID, b.ID, c.ID})
		require.NoError(t, err)
		require.EqualValues(t, 8, o.Any)
		require.EqualValues(t, 1, o.Every)
		require.Len(t, o.Areas, 7)
		sum := int64(0)
		for _, area := range o.Areas {
			sum += area.Count
			require.Len(t, p.found(p.ctx, area.Rule), int(area.Count), "%v", area)
		}
		require.Equal(t, o.Any, sum)
		require.EqualValues(t, []int64{2, 0, 2}, []int64{o.Segments[0].Only, o.Segments[1].Only, o.Segments[2].Only})
		mine := testkit.Scoped(t.Context(), "user_ops", false, "us_a")
		o, err = p.Overlap(mine, []string{a.ID, b.ID})
		require.NoError(t, err)
		require.EqualValues(t, 3, o.Any)
		_, err = p.Overlap(p.ctx, []string{a.ID, a.ID})
		require.Equal(t, "request.invalid ids:audience.overlap_some", codeOf(err))
		_, err = p.Overlap(p.ctx, []string{a.ID, "sg_none"})
		require.Equal(t, "request.invalid ids:audience.no_such_segment", codeOf(err))
	})
}

func TestCompare(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		var hangzhou []string
		for i := range 100 { // of 50 in the list 40 live in Hangzhou, of the other 50 ten
			city, owner := "上海", "us_b"
			if i < 40 || i >= 90 {
				city = "杭州"
			}
			if i%2 == 0 {
				owner = "us_a"
			}
			_, id := p.person(fmt.Sprint("客", i), owner, city)
			if i < 50 {
				hangzhou = append(hangzhou, id)
			}
		}
		g := p.static("名单", hangzhou...)
		c, err := p.Compare(p.ctx, g.ID, "")
		require.NoError(t, err)
		require.EqualValues(t, []int64{50, 50}, []int64{c.Inside, c.Outside})
		at := -1
		for i, x := range c.Items {
			if x.Group == "city" && x.Label == "杭州" {
				at = i
			}
		}
		require.GreaterOrEqual(t, at, 0, "%v", c.Items)
		x := c.Items[at]
		require.EqualValues(t, []int64{40, 10}, []int64{x.Inside, x.Outside})
		require.InDelta(t, 4, *x.Lift, 1e-9)
		require.True(t, x.More && x.Significant)
		// By hand: 2·(40·ln(40/25) + 10·ln(10/25) + 10·ln(10/25) + 40·ln(40/25)).
		require.InDelta(t, 4*(40*math.Log(1.6)+10*math.Log(0.4)), x.Score, 1e-9)
		require.Len(t, p.found(p.ctx, x.Rule), 40)
		for _, y := range c.Items {
			require.GreaterOrEqual(t, max(y.Inside, y.Outside), int64(20), "%v", y)
		}
		// Whoever sees few people is told of those.
		mine := testkit.Scoped(t.Context(), "user_ops", false, "us_a")
		c, err = p.Compare(mine, g.ID, "")
		require.NoError(t, err)
		require.EqualValues(t, []int64{25, 25}, []int64{c.Inside, c.Outside})
		few := p.static("几个", hangzhou[:3]...)
		c, err = p.Compare(p.ctx, few.ID, g.ID)
		require.NoError(t, err)
		require.True(t, c.TooFew)
		require.Empty(t, c.Items)
		_, err = p.Compare(p.ctx, g.ID, g.ID)
		require.Equal(t, "request.invalid with:audience.same_segment", codeOf(err))
	})
}
