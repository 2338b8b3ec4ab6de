package mirror

import (
	"context"
	"time"
)

// Platform is what this package needs of the outside (WeCom; package app hands it
// over). Errors carry words for people.
type Platform interface {
	// Accounts are those whose tags can be linked.
	Accounts(ctx context.Context) ([]Account, error)
	// Tags lists all tags of an account.
	Tags(ctx context.Context, account string) ([]Theirs, error)
	// Add makes tags in a group of that name, which is made when there is none.
	Add(ctx context.Context, account, group string, names []string) ([]Theirs, error)
	// Rename renames a tag or a group.
	Rename(ctx context.Context, account, id, name string) error
	// Delete deletes tags, from all customers too.
	Delete(ctx context.Context, account string, ids []string) error
	// Mark puts tags on a friendship and takes others off: at most MarkAtOnce each.
	Mark(ctx context.Context, account, staff, customer string, add, remove []string) error
	// On gives the tags of all friendships of a customer.
	On(ctx context.Context, account, customer string) ([]Found, error)
	// Serving are the colleagues who may have customers.
	Serving(ctx context.Context, account string) ([]string, error)
	// Friends gives a page of the friendships of some colleagues, and where to go on
	// ("": done).
	Friends(ctx context.Context, account string, staff []string, cursor string) (page []Found, next string, err error)
	// Names are what people call colleagues.
	Names(ctx context.Context, account string, staff []string) map[string]string
	// Limits are how long names may be, in characters, and how many tags there may be.
	Limits() Limits
	// Means says what an error means.
	Means(err error) Meaning
}

// Account is an account outside.
type Account struct{ ID, Name string }

// Theirs is a tag of the platform.
type Theirs struct {
	ID, Name       string
	GroupID, Group string
}

// Found is a friendship with the tags that the platform has on it.
type Found struct {
	Staff, Customer string
	Tags            []string
}

// Limits of a platform.
type Limits struct{ Name, Group, Tags int }

// MarkAtOnce is how many tags one call may give, and take.
const MarkAtOnce = 100

// Meaning is what an error of the platform means.
type Meaning struct {
	Until  time.Time // not zero: it passes with time, and when
	Gone   bool      // the two are no friends any more
	NoTag  bool      // a tag that was named is not there
	Stop   bool      // nothing works until a person mends the account
	Final  bool      // trying again is of no use
	Code   string    // of the catalogue
	Number string    // the platform's
}

// The states of a link.
const (
	On         = "on"
	Off        = "off"
	TheirsGone = "theirs_gone"
	OursGone   = "ours_gone"
)

// Status is how an account stands.
type Status struct {
	Account  string    `json:"account"`
	Name     string    `json:"name"`
	On       bool      `json:"on"`
	TakeNew  bool      `json:"takeNew" doc:"A tag that is made there is made here, too"`
	Linked   int64     `json:"linked" doc:"Tags that both sides have"`
	Asking   int64     `json:"asking" doc:"Links of which one side is gone: somebody has to say what shall become of the other"`
	Friends  int64     `json:"friends" doc:"Friendships that are kept alike"`
	Waiting  int64     `json:"waiting" doc:"Friendships to be compared or sent"`
	Failed   int64     `json:"failed" doc:"Friendships whose tags could not be sent"`
	Sent     int64     `json:"sent" doc:"Tags that were given or taken there"`
	Came     int64     `json:"came" doc:"Tags that colleagues gave or took there"`
	ListedAt time.Time `json:"listedAt,omitzero" doc:"When their tags were last listed"`
	ReadAt   time.Time `json:"readAt,omitzero" doc:"When everybody's tags were last read"`
	Job      string    `json:"job,omitempty" doc:"The newest reading"`
	Fault    string    `json:"fault,omitempty" doc:"Why nothing goes on, in words"`
	FaultAt  time.Time `json:"faultAt,omitzero"`

	fault, number string
}

// Link is a tag there and ours.
type Link struct {
	ID       string `json:"id" doc:"The platform's id"`
	Name     string `json:"name"`
	Group    string `json:"group"`
	Tag      string `json:"tag" doc:"Our tag's id"`
	Ours     string `json:"ours" doc:"Our tag's name"`
	OurGroup string `json:"ourGroup"`
	State    string `json:"state" enum:"on,theirs_gone,ours_gone"`
	People   int64  `json:"people" doc:"Who have our tag"`
	Fault    string `json:"fault,omitempty" doc:"What keeps the names from agreeing, in words"`

	fault, faultName string
}

// Preview is what linking would do.
type Preview struct {
	Theirs []TheirPreview `json:"theirs"`
	Ours   []OurPreview   `json:"ours" doc:"Tags of ours that are not there"`
	Room   int            `json:"room" doc:"How many more tags the platform takes"`
}

// TheirPreview is a tag of theirs.
type TheirPreview struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Group string `json:"group"`
	Does  string `json:"does" enum:"linked,match,make,clash" doc:"linked already; match: is linked with ours of that name; make: is made here; clash: ours of that name is linked with another"`
	Tag   string `json:"tag,omitempty" doc:"Our tag's id"`
}

// OurPreview is a tag of ours that is not there.
type OurPreview struct {
	Tag    string `json:"tag"`
	Name   string `json:"name"`
	Group  string `json:"group"`
	People int64  `json:"people"`
	Fault  string `json:"fault,omitempty" doc:"Why it cannot go there, in words"`

	fault string
	limit int
}

// LinkInput names what to link.
type LinkInput struct {
	Theirs []string `json:"theirs,omitempty" maxItems:"3000" doc:"Tags of theirs, by id: linked with ours of that name, or made here"`
	Ours   []string `json:"ours,omitempty" maxItems:"3000" doc:"Tags of ours, by id: linked with theirs of that name, or made there"`
}

// Change is what to change of an account.
type Change struct {
	On      *bool `json:"on,omitempty"`
	TakeNew *bool `json:"takeNew,omitempty"`
}

// The answers to a link that asks.
const (
	DeleteTheirs = "delete_theirs"
	DeleteOurs   = "delete_ours"
	Unlink       = "unlink"
	Restore      = "restore"
)

// Failed is a friendship whose tags could not be sent.
type Failed struct {
	Staff     string `json:"staff"`
	StaffName string `json:"staffName"`
	Customer  string `json:"customer"`
	ContactID string `json:"contactId,omitempty"`
	Name      string `json:"name,omitempty"`
	Tries     int64  `json:"tries"`
	Why       string `json:"why" doc:"In words"`

	num            int64
	fault, numberN string
}
