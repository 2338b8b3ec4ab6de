package contact

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/rule"
)

// desks: us_1 and us_2 are in the department dp_a, us_9 has left.
type desks struct{}

func (desks) Left(context.Context) ([]string, error) { return []string{"us_9"}, nil }
func (desks) Below(_ context.Context, ids []string) ([]string, error) {
	if slices.Contains(ids, "dp_a") {
		return []string{"us_1", "us_2"}, nil
	}
	return nil, nil
}
func (desks) DepartmentPaths(context.Context) ([][2]string, error) {
	return [][2]string{{"dp_a", "华东"}, {"dp_b", "华东 / 杭州"}}, nil
}

func (p *pond) named(name string) (id string, num int64) {
	p.t.Helper()
	c, err := p.Create(p.ctx, NewContact{Name: name})
	require.NoError(p.t, err)
	num, err = p.NumOf(p.ctx, c.ID)
	require.NoError(p.t, err)
	return c.ID, num
}

func (p *pond) own(id, owner string) {
	p.t.Helper()
	_, err := p.Update(p.ctx, id, Change{OwnerID: &owner})
	require.NoError(p.t, err)
}

func TestOwnersAreKept(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		id, num := p.named("甲")
		p.own(id, "us_2")
		p.own(id, "us_2")
		p.clock.Advance(time.Hour)
		done, err := p.Assign(p.ctx, []OwnerMove{{num, "us_2", "us_3"}, {num, "us_2", "us_4"}}, OwnerReason{OwnedMoved, "离职交接"})
		require.NoError(t, err)
		require.Equal(t, []OwnerMove{{num, "us_2", "us_3"}}, done, "the second comes too late")
		p.own(id, "")
		list, err := p.OwnersOf(p.ctx, id)
		require.NoError(t, err)
		require.Len(t, list, 3, "the same again is no change")
		require.Nil(t, list[0].Owner)
		require.Equal(t, []any{"us_3", OwnedMoved, "离职交接", "王芳"}, []any{list[1].Owner.ID, list[1].How, list[1].Why, list[1].By.Name})
		require.Equal(t, []any{"us_2", OwnedEdited}, []any{list[2].Owner.ID, list[2].How})
		require.Equal(t, start, list[2].From.UTC())
		changed := 0
		for _, name := range p.emit.names() {
			if name == event.NameOwnerChanged {
				changed++
			}
		}
		require.Equal(t, 3, changed, "each is a fact, also on the profile")
		require.Zero(t, one[int64](p, "select owner_touch_at from contacts where num = $1", num))
	})
}

// The owners of both are told of after a merge, those of one after its undo; when
// the owner was in touch is the later word, and everybody's own after the undo.
func TestOwnersFollowMerges(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		touch := func(num int64) int64 { return one[int64](p, "select owner_touch_at from contacts where num = $1", num) }
		a, na := p.named("甲")
		b, nb := p.named("甲")
		c, nc := p.named("甲")
		p.own(a, "us_2")
		p.clock.Advance(time.Hour)
		p.own(b, "us_2")
		p.clock.Advance(time.Hour)
		m, err := p.MergeByHand(p.ctx, a, b, "同一人")
		require.NoError(t, err)
		require.Equal(t, start.Add(time.Hour).UnixMilli(), touch(na))
		list, err := p.OwnersOf(p.ctx, a)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.True(t, list[0].Merged)
		require.False(t, list[1].Merged)

		// One without owner takes that of the merged one, and gives it back.
		p.clock.Advance(time.Hour)
		m2, err := p.MergeByHand(p.ctx, c, a, "同一人")
		require.NoError(t, err)
		require.Equal(t, start.Add(time.Hour).UnixMilli(), touch(nc))
		require.Equal(t, "us_2", one[string](p, "select owner_id from contacts where num = $1", nc))
		_, err = p.UndoMerge(p.ctx, m2.ID, "")
		require.NoError(t, err)
		require.Zero(t, touch(nc))
		require.NotZero(t, touch(na))
		_, err = p.UndoMerge(p.ctx, m.ID, "")
		require.NoError(t, err)
		require.Equal(t, start.Add(time.Hour).UnixMilli(), touch(nb))
		list, err = p.OwnersOf(p.ctx, a)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}

func TestFiltersOfWork(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.Staff = desks{}
		owned := map[string]string{}
		for _, o := range []string{"us_1", "us_2", "us_3", "us_9", ""} {
			id, _ := p.named("甲" + o)
			owned[o] = id
			if o != "" {
				p.own(id, o)
			}
		}
		count := func(field, op string, value any) int64 {
			n, err := p.Count(p.ctx, Selection{Query: Query{Where: &rule.Rule{V: 1, Node: rule.Node{Field: field, Op: op, Value: value}}}})
			require.NoError(t, err)
			return n
		}
		require.EqualValues(t, 2, count("department", "in", []any{"dp_a"}))
		require.EqualValues(t, 3, count("department", "notIn", []any{"dp_a"}))
		require.EqualValues(t, 0, count("department", "in", []any{"dp_b"}))
		require.EqualValues(t, 1, count("owner", "in", []any{"left"}))
		require.EqualValues(t, 2, count("owner", "in", []any{"left", "me"}))
		_, err := p.Count(p.ctx, Selection{Query: Query{Where: &rule.Rule{V: 1, Node: rule.Node{Field: "department", Op: "in", Value: []any{"dp_no"}}}}})
		require.Error(t, err)

		for department, want := range map[string]int{"dp_a": 2, "dp_b": 0} {
			page, err := p.List(p.ctx, Query{Department: department})
			require.NoError(t, err)
			require.Len(t, page.Items, want)
			require.EqualValues(t, want, page.Total)
		}
		_, err = p.List(p.ctx, Query{Department: "dp_no"})
		require.Equal(t, "department", errs.As(err).Fields[0].Path)

		require.EqualValues(t, 0, count("ownerTouch", "olderThan", float64(30)))
		p.clock.Advance(29 * 24 * time.Hour)
		_, err = p.AddNote(p.ctx, owned["us_1"], "电话聊过")
		require.NoError(t, err)
		_, err = p.AddNote(p.ctx, owned["us_2"], "不是负责人写的")
		require.NoError(t, err)
		p.clock.Advance(24 * time.Hour)
		require.EqualValues(t, 3, count("ownerTouch", "olderThan", float64(30)), "us_1 wrote, nobody's has no owner")
		require.EqualValues(t, 1, count("ownerTouch", "notSet", nil))
		left, err := p.LeftAlone(p.ctx, time.UnixMilli(0), p.clock.Now().Add(-29*24*time.Hour))
		require.NoError(t, err)
		require.Equal(t, map[string]int64{"us_2": 1, "us_3": 1, "us_9": 1}, left)
		got, err := p.OwnedCounts(p.ctx, []string{"us_9", "us_4"})
		require.NoError(t, err)
		require.Equal(t, map[string]int64{"us_9": 1}, got)
	})
}
