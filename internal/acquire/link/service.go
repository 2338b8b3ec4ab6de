package link

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/rounds"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of links.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "link", FS: sub}
}

// Keys sign what stands for a person in an address.
type Keys interface {
	Index(field, normalised string) string
}

// Channels knows the company's channels (package acquire implements it).
type Channels interface {
	Open(id string) bool
	Called(ctx context.Context, id string) string
	Named(ctx context.Context, text string) string
}

// Contacts are the people who open links (package contact implements it).
type Contacts interface {
	NumOf(ctx context.Context, id string) (int64, error)
	Survivors(ctx context.Context, nums []int64) (map[int64]int64, error)
	Refs(ctx context.Context, nums []int64) (map[int64]contact.Ref, error)
	Describe(ctx context.Context, nums []int64) (map[int64]contact.Brief, error)
	InScope(ctx context.Context, nums []int64) ([]int64, error)
}

// People names users (package team implements it).
type People interface {
	Names(ctx context.Context, ids []string) map[string]string
}

// Teller tells a user something, once for each key (package contact/care implements it).
type Teller interface {
	Tell(ctx context.Context, user, key, kind, ref string, contact int64) error
}

// Deps is what the service works with. Audit, People and Teller may be nil.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	IDs       *id.Source
	Log       *slog.Logger
	Audit     audit.Recorder
	Keys      Keys
	Channels  Channels
	Contacts  Contacts
	People    People
	Teller    Teller
	Tables    contact.Tables
	Ingest    Door
	Zone      func(ctx context.Context) *time.Location
	PublicURL string
	Store     Figures
	Fakes     Fakes // nil: nobody is taken to be no person
	Queue     int   // openings that may wait for the door; 0: 50,000
}

// Figures answers about facts (the analytics store implements it).
type Figures interface {
	Totals(ctx context.Context, q analytics.TotalsQuery) ([]analytics.GroupRow, error)
	Trend(ctx context.Context, q analytics.TrendQuery) (analytics.Trend, error)
}

// Fakes lists contacts who are taken to be no people (package acquire/quality
// implements it).
type Fakes interface {
	Fakes(ctx context.Context) ([]int64, error)
}

// Door appends facts and returns when they are synced (package event/intake implements it).
type Door interface {
	Ingest(ctx context.Context, facts []event.Fact) (seq uint64, err error)
}

// Service keeps links, answers openings and tells who opened.
type Service struct {
	Deps
	mu    sync.RWMutex
	links map[string]*row
	upTo  int64 // newest change that is in links

	settings atomic.Pointer[filter]
	misses   *rate.Limiter
	pace     pace
	queue    chan event.Fact
	noise    noise

	follow, drain rounds.Runner
}

type filter struct {
	Settings
	nets networks
}

const refresh = 5 * time.Second

// NewService builds the service.
func NewService(d Deps) *Service {
	if d.Queue <= 0 {
		d.Queue = 50_000
	}
	s := &Service{Deps: d, links: map[string]*row{}, misses: rate.NewLimiter(50, 100), queue: make(chan event.Fact, d.Queue)}
	s.settings.Store(&filter{Settings: Settings{Networks: []string{}, Burst: 20}})
	return s
}

// Start reads the links into memory, follows what other nodes change, and begins
// to hand openings to the door.
func (s *Service) Start(ctx context.Context) error {
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	s.follow.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, refresh, nil, func(ctx context.Context) {
			if err := s.catchUp(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "links were not read", "error", err)
			}
			if err := s.flushNoise(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "openings by programs were not written", "error", err)
			}
		})
	})
	s.drain.Start(ctx, s.drainQueue)
	return nil
}

// Stop hands what waits to the door and writes the last counts. Call it when no
// more requests come and before the door closes.
func (s *Service) Stop(ctx context.Context) error {
	s.follow.Stop()
	s.drain.Stop()
	s.lastOnes(ctx)
	return s.flushNoise(ctx)
}

// row is a link as it is kept and held in memory.
type row struct {
	code, title, target, channel, source, medium, campaign, content, owner, by string
	notify, carry, paused                                                      bool
	expires, created, changed                                                  int64
	leads                                                                      string // where it leads, worked out once
}

const rowColumns = "code, title, target, channel, source, medium, campaign, content, owner_id, notify, carry, expires_at, paused, by_name, created_at, changed_at"

func scanRow(r *sql.Rows) (*row, error) {
	var x row
	var notify, carry, paused int64
	err := r.Scan(&x.code, &x.title, &x.target, &x.channel, &x.source, &x.medium, &x.campaign, &x.content, &x.owner, &notify, &carry, &x.expires, &paused, &x.by, &x.created, &x.changed)
	x.notify, x.carry, x.paused = notify == 1, carry == 1, paused == 1
	x.leads = leads(&x)
	return &x, err
}

func (x *row) live(now int64) bool { return !x.paused && (x.expires == 0 || now < x.expires) }

func (x *row) state(now int64) string {
	switch {
	case x.paused:
		return "paused"
	case !x.live(now):
		return "expired"
	}
	return "active"
}

// catchUp takes changes into memory. It reads a little of what it has already:
// clocks of nodes differ, and changes of one moment may be committed one after
// the other.
func (s *Service) catchUp(ctx context.Context) error {
	var networks string
	var set Settings
	if err := s.DB.QueryRow(ctx, "select networks, burst from link_settings where one = 1").Scan(&networks, &set.Burst); err != nil {
		return fmt.Errorf("read settings of links: %w", err)
	}
	if err := json.Unmarshal([]byte(networks), &set.Networks); err != nil {
		return fmt.Errorf("decode settings of links: %w", err)
	}
	s.settings.Store(&filter{set, prefixes(set.Networks)})
	s.mu.RLock()
	from := s.upTo
	s.mu.RUnlock()
	if from > 0 {
		from -= time.Minute.Milliseconds()
	}
	rows, err := s.DB.Query(ctx, "select "+rowColumns+" from links where changed_at >= $1", from)
	list, err := db.Collect(rows, err, scanRow)
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	s.keep(list...)
	return nil
}

func prefixes(texts []string) (out networks) {
	for _, t := range texts {
		if p, err := netip.ParsePrefix(t); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

// keep takes rows into memory; an older one never replaces a newer.
func (s *Service) keep(list ...*row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range list {
		if old := s.links[x.code]; old == nil || old.changed <= x.changed {
			s.links[x.code] = x
		}
		s.upTo = max(s.upTo, x.changed)
	}
}

// find gives a link from memory. One that is not there may have been made by
// another node just now: the table is asked, but not more often than guessing
// of codes may cost.
func (s *Service) find(ctx context.Context, code string) (*row, error) {
	s.mu.RLock()
	x := s.links[code]
	s.mu.RUnlock()
	if x != nil || !validCode(code) || !s.misses.AllowN(s.Clock.Now(), 1) {
		return x, nil
	}
	rows, err := s.DB.Query(ctx, "select "+rowColumns+" from links where code = $1", code)
	list, err := db.Collect(rows, err, scanRow)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	s.keep(list[0])
	return list[0], nil
}

func (s *Service) record(ctx context.Context, action, code, title string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "link", ID: code, Name: title}, detail)
}

func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("links")
}

func (s *Service) zone(ctx context.Context) *time.Location {
	if s.Zone == nil {
		return time.FixedZone("Asia/Shanghai", 8*3600)
	}
	return s.Zone(ctx)
}
