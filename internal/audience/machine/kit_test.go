package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// start is noon of a Monday in China.
var (
	start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	china = time.FixedZone("CST", 8*3600)
)

type pond struct {
	*Service
	t        *testing.T
	ctx      context.Context
	clock    *clock.Fake
	told     *told
	contacts *contact.Service
	queue    *queue
	trail    *trail
	seq      uint64
}

type told struct {
	mu    sync.Mutex
	facts []event.Fact
}

func (e *told) Emit(_ context.Context, facts ...event.Fact) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range facts {
		if f.Name == event.NameLifecycleChanged || f.Name == event.NamePoolChanged {
			e.facts = append(e.facts, f)
		}
	}
	return nil
}

// moves are the facts told since the last time, as "who from>to reason".
func (e *told) moves(t *testing.T) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []string{}
	for _, f := range e.facts {
		var p struct{ From, To, Reason string }
		require.NoError(t, json.Unmarshal(f.Properties, &p))
		out = append(out, fmt.Sprintf("%d %s>%s %s", f.Contact, p.From, p.To, p.Reason))
	}
	e.facts = nil
	return out
}

// trail keeps what was audited.
type trail struct{ actions []string }

func (a *trail) Record(_ context.Context, action string, _ audit.Object, _ map[string]any) error {
	a.actions = append(a.actions, action)
	return nil
}

// queue runs jobs when told.
type queue struct {
	jobs.Queue
	handlers map[string]jobs.Handler
	waiting  []string
	jobs     map[string]*jobs.Job
}

func (q *queue) Register(kind string, h jobs.Handler) { q.handlers[kind] = h }
func (q *queue) Enqueue(_ context.Context, s jobs.Spec) (jobs.Job, error) {
	raw, err := json.Marshal(s.Params)
	j := &jobs.Job{ID: fmt.Sprintf("jb_%d", len(q.jobs)+1), Kind: s.Kind, Title: s.Title, State: jobs.Queued, Params: raw, CreatedByID: "us_1"}
	q.jobs[j.ID] = j
	q.waiting = append(q.waiting, j.ID)
	return *j, err
}
func (q *queue) Get(_ context.Context, id string) (jobs.Job, error) {
	if j := q.jobs[id]; j != nil {
		return *j, nil
	}
	return jobs.Job{}, errs.New(errs.NotFound, "jobs.not_found")
}
func (q *queue) Cancel(ctx context.Context, id string) (jobs.Job, error) {
	q.jobs[id].State = jobs.Cancelled
	q.waiting = slices.DeleteFunc(q.waiting, func(w string) bool { return w == id })
	return q.Get(ctx, id)
}

// run is a try at a job; stop ends it after so many checkpoints, as a crash does.
type run struct {
	jobs.Run
	job        *jobs.Job
	checkpoint []byte
	stop       int
}

var errStopped = errors.New("stopped")

func (r *run) Job() jobs.Job              { return *r.job }
func (r *run) Params(into any) error      { return json.Unmarshal(r.job.Params, into) }
func (r *run) Progress(done, total int64) { r.job.Done, r.job.Total = done, total }
func (r *run) Result(v any) (err error) {
	r.job.Result, err = json.Marshal(v)
	return err
}
func (r *run) Checkpoint(_ context.Context, v any) (err error) {
	if r.stop == 1 {
		return errStopped
	}
	r.stop--
	r.checkpoint, err = json.Marshal(v)
	return err
}
func (r *run) LastCheckpoint(into any) (bool, error) {
	if r.checkpoint == nil {
		return false, nil
	}
	return true, json.Unmarshal(r.checkpoint, into)
}

// work runs all jobs that wait.
func (p *pond) work() {
	p.t.Helper()
	for len(p.queue.waiting) > 0 {
		j := p.queue.jobs[p.queue.waiting[0]]
		p.queue.waiting = p.queue.waiting[1:]
		require.NoError(p.t, p.queue.handlers[j.Kind](p.ctx, &run{job: j}))
		j.State = jobs.Succeeded
	}
}

func each(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ring, err := secret.NewRing(make([]byte, secret.KeySize))
		require.NoError(t, err)
		p := &pond{t: t, clock: clock.NewFake(start), told: &told{}, trail: &trail{}, queue: &queue{handlers: map[string]jobs.Handler{}, jobs: map[string]*jobs.Job{}}}
		p.ctx = auth.With(t.Context(), &auth.Principal{ID: "us_1", Name: "王芳", Via: auth.ViaSession, Role: "admin", Scope: auth.Everybody()})
		zone := func(context.Context) *time.Location { return china }
		p.contacts = contact.NewService(contact.Deps{DB: d, Clock: p.clock, IDs: id.NewSource(p.clock.Now, nil), Log: testkit.Logger(t), Keys: ring, Emit: p.told, Audit: &trail{}, Zone: zone, CacheSize: 64})
		p.Service = NewService(Deps{DB: d, Clock: p.clock, Log: testkit.Logger(t), Audit: p.trail, Emit: p.told, Jobs: p.queue, Contacts: p.contacts, Zone: zone})
		p.RegisterJobs()
		p.contacts.StandBy(p.Service)
		for name, f := range p.Fields() {
			p.contacts.FilterBy(name, f)
		}
		p.contacts.OnMerge(p.Merged)
		p.contacts.OnSplit(p.Split)
		p.contacts.OnKind(p.Rekind)
		p.contacts.OnRemove(p.Forget)
		fn(t, p)
	}, contact.Migrations(), Migrations())
}

// begin makes the machines and sorts everybody.
func (p *pond) begin() {
	p.t.Helper()
	require.NoError(p.t, p.Start(p.ctx))
	require.NoError(p.t, p.Stop(p.ctx))
	p.work()
	require.Empty(p.t, p.told.moves(p.t))
}

// person makes one, known by a phone number, created some days ago.
func (p *pond) person(phone string, created, seen, ordered, orders int64) (num int64, id string) {
	p.t.Helper()
	p.seq++
	now := p.clock.Now().UnixMilli()
	out, err := p.contacts.Resolver().Resolve(p.ctx, []event.Fact{{MessageID: "m" + phone, Type: event.Identify, Name: event.NameIdentified, Source: "web", Timestamp: now, ReceivedAt: now,
		Identifiers: []event.Identifier{{Kind: contact.KindPhone, Value: phone}}}}, []event.Position{{Seq: p.seq}})
	require.NoError(p.t, err)
	require.Nil(p.t, out.Facts[0].Err)
	num, id = out.Facts[0].Contact, out.Facts[0].ID
	p.live(num, created, seen, ordered, orders)
	return num, id
}

// live says what a contact's stage follows from, in days ago; -1 is never.
func (p *pond) live(num, created, seen, ordered, orders int64) {
	p.t.Helper()
	ago := func(days int64) int64 {
		if days < 0 {
			return 0
		}
		return p.clock.Now().UnixMilli() - days*24*3600*1000
	}
	_, err := p.DB.Exec(p.ctx, "update contacts set created_at = $1, last_seen_at = $2, last_order_at = $3, orders = $4 where num = $5", ago(created), ago(seen), ago(ordered), orders, num)
	require.NoError(p.t, err)
}

// in tells the state of a contact; "" when it was not sorted.
func (p *pond) in(machine string, num int64) string {
	p.t.Helper()
	all, err := p.Standing(p.ctx, []int64{num})
	require.NoError(p.t, err)
	for _, s := range all[num] {
		if s.Machine == machine {
			return s.ID
		}
	}
	return ""
}

func (p *pond) days(n int) {
	p.clock.Advance(time.Duration(n) * 24 * time.Hour)
}

func (p *pond) tick() {
	p.t.Helper()
	require.NoError(p.t, p.Tick(p.ctx))
}
