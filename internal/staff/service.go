package staff

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/rounds"
	"github.com/koipond/koipond/internal/platform/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of colleagues and their friends.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "staff", FS: sub}
}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Keys     contact.Keyring
	Audit    audit.Recorder
	Jobs     jobs.Queue
	Ingest   event.Ingester
	Contacts *contact.Service
	Platform Platform
	Users    Users
	Tasks    Tasks // nil: nobody is given one
	// Hold tells that no sync is to begin by itself just now; nil: never.
	Hold func() bool
	// Zone is the company's time zone: days begin by it.
	Zone func(ctx context.Context) *time.Location
}

// Service keeps colleagues and their friends.
type Service struct {
	Deps
	run  rounds.Runner
	wake chan struct{}
}

// NewService builds the service and takes its place in erasures.
func NewService(d Deps) *Service {
	s := &Service{Deps: d, wake: make(chan struct{}, 1)}
	d.Contacts.OnRemove(s.forget)
	d.Jobs.Register(jobSync, s.sync)
	return s
}

const (
	remarkField  = "staff_friends.remark"
	noteField    = "staff_friends.note"
	mobileField  = "staff_members.mobile"
	emailField   = "staff_members.email"
	messageField = "staff_handovers.message"
)

// Sealed are the columns that hold sealed values, for key rotation.
func (s *Service) Sealed() []vault.Column {
	friend := func(column, field string) vault.Column {
		return vault.Column{Table: "staff_friends", Key: "account staff customer", Column: column, Where: column + " <> ''", Field: field}
	}
	member := func(column, field string) vault.Column {
		return vault.Column{Table: "staff_members", Key: "account id", Column: column, Where: column + " <> ''", Field: field}
	}
	return []vault.Column{friend("remark_enc", remarkField), friend("note_enc", noteField), member("mobile_enc", mobileField), member("email_enc", emailField),
		{Table: "staff_handovers", Key: "id", Column: "message_enc", Where: "message_enc <> ''", Field: messageField}}
}

// round is how often is looked whether a hand-over or a sync is due.
const round = time.Minute

// Start follows hand-overs in the background, and begins the syncs that are due.
func (s *Service) Start(ctx context.Context) error {
	s.run.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, round, s.wake, func(ctx context.Context) {
			if err := s.syncDue(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "a sync of colleagues does not begin just now", "error", err)
			}
			s.turn(ctx)
		})
	})
	return nil
}

// Stop ends that and waits.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	return nil
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Service) seal(field, plain string) (string, error) {
	if plain == "" {
		return "", nil
	}
	out, err := s.Keys.Seal(field, plain)
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", field, err)
	}
	return out, nil
}

func (s *Service) unseal(field, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	out, err := s.Keys.Open(field, sealed)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", field, err)
	}
	return out, nil
}

// forget drops what is kept of contacts that are erased.
func (s *Service) forget(ctx context.Context, nums []int64) error {
	for _, table := range []string{"staff_friends", "staff_handed"} {
		err := chunked(nums, func(part []any) error {
			_, err := s.DB.Exec(ctx, "delete from "+table+" where contact in ("+db.In(1, len(part))+")", part...)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget friends: %w", err)
		}
	}
	return s.recount(ctx)
}

// recount counts every colleague's friends anew: after an erasure.
func (s *Service) recount(ctx context.Context) error {
	_, err := s.DB.Exec(ctx, `update staff_members set friends = (select count(*) from staff_friends f where f.account = staff_members.account and f.staff = staff_members.id and f.state = 'friend')`)
	if err != nil {
		return fmt.Errorf("count friends: %w", err)
	}
	return nil
}

// chunked calls fn with parts of a list that fit into one statement.
func chunked[T any](list []T, fn func(part []any) error) error {
	const most = 400
	for len(list) > 0 {
		n := min(most, len(list))
		part := make([]any, n)
		for i, v := range list[:n] {
			part[i] = v
		}
		list = list[n:]
		if err := fn(part); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) record(ctx context.Context, action, id, name string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	if err := s.Audit.Record(ctx, action, audit.Object{Type: "staff", ID: id, Name: name}, detail); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}
