package connector_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
)

func (p *pond) finding(check string) (found connector.Found, ok bool) {
	p.t.Helper()
	for _, f := range p.view().Findings {
		if f.Check == check {
			return f, true
		}
	}
	return found, false
}

// What a paused account heaps up is bounded, and the account says so: before
// anything is lost, and for a while after.
func TestAPauseIsBounded(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		h := &heard{}
		p.On("fake", "thing.*", func(_ context.Context, _ connector.Account, in connector.Incoming) error { h.note(in); return nil })
		_, err := p.SetState(p.ctx, p.account.ID, connector.Paused)
		require.NoError(t, err)
		_, said := p.finding("connector.check.held")
		require.False(t, said)
		for range 5 {
			p.tell(contract.FakeCall{Subject: "c1"})
		}
		f, _ := p.finding("connector.check.held")
		require.Equal(t, "connector.held", f.Code)
		require.Equal(t, connector.Warn, f.State)
		require.NoError(t, p.LetGo(p.ctx, 3))
		f, _ = p.finding("connector.check.held")
		require.Equal(t, "connector.held_dropped", f.Code)
		require.Equal(t, connector.Fail, f.State)
		require.EqualValues(t, 2, f.Params["dropped"])
		require.EqualValues(t, 3, p.view().Inbox.Held)
		require.NoError(t, p.LetGo(p.ctx, 3))
		require.EqualValues(t, 2, p.view().Inbox.Dropped, "each counts once")

		_, err = p.SetState(p.ctx, p.account.ID, connector.Active)
		require.NoError(t, err)
		p.work()
		require.Equal(t, []string{"k3", "k4", "k5"}, h.all(), "the newest were kept")
		f, _ = p.finding("connector.check.held")
		require.Equal(t, "connector.held_dropped", f.Code, "whoever lets it go on is told")
		p.clock.Advance(15 * 24 * time.Hour)
		require.NoError(t, p.LetGo(p.ctx, 3))
		_, said = p.finding("connector.check.held")
		require.False(t, said)

		_, err = p.SetState(p.ctx, p.account.ID, connector.Paused)
		require.NoError(t, err)
		p.tell(contract.FakeCall{Subject: "c1"})
		p.clock.Advance(connector.HeldFor + time.Hour)
		p.tell(contract.FakeCall{Subject: "c1"})
		require.NoError(t, p.LetGo(p.ctx, 3))
		require.EqualValues(t, 1, p.view().Inbox.Held, "the other is too old")
	})
}

// What hangs on an account is counted before it is deleted, and goes with it.
func TestWhatHangsOnAnAccount(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		kept := int64(7)
		told := 0
		p.OnAccount(func() { told++ })
		p.Depend(connector.Dependent{
			Count: func(context.Context, string) ([]connector.Hanging, error) {
				return []connector.Hanging{{What: "staff.hanging_friends", Count: kept}, {What: "staff.hanging_members"}}, nil
			},
			Drop: func(_ context.Context, account string) error {
				require.Equal(t, p.account.ID, account)
				kept = 0
				return nil
			},
		})
		p.tell(contract.FakeCall{Subject: "c1"})
		list, err := p.Hanging(p.ctx, p.account.ID)
		require.NoError(t, err)
		require.Equal(t, []connector.Hanging{{What: "connector.hanging_callbacks", Count: 1}, {What: "staff.hanging_friends", Count: 7}}, list)
		_, err = p.SetState(p.ctx, p.account.ID, connector.Paused)
		require.NoError(t, err)
		_, err = p.SetState(p.ctx, p.account.ID, connector.Active)
		require.NoError(t, err)
		require.Equal(t, 1, told, "it goes on again")
		require.NoError(t, p.Delete(p.ctx, p.account.ID))
		require.Zero(t, kept)
		_, err = p.Hanging(p.ctx, p.account.ID)
		require.Error(t, err)
	})
}
