package event

import (
	"context"
	"encoding/json"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Type is the Segment call a fact came by.
type Type string

// The six calls. Modules and imports use Track and Identify.
const (
	Track    Type = "track"
	Identify Type = "identify"
	Page     Type = "page"
	Screen   Type = "screen"
	Group    Type = "group"
	Alias    Type = "alias"
)

// Identifier is one way to recognise a person: a kind (`user_id`,
// `anonymous_id`, `phone`, `email`, `wecom_external_userid`, `unionid`,
// `member_no`, `shop_buyer_id`, …) and a value as it was sent.
type Identifier struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// Fact is one immutable thing that happened, as it travels on the stream. Raw
// JSON parts are objects or empty. Times are UTC milliseconds.
type Fact struct {
	MessageID   string          `json:"messageId"`
	Type        Type            `json:"type"`
	Name        string          `json:"name"` // what reports and rules see; see the Name… constants
	UserID      string          `json:"userId,omitempty"`
	AnonymousID string          `json:"anonymousId,omitempty"`
	PreviousID  string          `json:"previousId,omitempty"` // alias only
	GroupID     string          `json:"groupId,omitempty"`
	Identifiers []Identifier    `json:"identifiers,omitempty"` // beyond the two above: context.externalIds, traits.phone, traits.email, or set by a module
	Contact     int64           `json:"contact,omitempty"`     // already known contact number: set by modules that speak about a given contact; skips resolving
	Timestamp   int64           `json:"timestamp"`             // when it happened, corrected for clock skew
	ReceivedAt  int64           `json:"receivedAt"`
	Source      string          `json:"source"`             // name of the write key's source, or of the module
	ImportID    string          `json:"importId,omitempty"` // set by imports: undo finds its facts by it
	Properties  json.RawMessage `json:"properties,omitempty"`
	Traits      json.RawMessage `json:"traits,omitempty"`
	Context     json.RawMessage `json:"context,omitempty"`
}

// Position is where a fact stands in the stream: the stream sequence of the
// message that carried it, and its index inside that message. Total order.
type Position struct {
	Seq uint64
	Idx uint32
}

// Less tells whether p stands before q.
func (p Position) Less(q Position) bool { return p.Seq < q.Seq || p.Seq == q.Seq && p.Idx < q.Idx }

// Kind of contact: an identified person, or a visitor known by device only.
type Kind string

// The two kinds.
const (
	Person  Kind = "person"
	Visitor Kind = "visitor"
)

// Stored is a fact after resolving and storing: what subscribers see. Contact
// is the number it is stored under. That contact may be part of another by now,
// whose public id and kind are given; rows kept under the number stay right when
// the two are taken apart again.
type Stored struct {
	Fact
	Position    Position
	ContactID   string // public id
	ContactKind Kind
	Channel     string // channel of this very fact: see contact.ChannelOf
}

// Resolution says whose fact it is. Err set means the fact is poisonous and
// goes to the set-aside list with that reason; the others go on.
type Resolution struct {
	Contact int64
	ID      string
	Kind    Kind
	Channel string // channel of the fact, "" when it says nothing
	Err     *errs.Error
}

// Rekey tells the analytics store that From is now Into (a merge); or, when
// Split is not empty, that From, which leads them, and those of Split are a
// contact of their own again (the undo of one). Whoever else Split names comes
// to From with all whom they lead.
type Rekey struct {
	From, Into int64
	Split      []int64
}

// Profile is what the analytics store keeps of a contact to count and break down by.
type Profile struct {
	Contact   int64
	Kind      Kind
	Channel   string // first touch
	CreatedAt int64
}

// Resolved is the answer for one stretch of the stream.
type Resolved struct {
	Facts    []Resolution // same length and order as the input
	Rekeys   []Rekey      // merges made by this stretch, in order
	Profiles []Profile    // contacts created or changed by this stretch
}

// Resolver turns identifiers into contacts (package contact). It is called in
// stream order inside a write transaction that also moves the stage's cursor,
// and must answer the same when the same stretch is given again after a crash:
// first is the position of facts[0]'s message, and everything it records
// carries that sequence.
type Resolver interface {
	Resolve(ctx context.Context, facts []Fact, at []Position) (Resolved, error)
}

// Subscriber reacts to stored facts, each contact's in order, at least once.
// Handle runs inside a write transaction in which the pipeline also moves this
// subscriber's cursor, so what it writes through that context happens exactly
// once. An error stops this subscriber (others go on) and the batch is tried again.
type Subscriber interface {
	Name() string
	Handle(ctx context.Context, facts []Stored) error
}

// Preparer is a Subscriber that reads much before it writes little. Prepare is
// called instead of Handle, outside of any transaction, so that nobody waits for
// what it reads. What it has to write it gives to commit, which runs it inside a
// transaction that also moves this subscriber's cursor, and tells whether that is
// committed. When it is not, Prepare may give it something else to write, or
// give up by returning an error: the batch is then tried again. Without a call
// of commit there was nothing to write: the cursor moves alone, and is written
// down now and then, so that a crash may hand the same facts over once more.
type Preparer interface {
	Subscriber
	Prepare(ctx context.Context, facts []Stored, commit func(write func(ctx context.Context) error) error) error
}

// Newcomer is a Subscriber that has no use for what was stored before it first
// ran: it begins with the next fact.
type Newcomer interface {
	Subscriber
	BeginsNow()
}

// Idler is a Subscriber that for a while may have no use for any fact: those
// that pass meanwhile are not even read for it.
type Idler interface {
	Subscriber
	Idle(ctx context.Context) bool
}

// Emitter states facts from inside the program. Within a transaction the fact
// is written to the outbox with it; the relay appends it to the stream.
type Emitter interface {
	Emit(ctx context.Context, facts ...Fact) error
}

// Ingester appends facts to the stream directly and returns once they are
// synced to disk: the door for imports and connectors. Per-fact faults come
// back as fields `facts[i]…` in one Invalid error, the good ones are appended
// all the same; a full stream is a TooMany error and nothing was appended.
type Ingester interface {
	// Ingest returns the last stream sequence used, for Wait.
	Ingest(ctx context.Context, facts []Fact) (seq uint64, err error)
	// Wait returns when everything up to seq is resolved, stored and seen by all subscribers.
	Wait(ctx context.Context, seq uint64) error
}
