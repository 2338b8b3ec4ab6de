package wechat

import (
	"context"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
)

// The forms of messages, beside templates. A connector.Message of one of them may
// be a passive reply as well as a customer-service message.
const (
	FormText  = "text"
	FormImage = "image" // Media
	FormVoice = "voice" // Media
	FormVideo = "video" // Media, and Picture as the id of its cover
	FormLink  = "link"  // Title, Text, URL, Picture: one article
	FormMini  = "miniprogram"
	FormMenu  = "menu" // Text with choices: Params of (id, words); as a customer-service message alone
)

// Window is what a message to a customer may answer: how many messages, how long.
type Window struct {
	Most int
	For  time.Duration
}

// WindowOf tells what may follow something a customer did; false: nothing may,
// unless something else still allows it.
func WindowOf(name string) (Window, bool) {
	switch {
	case strings.HasPrefix(name, "message."):
		return Window{5, 48 * time.Hour}, true
	case name == EventSubscribe || name == EventScan || name == EventClick:
		return Window{3, time.Minute}, true
	}
	return Window{}, false
}

// SendCustomerService sends a customer-service message. The platform takes five in
// the 48 hours after a message of the customer, and three in the minute after they
// followed, scanned or clicked in the menu. answers is what is answered: it is
// counted, and nothing is sent when it is too late. Without it (the zero value) the
// platform alone decides.
func (c *client) SendCustomerService(ctx context.Context, openID string, m connector.Message, answers connector.Incoming) error {
	var k checker
	k.Need("to", openID != "")
	checkMessage(&k, m, true)
	if err := k.Err(); err != nil {
		return err
	}
	if err := c.window(ctx, answers); err != nil {
		return err
	}
	body := customBody(m)
	body["touser"] = openID
	if m.From != "" { // an account of the customer-service staff speaks
		body["customservice"] = map[string]string{"kf_account": m.From}
	}
	return c.do(ctx, request{api: "cgi-bin/message/custom/send", body: body}, nil)
}

// window takes one of the messages that may follow what a customer did.
func (c *client) window(ctx context.Context, answers connector.Incoming) error {
	if answers.Key == "" {
		return nil
	}
	w, ok := WindowOf(answers.Name)
	if !ok {
		return nil
	}
	if c.env.Clock.Now().Sub(answers.At) > w.For {
		return connector.GiveUp(refused("cgi-bin/message/custom/send", 45015, "too late for what it answers"))
	}
	name := "message.custom"
	if w.For < time.Hour {
		name = "message.event"
	}
	err := c.env.Quota(ctx, name, answers.Key, 1)
	if connector.NotSent(err) { // waiting mends nothing: the next one answers another message
		return connector.GiveUp(refused("cgi-bin/message/custom/send", 45047, "as many as may follow one message"))
	}
	return err
}

// customBody writes a message as the platform reads it.
func customBody(m connector.Message) map[string]any {
	form, part := m.Form, map[string]any{}
	switch m.Form {
	case FormImage, FormVoice:
		part["media_id"] = m.Media
	case FormVideo:
		part["media_id"], part["thumb_media_id"], part["title"], part["description"] = m.Media, m.Picture, m.Title, m.Text
	case FormLink:
		form = "news"
		part["articles"] = []map[string]string{{"title": m.Title, "description": m.Text, "url": m.URL, "picurl": m.Picture}}
	case FormMini:
		form = "miniprogrampage"
		part["title"], part["appid"], part["pagepath"], part["thumb_media_id"] = m.Title, m.AppID, m.Page, m.Picture
	case FormMenu:
		form = "msgmenu"
		list := make([]map[string]string, len(m.Params))
		for i, p := range m.Params {
			list[i] = map[string]string{"id": p.Name, "content": p.Value}
		}
		part["head_content"], part["list"], part["tail_content"] = m.Text, list, m.Title
	default:
		form = FormText
		part["content"] = m.Text
	}
	return map[string]any{"msgtype": form, form: part}
}

// checkMessage looks at a message before it leaves; custom messages know more forms
// than passive replies.
func checkMessage(k *checker, m connector.Message, custom bool) {
	switch m.Form {
	case FormText, "":
		k.Need("text", m.Text != "")
		k.text("text", "text", m.Text)
	case FormImage, FormVoice:
		k.Need("media", m.Media != "")
	case FormVideo:
		k.Need("media", m.Media != "")
		if custom {
			k.Need("picture", m.Picture != "")
		}
	case FormLink:
		k.Need("title", m.Title != "")
		k.text("title", "link.title", m.Title)
		k.text("text", "link.text", m.Text)
		k.url("url", m.URL)
	case FormMini:
		if !custom {
			k.Fault("form", "wechat.no_such_form")
			return
		}
		k.Need("title", m.Title != "")
		k.Need("appId", m.AppID != "")
		k.Need("page", m.Page != "")
		k.Need("picture", m.Picture != "")
	case FormMenu:
		if !custom {
			k.Fault("form", "wechat.no_such_form")
			return
		}
		k.Need("text", m.Text != "")
		k.Need("params", len(m.Params) > 0)
		k.count("params", "choices", len(m.Params))
	default:
		k.Fault("form", "wechat.no_such_form")
	}
}
