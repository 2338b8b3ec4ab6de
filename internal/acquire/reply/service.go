package reply

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/rounds"
	"github.com/koipond/koipond/internal/platform/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of auto-replies.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "reply", FS: sub}
}

// Deps is what the service works with. Audit may be nil.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Keys     veil.Keys
	Audit    audit.Recorder
	Ingest   Door
	Platform Platform
	Files    Files
	Tags     Tags
	People   People
	Tables   contact.Tables
	// Zone is the company's: hours and days are in it.
	Zone func(ctx context.Context) *time.Location
}

// Service keeps rules and answers by them.
type Service struct {
	Deps
	book    atomic.Pointer[book]
	reading sync.Mutex // one reader of changes at a time
	notes   notes
	media   sync.Map // mediaKey -> mediaValue
	known   atomic.Pointer[accountList]
	wake    chan struct{}

	follow, hands rounds.Runner
}

// NewService builds the service.
func NewService(d Deps) *Service {
	s := &Service{Deps: d, wake: make(chan struct{}, 1)}
	s.notes.init(mostNotes)
	s.book.Store(&book{rules: map[string]*Rule{}, accounts: map[string]*desk{}, hours: map[string]*Hours{}})
	return s
}

const defField = "replies.def"

// Sealed are the columns that hold sealed values, for key rotation.
func (s *Service) Sealed() []vault.Column {
	return []vault.Column{{Table: "replies", Key: "id", Column: "def", Field: defField}}
}

const (
	followEvery = 2 * time.Second // what another node changed
	mediaEvery  = time.Minute
)

// Start reads the rules into memory, follows the changes of other nodes, and keeps
// pictures at the platforms. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	ctx = auth.With(context.WithoutCancel(ctx), auth.System("replies"))
	if err := s.fresh(ctx); err != nil {
		return err
	}
	if err := s.readMedia(ctx); err != nil {
		return err
	}
	s.follow.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, followEvery, nil, func(ctx context.Context) {
			if err := s.fresh(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "auto-replies in memory are behind", "error", err)
			}
		})
	})
	s.hands.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, mediaEvery, s.wake, func(ctx context.Context) {
			if err := s.freshMedia(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "pictures of auto-replies are not at the platform", "error", err)
			}
		})
	})
	return nil
}

// Stop ends what Start began. Safe to call twice.
func (s *Service) Stop(context.Context) error {
	s.follow.Stop()
	s.hands.Stop()
	return nil
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // somebody has
	}
}

func (s *Service) zone(ctx context.Context) *time.Location {
	if s.Zone == nil {
		return time.FixedZone("Asia/Shanghai", 8*3600)
	}
	return s.Zone(ctx)
}

func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("replies")
}

func (s *Service) record(ctx context.Context, action, id, name string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "reply", ID: id, Name: name}, detail)
}
