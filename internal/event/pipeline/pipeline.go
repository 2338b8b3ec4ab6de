package pipeline

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of cursors and set-aside facts.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "event", FS: sub}
}

// Window is how long a message id counts once, by time of receipt.
const Window = 7 * 24 * time.Hour

// Contact is what others are told of a contact beside its number.
type Contact struct {
	ID   string
	Name string
	Kind event.Kind
}

// Contacts describes contacts by number, in one look-up. Numbers that do not
// exist (any more) are left out. Package contact implements it.
type Contacts interface {
	Describe(ctx context.Context, numbers []int64) (map[int64]Contact, error)
}

// Watcher sees everything pass, for the live debugger. It must not block and
// must not keep the facts beyond the call: it copies what it wants.
type Watcher interface {
	Stored(facts []event.Stored)
	Left(f event.Fact, at event.Position, o Outcome, why *errs.Error)
}

// Outcome is what became of a fact.
type Outcome string

// The outcomes.
const (
	Stored    Outcome = "stored"
	Duplicate Outcome = "duplicate"
	SetAside  Outcome = "set_aside"
)

// Keyring seals facts at rest (package secret implements it).
type Keyring interface {
	wire.Keyring
	Seal(field, plain string) (string, error)
	OpenOrClear(field, text string) (string, error)
}

// Deps is what a Pipeline is built from.
type Deps struct {
	DB       *db.DB
	Stream   *bus.Stream
	Store    analytics.Store
	Resolver event.Resolver
	Contacts Contacts      // nil: subscribers that lag see no contact ids
	Emitter  event.Emitter // for facts that are tried again
	Keys     Keyring       // opens the stream's messages and seals facts set aside; nil: all in clear
	// Prepare brings a fact into the shape that reports share, before repeats
	// are looked for; nil: facts stay as they came. It must give the same
	// again for the same fact, and leaves alone what it cannot read.
	Prepare func(f *event.Fact)
	Watcher Watcher        // nil: nobody watches
	Audit   audit.Recorder // of what people do with facts set aside; nil: nobody keeps it
	Clock   clock.Clock
	IDs     *id.Source
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: none
	// Busy tells whether senders wait for this machine; the pipeline then leaves
	// them most of it for a while. nil: never. The intake implements it.
	Busy func() bool
	// BatchFacts is how many facts go through the stages at once (0: 2,000),
	// FilterBytes bounds the memory of the duplicate filter (0: 64 MiB).
	BatchFacts, FilterBytes int
	// Backoff is the first wait after a failure (0: 100 ms); it doubles up to 300 times that.
	Backoff time.Duration
}

// Pipeline takes facts from the stream to the store and to subscribers.
type Pipeline struct {
	deps    Deps
	aside   *asideStore
	filter  *filter
	subs    []*subscription
	tail    tail
	metrics *metrics

	gate   sync.RWMutex // held shared by every step; Pause takes it alone
	mu     sync.Mutex
	stored event.Position // everything up to it is in the store
	done   uint64         // last message that is stored as a whole
	change chan struct{}  // closed and renewed whenever stored, done or a cursor moves

	oldest  atomic.Int64 // when the oldest message at hand came, unix ms; 0: none
	ready   atomic.Bool  // the duplicate filter is built
	started bool
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	stop    sync.Once
}

// New makes a pipeline; nothing runs yet.
func New(d Deps) *Pipeline {
	if d.BatchFacts <= 0 {
		d.BatchFacts = 2000
	}
	if d.FilterBytes <= 0 {
		d.FilterBytes = 64 << 20
	}
	if d.Backoff <= 0 {
		d.Backoff = 100 * time.Millisecond
	}
	p := &Pipeline{deps: d, aside: &asideStore{db: d.DB, clock: d.Clock, ids: d.IDs, keys: d.Keys}, filter: newFilter(d.FilterBytes), change: make(chan struct{})}
	p.metrics = newMetrics(d.Metrics, p)
	return p
}

// Subscribe adds a subscriber. It begins with the oldest stored fact (an
// event.Newcomer with the next one), or where it was when it ran before under the
// same name. It sees a fact only when those named after have handled it: what
// they make of facts it may read. Call it before Start, after these.
func (p *Pipeline) Subscribe(s event.Subscriber, after ...string) {
	if p.started {
		panic("pipeline: Subscribe after Start")
	}
	sub := &subscription{p: p, name: s.Name(), to: s}
	for _, name := range after {
		before := p.subscriber(name)
		if before == nil {
			panic("pipeline: " + s.Name() + " comes after " + name + ", which is not subscribed")
		}
		sub.after = append(sub.after, before)
	}
	if p.subscriber(s.Name()) != nil {
		panic("pipeline: two subscribers named " + s.Name())
	}
	p.subs = append(p.subs, sub)
}

// subscriber finds one by name; nil when there is none.
func (p *Pipeline) subscriber(name string) *subscription {
	for _, s := range p.subs {
		if s.name == name {
			return s
		}
	}
	return nil
}

// Cursor tells how far a subscriber has come, before and after Start.
func (p *Pipeline) Cursor(ctx context.Context, subscriber string) (event.Position, error) {
	return p.cursor(ctx, (&subscription{name: subscriber}).cursorName())
}

// Start reads where everyone was and begins to work.
func (p *Pipeline) Start(ctx context.Context) error {
	pos, err := p.deps.Store.Position(ctx)
	if err != nil {
		return fmt.Errorf("read the store's position: %w", err)
	}
	p.stored = pos
	if pos.Seq > 0 {
		p.done = pos.Seq - 1 // the last message may be stored in part
		st, err := p.deps.Stream.State(ctx)
		if err != nil {
			return fmt.Errorf("ask the stream: %w", err)
		}
		if st.First > pos.Seq { // it is trimmed, so it was stored as a whole: nobody waits for it in vain
			p.done = pos.Seq
		}
	}
	p.tail.reset(pos)
	for _, s := range p.subs {
		if s.cursor, err = p.cursor(ctx, s.cursorName()); err != nil {
			return err
		}
		if _, ok := s.to.(event.Newcomer); ok && s.cursor == (event.Position{}) && pos.Seq > 0 {
			if err := p.moveCursor(ctx, s.cursorName(), pos); err != nil { // so that it misses nothing from now on, whatever happens
				return err
			}
			s.cursor = pos
		}
		if s.cursor.Less(pos) {
			continue
		}
		s.cursor = pos // it cannot have seen what is not stored: the store is an older copy
	}
	if err := p.aside.tidy(ctx); err != nil {
		return err
	}
	p.started = true
	run, cancel := context.WithCancel(context.Background()) // lives until Stop
	p.cancel = cancel
	p.wg.Go(func() { p.work(run) })
	p.wg.Go(func() { p.trim(run) })
	for _, s := range p.subs {
		p.wg.Go(func() { s.run(run) })
	}
	return nil
}

// drainTime bounds the draining in Stop: what is left waits safely in the stream.
const drainTime = 10 * time.Second

// Stop lets the pipeline digest what is in the stream, as long as ctx and ten
// seconds allow, and ends it. Safe to call twice.
func (p *Pipeline) Stop(ctx context.Context) error {
	if p.cancel == nil {
		return nil
	}
	p.stop.Do(func() {
		if st, err := p.deps.Stream.State(ctx); err == nil {
			wait, cancel := context.WithTimeout(ctx, drainTime)
			if err := p.Wait(wait, st.Last); err != nil {
				p.deps.Log.Info("facts are left for the next start", "error", err)
			}
			cancel()
		}
		p.cancel()
		p.wg.Wait()
	})
	return nil
}

// Pause waits until no step is under way and holds everything back until
// resume is called: the stores then stand still together, for a backup.
// Intake goes on; its facts wait in the stream.
func (p *Pipeline) Pause(ctx context.Context) (resume func(), err error) {
	locked := make(chan struct{})
	go func() { p.gate.Lock(); close(locked) }()
	select {
	case <-locked:
		var once sync.Once
		return func() { once.Do(p.gate.Unlock) }, nil
	case <-ctx.Done():
		go func() { <-locked; p.gate.Unlock() }()
		return nil, ctx.Err()
	}
}

// Wait returns when everything up to the stream sequence seq is stored and
// seen by all subscribers.
func (p *Pipeline) Wait(ctx context.Context, seq uint64) error {
	var target event.Position
	for reached := false; ; {
		p.mu.Lock()
		change := p.change
		if !reached && p.done >= seq {
			reached, target = true, p.stored
		}
		all := reached
		for _, s := range p.subs {
			all = all && !s.cursor.Less(target)
		}
		p.mu.Unlock()
		if all {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return fmt.Errorf("wait for the pipeline: %w", ctx.Err())
		}
	}
}

// decoder reads messages with the keys there are.
func (p *Pipeline) decoder() *wire.Decoder {
	if p.deps.Keys == nil { // not an interface that holds nothing
		return &wire.Decoder{}
	}
	return &wire.Decoder{Keys: p.deps.Keys}
}

// moved tells everyone who waits that something went on. Call it with mu held.
func (p *Pipeline) moved() {
	close(p.change)
	p.change = make(chan struct{})
}

// trimEvery is how often messages that are stored leave the stream.
const trimEvery = 2 * time.Second

func (p *Pipeline) trim(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	var last uint64
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		p.gate.RLock()
		p.mu.Lock()
		done := p.done
		p.mu.Unlock()
		if done > last {
			if err := p.deps.Stream.Trim(ctx, done); err != nil {
				if ctx.Err() == nil {
					p.deps.Log.Warn("stored facts stay in the stream for now", "error", err)
				}
			} else {
				last = done
			}
		}
		p.gate.RUnlock()
	}
}

// Floor is the highest stream sequence that any stage or subscriber has noted:
// a stream that was lost must begin beyond it (bus.StreamConfig).
func Floor(ctx context.Context, d *db.DB) (uint64, error) {
	var seq int64
	if err := d.QueryRow(ctx, "select coalesce(max(seq), 0) from event_cursors").Scan(&seq); err != nil {
		return 0, fmt.Errorf("read cursors: %w", err)
	}
	return uint64(seq), nil
}

// cursor reads how far a stage or subscriber came; the zero position when it never ran.
func (p *Pipeline) cursor(ctx context.Context, name string) (event.Position, error) {
	var pos event.Position
	err := p.deps.DB.QueryRow(ctx, "select seq, idx from event_cursors where name = $1", name).Scan(&pos.Seq, &pos.Idx)
	if err != nil && !db.NoRows(err) {
		return pos, fmt.Errorf("read cursor %s: %w", name, err)
	}
	return pos, nil
}

// moveCursor joins the transaction of ctx.
func (p *Pipeline) moveCursor(ctx context.Context, name string, to event.Position) error {
	_, err := p.deps.DB.Exec(ctx, `insert into event_cursors (name, seq, idx, updated_at) values ($1,$2,$3,$4)
		on conflict (name) do update set seq = excluded.seq, idx = excluded.idx, updated_at = excluded.updated_at`,
		name, int64(to.Seq), int64(to.Idx), p.deps.Clock.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("move cursor %s: %w", name, err)
	}
	return nil
}

// blame tells whether an error may be the fault of a single fact. What is
// known to be somebody else's is waited out instead.
func (p *Pipeline) blame(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if k := errs.As(err).Kind; k == errs.Unavailable || k == errs.TooMany {
		return false
	}
	return p.deps.DB.Ping(ctx) == nil
}

// guarded runs fn and makes an error of a panic.
func guarded(log *slog.Logger, what string, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s panicked: %v", what, v)
			log.Error("panic in the pipeline", "in", what, "panic", v, "stack", stack())
		}
	}()
	return fn()
}

// backoff waits after the n-th failure in a row; false when ctx ended.
func (p *Pipeline) backoff(ctx context.Context, n int) bool {
	wait := p.deps.Backoff << min(n, 8)
	t := time.NewTimer(min(wait, 300*p.deps.Backoff))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
