package team

import (
	"context"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/rounds"
)

// DemoState tells how far the demo pond is filled.
type DemoState struct {
	State       string // "filling" or "ready"
	Done, Total int64
	Still       bool // nothing is added any more
}

// Demo says that this is a demo pond: whom to sign in as, and how far it is.
type Demo struct {
	Email, Password string
	State           func() DemoState
}

// Deps is what the service is built from.
type Deps struct {
	DB     *db.DB
	Clock  clock.Clock
	IDs    *id.Source
	Log    *slog.Logger
	Audit  audit.Recorder
	Hasher *auth.Hasher
	// Version of the program, told to the console.
	Version string
	// Demo is nil but for a demo pond.
	Demo *Demo
}

// Service keeps the team. It implements auth.Authenticator.
type Service struct {
	db      *db.DB
	store   store
	clock   clock.Clock
	ids     *id.Source
	log     *slog.Logger
	audit   audit.Recorder
	hasher  *auth.Hasher
	version string
	demo    *Demo

	sessions *cache[sessionEntry]
	tokens   *cache[tokenEntry]
	keys     *cache[WriteKey]
	settings *cache[Settings]
	touched  touches
	sweeps   sweeper
	run      rounds.Runner
}

var _ auth.Authenticator = (*Service)(nil)

// NewService makes the service. Its database must be migrated.
func NewService(deps Deps) *Service {
	return &Service{
		db: deps.DB, store: store{deps.DB}, clock: deps.Clock, ids: deps.IDs, log: deps.Log, audit: deps.Audit, hasher: deps.Hasher,
		version: deps.Version, demo: deps.Demo,
		sessions: newCache[sessionEntry](deps.Clock), tokens: newCache[tokenEntry](deps.Clock),
		keys: newCache[WriteKey](deps.Clock), settings: newCache[Settings](deps.Clock),
	}
}

// change runs fn in a transaction that queues behind every other change of who
// may do what, and forgets what was cached once it has committed.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.store.lockTeam(ctx); err != nil {
			return err
		}
		s.db.After(ctx, s.forget)
		return fn(ctx)
	})
}

func (s *Service) forget() {
	s.sessions.clear()
	s.tokens.clear()
	s.keys.clear()
	s.settings.clear()
}

// actor is who asks. Without one nothing here may be changed: the command line
// says who it is with auth.CLI.
func actor(ctx context.Context) (*auth.Principal, error) {
	if p := auth.From(ctx); p != nil {
		return p, nil
	}
	return nil, ErrSignInRequired
}

// covers tells whether whoever asks holds all of perms; otherwise refusal is the answer.
func covers(ctx context.Context, perms []auth.Permission, refusal *errs.Error) error {
	p, err := actor(ctx)
	if err != nil {
		return err
	}
	for _, perm := range perms {
		if !p.May(perm) {
			return refusal.With("permission", string(perm))
		}
	}
	return nil
}

const maxName = 100

// cleanName trims a name and refuses an empty or overlong one, or one with
// control characters.
func cleanName(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", errInput.On(errs.At(field, "request.field_required"))
	case utf8.RuneCountInString(name) > maxName:
		return "", errInput.On(errs.At(field, "request.too_long", "limit", maxName))
	case !utf8.ValidString(name) || strings.IndexFunc(name, unicode.IsControl) >= 0:
		return "", errInput.On(errs.At(field, "request.bad_pattern"))
	}
	return name, nil
}

// cleanEmail gives the address as written and the key by which it is found.
func cleanEmail(field, email string) (addr, key string, err error) {
	email = strings.TrimSpace(email)
	if email == "" {
		return "", "", errInput.On(errs.At(field, "request.field_required"))
	}
	a, perr := mail.ParseAddress(email)
	if perr != nil || a.Address != email || len(email) > 254 || strings.ContainsAny(email, " \t\"<>") {
		return "", "", errInput.On(errs.At(field, "request.not_an_email"))
	}
	return email, emailKey(email), nil
}

func emailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Start begins writing when sessions and keys were last used. Without it (on
// the command line) those times are not kept.
func (s *Service) Start(ctx context.Context) error {
	s.run.Start(ctx, func(ctx context.Context) {
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := s.Flush(ctx); err != nil && ctx.Err() == nil {
					s.log.WarnContext(ctx, "last-used times not written", "error", err)
				}
			}
		}
	})
	return nil
}

// Stop ends what Start began and writes what is left. Safe to call twice.
func (s *Service) Stop(ctx context.Context) error {
	s.run.Stop()
	return s.Flush(ctx)
}

// Names gives the names of users and tokens by id. Ids of others are left out;
// when the database does not answer, all are, and the failure is logged.
func (s *Service) Names(ctx context.Context, ids []string) map[string]string {
	out := make(map[string]string, len(ids))
	const chunk = 500
	for len(ids) > 0 {
		n := min(len(ids), chunk)
		if err := s.store.names(ctx, ids[:n], out); err != nil {
			s.log.WarnContext(ctx, "names not read", "error", err)
			return out
		}
		ids = ids[n:]
	}
	return out
}

func (s *Service) record(ctx context.Context, action string, obj audit.Object, detail map[string]any) error {
	if err := s.audit.Record(ctx, action, obj, detail); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}
