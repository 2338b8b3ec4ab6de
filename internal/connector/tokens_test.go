package connector_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
	"github.com/koipond/koipond/internal/platform/errs"
)

// counter gives tokens that tell how often it was asked.
type counter struct {
	n    atomic.Int64
	life time.Duration
	err  error
	gate chan struct{} // when set, fetching waits for it
}

func (c *counter) fetch(ctx context.Context) (string, time.Duration, error) {
	n := c.n.Add(1)
	if c.gate != nil {
		select {
		case <-c.gate:
		case <-ctx.Done():
			return "", 0, ctx.Err()
		}
	}
	return fmt.Sprintf("t%d", n), c.life, c.err
}

func TestTwoHundredFetchOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		other := p.service(p.DB, "b")
		c := &counter{life: 2 * time.Hour, gate: make(chan struct{})}
		var wait sync.WaitGroup
		got := make([]string, 200)
		for i := range got {
			s := p.Service
			if i%2 == 1 {
				s = other
			}
			wait.Go(func() {
				conn, err := s.Conn(p.ctx, p.account.ID)
				if err == nil {
					got[i], err = conn.(*contract.FakeConn).Token(p.ctx, "x", c.fetch)
				}
				if err != nil {
					got[i] = err.Error()
				}
			})
		}
		require.Eventually(t, func() bool { return c.n.Load() == 1 }, 30*time.Second, time.Millisecond)
		close(c.gate)
		wait.Wait()
		for _, g := range got {
			require.Equal(t, "t1", g)
		}
		var stored string
		require.NoError(t, p.DB.QueryRow(p.ctx, "select token_enc from connector_tokens").Scan(&stored))
		require.True(t, strings.HasPrefix(stored, "s1."), "sealed: %s", stored)
	})
}

func TestTokensAreRenewedEarlyAndOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := &counter{life: 2 * time.Hour}
		get := func() string {
			t.Helper()
			s, err := p.conn().Token(p.ctx, "x", c.fetch)
			require.NoError(t, err)
			return s
		}
		require.Equal(t, "t1", get())
		p.clock.Advance(2*time.Hour - connector.RenewBefore - time.Second)
		require.Equal(t, "t1", get())
		p.clock.Advance(2 * time.Second)
		require.Equal(t, "t2", get(), "five minutes before its end")
		// While one renews, the others go on with the token that still lives.
		p.clock.Advance(2*time.Hour - connector.RenewBefore + time.Second)
		c.gate = make(chan struct{})
		done := make(chan string)
		go func() { s, _ := p.conn().Token(p.ctx, "x", c.fetch); done <- s }()
		require.Eventually(t, func() bool { return c.n.Load() == 3 }, 30*time.Second, time.Millisecond)
		require.Equal(t, "t2", get())
		close(c.gate)
		require.Equal(t, "t3", <-done)
		// A platform that is away does not matter while the token lives.
		p.clock.Advance(2*time.Hour - connector.RenewBefore + time.Second)
		c.err = errors.New("away")
		require.Equal(t, "t3", get())
		p.clock.Advance(time.Hour)
		_, err := p.conn().Token(p.ctx, "x", c.fetch)
		require.ErrorContains(t, err, "away")
		c.err = nil
		require.Equal(t, "t6", get())
	})
}

func TestAHundredRefreshOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		other := p.service(p.DB, "b")
		c := &counter{life: 2 * time.Hour}
		conns := []*contract.FakeConn{}
		for i := range 100 {
			s := p.Service
			if i%2 == 1 {
				s = other
			}
			conn, err := s.Conn(p.ctx, p.account.ID)
			require.NoError(t, err)
			conns = append(conns, conn.(*contract.FakeConn))
		}
		stale, err := conns[0].Token(p.ctx, "x", c.fetch)
		require.NoError(t, err)
		var wait sync.WaitGroup
		got := make([]string, len(conns))
		for i, e := range conns {
			wait.Go(func() {
				s, err := e.Refresh(p.ctx, "x", stale, c.fetch)
				if err != nil {
					s = err.Error()
				}
				got[i] = s
			})
		}
		wait.Wait()
		for _, g := range got {
			require.Equal(t, "t2", g)
		}
		require.EqualValues(t, 2, c.n.Load())
	})
}

// Whoever waits for another one's fetch is not taken down with it.
func TestACallerWhoLeavesTakesNobodyAlong(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := &counter{life: time.Hour, gate: make(chan struct{})}
		short, cancel := context.WithCancel(p.ctx)
		left := make(chan error)
		go func() { _, err := p.conn().Token(short, "x", c.fetch); left <- err }()
		require.Eventually(t, func() bool { return c.n.Load() == 1 }, 30*time.Second, time.Millisecond)
		stayed := make(chan string)
		go func() { s, _ := p.conn().Token(p.ctx, "x", c.fetch); stayed <- s }()
		cancel()
		require.ErrorIs(t, <-left, context.Canceled)
		close(c.gate)
		require.Equal(t, "t2", <-stayed)
	})
}

func TestRefusedCredentialsAreNotTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := &counter{life: time.Hour, err: connector.GiveUp(errs.New(errs.Conflict, "fake.bad_secret"))}
		for range 3 {
			_, err := p.conn().Token(p.ctx, "x", c.fetch)
			require.True(t, connector.GivenUp(err))
		}
		require.EqualValues(t, 1, c.n.Load())
		require.Equal(t, connector.Fail, p.view().Health)
		p.clock.Advance(connector.RefusedFor + time.Second)
		c.err = nil
		s, err := p.conn().Token(p.ctx, "x", c.fetch)
		require.NoError(t, err)
		require.Equal(t, "t2", s)
	})
}

// A change of the account makes all tokens of before worthless, also those that are
// on their way.
func TestTokensOfOldCredentialsAreGone(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := &counter{life: time.Hour}
		old := p.conn()
		_, err := old.Token(p.ctx, "x", c.fetch)
		require.NoError(t, err)
		c.gate = make(chan struct{})
		late := make(chan error)
		go func() { _, err := old.Refresh(p.ctx, "x", "t1", c.fetch); late <- err }()
		require.Eventually(t, func() bool { return c.n.Load() == 2 }, 30*time.Second, time.Millisecond)
		_, err = p.Change(p.ctx, p.account.ID, p.input())
		require.NoError(t, err)
		close(c.gate)
		require.NoError(t, <-late, "who began before may go on")
		s, err := p.conn().Token(p.ctx, "x", c.fetch)
		require.NoError(t, err)
		require.Equal(t, "t3", s, "but leaves nothing to those who come after")
	})
}
