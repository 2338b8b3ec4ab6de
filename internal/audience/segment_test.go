package audience_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestDynamicSegment(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, _ := p.person("王一", "us_a", "杭州")
		b, idb := p.person("王二", "us_b", "杭州")
		c, idc := p.person("王三", "us_a", "上海")
		g := p.dynamic("杭州客户", inCity(t, "杭州"))
		require.Equal(t, audience.Ready, g.Status)
		require.EqualValues(t, 2, g.Members)
		require.NotEmpty(t, g.Sentence)
		require.Equal(t, []int64{a, b}, p.members(p.ctx, g.ID))
		mine := testkit.Scoped(t.Context(), "user_ops", false, "us_a")
		require.Equal(t, []int64{a}, p.members(mine, g.ID))
		seen, err := p.Get(mine, g.ID)
		require.NoError(t, err)
		require.EqualValues(t, 1, seen.Members)

		// A new definition: history tells what it did, no fact is stated.
		r := inCity(t, "上海")
		g, err = p.Update(p.ctx, g.ID, audience.Change{Rule: r})
		require.NoError(t, err)
		require.EqualValues(t, 2, g.Version)
		g = p.settled(g)
		require.Equal(t, []int64{c}, p.members(p.ctx, g.ID))
		h, _, err := p.History(p.ctx, g.ID, 0)
		require.NoError(t, err)
		require.Len(t, h, 2)
		require.Equal(t, "defined", h[0].Action)
		require.EqualValues(t, []int64{1, 2, 1}, []int64{*h[0].Came, *h[0].Went, *h[0].Size})
		require.EqualValues(t, []int64{2, 0, 2}, []int64{*h[1].Came, *h[1].Went, *h[1].Size})
		require.Empty(t, p.emit.segments())
		h, _, err = p.History(mine, g.ID, 0)
		require.NoError(t, err)
		require.Nil(t, h[0].Came, "counts speak of others' customers")
		require.Equal(t, []string{"segment.created", "segment.updated"}, p.audit.actions[len(p.audit.actions)-2:])

		x, err := p.StandingOf(p.ctx, g.ID, idc)
		require.NoError(t, err)
		require.True(t, x.Member && x.Why.Holds)
		x, err = p.StandingOf(p.ctx, g.ID, idb)
		require.NoError(t, err)
		require.False(t, x.Member || x.Why.Holds)
		_, err = p.StandingOf(mine, g.ID, idb)
		require.Equal(t, "contact.not_found", codeOf(err), "others' customers are nobody")
	})
}
