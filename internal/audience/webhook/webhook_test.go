package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// receiver is the other program: it answers as it is told and keeps what it got.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request)
	got    []delivery
	ids    []string
	faults []string
	secret string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		id, at := q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp")
		if _, err := strconv.ParseInt(at, 10, 64); err != nil || q.Header.Get("webhook-signature") != Sign(r.secret, id, at, body) {
			r.faults = append(r.faults, "the signature is wrong")
		}
		if r.answer != nil {
			r.answer(w, q)
			return
		}
		var d delivery
		if err := json.Unmarshal(body, &d); err != nil {
			r.faults = append(r.faults, err.Error())
		}
		r.got, r.ids = append(r.got, d), append(r.ids, id)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) says(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = nil
	if status != 0 {
		r.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
}

// heard lists what arrived: "entered sg_1 ct_1".
func (r *receiver) heard(t *testing.T) (out []string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Empty(t, r.faults)
	for _, d := range r.got {
		for _, e := range d.Events {
			out = append(out, fmt.Sprint(e.Event[len("segment."):], " ", e.Segment.ID, " ", e.Contact))
		}
	}
	return out
}

type asContext struct{}

func (asContext) Authenticate(r *http.Request) (*auth.Principal, error) {
	return auth.From(r.Context()), nil
}

type segments []string

func (s segments) Known(context.Context, []string) ([]string, error) { return s, nil }

type pond struct {
	*Service
	t     *testing.T
	ctx   context.Context
	clock *clock.Fake
	r     *receiver
}

func each(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		p := &pond{t: t, clock: testkit.Clock(), ctx: testkit.As(t.Context(), "admin"), r: newReceiver(t)}
		p.Service = NewService(Deps{DB: d, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: testkit.Logger(t), Keys: testkit.Ring(), Segments: segments{"sg_1", "sg_2"},
			Guard: outbound.Guard{Private: true}, Timeout: 300 * time.Millisecond})
		fn(t, p)
	}, Migrations())
}

func (p *pond) hook(in Input) Webhook {
	p.t.Helper()
	in.Name, in.URL = "接收方", p.r.URL
	w, secret, err := p.Create(p.ctx, in)
	require.NoError(p.t, err)
	p.r.secret = secret
	return w
}

func fact(name, segment, contact string, live bool) event.Stored {
	props, _ := json.Marshal(map[string]any{"segment": segment, "segmentName": "人群", "reason": "fact", "live": live})
	return event.Stored{Fact: event.Fact{Name: name, Properties: props, Timestamp: 1_770_000_000_000}, ContactID: contact}
}

func (p *pond) handle(facts ...event.Stored) {
	p.t.Helper()
	require.NoError(p.t, p.DB.Tx(p.ctx, func(ctx context.Context) error { return p.Handle(ctx, facts) }))
}

func (p *pond) deliver() { p.t.Helper(); require.NoError(p.t, p.Deliver(p.ctx)) }

func (p *pond) now(id string) Webhook {
	p.t.Helper()
	w, err := p.Get(p.ctx, id)
	require.NoError(p.t, err)
	return w
}

func TestTells(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		w := p.hook(Input{Segments: []string{"sg_1"}, Events: []string{event.NameSegmentEntered}, LiveOnly: true})
		p.handle(fact(event.NameSegmentEntered, "sg_1", "ct_1", true), fact(event.NameSegmentLeft, "sg_1", "ct_1", true), fact(event.NameSegmentEntered, "sg_2", "ct_1", true),
			fact(event.NameSegmentEntered, "sg_1", "ct_2", false), fact("order.paid", "sg_1", "ct_1", true), fact(event.NameSegmentEntered, "sg_1", "ct_3", true))
		// A transaction that is rolled back queues nothing.
		err := p.DB.Tx(p.ctx, func(ctx context.Context) error {
			require.NoError(t, p.Handle(ctx, []event.Stored{fact(event.NameSegmentEntered, "sg_1", "ct_9", true)}))
			return errors.New("cut off")
		})
		require.Error(t, err)
		p.deliver()
		require.Equal(t, []string{"entered sg_1 ct_1", "entered sg_1 ct_3"}, p.r.heard(t))
		got := p.now(w.ID)
		require.EqualValues(t, []int64{2, 0, 0}, []int64{got.Sent, got.Waiting, got.Dead})
		p.deliver()
		require.Len(t, p.r.heard(t), 2, "what arrived is not sent again")
		tried, err := p.Test(p.ctx, w.ID)
		require.NoError(t, err)
		require.True(t, tried.OK)
		require.Len(t, p.r.heard(t), 2, "a test tells of nobody")
	})
}

func TestTriesAgainInOrder(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		w := p.hook(Input{})
		p.r.says(500)
		p.handle(fact(event.NameSegmentEntered, "sg_1", "ct_1", true))
		p.handle(fact(event.NameSegmentLeft, "sg_1", "ct_1", true))
		p.deliver()
		require.Equal(t, "webhook.refused", p.now(w.ID).Fault)
		p.r.says(0)
		p.deliver()
		require.Empty(t, p.r.heard(t), "its time has not come, and the later one waits for it")
		p.clock.Advance(waits[0])
		p.deliver()
		require.Equal(t, []string{"entered sg_1 ct_1", "left sg_1 ct_1"}, p.r.heard(t))
		require.Empty(t, p.now(w.ID).Fault)
	})
}

func TestGivesUpAndSendsAgain(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		w := p.hook(Input{})
		p.r.says(503)
		p.handle(fact(event.NameSegmentEntered, "sg_1", "ct_1", true))
		for i := range len(waits) + 1 {
			p.deliver()
			if i < len(waits) {
				p.clock.Advance(waits[i])
			}
		}
		got := p.now(w.ID)
		require.EqualValues(t, []int64{0, 1}, []int64{got.Waiting, got.Dead})
		p.r.says(0)
		p.handle(fact(event.NameSegmentEntered, "sg_1", "ct_2", true))
		p.deliver()
		require.Equal(t, []string{"entered sg_1 ct_2"}, p.r.heard(t), "the others go on")
		list, err := p.Deliveries(p.ctx, w.ID, dead, 0, 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, 503, list[0].Status)
		require.EqualValues(t, len(waits)+1, list[0].Tries)
		n, err := p.Retry(p.ctx, w.ID, []string{list[0].ID})
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		p.deliver()
		require.Equal(t, []string{"entered sg_1 ct_2", "entered sg_1 ct_1"}, p.r.heard(t))
		require.Equal(t, list[0].ID, p.r.ids[1], "the id stays, so that a receiver knows it again")
		p.r.says(503)
		p.handle(fact(event.NameSegmentLeft, "sg_1", "ct_1", true))
		p.deliver()
		n, err = p.Retry(p.ctx, w.ID, nil)
		require.NoError(t, err)
		require.Zero(t, n, "without names it speaks of what was given up, not of what waits")
	})
}

func TestHostileReceivers(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		w := p.hook(Input{})
		p.handle(fact(event.NameSegmentEntered, "sg_1", "ct_1", true))
		again := func() { p.clock.Advance(24 * time.Hour); p.deliver() }
		p.r.mu.Lock()
		p.r.answer = func(http.ResponseWriter, *http.Request) { time.Sleep(500 * time.Millisecond) } // longer than the client waits
		p.r.mu.Unlock()
		p.deliver()
		require.Equal(t, "webhook.slow", p.now(w.ID).Fault)
		inside := 0
		inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside++ }))
		defer inner.Close()
		p.r.mu.Lock()
		p.r.answer = func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, inner.URL, http.StatusTemporaryRedirect)
		}
		p.r.mu.Unlock()
		again()
		require.Equal(t, "webhook.redirects", p.now(w.ID).Fault)
		require.Zero(t, inside, "redirects are not followed")
		p.r.says(410)
		again()
		got := p.now(w.ID)
		require.Equal(t, []string{Paused, "webhook.gone"}, []string{got.State, got.Fault})
		p.r.says(0)
		again()
		require.Empty(t, p.r.heard(t), "a paused one is left alone")
		_, err := p.Update(p.ctx, w.ID, Input{Name: w.Name, URL: p.r.URL})
		require.NoError(t, err)
		p.deliver()
		require.Equal(t, []string{"entered sg_1 ct_1"}, p.r.heard(t), "and goes on where it stopped")
		p.r.Close()
		p.handle(fact(event.NameSegmentLeft, "sg_1", "ct_1", true))
		p.deliver()
		require.Equal(t, "webhook.unreachable", p.now(w.ID).Fault)
	})
}

// A name that leads inside is refused when it is called, whatever was typed.
func TestPrivateAddressesAreNotCalled(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		w := p.hook(Input{})
		strict := NewService(p.Deps)
		strict.Guard = outbound.Guard{}
		strict.client = strict.Guard.Client(time.Second)
		tried, err := strict.Test(p.ctx, w.ID)
		require.NoError(t, err)
		require.Equal(t, "outbound.private", tried.Fault)
		_, _, err = strict.Create(p.ctx, Input{Name: "x", URL: p.r.URL})
		require.Equal(t, "outbound.private", errs.As(err).Fields[0].Code)
	})
}

func TestStartAndStop(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.hook(Input{})
		require.NoError(t, p.Start(p.ctx))
		require.NoError(t, p.Start(p.ctx))
		p.handle(fact(event.NameSegmentEntered, "sg_1", "ct_1", true))
		require.Eventually(t, func() bool { return len(p.r.heard(t)) == 1 }, 30*time.Second, 5*time.Millisecond)
		require.NoError(t, p.Stop(p.ctx))
		require.NoError(t, p.Stop(p.ctx))
	})
}

// A receiver that is away for long does not fill the records.
func TestTooMuchWaits(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		w := p.hook(Input{})
		_, err := p.DB.Exec(p.ctx, `insert into webhook_deliveries (n, id, webhook, state, body, events, at, tries, next_at, status, fault)
			select 1000000 + a.n * 200 + b.n, 'x', $1, 'waiting', '{}', 1, 1, 0, 0, 0, '' from
			(`+numbers(100)+`) a, (`+numbers(200)+`) b`, w.ID)
		require.NoError(t, err)
		p.handle(fact(event.NameSegmentEntered, "sg_1", "ct_1", true))
		got := p.now(w.ID)
		require.Equal(t, []string{Paused, "webhook.too_far_behind"}, []string{got.State, got.Fault})
	})
}

func numbers(n int) string {
	out := "select 0 as n"
	for i := 1; i < n; i++ {
		out += " union all select " + strconv.Itoa(i)
	}
	return out
}

func TestWebhooksOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		cat, err := i18n.Load(testkit.Quiet())
		require.NoError(t, err)
		api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Version: "1", Auth: asContext{}, Log: testkit.Quiet(), Catalogue: cat, Clock: p.clock})
		p.Routes(api)
		h := api.Handler()
		ask := func(ctx context.Context, method, path string, body any, into any) int {
			t.Helper()
			raw, err := json.Marshal(body)
			require.NoError(t, err)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(raw)))
			if into != nil {
				require.NoError(t, json.Unmarshal(rec.Body.Bytes(), into), rec.Body.String())
			}
			return rec.Code
		}
		var made struct {
			Webhook Webhook
			Secret  string
		}
		in := Input{Name: "CRM", URL: p.r.URL, Segments: []string{"sg_1"}}
		require.Equal(t, 200, ask(p.ctx, "POST", "/api/webhooks", in, &made))
		require.Contains(t, made.Secret, "whsec_")
		var stored string
		require.NoError(t, p.DB.QueryRow(p.ctx, "select url_enc || secret_enc from webhooks").Scan(&stored))
		require.NotContains(t, stored, made.Secret)
		require.NotContains(t, stored, p.r.URL)
		base := "/api/webhooks/" + made.Webhook.ID
		for path, want := range map[string]int{"": 200, "/deliveries": 200, "/deliveries?state=waiting": 200} {
			var out any
			require.Equal(t, want, ask(p.ctx, "GET", base+path, nil, &out), path)
			require.NotContains(t, fmt.Sprint(out), made.Secret)
		}
		var seen Webhook
		require.Equal(t, 200, ask(p.ctx, "GET", base, nil, &seen))
		require.Equal(t, p.r.URL, seen.URL)
		require.Equal(t, 200, ask(testkit.As(t.Context(), "growth"), "GET", base, nil, &seen))
		require.Equal(t, p.r.URL+"/…", seen.URL, "who may not change it sees the host alone")
		named, err := p.Naming(p.ctx, "sg_1")
		require.NoError(t, err)
		require.Len(t, named, 1)
		named, err = p.Naming(p.ctx, "sg_2")
		require.NoError(t, err)
		require.Empty(t, named)
		for _, bad := range []Input{{Name: "", URL: p.r.URL}, {Name: "x", URL: "ftp://x"}, {Name: "x", URL: p.r.URL, Segments: []string{"sg_9"}}, {Name: "x", URL: p.r.URL, Events: []string{"order.paid"}}} {
			require.Equal(t, 422, ask(p.ctx, "POST", "/api/webhooks", bad, nil), "%v", bad)
		}
		require.Equal(t, 404, ask(p.ctx, "GET", "/api/webhooks/wh_9", nil, nil))
		for _, who := range []context.Context{testkit.As(t.Context(), "user_ops"), testkit.Scoped(t.Context(), "admin", true, "us_a")} {
			require.Equal(t, 403, ask(who, "POST", "/api/webhooks", in, nil))
			require.Equal(t, 403, ask(who, "GET", "/api/webhooks", nil, nil))
			require.Equal(t, 403, ask(who, "POST", base+"/test", nil, nil))
		}
		var again struct{ Secret string }
		require.Equal(t, 200, ask(p.ctx, "POST", base+"/secret", nil, &again))
		require.NotEqual(t, made.Secret, again.Secret)
		p.r.secret = again.Secret
		var tried Tried
		require.Equal(t, 200, ask(p.ctx, "POST", base+"/test", nil, &tried))
		require.True(t, tried.OK)
		require.Empty(t, p.r.heard(t))
		require.Equal(t, 204, ask(p.ctx, "DELETE", base, nil, nil))
	})
}

// The code that the console and the handbook show to receivers accepts this very
// signature (samples.test.ts).
func TestSignature(t *testing.T) {
	require.Equal(t, "v1,ihsLleFeWjM2rIQ3bQvhLS/crq3/Kxt1W4eaJs6nql8=",
		Sign("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "wd_1", "1772330400", []byte(`{"type":"test","events":[]}`)))
}
