package dictionary

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the dictionary's tables.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "dictionary", FS: sub}
}

// Deps is what a Service is built from.
type Deps struct {
	DB    *db.DB
	Store analytics.Store
	Clock clock.Clock
	IDs   *id.Source
	Log   *slog.Logger
	Audit audit.Recorder
	Jobs  jobs.Queue // promotes properties to columns in the background
}

// Service is the dictionary. It implements event.Subscriber.
type Service struct {
	deps Deps

	mu    sync.Mutex
	known *known // what the learner goes by; nil: not read yet

	volumes volumes
}

// promoteJob is the kind of the job that makes a property a column.
const promoteJob = "dictionary.promote"

// New makes the service; it needs no start.
func New(d Deps) *Service {
	s := &Service{deps: d}
	s.volumes.ask = s.askVolumes
	if d.Jobs != nil {
		d.Jobs.Register(promoteJob, s.promote)
	}
	return s
}

type promoteParams struct {
	Property string `json:"property"`
	Type     string `json:"type"`
}

func (s *Service) promote(ctx context.Context, run jobs.Run) error {
	var p promoteParams
	if err := run.Params(&p); err != nil {
		return err
	}
	run.Progress(0, 1)
	if err := s.deps.Store.Promote(ctx, analytics.Column{Property: p.Property, Type: p.Type}); err != nil {
		return err
	}
	run.Progress(1, 1)
	return nil
}

// volumes are the counts by event, as reports give them, remembered for a
// moment: a list page and the ones after it agree, and paging is cheap.
type volumes struct {
	ask func(ctx context.Context) (all, week map[string]int64, err error)

	mu        sync.Mutex
	at        time.Time
	all, week map[string]int64
}

const volumesFor = 5 * time.Second

func (v *volumes) get(ctx context.Context, now time.Time) (all, week map[string]int64, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all != nil && now.Sub(v.at) < volumesFor && !now.Before(v.at) {
		return v.all, v.week, nil
	}
	if v.all, v.week, err = v.ask(ctx); err != nil {
		v.all = nil
		return nil, nil, err
	}
	v.at = now
	return v.all, v.week, nil
}

func (s *Service) askVolumes(ctx context.Context) (all, week map[string]int64, err error) {
	count := func(f analytics.Filter) (map[string]int64, error) {
		_, _, events, err := s.deps.Store.Summary(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("count events: %w", err)
		}
		out := make(map[string]int64, len(events))
		for _, e := range events {
			out[e.Name] = e.Count
		}
		return out, nil
	}
	if all, err = count(analytics.Filter{}); err != nil {
		return nil, nil, err
	}
	now := s.deps.Clock.Now()
	week, err = count(analytics.Filter{Range: analytics.Range{From: now.AddDate(0, 0, -7)}})
	return all, week, err
}

// columns are the properties that have a column of their own in the store.
func (s *Service) columns(ctx context.Context) (map[string]bool, error) {
	list, err := s.deps.Store.Columns(ctx)
	if err != nil {
		return nil, fmt.Errorf("list columns: %w", err)
	}
	out := make(map[string]bool, len(list))
	for _, c := range list {
		out[c.Property] = true
	}
	return out, nil
}

var errNoEvent = errs.New(errs.NotFound, "dictionary.no_event")
