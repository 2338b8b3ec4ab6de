package live

import (
	"context"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// Rule is one that is kept true. Key is the owner's own name for it.
type Rule struct {
	Key string
	// ID is what other rules rest on that speak of it (see package loops); several
	// rules of an owner may make up one such thing. "": nothing rests on it.
	ID   string
	Rule *rule.Rule
}

// Truths is what the rules of an owner say now. Rules speak of people: of
// contacts that are not part of another, that were not erased, and that are no
// mere visitors. It may be used during Apply only.
type Truths interface {
	// Holds tells whether a rule holds for a contact. While the definition of a
	// rule is new and not worked out yet, the one before answers; of a key that
	// never was worked out it holds for nobody, see Known.
	Holds(key string, num int64) bool
	// Set is everybody a rule holds for. It is the caller's own.
	Set(key string) *numset.Set
	// Known tells whether a rule was worked out. What is kept of one that is not
	// must be left as it is: nothing is known.
	Known(key string) bool
	// PartOf is the contact that num is part of now: num itself when it is one of
	// its own, 0 when it is not there any more.
	PartOf(num int64) int64
	// CameOf is the contact that num was part of until now, when they were taken
	// apart again; 0 otherwise.
	CameOf(num int64) int64
}

// The reasons for which owners are told.
const (
	ReasonFact       = "fact"       // somebody did something, or staff or a program changed something
	ReasonLapse      = "lapse"      // a window has passed
	ReasonMidnight   = "midnight"   // a day began
	ReasonMerge      = "merge"      // contacts became one, or one became two again
	ReasonDefinition = "definition" // the rule is another: nobody did anything
	ReasonStart      = "start"      // the program started: what changed while it stood still
	ReasonErased     = "erased"     // contacts were erased: they are to be forgotten without a word
)

// Cause says why an owner is told.
type Cause struct {
	Reason string
	// Live is false for what old facts caused (imports, and facts that came more
	// than a day late), for new definitions and for the first start: journeys do
	// not begin from it.
	Live bool
	// Except are contacts to leave as they are, when everybody is meant: facts
	// about them are about to be told. nil: nobody.
	Except *numset.Set
	// Keys are the rules whose definition changed, for ReasonDefinition. Other
	// rules have nothing to tell then. nil: any may have.
	Keys []string
}

// Owner keeps what its rules say.
type Owner interface {
	// Name tells owners apart.
	Name() string
	// Rules are those to keep true. It is asked at the start and after Changed.
	Rules(ctx context.Context) ([]Rule, error)
	// Apply keeps what the rules say of some contacts, ascending; with nil, of
	// everybody. It runs inside a transaction: facts it emits through the outbox
	// commit with what it keeps. It compares what it has kept with what is true
	// (see Compare) and tells differences only, so that being told twice tells
	// nothing twice. When it fails, it alone is told of everybody a little later;
	// nobody else waits.
	Apply(ctx context.Context, t Truths, nums []int64, c Cause) error
}
