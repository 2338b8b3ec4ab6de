package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// start is noon of a working day in China.
var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// pond is the service on a fresh database, with what it told others.
type pond struct {
	*Service
	t     testing.TB
	ctx   context.Context
	clock *clock.Fake
	emit  *emitted
	audit *audit.Service
	queue *queue
	seq   uint64
}

func newPond(t testing.TB, d *db.DB) *pond {
	ring, err := secret.NewRing(make([]byte, secret.KeySize))
	require.NoError(t, err)
	p := &pond{t: t, clock: clock.NewFake(start), emit: &emitted{}, queue: &queue{handlers: map[string]jobs.Handler{}}}
	p.ctx = auth.With(t.Context(), &auth.Principal{ID: "us_1", Name: "王芳", Via: auth.ViaSession, Role: "admin", Scope: auth.Everybody()})
	ids := id.NewSource(p.clock.Now, nil)
	p.audit, err = audit.New(audit.Deps{DB: d, Clock: p.clock, Log: testkit.Quiet(), Key: make([]byte, 32)})
	require.NoError(t, err)
	contacts := contact.NewService(contact.Deps{DB: d, Clock: p.clock, IDs: ids, Log: testkit.Logger(t), Keys: ring, Emit: p.emit, Audit: p.audit, CacheSize: 64})
	files, err := blob.NewFolder(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = files.Close() })
	p.Service = NewService(Deps{Files: blob.Seal(files, ring), DB: d, Clock: p.clock, IDs: ids, Log: testkit.Quiet(), Keys: ring, Emit: p.emit, Audit: p.audit, Contacts: contacts, Jobs: p.queue,
		Brand: func(context.Context) (Brand, error) {
			return Brand{Company: "山月家居", Timezone: "Asia/Shanghai", Language: i18n.ZH}, nil
		}, PublicURL: "https://pond.example"})
	return p
}

// each runs fn on a pond on every engine.
func each(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newPond(t, d)) }, audit.Migrations(), contact.Migrations(), Migrations())
}

// person makes somebody and gives the number and the public id.
func (p *pond) person(n contact.NewContact) (int64, string) {
	p.t.Helper()
	if n.Name == "" {
		n.Name = "李小明"
	}
	c, err := p.Contacts.Create(p.ctx, n)
	require.NoError(p.t, err)
	num, err := p.Contacts.NumOf(p.ctx, c.ID)
	require.NoError(p.t, err)
	return num, c.ID
}

// people makes n persons.
func (p *pond) people(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i], _ = p.person(contact.NewContact{Name: fmt.Sprint("客户", i), ExternalID: fmt.Sprint("x", i)})
	}
	return out
}

// join merges people by a fact that carries an identity of each.
func (p *pond) join(a, b int64) {
	p.t.Helper()
	p.resolve(event.Fact{Identifiers: []event.Identifier{{Kind: "external_id", Value: fmt.Sprint("x", a)}, {Kind: "external_id", Value: fmt.Sprint("x", b)}}})
}

func (p *pond) resolve(f event.Fact) event.Resolution {
	p.t.Helper()
	p.seq++
	if f.Timestamp == 0 {
		f.Timestamp = p.clock.Now().UnixMilli()
	}
	f.ReceivedAt, f.MessageID, f.Source = f.Timestamp, fmt.Sprint("m", p.seq), "web"
	if f.Type == "" {
		f.Type, f.Name = event.Track, "viewed"
	}
	var out event.Resolved
	err := p.DB.Tx(p.ctx, func(ctx context.Context) (err error) {
		out, err = p.Contacts.Resolver().Resolve(ctx, []event.Fact{f}, []event.Position{{Seq: p.seq}})
		return err
	})
	require.NoError(p.t, err)
	require.Nil(p.t, out.Facts[0].Err)
	return out.Facts[0]
}

func (p *pond) say(num int64, purpose string, ch Channel, st State) {
	p.t.Helper()
	require.NoError(p.t, p.Write(p.ctx, []Said{{Contact: num, Purpose: purpose, Channel: ch, State: st, Source: FromStaff}}))
}

// may asks in one word: the reason, with ! before it when it is no.
func (p *pond) may(num int64, purpose string, ch Channel) string {
	p.t.Helper()
	d, err := p.May(p.ctx, num, purpose, ch)
	require.NoError(p.t, err)
	if d.Allowed {
		return string(d.Reason)
	}
	return "!" + string(d.Reason)
}

// react hands stored facts to the subscriber as the pipeline does.
func (p *pond) react(facts ...event.Stored) {
	p.t.Helper()
	require.NoError(p.t, p.DB.Tx(p.ctx, func(ctx context.Context) error { return p.Handle(ctx, facts) }))
}

func (p *pond) rows() int64 {
	p.t.Helper()
	var n int64
	require.NoError(p.t, p.DB.QueryRow(p.ctx, "select count(*) from consent_ledger").Scan(&n))
	return n
}

// sound checks that the chain holds and that what is kept is what the ledger says.
func (p *pond) sound() {
	p.t.Helper()
	r, err := p.Verify(p.ctx, nil)
	require.NoError(p.t, err)
	require.True(p.t, r.OK, "%+v", r)
	require.Zero(p.t, r.Mended, "%+v", r)
}

// emitted keeps what was stated.
type emitted struct {
	mu    sync.Mutex
	facts []event.Fact
}

func (e *emitted) Emit(_ context.Context, facts ...event.Fact) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.facts = append(e.facts, facts...)
	return nil
}

func (e *emitted) names() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, f := range e.facts {
		if strings.HasPrefix(f.Name, "consent.") {
			out = append(out, f.Name)
		}
	}
	return out
}

// queue runs jobs at once when told to, and can break off after a checkpoint.
type queue struct {
	handlers map[string]jobs.Handler
	jobs     []*fakeRun
	cutAfter int // checkpoints until the power goes; 0 never
}

func (q *queue) Register(kind string, h jobs.Handler) { q.handlers[kind] = h }
func (q *queue) Enqueue(_ context.Context, s jobs.Spec) (jobs.Job, error) {
	raw, err := json.Marshal(s.Params)
	r := &fakeRun{q: q, job: jobs.Job{ID: fmt.Sprint("jb_", len(q.jobs)), Kind: s.Kind, Title: s.Title, Params: raw, State: jobs.Queued}}
	q.jobs = append(q.jobs, r)
	return r.job, err
}
func (q *queue) Get(_ context.Context, id string) (jobs.Job, error) {
	for _, r := range q.jobs {
		if r.job.ID == id {
			return r.job, nil
		}
	}
	return jobs.Job{}, errs.New(errs.NotFound, "jobs.no_such_job")
}
func (q *queue) Cancel(ctx context.Context, id string) (jobs.Job, error) { return q.Get(ctx, id) }
func (q *queue) Wait(ctx context.Context, id string) (jobs.Job, error)   { return q.Get(ctx, id) }

func (q *queue) run(ctx context.Context) error {
	for _, r := range q.jobs {
		if r.job.State.Final() {
			continue
		}
		if err := q.handlers[r.job.Kind](ctx, r); err != nil {
			return err
		}
		r.job.State = jobs.Succeeded
	}
	return nil
}

type fakeRun struct {
	q      *queue
	job    jobs.Job
	state  json.RawMessage
	result json.RawMessage
}

func (r *fakeRun) Job() jobs.Job         { return r.job }
func (r *fakeRun) Params(into any) error { return json.Unmarshal(r.job.Params, into) }
func (r *fakeRun) Progress(_, _ int64)   {}
func (r *fakeRun) Cancelled() bool       { return false }
func (r *fakeRun) Checkpoint(_ context.Context, v any) (err error) {
	if r.q.cutAfter > 0 {
		if r.q.cutAfter--; r.q.cutAfter == 0 {
			return fmt.Errorf("the power went")
		}
	}
	r.state, err = json.Marshal(v)
	return err
}
func (r *fakeRun) LastCheckpoint(into any) (bool, error) {
	if r.state == nil {
		return false, nil
	}
	return true, json.Unmarshal(r.state, into)
}
func (r *fakeRun) Result(v any) (err error) { r.result, err = json.Marshal(v); return err }
func (r *fakeRun) File(string, string) (io.WriteCloser, error) {
	return nil, fmt.Errorf("no files here")
}

// byRole signs in whoever the X-Role header says.
type byRole struct{}

func (byRole) Authenticate(r *http.Request) (*auth.Principal, error) {
	if role := r.Header.Get("X-Role"); role != "" {
		return testkit.Principal(role), nil
	}
	return nil, nil
}

// served is a pond behind its API.
type served struct {
	*pond
	h   http.Handler
	api *httpx.API
}

func serve(p *pond) *served {
	cat, err := i18n.Load(testkit.Quiet())
	require.NoError(p.t, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Auth: byRole{}, Log: testkit.Quiet(), Catalogue: cat, Clock: p.clock})
	p.Routes(api)
	return &served{p, api.Handler(), api}
}

// call makes a request and decodes the answer; body nil sends none.
func (s *served) call(method, path, role string, body any, into any) (status int, code string) {
	s.t.Helper()
	var r *http.Request
	if body != nil {
		raw, err := json.Marshal(body)
		require.NoError(s.t, err)
		r = httptest.NewRequest(method, path, strings.NewReader(string(raw)))
		r.Header.Set("Content-Type", "application/json")
	} else {
		r = httptest.NewRequest(method, path, nil)
	}
	r.Header.Set("X-Role", role)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	var problem struct {
		Code   string       `json:"code"`
		Fields []errs.Field `json:"errors"`
	}
	if w.Code >= 400 {
		require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), &problem), w.Body.String())
	} else if into != nil {
		require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), into), w.Body.String())
	}
	return w.Code, problem.Code
}
