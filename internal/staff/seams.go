package staff

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/event"
)

// Platform is what this package needs of the outside (WeCom; package app hands it
// over). Errors carry words for people.
type Platform interface {
	// Accounts are those that have a directory.
	Accounts(ctx context.Context) ([]CorpAccount, error)
	Departments(ctx context.Context, account string) ([]Department, error)
	// Members are those directly in a department.
	Members(ctx context.Context, account string, department int64) ([]Member, error)
	Member(ctx context.Context, account, id string) (Member, error)
	// Serving are the ids of those who may have customers.
	Serving(ctx context.Context, account string) ([]string, error)
	// Friends gives a page of the friends of some colleagues, and where to go on ("": done).
	Friends(ctx context.Context, account string, staff []string, cursor string) (page []Found, next string, err error)
	SetRemark(ctx context.Context, account, staff, customer string, remark, note *string) error
	// Hand asks for at most HandAtOnce customers to be handed over; the errors are by customer.
	Hand(ctx context.Context, account string, h Hand) (map[string]error, error)
	// Handed gives what became of the customers handed from one to another.
	Handed(ctx context.Context, account, from, to string, gone bool, cursor string) (page []HandResult, next string, err error)
	// Unassigned lists customers whose colleague left.
	Unassigned(ctx context.Context, account, cursor string) (page []Unassigned, next string, err error)
	// LeftGroups lists groups whose owner left, and where to go on.
	LeftGroups(ctx context.Context, account, cursor string) (page []LeftGroup, next string, err error)
	// GroupOwner tells whose a group is; "" when it is no more.
	GroupOwner(ctx context.Context, account, group string) (string, error)
	// HandGroups gives at most GroupsAtOnce groups of those who left to another; the
	// errors are by group.
	HandGroups(ctx context.Context, account string, groups []string, to string) (map[string]error, error)
	// Later tells whether an error passes with time, and when.
	Later(err error) (time.Time, bool)
	// Refused tells whether trying again is of no use.
	Refused(err error) bool
}

// HandAtOnce is how many customers one call hands over.
const HandAtOnce = 100

// GroupsAtOnce is how many groups one call hands over: of the 300 a day that an
// owner takes, the last ones are not lost to a call that is too large for the rest.
const GroupsAtOnce = 25

// CorpAccount is an account outside that has a directory.
type CorpAccount struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Paused bool   `json:"paused,omitempty"`
}

// LeftGroup is a group whose owner left.
type LeftGroup struct {
	ID, Name, Owner string
	Members         int64
	Made            time.Time
}

// Department is a part of the company as the platform knows it.
type Department struct {
	ID     int64  `json:"id"`
	Parent int64  `json:"parent,omitempty"`
	Name   string `json:"name"`
	Order  int64  `json:"-"`
}

// The states of a colleague.
const (
	MemberActive   = "active"
	MemberInactive = "inactive" // invited, not yet in the app; or switched off
	MemberLeft     = "left"
)

// Member is a colleague as the platform tells.
type Member struct {
	ID, Name, Avatar, Position string
	Mobile                     string
	Emails                     []string
	Departments                []int64
	State                      string
}

// Found is a friendship that a sync found.
type Found struct {
	Staff, Customer string
	Since           time.Time
	State           string // of the code that was scanned
	// Known is the fact that says all the platform knows; without message id.
	Known event.Fact
}

// Hand asks for a hand-over.
type Hand struct {
	From, To  string
	Customers []string
	Message   string
	Gone      bool // the colleague left
}

// HandResult is what became of one customer.
type HandResult struct {
	Customer string
	State    string // a state of Handed
	At       time.Time
}

// Unassigned is a customer whose colleague left.
type Unassigned struct {
	Staff, Customer string
	LeftAt          time.Time
}

// Users are the users of the console (package team).
type Users interface {
	// Emails gives the users who work here, by their e-mail in lower case.
	Emails(ctx context.Context) (map[string]string, error)
	Working(ctx context.Context, id string) (bool, error)
	Names(ctx context.Context, ids []string) map[string]string
}

// Tasks plans follow-ups (package care).
type Tasks interface {
	// Lost plans one for the owner of a contact whom a customer deleted; staff is
	// who was deleted, fallback who does it when nobody owns the contact.
	Lost(ctx context.Context, num int64, staff, fallback string, at time.Time) error
}
