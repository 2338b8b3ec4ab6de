package staff

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
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
	queue    *queue
	tasks    []string
	stream   []event.Fact
	seen     map[string]bool
	nums     map[string]int64
	records  []string
}

func each(t *testing.T, fn func(p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		c := clock.NewFake(start)
		p := &pond{t: t, ctx: testkit.As(t.Context(), "admin"), db: d, clock: c, p: newPlatform(), queue: &queue{}, seen: map[string]bool{}, nums: map[string]int64{}}
		p.contacts = contact.NewService(contact.Deps{DB: d, Clock: c, IDs: testkit.IDs(c), Log: testkit.Logger(t), Keys: testkit.Ring(), Emit: silent{}, CacheSize: 64})
		p.Service = NewService(Deps{DB: d, Clock: c, IDs: testkit.IDs(c), Log: testkit.Logger(t), Keys: testkit.Ring(), Audit: p, Jobs: p.queue, Ingest: p, Contacts: p.contacts, Platform: p.p, Users: users{}, Tasks: p,
			Zone: func(context.Context) *time.Location { return time.FixedZone("CST", 8*3600) }})
		fn(p)
	}, contact.Migrations(), Migrations())
}

type silent struct{}

func (silent) Emit(context.Context, ...event.Fact) error { return nil }

// Record implements audit.Recorder.
func (p *pond) Record(_ context.Context, action string, _ audit.Object, _ map[string]any) error {
	p.records = append(p.records, action)
	return nil
}

// Lost implements Tasks.
func (p *pond) Lost(_ context.Context, num int64, staff, fallback string, _ time.Time) error {
	for c, n := range p.nums {
		if n == num {
			p.tasks = append(p.tasks, c+" "+staff+" "+fallback)
		}
	}
	return nil
}

// Ingest implements event.Ingester: what is stated is seen at once.
func (p *pond) Ingest(_ context.Context, facts []event.Fact) (uint64, error) {
	for _, f := range facts {
		if !p.seen[f.MessageID] {
			p.seen[f.MessageID] = true
			p.stream = append(p.stream, f)
			p.handle(f)
		}
	}
	return uint64(len(p.stream)), nil
}

// Wait implements event.Ingester.
func (p *pond) Wait(context.Context, uint64) error { return nil }

// names of the facts that were stated since the last look.
func (p *pond) stated() (out []string) {
	for _, f := range p.stream {
		out = append(out, f.Name)
	}
	p.stream = nil
	return out
}

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

// handle has the subscriber see facts in one batch.
func (p *pond) handle(facts ...event.Fact) {
	p.t.Helper()
	stored := make([]event.Stored, len(facts))
	for i, f := range facts {
		stored[i] = event.Stored{Fact: f}
		for _, id := range f.Identifiers {
			stored[i].Contact = p.num(id.Value)
		}
	}
	require.NoError(p.t, p.db.Tx(p.t.Context(), func(ctx context.Context) error { return p.Handle(ctx, stored) }))
}

// said makes a fact about a colleague and a customer, so long after the start.
func said(name, staff, customer string, after time.Duration, more map[string]any) event.Fact {
	props := map[string]any{"account": corp, "staff": staff}
	for k, v := range more {
		props[k] = v
	}
	return event.Fact{Name: name, Type: event.Track, Identifiers: []event.Identifier{{Kind: contact.KindExternalUserID, Value: customer}}, Timestamp: start.Add(after).UnixMilli(), Properties: object(props)}
}

// hand begins one hand-over.
func (p *pond) hand(in HandInput) Handover {
	p.t.Helper()
	list, err := p.HandOver(p.ctx, in)
	require.NoError(p.t, err)
	require.Len(p.t, list, 1)
	return list[0]
}

// friends are a customer's, as lists show them: "staff state".
func (p *pond) friends(customer string) (out []string) {
	p.t.Helper()
	list, err := p.OfContact(p.ctx, p.id(customer))
	require.NoError(p.t, err)
	for _, f := range list {
		require.Equal(p.t, customer, f.Customer, "kept under the id that the platform knows")
		out = append(out, f.Staff+" "+f.State)
	}
	return out
}

func (p *pond) count(staff string) int64 {
	p.t.Helper()
	var n, really int64
	require.NoError(p.t, p.db.QueryRow(p.ctx, "select friends from staff_members where account = $1 and id = $2", corp, staff).Scan(&n))
	require.NoError(p.t, p.db.QueryRow(p.ctx, "select count(*) from staff_friends where account = $1 and staff = $2 and state = 'friend'", corp, staff).Scan(&really))
	require.Equal(p.t, really, n, "what is counted along is what there is")
	return n
}

// users: a and b work here, gone does not.
type users struct{}

func (users) Emails(context.Context) (map[string]string, error) {
	return map[string]string{"a@koi.example": "us_a", "b@koi.example": "us_b"}, nil
}
func (users) Working(_ context.Context, id string) (bool, error) {
	return id == "us_a" || id == "us_b" || id == "us_c", nil
}
func (users) Names(_ context.Context, ids []string) map[string]string {
	out := map[string]string{}
	for _, id := range ids {
		out[id] = "名" + id
	}
	return out
}

// platform is WeCom as a test plays it.
type platform struct {
	members map[string]Member
	serving []string
	friends map[string][]Found // by colleague
	asked   int
	later   int // how often it wants to wait
	fail    error
	remarks []string
	hands   []Hand
	bad     map[string]error
	results map[string]HandResult
	// of those who left
	nobodys []Unassigned
	groups  map[string]LeftGroup
	moved   []string // "group to"
	today   int      // how many groups are taken before the platform wants to wait
	paused  bool
	lose    bool // the answer to a hand-over of groups is lost
}

func newPlatform() *platform {
	return &platform{groups: map[string]LeftGroup{}, today: 300, members: map[string]Member{}, friends: map[string][]Found{}, bad: map[string]error{}, results: map[string]HandResult{}}
}

var (
	errLater   = errors.New("later")
	errRefused = errs.New(errs.Conflict, "wecom.no_privilege", "number", "60011")
)

func (p *platform) Accounts(context.Context) ([]CorpAccount, error) {
	return []CorpAccount{{ID: corp, Name: "锦池茶业", Paused: p.paused}}, nil
}
func (p *platform) Departments(context.Context, string) ([]Department, error) {
	return []Department{{ID: 1, Name: "总部"}, {ID: 2, Parent: 1, Name: "门店"}}, nil
}
func (p *platform) Members(_ context.Context, _ string, d int64) (out []Member, err error) {
	for _, m := range p.members {
		if slices.Contains(m.Departments, d) {
			out = append(out, m)
		}
	}
	return out, nil
}
func (p *platform) Member(_ context.Context, _, id string) (Member, error) {
	if m, ok := p.members[id]; ok {
		return m, nil
	}
	return Member{}, errRefused
}
func (p *platform) Serving(context.Context, string) ([]string, error) { return p.serving, nil }

// Friends gives two at a time: the cursor is colleague and place.
func (p *platform) Friends(_ context.Context, _ string, staff []string, cursor string) ([]Found, string, error) {
	p.asked++
	if p.later > 0 {
		p.later--
		return nil, "", errLater
	}
	if p.fail != nil {
		return nil, "", p.fail
	}
	var all []Found
	for _, s := range staff {
		all = append(all, p.friends[s]...)
	}
	from := len(cursor)
	to := min(from+2, len(all))
	if to == len(all) {
		return all[from:], "", nil
	}
	return all[from:to], strings.Repeat("x", to), nil
}
func (p *platform) SetRemark(_ context.Context, _, staff, customer string, remark, note *string) error {
	if p.fail != nil {
		return p.fail
	}
	p.remarks = append(p.remarks, staff+" "+customer+" "+*remark)
	return nil
}
func (p *platform) Hand(_ context.Context, _ string, h Hand) (map[string]error, error) {
	if p.fail != nil {
		return nil, p.fail
	}
	p.hands = append(p.hands, h)
	return p.bad, nil
}
func (p *platform) Handed(context.Context, string, string, string, bool, string) (out []HandResult, next string, err error) {
	for _, r := range p.results {
		out = append(out, r)
	}
	return out, "", nil
}

// Unassigned gives two at a time.
func (p *platform) Unassigned(_ context.Context, _, cursor string) ([]Unassigned, string, error) {
	if p.fail != nil {
		return nil, "", p.fail
	}
	from := len(cursor)
	to := min(from+2, len(p.nobodys))
	if to == len(p.nobodys) {
		return p.nobodys[from:], "", nil
	}
	return p.nobodys[from:to], strings.Repeat("x", to), nil
}
func (p *platform) LeftGroups(context.Context, string, string) (out []LeftGroup, next string, err error) {
	for _, g := range p.groups {
		if p.members[g.Owner].ID == "" || p.members[g.Owner].State == MemberLeft {
			out = append(out, g)
		}
	}
	return out, "", nil
}
func (p *platform) GroupOwner(_ context.Context, _, group string) (string, error) {
	return p.groups[group].Owner, nil
}
func (p *platform) HandGroups(_ context.Context, _ string, groups []string, to string) (map[string]error, error) {
	if len(groups) > p.today {
		return nil, errLater
	}
	p.today -= len(groups)
	for _, g := range groups {
		one := p.groups[g]
		one.Owner = to
		p.groups[g] = one
		p.moved = append(p.moved, g+" "+to)
	}
	if p.lose {
		return nil, errors.New("the line went dead")
	}
	return nil, nil
}
func (p *platform) Later(err error) (time.Time, bool) { return start, errors.Is(err, errLater) }
func (p *platform) Refused(err error) bool            { return errors.Is(err, errRefused) }

// found is a friendship that the platform knows since a while before the start.
func found(staff, customer, remark string, before time.Duration) Found {
	since := start.Add(-before)
	return Found{Staff: staff, Customer: customer, Since: since, State: "s1", Known: event.Fact{Type: event.Identify, Name: event.NameFriendKnown,
		Identifiers: []event.Identifier{{Kind: contact.KindExternalUserID, Value: customer}}, Traits: object(map[string]any{"name": customer}),
		Properties: object(map[string]any{"account": corp, "friend": map[string]any{"staff": staff, "remark": remark, "since": since.UnixMilli(), "state": "s1", "way": 1}})}}
}

// queue keeps what was asked for; tests run it.
type queue struct{ specs []jobs.Spec }

func (q *queue) Register(string, jobs.Handler) {}
func (q *queue) Enqueue(_ context.Context, s jobs.Spec) (jobs.Job, error) {
	q.specs = append(q.specs, s)
	return jobs.Job{ID: "jb_1"}, nil
}
func (q *queue) Get(context.Context, string) (jobs.Job, error)    { return jobs.Job{}, nil }
func (q *queue) Cancel(context.Context, string) (jobs.Job, error) { return jobs.Job{}, nil }
func (q *queue) Wait(context.Context, string) (jobs.Job, error)   { return jobs.Job{}, nil }

// run is one job; stopAfter lets so many checkpoints pass before a crash.
type run struct {
	params     any
	checkpoint []byte
	stopAfter  int
	result     map[string]any
	done       int64
}

var errCrash = errors.New("crash")

func (r *run) Job() jobs.Job { return jobs.Job{ID: "jb_1"} }
func (r *run) Params(into any) error {
	b, _ := json.Marshal(r.params)
	return json.Unmarshal(b, into)
}
func (r *run) Progress(done, _ int64) { r.done = done }
func (r *run) Checkpoint(_ context.Context, state any) error {
	if r.stopAfter == 0 {
		return errCrash
	}
	r.stopAfter--
	r.checkpoint, _ = json.Marshal(state)
	return nil
}
func (r *run) LastCheckpoint(into any) (bool, error) {
	if r.checkpoint == nil {
		return false, nil
	}
	return true, json.Unmarshal(r.checkpoint, into)
}
func (r *run) Result(v any) error {
	b, _ := json.Marshal(v)
	return json.Unmarshal(b, &r.result)
}
func (r *run) File(string, string) (io.WriteCloser, error) { return nil, errCrash }
func (r *run) Cancelled() bool                             { return false }

func (p *pond) synced(in SyncInput) map[string]any {
	p.t.Helper()
	r := &run{params: in, stopAfter: 1000}
	require.NoError(p.t, p.sync(auth.With(p.t.Context(), auth.System("test")), r))
	return r.result
}
