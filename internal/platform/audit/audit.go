package audit

import (
	"context"
	"encoding/json"
	"time"
)

// Object is what was touched.
type Object struct {
	Type string `json:"type"` // "contact", "user", "import"…
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Recorder writes audit entries. It takes the actor from the context
// (auth.From; the system when there is none), ip and request id from httpx's
// context values. Inside a transaction the entry commits with it.
type Recorder interface {
	// Record notes an action, `domain.past_tense` such as "user.created".
	// Detail is small JSON-able data: what changed, never a secret or plain personal data.
	// Writers queue on the end of the chain until their transaction ends, so
	// call it late in a transaction.
	Record(ctx context.Context, action string, obj Object, detail map[string]any) error
}

// Actor is who did it.
type Actor struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind" enum:"user,token,system,cli"`
}

// Entry is one line of the log.
type Entry struct {
	Seq       int64
	At        time.Time
	Actor     Actor
	Action    string
	Object    Object
	Detail    json.RawMessage // a JSON object
	IP        string
	RequestID string
	Prev      string // the hash of the entry before, "" for the first
	Hash      string

	seal string
}

// Filter narrows a list. Zero fields do not.
type Filter struct {
	ActorID    string
	Action     string // a prefix: "user." finds every action on users
	ObjectType string
	ObjectID   string
	From, To   time.Time // From is included, To is not
	Before     int64     // entries with a smaller seq: where the page before ended
	Limit      int
}

// Fault says in which way the chain is broken.
type Fault string

// The faults. Sealing means that the chain holds in itself but its end was not
// written by this program with its key, or was written after a break had been
// noticed; Rolled means that entries this program wrote are gone or replaced
// although the database looks whole.
const (
	Edited   Fault = "edited"   // a field of the entry was changed
	Missing  Fault = "missing"  // the entry is not there, but later ones are
	Inserted Fault = "inserted" // the entry was not written by the program
	Sealing  Fault = "sealing"
	Cut      Fault = "cut" // entries at the end are gone
	Rolled   Fault = "rolled_back"
)

// Report is the outcome of Verify.
type Report struct {
	OK       bool
	Checked  int64 // entries that were read
	FirstBad int64 // the first faulty seq, 0 none
	Fault    Fault // "" none
	Head     string
}
