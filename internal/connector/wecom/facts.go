package wecom

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/event"
)

// Source is the source of the facts that callbacks of WeCom state.
const Source = "wecom"

// The kinds of identity that WeCom knows customers by.
const (
	kindCustomer = "wecom_external_userid"
	kindUnion    = "unionid"
)

// patience is how often a customer's details are asked for before the callback is
// done without them.
const patience = 5

// Facts turns callbacks into facts.
type Facts struct {
	// Conn gives the client of an account.
	Conn   func(ctx context.Context, account string) (*Client, error)
	Ingest event.Ingester
	Log    *slog.Logger
}

// Handlers are what turns each sort of callback into facts, by its name: package
// app registers them. A name may end in *.
func (f *Facts) Handlers() map[string]connector.Handler {
	return map[string]connector.Handler{
		"change_external_contact.add_external_contact":      f.added,
		"change_external_contact.add_half_external_contact": f.added,
		"change_external_contact.edit_external_contact":     f.edited,
		"change_external_contact.del_external_contact":      f.removed,
		"change_external_contact.del_follow_user":           f.deleted,
		"change_external_contact.transfer_fail":             f.transferFailed,
	}
}

// fact is one about a customer's doings with a colleague.
func fact(a connector.Account, in connector.Incoming, e Event, name string, props map[string]any) event.Fact {
	props["account"] = a.ID
	if e.UserID != "" {
		props["staff"] = e.UserID
	}
	if e.State != "" {
		props["state"] = e.State
	}
	raw, _ := json.Marshal(props) // texts always encode
	return event.Fact{MessageID: in.MessageID(a, name+e.CustomerID), Type: event.Track, Name: name, Identifiers: customerIDs(e.CustomerID, ""), Timestamp: e.At.UnixMilli(),
		Source: Source, Properties: raw}
}

func customerIDs(customer, union string) []event.Identifier {
	out := []event.Identifier{{Kind: kindCustomer, Value: customer}}
	if union != "" {
		out = append(out, event.Identifier{Kind: kindUnion, Value: union})
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

func read(in connector.Incoming) (Event, error) {
	e, err := ParseEvent(in.Body)
	if err != nil {
		return e, connector.GiveUp(err)
	}
	if strings.HasPrefix(e.Name, "change_external_contact") && e.CustomerID == "" {
		return e, connector.GiveUp(connector.ErrMalformed)
	}
	return e, nil
}

// added states that a customer came, at once: whatever follows from it waits for
// no call to the platform. Who they are is a second fact.
func (f *Facts) added(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	props := map[string]any{}
	if strings.HasSuffix(e.Name, "add_half_external_contact") {
		props["half"] = true // the colleague has not confirmed yet
	}
	if err := f.state(ctx, fact(a, in, e, event.NameFriendAdded, props)); err != nil {
		return err
	}
	return f.described(ctx, a, in, e)
}

func (f *Facts) edited(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	if err := f.state(ctx, fact(a, in, e, event.NameFriendEdited, map[string]any{})); err != nil {
		return err
	}
	return f.described(ctx, a, in, e)
}

// described states what the platform knows of a customer: name, gender, picture,
// unionid, and how the colleague calls them. It is asked for anew each time, for
// callbacks say little and come late. One who is nobody's friend any more has no
// details; after some tries the callback is done without.
func (f *Facts) described(ctx context.Context, a connector.Account, in connector.Incoming, e Event) error {
	c, err := f.Conn(ctx, a.ID)
	if err != nil {
		return err
	}
	asked := c.env.Clock.Now()
	p, err := c.Customer(ctx, e.CustomerID)
	switch {
	case err == nil:
	case connector.GivenUp(err), in.Try >= patience:
		f.Log.InfoContext(ctx, "a customer's details are not to be had", "account", a.ID, "error", err)
		return nil
	default:
		return err
	}
	var follow *Follow
	for i := range p.Follows {
		if p.Follows[i].UserID == e.UserID {
			follow = &p.Follows[i]
		}
	}
	return f.state(ctx, askedAt(Described(a.ID, in.MessageID(a, "described"), e.At, p.Customer, follow), asked))
}

// askedAt says in a fact of Described when the platform was asked: a callback may be
// about a change that came before, or after, what is read now.
func askedAt(f event.Fact, at time.Time) event.Fact {
	var props map[string]any
	if json.Unmarshal(f.Properties, &props) != nil { // it is our own
		return f
	}
	if friend, ok := props["friend"].(map[string]any); ok {
		friend["read"] = at.UnixMilli()
		f.Properties, _ = json.Marshal(props) // texts always encode
	}
	return f
}

// Described is the fact that says who a customer is, and of a friendship (nil:
// none) what the platform keeps. Syncs state it, too.
func Described(account, messageID string, at time.Time, c Customer, follow *Follow) event.Fact {
	traits := map[string]any{}
	set := func(k, v string) {
		if v != "" {
			traits[k] = v
		}
	}
	set("name", c.Name)
	set("avatar", strings.Replace(c.Avatar, "http://", "https://", 1))
	set("gender", map[int]string{1: "male", 2: "female"}[c.Gender])
	set("company", c.Corp)
	set("position", c.Position)
	props := map[string]any{"account": account}
	if follow != nil {
		props["friend"] = map[string]any{"staff": follow.UserID, "remark": follow.Remark, "description": follow.Description, "since": follow.CreatedAt * 1000, "state": follow.State,
			"way": follow.AddWay, "tags": follow.CorpTags()}
	}
	t, _ := json.Marshal(traits) // texts always encode
	p, _ := json.Marshal(props)
	return event.Fact{MessageID: messageID, Type: event.Identify, Name: event.NameFriendKnown, Identifiers: customerIDs(c.ID, c.UnionID), Timestamp: at.UnixMilli(),
		Source: Source, Traits: t, Properties: p}
}

// removed is the colleague's doing; when a hand-over did it, it says so.
func (f *Facts) removed(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	props := map[string]any{}
	if e.Source == "DELETE_BY_TRANSFER" {
		props["reason"] = "transfer"
	}
	return f.state(ctx, fact(a, in, e, event.NameFriendRemoved, props))
}

// deleted is the customer's doing.
func (f *Facts) deleted(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	return f.state(ctx, fact(a, in, e, event.NameFriendDeleted, map[string]any{}))
}

func (f *Facts) transferFailed(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := read(in)
	if err != nil {
		return err
	}
	return f.state(ctx, fact(a, in, e, event.NameTransferFailed, map[string]any{"reason": e.FailReason}))
}

// IsCustomer tells customers from colleagues by the ids that the platform gives.
func IsCustomer(id string) bool { return strings.HasPrefix(id, "wm") || strings.HasPrefix(id, "wo") }
