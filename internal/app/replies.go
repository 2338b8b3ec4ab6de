package app

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/koipond/koipond/internal/acquire/livecode"
	"github.com/koipond/koipond/internal/acquire/menu"
	"github.com/koipond/koipond/internal/acquire/reply"
	"github.com/koipond/koipond/internal/acquire/scene"
	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/event"
)

// buildReplies makes what answers at once and what leads to it: auto-replies, menus
// and scene codes of official accounts.
func (a *App) buildReplies(ingest event.Ingester) {
	out := official{a}
	a.replies = reply.NewService(reply.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Audit: a.Audit, Ingest: ingest, Platform: answering{out}, Files: uploaded{a.livecodes},
		Tags: a.contacts, People: seenPeople{a.contacts}, Tables: tagTables{a}, Zone: a.zone})
	a.menus = menu.NewService(menu.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Keys: a.ring, Audit: a.Audit, Platform: bottom{out}, Answers: a.replies, People: seenPeople{a.contacts}, Zone: a.zone})
	a.scenes = scene.NewService(scene.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Audit: a.Audit, Platform: codeMaker{out}, Answers: a.replies, Channels: knownChannels{a},
		Tags: a.contacts, People: seenPeople{a.contacts}, Zone: a.zone})
	a.contacts.OnRemove(a.replies.Forget)
	a.contacts.OnRemove(a.scenes.Forget)
	a.contacts.OnRemove(a.menus.Forget)
	a.answerOfficial()
}

// uploaded are the pictures that people uploaded for welcomes and answers.
type uploaded struct{ codes *livecode.Service }

// IsPicture implements reply.Files.
func (u uploaded) IsPicture(ctx context.Context, id string) (bool, error) {
	f, body, err := u.codes.OpenFile(ctx, id)
	if err != nil {
		return false, nil //nolint:nilerr // a file that cannot be opened is no picture
	}
	return f.Picture, body.Close()
}

// OpenPicture implements reply.Files.
func (u uploaded) OpenPicture(ctx context.Context, id string) (string, io.ReadCloser, error) {
	f, body, err := u.codes.OpenFile(ctx, id)
	return f.Name, body, err
}

// messageOf is an answer as official accounts send it.
func messageOf(m reply.Message) connector.Message {
	out := connector.Message{Form: m.Kind, Text: m.Text, Title: m.Title, URL: m.URL, Media: m.Media, Picture: m.Picture, AppID: m.AppID, Page: m.AppPath}
	switch m.Kind {
	case reply.PartLink:
		out.Text = m.Note
	case reply.PartApp:
		out.Picture = m.Media
	case reply.PartMenu:
		out.Title = m.Tail
		for i, l := range m.Lines {
			out.Params = append(out.Params, connector.Param{Name: lineID(i, l), Value: l.Text})
		}
	}
	return out
}

// lineID is the id of a line of a menu: that of the auto-reply which answers, or its
// place, for the words alone say what is asked.
func lineID(i int, l reply.Line) string {
	if l.Reply != "" {
		return menu.KeyOf(l.Reply)
	}
	return "koi-line-" + strconv.Itoa(i+1)
}

// sendReply sends what an answer of a call cannot hold, once per key.
func (a *App) sendReply(account, to string) reply.Send {
	return func(ctx context.Context, key string, m reply.Message) (reply.Sent, error) {
		out := messageOf(m)
		out.Key, out.To = key, to
		return sentOf(a.connectors.Send(ctx, account, out))
	}
}

// sentOf is what became of a message, as auto-replies read it.
func sentOf(got connector.Receipt, err error) (reply.Sent, error) {
	if err != nil && connector.GivenUp(err) && !connector.NotSent(err) {
		return reply.Sent{Gone: true}, nil
	}
	return reply.Sent{Gone: got.State == connector.Refused, Why: got.Reason, Unsure: got.State == connector.Doubtful}, err
}

var (
	errNotOfficial = errors.New("the account is no official account")
	errNotMini     = errors.New("the account is no mini-program")
)
