package community

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
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of groups and their members.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "community", FS: sub}
}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Keys     contact.Keyring
	Audit    audit.Recorder
	Jobs     jobs.Queue
	Ingest   event.Ingester
	Contacts *contact.Service
	Platform Platform
	// Zone is the company's time zone: days begin by it.
	Zone func(ctx context.Context) *time.Location
	// Recheck is called when a sync may have changed who is in which group; nil: nobody minds.
	Recheck func()
}

// Service keeps groups and their members.
type Service struct{ Deps }

// NewService builds the service and takes its place in erasures.
func NewService(d Deps) *Service {
	s := &Service{d}
	d.Contacts.OnRemove(s.forget)
	d.Jobs.Register(jobSync, s.sync)
	return s
}

const nameField = "community_members.name"

// Sealed are the columns that hold sealed values, for key rotation.
func (s *Service) Sealed() []vault.Column {
	return []vault.Column{{Table: "community_members", Key: "account chat member", Column: "name_enc", Where: "name_enc <> ''", Field: nameField}}
}

// forget drops what is kept of contacts that are erased.
func (s *Service) forget(ctx context.Context, nums []int64) error {
	err := chunked(nums, func(part []any) error {
		_, err := s.DB.Exec(ctx, "delete from community_members where contact in ("+db.In(1, len(part))+")", part...)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget members of groups: %w", err)
	}
	return nil
}

func (s *Service) seal(plain string) (string, error) {
	if plain == "" {
		return "", nil
	}
	out, err := s.Keys.Seal(nameField, plain)
	if err != nil {
		return "", fmt.Errorf("seal name: %w", err)
	}
	return out, nil
}

func (s *Service) unseal(sealed string) string {
	if sealed == "" {
		return ""
	}
	out, err := s.Keys.Open(nameField, sealed)
	if err != nil {
		s.Log.Error("the name of a group's member cannot be opened", "error", err)
		return ""
	}
	return out
}

func (s *Service) zone(ctx context.Context) *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone(ctx)
}

// dayOf is the number of the company's day that a moment was on.
func (s *Service) dayOf(ctx context.Context, at time.Time) int64 {
	_, offset := at.In(s.zone(ctx)).Zone()
	return (at.UnixMilli() + int64(offset)*1000) / (24 * time.Hour).Milliseconds()
}

func dateOf(day int64) string {
	return time.UnixMilli(day * (24 * time.Hour).Milliseconds()).UTC().Format(time.DateOnly)
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
	if err := s.Audit.Record(ctx, action, audit.Object{Type: "group", ID: id, Name: name}, detail); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

var (
	errNoAccount = errs.New(errs.Invalid, "community.no_such_account")
	errNoGroup   = errs.New(errs.NotFound, "community.no_such_group")
)

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func msOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return clock.Ms(t)
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return clock.FromMs(ms)
}
