package audience_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/rule"
)

// The page of a tag says which segments use it, and a segment follows a tag that
// is merged: it means the same people, and has no new version.
func TestSegmentsFollowTags(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tea, err := p.contacts.EnsureTag(p.ctx, "兴趣", "普洱茶")
		require.NoError(t, err)
		into, err := p.contacts.EnsureTag(p.ctx, "兴趣", "普洱")
		require.NoError(t, err)
		a, ida := p.person("甲", "", "杭州")
		p.person("乙", "", "杭州")
		_, err = p.contacts.SetTags(p.ctx, ida, []string{tea.ID}, nil)
		require.NoError(t, err)
		g := p.dynamic("爱普洱", &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: "tag", Op: "hasAnyOf", Value: []any{tea.ID}}}}})
		require.Equal(t, []int64{a}, p.members(p.ctx, g.ID))
		uses, err := p.contacts.Uses(p.ctx, contact.Term{Tag: &tea})
		require.NoError(t, err)
		require.Contains(t, uses, contact.Use{Kind: "segment", ID: g.ID, Name: "爱普洱", Link: "/segments/" + g.ID})

		run, err := p.contacts.MergeTags(p.ctx, tea.ID, into.ID)
		require.NoError(t, err)
		job, err := p.jobs.Wait(p.ctx, run.JobID)
		require.NoError(t, err)
		require.Equal(t, jobs.Succeeded, job.State, "%v", job.Error)
		g, err = p.Get(p.ctx, g.ID)
		require.NoError(t, err)
		require.Equal(t, []string{into.ID}, g.Rule.All[0].Texts())
		require.EqualValues(t, 1, g.Version)
		require.Equal(t, []int64{a}, p.members(p.ctx, p.settled(g).ID))
		require.Equal(t, audience.Ready, p.settled(g).Status)
	})
}

// A contact who is erased is in no segment, list or snapshot any more.
func TestErasedAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, ida := p.person("甲", "", "杭州")
		b, idb := p.person("乙", "", "杭州")
		list, dyn := p.static("名单", ida, idb), p.dynamic("杭州", inCity(t, "杭州"))
		x, err := p.Snap(p.ctx, list.ID, "")
		require.NoError(t, err)
		require.NoError(t, p.Forget(p.ctx, []int64{a}))
		for _, key := range []string{list.ID, dyn.ID, x.ID} {
			set, err := p.Sets.Load(p.ctx, key)
			require.NoError(t, err)
			require.Equal(t, []int64{b}, set.List())
		}
		for _, id := range []string{list.ID, dyn.ID} {
			g, err := p.Get(p.ctx, id)
			require.NoError(t, err)
			require.EqualValues(t, 1, g.Members)
		}
		var left int64
		require.NoError(t, p.db.QueryRow(p.ctx, "select count(*) from audience_sets where part = 0 and n = 2").Scan(&left))
		require.Zero(t, left, "nor in what an undo would bring back")
	})
}
