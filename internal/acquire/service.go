package acquire

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/rounds"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of channels, rules and costs.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "acquire", FS: sub}
}

// People names users (package team implements it); ids that nobody has are left out.
type People interface {
	Names(ctx context.Context, ids []string) map[string]string
}

// Deps is what the service works with. People, Audit and Changed may be nil.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Audit    audit.Recorder
	People   People
	Tables   contact.Tables
	Currency func(ctx context.Context) (string, error)
	Zone     func(ctx context.Context) *time.Location // nil: China's
	// Amount reads a sum as people write it into the currency's smallest unit.
	Amount func(text, currency string) (int64, bool)
	// Changed is called after the tree took another shape: conditions on channels
	// may mean other people now.
	Changed func()
}

// Service keeps channels, rules and costs.
type Service struct {
	Deps
	now atomic.Pointer[tree]
	run rounds.Runner
}

// refresh is how often a node asks whether another one changed the tree.
const refresh = 10 * time.Second

// NewService builds the service. Until Start it knows the channels that every
// installation has.
func NewService(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{Deps: d}
	var list []*node
	for i, c := range contact.Channels() {
		list = append(list, &node{id: c, place: int64(i + 1)})
	}
	s.now.Store(grow(0, list, nil))
	return s
}

// Start reads the tree and follows the changes of other nodes.
func (s *Service) Start(ctx context.Context) error {
	if err := s.load(ctx); err != nil {
		return err
	}
	s.run.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, refresh, nil, func(ctx context.Context) {
			if err := s.follow(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "the tree of channels was not read", "error", err)
			}
		})
	})
	return nil
}

// Stop ends the following.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	return nil
}

func (s *Service) follow(ctx context.Context) error {
	var n int64
	if err := s.DB.QueryRow(ctx, "select n from acquire_version where one = 1").Scan(&n); err != nil {
		return fmt.Errorf("read version of the tree: %w", err)
	}
	if n == s.now.Load().version {
		return nil
	}
	return s.load(ctx)
}

// load reads the whole tree: a thousand lines at most.
func (s *Service) load(ctx context.Context) error {
	t, err := s.read(ctx)
	if err != nil {
		return err
	}
	for {
		old := s.now.Load()
		if old.version > t.version || s.now.CompareAndSwap(old, t) {
			return nil
		}
	}
}

// read takes the version first: a change in between makes it old, not wrong.
func (s *Service) read(ctx context.Context) (*tree, error) {
	var n int64
	if err := s.DB.QueryRow(ctx, "select n from acquire_version where one = 1").Scan(&n); err != nil {
		return nil, fmt.Errorf("read version of the tree: %w", err)
	}
	rows, err := s.DB.Query(ctx, "select id, parent, name, owner_id, archived, place, created_at, changed_at from acquire_channels")
	list, err := db.Collect(rows, err, func(r *sql.Rows) (*node, error) {
		var x node
		var archived int64
		err := r.Scan(&x.id, &x.parent, &x.name, &x.owner, &archived, &x.place, &x.created, &x.changed)
		x.archived = archived == 1
		return &x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read channels: %w", err)
	}
	rules, err := s.Rules(ctx)
	if err != nil {
		return nil, err
	}
	return grow(n, list, rules), nil
}

// change runs fn in a transaction with the tree as it is there, and takes the
// new one into use once that is committed.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, t *tree) error) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		// The line is locked first: two changes at once would both believe in the same tree.
		if _, err := s.DB.Exec(ctx, "update acquire_version set n = n + 1 where one = 1"); err != nil {
			return fmt.Errorf("lock the tree: %w", err)
		}
		t, err := s.read(ctx)
		if err != nil {
			return err
		}
		return fn(ctx, t)
	})
	if err != nil {
		return err
	}
	old := s.now.Load()
	if err := s.load(ctx); err != nil {
		return err
	}
	if s.Changed != nil && moved(old, s.now.Load()) {
		s.Changed()
	}
	return nil
}

// moved tells whether a channel stands below another one than before.
func moved(old, now *tree) bool {
	for id, n := range old.nodes {
		if m := now.nodes[id]; m != nil && m.parent != n.parent {
			return true
		}
	}
	return false
}

func (s *Service) record(ctx context.Context, action, id, name string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "channel", ID: id, Name: name}, detail)
}

// Known implements contact.ChannelTree.
func (s *Service) Known(id string) bool { return s.now.Load().nodes[id] != nil }

// Open tells whether a channel is there and offered.
func (s *Service) Open(id string) bool {
	n := s.now.Load().nodes[id]
	return n != nil && !n.archived
}

// Place implements contact.ChannelTree.
func (s *Service) Place(c *contact.Clue) string { return s.now.Load().placeOf(c) }

// Below implements contact.ChannelTree. A channel that is not there is below itself alone.
func (s *Service) Below(id string) []string {
	if n := s.now.Load().nodes[id]; n != nil {
		return n.below
	}
	return []string{id}
}

// Name implements contact.ChannelTree.
func (s *Service) Name(id string) string {
	if n := s.now.Load().nodes[id]; n != nil {
		return n.name
	}
	return ""
}

// Path implements contact.ChannelTree.
func (s *Service) Path(id string) []string {
	if n := s.now.Load().nodes[id]; n != nil {
		return n.path
	}
	return []string{id}
}

// Top is the channel at the top above a channel; "unknown" for one that is not there.
func (s *Service) Top(id string) string {
	if n := s.now.Load().nodes[id]; n != nil {
		return n.path[0]
	}
	return contact.Unknown
}

// Offered implements contact.ChannelTree: archived ones are not offered.
func (s *Service) Offered() []string {
	t := s.now.Load()
	var out []string
	for _, id := range t.order {
		if !t.nodes[id].archived {
			out = append(out, id)
		}
	}
	return out
}

var errInvalid = errs.New(errs.Invalid, "request.invalid")

func bad(field, code string, params ...any) error {
	return errInvalid.On(errs.At(field, code, params...))
}
