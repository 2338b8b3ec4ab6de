package live

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/analytics/sealed"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// start is noon of a Monday in China.
var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// lake is an analytics store of slices whose answers are the meaning itself.
type lake struct {
	mu    sync.Mutex
	rows  []analytics.Row
	into  map[int64]int64
	asked int // conditions
	fail  func(q analytics.BehaviourQuery) error
	while func() // called in the middle of a question
}

func (l *lake) root(n int64) int64 {
	for l.into[n] != 0 {
		n = l.into[n]
	}
	return n
}

func (l *lake) rekey(list []event.Rekey) {
	for _, r := range list {
		if r.Into != 0 {
			if l.root(r.From) == r.From && l.root(r.Into) != r.From {
				l.into[r.From] = l.root(r.Into)
			}
			continue
		}
		group := append([]int64{r.From}, r.Split...)
		for n, to := range l.into { // whoever these lead, comes along
			if slices.Contains(group, to) && !slices.Contains(group, n) {
				group = append(group, n)
			}
		}
		for _, n := range group {
			l.into[n] = r.From
		}
		delete(l.into, r.From)
	}
}

// factsOf gives what each contact did, oldest first.
func (l *lake) factsOf() map[int64][]rule.Fact {
	rows := slices.Clone(l.rows)
	slices.SortStableFunc(rows, func(a, b analytics.Row) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	out := map[int64][]rule.Fact{}
	for _, r := range rows {
		n := l.root(r.Contact)
		out[n] = append(out[n], rule.Fact{Name: r.Name, At: r.Timestamp, Properties: r.Properties})
	}
	return out
}

func (l *lake) Behaviour(_ context.Context, q analytics.BehaviourQuery) ([]numset.Choice, error) {
	l.mu.Lock()
	while := l.while
	l.mu.Unlock()
	if while != nil {
		while()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked += len(q.Leaves)
	if l.fail != nil {
		if err := l.fail(q); err != nil {
			return nil, err
		}
	}
	all := l.factsOf()
	out := make([]numset.Choice, len(q.Leaves))
	for i := range q.Leaves {
		b := &q.Leaves[i]
		out[i] = numset.Choice{Set: &numset.Set{}, Rest: rule.Holds(b, nil, q.Now, q.Zone)}
		if q.Among != nil {
			for _, n := range q.Among {
				put(out[i], n, rule.Holds(b, all[n], q.Now, q.Zone))
			}
			continue
		}
		for n, facts := range all {
			put(out[i], n, rule.Holds(b, facts, q.Now, q.Zone))
		}
	}
	return out, nil
}

func (l *lake) People(_ context.Context, q analytics.PeopleQuery) ([]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	set := &numset.Set{}
	for _, r := range l.rows {
		if slices.Contains(q.Events, r.Name) && r.Timestamp >= q.From.UnixMilli() && r.Timestamp < q.To.UnixMilli() {
			set.Add(l.root(r.Contact))
		}
	}
	return set.List(), nil
}

func (l *lake) After(_ context.Context, pos event.Position, limit int) ([]analytics.Row, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []analytics.Row
	for _, r := range l.rows {
		if pos.Less(r.Position) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

// pond is everything but the pipeline, which the test plays.
type pond struct {
	*testing.T
	ctx      context.Context
	db       *db.DB
	clock    *clock.Fake
	zone     *time.Location
	contacts *contact.Service
	activity event.Subscriber
	lake     *lake
	store    *sealed.Store // beside the lake, when the engine asks the real one
	engine   *Engine
	owners   []Owner
	seq      uint64
	seen     event.Position // the engine's cursor
	held     []event.Stored // facts the engine did not get yet
	holding  bool

	mu     sync.Mutex
	outbox []event.Fact
}

type audits struct{}

func (audits) Record(context.Context, string, audit.Object, map[string]any) error { return nil }

func each(t *testing.T, fn func(p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(newPond(t, d)) }, contact.Migrations(), Migrations())
}

func newPond(t *testing.T, d *db.DB) *pond {
	p := &pond{T: t, db: d, clock: clock.NewFake(start), zone: time.FixedZone("Asia/Shanghai", 8*3600), lake: &lake{into: map[int64]int64{}}}
	p.ctx = auth.With(t.Context(), &auth.Principal{ID: "us_1", Name: "王芳", Via: auth.ViaSession, Role: "admin", Scope: auth.Everybody()})
	require.NoError(t, keepTables(p.ctx, d))
	p.contacts = contact.NewService(contact.Deps{DB: d, Clock: p.clock, IDs: id.NewSource(p.clock.Now, nil), Log: testkit.Quiet(), Keys: testkit.Ring(),
		Emit: p, Audit: audits{}, Behaviours: p.lake, Zone: func(context.Context) *time.Location { return p.zone }})
	p.activity = p.contacts.Activity()
	return p
}

// Emit implements event.Emitter: what commits goes into the stream.
func (p *pond) Emit(ctx context.Context, facts ...event.Fact) error {
	p.db.After(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.outbox = append(p.outbox, facts...)
	})
	return nil
}

// asksDuckDB has the engine ask the store that the program has.
func (p *pond) asksDuckDB() {
	p.Helper()
	store, err := duckdb.Open(p.ctx, duckdb.Config{Path: filepath.Join(p.TempDir(), "a.duckdb"), MemoryLimitMB: 200, Clock: p.clock, Log: testkit.Quiet()})
	require.NoError(p, err)
	p.Cleanup(func() { require.NoError(p, store.Close()) })
	p.store = sealed.Wrap(store, testkit.Ring())
}

// begin makes a new engine over the same stores and works everything out.
func (p *pond) begin() {
	p.Helper()
	var store Store = p.lake
	if p.store != nil {
		store = p.store
	}
	p.engine = New(Deps{DB: p.db, Contacts: p.contacts, Store: store, Clock: p.clock, Log: testkit.Quiet(), Zone: func(context.Context) *time.Location { return p.zone },
		Cursor: func(context.Context) (event.Position, error) { return p.seen, nil }})
	for _, o := range p.owners {
		p.engine.Own(o)
	}
	require.NoError(p, p.engine.begin(p.ctx))
}

// post sends facts through all stages, and what they cause after them.
func (p *pond) post(facts ...event.Fact) {
	p.Helper()
	for len(facts) > 0 {
		p.pass(facts)
		p.mu.Lock()
		facts, p.outbox = p.outbox, nil
		p.mu.Unlock()
	}
}

// flush sends what is in the outbox.
func (p *pond) flush() {
	p.mu.Lock()
	facts := p.outbox
	p.outbox = nil
	p.mu.Unlock()
	p.post(facts...)
}

func (p *pond) pass(facts []event.Fact) {
	p.Helper()
	at := make([]event.Position, len(facts))
	p.seq++
	for i := range facts {
		f := &facts[i]
		at[i] = event.Position{Seq: p.seq, Idx: uint32(i)}
		f.Timestamp = cmp.Or(f.Timestamp, p.clock.Now().UnixMilli())
		f.ReceivedAt = cmp.Or(f.ReceivedAt, p.clock.Now().UnixMilli())
		f.Type = cmp.Or(f.Type, event.Track)
		f.MessageID = cmp.Or(f.MessageID, fmt.Sprintf("m%d-%d", p.seq, i))
		f.Source = cmp.Or(f.Source, "web")
	}
	var res event.Resolved
	require.NoError(p, p.db.Tx(p.ctx, func(ctx context.Context) (err error) {
		res, err = p.contacts.Resolver().Resolve(ctx, facts, at)
		return err
	}))
	var stored []event.Stored
	p.lake.mu.Lock()
	for i, r := range res.Facts {
		require.Nil(p, r.Err)
		s := event.Stored{Fact: facts[i], Position: at[i], ContactID: r.ID, ContactKind: r.Kind, Channel: r.Channel}
		s.Contact = r.Contact
		stored = append(stored, s)
		p.lake.rows = append(p.lake.rows, analytics.Row{Fact: facts[i], Position: at[i], Contact: r.Contact, Channel: r.Channel})
	}
	p.lake.rekey(res.Rekeys)
	p.lake.mu.Unlock()
	if p.store != nil {
		batch := analytics.Batch{Position: at[len(at)-1], Rekeys: res.Rekeys, Profiles: res.Profiles}
		for i, s := range stored {
			batch.Rows = append(batch.Rows, analytics.Row{Fact: facts[i], Position: at[i], Contact: s.Contact, Channel: s.Channel})
		}
		require.NoError(p, p.store.Append(p.ctx, batch))
	}
	require.NoError(p, p.db.Tx(p.ctx, func(ctx context.Context) error { return p.activity.Handle(ctx, stored) }))
	if p.holding {
		p.held = append(p.held, stored...)
		return
	}
	p.give(stored)
}

// give hands facts to the engine as the pipeline does.
func (p *pond) give(facts []event.Stored) {
	p.Helper()
	if len(facts) == 0 {
		return
	}
	require.NoError(p, p.engine.Prepare(p.ctx, facts, func(write func(context.Context) error) error { return p.db.Tx(p.ctx, write) }))
	p.seen = facts[len(facts)-1].Position
}

// due lets the background do what is due, and sends what that causes.
func (p *pond) due() {
	p.Helper()
	require.NoError(p, p.engine.due(p.ctx))
	p.flush()
}

// after moves time and lets the background notice.
func (p *pond) after(d time.Duration) {
	p.Helper()
	p.clock.Advance(d)
	p.due()
}

// num is the contact of a user id, as it is now.
func (p *pond) num(user string) int64 {
	p.Helper()
	var n int64
	for _, r := range p.lake.rows {
		if r.UserID == user {
			n = p.lake.root(r.Contact)
		}
	}
	require.NotZero(p, n, user)
	return n
}

func (p *pond) id(n int64) string {
	p.Helper()
	refs, err := p.contacts.Refs(p.ctx, []int64{n})
	require.NoError(p, err)
	return refs[n].ID
}

// keepTables are the keepers'.
func keepTables(ctx context.Context, d *db.DB) error {
	for _, q := range []string{
		"create table if not exists kept (owner text not null, key text not null, num bigint not null, primary key (owner, key, num))",
		"create table if not exists told (id integer primary key " + d.Pick("autoincrement", "generated always as identity") + ", owner text not null, key text not null, num bigint not null, what text not null, reason text not null, live bigint not null)",
	} {
		if _, err := d.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// keeper is an owner whose tables show what it was told.
type keeper struct {
	p     *pond // what asks it; nil in a process of its own
	db    *db.DB
	emit  event.Emitter
	name  string
	mu    sync.Mutex
	rules map[string]*rule.Rule
	fail  func() error // before it keeps anything
	calls []Cause
	emits bool
}

func (p *pond) keeper(name string, rules map[string]string) *keeper {
	k := &keeper{p: p, db: p.db, emit: p, name: name, rules: map[string]*rule.Rule{}}
	for key, text := range rules {
		k.define(key, text)
	}
	p.owners = append(p.owners, k)
	return k
}

func (k *keeper) define(key, text string) {
	k.p.Helper()
	r, err := rule.Parse(text, "rule")
	require.NoError(k.p, err, text)
	k.mu.Lock()
	k.rules[key] = r
	k.mu.Unlock()
}

func (k *keeper) Name() string { return k.name }

// idOf is what rules rest on that ask for a rule of a keeper.
func (k *keeper) idOf(key string) string {
	if k.name == "lifecycle" {
		return loops.Machine(k.name)
	}
	return loops.Segment(key)
}

func (k *keeper) Rules(context.Context) ([]Rule, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []Rule
	for key, r := range k.rules {
		out = append(out, Rule{Key: key, ID: k.idOf(key), Rule: r})
	}
	return out, nil
}

func (k *keeper) Apply(ctx context.Context, t Truths, nums []int64, c Cause) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, c)
	if k.fail != nil {
		if err := k.fail(); err != nil {
			return err
		}
	}
	for key := range k.rules {
		kept, err := k.kept(ctx, key)
		if err != nil {
			return err
		}
		ch := Compare(t, key, kept, nums, c)
		for _, list := range []struct {
			nums []int64
			what string
			in   bool
		}{{ch.Left, "left", false}, {ch.Dropped, "dropped", false}, {ch.Gained, "gained", true}, {ch.Entered, "entered", true}} {
			for _, n := range list.nums {
				if err := k.write(ctx, key, n, list.what, list.in, kept.Has(n), c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (k *keeper) write(ctx context.Context, key string, n int64, what string, in, was bool, c Cause) error {
	if in == was && what != "left" { // one that left as an heir was never in
		return fmt.Errorf("%s %d in %s, where it is %v already", what, n, key, was)
	}
	query := "delete from kept where owner = $1 and key = $2 and num = $3"
	if in {
		query = "insert into kept (owner, key, num) values ($1,$2,$3)"
	}
	if _, err := k.db.Exec(ctx, query, k.name, key, n); err != nil {
		return err
	}
	live := 0
	if c.Live {
		live = 1
	}
	if _, err := k.db.Exec(ctx, "insert into told (owner, key, num, what, reason, live) values ($1,$2,$3,$4,$5,$6)", k.name, key, n, what, c.Reason, live); err != nil {
		return err
	}
	if !k.emits || what != "entered" && what != "left" {
		return nil
	}
	props, _ := json.Marshal(map[string]any{"segment": key, "reason": c.Reason, "live": c.Live})
	return k.emit.Emit(ctx, event.Fact{Type: event.Track, Name: "segment." + what, Contact: n, Properties: props, Source: "koipond"})
}

func (k *keeper) kept(ctx context.Context, key string) (*numset.Set, error) {
	out := &numset.Set{}
	rows, err := k.db.Query(ctx, "select num from kept where owner = $1 and key = $2", k.name, key)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var n int64
		err := r.Scan(&n)
		out.Add(n)
		return struct{}{}, err
	})
	return out, err
}

// members are whom the owner keeps for a rule.
func (k *keeper) members(key string) []int64 {
	k.p.Helper()
	set, err := k.kept(k.p.ctx, key)
	require.NoError(k.p, err)
	return set.List()
}

// said is what the owner was told of a rule, in order: "entered 3 fact live".
func (k *keeper) said(key string) []string {
	k.p.Helper()
	rows, err := k.p.db.Query(k.p.ctx, "select what, num, reason, live from told where owner = $1 and key = $2 order by id", k.name, key)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (string, error) {
		var what, reason string
		var num, live int64
		err := r.Scan(&what, &num, &reason, &live)
		text := fmt.Sprintf("%s %d %s", what, num, reason)
		if live == 1 {
			text += " live"
		}
		return text, err
	})
	require.NoError(k.p, err)
	return out
}

// agree compares what the owner keeps with everything worked out anew.
func (k *keeper) agree(why string) {
	k.p.Helper()
	for key, r := range k.rules {
		want, err := k.p.contacts.Matching(k.p.ctx, r, "rule", nil)
		require.NoError(k.p, err)
		require.Equal(k.p, want.List(), k.members(key), "%s: %s %s", why, key, r.JSON())
	}
}
