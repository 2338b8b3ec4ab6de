// Package jobs answers: what long work is going on, how far is it, and where
// is its result? A job survives a crash: it is claimed again and goes on from
// its last checkpoint.
package jobs

import (
	"context"
	"encoding/json"
	"io"
	"time"

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

// Spec asks for a job.
type Spec struct {
	Kind   string // registered handler
	Title  string // what a person reads, e.g. the file's name
	Unit   string // what Done and Total count: "rows", "bytes", "contacts"
	Params any    // JSON-able input
	Link   string // console path to the thing, e.g. /imports/im_…
	// Key makes enqueueing idempotent: a second Spec with the key of an unfinished job returns that job.
	Key string
}

// Job is the record of one.
type Job struct {
	ID, Kind, Title, Unit, Link string
	State                       State
	Done, Total                 int64
	Params, Result              json.RawMessage
	Error                       *errs.Error
	FileName                    string // result file, "" none
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
	// Progress is cheap: written at most twice a second.
	Progress(done, total int64)
	// Checkpoint stores where to go on after a crash, in the transaction of ctx when there is one.
	Checkpoint(ctx context.Context, state any) error
	// LastCheckpoint decodes the newest checkpoint; false when there is none.
	LastCheckpoint(into any) (bool, error)
	// Result stores a JSON-able outcome. File streams the result file (a name a person would give it).
	Result(v any) error
	File(name, contentType string) (io.WriteCloser, error)
	// Cancelled tells whether a person asked to stop (as opposed to a shutdown).
	Cancelled() bool
}

// Handler does the work of a kind. Returning an *errs.Error fails the job with
// that code; any other error is retried up to three times, then fails as internal.
type Handler func(ctx context.Context, run Run) error

// Queue is what domains need: register kinds at start-up, enqueue (inside a
// transaction it commits with it), look, cancel.
type Queue interface {
	Register(kind string, h Handler)
	Enqueue(ctx context.Context, s Spec) (Job, error)
	Get(ctx context.Context, id string) (Job, error)
	Cancel(ctx context.Context, id string) (Job, error)
}
