package pipeline_test

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

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// memory is an analytics store of slices: only what the pipeline needs. It
// outlives the pipelines that work on it, as a file would.
type memory struct {
	analytics.Store // anything else is not asked: a nil call panics
	mu              sync.Mutex
	rows            []analytics.Row
	pos             event.Position
	appends         int
	asked           int // message ids that Seen was asked about
	fail            func(b analytics.Batch) error
	after           func() // called at the end of Append, after it took effect
}

func (m *memory) Append(_ context.Context, b analytics.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(b); err != nil {
			return err
		}
	}
	if !m.pos.Less(b.Position) {
		return nil
	}
	for _, r := range b.Rows {
		if m.pos.Less(r.Position) {
			r.Properties = slices.Clone(r.Properties)
			m.rows = append(m.rows, r)
		}
	}
	m.pos = b.Position
	m.appends++
	if m.after != nil {
		m.after()
	}
	return nil
}

func (m *memory) Position(context.Context) (event.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pos, nil
}

func (m *memory) Seen(_ context.Context, since time.Time, ids []string) (map[string]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked += len(ids)
	want := map[string]bool{}
	for _, v := range ids {
		want[v] = true
	}
	out := map[string]bool{}
	for _, r := range m.rows {
		if want[r.MessageID] && r.ReceivedAt >= since.UnixMilli() {
			out[r.MessageID] = true
		}
	}
	return out, nil
}

func (m *memory) MessageHashes(_ context.Context, since time.Time, fn func([]uint64, int64) error) error {
	m.mu.Lock()
	rows := slices.Clone(m.rows)
	m.mu.Unlock()
	for _, r := range rows {
		if r.ReceivedAt < since.UnixMilli() {
			continue
		}
		if err := fn([]uint64{analytics.HashMessageID(r.MessageID)}, r.ReceivedAt); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) After(_ context.Context, pos event.Position, limit int) ([]analytics.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []analytics.Row
	for _, r := range m.rows {
		if pos.Less(r.Position) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (m *memory) ids() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, r := range m.rows {
		out = append(out, r.MessageID)
	}
	return out
}

// resolver gives each user id a number; what it is told to refuse it refuses.
type resolver struct {
	mu     sync.Mutex
	nums   map[string]int64
	poison func(f event.Fact) *errs.Error
	fail   func(facts []event.Fact) error
	calls  int
}

func (r *resolver) Resolve(_ context.Context, facts []event.Fact, at []event.Position) (event.Resolved, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.fail != nil {
		if err := r.fail(facts); err != nil {
			return event.Resolved{}, err
		}
	}
	if r.nums == nil {
		r.nums = map[string]int64{}
	}
	out := event.Resolved{}
	for i := range facts {
		if i > 0 && !at[i-1].Less(at[i]) {
			return out, errors.New("not in stream order")
		}
		n, ok := r.nums[facts[i].UserID]
		if !ok {
			n = int64(len(r.nums) + 1)
			r.nums[facts[i].UserID] = n
		}
		res := event.Resolution{Contact: n, ID: fmt.Sprint("ct_", n), Kind: event.Person, Channel: "organic"}
		if r.poison != nil {
			res.Err = r.poison(facts[i])
		}
		out.Facts = append(out.Facts, res)
	}
	return out, nil
}

// Describe implements pipeline.Contacts.
func (r *resolver) Describe(_ context.Context, numbers []int64) (map[int64]pipeline.Contact, error) {
	out := map[int64]pipeline.Contact{}
	for _, n := range numbers {
		out[n] = pipeline.Contact{ID: fmt.Sprint("ct_", n), Kind: event.Person}
	}
	return out, nil
}

// recorder is a subscriber that writes what it sees into a table, so that
// exactly-once shows.
type recorder struct {
	name string
	db   *db.DB
	mu   sync.Mutex
	seen []event.Stored
	fail func(facts []event.Stored) error
}

func (r *recorder) Name() string { return r.name }

func (r *recorder) Handle(ctx context.Context, facts []event.Stored) error {
	r.mu.Lock()
	fail := r.fail
	r.mu.Unlock()
	for _, f := range facts {
		if _, err := r.db.Exec(ctx, "insert into seen_facts (who, message_id, n) values ($1,$2,1) on conflict (who, message_id) do update set n = seen_facts.n + 1", r.name, f.MessageID); err != nil {
			return err
		}
	}
	if fail != nil {
		if err := fail(facts); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range facts {
		f.Properties = slices.Clone(f.Properties)
		r.seen = append(r.seen, f)
	}
	return nil
}

func (r *recorder) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, f := range r.seen {
		out = append(out, f.MessageID)
	}
	return out
}

// world is a whole pipeline over real streams and databases.
type world struct {
	*testing.T
	dir      string
	db       *db.DB
	clock    *clock.Fake
	ids      *id.Source
	store    analytics.Store
	memory   *memory // nil when store is another
	resolver *resolver
	subs     []*recorder
	follow   func(p *pipeline.Pipeline) // subscribes others, after subs
	bus      *bus.Bus
	stream   *bus.Stream
	intake   *intake.Service
	pipe     *pipeline.Pipeline
	batch    int
	busy     func() bool
	noted    noted
}

// noted keeps what the audit log would: the action and how many facts.
type noted struct{ entries []string }

func (n *noted) Record(_ context.Context, action string, _ audit.Object, detail map[string]any) error {
	n.entries = append(n.entries, fmt.Sprint(action, " ", detail["facts"]))
	return nil
}

func newWorld(t *testing.T, d *db.DB, subs ...string) *world {
	t.Helper()
	_, err := d.Exec(t.Context(), "create table seen_facts (who text not null, message_id text not null, n bigint not null, primary key (who, message_id))")
	require.NoError(t, err)
	w := &world{T: t, dir: t.TempDir(), db: d, clock: testkit.Clock(), memory: &memory{}, resolver: &resolver{}}
	w.store = w.memory
	w.ids = testkit.IDs(w.clock)
	for _, s := range subs {
		w.subs = append(w.subs, &recorder{name: s, db: d})
	}
	return w
}

// start opens everything anew over the same stores.
func (w *world) start() *world {
	w.Helper()
	var err error
	w.bus, err = bus.Open(w.Context(), bus.Config{Dir: w.dir, MinFree: -1})
	require.NoError(w, err)
	pos, err := w.store.Position(w.Context())
	require.NoError(w, err)
	floor, err := pipeline.Floor(w.Context(), w.db)
	require.NoError(w, err)
	w.stream, err = w.bus.Stream(w.Context(), bus.StreamConfig{Name: "FACTS", After: pos.Seq, Floor: floor})
	require.NoError(w, err)
	w.intake = intake.New(intake.Deps{Stream: w.stream, MaxMessage: w.bus.MaxMessage(), DB: w.db, Clock: w.clock, IDs: w.ids, Log: testkit.Quiet()})
	w.pipe = pipeline.New(pipeline.Deps{DB: w.db, Stream: w.stream, Store: w.store, Resolver: w.resolver, Contacts: w.resolver, Emitter: w.intake, Audit: &w.noted,
		Clock: w.clock, IDs: w.ids, Log: testkit.Quiet(), BatchFacts: w.batch, Busy: w.busy, Backoff: time.Millisecond})
	for _, s := range w.subs {
		w.pipe.Subscribe(s)
	}
	if w.follow != nil {
		w.follow(w.pipe)
	}
	require.NoError(w, w.intake.Start(w.Context()))
	require.NoError(w, w.pipe.Start(w.Context()))
	w.Cleanup(w.stop)
	return w
}

func (w *world) stop() {
	if w.bus == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(w.T, w.intake.Stop(ctx))
	require.NoError(w.T, w.pipe.Stop(ctx))
	require.NoError(w.T, w.bus.Close(ctx))
	w.bus = nil
}

func (w *world) fact(id string) event.Fact {
	return event.Fact{MessageID: id, Type: event.Track, Name: "e", UserID: "u-" + id[:1], Source: "test", Properties: json.RawMessage(`{"id":"` + id + `"}`)}
}

func (w *world) ingest(ids ...string) uint64 {
	w.Helper()
	var facts []event.Fact
	for _, v := range ids {
		facts = append(facts, w.fact(v))
	}
	seq, err := w.intake.Ingest(w.Context(), facts)
	require.NoError(w, err)
	return seq
}

func (w *world) wait(seq uint64) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	require.NoError(w, w.pipe.Wait(ctx, seq))
}

// once asserts that a subscriber's table has each of the ids exactly once, and nothing else.
func (w *world) once(sub string, ids ...string) {
	w.Helper()
	rows, err := w.db.Query(w.Context(), "select message_id, n from seen_facts where who = $1", sub)
	require.NoError(w, err)
	defer rows.Close()
	got := map[string]int{}
	for rows.Next() {
		var id string
		var n int
		require.NoError(w, rows.Scan(&id, &n))
		got[id] = n
	}
	require.NoError(w, rows.Err())
	want := map[string]int{}
	for _, v := range ids {
		want[v] = 1
	}
	require.Equal(w, want, got)
}

func (w *world) open() int64 {
	w.Helper()
	n, err := w.pipe.OpenSetAside(w.Context())
	require.NoError(w, err)
	return n
}

type testCtx = context.Context

// kill ends this life of the pipeline without letting it drain: what it has
// not done is not done.
func (w *world) kill() {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // no time to drain
	require.NoError(w, w.pipe.Stop(ctx))
	require.NoError(w, w.intake.Stop(context.Background()))
	require.NoError(w, w.bus.Close(context.Background()))
	w.bus = nil
}
