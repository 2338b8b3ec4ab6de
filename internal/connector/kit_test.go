package connector_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/testkit"
)

const sign = "signs-callbacks"

// audited remembers what was recorded.
type audited struct {
	mu      sync.Mutex
	actions []string
	details []map[string]any
}

func (a *audited) Record(_ context.Context, action string, _ audit.Object, detail map[string]any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.actions, a.details = append(a.actions, action), append(a.details, detail)
	return nil
}

// pond is a service with a platform and one account there.
type pond struct {
	*connector.Service
	t        *testing.T
	ctx      context.Context
	clock    *clock.Fake
	platform *contract.Fake
	audit    *audited
	account  connector.View
	n        int
}

func (p *pond) service(d *db.DB, node string) *connector.Service {
	s := connector.NewService(connector.Deps{DB: d, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: testkit.Logger(p.t), Keys: testkit.Ring(), Audit: p.audit,
		Guard: outbound.Guard{Private: true}, PublicURL: "https://pond.example/", Node: node})
	s.Register(contract.FakeKind())
	return s
}

func each(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		p := &pond{t: t, clock: testkit.Clock(), ctx: testkit.As(t.Context(), "admin"), platform: contract.NewFake(t), audit: &audited{}}
		p.Service = p.service(d, "a")
		v, err := p.Create(p.ctx, p.input())
		require.NoError(t, err)
		p.account = v
		fn(t, p)
	}, connector.Migrations())
}

func (p *pond) input() connector.Input {
	return connector.Input{Kind: "fake", Name: "总店", Settings: map[string]string{"corp": "corp1", connector.SettingBase: p.platform.URL},
		Secrets: map[string]string{"secret": contract.FakeSecret, "sign": sign}}
}

func (p *pond) conn() *contract.FakeConn {
	p.t.Helper()
	c, err := p.Conn(p.ctx, p.account.ID)
	require.NoError(p.t, err)
	return c.(*contract.FakeConn)
}

// tell has the platform tell something; it gives its key.
func (p *pond) tell(c contract.FakeCall) string {
	p.t.Helper()
	p.n++
	if c.Key == "" {
		c.Key = "k" + strconv.Itoa(p.n)
	}
	if c.Name == "" {
		c.Name = "thing.happened"
	}
	c.Corp, c.At = "corp1", p.clock.Now().Add(-time.Second)
	_, err := p.Receive(p.ctx, "fake", p.account.ID, c.Sign(sign))
	require.NoError(p.t, err)
	return c.Key
}

func (p *pond) work() { p.t.Helper(); require.NoError(p.t, p.Work(p.ctx)) }

func (p *pond) view() connector.View {
	p.t.Helper()
	v, err := p.Get(p.ctx, p.account.ID)
	require.NoError(p.t, err)
	return v
}

// states are the states of all callbacks by key, as far as the handler noted them.
func (p *pond) list(q connector.InboxQuery) []connector.Callback {
	p.t.Helper()
	q.Limit = 100
	list, err := p.Inbox(p.ctx, q)
	require.NoError(p.t, err)
	return list
}

// heard notes what handlers are given.
type heard struct {
	mu   sync.Mutex
	keys []string
}

func (h *heard) note(in connector.Incoming) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys = append(h.keys, in.Key)
}

func (h *heard) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.keys...)
}
