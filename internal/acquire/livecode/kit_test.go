package livecode

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/qr"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// outside is a platform that keeps its own rules: a welcome code works once, ways
// need users, what it is told to refuse it refuses.
type outside struct {
	mu      sync.Mutex
	ways    map[string]Way
	made    int
	calls   []string
	used    map[string]bool
	got     map[string]Message
	remarks map[string]string
	names   map[string]string
	refuse  map[string][]error // by call, one for each
	slow    func(call string)
	picture []byte
	uploads int
}

func newOutside() *outside {
	return &outside{ways: map[string]Way{}, used: map[string]bool{}, got: map[string]Message{}, remarks: map[string]string{}, names: map[string]string{}, refuse: map[string][]error{}}
}

func (o *outside) begin(ctx context.Context, call string) error {
	if o.slow != nil {
		o.slow(call)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, call)
	if err := ctx.Err(); err != nil {
		return err
	}
	if list := o.refuse[call]; len(list) > 0 {
		o.refuse[call] = list[1:]
		return list[0]
	}
	return nil
}

func (o *outside) CreateWay(ctx context.Context, _ string, w Way) (MadeWay, error) {
	if err := o.begin(ctx, "create"); err != nil {
		return MadeWay{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made++
	id := fmt.Sprint("w", o.made)
	o.ways[id] = w
	return MadeWay{ID: id, QR: "https://wx.example/q/" + w.State + ".png"}, nil
}

func (o *outside) UpdateWay(ctx context.Context, _, id string, w Way) error {
	if err := o.begin(ctx, "update"); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.ways[id]; !ok {
		return &Refusal{Code: 40058}
	}
	o.ways[id] = w
	return nil
}

func (o *outside) DeleteWay(ctx context.Context, _, id string) error {
	if err := o.begin(ctx, "delete"); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.ways, id)
	return nil
}

func (o *outside) Welcome(ctx context.Context, _, code string, m Message) error {
	if err := o.begin(ctx, "welcome"); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.used[code] {
		return &Refusal{Code: 41050}
	}
	o.used[code] = true
	o.got[code] = m
	return nil
}

func (o *outside) Remark(ctx context.Context, _, staff, customer, remark string) error {
	if err := o.begin(ctx, "remark"); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remarks[staff+"/"+customer] = remark
	return nil
}

func (o *outside) CustomerName(ctx context.Context, _, customer string) (string, error) {
	if err := o.begin(ctx, "name"); err != nil {
		return "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.names[customer], nil
}

func (o *outside) Media(ctx context.Context, _, kind, name string, r io.Reader) (string, time.Time, error) {
	if err := o.begin(ctx, "media"); err != nil {
		return "", time.Time{}, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return "", time.Time{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.uploads++
	return fmt.Sprint("m", o.uploads), testkit.Clock().Now().Add(72 * time.Hour), nil
}

func (o *outside) Picture(ctx context.Context, _, url string) ([]byte, error) {
	if err := o.begin(ctx, "picture"); err != nil {
		return nil, err
	}
	if o.picture != nil {
		return o.picture, nil
	}
	return qr.PNG("https://u.wechat.example/"+url, qr.Look{Size: 430})
}

func (o *outside) count(call string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.calls {
		if c == call {
			n++
		}
	}
	return n
}

// office is the staff of the accounts.
type office struct {
	mu   sync.Mutex
	list []Colleague
}

func (o *office) Accounts(context.Context) ([]Account, error) {
	return []Account{{"ac_1", "山月茶业"}}, nil
}

func (o *office) Colleagues(_ context.Context, account string) ([]Colleague, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if account != "ac_1" {
		return nil, nil
	}
	return slices.Clone(o.list), nil
}

// inside are the other parts of the program.
type inside struct {
	mu    sync.Mutex
	tags  []string
	pools []string
	facts []event.Fact
}

func (i *inside) Known(_ context.Context, ids []string) (out []string, err error) {
	for _, id := range ids {
		if id == "offline" || id == "social" {
			out = append(out, id)
		}
	}
	return out, nil
}

func (i *inside) KnownTags(_ context.Context, ids []string) (out []string, err error) {
	for _, id := range ids {
		if len(id) > 3 && id[:3] == "tg_" {
			out = append(out, id)
		}
	}
	return out, nil
}

func (i *inside) GiveTags(_ context.Context, nums []int64, tags []string, code, _ string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tags = append(i.tags, fmt.Sprint(nums, tags))
	return nil
}

func (i *inside) KnownPool(_ context.Context, id string) (bool, error) { return id == "new", nil }

func (i *inside) Place(_ context.Context, nums []int64, pool string, days int, _ string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.pools = append(i.pools, fmt.Sprint(nums, pool, days))
	return nil
}

func (i *inside) People(_ context.Context, nums []int64) (map[int64]Person, error) {
	out := map[int64]Person{}
	for _, n := range nums {
		out[n] = Person{fmt.Sprint("ct_", n), fmt.Sprint("客户", n)}
	}
	return out, nil
}

func (i *inside) Hold(context.Context) error { return nil }

func (i *inside) Emit(_ context.Context, facts ...event.Fact) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.facts = append(i.facts, facts...)
	return nil
}

// queue runs jobs where they are enqueued when a test asks for it.
type queue struct {
	handlers map[string]jobs.Handler
	params   json.RawMessage
}

func (q *queue) Register(kind string, h jobs.Handler) { q.handlers[kind] = h }

func (q *queue) Enqueue(_ context.Context, s jobs.Spec) (jobs.Job, error) {
	raw, err := json.Marshal(s.Params)
	q.params = raw
	return jobs.Job{ID: "jb_1", Kind: s.Kind}, err
}
func (q *queue) Get(context.Context, string) (jobs.Job, error)    { return jobs.Job{}, nil }
func (q *queue) Cancel(context.Context, string) (jobs.Job, error) { return jobs.Job{}, nil }
func (q *queue) Wait(context.Context, string) (jobs.Job, error)   { return jobs.Job{}, nil }

// pond is the service with all of that around it. Its clock shows Monday, 16:00 in China.
type pond struct {
	*Service
	t      testing.TB
	ctx    context.Context
	clock  *clock.Fake
	out    *outside
	office *office
	in     *inside
	queue  *queue
	audit  *audit.Service
	seq    int
}

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

func newPond(t testing.TB, d *db.DB) *pond {
	p := &pond{t: t, clock: testkit.Clock(), ctx: testkit.As(t.Context(), "admin"), out: newOutside(), in: &inside{}, queue: &queue{handlers: map[string]jobs.Handler{}},
		office: &office{list: []Colleague{{ID: "wang", Name: "王芳", User: "us_1"}, {ID: "li", Name: "李雷", User: "us_2"}, {ID: "zhao", Name: "赵敏"}, {ID: "gone", Name: "老周", Off: true}}}}
	var err error
	p.audit, err = audit.New(audit.Deps{DB: d, Clock: p.clock, Log: testkit.Quiet(), Key: make([]byte, 32)})
	require.NoError(t, err)
	files, err := blob.NewFolder(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = files.Close() })
	p.Service = NewService(Deps{DB: d, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: testkit.Quiet(), Keys: testkit.Ring(), Audit: p.audit, Emit: p.in, Jobs: p.queue, Files: files,
		Platform: p.out, Accounts: p.office, Staff: p.office, Channels: p.in, Tags: p.in, Pools: p.in, People: p.in, Zone: func(context.Context) *time.Location { return shanghai }, Node: "n1"})
	p.RegisterJobs()
	return p
}

func each(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newPond(t, d)) }, audit.Migrations(), Migrations())
}

// plain is a code that lets people meet wang and li.
func plain() Definition {
	return Definition{Name: "南京路店", Account: "ac_1", Members: []Member{{Staff: "wang"}, {Staff: "li"}}, Welcome: Welcome{Text: "您好"}}
}

func (p *pond) make(d Definition) *Code {
	p.t.Helper()
	c, err := p.Create(p.ctx, d)
	require.NoError(p.t, err)
	return c
}

func (p *pond) turn() { p.t.Helper(); require.NoError(p.t, p.Round(p.ctx)) }

func (p *pond) now(id string) *Code {
	p.t.Helper()
	c, err := p.code(p.ctx, id)
	require.NoError(p.t, err)
	return c
}

// way is what the platform has for a code.
func (p *pond) way(id string) Way {
	p.t.Helper()
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return p.out.ways[p.book.get(id).way.id]
}

// scanOf is the callback of somebody who scans a code and meets a colleague.
func (p *pond) scanOf(c *Code, staff, customer string) Scan {
	p.seq++
	s := Scan{Key: fmt.Sprint("cb", p.seq), Account: "ac_1", Staff: staff, Customer: customer, WelcomeCode: fmt.Sprint("wc", p.seq), At: p.clock.Now()}
	if c != nil {
		s.State = c.Key
	}
	return s
}

// fact is the fact of a friendship, as the pipeline hands it over.
func (p *pond) fact(name string, c *Code, staff, customer string, contact int64) event.Stored {
	p.seq++
	props := map[string]any{"account": "ac_1", "staff": staff}
	if c != nil {
		props["state"], props["code"] = c.Key, c.ID
	}
	raw, _ := json.Marshal(props)
	return event.Stored{Fact: event.Fact{MessageID: fmt.Sprint("f", p.seq), Type: event.Track, Name: name, Properties: raw, Timestamp: p.clock.Now().UnixMilli(), Contact: contact,
		Identifiers: []event.Identifier{{Kind: "wecom_external_userid", Value: customer}}}}
}

func (p *pond) follow(facts ...event.Stored) {
	p.t.Helper()
	require.NoError(p.t, p.DB.Tx(p.ctx, func(ctx context.Context) error { return p.Handle(ctx, facts) }))
}

// welcomes lists what became of each: state and fault by the callback's key.
func (p *pond) welcomes() map[string]string {
	p.t.Helper()
	rows, err := p.DB.Query(p.ctx, "select id, state, fault from livecode_welcomes")
	require.NoError(p.t, err)
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var id, state, fault string
		require.NoError(p.t, rows.Scan(&id, &state, &fault))
		out[id] = state
		if fault != "" {
			out[id] += " " + fault
		}
	}
	require.NoError(p.t, rows.Err())
	return out
}
