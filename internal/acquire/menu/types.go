package menu

import (
	"context"
	"strings"
	"time"
)

// Limits, of the platform.
const (
	maxTop     = 3
	maxSub     = 5
	maxName    = 16 // bytes of a button at the bottom
	maxSubName = 60 // bytes of one that opens above it
	maxKey     = 128
	maxURL     = 1024
)

// What a button does.
const (
	Reply    = "reply"       // an auto-reply answers
	View     = "view"        // a page opens
	App      = "miniprogram" // a mini-program opens
	Scan     = "scan"        // the camera scans a code and shows what it says
	Photo    = "photo"       // a picture is taken or chosen, and sent
	Location = "location"    // a place is chosen, and sent
	Click    = "click"       // a key of another program's: read from the platform
)

var kinds = []string{Reply, View, App, Scan, Photo, Location, Click}

// Button is one of a menu: it does something, or opens those above it.
type Button struct {
	Name  string   `json:"name" maxLength:"60" doc:"At the bottom 16 bytes, above 60; a Chinese character is three"`
	Kind  string   `json:"kind,omitempty" enum:"reply,view,miniprogram,scan,photo,location,click" doc:"Left out when it opens others"`
	Reply string   `json:"reply,omitempty" maxLength:"60" doc:"Id of the auto-reply"`
	URL   string   `json:"url,omitempty" maxLength:"1024" doc:"Of a page; of a mini-program what old phones open instead"`
	AppID string   `json:"appId,omitempty" maxLength:"60"`
	Page  string   `json:"page,omitempty" maxLength:"1000" doc:"Of the mini-program"`
	Key   string   `json:"key,omitempty" maxLength:"128" doc:"Of another program"`
	Sub   []Button `json:"sub,omitempty" maxItems:"5"`
}

// keyPrefix begins the key of a button that an auto-reply answers.
const keyPrefix = "koi-reply-"

// ReplyOf gives the auto-reply that a button's key names.
func ReplyOf(key string) (id string, ok bool) {
	if id, ok = strings.CutPrefix(key, keyPrefix); !ok {
		return "", false
	}
	return id, true
}

// KeyOf is the key of a button that an auto-reply answers.
func KeyOf(reply string) string { return keyPrefix + reply }

// Version is a menu that was published.
type Version struct {
	N       int64     `json:"n"`
	Buttons []Button  `json:"buttons"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
}

// Menu is what there is of an account's menu.
type Menu struct {
	Account   string    `json:"account"`
	Buttons   []Button  `json:"buttons" doc:"The draft"`
	Rev       int64     `json:"rev" doc:"Of the draft: who saves names the one that they began with"`
	By        string    `json:"by,omitempty"`
	ChangedAt time.Time `json:"changedAt,omitzero"`
	Published *Version  `json:"published,omitempty"`
	Same      bool      `json:"same" doc:"The draft is what is published"`
	Fault     string    `json:"fault,omitempty" doc:"Code of what the platform said when it last refused"`
	Words     string    `json:"message,omitempty" doc:"The fault in words"`
	FaultAt   time.Time `json:"faultAt,omitzero"`
}

// Account is an official account.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Platform is what menus need of the outside (package app hands it over). Its errors
// carry words for people.
type Platform interface {
	Accounts(ctx context.Context) ([]Account, error)
	// Publish puts a menu in the place of the one there was; none: takes it away.
	Publish(ctx context.Context, account string, buttons []Button) error
	// Read gives the menu that the platform shows.
	Read(ctx context.Context, account string) ([]Button, error)
}

// People knows contacts.
type People interface {
	// Hold keeps contacts as they are until the transaction of ctx ends. Whoever
	// removes or merges them holds it first and then comes here.
	Hold(ctx context.Context) error
}

// Answers knows auto-replies (package acquire/reply).
type Answers interface {
	Known(ctx context.Context, account, id string) (name string, ok bool, err error)
}
