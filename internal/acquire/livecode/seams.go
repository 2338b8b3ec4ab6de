package livecode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Platform is what live codes need of the outside (WeCom; package app hands it over).
// What the platform refuses comes back as a *Refusal, anything else counts as an
// accident of the way there.
type Platform interface {
	CreateWay(ctx context.Context, account string, w Way) (MadeWay, error)
	UpdateWay(ctx context.Context, account, id string, w Way) error
	DeleteWay(ctx context.Context, account, id string) error
	// Welcome sends the one message that a welcome code allows, once.
	Welcome(ctx context.Context, account, code string, m Message) error
	// Remark writes how a colleague calls a customer.
	Remark(ctx context.Context, account, staff, customer, remark string) error
	CustomerName(ctx context.Context, account, customer string) (string, error)
	// Media hands a file to the platform; until is when it forgets it.
	Media(ctx context.Context, account, kind, name string, body io.Reader) (media string, until time.Time, err error)
	// Picture reads a picture that the platform named: the QR code of a way.
	Picture(ctx context.Context, account, url string) ([]byte, error)
}

// Way is what the platform is to know of a code.
type Way struct {
	State  string   // comes back with each who scanned
	Remark string   // as the platform's own console shows it
	Users  []string // colleagues by the platform's id
	Skip   bool     // nobody has to confirm
}

// MadeWay is what the platform made of it. QR is the address of a picture, or what
// stands in the code.
type MadeWay struct{ ID, QR string }

// Message is a welcome as it leaves.
type Message struct {
	Text  string
	Parts []Part
}

// Part is one attachment of a Message.
type Part struct {
	Kind           string // image, link, miniprogram, file
	Media          string // image, file: the platform's id; miniprogram: of its picture
	Title, Note    string // link; Title of a miniprogram too
	URL, Picture   string // link
	AppID, AppPath string // miniprogram
}

// Refusal is the platform's no.
type Refusal struct {
	Code  int           // the platform's number; 0: none
	Again bool          // another try may be taken
	After time.Duration // not before; 0: whenever
	Words string        // the platform's own, for the log
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("the platform refused: %d %s", r.Code, r.Words) }

// refusalOf finds the platform's no in an error.
func refusalOf(err error) (*Refusal, bool) {
	var r *Refusal
	return r, errors.As(err, &r)
}

// Account is one of the platform's corps that codes can belong to.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Accounts knows them.
type Accounts interface {
	Accounts(ctx context.Context) ([]Account, error)
}

// Colleague is somebody whom a scan can meet.
type Colleague struct {
	ID     string `json:"id" doc:"The platform's id"`
	Name   string `json:"name"`
	Avatar string `json:"avatar,omitempty"`
	User   string `json:"user,omitempty" doc:"Id of the user here, where they are one"`
	Off    bool   `json:"off,omitempty" doc:"They left, or the platform does not let them meet customers"`
}

// Staff knows who there is.
type Staff interface {
	Colleagues(ctx context.Context, account string) ([]Colleague, error)
}

// Channels knows where people can come from.
type Channels interface {
	// Known tells which of the ids are channels.
	Known(ctx context.Context, ids []string) ([]string, error)
}

// Tags gives tags to people (package contact).
type Tags interface {
	// KnownTags tells which of the ids are tags that can be given.
	KnownTags(ctx context.Context, ids []string) ([]string, error)
	GiveTags(ctx context.Context, nums []int64, tags []string, code, name string) error
}

// Pools places people (package audience/machine).
type Pools interface {
	KnownPool(ctx context.Context, id string) (bool, error)
	Place(ctx context.Context, nums []int64, pool string, days int, note string) error
}

// Person is a contact as it is shown.
type Person struct{ ID, Name string }

// People knows contacts by number.
type People interface {
	// People gives those whom the caller may see.
	People(ctx context.Context, nums []int64) (map[int64]Person, error)
	// Hold keeps contacts as they are until the transaction of ctx ends. Whoever
	// removes or merges them holds it first and then comes here.
	Hold(ctx context.Context) error
}
