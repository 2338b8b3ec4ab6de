package contact

import (
	"time"

	"github.com/koipond/koipond/internal/event"
)

// Ref names a thing to a person.
type Ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// TagRef is a tag as it is shown on a contact.
type TagRef struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Group string `json:"group" doc:"Name of the tag's group"`
	Color string `json:"color"`
	// Given is told on a profile only.
	Given *TagGiven `json:"given,omitempty" doc:"Who or what gave it; on a profile only"`
}

// Row is a contact in a list. Phone and e-mail are masked.
type Row struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Kind       event.Kind `json:"kind" enum:"person,visitor"`
	Phone      string     `json:"phone,omitempty" doc:"Masked"`
	Email      string     `json:"email,omitempty" doc:"Masked"`
	City       string     `json:"city,omitempty"`
	Channel    string     `json:"channel,omitempty" doc:"Channel of the first touch"`
	Tags       []TagRef   `json:"tags"`
	Owner      *Ref       `json:"owner,omitempty"`
	Orders     int64      `json:"orders"`
	Revenue    []Money    `json:"revenue"`
	CreatedAt  time.Time  `json:"createdAt"`
	LastSeenAt *time.Time `json:"lastSeenAt,omitempty"`
	Stage      *StateRef  `json:"stage,omitempty" doc:"Stage of the lifecycle; absent for visitors, and until somebody is sorted"`
	Pool       *StateRef  `json:"pool,omitempty" doc:"Pool they are in; absent as stage is"`

	Attributes map[string]string `json:"attributes,omitempty" doc:"Those that were asked for, as people read them; personal ones masked"`

	num     int64
	revenue []Revenue
}

// Num is the contact's number.
func (r *Row) Num() int64 { return r.num }

// Contact is all that a profile shows, but for facts, orders and notes.
type Contact struct {
	Row
	Avatar       string        `json:"avatar,omitempty"`
	Gender       string        `json:"gender,omitempty" enum:"male,female,other"`
	Birthday     string        `json:"birthday,omitempty" format:"date"`
	Attributes   []Attribute   `json:"attributes"`
	Identities   []Identity    `json:"identities"`
	FirstTouch   *TouchView    `json:"firstTouch,omitempty"`
	LastTouch    *TouchView    `json:"lastTouch,omitempty"`
	FirstOrderAt *time.Time    `json:"firstOrderAt,omitempty"`
	LastOrderAt  *time.Time    `json:"lastOrderAt,omitempty"`
	AverageOrder []Money       `json:"averageOrder"`
	Facts        int64         `json:"facts" doc:"Number of stored events"`
	MergedFrom   []MergedFrom  `json:"mergedFrom"`
	Import       *Ref          `json:"import,omitempty" doc:"The import that made the contact"`
	Conflicts    []ConflictRef `json:"conflicts" doc:"Identities that came with this contact's events but belong to somebody else"`
}

// Attribute is one custom attribute. Personal ones (address, identity number) are masked.
type Attribute struct {
	Key    string `json:"key"`
	Label  string `json:"label"`
	Type   string `json:"type,omitempty" doc:"Of defined attributes; values are in its canonical form"`
	Value  any    `json:"value"`
	Masked bool   `json:"masked,omitempty" doc:"Personal: unmask with field attribute:<key>"`
	Unfit  bool   `json:"unfit,omitempty" doc:"From before the definition, which does not take it"`
}

// Identity is one way to recognise the contact. The value is masked when it is personal.
type Identity struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind"`
	Value       string    `json:"value"`
	Masked      bool      `json:"masked,omitempty"`
	FirstSeenAt time.Time `json:"firstSeenAt"`
	LastSeenAt  time.Time `json:"lastSeenAt" doc:"To the day"`
	Source      string    `json:"source"`
}

// TouchView is how a contact came.
type TouchView struct {
	Channel  string    `json:"channel"`
	Source   string    `json:"source,omitempty"`
	Medium   string    `json:"medium,omitempty"`
	Campaign string    `json:"campaign,omitempty"`
	At       time.Time `json:"at"`
}

// MergedFrom is a contact that became part of this one.
type MergedFrom struct {
	ID  string    `json:"id"`
	At  time.Time `json:"at"`
	Why string    `json:"why"`
}

// ConflictRef is an identity that was sent for this contact and is somebody else's.
type ConflictRef struct {
	Kind   string    `json:"kind"`
	Reason string    `json:"reason" enum:"other_person,shared_device,limit,kept_apart"`
	Other  *Ref      `json:"other,omitempty" doc:"Who has it"`
	Count  int64     `json:"count"`
	LastAt time.Time `json:"lastAt"`
}

// Note is what staff wrote about a contact.
type Note struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"`
	Author    Ref       `json:"author"`
	CreatedAt time.Time `json:"createdAt"`
}
