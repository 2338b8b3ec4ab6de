package connector

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// CallbackInput names a callback in the path.
type CallbackInput struct {
	ID string `path:"id" maxLength:"60" doc:"Callback id"`
}

type (
	inboxInput struct {
		Account string    `query:"account" maxLength:"60" doc:"Id of an account"`
		Kind    string    `query:"kind" maxLength:"40"`
		Name    string    `query:"name" maxLength:"120" doc:"What happened; may end in *"`
		State   string    `query:"state" enum:"waiting,held,done,ignored,dead"`
		Subject string    `query:"subject" maxLength:"128" doc:"Whom it is about, as the platform names them"`
		From    time.Time `query:"from"`
		To      time.Time `query:"to"`
		Cursor  string    `query:"cursor"`
		Limit   int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	inboxOutput struct {
		Body struct {
			Items []Callback `json:"items"`
			Next  string     `json:"next,omitempty"`
		}
	}
	revealInput struct {
		CallbackInput
		Body struct {
			Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Goes into the audit log"`
		}
	}
	callbackOutput struct{ Body Opened }
	replayInput    struct {
		Body struct {
			IDs     []string `json:"ids,omitempty" maxItems:"500" doc:"Which; none: all that were given up, narrowed by the rest"`
			Account string   `json:"account,omitempty" maxLength:"60"`
			Kind    string   `json:"kind,omitempty" maxLength:"40"`
			Name    string   `json:"name,omitempty" maxLength:"120" doc:"May end in *"`
		}
	}
	replayOutput struct {
		Body struct {
			Count int64 `json:"count"`
		}
	}
)

var errNoField = errs.New(errs.NotFound, "connector.no_such_field")

func (s *Service) inboxRoutes(api *httpx.API) {
	httpx.Register(api, op("list-callbacks", http.MethodGet, "/api/connectors/inbox", auth.ConnectorRead, "List what platforms told, the newest first"), s.httpInbox)
	httpx.Register(api, op("get-callback", http.MethodGet, "/api/connectors/inbox/{id}", auth.ConnectorRead, "Get a callback with what it says; personal values are masked"), func(ctx context.Context, in *CallbackInput) (*callbackOutput, error) {
		return spoken(ctx)(s.Callback(ctx, in.ID))
	})
	httpx.Register(api, op("reveal-callback", http.MethodPost, "/api/connectors/inbox/{id}/reveal", auth.ContactUnmask, "Get a callback with personal values in full; the look is recorded with its reason"), func(ctx context.Context, in *revealInput) (*callbackOutput, error) {
		if !auth.From(ctx).May(auth.ConnectorRead) {
			return nil, errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.ConnectorRead))
		}
		return spoken(ctx)(s.Reveal(ctx, in.ID, in.Body.Reason))
	})
	httpx.Register(api, op("replay-callbacks", http.MethodPost, "/api/connectors/inbox/replay", auth.ConnectorWrite, "Have callbacks worked on again"), func(ctx context.Context, in *replayInput) (*replayOutput, error) {
		n, err := s.Replay(ctx, in.Body.IDs, InboxQuery{Account: in.Body.Account, Kind: in.Body.Kind, Name: in.Body.Name})
		out := &replayOutput{}
		out.Body.Count = n
		return out, err
	})
}

// spoken puts a callback's codes into words.
func spoken(ctx context.Context) func(Opened, error) (*callbackOutput, error) {
	return func(c Opened, err error) (*callbackOutput, error) {
		if err != nil {
			return nil, err
		}
		c.say(ctx)
		return &callbackOutput{c}, nil
	}
}

func (c *Callback) say(ctx context.Context) {
	if c.Fault != "" {
		c.Words = httpx.Say(ctx, c.Fault, c.params)
	}
	if c.FirstWhy != "" {
		c.FirstWord = httpx.Say(ctx, c.FirstWhy, c.firstParameters)
	}
}

type inboxCursor struct {
	N int64 `json:"n"`
}

func (s *Service) httpInbox(ctx context.Context, in *inboxInput) (*inboxOutput, error) {
	var c inboxCursor
	if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
		return nil, err
	}
	list, err := s.Inbox(ctx, InboxQuery{Account: in.Account, Kind: in.Kind, Name: in.Name, State: in.State, Subject: in.Subject, From: in.From, To: in.To, Before: c.N, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := &inboxOutput{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		out.Body.Next = httpx.EncodeCursor(inboxCursor{list[in.Limit-1].n})
	}
	for i := range list {
		list[i].say(ctx)
	}
	out.Body.Items = list
	return out, nil
}
