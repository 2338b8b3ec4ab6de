package app

import (
	"cmp"
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/acquire/reply"
	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
)

// answerTalk has auto-replies answer in WeCom's customer service: the greeting when
// somebody comes in, and what they write. There is no call whose answer could hold
// it, so that everything is sent.
func (a *App) answerTalk(ctx context.Context, acc connector.Account, in connector.Incoming) (*connector.Message, error) {
	if say := a.connectors.Answer(ctx, acc, in); say != nil {
		return say, nil
	}
	m, err := wecom.ParseAsked(in)
	if err != nil {
		return nil, fmt.Errorf("read what somebody says in customer service: %w", err)
	}
	ask := reply.Ask{Key: in.MessageID(acc, "reply"), Account: acc.ID, Person: in.Subject, At: in.At, Kind: reply.AskMessage, Text: m.Text.Content}
	if in.Name == wecom.AskedEntered {
		ask.Kind = reply.AskFollow
	}
	ids := []event.Identifier{{Kind: contact.KindExternalUserID, Value: in.Subject}}
	ticket := m.Event.Welcome
	send := func(ctx context.Context, key string, say reply.Message) (gone bool, why string, err error) {
		out := connector.Message{Key: key, Form: wecom.FormService, To: in.Subject, From: cmp.Or(m.Service, m.Event.Service), Text: say.Text, Ticket: ticket}
		switch {
		case say.Kind == reply.PartLink:
			out.Text = say.Title + "\n" + say.URL
		case say.Kind != reply.PartText:
			return true, "reply.text_alone", nil
		case in.Name == wecom.AskedEntered && ticket == "":
			return true, "reply.one_greeting", nil // the platform takes one before they have written
		}
		ticket = ""
		got, err := a.connectors.Send(ctx, acc.ID, out)
		if err != nil && connector.GivenUp(err) && !connector.NotSent(err) {
			return true, "", nil
		}
		return got.State == connector.Refused, got.Reason, err
	}
	return nil, a.replies.Work(ctx, ask, a.clock.Now(), false, ids, send)
}
