package live

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the table of what the engine remembers between two starts.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "audience_live", FS: sub}
}

// Name is the engine's among the subscribers of the pipeline.
const Name = "audience"

// Contacts answers conditions on fields (package contact implements it).
type Contacts interface {
	Condition(ctx context.Context, n *rule.Node, within []int64) (numset.Choice, error)
	Matching(ctx context.Context, r *rule.Rule, path string, within []int64) (*numset.Set, error)
	Survivors(ctx context.Context, nums []int64) (map[int64]int64, error)
	Groups(ctx context.Context, roots []int64) (map[int64][]int64, error)
	Describe(ctx context.Context, nums []int64) (map[int64]contact.Brief, error)
}

// Store answers conditions on behaviour (an analytics engine implements it).
type Store interface {
	analytics.Behaviours
	People(ctx context.Context, q analytics.PeopleQuery) ([]int64, error)
	After(ctx context.Context, pos event.Position, limit int) ([]analytics.Row, error)
}

// Deps is what an Engine is built from.
type Deps struct {
	DB       *db.DB
	Contacts Contacts
	Store    Store
	// Cursor tells how far the pipeline has come with this subscriber.
	Cursor  func(ctx context.Context) (event.Position, error)
	Zone    func(ctx context.Context) *time.Location // of the company
	Clock   clock.Clock
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: none
	// Filling tells whether made-up history is being filled in: none of its facts is
	// followed then, and all are worked out by CatchUp. nil: never.
	Filling func() bool
	// Tick is how often the engine looks at the clock (0: once a second).
	Tick time.Duration
}

// Engine keeps the rules of its owners true.
type Engine struct {
	d       Deps
	owners  []*owned
	metrics *metrics

	// lock is a mutex that can be waited for with a context. Whoever changes what
	// the rules say holds it, from the first question to the last word to owners;
	// what follows is read and written under it alone.
	lock      chan struct{}
	people    *numset.Set      // whom rules can speak of
	conds     map[string]*cond // all there are, by how they are written
	byName    map[string][]*cond
	pending   *numset.Set    // known to be touched by facts that did not come yet
	pendingTo event.Position // where the last of these stands
	renewal   *renewal       // under way in the background
	swept     time.Time      // up to when windows have lapsed
	noted     time.Time      // what of it is written down
	day       string         // for which days were worked out, and the zone they are of
	flood     flood          // old facts that were let pass
	polled    time.Time      // when fields were read whole that no fact speaks of

	remembered string // what the store was told to keep at hand; the background's own

	mu      sync.Mutex      // guards what follows, and what says so elsewhere
	stale   map[string]bool // fields that somebody changed without facts
	doubted bool            // facts were taken back
	status  map[string]map[string]*plan
	ready   chan struct{}
	wake    chan struct{}
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// owned is an owner and what is known of its rules.
type owned struct {
	Owner
	serving map[string]*plan // worked out; under the engine's lock
	wanted  map[string]*plan // as they are defined now; nil when that is what serves
	missed  *Cause           // it failed and waits to be told of everybody
	fails   int
	retry   time.Time
	changed bool // its rules are to be read anew; guarded by the engine's mu
	reread  time.Time
}

// New makes an engine; nothing runs yet.
func New(d Deps) *Engine {
	if d.Tick <= 0 {
		d.Tick = time.Second
	}
	e := &Engine{d: d, lock: make(chan struct{}, 1), people: &numset.Set{}, pending: &numset.Set{}, conds: map[string]*cond{}, byName: map[string][]*cond{},
		status: map[string]map[string]*plan{}, stale: map[string]bool{}, ready: make(chan struct{}), wake: make(chan struct{}, 1)}
	e.metrics = newMetrics(d.Metrics, e)
	return e
}

// Own adds an owner. Call it while wiring.
func (e *Engine) Own(o Owner) { e.owners = append(e.owners, &owned{Owner: o, changed: true}) }

// Changed says that an owner's rules are others now: they are read anew, and what
// is new in them is worked out in the background. Call it after the transaction
// that changed them.
func (e *Engine) Changed(owner string) {
	e.mu.Lock()
	for _, o := range e.owners {
		if o.Name() == owner {
			o.changed, o.reread = true, time.Time{}
		}
	}
	e.mu.Unlock()
	e.nudge()
}

// Status tells whether a rule is worked out as it is defined now, and when it is
// not, how much of the work is done (0 to 1). Until then the definition before
// serves, if there was one.
func (e *Engine) Status(owner, key string) (ready bool, progress float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.owners {
		if o.Name() == owner && o.changed {
			return false, 0
		}
	}
	p := e.status[owner][key]
	if p == nil {
		return false, 0
	}
	done := 0.0
	for _, c := range p.conds {
		done += c.share
	}
	if !p.serves {
		return false, min(done/float64(max(1, len(p.conds))), 0.99)
	}
	return true, 1
}

// Problem is why a rule cannot be worked out just now; nil when nothing is
// wrong. It is tried again, and what was known before serves meanwhile.
func (e *Engine) Problem(owner, key string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.status[owner][key]; p != nil {
		for _, c := range p.conds {
			if c.broken != nil {
				return c.broken
			}
		}
	}
	return nil
}

// Start works everything out in the background and then follows the facts; call
// it after the pipeline's Start. Until it is done the pipeline's batches wait.
func (e *Engine) Start(context.Context) error {
	run, cancel := context.WithCancel(context.Background()) // lives until Stop
	e.cancel = cancel
	e.wg.Go(func() { e.run(run) })
	return nil
}

// Stop ends the background work and waits for it. Safe to call twice. Call it
// after the pipeline's Stop.
func (e *Engine) Stop(context.Context) error {
	if e.cancel != nil {
		e.cancel()
		e.wg.Wait()
	}
	return nil
}

// Ready tells whether everything was worked out since the start.
func (e *Engine) Ready() bool {
	select {
	case <-e.ready:
		return true
	default:
		return false
	}
}

// hold waits for the lock.
func (e *Engine) hold(ctx context.Context) (release func(), err error) {
	select {
	case e.lock <- struct{}{}:
		return func() { <-e.lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default: // somebody has
	}
}

// run is the background: it begins, and then does what is due.
func (e *Engine) run(ctx context.Context) {
	for n := 0; ; n++ {
		err := guarded(func() error { return e.begin(ctx) })
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
		e.d.Log.Error("audiences cannot be worked out yet", "error", err)
		select {
		case <-time.After(min(e.d.Tick<<min(n, 6), time.Minute)):
		case <-ctx.Done():
			return
		}
	}
	tick := time.NewTicker(e.d.Tick)
	defer tick.Stop()
	for {
		if err := guarded(func() error { return e.due(ctx) }); err != nil && ctx.Err() == nil {
			e.d.Log.Error("work on audiences failed and is tried again", "error", err)
		}
		select {
		case <-tick.C:
		case <-e.wake:
		case <-ctx.Done():
			return
		}
	}
}

// guarded runs fn and makes an error of a panic: a mistake in one rule or owner
// must not end the program.
func guarded(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, stack())
		}
	}()
	return fn()
}
