package audience

import (
	"context"
	"log/slog"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/rounds"
	"github.com/koipond/koipond/internal/platform/vault"
)

// ownerName is under which name segments are owners of the live engine.
const ownerName = "segments"

// Live is the engine that keeps the truth of rules (package audience/live).
type Live interface {
	// Changed tells that definitions changed.
	Changed(owner string)
	// Status tells how far a definition is worked out.
	Status(owner, key string) (ready bool, progress float64)
	// Refresh tells that a field changed for somebody without a fact.
	Refresh(fields ...string)
	// Problem is why a definition cannot be worked out just now; nil: nothing is wrong.
	Problem(owner, key string) error
}

// Deps is what the service works with. Audit, People, Tables and Live may be nil
// in tests.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Keys     veil.Keys // seals what is personal in rules
	Emit     event.Emitter
	Audit    audit.Recorder
	Jobs     jobs.Queue
	Contacts *contact.Service
	Exports  *contact.Exports
	People   contact.People // names of users
	Tables   contact.Tables // uploaded files
	Zone     func(ctx context.Context) *time.Location
	// Behaviours answers what people did, and Events lists what customers do, the
	// commonest first: for comparisons. Either may be nil.
	Behaviours analytics.Behaviours
	Events     func(ctx context.Context) ([]EventWord, error)
	Loops      *loops.Finder // of rules that rest on themselves; nil: among segments alone
}

// Service keeps segments.
type Service struct {
	Deps
	Sets *SetStore

	live      Live
	own       *owner // what the engine tells
	referrers []Referrer

	run rounds.Runner
}

// NewService builds the service and registers its jobs.
func NewService(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Loops == nil {
		d.Loops = loops.New()
	}
	s := &Service{Deps: d, Sets: &SetStore{DB: d.DB}}
	d.Loops.Add(s)
	if d.Jobs != nil {
		d.Jobs.Register(jobCompute, s.runCompute)
		d.Jobs.Register(jobMembers, s.runMembers)
	}
	s.Refer(ownReferrer{s})
	return s
}

// Follow gives the work of keeping dynamic segments to an engine. Without one
// they are worked out by jobs, when they are defined and when somebody asks.
// Call it while wiring.
func (s *Service) Follow(l Live) { s.live = l }

// unsaid tells the engine that members changed without facts, so that rules which
// rest on them are asked anew.
func (s *Service) unsaid(ctx context.Context) {
	if s.live != nil {
		s.DB.After(ctx, func() { s.live.Refresh(Field) })
	}
}

// ruleField is under which name rules are sealed.
const (
	ruleField    = "segments.rule"
	historyField = "segment_history.rule"
)

// Sealed are the columns that hold sealed values, for key rotation.
func (s *Service) Sealed() []vault.Column {
	return []vault.Column{
		{Table: "segments", Key: "id", Column: "rule", Inside: veil.Inside{Keys: s.Keys, Field: ruleField}.Anew},
		{Table: "segment_history", Key: "id", Column: "rule", Inside: veil.Inside{Keys: s.Keys, Field: historyField}.Anew},
	}
}

// tickEvery is how late a snapshot may be, and how long a segment waits of whose
// definition the engine has nothing to tell.
const tickEvery = 5 * time.Second

// Start begins to make snapshots when they are due, and to look after what the
// engine works out. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	s.run.Start(auth.With(ctx, auth.System("segments")), func(ctx context.Context) {
		var swept time.Time
		rounds.Every(ctx, tickEvery, nil, func(ctx context.Context) {
			if err := s.MakeDueSnapshots(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "snapshots of segments cannot be made", "error", err)
			}
			if err := s.SettleReady(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "segments cannot be marked as worked out", "error", err)
			}
			if now := s.Clock.Now(); now.Sub(swept) >= undoSweep {
				swept = now
				if err := s.DropOldUndo(ctx); err != nil && ctx.Err() == nil {
					s.Log.ErrorContext(ctx, "old changes of lists cannot be forgotten", "error", err)
				}
			}
		})
	})
	return nil
}

// Stop ends what Start began. Safe to call twice.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	return nil
}

// asProgram is the context of work that speaks of everybody, whoever asked for it.
func asProgram(ctx context.Context) context.Context {
	return auth.With(ctx, auth.System("segments"))
}

func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("segments")
}

// me is the caller as a reference.
func me(ctx context.Context) contact.Ref {
	p := principal(ctx)
	return contact.Ref{ID: p.ID, Name: p.Name}
}

func (s *Service) zone(ctx context.Context) *time.Location {
	if s.Zone == nil {
		return time.FixedZone("Asia/Shanghai", 8*3600)
	}
	return s.Zone(ctx)
}

// day is the day of the company at a moment.
func (s *Service) day(ctx context.Context, at time.Time) string {
	return at.In(s.zone(ctx)).Format(time.DateOnly)
}

func (s *Service) record(ctx context.Context, action string, g *segment, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "segment", ID: g.id, Name: g.name}, detail)
}
