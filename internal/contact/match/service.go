package match

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of possible duplicates.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "match", FS: sub}
}

// Keyring makes keyed hashes (package secret implements it).
type Keyring interface {
	Index(field, normalised string) string
}

// Joiner makes two contacts one by their public ids, keeps two apart for good by
// number, and tells of pairs whether they are kept apart (contact.Service).
type Joiner interface {
	Join(ctx context.Context, keep, other, why string) error
	Part(ctx context.Context, a, b int64, why string) error
	Apart(ctx context.Context, pairs [][2]int64) ([]bool, error)
}

// Deps is what the service works with. Audit may be nil in tests.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Keys     Keyring
	Contacts *contact.Service
	Joiner   Joiner
	Jobs     jobs.Queue
	Audit    audit.Recorder
	// Zone is the company's, for the hour of the nightly run.
	Zone func(ctx context.Context) *time.Location
	// Dir is a folder for sorting on disk, of this process alone; "" is the system's.
	Dir string
}

// Service finds pairs that may be one person and keeps what was decided of them.
type Service struct {
	Deps

	stop    chan struct{}
	stopped sync.Once
	loop    sync.WaitGroup
	counts  kept
}

// The kinds of jobs.
const (
	jobRun   = "match.run"
	jobMerge = "match.merge"
)

// New makes the service and registers its jobs.
func New(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Zone == nil {
		d.Zone = func(context.Context) *time.Location { return time.UTC }
	}
	s := &Service{Deps: d, stop: make(chan struct{})}
	if d.Jobs != nil {
		d.Jobs.Register(jobRun, s.runJob)
		d.Jobs.Register(jobMerge, s.mergeJob)
	}
	if d.Contacts != nil {
		d.Contacts.OnMerge(s.merged)
		d.Contacts.OnSplit(s.split)
	}
	return s
}

// Start begins looking at the clock: see Tick. Files for sorting that a crash
// left behind are removed.
func (s *Service) Start(context.Context) error {
	if s.Dir != "" {
		left, _ := filepath.Glob(filepath.Join(s.Dir, sortFolder)) // the pattern is a good one
		for _, d := range left {
			if err := os.RemoveAll(d); err != nil {
				return fmt.Errorf("remove files for sorting: %w", err)
			}
		}
	}
	s.loop.Go(func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() { <-s.stop; cancel() }()
		t := time.NewTicker(time.Minute)
		defer t.Stop()
		for {
			if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "possible duplicates: the nightly run was not begun", "error", err)
			}
			select {
			case <-s.stop:
				return
			case <-t.C:
			}
		}
	})
	return nil
}

// Stop ends it. Safe to call twice.
func (s *Service) Stop(context.Context) error {
	s.stopped.Do(func() { close(s.stop) })
	s.loop.Wait()
	return nil
}
