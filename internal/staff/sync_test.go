package staff

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
)

func (p *pond) company() {
	p.p.members = map[string]Member{
		"zhang": {ID: "zhang", Name: "张三", Departments: []int64{2}, Emails: []string{"", "A@koi.example"}, Mobile: "13800138000", State: MemberActive},
		"li":    {ID: "li", Name: "李四", Departments: []int64{1, 2}, State: MemberActive},
		"wang":  {ID: "wang", Name: "王五", Departments: []int64{1}, State: MemberInactive},
	}
	p.p.serving = []string{"zhang", "li"}
	p.p.friends = map[string][]Found{
		"zhang": {found("zhang", "wm1", "李总", 24*time.Hour), found("zhang", "wm2", "", 48*time.Hour), found("zhang", "wm3", "", time.Minute)},
		"li":    {found("li", "wm1", "老李", 72*time.Hour)},
	}
}

func TestSync(t *testing.T) {
	each(t, func(p *pond) {
		p.company()
		job, err := p.Sync(p.ctx, SyncInput{Account: corp})
		require.NoError(t, err)
		require.Equal(t, "jb_1", job.ID)
		_, err = p.Sync(p.ctx, SyncInput{Account: "other"})
		require.ErrorContains(t, err, "staff.no_such_account")

		require.Equal(t, map[string]any{"found": 4.0, "news": 7.0}, p.synced(SyncInput{Account: corp}))
		require.Equal(t, []string{"zhang friend", "li friend"}, p.friends("wm1"))
		require.EqualValues(t, 3, p.count("zhang"))
		added := 0
		for _, n := range p.stated() {
			if n == event.NameFriendAdded {
				added++
			}
		}
		require.Equal(t, 3, added, "the newest friend is left to its callback")
		list, _, err := p.List(p.ctx, Query{Account: corp, Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []string{"li", "wang", "zhang"}, []string{list[0].ID, list[1].ID, list[2].ID})
		require.Equal(t, []string{"总部", "门店"}, list[0].Departments)
		require.Equal(t, MemberInactive, list[1].State)
		require.Equal(t, &CorpUser{ID: "us_a", Name: "名us_a"}, list[2].User)
		require.Equal(t, LinkedAuto, list[2].Linked)
		var mobile string
		require.NoError(t, p.db.QueryRow(p.ctx, "select mobile_enc from staff_members where id = 'zhang'").Scan(&mobile))
		require.NotRegexp(t, "138[0-9]{8}", mobile)
		accounts, err := p.Accounts(p.ctx)
		require.NoError(t, err)
		require.Equal(t, []int64{3, 0, 4}, []int64{accounts[0].Members, accounts[0].Left, accounts[0].Friends})
		require.Equal(t, start, accounts[0].SyncedAt)

		// Nothing new: nothing is stated, only who changed.
		p.clock.Advance(time.Hour)
		require.Equal(t, map[string]any{"found": 4.0, "news": 0.0}, p.synced(SyncInput{Account: corp}))
		require.Empty(t, p.stated())
		p.p.friends["zhang"][0] = found("zhang", "wm1", "李老板", 24*time.Hour)
		p.clock.Advance(time.Hour)
		require.Equal(t, map[string]any{"found": 4.0, "news": 1.0}, p.synced(SyncInput{Account: corp}))
		require.Equal(t, []string{event.NameFriendKnown}, p.stated())

		// A friendship that the platform does not list any more is over; a colleague who is gone has left.
		p.p.friends["zhang"] = p.p.friends["zhang"][:2]
		delete(p.p.members, "wang")
		_, err = p.Link(p.ctx, corp, "zhang", "us_b")
		require.NoError(t, err)
		p.clock.Advance(time.Hour)
		p.synced(SyncInput{Account: corp})
		require.Equal(t, []string{event.NameFriendRemoved}, p.stated())
		require.Equal(t, []string{"zhang removed"}, p.friends("wm3"))
		list, _, err = p.List(p.ctx, Query{Account: corp, Limit: 10})
		require.NoError(t, err)
		require.Equal(t, MemberLeft, list[1].State)
		require.Equal(t, p.clock.Now(), list[1].LeftAt)
		require.Equal(t, "us_b", list[2].User.ID, "what a person linked stays")
	})
}

// A sync that is cut off anywhere goes on and states nothing twice.
func TestSyncGoesOn(t *testing.T) {
	for stop := range 4 {
		each(t, func(p *pond) {
			p.company()
			p.p.later = 1
			r := &run{params: SyncInput{Account: corp}, stopAfter: stop}
			ctx := auth.With(p.t.Context(), auth.System("test"))
			err := p.sync(ctx, r)
			if err != nil {
				require.ErrorIs(t, err, errCrash)
				r.stopAfter = 100
				require.NoError(t, p.sync(ctx, r))
			}
			require.EqualValues(t, 3, p.count("zhang"), stop)
			require.EqualValues(t, 1, p.count("li"), stop)
			byID := map[string]int{}
			for _, f := range p.stream {
				byID[f.MessageID]++
			}
			for id, n := range byID {
				require.Equal(t, 1, n, id)
			}
			require.EqualValues(t, 2, r.done)
		})
	}
}

// What changes while a sync runs is not undone by it.
func TestSyncLeavesNewsAlone(t *testing.T) {
	each(t, func(p *pond) {
		p.company()
		p.synced(SyncInput{Account: corp})
		p.clock.Advance(time.Hour)
		p.handle(said(event.NameFriendAdded, "li", "wm9", 2*time.Hour, nil)) // after the sync began, before it ended
		p.synced(SyncInput{Account: corp})
		require.Equal(t, []string{"li friend"}, p.friends("wm9"))
		p.p.friends["li"] = nil
		p.clock.Advance(3 * time.Hour)
		p.synced(SyncInput{Account: corp, Staff: []string{"zhang"}})
		require.Equal(t, []string{"li friend"}, p.friends("wm9"), "only zhang's were asked for")
	})
}

func TestDirectoryChanges(t *testing.T) {
	each(t, func(p *pond) {
		p.company()
		p.synced(SyncInput{Account: corp})
		p.p.members["zhao"] = Member{ID: "zhao", Name: "赵六", Departments: []int64{2}, Emails: []string{"b@koi.example"}}
		require.NoError(t, p.Changed(p.ctx, corp, Change{What: ChangeMember, ID: "zhao"}))
		c, err := p.Colleague(p.ctx, corp, "zhao")
		require.NoError(t, err)
		require.Equal(t, "us_b", c.User.ID)
		require.False(t, c.Serves)
		require.NoError(t, p.Changed(p.ctx, corp, Change{What: ChangeLeft, ID: "zhao"}))
		c, err = p.Colleague(p.ctx, corp, "zhao")
		require.NoError(t, err)
		require.Equal(t, MemberLeft, c.State)

		m := p.p.members["zhang"]
		m.ID = "zhangsan"
		delete(p.p.members, "zhang")
		p.p.members["zhangsan"], p.p.serving = m, []string{"zhangsan", "li"}
		require.NoError(t, p.Changed(p.ctx, corp, Change{What: ChangeMember, ID: "zhang", NewID: "zhangsan"}))
		require.NoError(t, p.Changed(p.ctx, corp, Change{What: ChangeMember, ID: "zhang", NewID: "zhangsan"}), "twice")
		require.EqualValues(t, 3, p.count("zhangsan"))
		require.Equal(t, []string{"zhangsan friend", "li friend"}, p.friends("wm1"))
		require.NoError(t, p.Changed(p.ctx, corp, Change{What: ChangeDepartment}))
		require.NoError(t, p.Changed(p.ctx, corp, Change{What: ChangeMember, ID: "nobody"}), "gone again")
		_, err = p.Link(p.ctx, corp, "zhangsan", "us_gone")
		require.ErrorContains(t, err, "contact.no_such_user")
		_, err = p.Link(p.ctx, corp, "nobody", "us_a")
		require.ErrorIs(t, err, errNoColleague)
	})
}
