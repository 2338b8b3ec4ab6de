package scene

import (
	"context"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event"
)

// Limits, of the platform and of what a person can survey.
const (
	maxCodes = 20_000 // of the platform's 100,000 lasting ones
	maxName  = 40     // characters
	maxPlace = 60
	maxTags  = 20
	maxDays  = 30 // of one that does not last, by the platform
	maxPage  = 1024
	maxGift  = 200
)

// Definition is what people say of a code.
type Definition struct {
	Account string   `json:"account" minLength:"1" maxLength:"60" doc:"Id of the official account or the mini-program; stays"`
	Name    string   `json:"name" minLength:"1" maxLength:"160"`
	Place   string   `json:"place,omitempty" maxLength:"240" doc:"Where it hangs"`
	Channel string   `json:"channel,omitempty" maxLength:"60" doc:"Where people who scan it come from: a channel's id"`
	Tags    []string `json:"tags,omitempty" maxItems:"20" doc:"Ids of tags that whoever scans it gets"`
	Reply   string   `json:"reply,omitempty" maxLength:"60" doc:"Auto-reply to a scan, instead of what every new follower gets; followers who scan get it too"`
	Hook    string   `json:"hook,omitempty" maxLength:"60" doc:"Auto-reply to each person's first scan of this code, instead of that: the gift"`
	Days    int      `json:"days,omitempty" minimum:"0" maximum:"30" doc:"How long the code works; 0: for good. It stays"`
	// Of mini-programs alone.
	Page      string `json:"page,omitempty" maxLength:"1024" doc:"Mini-program: the page that opens, such as pages/shop/index; none: the first one. It stays once the code is made"`
	Env       string `json:"env,omitempty" enum:"release,trial,develop" doc:"Mini-program: the version that opens; release unless said. It stays once the code is made"`
	Unchecked bool   `json:"unchecked,omitempty" doc:"Mini-program: make it although the released one has no such page yet"`
	Gift      string `json:"gift,omitempty" maxLength:"800" doc:"Mini-program: what it is told at a person's first scan of this code: a text to show, or the key of a coupon"`
}

// The states of a code.
const (
	Active   = "active"
	Archived = "archived"
)

// Code is a scene code as it is kept.
type Code struct {
	ID  string
	Key string // the text in it
	Definition
	State     string
	By        string
	CreatedAt time.Time
	ChangedAt time.Time
	url       string // what the picture says; "": the platform has not made it yet
	until     int64
	fault     string
	params    string
	tries     int
	nextAt    int64
	rev       int64
	drawnAt   int64 // of a mini-program's: when its picture came
}

func (c *Code) over(now time.Time) bool { return c.until > 0 && now.UnixMilli() >= c.until }

// keyPrefix begins the text of every code of ours. Other programs may use the same
// account.
const keyPrefix = "koi-sc-"

func keyOf(id string) string { return keyPrefix + strings.ToLower(id) }

// Account is an official account or a mini-program.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind" enum:"official,mini"`
}

// Platform is what codes need of the outside (package app hands it over). Its errors
// carry words for people.
type Platform interface {
	Accounts(ctx context.Context) ([]Account, error)
	// Create makes a code for a text; days 0: for good. url is what the picture says.
	Create(ctx context.Context, account, key string, days int) (url string, until time.Time, err error)
	// Draw has a mini-program's code drawn for a text; it works for good.
	Draw(ctx context.Context, account, key string, d Drawing) (Picture, error)
}

// Answers knows auto-replies (package acquire/reply).
type Answers interface {
	Known(ctx context.Context, account, id string) (name string, ok bool, err error)
}

// Channels knows where people can come from (package acquire).
type Channels interface {
	Known(ctx context.Context, ids []string) ([]string, error)
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

// scanned is what a fact about a scan says.
type scanned struct {
	Account string `json:"account"`
	State   string `json:"state"`
	Follow  bool   `json:"follow"`
	person  string
}

func personOf(f *event.Fact) string {
	for _, i := range f.Identifiers {
		if i.Kind == "openid" {
			return i.Value
		}
	}
	return ""
}
