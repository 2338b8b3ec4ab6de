package machine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// picked are contacts named by their ids.
func picked(ids ...string) contact.Selection { return contact.Selection{IDs: ids} }

// whoHas counts whom a condition means.
func (p *pond) whoHas(field string, value any) int64 {
	p.t.Helper()
	n, err := p.contacts.Count(p.ctx, contact.Selection{Query: contact.Query{Where: when(cond(field, "in", []any{value}))}})
	require.NoError(p.t, err)
	return n
}

// Somebody is put into a pool and into a stage; rules leave them there until the
// day is over, and then decide again.
func TestPutByHand(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		num, id := p.person("13800000001", 10, 5, -1, 0)
		p.person("13800000002", 10, 5, -1, 0)
		p.begin()
		for machine, c := range map[string]struct{ was, to, field string }{Pools: {"nurture", "client", "poolHand"}, Lifecycle: {"new", "loyal", "stageHand"}} {
			require.Equal(t, c.was, p.in(machine, num))
			n, err := p.Put(p.ctx, machine, Pin{[]string{id}, Choice{c.to, "2026-03-10", "老板的朋友 13800001111"}})
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
			require.Equal(t, []string{fmt.Sprintf("%d %s>%s hand", num, c.was, c.to)}, p.told.moves(t))
			p.tick()
			require.Equal(t, c.to, p.in(machine, num), "rules leave them there")
			require.EqualValues(t, 1, p.whoHas(c.field, "hand"))
			require.EqualValues(t, 1, p.whoHas(c.field, "rule"))
			steps, pin, err := p.History(p.ctx, machine, id)
			require.NoError(t, err)
			require.Len(t, steps, 1)
			require.Equal(t, "hand", steps[0].Reason)
			require.Equal(t, "王芳", steps[0].By.Name)
			require.Equal(t, "2026-03-10", pin.Until)
			require.Equal(t, "王芳", pin.By.Name)
			require.NotContains(t, pin.Note+steps[0].Note, "13800001111")
			v, err := p.View(p.ctx, machine)
			require.NoError(t, err)
			for _, s := range v.States {
				require.Equal(t, map[bool]int64{true: 1}[s.ID == c.to], s.Hand)
			}
		}
		require.Equal(t, []string{"machine.placed", "machine.placed"}, p.trail.actions)
		p.days(8) // still the tenth
		p.tick()
		require.Equal(t, "client", p.in(Pools, num))
		p.days(1)
		p.tick()
		require.Equal(t, "nurture", p.in(Pools, num), "the day is over")
		require.Equal(t, "new", p.in(Lifecycle, num))
		steps, pin, err := p.History(p.ctx, Pools, id)
		require.NoError(t, err)
		require.Nil(t, pin)
		require.Equal(t, byLapse, steps[0].Reason)
		require.Zero(t, p.whoHas("poolHand", "hand"))
		list, _, err := p.Placed(p.ctx, Pools, "", 20)
		require.NoError(t, err)
		require.Empty(t, list)
	})
}

// Who is placed where they stand already does not move, and is held all the same.
func TestHeldWhereTheyStand(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		num, id := p.person("13800000001", 10, 5, -1, 0)
		p.begin()
		n, err := p.Put(p.ctx, Pools, Pin{[]string{id}, Choice{"nurture", "2026-04-10", "先养着"}})
		require.NoError(t, err)
		require.Zero(t, n)
		require.Empty(t, p.told.moves(t))
		p.live(num, 10, 5, 1, 2)
		p.tick()
		require.Equal(t, "nurture", p.in(Pools, num), "rules say client")
		list, next, err := p.Placed(p.ctx, Pools, "", 20)
		require.NoError(t, err)
		require.Empty(t, next)
		require.Len(t, list, 1)
		require.Equal(t, Placed{Contact: contact.Ref{ID: id}, State: "nurture", Label: "养育型", Color: "#2f8f83",
			PinView: PinView{Until: "2026-04-10", At: list[0].At, By: contact.Ref{ID: "us_1", Name: "王芳"}, Note: "先养着"}}, list[0])
		require.NoError(t, p.Release(p.ctx, Pools, id))
		require.Equal(t, "client", p.in(Pools, num), "rules decide again, at once")
		require.Equal(t, "machine.not_placed", errs.CodeOf(p.Release(p.ctx, Pools, id)))
		require.Equal(t, []string{"machine.placed", "machine.released"}, p.trail.actions)
	})
}

func TestRefusesBadChoices(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		num, id := p.person("13800000001", 10, 5, -1, 0)
		p.begin()
		good := Choice{"client", "2026-04-10", "x"}
		for path, bad := range map[string]Pin{
			"state":    {[]string{id}, Choice{"vip", good.Until, "x"}},
			"until":    {[]string{id}, Choice{"client", "2026-03-01", "x"}},
			"note":     {[]string{id}, Choice{"client", good.Until, " "}},
			"contacts": {nil, good},
		} {
			_, err := p.Put(p.ctx, Pools, bad)
			require.Equal(t, path, errs.As(err).Fields[0].Path)
		}
		for _, until := range []string{"", "soon", "2028-03-03"} {
			_, err := p.PlaceMany(p.ctx, Pools, picked(id), Many{Choice: Choice{"client", until, "x"}})
			require.Equal(t, "until", errs.As(err).Fields[0].Path, until)
		}
		_, err := p.PlaceMany(p.ctx, Pools, picked(id), Many{Choice: Choice{"vip", "2026-04-10", "x"}})
		require.Equal(t, "state", errs.As(err).Fields[0].Path)
		own := auth.With(p.ctx, &auth.Principal{ID: "us_2", Via: auth.ViaSession, Scope: auth.OwnedBy(auth.DataScope{Breadth: auth.BreadthMine}, "us_2")})
		_, err = p.Put(own, Pools, Pin{[]string{id}, good})
		require.Equal(t, errs.NotFound, errs.As(err).Kind, "somebody else's customer")
		require.Equal(t, errs.NotFound, errs.As(p.Release(own, Pools, id)).Kind)
		_, err = p.Put(p.ctx, Pools, Pin{[]string{id}, good})
		require.NoError(t, err)
		v, err := p.View(own, Pools)
		require.NoError(t, err)
		require.Zero(t, v.Total, "totals of others are not shown")
		for _, s := range v.States {
			require.Zero(t, s.Hand)
		}
		list, _, err := p.Placed(own, Pools, "", 20)
		require.NoError(t, err)
		require.Empty(t, list, "nor are others' customers")
		require.Equal(t, "client", p.in(Pools, num))
	})
}

// Work on many places all that are selected, tells how far it is, goes on after a
// crash without doing anything twice, and can be taken back.
func TestPlaceMany(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		var nums []int64
		for i := range int64(30) {
			num, id := p.person(fmt.Sprintf("1380000%04d", i), 10, 5, -1, i%3)
			nums = append(nums, num)
			if i == 0 {
				_, err := p.PlaceMany(p.ctx, Pools, picked(id), Many{Choice: Choice{"client", "2026-04-10", "x"}})
				require.Equal(t, "state", errs.As(err).Fields[0].Path, "there is no machine yet")
			}
		}
		p.begin()
		fresh := contact.Selection{Query: contact.Query{Where: when(cond("pool", "in", []any{"nurture"}))}}
		reach, err := p.Reach(p.ctx, Pools, fresh, Many{Choice: Choice{State: "client"}})
		require.NoError(t, err)
		require.Equal(t, Reach{Total: 10}, reach)
		work, err := p.PlaceMany(p.ctx, Pools, fresh, Many{Choice: Choice{"client", "2026-04-10", "双十一名单"}})
		require.NoError(t, err)
		require.Equal(t, jobs.Queued, work.State)
		job := p.queue.jobs[work.ID]
		p.queue.waiting = nil
		require.ErrorIs(t, p.queue.handlers[jobPlace](p.ctx, &run{job: job, stop: 1}), errStopped)
		require.Zero(t, p.whoHas("poolHand", "hand"), "a batch is done or it is not")
		p.told.moves(t) // what the stopped try told is in no outbox: the test's is none of a transaction
		p.queue.waiting = []string{work.ID}
		p.work()
		work, err = p.PlaceRun(p.ctx, Pools, work.ID)
		require.NoError(t, err)
		require.Equal(t, Run{ID: work.ID, State: jobs.Succeeded, Done: 10, Total: 10, Placed: 10, Moved: 10}, work)
		require.EqualValues(t, 10, p.whoHas("poolHand", "hand"))
		require.Len(t, p.told.moves(t), 10)
		_, err = p.PlaceRun(p.ctx, Lifecycle, work.ID)
		require.Equal(t, "machine.no_such_run", errs.CodeOf(err))

		// Whom somebody placed elsewhere since is left where they are.
		first, err := p.contacts.Refs(p.ctx, nums[:1])
		require.NoError(t, err)
		_, err = p.Put(p.ctx, Pools, Pin{[]string{first[nums[0]].ID}, Choice{"convert", "2026-05-10", "另有安排"}})
		require.NoError(t, err)
		back, err := p.ReleaseRun(p.ctx, Pools, work.ID)
		require.NoError(t, err)
		require.True(t, back.Release)
		p.work()
		back, err = p.PlaceRun(p.ctx, Pools, back.ID)
		require.NoError(t, err)
		require.EqualValues(t, 9, back.Placed)
		require.EqualValues(t, 1, p.whoHas("poolHand", "hand"))
		require.Equal(t, "convert", p.in(Pools, nums[0]))
		require.Equal(t, "nurture", p.in(Pools, nums[3]))

		// Everybody is released; those whom nobody placed are not looked at.
		all, err := p.PlaceMany(p.ctx, Pools, contact.Selection{Query: contact.Query{}}, Many{Release: true})
		require.NoError(t, err)
		p.work()
		all, err = p.PlaceRun(p.ctx, Pools, all.ID)
		require.NoError(t, err)
		require.Equal(t, Run{ID: all.ID, State: jobs.Succeeded, Release: true, Done: 1, Total: 1, Placed: 1}, all)
		require.Equal(t, "nurture", p.in(Pools, nums[0]))

		work, err = p.PlaceMany(p.ctx, Pools, fresh, Many{Choice: Choice{"client", "2026-04-10", "x"}})
		require.NoError(t, err)
		_, err = p.ReleaseRun(p.ctx, Pools, work.ID)
		require.Equal(t, "machine.still_placing", errs.CodeOf(err))
		work, err = p.CancelRun(p.ctx, Pools, work.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Cancelled, work.State)
		require.Equal(t, []string{"machine.placing", "machine.placed", "machine.releasing", "machine.releasing", "machine.placing"}, p.trail.actions)
	})
}

// A state that goes leaves nobody behind, not even those who were placed there.
func TestNobodyIsHeldInAStateThatIsGone(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		num, id := p.person("13800000001", 10, 5, -1, 0)
		p.begin()
		_, err := p.Put(p.ctx, Lifecycle, Pin{[]string{id}, Choice{"loyal", "2026-04-10", "x"}})
		require.NoError(t, err)
		states := Default(Lifecycle)
		states = append(states[:3:3], states[4:]...)
		_, err = p.Save(p.ctx, Lifecycle, 1, states)
		require.NoError(t, err)
		p.work()
		require.Equal(t, "new", p.in(Lifecycle, num))
		require.Zero(t, p.whoHas("stageHand", "hand"))
		v, err := p.View(p.ctx, Lifecycle)
		require.NoError(t, err)
		require.Zero(t, v.Unknown)
	})
}

// Who becomes part of somebody who stands nowhere gives on the choice and its reason.
func TestChoiceGoesAlongWithAMerge(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, id := p.person("13800000001", 10, 5, -1, 0)
		p.begin()
		b, other := p.person("13800000002", 10, 5, -1, 0)
		_, err := p.Put(p.ctx, Pools, Pin{[]string{id}, Choice{"client", "2026-04-10", "约好了"}})
		require.NoError(t, err)
		require.NoError(t, p.Merged(p.ctx, []contact.Merge{{From: a, Into: b}}))
		require.Equal(t, "client", p.in(Pools, b))
		_, pin, err := p.History(p.ctx, Pools, other)
		require.NoError(t, err)
		require.Equal(t, "约好了", pin.Note)
		require.NoError(t, p.Forget(p.ctx, []int64{a, b}))
		set, err := p.contacts.ReadNumbers(p.ctx, "select contact as n from machine_pins")
		require.NoError(t, err)
		require.Zero(t, set.Count())
	})
}
