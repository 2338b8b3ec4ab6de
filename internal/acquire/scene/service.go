package scene

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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

// Migrations are the tables of scene codes.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "scene", FS: sub}
}

// Deps is what the service works with. Audit may be nil.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Keys     veil.Keys
	Audit    audit.Recorder
	Platform Platform
	Answers  Answers
	Channels Channels
	Tags     Tags
	People   People
	// Zone is the company's: days are in it.
	Zone func(ctx context.Context) *time.Location
}

// Service keeps scene codes.
type Service struct {
	Deps
	book    atomic.Pointer[book]
	reading sync.Mutex
	wake    chan struct{}
	round   rounds.Runner
}

// book is all codes in memory; another one takes its place when one changes.
type book struct {
	byID, byKey map[string]*Code
	rev         int64
}

// NewService builds the service.
func NewService(d Deps) *Service {
	s := &Service{Deps: d, wake: make(chan struct{}, 1)}
	s.book.Store(&book{byID: map[string]*Code{}, byKey: map[string]*Code{}})
	return s
}

const defField = "scenes.def"

// Sealed are the columns that hold sealed values, for key rotation.
func (s *Service) Sealed() []vault.Column {
	return []vault.Column{{Table: "scenes", Key: "id", Column: "def", Field: defField}}
}

// roundEvery is how often other nodes' changes are read, and what the platform has
// not made is asked for again.
const roundEvery = 5 * time.Second

// Start reads the codes into memory and begins to have them made. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	ctx = auth.With(context.WithoutCancel(ctx), auth.System("scenes"))
	if err := s.fresh(ctx); err != nil {
		return err
	}
	s.round.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, roundEvery, s.wake, func(ctx context.Context) {
			if err := s.Round(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "scene codes cannot be made", "error", err)
			}
		})
	})
	return nil
}

// Stop ends what Start began. Safe to call twice.
func (s *Service) Stop(context.Context) error {
	s.round.Stop()
	return nil
}

const codeColumns = "id, skey, rev, state, def, by_name, created_at, changed_at, url, until, fault, params, tries, next_at, drawn_at"

func (s *Service) scanCode(r *sql.Rows) (*Code, error) {
	var c Code
	var def string
	var created, changed int64
	if err := r.Scan(&c.ID, &c.Key, &c.rev, &c.State, &def, &c.By, &created, &changed, &c.url, &c.until, &c.fault, &c.params, &c.tries, &c.nextAt, &c.drawnAt); err != nil {
		return nil, err
	}
	c.CreatedAt, c.ChangedAt = clock.FromMs(created), clock.FromMs(changed)
	plain, err := s.Keys.Open(defField, def)
	if err != nil {
		return nil, fmt.Errorf("open scene code: %w", err)
	}
	if err := json.Unmarshal([]byte(plain), &c.Definition); err != nil {
		return nil, fmt.Errorf("decode scene code: %w", err)
	}
	return &c, nil
}

// overlap is read again: a transaction may commit after one that began later.
const overlap = 64

// fresh reads into memory what changed, here or on another node.
func (s *Service) fresh(ctx context.Context) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	old := s.book.Load()
	rows, err := s.DB.Query(ctx, "select "+codeColumns+" from scenes where rev > $1 order by rev", old.rev-overlap)
	list, err := db.Collect(rows, err, s.scanCode)
	if err != nil {
		return fmt.Errorf("read scene codes: %w", err)
	}
	list = slices.DeleteFunc(list, func(c *Code) bool {
		have := old.byID[c.ID]
		return have != nil && have.rev >= c.rev
	})
	if len(list) == 0 {
		return nil
	}
	next := &book{maps.Clone(old.byID), maps.Clone(old.byKey), old.rev}
	for _, c := range list {
		next.byID[c.ID], next.byKey[c.Key] = c, c
		next.rev = max(next.rev, c.rev)
	}
	s.book.Store(next)
	return nil
}

// refresh is fresh once the transaction of ctx commits.
func (s *Service) refresh(ctx context.Context) {
	s.DB.After(ctx, func() {
		if err := s.fresh(context.WithoutCancel(ctx)); err != nil {
			s.Log.ErrorContext(ctx, "scene codes in memory are behind", "error", err)
		}
		select {
		case s.wake <- struct{}{}:
		default: // somebody has
		}
	})
}

// find gives the code of a text, from memory, and from the records when another node
// may just have made it.
func (s *Service) find(ctx context.Context, key string) *Code {
	if !strings.HasPrefix(key, keyPrefix) && !strings.HasPrefix(key, miniPrefix) {
		return nil
	}
	if c := s.book.Load().byKey[key]; c != nil {
		return c
	}
	if err := s.fresh(ctx); err != nil {
		s.Log.ErrorContext(ctx, "look for a scene code", "error", err)
	}
	return s.book.Load().byKey[key]
}

func (s *Service) zone(ctx context.Context) *time.Location {
	if s.Zone == nil {
		return time.FixedZone("Asia/Shanghai", 8*3600)
	}
	return s.Zone(ctx)
}

func who(ctx context.Context) string {
	if p := auth.From(ctx); p != nil {
		return p.Name
	}
	return auth.System("scenes").Name
}

func (s *Service) record(ctx context.Context, action, id, name string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "scene", ID: id, Name: name}, detail)
}

// dateOf is the day of a number, as text.
func dateOf(day int64) string {
	return time.Date(int(day/10000), time.Month(day/100%100), int(day%100), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}
