package staff

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

// ready is a company whose friends are known.
func (p *pond) ready() {
	p.t.Helper()
	p.company()
	p.synced(SyncInput{Account: corp})
	p.stream = nil
	p.clock.Advance(time.Hour)
}

// later lets the background look again.
func (p *pond) later() {
	p.clock.Advance(recheck + time.Second)
	p.turn(p.t.Context())
}

func (p *pond) counts(id string) map[string]int64 {
	p.t.Helper()
	h, err := p.Handover(p.ctx, id)
	require.NoError(p.t, err)
	return h.Counts
}

func TestHandOver(t *testing.T) {
	each(t, func(p *pond) {
		p.ready()
		_, err := p.Link(p.ctx, corp, "li", "us_b")
		require.NoError(t, err)
		owner := "us_a"
		_, err = p.contacts.Update(p.ctx, p.id("wm1"), contact.Change{OwnerID: &owner})
		require.NoError(t, err)
		p.p.bad["wm3"] = errRefused
		h := p.hand(HandInput{Account: corp, From: "zhang", To: []string{"li"}, All: true, Message: " 您好 "})
		require.EqualValues(t, 3, h.Total)
		require.Equal(t, map[string]int64{HandNew: 3}, h.Counts)
		require.Equal(t, MemberRef{"zhang", "张三"}, h.From)
		p.turn(p.t.Context())
		require.Equal(t, []Hand{{From: "zhang", To: "li", Customers: []string{"wm1", "wm2", "wm3"}, Message: "您好"}}, p.p.hands)
		require.Equal(t, map[string]int64{HandWaiting: 2, HandFailed: 1}, p.counts(h.ID))
		list, _, err := p.HandedCustomers(p.ctx, h.ID, "", 10)
		require.NoError(t, err)
		require.Equal(t, "wecom.no_privilege 60011", list[2].Why)

		p.p.results["wm1"] = HandResult{Customer: "wm1", State: HandDone, At: p.clock.Now()}
		p.p.results["wm2"] = HandResult{Customer: "wm2", State: HandWaiting}
		p.later()
		require.Equal(t, map[string]int64{HandWaiting: 1, HandDone: 1, HandFailed: 1}, p.counts(h.ID))
		require.Equal(t, []string{event.NameFriendMoved}, p.stated())
		require.Equal(t, []string{"li friend", "zhang moved"}, p.friends("wm1"))
		owners, err := p.contacts.Owners(p.ctx, []int64{p.num("wm1")})
		require.NoError(t, err)
		require.Equal(t, "us_b", owners[p.num("wm1")], "the owner goes along")

		p.p.results["wm2"] = HandResult{Customer: "wm2", State: HandRefused}
		p.later()
		got, err := p.Handover(p.ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, "done", got.State)
		require.Equal(t, []string{"zhang friend"}, p.friends("wm2"))
		require.Len(t, p.p.hands, 1, "nobody is asked for twice")
		all, err := p.Handovers(p.ctx, corp, "", 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Contains(t, p.records, "staff.handed_over")
	})
}

func TestHandOverRefuses(t *testing.T) {
	each(t, func(p *pond) {
		p.ready()
		long := make([]rune, 201)
		for name, x := range map[string]struct {
			in   HandInput
			path string
		}{
			"from":     {HandInput{To: []string{"li"}, All: true}, "from"},
			"to":       {HandInput{From: "zhang", All: true}, "to"},
			"self":     {HandInput{From: "li", To: []string{"li"}, All: true}, "to"},
			"nobody":   {HandInput{From: "zhang", To: []string{"li"}}, "customers"},
			"strange":  {HandInput{From: "zhang", To: []string{"li"}, Customers: []string{"wm99"}}, "customers"},
			"unknown":  {HandInput{From: "x", To: []string{"li"}, All: true}, "from"},
			"not able": {HandInput{From: "zhang", To: []string{"wang"}, All: true}, "to"},
			"groups":   {HandInput{From: "zhang", To: []string{"li"}, Groups: true}, "groups"},
			"message":  {HandInput{From: "zhang", To: []string{"li"}, All: true, Message: string(long)}, "message"},
		} {
			x.in.Account = corp
			_, err := p.HandOver(p.ctx, x.in)
			require.Equal(t, errs.Invalid, errs.As(err).Kind, name)
			require.Equal(t, x.path, errs.As(err).Fields[0].Path, name)
		}
		_, err := p.Handover(p.ctx, "ho_none")
		require.Equal(t, errs.NotFound, errs.As(err).Kind)
	})
}

// In service a customer is handed over twice in 90 days, and never in two
// hand-overs at a time.
func TestHandOverLimits(t *testing.T) {
	each(t, func(p *pond) {
		p.ready()
		hand := func(from, to string) Handover {
			return p.hand(HandInput{Account: corp, From: from, To: []string{to}, Customers: []string{"wm2"}})
		}
		first := hand("zhang", "li")
		again := hand("zhang", "li")
		require.Equal(t, map[string]int64{HandFailed: 1}, again.Counts, "one goes on already")
		finish := func(h Handover) {
			p.later()
			p.p.results["wm2"] = HandResult{Customer: "wm2", State: HandDone, At: p.clock.Now()}
			p.later()
			require.Equal(t, map[string]int64{HandDone: 1}, p.counts(h.ID))
		}
		finish(first)
		second := hand("li", "zhang")
		require.Equal(t, map[string]int64{HandNew: 1}, second.Counts)
		finish(second)
		third := hand("zhang", "li")
		require.Equal(t, map[string]int64{HandFailed: 1}, third.Counts)
		list, _, err := p.HandedCustomers(p.ctx, third.ID, "", 10)
		require.NoError(t, err)
		require.Equal(t, "staff.too_often", list[0].Why)
		p.clock.Advance(handSpan)
		require.Equal(t, map[string]int64{HandNew: 1}, hand("zhang", "li").Counts)
	})
}

// When the platform wants to wait, nobody was asked for; when an answer is lost,
// the results tell, and what they never know is given up.
func TestHandOverThroughTrouble(t *testing.T) {
	each(t, func(p *pond) {
		p.ready()
		h := p.hand(HandInput{Account: corp, From: "zhang", To: []string{"li"}, Customers: []string{"wm1"}})
		p.p.fail = errLater
		p.turn(p.t.Context())
		require.Equal(t, map[string]int64{HandNew: 1}, p.counts(h.ID))
		p.p.fail = errors.New("the line went dead")
		p.later()
		require.Equal(t, map[string]int64{HandWaiting: 1}, p.counts(h.ID))
		p.p.fail = nil
		p.later()
		require.Empty(t, p.p.hands, "it may have been asked for: not again")
		p.clock.Advance(lost)
		p.later()
		require.Equal(t, map[string]int64{HandFailed: 1}, p.counts(h.ID))

		h = p.hand(HandInput{Account: corp, From: "zhang", To: []string{"li"}, Customers: []string{"wm2"}})
		p.p.fail = errRefused
		p.later()
		require.Equal(t, map[string]int64{HandFailed: 1}, p.counts(h.ID))
	})
}

func TestHandOverOfLeavers(t *testing.T) {
	each(t, func(p *pond) {
		p.ready()
		require.NoError(t, p.Changed(p.ctx, corp, Change{What: ChangeLeft, ID: "zhang"}))
		h := p.hand(HandInput{Account: corp, From: "zhang", To: []string{"li"}, All: true, Message: "您好"})
		require.True(t, h.Gone)
		p.turn(p.t.Context())
		require.Empty(t, p.p.hands[0].Message, "the platform takes none")
		require.True(t, p.p.hands[0].Gone)
	})
}
