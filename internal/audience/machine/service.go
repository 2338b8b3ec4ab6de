package machine

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/platform/rounds"
	"github.com/koipond/koipond/internal/rule"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of machines.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "machine", FS: sub}
}

// Contacts is what this package asks of package contact.
type Contacts interface {
	// Follower changes rules that ask for a tag so that they ask for the one it was merged into.
	Follower(ctx context.Context, from, into contact.Term) (func(r *rule.Rule) bool, error)
	// Matching gives the people whom a rule holds for; all people for an empty one.
	Matching(ctx context.Context, r *rule.Rule, path string, within []int64) (*numset.Set, error)
	CheckRule(ctx context.Context, r *rule.Rule, path string) error
	Sentence(ctx context.Context, r *rule.Rule) string
	// ReadNumbers reads the numbers of a query, whose column is called n, at once.
	ReadNumbers(ctx context.Context, query string, args ...any) (*numset.Set, error)
	NumOf(ctx context.Context, id string) (int64, error)
	Count(ctx context.Context, sel contact.Selection) (int64, error)
	// Numbers and Walk give whom a selection means, of those the caller sees.
	Numbers(ctx context.Context, sel contact.Selection) (*numset.Set, error)
	Walk(ctx context.Context, sel contact.Selection, after int64, limit int) ([]int64, error)
	// InScope leaves out whom the caller does not see; Refs names the others.
	InScope(ctx context.Context, nums []int64) ([]int64, error)
	Refs(ctx context.Context, nums []int64) (map[int64]contact.Ref, error)
	Survivors(ctx context.Context, nums []int64) (map[int64]int64, error)
}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Audit    audit.Recorder
	Emit     event.Emitter
	Jobs     jobs.Queue
	Contacts Contacts
	// Engine keeps the rules true while facts arrive. Without it everybody is
	// sorted anew on each turn.
	Engine *live.Engine
	// Hold tells whether nobody is to be sorted yet: history is being filled in, and
	// where people stand in the middle of it is not where they ever were. SortAll
	// sorts them when it is over. nil: never.
	Hold func() bool
	// Loops finds rules that rest on themselves; nil: among machines alone.
	Loops *loops.Finder
	// Zone is the company's: days begin in it.
	Zone func(ctx context.Context) *time.Location
}

// Service keeps machines and where everybody stands in them.
type Service struct {
	Deps

	named sync.Mutex
	names map[string]*Definition // see shown

	mu      sync.Mutex
	run     rounds.Runner
	ticked  time.Time // until when lapses were looked for
	swept   time.Time // the hour in which those were sorted last whom nothing told of
	counted string    // the day whose counts were kept last
}

// NewService builds the service.
func NewService(d Deps) *Service {
	if d.Loops == nil {
		d.Loops = loops.New()
	}
	s := &Service{Deps: d}
	d.Loops.Add(s)
	if d.Engine != nil {
		for _, m := range Machines() {
			d.Engine.Own(follower{s, m})
		}
	}
	return s
}

const (
	jobWork   = "machine.work_out"
	tickEvery = 20 * time.Second
)

// RegisterJobs sets the handlers of this package's jobs. Call it while wiring.
func (s *Service) RegisterJobs() {
	s.Jobs.Register(jobWork, s.runWork)
	s.Jobs.Register(jobPlace, s.runPlace)
}

// Start makes the machines where there are none, and begins to look for stays
// that are over. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	ctx = auth.With(context.WithoutCancel(ctx), auth.System("machines"))
	for _, m := range Machines() {
		d, err := s.newest(ctx, m)
		if err != nil {
			return err
		}
		if d == nil {
			if _, err := s.write(ctx, m, 0, Default(m)); err != nil {
				return err
			}
		}
	}
	s.mu.Lock()
	s.ticked = s.Clock.Now()
	s.mu.Unlock()
	s.run.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, tickEvery, nil, func(ctx context.Context) {
			if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("looking for stays that are over", "error", err)
			}
		})
	})
	return nil
}

// Stop ends that and waits. Safe to call twice and without Start.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	return nil
}

// today is the company's day.
func (s *Service) today(ctx context.Context) string {
	return s.Clock.Now().In(s.Zone(ctx)).Format(time.DateOnly)
}
