package wecom

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/connector"
)

// ServiceMenu is the form of a menu in customer service. Its other forms are a text
// (""), Image, Link and MiniProgram.
const ServiceMenu = "msgmenu"

// Said is one message of customer service to a customer.
type Said struct {
	Form  string
	Text  string // a text; the line below a link's title; what stands above a menu
	Media string // id of an upload: an image, and the picture of a link or a mini-program, which both need
	Title string // link, mini-program
	URL   string // link
	AppID string // mini-program
	Page  string // mini-program: it ends in .html
	Lines []connector.Choice
	Tail  string // what stands below a menu
}

// SendService answers a customer: five messages within 48 hours of the
// customer's last one. id, when given, is the message's own (32 letters and digits
// at most): the platform refuses the same twice.
func (c *Client) SendService(ctx context.Context, service, customer, id string, s Said) (string, error) {
	return c.sendService(ctx, "kf/send_msg", map[string]any{"touser": customer, "open_kfid": service}, id, s)
}

// SendOnEvent answers an event that brought a code: once, within 20 seconds, with a
// text or a menu.
func (c *Client) SendOnEvent(ctx context.Context, code, id string, s Said) (string, error) {
	if s.Form != "" && s.Form != ServiceMenu {
		var k checker
		k.Fault("form", "wecom.no_such_form")
		return "", k.Err()
	}
	return c.sendService(ctx, "kf/send_msg_on_event", map[string]any{"code": code}, id, s)
}

func (c *Client) sendService(ctx context.Context, api string, in map[string]any, id string, s Said) (string, error) {
	var k checker
	form, body := s.body(&k)
	if err := k.Err(); err != nil {
		return "", err
	}
	in["msgtype"], in[form] = form, body
	if id != "" {
		in["msgid"] = id
	}
	var out struct {
		ID string `json:"msgid"`
	}
	err := c.post(ctx, api, in, &out)
	return out.ID, err
}

// body writes a message as the platform reads it, and tells what it would not take.
func (s Said) body(k *checker) (form string, body any) {
	need := func(path, limit, value string) {
		k.Need(path, value != "")
		k.text(path, limit, value)
	}
	switch s.Form {
	case "":
		need("text", "service.text", s.Text)
		return "text", map[string]string{"content": s.Text}
	case Image:
		k.Need("media", s.Media != "")
		return Image, map[string]string{"media_id": s.Media}
	case Link:
		need("title", "service.title", s.Title)
		need("url", "service.url", s.URL)
		k.text("text", "service.desc", s.Text)
		k.Need("media", s.Media != "")
		return Link, map[string]string{"title": s.Title, "desc": s.Text, "url": s.URL, "thumb_media_id": s.Media}
	case MiniProgram:
		k.text("title", "service.app", s.Title)
		k.Need("appId", s.AppID != "")
		need("page", "service.pagepath", s.Page)
		k.Need("media", s.Media != "")
		return MiniProgram, map[string]string{"title": s.Title, "appid": s.AppID, "pagepath": s.Page, "thumb_media_id": s.Media}
	case ServiceMenu:
		return ServiceMenu, s.menu(k)
	}
	k.Fault("form", "wecom.no_such_form")
	return "", nil
}

func (s Said) menu(k *checker) map[string]any {
	k.text("text", "service.around", s.Text)
	k.text("tail", "service.around", s.Tail)
	k.Need("lines", len(s.Lines) > 0)
	k.count("lines", "service.lines", len(s.Lines))
	list := make([]map[string]any, len(s.Lines))
	for i, l := range s.Lines {
		at := func(field string) string { return fmt.Sprintf("lines[%d].%s", i, field) }
		k.Need(at("text"), l.Text != "")
		switch {
		case l.AppID != "":
			k.text(at("text"), "service.view", l.Text)
			k.Need(at("page"), l.Page != "")
			k.text(at("page"), "service.pagepath", l.Page)
			list[i] = map[string]any{"type": "miniprogram", "miniprogram": map[string]string{"appid": l.AppID, "pagepath": l.Page, "content": l.Text}}
		case l.URL != "":
			k.text(at("text"), "service.view", l.Text)
			k.text(at("url"), "service.url", l.URL)
			list[i] = map[string]any{"type": "view", "view": map[string]string{"url": l.URL, "content": l.Text}}
		default:
			k.Need(at("id"), l.ID != "")
			k.text(at("id"), "service.id", l.ID)
			k.text(at("text"), "service.click", l.Text)
			list[i] = map[string]any{"type": "click", "click": map[string]string{"id": l.ID, "content": l.Text}}
		}
	}
	out := map[string]any{"list": list}
	if s.Text != "" {
		out["head_content"] = s.Text
	}
	if s.Tail != "" {
		out["tail_content"] = s.Tail
	}
	return out
}

// saidOf is a message of customer service as Send takes it: with a part, that is what
// is sent; with choices it is a menu.
func saidOf(m connector.Message) Said {
	switch {
	case len(m.Parts) > 0:
		p := m.Parts[0]
		return Said{Form: p.Form, Text: p.Text, Media: p.Media, Title: p.Title, URL: p.URL, AppID: p.AppID, Page: p.Page}
	case len(m.Choices) > 0:
		return Said{Form: ServiceMenu, Text: m.Text, Lines: m.Choices, Tail: m.Title}
	}
	return Said{Text: m.Text}
}
