package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
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
	facts    []event.Fact
	nums     map[string]int64
	records  []string
}

func each(t *testing.T, fn func(p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(newPond(t, d)) }, contact.Migrations(), Migrations())
}

func newPond(t *testing.T, d *db.DB) *pond {
	c := clock.NewFake(start)
	p := &pond{t: t, ctx: testkit.As(t.Context(), "admin"), db: d, clock: c, nums: map[string]int64{}}
	p.p = &platform{clock: c, on: map[key]map[string]bool{}, tags: map[string]Theirs{}}
	p.restart()
	return p
}

// restart is a new program over the same records.
func (p *pond) restart() {
	p.queue = &queue{}
	p.contacts = contact.NewService(contact.Deps{DB: p.db, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: testkit.Logger(p.t), Keys: testkit.Ring(), Emit: p, Audit: p, CacheSize: 64})
	p.Service = NewService(Deps{DB: p.db, Clock: p.clock, Log: testkit.Logger(p.t), Audit: p, Jobs: p.queue, Contacts: p.contacts, Platform: p.p})
}

// Emit implements event.Emitter.
func (p *pond) Emit(_ context.Context, facts ...event.Fact) error {
	p.facts = append(p.facts, facts...)
	return nil
}

// Record implements audit.Recorder.
func (p *pond) Record(_ context.Context, action string, _ audit.Object, _ map[string]any) error {
	p.records = append(p.records, action)
	return nil
}

// num is the contact of a customer, made when there is none.
func (p *pond) num(customer string) int64 {
	p.t.Helper()
	if n, ok := p.nums[customer]; ok {
		return n
	}
	c, err := p.contacts.Create(p.ctx, contact.NewContact{Name: "客户" + customer, MemberNo: customer})
	require.NoError(p.t, err)
	n, err := p.contacts.NumOf(p.ctx, c.ID)
	require.NoError(p.t, err)
	p.nums[customer] = n
	return n
}

// id is the public id of whom a customer is today.
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
		stored[i].Fact.Contact = p.num(f.Identifiers[0].Value)
	}
	require.NoError(p.t, p.db.Tx(p.t.Context(), func(ctx context.Context) error { return p.Handle(ctx, stored) }))
}

// said makes a fact about a friendship.
func (p *pond) said(name, staff, customer string) event.Fact {
	raw, _ := json.Marshal(map[string]any{"account": corp, "staff": staff})
	return event.Fact{Name: name, Type: event.Track, Identifiers: []event.Identifier{{Kind: contact.KindExternalUserID, Value: customer}}, Timestamp: p.clock.Now().UnixMilli(), Properties: raw}
}

// known is what a callback brings: the tags as they are there just now.
func (p *pond) known(staff, customer string) event.Fact {
	f := p.said(event.NameFriendKnown, staff, customer)
	f.Properties, _ = json.Marshal(map[string]any{"account": corp, "friend": map[string]any{"staff": staff, "tags": p.p.has(key{corp, staff, customer}), "read": p.clock.Now().UnixMilli()}})
	return f
}

// befriend makes two friends, there and here.
func (p *pond) befriend(staff, customer string) {
	p.p.mu.Lock()
	if k := (key{corp, staff, customer}); p.p.on[k] == nil {
		p.p.on[k] = map[string]bool{}
	}
	p.p.mu.Unlock()
	p.handle(p.said(event.NameFriendAdded, staff, customer))
}

// ours are the names of a customer's tags here.
func (p *pond) ours(customer string) []string {
	p.t.Helper()
	c, err := p.contacts.Get(p.ctx, p.id(customer))
	require.NoError(p.t, err)
	out := []string{}
	for _, t := range c.Tags {
		out = append(out, t.Name)
	}
	slices.Sort(out)
	return out
}

// theirs are the names of the tags on a friendship there.
func (p *pond) theirs(staff, customer string) []string {
	out := []string{}
	for _, id := range p.p.has(key{corp, staff, customer}) {
		out = append(out, p.p.tags[id].Name)
	}
	slices.Sort(out)
	return out
}

// tag gives (or takes, with a minus) a tag of ours by name.
func (p *pond) tag(customer string, names ...string) {
	p.t.Helper()
	places, err := p.contacts.TagPlaces(p.ctx)
	require.NoError(p.t, err)
	var add, remove []string
	for _, n := range names {
		for _, x := range places {
			switch n {
			case x.Name:
				add = append(add, x.ID)
			case "-" + x.Name:
				remove = append(remove, x.ID)
			}
		}
	}
	_, err = p.contacts.SetTags(p.ctx, p.id(customer), add, remove)
	require.NoError(p.t, err)
}

// link links all tags of theirs.
func (p *pond) link() {
	p.t.Helper()
	var ids []string
	for id := range p.p.tags {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	require.NoError(p.t, p.Links(p.ctx, corp, LinkInput{Theirs: ids}))
}

// readAll runs the job that reads everybody's tags.
func (p *pond) readAll() map[string]any {
	p.t.Helper()
	r := &run{params: readInput{corp}}
	require.NoError(p.t, p.read(p.ctx, r))
	return r.result
}

func (p *pond) status() Status {
	p.t.Helper()
	v, err := p.Status(p.ctx, corp)
	require.NoError(p.t, err)
	return v
}

var (
	errLater = errors.New("later")
	errLost  = errs.New(errs.Unavailable, "wecom.no_answer")
	errGone  = errors.New("gone")
	errNoTag = errs.New(errs.Conflict, "wecom.no_such_tag")
	errStop  = errs.New(errs.Conflict, "wecom.bad_secret")
	errFinal = errs.New(errs.Conflict, "wecom.in_transfer")
)

// platform is WeCom as a test plays it.
type platform struct {
	mu    sync.Mutex
	clock *clock.Fake
	tags  map[string]Theirs
	on    map[key]map[string]bool
	marks int
	next  int
	// trouble says what goes wrong with the next call: lost before or after it was
	// done, later; nil: nothing.
	trouble func() error
	after   bool // the trouble came after it was done
	bad     map[key]error
	renamed []string
	deleted []string
}

func (p *platform) has(k key) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []string{}
	for id := range p.on[k] {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// label is a colleague who gives or takes a tag there.
func (p *platform) label(staff, customer, id string, give bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if give {
		p.on[key{corp, staff, customer}][id] = true
	} else {
		delete(p.on[key{corp, staff, customer}], id)
	}
}

// make makes a tag there.
func (p *platform) make(group, name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	id := "et" + strconv.Itoa(p.next)
	p.tags[id] = Theirs{ID: id, Name: name, GroupID: "g-" + group, Group: group}
	return id
}

func (p *platform) drop(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tags, id)
	for _, set := range p.on {
		delete(set, id)
	}
}

func (p *platform) Accounts(context.Context) ([]Account, error) {
	return []Account{{corp, "锦池茶业"}}, nil
}
func (p *platform) Tags(context.Context, string) ([]Theirs, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Theirs
	for _, t := range p.tags {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Theirs) int {
		return len(a.ID)*100 - len(b.ID)*100 + slices.Compare([]byte(a.ID), []byte(b.ID))
	})
	return out, nil
}
func (p *platform) Add(_ context.Context, _, group string, names []string) (out []Theirs, err error) {
	for _, n := range names {
		out = append(out, p.tags[p.make(group, n)])
	}
	return out, nil
}
func (p *platform) Rename(_ context.Context, _, id, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tags[id]
	t.Name = name
	p.tags[id] = t
	p.renamed = append(p.renamed, id+" "+name)
	return nil
}
func (p *platform) Delete(_ context.Context, _ string, ids []string) error {
	for _, id := range ids {
		p.drop(id)
		p.deleted = append(p.deleted, id)
	}
	return nil
}
func (p *platform) Mark(_ context.Context, account, staff, customer string, add, remove []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marks++
	k := key{account, staff, customer}
	if err := p.bad[k]; err != nil {
		return err
	}
	var err error
	if p.trouble != nil {
		err = p.trouble()
	}
	if err != nil && !p.after {
		return err
	}
	if p.on[k] == nil {
		return errGone
	}
	for _, id := range slices.Concat(add, remove) {
		if _, ok := p.tags[id]; !ok {
			return errNoTag
		}
	}
	for _, id := range add {
		p.on[k][id] = true
	}
	for _, id := range remove {
		delete(p.on[k], id)
	}
	return err
}
func (p *platform) On(_ context.Context, account, customer string) (out []Found, err error) {
	p.mu.Lock()
	var keys []key
	for k := range p.on {
		if k.customer == customer && k.account == account {
			keys = append(keys, k)
		}
	}
	p.mu.Unlock()
	for _, k := range keys {
		out = append(out, Found{k.staff, customer, p.has(k)})
	}
	if len(out) == 0 {
		return nil, errGone
	}
	return out, nil
}
func (p *platform) Serving(context.Context, string) ([]string, error) {
	return []string{"a", "b", "c"}, nil
}

// Friends gives two at a time.
func (p *platform) Friends(_ context.Context, account string, staff []string, cursor string) ([]Found, string, error) {
	p.mu.Lock()
	var keys []key
	for k := range p.on {
		if slices.Contains(staff, k.staff) && k.account == account {
			keys = append(keys, k)
		}
	}
	p.mu.Unlock()
	slices.SortFunc(keys, func(a, b key) int { return slices.Compare([]byte(a.staff+a.customer), []byte(b.staff+b.customer)) })
	from := len(cursor)
	to := min(from+2, len(keys))
	var out []Found
	for _, k := range keys[min(from, to):to] {
		out = append(out, Found{k.staff, k.customer, p.has(k)})
	}
	if to == len(keys) {
		return out, "", nil
	}
	return out, fmt.Sprintf("%*s", to, "x"), nil
}
func (p *platform) Names(_ context.Context, _ string, staff []string) map[string]string {
	out := map[string]string{}
	for _, s := range staff {
		out[s] = "同事" + s
	}
	return out
}
func (p *platform) Limits() Limits { return Limits{Name: 30, Group: 15, Tags: 8} }
func (p *platform) Means(err error) Meaning {
	m := Meaning{Code: errs.CodeOf(err)}
	switch {
	case errors.Is(err, errLater):
		m.Until = p.clock.Now().Add(time.Minute)
	case errors.Is(err, errGone):
		m.Gone, m.Final = true, true
	case errors.Is(err, errNoTag):
		m.NoTag, m.Final = true, true
	case errors.Is(err, errStop):
		m.Stop, m.Final = true, true
	case errors.Is(err, errFinal):
		m.Final, m.Number = true, "40100"
	}
	return m
}

// queue keeps what was enqueued.
type queue struct{ specs []jobs.Spec }

func (q *queue) Register(string, jobs.Handler) {}
func (q *queue) Enqueue(_ context.Context, s jobs.Spec) (jobs.Job, error) {
	q.specs = append(q.specs, s)
	return jobs.Job{ID: "jb_1"}, nil
}
func (q *queue) Get(context.Context, string) (jobs.Job, error)    { return jobs.Job{}, nil }
func (q *queue) Cancel(context.Context, string) (jobs.Job, error) { return jobs.Job{}, nil }
func (q *queue) Wait(context.Context, string) (jobs.Job, error)   { return jobs.Job{}, nil }

// run is one job.
type run struct {
	params     any
	checkpoint []byte
	result     map[string]any
}

func (r *run) Job() jobs.Job { return jobs.Job{ID: "jb_1"} }
func (r *run) Params(into any) error {
	b, _ := json.Marshal(r.params)
	return json.Unmarshal(b, into)
}
func (r *run) Progress(int64, int64) {}
func (r *run) Checkpoint(_ context.Context, state any) (err error) {
	r.checkpoint, err = json.Marshal(state)
	return err
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
func (r *run) File(string, string) (io.WriteCloser, error) { return nil, errors.New("no files") }
func (r *run) Cancelled() bool                             { return false }

func jsonInto(raw json.RawMessage, into any) error { return json.Unmarshal(raw, into) }
