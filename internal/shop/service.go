package shop

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/rounds"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of orders.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "shop", FS: sub}
}

// Contacts is what orders need of the people behind them (package contact).
type Contacts interface {
	// SetOrderSummary replaces what each contact shows of its orders. A contact
	// that is gone is passed over. Called inside the transaction that changed the orders.
	SetOrderSummary(ctx context.Context, summaries []Summary) error
	// Survivors maps merged contacts to whom they are part of now.
	Survivors(ctx context.Context, nums []int64) (map[int64]int64, error)
	// Refs gives public id and name by contact number; unknown ones are left out.
	Refs(ctx context.Context, nums []int64) (map[int64]contact.Ref, error)
	// NumOf gives the contact number of a public id, or a NotFound error.
	NumOf(ctx context.Context, id string) (int64, error)
	// InScope picks the numbers of contacts that the caller may see.
	InScope(ctx context.Context, nums []int64) ([]int64, error)
	// ScopeNums lists them all if they are at most limit; else few is false.
	ScopeNums(ctx context.Context, limit int) (nums []int64, few bool, err error)
}

// Deps is what the service is built from.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Contacts Contacts
	// Currency is the company's, for facts that name none.
	Currency func(ctx context.Context) (string, error)
	// Touches tells by which channels buyers came; nil: nobody asks.
	Touches Touches
	// Below lists a channel and those below it; nil: it alone.
	Below func(channel string) []string
	Jobs  jobs.Queue
	Audit audit.Recorder
}

// Service keeps the records of orders. Safe for concurrent use.
type Service struct {
	Deps
	settling sync.Mutex // one works out touches at a time
	run      rounds.Runner
}

// NewService makes the service; it starts nothing.
func NewService(deps Deps) *Service { return &Service{Deps: deps} }
