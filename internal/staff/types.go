package staff

import "time"

// The states of a friendship.
const (
	Friend  = "friend"
	Deleted = "deleted" // by the customer
	Removed = "removed" // by the colleague
	Moved   = "moved"   // handed to another colleague
)

// How a colleague was linked to a user.
const (
	LinkedAuto = "auto"
	LinkedHand = "hand"
)

// CorpMember is one of the directory, as lists show them.
type CorpMember struct {
	Account      string    `json:"account"`
	ID           string    `json:"id" doc:"The platform's id"`
	Name         string    `json:"name"`
	Avatar       string    `json:"avatar,omitempty"`
	Position     string    `json:"position,omitempty"`
	Departments  []string  `json:"departments" doc:"Names"`
	State        string    `json:"state" enum:"active,inactive,left"`
	Serves       bool      `json:"serves" doc:"May have customers"`
	User         *CorpUser `json:"user,omitempty" doc:"Who they are here"`
	Linked       string    `json:"linked,omitempty" enum:"auto,hand" doc:"By e-mail, or by a person"`
	Friends      int64     `json:"friends" doc:"Customers of today"`
	AddedToday   int64     `json:"addedToday"`
	DeletedToday int64     `json:"deletedToday" doc:"Customers who deleted them today"`
	LeftAt       time.Time `json:"leftAt,omitzero"`
}

// CorpUser is a user of the console.
type CorpUser struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Friendship is one colleague and one customer.
type Friendship struct {
	Account   string    `json:"account"`
	Staff     string    `json:"staff" doc:"The platform's id of the colleague"`
	StaffName string    `json:"staffName"`
	StaffLeft bool      `json:"staffLeft,omitempty"`
	Customer  string    `json:"customer" doc:"The platform's id of the customer"`
	ContactID string    `json:"contactId,omitempty"`
	Name      string    `json:"name,omitempty" doc:"The contact's"`
	Remark    string    `json:"remark,omitempty" doc:"How the colleague calls them"`
	Note      string    `json:"note,omitempty"`
	Way       int64     `json:"way,omitempty" doc:"How they met, by the platform's number"`
	Source    string    `json:"source,omitempty" doc:"State of the code that was scanned"`
	State     string    `json:"state" enum:"friend,deleted,removed,moved"`
	MovedTo   string    `json:"movedTo,omitempty" doc:"Name of the colleague"`
	Since     time.Time `json:"since,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`

	num int64
}

// CorpSync is how an account's directory stands.
type CorpSync struct {
	CorpAccount
	SyncedAt time.Time `json:"syncedAt,omitzero" doc:"When all of it was last read"`
	Job      string    `json:"job,omitempty" doc:"The newest sync"`
	Members  int64     `json:"members"`
	Left     int64     `json:"left"`
	Waiting  int64     `json:"waiting" doc:"Customers of those who left"`
	Friends  int64     `json:"friends"`
}

// The states of one customer in a hand-over.
const (
	HandNew     = "new"     // not yet asked for
	HandWaiting = "waiting" // the customer may refuse for 24 hours
	HandDone    = "done"
	HandRefused = "refused"
	HandFull    = "full" // the other colleague has as many as may be
	HandFailed  = "failed"
	HandStopped = "stopped" // by a person, before it was asked for
)

// Handover is a hand-over with what became of it.
type Handover struct {
	ID        string           `json:"id"`
	Plan      string           `json:"plan,omitempty" doc:"The same for those that were asked for together"`
	Account   string           `json:"account"`
	From      MemberRef        `json:"from"`
	To        MemberRef        `json:"to"`
	Gone      bool             `json:"gone" doc:"The first colleague left"`
	Message   string           `json:"message,omitempty"`
	State     string           `json:"state" enum:"open,done"`
	Total     int64            `json:"total"`
	Counts    map[string]int64 `json:"counts" doc:"By state of the customers: new, waiting, done, refused, full, failed, stopped"`
	Groups    map[string]int64 `json:"groups" doc:"By state of the groups: new, asked, done, failed, stopped"`
	By        string           `json:"by"`
	CreatedAt time.Time        `json:"createdAt"`
	EndedAt   time.Time        `json:"endedAt,omitzero"`
}

// MemberRef is a colleague by id and name.
type MemberRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Leaver is a colleague who left, with what they left behind.
type Leaver struct {
	CorpMember
	Waiting     int64 `json:"waiting" doc:"Customers for whom nobody is chosen yet"`
	Going       int64 `json:"going" doc:"Customers whose hand-over goes on"`
	Groups      int64 `json:"groups" doc:"Groups without an owner for which nobody is chosen yet"`
	GroupsGoing int64 `json:"groupsGoing" doc:"Groups that are being handed over"`
}

// HandedGroup is one group of a hand-over.
type HandedGroup struct {
	ID    string    `json:"id"`
	Name  string    `json:"name,omitempty"`
	State string    `json:"state" enum:"new,asked,done,failed,stopped"`
	Why   string    `json:"why,omitempty" doc:"A code"`
	Words string    `json:"words,omitempty"`
	At    time.Time `json:"at"`
}
