package care

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func (p *pond) morning(days int) {
	p.t.Helper()
	p.clock.Advance(time.Duration(days) * 24 * time.Hour)
	require.NoError(p.t, p.Remind(p.t.Context()))
}

// Contacts left alone are told of once, whatever the settings do and whoever restarts.
func TestOwnersAreToldOfThoseLeftAlone(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, p.as("us_a")
		a, b := p.customer("us_a", "甲"), p.customer("us_a", "乙")
		p.customer("us_b", "丙")
		_, err := p.SetStaleSettings(ctx, StaleSettings{Enabled: true, Days: 0})
		require.Equal(t, "days", errs.As(err).Fields[0].Path)

		p.morning(10)
		_, err = p.contacts.AddNote(ctx, a, "来店喝茶")
		require.NoError(t, err)
		_, err = p.contacts.AddNote(testkit.As(t.Context(), "admin"), b, "不是负责人写的")
		require.NoError(t, err)
		p.morning(19) // the 29th day: those of the first are not older than 30 days yet
		require.Empty(t, only(p.told("us_a"), "owner.stale"))
		p.morning(1)
		first := only(p.told("us_a"), "owner.stale")
		require.Len(t, first, 1)
		require.EqualValues(t, 1, first[0].Count, "only the one without a word of the owner")
		require.EqualValues(t, 1, only(p.told("us_b"), "owner.stale")[0].Count)
		require.EqualValues(t, 1, only(p.told("us_lead"), "owner.stale_team")[0].Count, "the lead of us_a alone")

		p.watched = "" // a restart on the same day
		p.morning(0)
		p.morning(1)
		require.Len(t, only(p.told("us_a"), "owner.stale"), 1, "never twice for one spell")
		_, err = p.SetStaleSettings(ctx, StaleSettings{Enabled: true, Days: 90})
		require.NoError(t, err)
		p.morning(1)
		_, err = p.SetStaleSettings(ctx, StaleSettings{Enabled: true, Days: 30})
		require.NoError(t, err)
		p.morning(1)
		require.Len(t, only(p.told("us_a"), "owner.stale"), 1)

		f := p.planned(ctx, b, Plan{Due: p.clock.Now()})
		_, _, err = p.Complete(ctx, f.ID, Completion{Outcome: "reached"})
		require.NoError(t, err)
		p.morning(7) // the 40th day, when the note on a has become old
		require.EqualValues(t, 1, only(p.told("us_a"), "owner.stale")[0].Count)
		require.Len(t, only(p.told("us_a"), "owner.stale"), 2)
		p.morning(23)
		require.Len(t, only(p.told("us_a"), "owner.stale"), 3, "after the follow-up a new spell began")

		_, err = p.SetStaleSettings(ctx, StaleSettings{Days: 30})
		require.NoError(t, err)
		p.customer("us_a", "丁")
		p.morning(40)
		require.Len(t, only(p.told("us_a"), "owner.stale"), 3, "switched off")
	})
}

// Whoever leaves with contacts is told of once; again when they leave again.
func TestLeadsAreToldOfThoseWhoLeft(t *testing.T) {
	each(t, func(p *pond) {
		t := p.t
		p.customer("us_gone", "甲")
		c := p.customer("us_gone", "乙")
		p.morning(1)
		p.watched = ""
		p.morning(1)
		told := only(p.told("us_lead"), "owner.left")
		require.Len(t, told, 1)
		require.EqualValues(t, 2, told[0].Count)
		require.Equal(t, contact.Ref{ID: "us_gone", Name: "名us_gone"}, *told[0].User)
		require.Empty(t, only(p.told("us_gone"), "owner.stale"))

		nums, err := p.contacts.Walk(t.Context(), contact.Selection{}, 0, 10)
		require.NoError(t, err)
		var moves []contact.OwnerMove
		for _, n := range nums {
			moves = append(moves, contact.OwnerMove{Num: n, From: "us_gone", To: "us_b"})
		}
		_, err = p.contacts.Assign(t.Context(), moves, contact.OwnerReason{How: contact.OwnedMoved})
		require.NoError(t, err)
		p.morning(1)
		owner := "us_gone"
		_, err = p.contacts.Update(testkit.As(t.Context(), "admin"), c, contact.Change{OwnerID: &owner})
		require.NoError(t, err)
		p.morning(1)
		require.Len(t, only(p.told("us_lead"), "owner.left"), 2)
	})
}
