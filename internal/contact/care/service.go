package care

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/rounds"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of follow-ups and notifications.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "care", FS: sub}
}

// Contacts is what this package asks of package contact.
type Contacts interface {
	NumOf(ctx context.Context, id string) (int64, error)
	Group(ctx context.Context, num int64) ([]int64, error)
	Survivors(ctx context.Context, nums []int64) (map[int64]int64, error)
	Refs(ctx context.Context, nums []int64) (map[int64]contact.Ref, error)
	InScope(ctx context.Context, nums []int64) ([]int64, error)
	// Touched tells that a user was in touch with a contact.
	Touched(ctx context.Context, num int64, user string, at time.Time) error
	// OwnersOf tells who owned a contact, NoteAuthors who wrote about it.
	OwnersOf(ctx context.Context, id string) ([]contact.OwnerChange, error)
	NoteAuthors(ctx context.Context, num int64) ([]contact.Author, error)
	Owners(ctx context.Context, nums []int64) (map[int64]string, error)
	// LeftAlone counts by owner the contacts whose owner was last in touch within a stretch of time.
	LeftAlone(ctx context.Context, from, to time.Time) (map[string]int64, error)
	// OwnedCounts counts the contacts of some owners.
	OwnedCounts(ctx context.Context, owners []string) (map[string]int64, error)
}

// Selector walks contacts and gives them to others (contact.Service).
type Selector interface {
	Count(ctx context.Context, sel contact.Selection) (int64, error)
	Walk(ctx context.Context, sel contact.Selection, after int64, limit int) ([]int64, error)
	Owners(ctx context.Context, nums []int64) (map[int64]string, error)
	Assign(ctx context.Context, moves []contact.OwnerMove, reason contact.OwnerReason) ([]contact.OwnerMove, error)
}

// People knows the staff (package team implements it).
type People interface {
	// Names gives names by id; ids of nobody are left out.
	Names(ctx context.Context, ids []string) map[string]string
	// Working tells whether work may be given to a user.
	Working(ctx context.Context, id string) (bool, error)
	// Left are the users who do not work here any more.
	Left(ctx context.Context) ([]string, error)
	// Leads are those who are to know of a user's work; Admins those who see to everything.
	Leads(ctx context.Context, user string) ([]string, error)
	Admins(ctx context.Context) ([]string, error)
}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Keys     contact.Keyring
	Emit     event.Emitter
	Audit    audit.Recorder
	Contacts Contacts
	Selector Selector
	Jobs     jobs.Queue
	Blobs    blob.Store // files about contacts
	People   People
	// Zone is the company's: days begin and end in it.
	Zone func(ctx context.Context) *time.Location
}

// Service keeps follow-ups and notifications.
type Service struct {
	Deps
	digested string // the last day whose digests this process has written
	watched  string // the last day on which this process looked for contacts left alone

	relations []Relations // where it is known who of the staff knows whom

	run rounds.Runner
}

// NewService builds the service.
func NewService(d Deps) *Service {
	s := &Service{Deps: d}
	s.relations = []Relations{s.owned, s.noted, s.followedUp}
	return s
}

// remindEvery is how late a reminder may be.
const remindEvery = 10 * time.Second

// Start begins to give reminders. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	s.run.Start(auth.With(ctx, auth.System("reminders")), func(ctx context.Context) {
		rounds.Every(ctx, remindEvery, nil, func(ctx context.Context) {
			if err := s.Remind(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "reminders cannot be given", "error", err)
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

func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("care")
}
