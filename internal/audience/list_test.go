package audience_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func codeOf(err error) string {
	e := errs.As(err)
	if e == nil {
		return ""
	}
	out := e.Code
	for _, f := range e.Fields {
		out += " " + f.Path + ":" + f.Code
	}
	return out
}

func TestStaticList(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, ida := p.person("甲", "us_a", "杭州")
		b, idb := p.person("乙", "us_b", "杭州")
		c, idc := p.person("丙", "us_a", "上海")
		g := p.static("名单", ida)
		require.EqualValues(t, 1, g.Members)

		ev, unknown, err := p.AddLines(p.ctx, g.ID, "auto", []string{"138 0000 0002", "", "nobody@example.com", idc, idc}, false)
		require.NoError(t, err)
		require.EqualValues(t, 2, *ev.Came)
		require.Equal(t, []audience.UnknownLine{{Line: 3, Reason: "contact.tag_row_nobody"}}, unknown)
		require.EqualValues(t, 1, ev.Detail.Unknown)
		require.Equal(t, []int64{a, b, c}, p.members(p.ctx, g.ID))

		// A file, by a job that reports its lines.
		p.files.rows = map[string][][]string{"up_1": {{"手机", "别的"}, {"13800000001", "x"}, {"10086", "y"}, {""}}}
		job, err := p.UploadMembers(p.ctx, g.ID, "up_1", "手机", "auto", true)
		require.NoError(t, err)
		job, err = p.jobs.Wait(p.ctx, job.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Succeeded, job.State, "%v", job.Error)
		require.Contains(t, string(job.Result), `"went":1`)
		require.Contains(t, string(job.Result), `"unknown":2`)
		require.Equal(t, []int64{b, c}, p.members(p.ctx, g.ID))

		// Undo, from the newest to the oldest.
		h, _, err := p.History(p.ctx, g.ID, 0)
		require.NoError(t, err)
		require.Equal(t, []string{"removed", "added", "added", "created"}, []string{h[0].Action, h[1].Action, h[2].Action, h[3].Action})
		require.True(t, h[0].CanUndo)
		require.False(t, h[3].CanUndo)
		_, err = p.Undo(p.ctx, g.ID, h[0].ID)
		require.NoError(t, err)
		require.Equal(t, []int64{a, b, c}, p.members(p.ctx, g.ID))
		_, err = p.Undo(p.ctx, g.ID, h[0].ID)
		require.Equal(t, "audience.not_undoable", codeOf(err))
		_, err = p.Undo(p.ctx, g.ID, h[1].ID)
		require.NoError(t, err)
		require.Equal(t, []int64{a}, p.members(p.ctx, g.ID))

		// Merges are followed when the list is read, and their undo needs nothing.
		_, err = p.contacts.MergeByHand(p.ctx, idb, ida, "同一人")
		require.NoError(t, err)
		require.Equal(t, []int64{b}, p.members(p.ctx, g.ID))
		_, _, err = p.ChangeMembers(p.ctx, g.ID, contact.Selection{IDs: []string{idb}}, true)
		require.NoError(t, err)
		require.Empty(t, p.members(p.ctx, g.ID), "whoever is taken off goes with all numbers of theirs")
		seen, err := p.Get(p.ctx, g.ID)
		require.NoError(t, err)
		require.Zero(t, seen.Members)

		_, _, err = p.ChangeMembers(p.ctx, g.ID, contact.Selection{IDs: []string{"ct_none"}}, false)
		require.Equal(t, "audience.nobody_selected", codeOf(err))
		dyn := p.dynamic("规则", inCity(t, "杭州"))
		_, _, err = p.ChangeMembers(p.ctx, dyn.ID, contact.Selection{IDs: []string{idb}}, false)
		require.Equal(t, "audience.rule_decides", codeOf(err))
		require.Empty(t, p.emit.segments(), "a list is no fact about people")
	})
}

// A salesperson's list has their own customers only, and tells of no others.
func TestListsAndScope(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, ida := p.person("甲", "us_a", "杭州")
		_, idb := p.person("乙", "us_b", "杭州")
		mine := testkit.Scoped(t.Context(), "user_ops", false, "us_a")
		g := p.static("名单", ida, idb)
		seen, err := p.Get(mine, g.ID)
		require.NoError(t, err)
		require.EqualValues(t, 1, seen.Members)
		own, err := p.Create(mine, audience.Definition{Name: "我的", Kind: audience.Static})
		require.NoError(t, err)
		ev, _, err := p.ChangeMembers(mine, own.ID, contact.Selection{IDs: []string{ida, idb}}, false)
		require.NoError(t, err)
		require.Nil(t, ev.Came)
		require.Equal(t, []int64{a}, p.members(p.ctx, own.ID))
		_, unknown, err := p.AddLines(mine, own.ID, "auto", []string{idb, "13800000002"}, false)
		require.NoError(t, err)
		require.Len(t, unknown, 2, "others' customers are nobody")
		copied, err := p.Copy(mine, g.ID, "副本")
		require.NoError(t, err)
		require.Equal(t, []int64{a}, p.members(p.ctx, copied.ID), "a copy holds whom the copier sees")
	})
}

// Many people are a job, which a second start does not repeat.
func TestManyOnAList(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for i := range 2_100 {
			_, err := p.db.Exec(p.ctx, "insert into contacts (num, id, kind, shown, created_at, updated_at, name) values ($1,$2,'person',1,1,1,'')", 10_000+i, fmt.Sprint("ct_", i))
			require.NoError(t, err)
		}
		g := p.static("大名单")
		_, job, err := p.ChangeMembers(p.ctx, g.ID, contact.Selection{Query: contact.Query{}}, false)
		require.NoError(t, err)
		require.NotNil(t, job)
		done, err := p.jobs.Wait(p.ctx, job.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Succeeded, done.State, "%v", done.Error)
		seen, err := p.Get(p.ctx, g.ID)
		require.NoError(t, err)
		require.EqualValues(t, 2_100, seen.Members)
		require.Empty(t, seen.JobID)
	})
}
