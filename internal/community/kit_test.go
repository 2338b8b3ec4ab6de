package community

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// start is noon of a Monday in China.
var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

const corp = "ac_1"

// pond is a service over a platform that a test plays.
type pond struct {
	*Service
	t        *testing.T
	ctx      context.Context
	db       *db.DB
	clock    *clock.Fake
	contacts *contact.Service
	p        *platform
	stream   []event.Fact
	seen     map[string]bool
	nums     map[string]int64
	fail     error // of the next statement of facts
	rechecks int
}

func each(t *testing.T, fn func(p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		c := clock.NewFake(start)
		p := &pond{t: t, ctx: testkit.As(t.Context(), "admin"), db: d, clock: c, p: &platform{groups: map[string]Found{}, friends: map[string]bool{}}, seen: map[string]bool{}, nums: map[string]int64{}}
		p.contacts = contact.NewService(contact.Deps{DB: d, Clock: c, IDs: testkit.IDs(c), Log: testkit.Logger(t), Keys: testkit.Ring(), Emit: silent{}, CacheSize: 64})
		p.Service = NewService(Deps{DB: d, Clock: c, Log: testkit.Logger(t), Keys: testkit.Ring(), Audit: p, Jobs: queue{}, Ingest: p, Contacts: p.contacts, Platform: p.p, Recheck: func() { p.rechecks++ },
			Zone: func(context.Context) *time.Location { return time.FixedZone("CST", 8*3600) }})
		fn(p)
	}, contact.Migrations(), Migrations())
}

type silent struct{}

func (silent) Emit(context.Context, ...event.Fact) error { return nil }

// Record implements audit.Recorder.
func (p *pond) Record(context.Context, string, audit.Object, map[string]any) error { return nil }

// Ingest implements event.Ingester: what is stated is seen at once.
func (p *pond) Ingest(_ context.Context, facts []event.Fact) (uint64, error) {
	if p.fail != nil {
		return 0, p.fail
	}
	for _, f := range facts {
		if p.seen[f.MessageID] {
			continue
		}
		p.seen[f.MessageID] = true
		p.stream = append(p.stream, f)
		s := event.Stored{Fact: f}
		s.Fact.Contact = p.num(f.Identifiers[0].Value)
		if err := p.db.Tx(context.WithoutCancel(p.ctx), func(ctx context.Context) error { return p.Handle(ctx, []event.Stored{s}) }); err != nil {
			return 0, err
		}
	}
	return uint64(len(p.stream)), nil
}

// Wait implements event.Ingester.
func (p *pond) Wait(context.Context, uint64) error { return nil }

// num is the contact of a customer, made when there is none.
func (p *pond) num(customer string) int64 {
	p.t.Helper()
	if n, ok := p.nums[customer]; ok {
		return n
	}
	c, err := p.contacts.Create(p.ctx, contact.NewContact{Name: "客户" + customer})
	require.NoError(p.t, err)
	n, err := p.contacts.NumOf(p.ctx, c.ID)
	require.NoError(p.t, err)
	p.nums[customer] = n
	return n
}

func (p *pond) id(customer string) string {
	p.t.Helper()
	known, err := p.contacts.Describe(p.ctx, []int64{p.num(customer)})
	require.NoError(p.t, err)
	return known[p.num(customer)].ID
}

// stated are the facts since the last look: "group.joined wm1".
func (p *pond) stated() []string {
	out := []string{}
	for _, f := range p.stream {
		out = append(out, f.Name+" "+f.Identifiers[0].Value)
	}
	p.stream = nil
	slices.Sort(out)
	return out
}

// has sets who is in a group there.
func (p *pond) has(id string, members ...FoundMember) {
	p.p.groups[id] = Found{ID: id, Name: "茶友" + id, Owner: "zhang", CreatedAt: start.Add(-100 * 24 * time.Hour), Members: append([]FoundMember{{ID: "zhang", Name: "张三", JoinedAt: start.Add(-100 * 24 * time.Hour)}}, members...)}
}

// came is a customer who joined so long ago.
func came(id string, ago time.Duration, invitor string) FoundMember {
	return FoundMember{ID: id, Name: "昵称" + id, Customer: true, JoinedAt: start.Add(-ago), Scene: 3, Invitor: invitor}
}

func (p *pond) members(id string, q MemberQuery) []string {
	p.t.Helper()
	q.Limit = 100
	list, _, err := p.Members(p.ctx, corp, id, q)
	require.NoError(p.t, err)
	out := []string{}
	for _, m := range list {
		out = append(out, m.ID+" "+m.Layer)
	}
	return out
}

func (p *pond) syncAll() {
	p.t.Helper()
	require.NoError(p.t, p.sync(p.ctx, &run{params: syncInput{corp}}))
}

var (
	errGone  = errors.New("gone")
	errLater = errors.New("later")
)

// platform is WeCom as a test plays it.
type platform struct {
	groups  map[string]Found
	friends map[string]bool
	orphans map[string]bool
	later   int
}

func (p *platform) Accounts(context.Context) ([]Account, error) {
	return []Account{{corp, "锦池茶业"}}, nil
}

// Groups gives one at a time.
func (p *platform) Groups(_ context.Context, _, cursor string) ([]Listed, string, error) {
	var ids []string
	for id := range p.groups {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	at := len(cursor)
	if at >= len(ids) {
		return nil, "", nil
	}
	next := cursor + "x"
	if at+1 == len(ids) {
		next = ""
	}
	return []Listed{{ids[at], p.orphans[ids[at]]}}, next, nil
}
func (p *platform) Group(_ context.Context, _, id string) (Found, error) {
	if p.later > 0 {
		p.later--
		return Found{}, errLater
	}
	g, ok := p.groups[id]
	if !ok {
		return g, errGone
	}
	return g, nil
}
func (p *platform) Names(context.Context, string, []string) map[string]string {
	return map[string]string{"zhang": "张三"}
}
func (p *platform) Friends(context.Context, string, []string) (map[string]bool, error) {
	return p.friends, nil
}
func (p *platform) Gone(err error) bool { return errors.Is(err, errGone) }
func (p *platform) Later(err error) (time.Time, bool) {
	return start, errors.Is(err, errLater)
}

type queue struct{}

func (queue) Register(string, jobs.Handler) {}
func (queue) Enqueue(context.Context, jobs.Spec) (jobs.Job, error) {
	return jobs.Job{ID: "jb_1"}, nil
}
func (queue) Get(context.Context, string) (jobs.Job, error)    { return jobs.Job{}, nil }
func (queue) Cancel(context.Context, string) (jobs.Job, error) { return jobs.Job{}, nil }
func (queue) Wait(context.Context, string) (jobs.Job, error)   { return jobs.Job{}, nil }

// run is one job; stopAfter lets so many checkpoints pass before a crash, 0 all.
type run struct {
	params     any
	checkpoint []byte
	stopAfter  int
}

var errCrash = errors.New("crash")

func (r *run) Job() jobs.Job { return jobs.Job{ID: "jb_1"} }
func (r *run) Params(into any) error {
	b, _ := json.Marshal(r.params)
	return json.Unmarshal(b, into)
}
func (r *run) Progress(int64, int64) {}
func (r *run) Checkpoint(_ context.Context, state any) (err error) {
	r.checkpoint, err = json.Marshal(state)
	if r.stopAfter > 0 {
		if r.stopAfter--; r.stopAfter == 0 {
			return errCrash
		}
	}
	return err
}
func (r *run) LastCheckpoint(into any) (bool, error) {
	if r.checkpoint == nil {
		return false, nil
	}
	return true, json.Unmarshal(r.checkpoint, into)
}
func (r *run) Result(any) error                            { return nil }
func (r *run) File(string, string) (io.WriteCloser, error) { return nil, errors.New("no files") }
func (r *run) Cancelled() bool                             { return false }
