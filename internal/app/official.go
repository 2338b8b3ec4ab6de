package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/acquire/menu"
	"github.com/koipond/koipond/internal/acquire/reply"
	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/event"
)

// official lets auto-replies, menus and scene codes speak with official accounts.
type official struct{ a *App }

func (o official) conn(ctx context.Context, account string) (*wechat.Official, error) {
	c, err := o.a.connectors.Conn(ctx, account)
	if err != nil {
		return nil, err
	}
	client, ok := c.(*wechat.Official)
	if !ok {
		return nil, fmt.Errorf("account %s: %w", account, errNotOfficial)
	}
	return client, nil
}

// answering is the platform of auto-replies.
type answering struct{ official }

// Accounts implements reply.Platform.
func (o answering) Accounts(ctx context.Context) ([]reply.Account, error) {
	var out []reply.Account
	for _, kind := range []string{wechat.Name, wecom.Name} { // of WeCom, its customer service
		list, err := o.a.connectors.Accounts(ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			out = append(out, reply.Account{ID: a.ID, Name: a.Name, Kind: kind})
		}
	}
	return out, nil
}

// Media implements reply.Platform.
func (o answering) Media(ctx context.Context, account, name string, body io.Reader) (string, time.Time, error) {
	c, err := o.a.connectors.Conn(ctx, account)
	if err != nil {
		return "", time.Time{}, err
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("read picture: %w", err)
	}
	var id string
	switch c := c.(type) {
	case *wechat.Official:
		id, err = c.Upload(ctx, wechat.FormImage, name, data)
	case *wecom.Client:
		id, err = c.Upload(ctx, wecom.Image, name, data)
	default:
		err = fmt.Errorf("account %s: %w", account, errNotOfficial)
	}
	return id, o.a.clock.Now().Add(mediaTime), err
}

// bottom is the platform of menus.
type bottom struct{ official }

// Accounts implements menu.Platform.
func (o bottom) Accounts(ctx context.Context) ([]menu.Account, error) {
	list, err := o.a.connectors.Accounts(ctx, wechat.Name)
	out := make([]menu.Account, len(list))
	for i, a := range list {
		out[i] = menu.Account{ID: a.ID, Name: a.Name}
	}
	return out, err
}

// buttonTypes are what buttons do, in the platform's words.
var buttonTypes = map[string]string{menu.Reply: wechat.ButtonClick, menu.Click: wechat.ButtonClick, menu.View: wechat.ButtonView, menu.App: wechat.ButtonMini,
	menu.Scan: wechat.ButtonScan, menu.Photo: wechat.ButtonPhotos, menu.Location: wechat.ButtonLocation}

func toButtons(list []menu.Button) []wechat.Button {
	out := make([]wechat.Button, len(list))
	for i, b := range list {
		w := wechat.Button{Name: b.Name, Sub: toButtons(b.Sub)}
		if len(b.Sub) == 0 {
			w.Sub = nil
			w.Type, w.URL, w.AppID, w.Page, w.Key = buttonTypes[b.Kind], b.URL, b.AppID, b.Page, b.Key
			switch b.Kind {
			case menu.Reply, menu.Scan, menu.Photo, menu.Location:
				w.Key = b.EventKey()
			}
		}
		out[i] = w
	}
	return out
}

func fromButtons(list []wechat.Button) []menu.Button {
	out := make([]menu.Button, len(list))
	for i, w := range list {
		b := menu.Button{Name: w.Name, URL: w.URL, AppID: w.AppID, Page: w.Page, Sub: fromButtons(w.Sub)}
		for kind, typ := range buttonTypes {
			if typ == w.Type && kind != menu.Reply && kind != menu.Click {
				b.Kind = kind
			}
		}
		if w.Type == wechat.ButtonClick {
			b.Kind, b.Key = menu.Click, w.Key
			if id, ok := menu.ReplyOf(w.Key); ok {
				b.Kind, b.Reply = menu.Reply, id
			}
		}
		out[i] = b
	}
	return out
}

// Publish implements menu.Platform.
func (o bottom) Publish(ctx context.Context, account string, buttons []menu.Button) error {
	c, err := o.conn(ctx, account)
	if err != nil {
		return err
	}
	if len(buttons) == 0 {
		return c.DeleteMenu(ctx)
	}
	return c.CreateMenu(ctx, wechat.Menu{Buttons: toButtons(buttons)})
}

// Read implements menu.Platform.
func (o bottom) Read(ctx context.Context, account string) ([]menu.Button, error) {
	c, err := o.conn(ctx, account)
	if err != nil {
		return nil, err
	}
	m, _, err := c.GetMenu(ctx)
	return fromButtons(m.Buttons), err
}

// answered are the callbacks of an official account that auto-replies look at.
var answered = []string{wechat.EventSubscribe, wechat.EventScan, wechat.EventClick, "message.*"}

// answerOfficial has auto-replies look at what comes to official accounts: in the
// answer of the call, and for what that cannot hold once the callback is worked on.
func (a *App) answerOfficial() {
	a.connectors.Reply(wechat.Name, func(ctx context.Context, acc connector.Account, in connector.Incoming) *connector.Message {
		ask, ok := a.askOfficial(ctx, acc, in)
		if !ok {
			return nil
		}
		m := a.replies.Passive(ctx, ask)
		if m == nil {
			return nil
		}
		out := messageOf(*m)
		return &out
	})
	for _, name := range answered {
		a.connectors.On(wechat.Name, name, func(ctx context.Context, acc connector.Account, in connector.Incoming) error {
			ask, ok := a.askOfficial(ctx, acc, in)
			if !ok {
				return nil
			}
			return a.replies.Work(ctx, ask, in.ReceivedAt, true, wechat.Identifiers(ask.Person, ""), a.sendReply(acc.ID, ask.Person))
		})
	}
}

// askOfficial is what a callback asks; false when nothing is answered to it.
func (a *App) askOfficial(ctx context.Context, acc connector.Account, in connector.Incoming) (reply.Ask, bool) {
	e, err := wechat.ParseEvent(in.Body)
	if err != nil || e.OpenID == "" {
		return reply.Ask{}, false // the handlers that state facts say what is wrong with it
	}
	ask := reply.Ask{Key: in.MessageID(acc, "reply"), Account: acc.ID, Person: e.OpenID, At: e.At}
	switch {
	case strings.HasPrefix(e.Name, "message."):
		ask.Kind, ask.Text = reply.AskMessage, e.Text
		ask.Choice, _ = menu.ReplyOf(e.Key) // of a menu in a message, a line of which they tapped
	case e.Name == wechat.EventSubscribe:
		ask.Kind = reply.AskFollow
		ask.Choice = a.scenes.Choice(ctx, acc.ID, e.Scene, e.OpenID, in.MessageID(acc, event.NameCodeScanned))
	case e.Name == wechat.EventScan:
		ask.Kind = reply.AskScan
		ask.Choice = a.scenes.Choice(ctx, acc.ID, e.Scene, e.OpenID, in.MessageID(acc, event.NameCodeScanned))
	case e.Name == wechat.EventClick:
		id, ok := menu.ReplyOf(e.Key)
		if !ok {
			return ask, false
		}
		ask.Kind, ask.Choice = reply.AskClick, id
	default:
		return ask, false
	}
	return ask, ask.Kind != reply.AskScan || ask.Choice != ""
}
