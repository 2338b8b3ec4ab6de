package wechat_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// simulated is a simulator that counts what it is asked.
type simulated struct {
	*sim.Sim
	t             *testing.T
	url           string
	tokens, calls atomic.Int64
}

func newSim(t *testing.T, change ...func(*sim.Options)) *simulated {
	o := sim.Options{Seed: 7, Pause: time.Millisecond, Friends: 6}
	for _, c := range change {
		c(&o)
	}
	s := &simulated{Sim: sim.New(o), t: t}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/stable_token") {
			s.tokens.Add(1)
		} else {
			s.calls.Add(1)
		}
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { s.Close(); server.Close() })
	s.url = server.URL
	return s
}

// access are the credentials of the app of a sort.
func (s *simulated) access(kind string) sim.AppAccess {
	for _, a := range s.AppAccess() {
		if a.Kind == kind {
			return a
		}
	}
	require.Fail(s.t, "no such app")
	return sim.AppAccess{}
}

func (s *simulated) account(kind, mode string) connector.Input {
	a := s.access(kind)
	name := wechat.Name
	if kind == sim.AppMini {
		name = wechat.NameMini
	}
	return connector.Input{Kind: name, Name: a.Name, Settings: map[string]string{"appId": a.AppID, "mode": mode, connector.SettingBase: s.url + "/wechat"},
		Secrets: map[string]string{"secret": a.Secret, "token": a.Token, "aesKey": a.AESKey}}
}

func (s *simulated) fault(f sim.Fault) {
	_, err := s.AddFault(f)
	require.NoError(s.t, err)
}

// person invents somebody.
func (s *simulated) person(name string) sim.Person {
	s.t.Helper()
	p, err := s.Invent(name, 2)
	require.NoError(s.t, err)
	return p
}

// stream takes facts and keeps each message id once, as the real one does.
type stream struct {
	mu    sync.Mutex
	facts []event.Fact
	seen  map[string]bool
}

func (s *stream) Ingest(_ context.Context, facts []event.Fact) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	for _, f := range facts {
		if !s.seen[f.MessageID] {
			s.seen[f.MessageID] = true
			s.facts = append(s.facts, f)
		}
	}
	return uint64(len(s.facts)), nil
}

func (s *stream) Wait(context.Context, uint64) error { return nil }

// of gives the facts of a name.
func (s *stream) of(name string) (out []event.Fact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.facts {
		if f.Name == name {
			out = append(out, f)
		}
	}
	return out
}

// names are those of all facts.
func (s *stream) names() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.facts {
		out = append(out, f.Name)
	}
	return out
}

func idOf(f event.Fact, kind string) string {
	for _, i := range f.Identifiers {
		if i.Kind == kind {
			return i.Value
		}
	}
	return ""
}

// program is the program as far as accounts go: called back by the simulator, with the
// facts that follow.
type program struct {
	*connector.Service
	t      *testing.T
	ctx    context.Context
	sim    *simulated
	server *httptest.Server
	stream *stream
	signIn *wechat.SignIn
}

func newProgram(t *testing.T, s *simulated, c clock.Clock) *program {
	t.Helper()
	p := &program{t: t, ctx: testkit.As(t.Context(), "admin"), sim: s, stream: &stream{}}
	p.Service = connector.NewService(connector.Deps{DB: testkit.SQLite(t, connector.Migrations()), Clock: c, IDs: testkit.IDs(c), Log: testkit.Logger(t), Keys: testkit.Ring(), Guard: outbound.Guard{Private: true}, PublicURL: "https://koi.example"})
	p.Register(wechat.Kind())
	p.Register(wechat.KindMini())
	p.Register(wecom.Kind())
	told := &wechat.Facts{Conn: p.Conn, Ingest: p.stream, Log: testkit.Logger(t)}
	for _, kind := range []string{wechat.Name, wechat.NameMini} {
		for name, h := range told.Handlers(kind) {
			p.On(kind, name, h)
		}
	}
	friends := &wecom.Facts{Ingest: p.stream, Log: testkit.Logger(t), Conn: func(ctx context.Context, account string) (*wecom.Client, error) {
		c, err := p.Conn(ctx, account)
		if err != nil {
			return nil, err
		}
		return c.(*wecom.Client), nil
	}}
	for name, h := range friends.Handlers() {
		p.On(wecom.Name, name, h)
	}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.server.Close)
	p.signIn = &wechat.SignIn{Conn: p.Conn, Ingest: p.stream, Keys: testkit.Ring(), Clock: c, Log: testkit.Logger(t), URL: func() string { return p.server.URL },
		Visitor: func(http.ResponseWriter, *http.Request) string { return "visitor-1" }}
	return p
}

// add sets an account up and has the simulator call it back.
func (p *program) add(kind, mode string) string {
	p.t.Helper()
	v, err := p.Create(p.ctx, p.sim.account(kind, mode))
	require.NoError(p.t, err)
	a := p.sim.access(kind)
	require.NoError(p.t, p.sim.SetAppCallback(p.ctx, a.AppID, p.server.URL+connector.HookPath(v.Kind, v.ID), a.Token, a.AESKey, mode == "plain"))
	return v.ID
}

func (p *program) official(id string) *wechat.Official {
	p.t.Helper()
	c, err := p.Conn(p.ctx, id)
	require.NoError(p.t, err)
	return c.(*wechat.Official)
}

func (p *program) mini(id string) *wechat.Mini {
	p.t.Helper()
	c, err := p.Conn(p.ctx, id)
	require.NoError(p.t, err)
	return c.(*wechat.Mini)
}

// settle waits until everything was told and worked on.
func (p *program) settle() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	require.NoError(p.t, p.sim.Settle(ctx))
	require.NoError(p.t, p.Work(ctx))
}

// do lets somebody do something, and waits for what comes of it.
func (p *program) do(a sim.Act) sim.Done {
	p.t.Helper()
	d, err := p.sim.Do(p.ctx, a)
	require.NoError(p.t, err)
	p.settle()
	return d
}

// chat is what somebody's phone shows of an app.
func (p *program) chat(who, kind string) sim.ChatView {
	p.t.Helper()
	ph, err := p.sim.Phone(who)
	require.NoError(p.t, err)
	for _, c := range ph.Chats {
		if c.Kind == kind {
			return c
		}
	}
	require.Fail(p.t, "no such chat", "%s of %s", kind, who)
	return sim.ChatView{}
}

// serve answers as the program's own routes do: callbacks, and people signing in.
func (p *program) serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if parts[0] == "hooks" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		a, err := p.Receive(r.Context(), parts[1], parts[2], connector.Request{Method: r.Method, Query: r.URL.Query(), Header: r.Header, Body: body, IP: "192.0.2.1"})
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write(a.Body)
		return
	}
	w.WriteHeader(http.StatusOK) // a page
}
