package app

import (
	"cmp"
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/acquire/menu"
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
	ask.Choice, _ = menu.ReplyOf(m.Text.MenuID) // of a menu in a message, a line of which they tapped
	if in.Name == wecom.AskedEntered {
		ask.Kind = reply.AskFollow
	}
	ids := []event.Identifier{{Kind: contact.KindExternalUserID, Value: in.Subject}}
	ticket := m.Event.Welcome
	send := func(ctx context.Context, key string, say reply.Message) (reply.Sent, error) {
		out := talkOf(say)
		out.Key, out.To, out.From, out.Ticket = key, in.Subject, cmp.Or(m.Service, m.Event.Service), ticket
		if in.Name == wecom.AskedEntered && (ticket == "" || len(out.Parts) > 0) { // of a rule that was saved before this was looked at
			return reply.Sent{Gone: true, Why: "reply.one_greeting"}, nil
		}
		ticket = ""
		return sentOf(a.connectors.Send(ctx, acc.ID, out))
	}
	return nil, a.replies.Work(ctx, ask, a.clock.Now(), false, ids, send)
}

// talkOf is an answer as customer service sends it.
func talkOf(m reply.Message) connector.Message {
	out := connector.Message{Form: wecom.FormService, Text: m.Text}
	part := func(form, text string) {
		out.Text, out.Parts = "", []connector.Message{{Form: form, Text: text, Media: m.Media, Title: m.Title, URL: m.URL, AppID: m.AppID, Page: m.AppPath}}
	}
	switch m.Kind {
	case reply.PartImage:
		part(wecom.Image, "")
	case reply.PartApp:
		part(wecom.MiniProgram, "")
	case reply.PartLink:
		if m.Media == "" { // of a rule that is older than cards: the platform takes none without a picture
			out.Text = m.Title + "\n" + m.URL
			break
		}
		part(wecom.Link, m.Note)
	case reply.PartMenu:
		out.Title = m.Tail
		for i, l := range m.Lines {
			c := connector.Choice{Text: l.Text, URL: l.URL, AppID: l.AppID, Page: l.AppPath}
			if l.URL == "" && l.AppID == "" {
				c.ID = lineID(i, l)
			}
			out.Choices = append(out.Choices, c)
		}
	}
	return out
}
