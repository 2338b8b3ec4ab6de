package machine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/rule"
)

// A stage whose rule asks for a tag stands on the tag's page, and follows the tag
// when it is merged: nobody moves, and there is no new version.
func TestStagesFollowTags(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tea, err := p.contacts.EnsureTag(p.ctx, "兴趣", "普洱茶")
		require.NoError(t, err)
		into, err := p.contacts.EnsureTag(p.ctx, "兴趣", "普洱")
		require.NoError(t, err)
		p.begin()
		num, id := p.person("13800000001", 10, 1, -1, 0)
		_, err = p.contacts.SetTags(p.ctx, id, []string{tea.ID}, nil)
		require.NoError(t, err)
		states := []State{
			{ID: "tea", Name: Words{ZH: "爱茶"}, Color: "#112233", Rule: &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: "tag", Op: "hasAnyOf", Value: []any{tea.ID}}}}}},
			{ID: "others", Name: Words{ZH: "其他"}, Color: "#332211"},
		}
		_, err = p.Save(p.ctx, Lifecycle, 1, states)
		require.NoError(t, err)
		p.work()
		p.told.moves(t)
		require.Equal(t, "tea", p.in(Lifecycle, num))
		uses, err := p.Terms().Uses(p.ctx, contact.Term{Tag: &tea})
		require.NoError(t, err)
		require.Equal(t, []contact.Use{{Kind: base(Lifecycle), ID: "tea", Name: "爱茶", Link: "/lifecycle"}}, uses)

		// One more definition waits to be worked: it follows too.
		states[1].Name.ZH = "别的"
		_, err = p.Save(p.ctx, Lifecycle, 2, states)
		require.NoError(t, err)
		merge := func(ctx context.Context) error {
			return p.Terms().Moved(ctx, contact.Term{Tag: &tea}, &contact.Term{Tag: &into})
		}
		require.NoError(t, p.DB.Tx(p.ctx, merge))
		require.NoError(t, p.DB.Tx(p.ctx, merge), "told twice, it is the same")
		for _, which := range []func(context.Context, string) (*Definition, error){p.newest, p.inForce} {
			d, err := which(p.ctx, Lifecycle)
			require.NoError(t, err)
			require.Equal(t, []string{into.ID}, d.States[0].Rule.All[0].Texts())
		}
		_, err = p.contacts.SetTags(p.ctx, id, []string{into.ID}, []string{tea.ID})
		require.NoError(t, err)
		p.work()
		p.tick()
		require.Equal(t, "tea", p.in(Lifecycle, num))
		require.Empty(t, p.told.moves(t))
		d, err := p.newest(p.ctx, Lifecycle)
		require.NoError(t, err)
		require.EqualValues(t, 3, d.Version)
		uses, err = p.Terms().Uses(p.ctx, contact.Term{Tag: &tea})
		require.NoError(t, err)
		require.Empty(t, uses)

		require.NoError(t, p.Terms().Moved(p.ctx, contact.Term{Tag: &into}, nil), "a deleted tag leaves rules alone: they hold for nobody")
	})
}
