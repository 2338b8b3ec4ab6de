package importer

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of imports.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "importer", FS: sub}
}

// ContactDoor takes in and takes back contacts (package contact).
type ContactDoor interface {
	Upsert(ctx context.Context, rows []contact.Incoming, opt contact.UpsertOptions) ([]contact.Outcome, error)
	UndoImport(ctx context.Context, importID string, progress func(done, total int64)) (contact.UndoResult, error)
	EnsureTag(ctx context.Context, group, name string) (contact.TagRef, error)
}

// OrderBook knows which orders are on record, and takes back an import's (package shop).
type OrderBook interface {
	Known(ctx context.Context, source string, numbers []string) (map[string]string, error)
	KnownRefunds(ctx context.Context, source string, numbers []string) (map[string]string, error)
	DeleteImport(ctx context.Context, importID string, progress func(done int64)) (int64, error)
}

// FactStore takes back an import's facts (analytics.Store).
type FactStore interface {
	EraseImport(ctx context.Context, importID string) (facts int64, err error)
}

// ConsentColumn is a column of a contacts file that says something of consent.
type ConsentColumn struct {
	Key          string // its field: consent.<purpose>.<channel>
	ZH, EN       string
	OnlyWithdraw bool // do not contact: a file cannot lift it
}

// ConsentTold is what a row says of one of them.
type ConsentTold struct {
	Contact int64
	Key     string
	Granted bool
	At      int64 // 0: the file does not say
	Line    int64
}

// ConsentBook writes down what files say of consent (package consent).
type ConsentBook interface {
	Columns(ctx context.Context) ([]ConsentColumn, error)
	// Take joins the transaction of ctx; kept counts grants that were left out
	// because the person withdrew.
	Take(ctx context.Context, importID, file string, told []ConsentTold) (written, kept int64, err error)
}

// Company is what options left empty stand for.
type Company struct{ Timezone, Currency string }

// Keyring seals what an import keeps of its file (package secret implements it).
type Keyring interface {
	SealBytes(dst []byte, field string, plain []byte) ([]byte, error)
	OpenBytes(field string, sealed []byte) ([]byte, error)
	Seal(field, plain string) (string, error)
	OpenOrClear(field, text string) (string, error)
}

// Deps is what the service is built from.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	IDs       *id.Source
	Log       *slog.Logger
	Files     blob.Store // uploads, kept with their import
	Keys      Keyring    // seals rejected rows and samples
	Jobs      jobs.Queue // NewService registers its kinds
	Audit     audit.Recorder
	Ingest    event.Ingester
	Contacts  ContactDoor
	Orders    OrderBook
	Facts     FactStore
	Consents  ConsentBook // nil: files say nothing of consent
	Catalogue *i18n.Catalogue
	Company   func(ctx context.Context) (Company, error)
	// Attributes gives the keys of customer attributes by their names, so that
	// columns called like one are guessed; nil: none.
	Attributes func(ctx context.Context) (map[string]string, error)
	// Settle returns when every fact stated so far inside the program (outbox
	// included) is seen by all subscribers; nil: nothing to wait for.
	Settle func(ctx context.Context) error
	// HeldBytes is how many bytes of rows of scattered orders stay in memory
	// before they go to a temporary file; 0: 32 MB.
	HeldBytes int
	// TempDir for those files; "": the system's.
	TempDir string
	// MaxUpload is the largest file taken, in bytes; 0: 4 GB.
	MaxUpload int64
}

// Kinds of jobs.
const (
	jobImport = "import"
	jobUndo   = "import.undo"
)

// Service imports files. Safe for concurrent use.
type Service struct {
	Deps

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever an import of this process moves
}

// NewService makes the service and registers its kinds of jobs.
func NewService(deps Deps) *Service {
	if deps.HeldBytes <= 0 {
		deps.HeldBytes = 32 << 20
	}
	if deps.MaxUpload <= 0 {
		deps.MaxUpload = 4 << 30
	}
	s := &Service{Deps: deps, changed: make(chan struct{})}
	deps.Jobs.Register(jobImport, s.runImport)
	deps.Jobs.Register(jobUndo, s.runUndo)
	return s
}

// moved wakes everybody who watches an import.
func (s *Service) moved() {
	s.mu.Lock()
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
}

func (s *Service) watch() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}
