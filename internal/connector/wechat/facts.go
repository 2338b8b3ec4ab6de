package wechat

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wxcall"
	"github.com/koipond/koipond/internal/event"
)

// The sources of the facts that WeChat's callbacks state.
const (
	Source     = "wechat"
	SourceMini = "miniprogram"
)

// The kinds of identity that WeChat knows people by.
const (
	kindOpen  = "openid"
	kindUnion = "unionid"
)

const (
	// patience is how often a follower's unionid is asked for before the callback is
	// done without it.
	patience = 5
	// askFor is how long a fact waits for the unionid: with it the person is known at
	// once by what other apps and WeCom call them.
	askFor = 3 * time.Second
	// maxKnown bounds whose unionid is remembered.
	maxKnown = 50_000
	// maxText bounds what a fact tells of a customer's words, in bytes.
	maxText = 600
)

// Facts turns callbacks into facts.
type Facts struct {
	// Conn gives the connection of an account.
	Conn   func(ctx context.Context, account string) (connector.Conn, error)
	Ingest event.Ingester
	Log    *slog.Logger

	mu    sync.Mutex
	known map[string]string // account and openid → unionid
}

// Handlers are what turns each sort of callback of a kind into facts, by its name:
// package app registers them. A name may end in *.
func (f *Facts) Handlers(kind string) map[string]connector.Handler {
	out := map[string]connector.Handler{
		"message.*":         f.message,
		EventSubscribePopup: f.wishes,
		EventSubscribeMove:  f.wishes,
	}
	if kind == Name {
		out[EventSubscribe], out[EventUnsubscribe], out[EventScan] = f.followed, f.unfollowed, f.scanned
		out[EventLocation] = f.located
		for _, name := range []string{EventClick, EventView, EventViewMini, "scancode_*", "pic_*", "location_select"} {
			out[name] = f.clicked
		}
	}
	return out
}

func read(in connector.Incoming) (Event, error) {
	e, err := ParseEvent(in.Body)
	if err != nil {
		return e, connector.GiveUp(err)
	}
	return e, nil
}

func sourceOf(kind string) string {
	if kind == NameMini {
		return SourceMini
	}
	return Source
}

// fact is one about a customer's doings with an account. part tells several of one
// callback apart.
func fact(a connector.Account, in connector.Incoming, e Event, union, name, part string, props map[string]any) event.Fact {
	props["account"] = a.ID
	for k, v := range props {
		if v == "" {
			delete(props, k)
		}
	}
	raw, _ := json.Marshal(props) // texts and numbers always encode
	return event.Fact{MessageID: in.MessageID(a, name+part), Type: event.Track, Name: name, Identifiers: Identifiers(e.OpenID, union), Timestamp: e.At.UnixMilli(),
		Source: sourceOf(a.Kind), Properties: raw}
}

// Identifiers are how facts name somebody of whom WeChat tells.
func Identifiers(openID, unionID string) []event.Identifier {
	out := []event.Identifier{{Kind: kindOpen, Value: openID}}
	if unionID != "" {
		out = append(out, event.Identifier{Kind: kindUnion, Value: unionID})
	}
	return out
}

// state puts facts on the stream. A callback whose fact cannot be stored as it is
// stays in the inbox with the reason.
func (f *Facts) state(ctx context.Context, facts ...event.Fact) error {
	if len(facts) == 0 {
		return nil
	}
	if _, err := f.Ingest.Ingest(ctx, facts); err != nil {
		return fmt.Errorf("state facts: %w", err)
	}
	return nil
}

// union gives the unionid of a follower, "" when there is none. It is asked for once
// and remembered: of somebody who followed before we listened it is learnt with the
// first thing they do. err says that it was not to be had just now.
func (f *Facts) union(ctx context.Context, a connector.Account, openID string) (string, error) {
	key := a.ID + "\x00" + openID
	f.mu.Lock()
	have, ok := f.known[key]
	f.mu.Unlock()
	if ok || a.Kind != Name {
		return have, nil
	}
	c, err := f.Conn(ctx, a.ID)
	if err != nil {
		return "", err
	}
	o, ok := c.(*Official)
	if !ok {
		return "", nil
	}
	short, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	p, err := o.Person(short, openID)
	if connector.GivenUp(err) { // the account may not ask, or nobody knows this person
		f.remember(key, "")
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if p.Follows == 1 { // of others the platform tells nothing, and may tell more later
		f.remember(key, p.UnionID)
	}
	return p.UnionID, nil
}

func (f *Facts) remember(key, union string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known) >= maxKnown { // rare, and costs no more than asking again
		f.known = map[string]string{}
	}
	f.known[key] = union
}

// did states something that a customer did, with the unionid when it is to be had.
func (f *Facts) did(ctx context.Context, a connector.Account, in connector.Incoming, e Event, name string, props map[string]any) error {
	union, err := f.union(ctx, a, e.OpenID)
	if err != nil {
		f.Log.InfoContext(ctx, "a follower's unionid is not to be had", "account", a.ID, "error", err)
	}
	return f.state(ctx, fact(a, in, e, union, name, "", props))
}

// followed states that somebody follows, and that they scanned a code when they came
// by one. Without the unionid it is stated all the same, and the unionid later.
func (f *Facts) followed(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	union, missing := f.union(ctx, a, e.OpenID)
	facts := []event.Fact{fact(a, in, e, union, event.NameAccountFollowed, "", map[string]any{"state": e.Scene})}
	if e.Scene != "" {
		facts = append(facts, fact(a, in, e, union, event.NameCodeScanned, "", map[string]any{"state": e.Scene, "follow": true}))
	}
	if union != "" && in.Try > 1 { // the first try may have stated these two without it
		facts = append(facts, Known(a, in.MessageID(a, "known"), e.At, Person{OpenID: e.OpenID, UnionID: union}))
	}
	if err := f.state(ctx, facts...); err != nil {
		return err
	}
	if missing == nil || in.Try >= patience {
		return nil
	}
	return missing
}

// Known is the fact that says how else somebody is known, and what they told of
// themselves.
func Known(a connector.Account, messageID string, at time.Time, p Person) event.Fact {
	traits := map[string]any{}
	if p.Snapshot == 0 {
		for k, v := range map[string]string{"name": p.Name, "avatar": p.Picture} {
			if v != "" {
				traits[k] = v
			}
		}
	}
	t, _ := json.Marshal(traits) // texts always encode
	props, _ := json.Marshal(map[string]any{"account": a.ID})
	return event.Fact{MessageID: messageID, Type: event.Identify, Name: event.NameFollowerKnown, Identifiers: Identifiers(p.OpenID, p.UnionID), Timestamp: at.UnixMilli(),
		Source: sourceOf(a.Kind), Traits: t, Properties: props}
}

// unfollowed asks nobody: of one who left the platform tells nothing more.
func (f *Facts) unfollowed(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	return f.state(ctx, fact(a, in, e, "", event.NameAccountUnfollowed, "", map[string]any{}))
}

func (f *Facts) scanned(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	return f.did(ctx, a, in, e, event.NameCodeScanned, map[string]any{"state": wxcall.Clip(e.Scene, 200)})
}

func (f *Facts) clicked(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	props := map[string]any{"type": e.Name, "key": wxcall.Clip(e.Key, 200)}
	if e.Name == EventView {
		props = map[string]any{"type": e.Name, "url": wxcall.Clip(e.Key, 1024)}
	}
	return f.did(ctx, a, in, e, event.NameMenuClicked, props)
}

// located states where a customer is, to about a kilometre: nobody needs to know a
// customer's door.
func (f *Facts) located(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	if e.Lat == 0 && e.Lng == 0 {
		return nil
	}
	return f.did(ctx, a, in, e, event.NameLocationReported, map[string]any{"latitude": roughly(e.Lat), "longitude": roughly(e.Lng)})
}

func roughly(degrees float64) float64 { return math.Round(degrees*100) / 100 }

func (f *Facts) message(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	return f.did(ctx, a, in, e, event.NameMessageReceived, map[string]any{"form": e.Name[len("message."):], "text": wxcall.Clip(e.Text, maxText)})
}

// wishes states what a customer says of subscribe messages, template by template.
func (f *Facts) wishes(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	union, err := f.union(ctx, a, e.OpenID)
	if err != nil {
		f.Log.InfoContext(ctx, "a follower's unionid is not to be had", "account", a.ID, "error", err)
	}
	facts := make([]event.Fact, 0, len(e.Wishes))
	for _, w := range e.Wishes {
		facts = append(facts, fact(a, in, e, union, event.NameSubscriptionChanged, w.Template, map[string]any{"template": wxcall.Clip(w.Template, 100), "state": wxcall.Clip(w.State, 20)}))
	}
	return f.state(ctx, facts...)
}
