package staff

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

// deserted is a company of which zhang left three customers and two groups, and
// somebody whom nobody here ever knew left one more.
func (p *pond) deserted() {
	p.t.Helper()
	p.ready()
	gone := p.clock.Now()
	zhang := p.p.members["zhang"]
	zhang.State = MemberLeft
	p.p.members["zhang"], p.p.serving = zhang, []string{"li"}
	p.p.nobodys = []Unassigned{{"zhang", "wm1", gone}, {"zhang", "wm2", gone}, {"zhang", "wm3", gone}, {"old", "wm9", gone.Add(-1000 * time.Hour)}}
	p.p.groups = map[string]LeftGroup{"wr1": {ID: "wr1", Name: "白茶群", Owner: "zhang", Members: 8}, "wr2": {ID: "wr2", Name: "红茶群", Owner: "zhang"}, "wr3": {ID: "wr3", Owner: "li"}}
	require.NoError(p.t, p.Changed(p.ctx, corp, Change{What: ChangeLeft, ID: "zhang"}))
}

func (p *pond) leavers() map[string]Leaver {
	p.t.Helper()
	list, err := p.Leavers(p.ctx, corp, false)
	require.NoError(p.t, err)
	out := map[string]Leaver{}
	for _, l := range list {
		out[l.ID] = l
	}
	return out
}

func TestLeaversAndWhatTheyLeft(t *testing.T) {
	each(t, func(p *pond) {
		p.deserted()
		list := p.leavers()
		require.Len(t, list, 2)
		require.EqualValues(t, []int64{3, 2}, []int64{list["zhang"].Waiting, list["zhang"].Groups})
		require.EqualValues(t, 1, list["old"].Waiting, "who left before anybody connected the account")
		require.Equal(t, []string{"old friend"}, p.friends("wm9"))
		accounts, err := p.Accounts(p.ctx)
		require.NoError(t, err)
		require.EqualValues(t, 4, accounts[0].Waiting)

		// Somebody gives wm3 to another in the platform's own console: it is not listed
		// any more, and after two days that is believed.
		p.p.nobodys = append(p.p.nobodys[:2:2], p.p.nobodys[3])
		p.synced(SyncInput{Account: corp})
		require.EqualValues(t, 3, p.leavers()["zhang"].Waiting, "the list is a day old")
		p.clock.Advance(settled + time.Hour)
		p.synced(SyncInput{Account: corp})
		require.EqualValues(t, 2, p.leavers()["zhang"].Waiting)
		require.Equal(t, []string{"zhang moved"}, p.friends("wm3"))
		require.EqualValues(t, 2, p.count("zhang"))

		// Without the permission nothing is concluded.
		p.p.nobodys, p.p.fail = nil, errRefused
		require.NoError(t, p.leftBehind(p.ctx, corp, p.clock.Now().UnixMilli(), func(err error) error { return err }))
		require.EqualValues(t, 2, p.leavers()["zhang"].Waiting)
	})
}

// Several successors take equal shares of customers and groups, each in a hand-over
// of its own.
func TestEqualShares(t *testing.T) {
	each(t, func(p *pond) {
		p.deserted()
		p.p.serving = append(p.p.serving, "wang")
		wang := p.p.members["wang"]
		wang.State = MemberActive
		p.p.members["wang"] = wang
		require.NoError(t, p.Changed(p.ctx, corp, Change{What: ChangeMember, ID: "wang"}))
		list, err := p.HandOver(p.ctx, HandInput{Account: corp, From: "zhang", To: []string{"wang", "li", "li"}, All: true, Groups: true})
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, list[0].Plan, list[1].Plan)
		got := map[string][2]int64{}
		for _, h := range list {
			require.True(t, h.Gone)
			got[h.To.ID] = [2]int64{h.Total, h.Groups[HandNew]}
		}
		require.Equal(t, map[string][2]int64{"li": {2, 1}, "wang": {1, 1}}, got)
		l := p.leavers()["zhang"]
		require.EqualValues(t, []int64{0, 3, 0, 2}, []int64{l.Waiting, l.Going, l.Groups, l.GroupsGoing})
		p.turn(p.t.Context())
		require.ElementsMatch(t, []string{"wr1 wang", "wr2 li"}, p.p.moved)
		l = p.leavers()["zhang"]
		require.EqualValues(t, []int64{0, 3, 0, 0}, []int64{l.Waiting, l.Going, l.Groups, l.GroupsGoing})
		for _, c := range []string{"wm1", "wm2", "wm3"} {
			p.p.results[c] = HandResult{Customer: c, State: HandDone, At: p.clock.Now()}
		}
		p.later()
		for _, h := range list {
			got, err := p.Handover(p.ctx, h.ID)
			require.NoError(t, err)
			require.Equal(t, "done", got.State)
		}
		require.Len(t, p.leavers(), 1, "only the other leaver is left")

		_, err = p.HandOver(p.ctx, HandInput{Account: corp, From: "zhang", To: []string{"li"}, All: true, Groups: true})
		require.Equal(t, "customers", errs.As(err).Fields[0].Path, "there is nothing any more")
	})
}

// Of groups an owner takes so many a day: the rest waits, says so, and goes on. An
// answer that is lost makes nobody ask twice.
func TestGroupsWaitForAnotherDay(t *testing.T) {
	each(t, func(p *pond) {
		p.deserted()
		p.p.today = 1
		h := p.hand(HandInput{Account: corp, From: "zhang", To: []string{"li"}, Groups: true})
		require.EqualValues(t, 0, h.Total)
		p.turn(p.t.Context())
		groups, err := p.HandedGroups(p.ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, HandNew, groups[0].State)
		require.Equal(t, whyLater, groups[0].Why)
		p.p.today, p.p.lose = 300, true
		p.later()
		require.Len(t, p.p.moved, 2)
		p.p.lose = false
		p.later()
		require.Len(t, p.p.moved, 2, "whose they are is known")
		got, err := p.Handover(p.ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, map[string]int64{HandDone: 2}, got.Groups)
		require.Equal(t, "done", got.State)
	})
}

func TestStopAHandover(t *testing.T) {
	each(t, func(p *pond) {
		p.deserted()
		h := p.hand(HandInput{Account: corp, From: "zhang", To: []string{"li"}, All: true, Groups: true})
		got, err := p.StopHandover(p.ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, "done", got.State)
		require.Equal(t, map[string]int64{HandStopped: 3}, got.Counts)
		require.Equal(t, map[string]int64{HandStopped: 2}, got.Groups)
		require.Contains(t, p.records, "staff.handover_stopped")
		p.later()
		require.Empty(t, p.p.hands)
		require.Empty(t, p.p.moved)
		require.EqualValues(t, 3, p.leavers()["zhang"].Waiting)
		_, err = p.StopHandover(p.ctx, h.ID)
		require.ErrorContains(t, err, "staff.handover_over")

		h = p.hand(HandInput{Account: corp, From: "zhang", To: []string{"li"}, All: true})
		p.later()
		_, err = p.StopHandover(p.ctx, h.ID)
		require.ErrorContains(t, err, "staff.nothing_to_stop")
		_, err = p.StopHandover(p.ctx, "ho_none")
		require.Equal(t, errs.NotFound, errs.As(err).Kind)
	})
}

// An account is read when it is added, and each night; a paused one is not, and
// nothing begins while it is held back.
func TestSyncsBeginByThemselves(t *testing.T) {
	each(t, func(p *pond) {
		p.company()
		ctx := p.t.Context()
		hold := true
		p.Hold = func() bool { return hold }
		require.NoError(t, p.syncDue(ctx))
		require.Empty(t, p.queue.specs)
		hold = false
		require.NoError(t, p.syncDue(ctx))
		require.NoError(t, p.syncDue(ctx))
		require.Len(t, p.queue.specs, 1, "the first one, once")
		p.clock.Advance(16*time.Hour + time.Minute) // four in the morning in China
		require.NoError(t, p.syncDue(ctx))
		require.NoError(t, p.syncDue(ctx))
		require.Len(t, p.queue.specs, 2)
		p.clock.Advance(time.Hour)
		require.NoError(t, p.syncDue(ctx))
		require.Len(t, p.queue.specs, 2)
		p.p.paused = true
		p.clock.Advance(23 * time.Hour)
		require.NoError(t, p.syncDue(ctx))
		require.Len(t, p.queue.specs, 2)
	})
}

func TestADirectoryIsReadWhenItIsNeeded(t *testing.T) {
	each(t, func(p *pond) {
		p.company()
		list, err := p.Serving(p.ctx, corp)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, "us_a", list[1].User.ID)
		p.p.members = nil
		list, err = p.Serving(p.ctx, corp)
		require.NoError(t, err)
		require.Len(t, list, 2, "from the records")
	})
}

func TestForgetAnAccount(t *testing.T) {
	each(t, func(p *pond) {
		p.deserted()
		p.hand(HandInput{Account: corp, From: "zhang", To: []string{"li"}, All: true, Groups: true})
		members, friends, handovers, err := p.OfAccount(p.ctx, corp)
		require.NoError(t, err)
		require.EqualValues(t, []int64{4, 5, 1}, []int64{members, friends, handovers})
		require.NoError(t, p.db.Tx(p.ctx, func(ctx context.Context) error { return p.ForgetAccount(ctx, corp) }))
		for _, table := range append([]string{"staff_handed", "staff_handed_groups"}, tables...) {
			var n int64
			require.NoError(t, p.db.QueryRow(p.ctx, "select count(*) from "+table).Scan(&n))
			require.Zero(t, n, table)
		}
		p.handle(said(event.NameFriendDeleted, "zhang", "wm1", time.Hour, nil)) // a callback that came late
	})
}
