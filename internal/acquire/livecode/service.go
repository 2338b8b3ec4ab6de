package livecode

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/rounds"
	"github.com/koipond/koipond/internal/platform/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of live codes.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "livecode", FS: sub}
}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Keys     veil.Keys
	Audit    audit.Recorder
	Emit     event.Emitter
	Jobs     jobs.Queue
	Files    blob.Store
	Platform Platform
	Accounts Accounts
	Staff    Staff
	Channels Channels
	Tags     Tags
	Pools    Pools
	People   People
	// Zone is the company's: days and shifts are in it.
	Zone func(ctx context.Context) *time.Location
	// Node names this process over restarts: what it claimed before is its own.
	Node string
}

// Service keeps live codes.
type Service struct {
	Deps
	book       book
	claim      claims
	sendingNow active
	wake       chan struct{} // the round
	tasks      chan struct{} // the queue to the platform

	media sync.Map // mediaKey -> mediaValue
	staff sync.Map // account -> staffList

	round, sending rounds.Runner
}

// NewService builds the service.
func NewService(d Deps) *Service {
	s := &Service{Deps: d, wake: make(chan struct{}, 1), tasks: make(chan struct{}, 1)}
	s.claim.service = s
	return s
}

const (
	defField     = "livecodes.def"
	generalField = "livecode_general.def"
	jobBatch     = "livecode.batch"
)

// Sealed are the columns that hold sealed values, for key rotation.
func (s *Service) Sealed() []vault.Column {
	return []vault.Column{
		{Table: "livecodes", Key: "id", Column: "def", Field: defField},
		{Table: "livecode_general", Key: "account", Column: "def", Field: generalField},
	}
}

// RegisterJobs sets the handlers of this package's jobs. Call it while wiring.
func (s *Service) RegisterJobs() { s.Jobs.Register(jobBatch, s.runBatch) }

const (
	roundEvery = time.Minute
	taskEvery  = 5 * time.Second
)

// Start reads the codes into memory and begins to keep them true. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	ctx = auth.With(context.WithoutCancel(ctx), auth.System("livecodes"))
	if err := s.fresh(ctx); err != nil {
		return err
	}
	if err := s.readMedia(ctx); err != nil {
		return err
	}
	s.round.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, roundEvery, s.wake, func(ctx context.Context) {
			if err := s.Round(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "live codes cannot be kept true", "error", err)
			}
		})
	})
	s.sending.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, taskEvery, s.tasks, func(ctx context.Context) {
			if err := s.Work(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "what live codes ask of the platform cannot be done", "error", err)
			}
		})
	})
	return nil
}

// Stop ends what Start began. Safe to call twice.
func (s *Service) Stop(context.Context) error {
	s.round.Stop()
	s.sending.Stop()
	return nil
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // somebody has
	}
}

// now is the company's time.
func (s *Service) now(ctx context.Context) time.Time { return s.Clock.Now().In(s.Zone(ctx)) }

// dateOf is the day of a number, as text.
func dateOf(day int64) string {
	return time.Date(int(day/10000), time.Month(day/100%100), int(day%100), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}
