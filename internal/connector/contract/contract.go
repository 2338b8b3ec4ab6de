package contract

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// Subject is a kind of account with its platform, as the suite drives them. What is
// nil the kind does not do; Account and Call every kind has.
type Subject struct {
	Kind connector.Kind
	// Account is one that works: its base leads to the platform of the test.
	Account connector.Input
	// LookupTXT is the DNS of the test; nil: the machine's.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// Call makes one harmless call, with a token where the platform has them.
	Call func(ctx context.Context, c connector.Conn) error
	// Fetched is how often the platform was asked for a token; nil: it has none.
	Fetched func() int
	// Calls is how often it was called beside that.
	Calls func() int

	// Stale makes the tokens that were given out worthless.
	Stale func()
	// Busy has the next n calls answered that the system is busy.
	Busy func(n int)
	// Limit has calls answered that there were too many.
	Limit func()
	// BadSecrets replace those of the account: the platform refuses them.
	BadSecrets map[string]string

	// Callback makes the n-th thing that the platform tells, about a subject.
	Callback func(n int, subject string) connector.Request
	// Prove is the call by which the platform tests the address, and the answer it wants.
	Prove func() (r connector.Request, answer string)
	// Forged, Foreign and Garbled are calls that are refused: by their signature, as
	// meant for another corp, as not to be decrypted.
	Forged, Foreign, Garbled func() connector.Request

	// Message is one that arrives; Refused one that the platform refuses.
	Message, Refused func(key string) connector.Message
	// Sent is how often the platform took the message of a key.
	Sent func(key string) int
	// Receipt makes the call that tells that a message arrived.
	Receipt func(id string) connector.Request
}

// pond is a service with one account of the subject.
type pond struct {
	Subject
	*connector.Service
	t       *testing.T
	ctx     context.Context
	db      *db.DB
	account connector.View
}

func newService(t *testing.T, d *db.DB, sub Subject, node string) *connector.Service {
	c := clock.System{}
	s := connector.NewService(connector.Deps{DB: d, Clock: c, IDs: testkit.IDs(c), Log: testkit.Logger(t), Keys: testkit.Ring(), Guard: outbound.Guard{Private: true}, Node: node,
		PublicURL: "https://pond.example", Timeout: 5 * time.Second, LookupTXT: sub.LookupTXT})
	s.Register(sub.Kind)
	return s
}

func (p *pond) conn(s *connector.Service) connector.Conn {
	p.t.Helper()
	c, err := s.Conn(p.ctx, p.account.ID)
	require.NoError(p.t, err)
	return c
}

func (p *pond) call() error { return p.Call(p.ctx, p.conn(p.Service)) }

// at runs fn of n goroutines at the same time and gives the errors there were.
func at(n int, fn func(i int) error) []error {
	var wait sync.WaitGroup
	start := make(chan struct{})
	faults := make([]error, n)
	for i := range n {
		wait.Go(func() { <-start; faults[i] = fn(i) })
	}
	close(start)
	wait.Wait()
	var out []error
	for _, err := range faults {
		if err != nil {
			out = append(out, err)
		}
	}
	return out
}

// Run holds a kind to the promises of a connector, on both databases. make starts a
// platform of its own for each of them.
func Run(t *testing.T, make func(t *testing.T) Subject) {
	for _, part := range []struct {
		name string
		has  func(s Subject) bool
		run  func(p *pond)
	}{
		{"one fetches a token for all", func(s Subject) bool { return s.Fetched != nil }, oneFetches},
		{"a stale token is replaced once", func(s Subject) bool { return s.Stale != nil }, staleOnce},
		{"a busy platform is asked again, and not for ever", func(s Subject) bool { return s.Busy != nil && s.Calls != nil }, busy},
		{"too many calls say when to go on", func(s Subject) bool { return s.Limit != nil }, limited},
		{"bad credentials stop and tell the doctor", func(s Subject) bool { return s.BadSecrets != nil }, badCredentials},
		{"a check finds that all is well", func(Subject) bool { return true }, checks},
		{"the address is proved", func(s Subject) bool { return s.Prove != nil }, proves},
		{"a callback is worked on once, in order", func(s Subject) bool { return s.Callback != nil }, receives},
		{"what is not the platform's is refused", func(s Subject) bool { return s.Callback != nil }, refuses},
		{"a message is sent once", func(s Subject) bool { return s.Message != nil }, sends},
		{"several are sent once each", func(s Subject) bool { return s.Message != nil }, sendsAll},
		{"a refused message says why", func(s Subject) bool { return s.Refused != nil }, refusesMessage},
		{"a receipt follows", func(s Subject) bool { return s.Receipt != nil }, receipts},
	} {
		t.Run(part.name, func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
				s := make(t)
				if !part.has(s) {
					t.Skip("accounts of this kind do not do that")
				}
				p := &pond{Subject: s, Service: newService(t, d, s, "a"), t: t, ctx: testkit.As(t.Context(), "admin"), db: d}
				in := s.Account
				in.Kind, in.Name = s.Kind.Name, "账号"
				v, err := p.Create(p.ctx, in)
				require.NoError(t, err)
				p.account = v
				part.run(p)
			}, connector.Migrations())
		})
	}
}

// oneFetches: two nodes with a hundred callers each, and one token.
func oneFetches(p *pond) {
	other := newService(p.t, p.db, p.Subject, "b")
	before := p.Fetched()
	faults := at(200, func(i int) error {
		s := p.Service
		if i%2 == 1 {
			s = other
		}
		c, err := s.Conn(p.ctx, p.account.ID)
		if err != nil {
			return err
		}
		return p.Call(p.ctx, c)
	})
	require.Empty(p.t, faults)
	require.Equal(p.t, before+1, p.Fetched(), "one fetched for all")
}

func staleOnce(p *pond) {
	other := newService(p.t, p.db, p.Subject, "b")
	require.NoError(p.t, p.call())
	require.NoError(p.t, p.Call(p.ctx, p.conn(other)))
	before := p.Fetched()
	p.Stale()
	faults := at(100, func(i int) error {
		s := p.Service
		if i%2 == 1 {
			s = other
		}
		c, err := s.Conn(p.ctx, p.account.ID)
		if err != nil {
			return err
		}
		return p.Call(p.ctx, c)
	})
	require.Empty(p.t, faults)
	require.Equal(p.t, before+1, p.Fetched(), "a hundred saw it, one fetched")
}

func busy(p *pond) {
	require.NoError(p.t, p.call())
	p.Busy(2)
	require.NoError(p.t, p.call(), "it goes by")
	p.Busy(1000)
	before := p.Calls()
	err := p.call()
	require.Error(p.t, err)
	require.False(p.t, connector.GivenUp(err), "another time it may work")
	require.LessOrEqual(p.t, p.Calls()-before, 4, "one call, and three more at most")
	p.Busy(0)
	require.NoError(p.t, p.call())
}

func limited(p *pond) {
	require.NoError(p.t, p.call())
	p.Limit()
	err := p.call()
	var later *connector.Later
	require.True(p.t, errors.As(err, &later), "%v says when", err)
	require.True(p.t, later.Until.After(time.Now()))
}

func badCredentials(p *pond) {
	in := p.Subject.Account
	in.Name, in.Secrets = "账号", p.BadSecrets
	v, err := p.Change(p.ctx, p.account.ID, in)
	require.NoError(p.t, err)
	p.account = v
	before := 0
	if p.Fetched != nil {
		before = p.Fetched()
	}
	for range 5 {
		err := p.call()
		require.True(p.t, connector.GivenUp(err), "%v", err)
	}
	if p.Fetched != nil {
		require.Equal(p.t, before+1, p.Fetched(), "asking again does not make them right")
	}
	v, err = p.Get(p.ctx, p.account.ID)
	require.NoError(p.t, err)
	require.Equal(p.t, connector.Fail, v.Health, "the doctor knows without asking")
	v, err = p.Check(p.ctx, p.account.ID)
	require.NoError(p.t, err)
	require.Equal(p.t, connector.Fail, v.Health)
	require.Contains(p.t, findings(v), connector.Fail)
	in.Secrets = p.Subject.Account.Secrets
	_, err = p.Change(p.ctx, p.account.ID, in)
	require.NoError(p.t, err)
	require.NoError(p.t, p.call(), "at once with the right ones")
}

func findings(v connector.View) (states []string) {
	for _, f := range v.Findings {
		states = append(states, f.State)
	}
	return states
}

func checks(p *pond) {
	v, err := p.Check(p.ctx, p.account.ID)
	require.NoError(p.t, err)
	require.NotEmpty(p.t, v.Findings)
	for _, f := range v.Findings {
		require.NotEqual(p.t, connector.Fail, f.State, "%+v", f)
		require.NotEmpty(p.t, f.Check)
		require.NotEmpty(p.t, f.Code)
	}
}

func proves(p *pond) {
	r, want := p.Prove()
	a, err := p.Receive(p.ctx, p.Kind.Name, p.account.ID, r)
	require.NoError(p.t, err)
	require.Equal(p.t, want, string(a.Body))
}

// listen notes what handlers are given.
func (p *pond) listen() func() []connector.Incoming {
	var mu sync.Mutex
	var got []connector.Incoming
	p.On(p.Kind.Name, "*", func(_ context.Context, a connector.Account, in connector.Incoming) error {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, in)
		return nil
	})
	return func() []connector.Incoming { mu.Lock(); defer mu.Unlock(); return got }
}

func receives(p *pond) {
	got := p.listen()
	in := func(n int, subject string) {
		p.t.Helper()
		_, err := p.Receive(p.ctx, p.Kind.Name, p.account.ID, p.Subject.Callback(n, subject))
		require.NoError(p.t, err)
	}
	in(2, "someone") // the platform may tell what came later first
	in(1, "someone")
	in(3, "other")
	in(2, "someone")
	require.NoError(p.t, p.Work(p.ctx))
	in(1, "someone") // and again, after all is done
	require.NoError(p.t, p.Work(p.ctx))
	require.Len(p.t, got(), 3, "each once")
	keys := map[string]bool{}
	of := map[string][]time.Time{}
	for _, i := range got() {
		require.NotEmpty(p.t, i.Key)
		require.NotEmpty(p.t, i.Name)
		require.False(p.t, i.At.IsZero())
		require.NotEmpty(p.t, i.Body)
		keys[i.Key] = true
		of[i.Subject] = append(of[i.Subject], i.ReceivedAt)
	}
	require.Len(p.t, keys, 3)
	require.Len(p.t, of, 2, "two subjects")
}

func refuses(p *pond) {
	got := p.listen()
	for name, c := range map[string]struct {
		make func() connector.Request
		want error
	}{"forged": {p.Forged, connector.ErrSignature}, "foreign": {p.Foreign, connector.ErrReceiver}, "garbled": {p.Garbled, connector.ErrDecrypt}} {
		if c.make == nil {
			continue
		}
		_, err := p.Receive(p.ctx, p.Kind.Name, p.account.ID, c.make())
		require.ErrorIs(p.t, err, c.want, name)
	}
	for _, r := range []connector.Request{{Method: "POST"}, {Method: "GET"}, {Method: "POST", Body: []byte("<xml><Encrypt>AAAA</Encrypt></xml>")}} {
		_, err := p.Receive(p.ctx, p.Kind.Name, p.account.ID, r)
		require.Error(p.t, err)
	}
	require.NoError(p.t, p.Work(p.ctx))
	require.Empty(p.t, got())
	v, err := p.Get(p.ctx, p.account.ID)
	require.NoError(p.t, err)
	require.Equal(p.t, connector.Fail, v.Health, "the doctor knows that calls were refused")
}

func sends(p *pond) {
	r, err := p.Send(p.ctx, p.account.ID, p.Message("k1"))
	require.NoError(p.t, err)
	require.Equal(p.t, connector.Accepted, r.State, "%+v", r)
	require.NotEmpty(p.t, r.ID)
	other := newService(p.t, p.db, p.Subject, "b")
	again, err := other.Send(p.ctx, p.account.ID, p.Message("k1"))
	require.NoError(p.t, err)
	require.Equal(p.t, r.ID, again.ID)
	at(20, func(int) error { _, err := p.Send(p.ctx, p.account.ID, p.Message("k2")); return err }) // some are told that it is being sent
	require.Equal(p.t, []int{1, 1}, []int{p.Sent("k1"), p.Sent("k2")}, "once each")
}

func sendsAll(p *pond) {
	_, err := p.Send(p.ctx, p.account.ID, p.Message("k1"))
	require.NoError(p.t, err)
	list := []connector.Message{p.Message("k1"), p.Message("k2"), p.Message("k3"), {Key: ""}}
	ids := map[string]bool{}
	for range 2 {
		got, err := p.SendAll(p.ctx, p.account.ID, list)
		require.NoError(p.t, err)
		require.Len(p.t, got, 4)
		for _, one := range got[:3] {
			require.NoError(p.t, one.Err)
			require.Equal(p.t, connector.Accepted, one.Receipt.State, "%+v", one.Receipt)
			ids[one.Receipt.ID] = true
		}
		require.Error(p.t, got[3].Err, "one without a key is told apart from none")
	}
	require.Len(p.t, ids, 3, "each has a receipt of its own")
	require.Equal(p.t, []int{1, 1, 1}, []int{p.Sent("k1"), p.Sent("k2"), p.Sent("k3")})
}

func refusesMessage(p *pond) {
	r, err := p.Send(p.ctx, p.account.ID, p.Refused("k1"))
	require.NoError(p.t, err)
	require.Equal(p.t, connector.Refused, r.State)
	require.NotEmpty(p.t, r.Reason, "and why")
}

func receipts(p *pond) {
	r, err := p.Send(p.ctx, p.account.ID, p.Message("k1"))
	require.NoError(p.t, err)
	_, err = p.Receive(p.ctx, p.Kind.Name, p.account.ID, p.Receipt(r.ID))
	require.NoError(p.t, err)
	require.NoError(p.t, p.Work(p.ctx))
	r, err = p.ReceiptOf(p.ctx, p.account.ID, "k1")
	require.NoError(p.t, err)
	require.Equal(p.t, connector.Delivered, r.State)
}
