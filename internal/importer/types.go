package importer

import (
	"encoding/json"
	"time"

	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Kind is what the rows of a file are.
type Kind string

// The kinds.
const (
	Contacts Kind = "contacts"
	Orders   Kind = "orders"
	Events   Kind = "events"
)

// Valid tells whether k is one of the kinds.
func (k Kind) Valid() bool { return k == Contacts || k == Orders || k == Events }

// Mapping says what each column holds: a field id (see Fields), `attr:key` for
// an attribute of the person, `prop:key` for a property of the order or event,
// `tag`, or "" to leave the column out.
type Mapping struct {
	Columns map[string]string `json:"columns" doc:"Field by column name; empty: ignore"`
}

// Options are how values are read and what every row gets.
type Options struct {
	Sheet          string   `json:"sheet,omitempty" doc:"Excel sheet"`
	Timezone       string   `json:"timezone,omitempty" doc:"IANA zone of times without one; empty: the company's"`
	DateFormat     string   `json:"dateFormat,omitempty" doc:"Empty: automatic; or the order of day, month and year such as d/m/y; or excel, unix, unix_ms"`
	Currency       string   `json:"currency,omitempty" doc:"ISO 4217; empty: the company's"`
	Country        string   `json:"country,omitempty" doc:"Country of phone numbers without one; empty: CN"`
	RefundPrefix   string   `json:"refundPrefix,omitempty" doc:"Order numbers that begin so are refunds"`
	Event          string   `json:"event,omitempty" doc:"Event name for every row"`
	Tags           []string `json:"tags,omitempty" doc:"Tags for every contact"`
	Source         string   `json:"source,omitempty" doc:"Where the data comes from; order numbers are unique within it"`
	UpdateExisting *bool    `json:"updateExisting,omitempty" doc:"Change contacts that exist (default), or leave them as they are"`
}

// Suggestion is a first guess, for a person to correct.
type Suggestion struct {
	Kind    Kind    `json:"kind" enum:"contacts,orders,events"`
	Mapping Mapping `json:"mapping"`
	Options Options `json:"options"`
}

// Column is a column of an uploaded file with its first different values.
type Column struct {
	Index   int      `json:"index"`
	Name    string   `json:"name"`
	Samples []string `json:"samples"`
}

// Upload is a stored file that can be imported.
type Upload struct {
	ID           string
	Name         string
	Size         int64
	Info         table.Info // without the sample
	Columns      []Column
	Suggestion   Suggestion
	SavedMapping *SavedMapping // a saved one whose columns are the same
	CreatedAt    time.Time

	by  string // who uploaded it
	key string // of the stored file
}

// SavedMapping is a mapping kept for files of the same shape.
type SavedMapping struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Kind    Kind    `json:"kind" enum:"contacts,orders,events"`
	Mapping Mapping `json:"mapping"`
	Options Options `json:"options"`
}

// State of an import.
type State string

// The states. Undoing and Undone follow Succeeded, Failed or Cancelled.
const (
	Queued    State = "queued"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	Undoing   State = "undoing"
	Undone    State = "undone"
)

// Reason is why rows were rejected, counted.
type Reason struct {
	Code   string
	Params map[string]any // of the first such row
	Count  int64
}

// Import is one run of a file into the records.
type Import struct {
	ID, Name, File             string
	UploadID                   string
	Kind                       Kind
	State                      State
	JobID, UndoJobID           string
	Mapping                    Mapping
	Options                    Options
	Rows, RowsTotal            int64 // rows read; of the file, 0 while unknown
	Accepted, Rejected         int64
	ContactsCreated            int64
	ContactsUpdated            int64
	Orders                     int64 // orders paid
	Consents, ConsentsKept     int64 // rows of the ledger; grants left out because the person withdrew
	Facts                      int64
	BytesDone, BytesTotal      int64
	Error                      *errs.Error
	Reasons                    []Reason // by count, the most frequent first
	Language                   string   // of the person who started it: the rejected rows are written in it
	CreatedByID, CreatedByName string
	CreatedAt, StartedAt       time.Time
	FinishedAt, UndoneAt       time.Time

	columns []string
	lastSeq uint64 // stream sequence of the last facts, to wait for
}

// RowsPerSecond is how fast it went, 0 before it began.
func (i Import) RowsPerSecond(now time.Time) float64 {
	if i.StartedAt.IsZero() || i.Rows == 0 {
		return 0
	}
	end := i.FinishedAt
	if end.IsZero() {
		end = now
	}
	if secs := end.Sub(i.StartedAt).Seconds(); secs > 0 {
		return float64(i.Rows) / secs
	}
	return 0
}

// final tells whether nothing moves any more.
func (s State) final() bool { return s == Succeeded || s == Failed || s == Cancelled || s == Undone }

// CellError says what is wrong with one value of a row.
type CellError struct {
	Column string         `json:"column"`
	Value  string         `json:"value"`
	Code   string         `json:"code"`
	Params map[string]any `json:"params,omitempty"`
}

// Rejected is a row that was not taken, as kept for the file of rejected rows.
type Rejected struct {
	Line   int64       `json:"l"`
	Cells  []string    `json:"c"`
	Errors []CellError `json:"e"`
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // plain structs of texts and numbers always encode
		return "null"
	}
	return string(b)
}
