package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
)

// Concealer seals the personal values in a JSON text, and opens them again.
type Concealer interface {
	Seal(text string) (string, error)
	Open(text string) (string, error)
}

// Deps is what the service is built from.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	IDs   *id.Source
	Log   *slog.Logger
	Files blob.Store     // result files
	Audit audit.Recorder // cancels and retries by people
	// Params seals what is personal in the input of jobs; nil keeps it as it comes.
	Params Concealer
	// Principal gives who asked for a job (by id and name, as they were then) as
	// they are now: what they may do and see. Its *errs.Error fails the job. nil
	// lets every job do everything: for tests.
	Principal func(ctx context.Context, creator auth.Principal) (*auth.Principal, error)
	Metrics   prometheus.Registerer // nil: none
	// Node names this process, the same after a restart: its jobs from before
	// a crash are then taken up at once. "" makes a new name each time, so that
	// they wait until their heartbeat is Stale.
	Node    string
	Workers int           // handlers at once; default 4
	Poll    time.Duration // how often to look for jobs that nobody announced; default 1 s
	Stale   time.Duration // a node without a sign of life for so long is dead; default 30 s
	Keep    time.Duration // finished jobs and their files go after this; default 90 days
}

const (
	maxTries = 3
	// maxCrashes: a job that was running at so many crashes in a row without
	// getting any further is likely their cause.
	maxCrashes    = 5
	progressEvery = 500 * time.Millisecond
)

// Service runs jobs. It implements Queue.
type Service struct {
	Deps
	store   store
	metrics *metrics

	mu       sync.Mutex
	handlers map[string]Handler
	running  map[runKey]*run
	ended    chan struct{} // closed and replaced whenever a job of this process ends
	started  bool
	stopping bool

	wake        chan struct{}
	stop        chan struct{}
	dispatching sync.WaitGroup
	workers     sync.WaitGroup
	loops       sync.WaitGroup
}

var _ Queue = (*Service)(nil)

// NewService makes a service that runs nothing until Start.
func NewService(d Deps) *Service {
	if d.Node == "" {
		d.Node = d.IDs.New("node")
	}
	if d.Workers <= 0 {
		d.Workers = 4
	}
	setDefault(&d.Poll, time.Second)
	setDefault(&d.Stale, 30*time.Second)
	setDefault(&d.Keep, 90*24*time.Hour)
	return &Service{
		Deps: d, store: store{db: d.DB, params: d.Params}, metrics: newMetrics(d.Metrics),
		handlers: map[string]Handler{}, running: map[runKey]*run{}, ended: make(chan struct{}),
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

// Register sets the handler of a kind. It panics after Start or on a second
// one for the kind: a wiring mistake.
func (s *Service) Register(kind string, h Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.handlers[kind]; ok || s.started {
		panic("jobs: " + kind + " is registered twice or after Start")
	}
	s.handlers[kind] = h
}

// Kinds lists the kinds of work that are registered, in order.
func (s *Service) Kinds() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.handlers))
}

// Enqueue adds a job; in a transaction it starts when that commits.
func (s *Service) Enqueue(ctx context.Context, spec Spec) (Job, error) {
	params, err := json.Marshal(spec.Params)
	if err != nil {
		return Job{}, fmt.Errorf("enqueue %s: %w", spec.Kind, err)
	}
	who := auth.From(ctx)
	if who == nil {
		who = auth.System("koipond")
	}
	j := row{Job: Job{
		ID: s.IDs.New("jb"), Kind: spec.Kind, Title: spec.Title, Unit: spec.Unit, Link: spec.Link, State: Queued,
		Params: params, CreatedByID: who.ID, CreatedByName: who.Name, CreatedAt: s.Clock.Now(), FilePermission: spec.FilePermission,
	}, key: spec.Key}
	out, err := s.store.insert(ctx, j)
	if err != nil {
		return Job{}, fmt.Errorf("enqueue %s: %w", spec.Kind, err)
	}
	s.DB.After(ctx, s.Wake)
	return out.Job, nil
}

// Wake makes this process look for due jobs now.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Get reads a job; errs code jobs.not_found when there is none.
func (s *Service) Get(ctx context.Context, jobID string) (Job, error) {
	r, err := s.store.get(ctx, jobID)
	return s.fresh(r.Job), err
}

// fresh puts the newest progress of a job that runs in this process.
func (s *Service) fresh(j Job) Job {
	if r := s.local(j.ID); r != nil && j.State == Running {
		if done, total := r.progress(); done >= j.Done {
			j.Done, j.Total = done, total
		}
	}
	return j
}

// Cancel stops a job: one that waits at once, one that runs when its handler
// notices. A finished one is a Conflict, jobs.finished.
func (s *Service) Cancel(ctx context.Context, jobID string) (Job, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		j, err := s.store.get(ctx, jobID)
		if err != nil {
			return err
		}
		n, err := s.store.cancel(ctx, jobID, s.Clock.Now())
		if err != nil {
			return fmt.Errorf("cancel job: %w", err)
		}
		if n == 0 {
			return errs.New(errs.Conflict, "jobs.finished")
		}
		s.DB.After(ctx, func() { s.cancelLocal(jobID) })
		return s.record(ctx, "job.cancelled", j.Job)
	})
	if err != nil {
		return Job{}, err
	}
	return s.Get(ctx, jobID)
}

func (s *Service) cancelLocal(jobID string) {
	if r := s.local(jobID); r != nil {
		r.cancel(errCancelled)
	}
	s.announce() // one that waited is finished now
}

// runKey is one try. A process that lost a job and claimed it again has two
// tries of it for a moment, until the older one has returned.
type runKey struct {
	id    string
	lease int64
}

// local is the newest try at a job in this process, nil when there is none.
func (s *Service) local(jobID string) *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	var newest *run
	for k, r := range s.running {
		if k.id == jobID && (newest == nil || k.lease > newest.row.lease) {
			newest = r
		}
	}
	return newest
}

// Retry queues a failed or cancelled job again; it goes on from its last checkpoint.
func (s *Service) Retry(ctx context.Context, jobID string) (Job, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		j, err := s.store.get(ctx, jobID)
		if err != nil {
			return err
		}
		if j.State != Failed && j.State != Cancelled {
			return errs.New(errs.Conflict, "jobs.not_failed")
		}
		if j.key != "" {
			if _, err := s.store.unfinished(ctx, j.key); err == nil {
				return errs.New(errs.Conflict, "jobs.same_running")
			} else if !db.NoRows(err) {
				return fmt.Errorf("retry job: %w", err)
			}
		}
		if err := s.store.requeue(ctx, jobID, s.Clock.Now()); db.IsUnique(err) {
			return errs.New(errs.Conflict, "jobs.same_running")
		} else if err != nil {
			return fmt.Errorf("retry job: %w", err)
		}
		s.DB.After(ctx, s.Wake)
		return s.record(ctx, "job.retried", j.Job)
	})
	if err != nil {
		return Job{}, err
	}
	return s.Get(ctx, jobID)
}

func (s *Service) record(ctx context.Context, action string, j Job) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "job", ID: j.ID, Name: j.Title}, map[string]any{"kind": j.Kind})
}

// Wait implements Queue. It hears of jobs of this process at once and of
// others' by looking every Poll.
func (s *Service) Wait(ctx context.Context, jobID string) (Job, error) {
	tick := time.NewTicker(s.Poll)
	defer tick.Stop()
	for {
		s.mu.Lock()
		ended := s.ended
		s.mu.Unlock()
		j, err := s.Get(ctx, jobID)
		if err != nil || j.State.Final() {
			return j, err
		}
		select {
		case <-ctx.Done():
			return j, ctx.Err()
		case <-ended:
		case <-tick.C:
		}
	}
}

// announce tells every Wait that some job ended.
func (s *Service) announce() {
	s.mu.Lock()
	close(s.ended)
	s.ended = make(chan struct{})
	s.mu.Unlock()
}

// Filter narrows a list.
type Filter struct {
	State State
	Kind  string
}

// Counts is the load, for the status page.
type Counts struct{ Queued, Running, Failed24h int64 }

// Counts reads it.
func (s *Service) Counts(ctx context.Context) (Counts, error) {
	return s.store.counts(ctx, s.Clock.Now().Add(-24*time.Hour))
}
