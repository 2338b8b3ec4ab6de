package reply

import (
	"context"
	"io"
	"time"

	"github.com/koipond/koipond/internal/event"
)

// Account is one that answers: an official account, or a company whose customer
// service does.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind" enum:"wechat,wecom"`
}

// The kinds of accounts.
const (
	Official = "wechat" // an official account
	Talk     = "wecom"  // customer service
)

// Platform is what answers need of the outside (package app hands it over).
type Platform interface {
	Accounts(ctx context.Context) ([]Account, error)
	// Media hands a picture to the platform; until is when it forgets it.
	Media(ctx context.Context, account, name string, body io.Reader) (media string, until time.Time, err error)
}

// Message is one thing as it leaves.
type Message struct {
	Kind           string // text, image, link, miniprogram, menu
	Text           string
	Media          string // image, miniprogram, link: the platform's id of the picture
	Title, Note    string
	URL, Picture   string // of a link
	AppID, AppPath string
	Lines          []Line // of a menu
	Tail           string
}

// Sent is what became of a message.
type Sent struct {
	Gone   bool   // the platform refused it for good
	Why    string // in a code of ours
	Unsure bool   // nobody knows whether it left
}

// Send sends one message to whom is answered, once per key.
type Send func(ctx context.Context, key string, m Message) (Sent, error)

// Files are the pictures that people uploaded (package livecode keeps them).
type Files interface {
	IsPicture(ctx context.Context, id string) (bool, error)
	OpenPicture(ctx context.Context, id string) (name string, body io.ReadCloser, err error)
}

// Tags gives tags to people (package contact).
type Tags interface {
	KnownTags(ctx context.Context, ids []string) ([]string, error)
	GiveTags(ctx context.Context, nums []int64, tags []string, code, name string) error
}

// People knows contacts.
type People interface {
	// Hold keeps contacts as they are until the transaction of ctx ends. Whoever
	// removes or merges them holds it first and then comes here.
	Hold(ctx context.Context) error
}

// Door appends facts and returns when they are synced (package event/intake).
type Door interface {
	Ingest(ctx context.Context, facts []event.Fact) (seq uint64, err error)
}
