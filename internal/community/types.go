package community

import (
	"context"
	"time"
)

// Platform is what this package needs of the outside (WeCom; package app hands it
// over). Errors carry words for people.
type Platform interface {
	// Accounts are those that have groups.
	Accounts(ctx context.Context) ([]Account, error)
	// Groups gives a page of the groups, and where to go on ("": done).
	Groups(ctx context.Context, account, cursor string) (page []Listed, next string, err error)
	// Group gives a group with its members.
	Group(ctx context.Context, account, id string) (Found, error)
	// Names are what people call colleagues.
	Names(ctx context.Context, account string, staff []string) map[string]string
	// Friends tells which customers are a colleague's friends today.
	Friends(ctx context.Context, account string, customers []string) (map[string]bool, error)
	// Gone tells whether an error says that a group is not there, or not ours to see.
	Gone(err error) bool
	// Later tells whether an error passes with time, and when.
	Later(err error) (time.Time, bool)
}

// Account is an account outside.
type Account struct{ ID, Name string }

// Listed is a group as lists give it.
type Listed struct {
	ID        string
	OwnerLeft bool
}

// Found is a group as the platform has it.
type Found struct {
	ID, Name, Owner, Version string
	CreatedAt                time.Time
	Members                  []FoundMember
}

// FoundMember is one of its members.
type FoundMember struct {
	ID, UnionID, Name, Invitor string
	Customer                   bool
	JoinedAt                   time.Time
	Scene                      int64
	State                      string // of the code that led them in
}

// The states of a group.
const (
	Open      = "open"
	Dismissed = "dismissed"
)

// The kinds of members.
const (
	Staff    = "staff"
	Customer = "customer"
)

// The layers of a group's customers.
const (
	Newcomer = "newcomer" // joined within a week
	Core     = "core"     // active, and brings others or buys
	Active   = "active"   // did something within 30 days
	Quiet    = "quiet"
)

// Group is a group as lists show it.
type Group struct {
	Account   string    `json:"account"`
	ID        string    `json:"id" doc:"The platform's id"`
	Name      string    `json:"name"`
	Owner     string    `json:"owner" doc:"The platform's id of the colleague"`
	OwnerName string    `json:"ownerName"`
	OwnerLeft bool      `json:"ownerLeft" doc:"The owner left the company: hand it over"`
	State     string    `json:"state" enum:"open,dismissed"`
	Members   int64     `json:"members"`
	Customers int64     `json:"customers"`
	Joined    int64     `json:"joined" doc:"Customers who came on the last seven days"`
	Gone      int64     `json:"gone" doc:"Customers who went on the last seven days"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	ReadAt    time.Time `json:"readAt,omitzero" doc:"When it was last read"`
}

// Detail is a group with how it grew and who its people are.
type Detail struct {
	Group
	Friends int64            `json:"friends" doc:"Customers who are a colleague's friends, too"`
	Layers  map[string]int64 `json:"layers" doc:"Customers by layer: newcomer, core, active, quiet"`
	Days    []Day            `json:"days" doc:"The last 90 days, today last"`
}

// Day is what happened on one.
type Day struct {
	Date   string `json:"date" doc:"YYYY-MM-DD, by the company's calendar"`
	Joined int64  `json:"joined"`
	Gone   int64  `json:"gone"`
	Size   int64  `json:"size" doc:"Customers at its end"`
}

// Member is one of a group, as lists show them.
type Member struct {
	ID        string    `json:"id" doc:"The platform's id"`
	Kind      string    `json:"kind" enum:"staff,customer"`
	Name      string    `json:"name"`
	ContactID string    `json:"contactId,omitempty"`
	Friend    bool      `json:"friend" doc:"Is a colleague's friend, too"`
	Layer     string    `json:"layer,omitempty" enum:"newcomer,core,active,quiet"`
	Owner     bool      `json:"owner,omitempty"`
	Scene     int64     `json:"scene,omitempty" doc:"How they came: 1 invited, 2 by a link, 3 by a code"`
	Invitor   string    `json:"invitor,omitempty" doc:"Who invited them, by name"`
	Brought   int64     `json:"brought,omitempty" doc:"How many of today's members they invited"`
	JoinedAt  time.Time `json:"joinedAt,omitzero"`
	LeftAt    time.Time `json:"leftAt,omitzero"`
	Quit      int64     `json:"quit,omitempty" doc:"How they went: 1 by themselves, 2 taken out, as far as a callback told"`

	num int64
}

// Stay is a group that a contact is or was in.
type Stay struct {
	Account   string    `json:"account"`
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	OwnerName string    `json:"ownerName"`
	State     string    `json:"state" enum:"open,dismissed"`
	Customers int64     `json:"customers"`
	Scene     int64     `json:"scene,omitempty"`
	JoinedAt  time.Time `json:"joinedAt,omitzero"`
	LeftAt    time.Time `json:"leftAt,omitzero"`
}

// Sync is how an account's groups stand.
type Sync struct {
	Account   string    `json:"account"`
	Name      string    `json:"name"`
	SyncedAt  time.Time `json:"syncedAt,omitzero" doc:"When all were last read"`
	Job       string    `json:"job,omitempty" doc:"The newest sync"`
	Groups    int64     `json:"groups"`
	Customers int64     `json:"customers" doc:"Customers in groups, each once"`
	Joined    int64     `json:"joined" doc:"On the last seven days"`
	Gone      int64     `json:"gone" doc:"On the last seven days"`
	Orphans   int64     `json:"orphans" doc:"Groups whose owner left the company"`
}

// Told is what a callback says of a group.
type Told struct {
	Group   string
	Ended   bool     // it was dismissed
	Left    bool     // members left
	Members []string // who
	Quit    int64    // how they left
	At      time.Time
}
