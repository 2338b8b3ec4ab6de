package quality

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/rounds"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of abnormal traffic.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "quality", FS: sub}
}

// Store answers about facts (the analytics store implements it).
type Store interface {
	analytics.Tracer
	Timeline(ctx context.Context, q analytics.TimelineQuery) ([]analytics.Row, error)
}

// Channels knows the company's channels (package acquire implements it).
type Channels interface {
	Known(id string) bool
	Open(id string) bool
	Called(ctx context.Context, id string) string
	OwnerOf(id string) string
}

// Contacts are those whom findings speak of (package contact implements it).
type Contacts interface {
	// Arrivals tells when contacts that stand by themselves came, and whether they bought.
	Arrivals(ctx context.Context, nums []int64) (map[int64]contact.Arrival, error)
	InScope(ctx context.Context, nums []int64) ([]int64, error)
	ListByNums(ctx context.Context, nums []int64) ([]contact.Row, error)
}

// Noise tells how often programs came to links or pages on a day, and people.
type Noise interface {
	Noise(ctx context.Context, day string, from, to time.Time) ([]Program, error)
}

// Program is what programs did at a link or page on a day.
type Program struct {
	Subject string // link:… or page:…
	Title   string
	Channel string
	Opens   int64 // by programs
	People  int64 // openings by people
	Why     string
}

// Teller tells a user something, once for each key.
type Teller interface {
	Tell(ctx context.Context, user, key, kind, ref string, contact int64) error
}

// Deps is what the service works with. Audit, Teller and Jobs may be nil.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Audit    audit.Recorder
	Store    Store
	Channels Channels
	Contacts Contacts
	Noise    []Noise
	Teller   Teller
	Jobs     jobs.Queue
	Zone     func(ctx context.Context) *time.Location
	// Hold tells that facts are being filled in that happened long ago: what comes
	// together then did not happen together.
	Hold func() bool
}

// Service finds abnormal traffic and keeps what people say of it.
type Service struct {
	Deps
	hooks   []func(ctx context.Context, fake, real []int64) error
	run     rounds.Runner
	looking sync.Mutex

	mu    sync.Mutex
	fakes []int64
	asked time.Time
}

const (
	hourly  = time.Hour
	jobLook = "quality.look"
	// known is for how long the list of fakes is taken as it is: other nodes judge too.
	known = 20 * time.Second
	// mostSuspects bounds whom one finding names.
	mostSuspects = 50_000
)

// NewService builds the service.
func NewService(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Hold == nil {
		d.Hold = func() bool { return false }
	}
	return &Service{Deps: d}
}

// RegisterJobs sets the handler of the job that looks at once. Call it while wiring.
func (s *Service) RegisterJobs() {
	s.Jobs.Register(jobLook, func(ctx context.Context, run jobs.Run) error {
		n, err := s.Look(ctx)
		if err != nil {
			return err
		}
		return run.Result(map[string]int{"found": n})
	})
}

// Start looks each hour: the node whose turn it is.
func (s *Service) Start(ctx context.Context) error {
	s.run.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, time.Minute, nil, func(ctx context.Context) {
			if mine, err := s.turn(ctx); err != nil || !mine {
				if err != nil && ctx.Err() == nil {
					s.Log.WarnContext(ctx, "traffic was not looked at", "error", err)
				}
				return
			}
			if _, err := s.Look(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "traffic was not looked at", "error", err)
			}
		})
	})
	return nil
}

// Stop ends the looking.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	return nil
}

// turn tells whether an hour is over since anybody looked, and takes the turn.
func (s *Service) turn(ctx context.Context) (bool, error) {
	if s.Hold() {
		return false, nil
	}
	now := clock.Ms(s.Clock.Now())
	n, err := s.DB.ExecN(ctx, "update quality_settings set looked_at = $1 where one = 1 and looked_at <= $2", now, now-hourly.Milliseconds())
	return n > 0, err
}

// LookNow has a look taken at once, as a job.
func (s *Service) LookNow(ctx context.Context) (jobs.Job, error) {
	return s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobLook, Title: "traffic", Unit: "facts", Link: "/traffic", Key: jobLook})
}

func (s *Service) record(ctx context.Context, action, id, title string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "traffic", ID: id, Name: title}, detail)
}

func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("traffic")
}

func bad(field, code string, params ...any) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
}

// Limit is by how much the conversions of a channel may differ.
type Limit struct {
	Channel string `json:"channel" doc:"Empty: of channels without a line of their own"`
	Percent int    `json:"percent" minimum:"5" maximum:"90"`
}

// Settings are what counts as abnormal.
type Settings struct {
	Burst    int       `json:"burst" minimum:"10" maximum:"10000" doc:"So many openings of one thing within ten minutes from one network are told"`
	Limits   []Limit   `json:"limits" maxItems:"200"`
	LookedAt time.Time `json:"lookedAt,omitzero" readOnly:"true"`
}

// Settings gives what counts as abnormal.
func (s *Service) Settings(ctx context.Context) (out Settings, err error) {
	out.Limits = []Limit{}
	var at int64
	if err := s.DB.QueryRow(ctx, "select burst, looked_at from quality_settings where one = 1").Scan(&out.Burst, &at); err != nil {
		return out, fmt.Errorf("read settings of traffic: %w", err)
	}
	out.LookedAt = clock.FromMs(at)
	rows, err := s.DB.Query(ctx, "select channel, percent from quality_limits order by channel")
	list, err := db.Collect(rows, err, func(r *sql.Rows) (l Limit, err error) { return l, r.Scan(&l.Channel, &l.Percent) })
	if err != nil {
		return out, fmt.Errorf("read limits of traffic: %w", err)
	}
	out.Limits = append(out.Limits, list...)
	return out, nil
}

// SetSettings changes what counts as abnormal, from the next look on.
func (s *Service) SetSettings(ctx context.Context, in Settings) (Settings, error) {
	if in.Burst < 10 || in.Burst > 10_000 {
		return in, bad("burst", "traffic.bad_burst")
	}
	seen := map[string]bool{}
	for i, l := range in.Limits {
		at := fmt.Sprintf("limits[%d].", i)
		switch {
		case l.Channel != "" && !s.Channels.Known(l.Channel):
			return in, bad(at+"channel", "acquire.no_such_channel")
		case seen[l.Channel]:
			return in, bad(at+"channel", "traffic.channel_twice")
		case l.Percent < 5 || l.Percent > 90:
			return in, bad(at+"percent", "traffic.bad_percent")
		}
		seen[l.Channel] = true
	}
	if !seen[""] {
		return in, bad("limits", "traffic.needs_default")
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "update quality_settings set burst = $1 where one = 1", in.Burst); err != nil {
			return fmt.Errorf("keep settings of traffic: %w", err)
		}
		if _, err := s.DB.Exec(ctx, "delete from quality_limits"); err != nil {
			return fmt.Errorf("clear limits of traffic: %w", err)
		}
		for _, l := range in.Limits {
			if _, err := s.DB.Exec(ctx, "insert into quality_limits (channel, percent) values ($1, $2)", l.Channel, l.Percent); err != nil {
				return fmt.Errorf("keep limit of traffic: %w", err)
			}
		}
		return s.record(ctx, "traffic.settings_changed", "settings", "", map[string]any{"burst": in.Burst, "limits": len(in.Limits)})
	})
	if err != nil {
		return in, err
	}
	return s.Settings(ctx)
}

// Fakes lists the contacts who are taken to be no people. Questions leave them out.
func (s *Service) Fakes(ctx context.Context) ([]int64, error) {
	now := s.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.asked.IsZero() && now.Sub(s.asked) < known && !now.Before(s.asked) {
		return s.fakes, nil
	}
	list, err := s.marked(ctx)
	if err != nil {
		return nil, err
	}
	// Whoever bought since, or turned out to be part of somebody known, counts again.
	came, err := s.Contacts.Arrivals(ctx, list)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(n int64) bool { a, ok := came[n]; return !ok || a.FirstOrder > 0 })
	s.fakes, s.asked = list, now
	return list, nil
}

func (s *Service) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = time.Time{}
}

// Forget removes what is kept of contacts; a hook of package contact.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	for len(nums) > 0 {
		part := nums[:min(len(nums), 500)]
		nums = nums[len(part):]
		args := make([]any, len(part))
		for i, n := range part {
			args[i] = n
		}
		if _, err := s.DB.Exec(ctx, "delete from quality_suspects where contact in ("+db.In(1, len(part))+")", args...); err != nil {
			return fmt.Errorf("forget contacts: %w", err)
		}
	}
	s.renew()
	return nil
}
