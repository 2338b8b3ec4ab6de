package consent

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// sourceName is the source of facts that this package states.
const sourceName = "koipond"

// Brand is in whose name the preference page speaks.
type Brand struct {
	Company  string
	Timezone string
	Language i18n.Lang
}

// AuditLog takes entries, and gives those back that hold the end of the chain.
type AuditLog interface {
	audit.Recorder
	List(ctx context.Context, f audit.Filter) ([]audit.Entry, error)
}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Keys     contact.Keyring
	Emit     event.Emitter
	Audit    AuditLog
	Contacts *contact.Service
	Jobs     jobs.Queue
	Files    blob.Store // keeps what proves changes of many
	// Brand reads the company's name, zone and language.
	Brand func(ctx context.Context) (Brand, error)
	// PublicURL is where customers reach the server, without a slash at the end;
	// "" when that is not known: links are then given as paths.
	PublicURL string
}

// Service keeps what people agreed to.
type Service struct {
	Deps
	purposes purposeCache
	pace     pace
	barred   barredCount
}

// NewService builds the service and takes its place in merges. Call it while wiring.
func NewService(deps Deps) *Service {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{Deps: deps, pace: newPace()}
	deps.Contacts.OnMerge(s.merged)
	deps.Contacts.OnSplit(s.split)
	deps.Contacts.OnKind(s.changedKind)
	deps.Contacts.OnRemove(s.forget)
	deps.Contacts.FilterBy(fieldName, field{s})
	deps.Contacts.NamePurposes(s.purposeNames)
	if deps.Jobs != nil {
		deps.Jobs.Register(jobChange, s.runChange)
		deps.Jobs.Register(jobUndo, s.runUndo)
		deps.Jobs.Register(jobCheck, s.runCheck)
	}
	return s
}

// principal is who asks: the program itself when nobody is signed in.
func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("consent")
}

func (s *Service) record(ctx context.Context, action string, obj audit.Object, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	if err := s.Audit.Record(ctx, action, obj, detail); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

// inChunks runs a query with a list of values in pieces; `%s` in the text is
// where the placeholders go, after the fixed arguments.
func inChunks[T any](ctx context.Context, d *db.DB, what, text string, fixed []any, list []T, scan func(*sql.Rows) error) error {
	const most = 500
	for len(list) > 0 {
		part := list[:min(most, len(list))]
		list = list[len(part):]
		size := 1
		for size < len(part) {
			size *= 2
		}
		size = min(size, most)
		args := append(make([]any, 0, len(fixed)+size), fixed...)
		for i := range size { // a short list repeats its last value: few different texts
			args = append(args, part[min(i, len(part)-1)])
		}
		rows, err := d.Query(ctx, fmt.Sprintf(text, db.In(len(fixed)+1, size)), args...)
		if _, err := db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) { return struct{}{}, scan(r) }); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}
