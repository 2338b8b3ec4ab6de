package jobs

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
)

// State of a job.
type State string

// The states. Only Queued and Running are not final.
const (
	Queued    State = "queued"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Final tells whether the state is an end.
func (s State) Final() bool { return s == Succeeded || s == Failed || s == Cancelled }

// Spec asks for a job.
type Spec struct {
	Kind   string // registered handler
	Title  string // what a person reads, e.g. the file's name
	Unit   string // what Done and Total count: "rows", "bytes", "contacts"
	Params any    // JSON-able input
	Link   string // console path to the thing, e.g. /imports/im_…
	// Key makes enqueueing idempotent: a second Spec with the key of an unfinished job returns that job.
	Key string
	// FilePermission guards the result file beyond jobs.read, where it holds
	// more than a job list does: an export of contacts, rejected rows.
	FilePermission auth.Permission
}

// Job is the record of one.
type Job struct {
	ID, Kind, Title, Unit, Link string
	State                       State
	Done, Total                 int64
	Params, Result              json.RawMessage
	Error                       *errs.Error
	FileName                    string // result file, "" none
	FilePermission              auth.Permission
	CreatedByID, CreatedByName  string
	CreatedAt                   time.Time
	StartedAt, FinishedAt       time.Time
	Attempt                     int
}

// Run is what a handler works with. Its context ends on cancel and on shutdown;
// a handler that returns because of shutdown is taken up again later.
type Run interface {
	Job() Job
	// Params decodes the input.
	Params(into any) error
	// Progress is cheap: kept in memory and written at most twice a second. A
	// total of 0 means not known yet.
	Progress(done, total int64)
	// Checkpoint stores where to go on after a crash, in the transaction of ctx when there is one.
	Checkpoint(ctx context.Context, state any) error
	// LastCheckpoint decodes the newest checkpoint; false when there is none.
	LastCheckpoint(into any) (bool, error)
	// Result sets a JSON-able outcome, stored when the handler returns. File
	// streams the result file (a name a person would give it) to the files
	// store; it counts once Close returned nil, and a second one replaces it.
	// Never write it inside a transaction.
	Result(v any) error
	File(name, contentType string) (io.WriteCloser, error)
	// Cancelled tells whether a person asked to stop (as opposed to a shutdown).
	Cancelled() bool
}

// Handler does the work of a kind. Returning an *errs.Error fails the job with
// that code; any other error (or a panic) is tried again, three times in all,
// then fails as internal. Its context carries the one who asked as principal.
type Handler func(ctx context.Context, run Run) error

// Queue is what domains need: register kinds at start-up, enqueue (inside a
// transaction it commits with it), look, cancel.
type Queue interface {
	Register(kind string, h Handler)
	Enqueue(ctx context.Context, s Spec) (Job, error)
	Get(ctx context.Context, id string) (Job, error)
	Cancel(ctx context.Context, id string) (Job, error)
	// Wait returns the job once it is finished.
	Wait(ctx context.Context, id string) (Job, error)
}
