package community

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

const day = 24 * time.Hour

// Facts call colleagues by name; whom nobody knows by name has the id alone, and a
// customer who invited another is not named in the other's fact.
func TestFactsNameColleagues(t *testing.T) {
	each(t, func(p *pond) {
		p.has("wr1", came("wm1", 1*day, "zhang"), came("wm2", 2*day, "wm1"), came("wm3", 3*day, "li"), came("wm4", 4*day, "wang"), FoundMember{ID: "wang", Name: "王五", JoinedAt: start.Add(-90 * day)})
		require.NoError(p.t, p.Changed(p.ctx, corp, Told{Group: "wr1", At: start}))
		got := map[string]string{}
		for _, f := range p.stream {
			got[f.Identifiers[0].Value] = string(f.Properties)
		}
		const about = `"account":"ac_1","group":"wr1","groupName":"茶友wr1","owner":"zhang","ownerName":"张三","scene":3`
		require.JSONEq(p.t, `{`+about+`,"invitor":"zhang","invitorName":"张三"}`, got["wm1"])
		require.JSONEq(p.t, `{`+about+`,"invitor":"wm1"}`, got["wm2"])
		require.JSONEq(p.t, `{`+about+`,"invitor":"li"}`, got["wm3"], "not in the directory and not in the group")
		require.JSONEq(p.t, `{`+about+`,"invitor":"wang","invitorName":"王五"}`, got["wm4"], "not in the directory, but in the group")
	})
}

func TestCallbacks(t *testing.T) {
	each(t, func(p *pond) {
		p.has("wr1", came("wm1", 2*day, ""), came("wm2", 20*day, "wm1"))
		require.NoError(p.t, p.Changed(p.ctx, corp, Told{Group: "wr1", At: start}))
		require.Equal(p.t, []string{"group.joined wm1", "group.joined wm2"}, p.stated())
		require.NoError(p.t, p.Changed(p.ctx, corp, Told{Group: "wr1", At: start}))
		require.Empty(p.t, p.stated(), "told twice, counted once")

		p.clock.Advance(time.Hour)
		p.has("wr1", came("wm2", 20*day, "wm1"), came("wm3", -30*time.Minute, ""))
		require.NoError(p.t, p.Changed(p.ctx, corp, Told{Group: "wr1", Left: true, Members: []string{"wm1"}, Quit: 1, At: start.Add(50 * time.Minute)}))
		require.Len(p.t, p.stream, 2)
		for _, f := range p.stream {
			if f.Name == event.NameGroupLeft {
				require.Equal(p.t, start.Add(50*time.Minute).UnixMilli(), f.Timestamp)
				require.JSONEq(p.t, `{"account":"ac_1","group":"wr1","groupName":"茶友wr1","owner":"zhang","ownerName":"张三","scene":1}`, string(f.Properties))
			}
		}
		require.Equal(p.t, []string{"group.joined wm3", "group.left wm1"}, p.stated())

		d, err := p.Get(p.ctx, corp, "wr1")
		require.NoError(p.t, err)
		require.EqualValues(p.t, 3, d.Members)
		require.EqualValues(p.t, 2, d.Customers)
		require.EqualValues(p.t, 2, d.Joined, "wm1 and wm3 on the last seven days")
		require.EqualValues(p.t, 1, d.Gone)
		require.Equal(p.t, Day{Date: "2026-03-02", Joined: 1, Gone: 1, Size: 2}, d.Days[growthDays-1])
		require.EqualValues(p.t, 1, d.Days[growthDays-5].Size, "only wm2")

		list, _, err := p.Members(p.ctx, corp, "wr1", MemberQuery{Gone: true, Limit: 10})
		require.NoError(p.t, err)
		require.Equal(p.t, p.id("wm1"), list[0].ContactID)
		require.EqualValues(p.t, 1, list[0].Quit)

		// A crash between stating and keeping: the same again, counted once.
		p.has("wr1", came("wm2", 20*day, "wm1"), came("wm3", -30*time.Minute, ""), came("wm1", -59*time.Minute, ""))
		p.fail = errors.New("full")
		require.ErrorIs(p.t, p.Changed(p.ctx, corp, Told{Group: "wr1", At: start}), p.fail)
		p.fail = nil
		require.NoError(p.t, p.Changed(p.ctx, corp, Told{Group: "wr1", At: start}))
		require.Equal(p.t, []string{"group.joined wm1"}, p.stated(), "who comes back joins again")

		delete(p.p.groups, "wr1")
		require.NoError(p.t, p.Changed(p.ctx, corp, Told{Group: "wr1", Ended: true, At: start.Add(2 * time.Hour)}))
		require.Len(p.t, p.stated(), 3)
		require.NoError(p.t, p.Changed(p.ctx, corp, Told{Group: "wr1", At: start}))
		require.Empty(p.t, p.stated())
		_, err = p.Get(p.ctx, corp, "other")
		require.ErrorIs(p.t, err, errNoGroup)
	})
}

func TestSyncFindsWhatNobodyTold(t *testing.T) {
	each(t, func(p *pond) {
		p.has("wr1", came("wm1", 2*day, ""))
		p.has("wr2", came("wm1", 40*day, ""), came("wm2", 40*day, ""))
		p.p.later = 1
		r := &run{params: syncInput{corp}, stopAfter: 2}
		require.ErrorIs(p.t, p.sync(p.ctx, r), errCrash)
		r.stopAfter = 0
		require.NoError(p.t, p.sync(p.ctx, r))
		require.Len(p.t, p.stated(), 3)
		require.Equal(p.t, 1, p.rechecks)

		p.p.orphans = map[string]bool{"wr2": true}
		delete(p.p.groups, "wr1")
		p.clock.Advance(time.Hour)
		p.syncAll()
		require.Equal(p.t, []string{"group.left wm1"}, p.stated())
		list, next, err := p.List(p.ctx, Query{Account: corp, OwnerLeft: true, Owner: "zhang", Limit: 10})
		require.NoError(p.t, err)
		require.Empty(p.t, next)
		require.Len(p.t, list, 1)
		require.Equal(p.t, "wr2", list[0].ID, "a leaver's groups")
		require.Equal(p.t, "张三", list[0].OwnerName)
		list, next, err = p.List(p.ctx, Query{Account: corp, Text: "茶友WR", Limit: 1})
		require.NoError(p.t, err)
		require.Equal(p.t, "wr1", next)
		require.Equal(p.t, Dismissed, list[0].State)
		g := p.p.groups["wr2"] // handed over
		g.Owner = "li"
		p.p.groups["wr2"] = g
		require.NoError(p.t, p.Changed(p.ctx, corp, Told{Group: "wr2"}))
		list, _, err = p.List(p.ctx, Query{Account: corp, OwnerLeft: true, Limit: 10})
		require.NoError(p.t, err)
		require.Empty(p.t, list)

		a, err := p.Accounts(p.ctx)
		require.NoError(p.t, err)
		require.EqualValues(p.t, 1, a[0].Groups)
		require.EqualValues(p.t, 2, a[0].Customers)
		require.False(p.t, a[0].SyncedAt.IsZero())
	})
}

func TestLayersAndFilters(t *testing.T) {
	each(t, func(p *pond) {
		p.has("wr1", came("wm1", 2*day, ""), came("wm2", 20*day, ""), came("wm3", 30*day, "wm2"), came("wm4", 50*day, "zhang"))
		p.p.friends = map[string]bool{"wm1": true}
		p.syncAll()
		for _, c := range []string{"wm2", "wm3"} {
			_, err := p.db.Exec(p.ctx, "update contacts set last_seen_at = $1 where num = $2", start.Add(-day).UnixMilli(), p.num(c))
			require.NoError(p.t, err)
		}
		require.Equal(p.t, []string{"wm1 newcomer", "wm2 core", "wm3 active", "wm4 quiet"}, p.members("wr1", MemberQuery{Kind: Customer}))
		require.Equal(p.t, []string{"wm2 core"}, p.members("wr1", MemberQuery{Layer: Core}))
		require.Equal(p.t, []string{"wm1 newcomer"}, p.members("wr1", MemberQuery{Who: "friends"}))
		require.Len(p.t, p.members("wr1", MemberQuery{Who: "strangers"}), 3)
		d, err := p.Get(p.ctx, corp, "wr1")
		require.NoError(p.t, err)
		require.Equal(p.t, map[string]int64{Newcomer: 1, Core: 1, Active: 1, Quiet: 1}, d.Layers)
		require.EqualValues(p.t, 1, d.Friends)
		list, next, err := p.Members(p.ctx, corp, "wr1", MemberQuery{Limit: 2})
		require.NoError(p.t, err)
		require.Equal(p.t, 2, next)
		require.Equal(p.t, p.id("wm1"), list[0].ContactID)
		list, _, err = p.Members(p.ctx, corp, "wr1", MemberQuery{Limit: 5, After: next})
		require.NoError(p.t, err)
		require.Equal(p.t, "客户wm2", list[0].Invitor)
		require.True(p.t, list[2].Owner)

		stays, err := p.OfContact(p.ctx, p.id("wm3"))
		require.NoError(p.t, err)
		require.Equal(p.t, "茶友wr1", stays[0].Name)

		// A condition of rules: who is in the group.
		p.contacts.FilterBy(FieldName, p.Field())
		views, err := p.Field().Views(p.ctx)
		require.NoError(p.t, err)
		require.Equal(p.t, "ac_1:wr1", views[0].Options[0].Value)
		among, err := p.Field().Among(p.ctx, "", "ac_1:wr1")
		require.NoError(p.t, err)
		rows, err := p.db.Query(p.ctx, among.Query, among.Args...)
		require.NoError(p.t, err)
		count := 0
		for rows.Next() {
			count++
		}
		require.NoError(p.t, rows.Err())
		require.NoError(p.t, rows.Close())
		require.Equal(p.t, 4, count)

		require.NoError(p.t, p.forget(p.ctx, []int64{p.num("wm3")}))
		require.Len(p.t, p.members("wr1", MemberQuery{Kind: Customer}), 3)
	})
}
