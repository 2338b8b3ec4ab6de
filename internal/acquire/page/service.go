package page

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/rounds"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of landing pages.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "page", FS: sub}
}

// Keys sign sheets, and mark networks.
type Keys interface {
	Index(field, normalised string) string
}

// Channels knows the company's channels (package acquire implements it).
type Channels interface {
	Open(id string) bool
	Called(ctx context.Context, id string) string
}

// Attributes are what forms may ask (package contact implements it).
type Attributes interface {
	FormAttributes(ctx context.Context) ([]*attribute.Attribute, error)
}

// Contacts follows merges, so that a gift is given once to a person.
type Contacts interface {
	Survivors(ctx context.Context, nums []int64) (map[int64]int64, error)
}

// Consents keeps what people agree to (package contact/consent implements it).
type Consents interface {
	Askable(ctx context.Context) ([]*consent.Purpose, error)
	Write(ctx context.Context, said []consent.Said) error
}

// Codes are live codes that a thank-you may show.
type Codes interface {
	LiveCodes(ctx context.Context) ([]CodeChoice, error)
	// Draw gives the code's picture as SVG; ok is false when it cannot be scanned now.
	Draw(ctx context.Context, id string) (svg []byte, ok bool, err error)
}

// Links knows visitors who come by short links, and hands on what need not be
// stated at once (package acquire/link implements it).
type Links interface {
	ChannelOf(code string) string
	Later(f event.Fact) bool
}

// Store answers about facts (the analytics store implements it).
type Store interface {
	Totals(ctx context.Context, q analytics.TotalsQuery) ([]analytics.GroupRow, error)
	Trend(ctx context.Context, q analytics.TrendQuery) (analytics.Trend, error)
}

// Fakes lists contacts who are known to be no people.
type Fakes interface {
	Fakes(ctx context.Context) ([]int64, error)
}

// Brand is in whose name pages speak.
type Brand struct{ Company string }

// Deps is what the service works with. Audit and Fakes may be nil.
type Deps struct {
	DB         *db.DB
	Clock      clock.Clock
	IDs        *id.Source
	Log        *slog.Logger
	Audit      audit.Recorder
	Keys       Keys
	Files      blob.Store
	Ingest     event.Ingester
	Emit       event.Emitter
	Channels   Channels
	Attributes Attributes
	Contacts   Contacts
	Consents   Consents
	Codes      Codes
	Links      Links
	Store      Store
	Fakes      Fakes
	Brand      func(ctx context.Context) (Brand, error)
	Zone       func(ctx context.Context) *time.Location
	// Say gives the words of a code in the language of a page.
	Say       func(lang i18n.Lang, code string, params map[string]any) string
	PublicURL string
	// Quick is how soon after it was shown a form is a program's; 0: a second and a half.
	Quick time.Duration
}

// Service keeps pages, shows them, and takes what is sent.
type Service struct {
	Deps
	mu    sync.RWMutex
	live  map[string]*row // by slug, published or not
	upTo  int64
	noise noise
	pace  pace
	views flood

	origin *http.CrossOriginProtection
	run    rounds.Runner
}

const refresh = 5 * time.Second

// NewService builds the service.
func NewService(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Quick == 0 {
		d.Quick = leastAge
	}
	s := &Service{Deps: d, live: map[string]*row{}, origin: http.NewCrossOriginProtection()}
	if d.PublicURL != "" {
		if err := s.origin.AddTrustedOrigin(strings.TrimSuffix(d.PublicURL, "/")); err != nil {
			s.Log.Warn("the public address is no origin; forms are compared with the address that they came to", "error", err)
		}
	}
	return s
}

// Start reads the pages into memory and follows what other nodes change.
func (s *Service) Start(ctx context.Context) error {
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	s.run.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, refresh, nil, func(ctx context.Context) {
			if err := s.catchUp(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "landing pages were not read", "error", err)
			}
			if err := s.flushNoise(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "what programs did at pages was not written", "error", err)
			}
		})
	})
	return nil
}

// Stop writes the last counts.
func (s *Service) Stop(ctx context.Context) error {
	s.run.Stop()
	return s.flushNoise(ctx)
}

// row is a page as it is kept. public is what strangers see, nil before the first
// time that it was published.
type row struct {
	id, slug, title, channel, source, medium, campaign, by string
	expires, version, edited, created, changed             int64
	live                                                   bool
	draft                                                  string
	public                                                 *Design
}

const rowColumns = "p.id, p.slug, p.title, p.channel, p.source, p.medium, p.campaign, p.expires_at, p.live, p.version, p.draft, p.edited_at, p.by_name, p.created_at, p.changed_at, coalesce(v.design, '')"
const rowTables = " from pages p left join page_versions v on v.page = p.id and v.version = p.version"

func scanRow(r *sql.Rows) (*row, error) {
	var x row
	var live int64
	var design string
	err := r.Scan(&x.id, &x.slug, &x.title, &x.channel, &x.source, &x.medium, &x.campaign, &x.expires, &live, &x.version, &x.draft, &x.edited, &x.by, &x.created, &x.changed, &design)
	if err != nil {
		return nil, err
	}
	x.live = live == 1
	if design != "" {
		x.public = &Design{}
		if err := json.Unmarshal([]byte(design), x.public); err != nil {
			return nil, fmt.Errorf("decode landing page %s: %w", x.id, err)
		}
	}
	return &x, nil
}

func (x *row) open(now int64) bool {
	return x.live && x.public != nil && (x.expires == 0 || now < x.expires)
}

func (x *row) state(now int64) string {
	switch {
	case x.public == nil:
		return "draft"
	case !x.live:
		return "stopped"
	case !x.open(now):
		return "expired"
	}
	return "live"
}

// catchUp takes changes into memory, some of them again: clocks of nodes differ.
func (s *Service) catchUp(ctx context.Context) error {
	s.mu.RLock()
	from := s.upTo
	s.mu.RUnlock()
	if from > 0 {
		from -= time.Minute.Milliseconds()
	}
	rows, err := s.DB.Query(ctx, "select "+rowColumns+rowTables+" where p.changed_at >= $1", from)
	list, err := db.Collect(rows, err, scanRow)
	if err != nil {
		return fmt.Errorf("read landing pages: %w", err)
	}
	s.keep(list...)
	return nil
}

func (s *Service) keep(list ...*row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range list {
		for slug, old := range s.live {
			if old.id == x.id && slug != x.slug && old.changed <= x.changed {
				delete(s.live, slug)
			}
		}
		if old := s.live[x.slug]; old == nil || old.changed <= x.changed {
			s.live[x.slug] = x
		}
		s.upTo = max(s.upTo, x.changed)
	}
}

func (s *Service) find(slug string) *row {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.live[slug]
}

var errNone = errs.New(errs.NotFound, "page.not_found")

func (s *Service) reread(ctx context.Context, id string) (*row, error) {
	rows, err := s.DB.Query(ctx, "select "+rowColumns+rowTables+" where p.id = $1", id)
	list, err := db.Collect(rows, err, scanRow)
	if err != nil {
		return nil, fmt.Errorf("read landing page: %w", err)
	}
	if len(list) == 0 {
		return nil, errNone
	}
	s.keep(list[0])
	return list[0], nil
}

func (s *Service) record(ctx context.Context, action, id, title string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "page", ID: id, Name: title}, detail)
}

func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("pages")
}
