package rfm

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/platform/rounds"
	"github.com/koipond/koipond/internal/rule"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of RFM models.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "rfm", FS: sub}
}

// Contacts is what this package asks of package contact.
type Contacts interface {
	// Matching gives all people for an empty rule.
	Matching(ctx context.Context, r *rule.Rule, path string, within []int64) (*numset.Set, error)
	// Numbers is whom the caller sees.
	Numbers(ctx context.Context, sel contact.Selection) (*numset.Set, error)
}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Audit    audit.Recorder
	Jobs     jobs.Queue
	Contacts Contacts
	Worths   analytics.Worths
	Engine   Engine // keeps rules that ask for scores; nil: nobody does
	// Zone is the company's: days begin in it. Currency is what it counts in.
	Zone     func(ctx context.Context) *time.Location
	Currency func(ctx context.Context) (string, error)
}

// Service keeps models and the scores of late.
type Service struct {
	Deps

	mu      sync.Mutex
	kept    []*result     // the newest last
	doubted time.Time     // when a fact came last that changes known scores
	doubts  int           // such facts since scores were dropped last
	looked  time.Time     // when that was
	cost    time.Duration // how long scores took to work out last
	working chan struct{} // one question to the store at a time

	watched atomic.Pointer[watched]
	run     rounds.Runner
}

// NewService builds the service.
func NewService(d Deps) *Service {
	if d.Engine == nil {
		d.Engine = noEngine{}
	}
	return &Service{Deps: d, working: make(chan struct{}, 1)}
}

const jobWork = "rfm.work_out"

// RegisterJobs sets the handlers of this package's jobs. Call it while wiring.
func (s *Service) RegisterJobs() { s.Jobs.Register(jobWork, s.runWork) }

// Recompute works a model's scores out anew, as a job: after an import of old
// facts. By themselves they are worked out anew every day, and when the model
// changes.
func (s *Service) Recompute(ctx context.Context, model string) (jobs.Job, error) {
	m, err := s.Model(ctx, model)
	if err != nil {
		return jobs.Job{}, err
	}
	return s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobWork, Title: m.Name, Unit: "contacts", Link: "/rfm?model=" + m.ID, Params: workParams{m.ID}, Key: jobWork + ":" + m.ID})
}

type workParams struct {
	Model string `json:"model"`
}

func (s *Service) runWork(ctx context.Context, run jobs.Run) error {
	var p workParams
	if err := run.Params(&p); err != nil {
		return err
	}
	m, err := s.Model(ctx, p.Model)
	if err != nil {
		return err
	}
	run.Progress(0, 0)
	s.forget(p.Model)
	s.renewed()
	r, err := s.scores(ctx, m, s.today(ctx))
	if err != nil {
		return err
	}
	run.Progress(int64(len(r.nums)), int64(len(r.nums)))
	return run.Result(map[string]int{"people": len(r.nums)})
}

const (
	// keptResults is how many sets of scores stay in memory: 13 bytes for each customer.
	keptResults = 6
	// fresh is how long scores are taken as they are at most: Stored is told of late
	// facts, but not of visitors with purchases who become people.
	fresh = 10 * time.Minute
)

func (s *Service) today(ctx context.Context) time.Time {
	return midnight(s.Clock.Now(), s.Zone(ctx))
}

// scores gives a model's scores as of a midnight: those that are kept, or new ones.
func (s *Service) scores(ctx context.Context, m Model, at time.Time) (*result, error) {
	if r := s.recall(m, at); r != nil {
		return r, nil
	}
	select {
	case s.working <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.working }()
	if r := s.recall(m, at); r != nil { // somebody else asked the same
		return r, nil
	}
	begun := time.Now()
	r, err := s.workOut(ctx, m, at)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cost = time.Since(begun)
	var others []*result
	for _, o := range s.kept {
		if o.model.ID != m.ID || !o.at.Equal(at) {
			others = append(others, o)
		}
	}
	s.kept = append(others, r)
	if len(s.kept) > keptResults {
		s.kept = s.kept[1:]
	}
	return r, nil
}

func (s *Service) recall(m Model, at time.Time) *result {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.kept {
		age := s.Clock.Now().Sub(r.made)
		// While late facts come one after the other, scores still rest between two times.
		right := r.made.After(s.doubted) || age < max(lookEvery, restShare*s.cost)
		if r.model.ID == m.ID && r.at.Equal(at) && r.model.ChangedAt.Equal(m.ChangedAt) && age < fresh && right {
			return r
		}
	}
	return nil
}

// forget drops what is kept of a model.
func (s *Service) forget(model string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var others []*result
	for _, r := range s.kept {
		if r.model.ID != model {
			others = append(others, r)
		}
	}
	s.kept = others
}
