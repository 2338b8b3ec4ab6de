package staff

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

func known(staff, customer, remark string, after, since time.Duration) event.Fact {
	f := said(event.NameFriendKnown, "", customer, after, map[string]any{"friend": map[string]any{"staff": staff, "remark": remark, "description": "爱喝乌龙", "since": start.Add(since).UnixMilli(), "state": "s1", "way": 1}})
	f.Type = event.Identify
	return f
}

func TestFriendsFollowFacts(t *testing.T) {
	each(t, func(p *pond) {
		p.handle(said(event.NameFriendAdded, "zhang", "wm1", 0, map[string]any{"state": "s1"}), known("zhang", "wm1", "李总", time.Second, 0), said(event.NameFriendAdded, "li", "wm1", time.Hour, nil))
		require.Equal(t, []string{"li friend", "zhang friend"}, p.friends("wm1"))
		require.EqualValues(t, 1, p.count("zhang"))
		list, err := p.OfContact(p.ctx, p.id("wm1"))
		require.NoError(t, err)
		require.Equal(t, []string{"李总", "爱喝乌龙", "s1"}, []string{list[1].Remark, list[1].Note, list[1].Source})
		require.Equal(t, start, list[1].Since)

		p.clock.Advance(3 * time.Hour)
		p.handle(said(event.NameFriendDeleted, "zhang", "wm1", 2*time.Hour, nil))
		require.Equal(t, []string{"li friend", "zhang deleted"}, p.friends("wm1"))
		require.EqualValues(t, 0, p.count("zhang"))
		require.Equal(t, []string{"wm1 zhang "}, p.tasks)
		p.handle(said(event.NameFriendDeleted, "zhang", "wm1", 2*time.Hour, nil))
		require.Len(t, p.tasks, 1, "a repeat alerts nobody")

		// The platform keeps a colleague's deleted friends in their list: that is no new friendship.
		p.handle(known("zhang", "wm1", "李总", 3*time.Hour, 0))
		require.Equal(t, []string{"li friend", "zhang deleted"}, p.friends("wm1"))
		// Added again, it is one.
		p.handle(said(event.NameFriendAdded, "zhang", "wm1", 4*time.Hour, nil))
		require.Equal(t, []string{"zhang friend", "li friend"}, p.friends("wm1"))
		require.EqualValues(t, 1, p.count("zhang"))
		p.handle(said(event.NameFriendRemoved, "zhang", "wm1", 5*time.Hour, nil))
		require.Equal(t, []string{"li friend", "zhang removed"}, p.friends("wm1"))
		require.Len(t, p.tasks, 1, "what a colleague does alerts nobody")
	})
}

// Callbacks come in any order: what is older than what is known changes nothing.
func TestFriendsInAnyOrder(t *testing.T) {
	facts := []event.Fact{said(event.NameFriendAdded, "zhang", "wm1", 0, nil), said(event.NameFriendDeleted, "zhang", "wm1", time.Hour, nil), said(event.NameFriendAdded, "zhang", "wm1", 2*time.Hour, nil)}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {2, 0, 1}, {1, 2, 0}, {0, 2, 1}} {
		each(t, func(p *pond) {
			for _, i := range order {
				p.handle(facts[i])
			}
			require.Equal(t, []string{"zhang friend"}, p.friends("wm1"), order)
			list, err := p.OfContact(p.ctx, p.id("wm1"))
			require.NoError(t, err)
			require.Equal(t, start.Add(2*time.Hour), list[0].Since, order)
			require.EqualValues(t, 1, p.count("zhang"))
		})
	}
}

// In one batch everybody keeps their own friends, whatever the order of their ids.
func TestFriendsOfManyAtOnce(t *testing.T) {
	each(t, func(p *pond) {
		p.handle(said(event.NameFriendAdded, "zhang", "wm3", 0, nil), said(event.NameFriendAdded, "li", "wm1", 0, nil), said(event.NameFriendAdded, "wang", "wm2", 0, nil), said(event.NameFriendAdded, "li", "wm3", 0, nil))
		require.Equal(t, []string{"li friend"}, p.friends("wm1"))
		require.Equal(t, []string{"wang friend"}, p.friends("wm2"))
		require.Equal(t, []string{"li friend", "zhang friend"}, p.friends("wm3"))
		require.EqualValues(t, []int64{1, 2, 1}, []int64{p.count("zhang"), p.count("li"), p.count("wang")})
	})
}

func TestHandOverMovesFriends(t *testing.T) {
	each(t, func(p *pond) {
		p.handle(said(event.NameFriendAdded, "zhang", "wm1", 0, nil))
		p.handle(said(event.NameFriendMoved, "li", "wm1", time.Hour, map[string]any{"from": "zhang"}), said(event.NameFriendRemoved, "zhang", "wm1", 2*time.Hour, map[string]any{"reason": "transfer"}))
		list, err := p.OfContact(p.ctx, p.id("wm1"))
		require.NoError(t, err)
		require.Equal(t, []string{"li friend", "zhang moved"}, p.friends("wm1"))
		require.Equal(t, "li", list[1].MovedTo)
		require.EqualValues(t, 0, p.count("zhang"))
		require.EqualValues(t, 1, p.count("li"))
		require.Empty(t, p.tasks)
	})
}

// Deletions of long ago, which a sync or an import brings, give nobody work.
func TestOldDeletionsAlertNobody(t *testing.T) {
	each(t, func(p *pond) {
		p.clock.Advance(72 * time.Hour)
		p.handle(said(event.NameFriendAdded, "zhang", "wm1", 0, nil), said(event.NameFriendDeleted, "zhang", "wm1", time.Hour, nil))
		require.Equal(t, []string{"zhang deleted"}, p.friends("wm1"))
		require.Empty(t, p.tasks)
	})
}

func TestForgetting(t *testing.T) {
	each(t, func(p *pond) {
		p.handle(said(event.NameFriendAdded, "zhang", "wm1", 0, nil), said(event.NameFriendAdded, "zhang", "wm2", 0, nil))
		require.EqualValues(t, 2, p.count("zhang"))
		require.NoError(t, p.db.Tx(p.ctx, func(ctx context.Context) error { return p.forget(ctx, []int64{p.nums["wm1"]}) }))
		require.EqualValues(t, 1, p.count("zhang"))
		require.Empty(t, p.friends("wm1"))
	})
}

func TestSealedAtRest(t *testing.T) {
	each(t, func(p *pond) {
		p.handle(known("zhang", "wm1", "李总 13800138000", 0, 0))
		var remark, note string
		require.NoError(t, p.db.QueryRow(p.ctx, "select remark_enc, note_enc from staff_friends").Scan(&remark, &note))
		require.NotContains(t, remark, "13800138000")
		require.NotContains(t, note, "乌龙")
	})
}

func TestFriendLists(t *testing.T) {
	each(t, func(p *pond) {
		for i, c := range []string{"wm1", "wm2", "wm3", "wm4", "wm5"} {
			p.handle(said(event.NameFriendAdded, "zhang", c, time.Duration(i/2)*time.Minute, nil))
		}
		p.handle(said(event.NameFriendDeleted, "zhang", "wm5", 5*time.Minute, nil))
		var got []string
		var after *friendCursor
		for {
			list, next, err := p.Friends(p.ctx, FriendQuery{Account: corp, State: Friend, Limit: 2}, after)
			require.NoError(t, err)
			for _, f := range list {
				got = append(got, f.Customer)
				require.Equal(t, "客户"+f.Customer, f.Name)
			}
			if after = next; after == nil {
				break
			}
		}
		require.Equal(t, []string{"wm3", "wm4", "wm1", "wm2"}, got)
		gone, _, err := p.Friends(p.ctx, FriendQuery{Account: corp, State: Deleted, Limit: 2}, nil)
		require.NoError(t, err)
		require.Len(t, gone, 1)
		list, _, err := p.List(p.ctx, Query{Account: corp, Limit: 10})
		require.NoError(t, err)
		require.EqualValues(t, []int64{4, 5, 1}, []int64{list[0].Friends, list[0].AddedToday, list[0].DeletedToday})
		_, _, err = p.Friends(p.ctx, FriendQuery{Account: corp, State: "x", Limit: 2}, nil)
		require.Error(t, err)
		known, err := p.Friended(p.ctx, []int64{p.nums["wm1"]})
		require.NoError(t, err)
		require.Empty(t, known, "nobody here yet")
		_, err = p.Link(p.ctx, corp, "zhang", "us_a")
		require.NoError(t, err)
		known, err = p.Friended(p.ctx, []int64{p.nums["wm1"]})
		require.NoError(t, err)
		require.Equal(t, start, known["us_a"])
	})
}

func TestRemark(t *testing.T) {
	each(t, func(p *pond) {
		p.handle(known("zhang", "wm1", "李总", 0, 0))
		remark := "李老板"
		list, err := p.SetRemark(p.ctx, p.id("wm1"), corp, "zhang", "wm1", &remark, nil)
		require.NoError(t, err)
		require.Equal(t, "李老板", list[0].Remark)
		require.Equal(t, "爱喝乌龙", list[0].Note)
		require.Equal(t, []string{"zhang wm1 李老板"}, p.p.remarks)
		require.Contains(t, p.records, "staff.remark_changed")
		_, err = p.SetRemark(p.ctx, p.id("wm1"), corp, "li", "wm1", &remark, nil)
		require.ErrorContains(t, err, "staff.no_friend")
		p.p.fail = errRefused
		_, err = p.SetRemark(p.ctx, p.id("wm1"), corp, "zhang", "wm1", &remark, nil)
		require.ErrorIs(t, err, errRefused)
	})
}
