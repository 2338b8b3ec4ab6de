package wechat

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

// The forms that need a template.
const (
	FormTemplate  = "template"  // of an official account: what somebody did has news, never an advertisement
	FormSubscribe = "subscribe" // for which a customer said yes once
)

// Template is a form of messages that the platform has approved.
type Template struct {
	ID      string
	Title   string
	Content string // with {{name.DATA}} where a value goes
	Example string
	Lasting bool // of subscribe messages: one yes is for all
}

// Templates lists what an official account may send with FormTemplate.
func (o *Official) Templates(ctx context.Context) ([]Template, error) {
	var out struct {
		List []struct {
			ID      string `json:"template_id"`
			Title   string `json:"title"`
			Content string `json:"content"`
			Example string `json:"example"`
		} `json:"template_list"`
	}
	if err := o.do(ctx, request{api: "cgi-bin/template/get_all_private_template", reads: true}, &out); err != nil {
		return nil, err
	}
	list := make([]Template, len(out.List))
	for i, t := range out.List {
		list[i] = Template{ID: t.ID, Title: t.Title, Content: t.Content, Example: t.Example}
	}
	return list, nil
}

// SubscribeTemplates lists what may be sent with FormSubscribe.
func (c *client) SubscribeTemplates(ctx context.Context) ([]Template, error) {
	var out struct {
		List []struct {
			ID      string `json:"priTmplId"`
			Title   string `json:"title"`
			Content string `json:"content"`
			Example string `json:"example"`
			Type    int    `json:"type"` // 2 once, 3 for good
		} `json:"data"`
	}
	if err := c.do(ctx, request{api: "wxaapi/newtmpl/gettemplate", reads: true}, &out); err != nil {
		return nil, err
	}
	list := make([]Template, len(out.List))
	for i, t := range out.List {
		list[i] = Template{ID: t.ID, Title: t.Title, Content: t.Content, Example: t.Example, Lasting: t.Type == 3}
	}
	return list, nil
}

// SendTemplate sends a template message to a follower and gives its id. The platform
// sends the same key to the same person once within ten minutes.
func (o *Official) SendTemplate(ctx context.Context, openID string, m connector.Message) (string, error) {
	var k checker
	k.Need("to", openID != "")
	k.Need("template", m.Template != "")
	if m.URL != "" {
		k.url("url", m.URL)
	}
	if m.Marketing { // accounts lose the right to send for it
		k.Fault("marketing", "wechat.template_no_marketing")
	}
	if err := k.Err(); err != nil {
		return "", err
	}
	body := map[string]any{"touser": openID, "template_id": m.Template, "data": data(m.Params)}
	if m.URL != "" {
		body["url"] = m.URL
	}
	if m.AppID != "" {
		body["miniprogram"] = map[string]string{"appid": m.AppID, "pagepath": m.Page}
	}
	if m.Key != "" {
		body["client_msg_id"] = shortKey(m.Key)
	}
	return o.sendTemplate(ctx, request{api: "cgi-bin/message/template/send", body: body, quota: "message.template"})
}

// SendSubscribe sends a subscribe message to somebody who said yes to its template.
func (o *Official) SendSubscribe(ctx context.Context, openID string, m connector.Message) (string, error) {
	return o.sendSubscribe(ctx, "cgi-bin/message/subscribe/bizsend", openID, m)
}

// SendSubscribe sends a subscribe message to somebody who said yes to its template.
func (p *Mini) SendSubscribe(ctx context.Context, openID string, m connector.Message) (string, error) {
	return p.sendSubscribe(ctx, "cgi-bin/message/subscribe/send", openID, m)
}

func (c *client) sendSubscribe(ctx context.Context, api, openID string, m connector.Message) (string, error) {
	var k checker
	k.Need("to", openID != "")
	k.Need("template", m.Template != "")
	k.Need("params", len(m.Params) > 0)
	for i, p := range m.Params {
		k.Need(at("params", i)+".value", p.Value != "")
		if l, ok := values[strings.TrimRight(p.Name, "0123456789")]; ok {
			k.within(at("params", i)+".value", l, p.Value)
		}
	}
	if err := k.Err(); err != nil {
		return "", err
	}
	body := map[string]any{"touser": openID, "template_id": m.Template, "data": data(m.Params)}
	switch {
	case m.AppID != "" && m.AppID != c.app:
		body["miniprogram"] = map[string]string{"appid": m.AppID, "pagepath": m.Page}
	case m.Page != "" || m.URL != "":
		body["page"] = cmp.Or(m.Page, m.URL)
	}
	return c.sendTemplate(ctx, request{api: api, body: body})
}

func (c *client) sendTemplate(ctx context.Context, r request) (string, error) {
	var out struct {
		ID json.Number `json:"msgid"`
	}
	err := c.do(ctx, r, &out)
	return out.ID.String(), err
}

// data are the values of a template as the platform reads them.
func data(params []connector.Param) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, p := range params {
		out[p.Name] = map[string]string{"value": p.Value}
	}
	return out
}

// shortKey makes 32 letters of a key that may hold anything.
func shortKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// Send implements connector.Sender: by the message's form a template, a subscribe
// message, or a customer-service message.
func (o *Official) Send(ctx context.Context, m connector.Message) (connector.Receipt, error) {
	switch m.Form {
	case FormTemplate:
		id, err := o.SendTemplate(ctx, m.To, m)
		return o.sent(id, err)
	case FormSubscribe:
		id, err := o.SendSubscribe(ctx, m.To, m)
		return o.sent(id, err)
	}
	return o.sent("", o.SendCustomerService(ctx, m.To, m, connector.Incoming{}))
}

// Send implements connector.Sender.
func (p *Mini) Send(ctx context.Context, m connector.Message) (connector.Receipt, error) {
	if m.Form == FormSubscribe {
		id, err := p.SendSubscribe(ctx, m.To, m)
		return p.sent(id, err)
	}
	return p.sent("", p.SendCustomerService(ctx, m.To, m, connector.Incoming{}))
}

// sent is the receipt of a message, or the error in the words of a sender: what is
// refused for good says so, and what never left may leave again.
func (c *client) sent(id string, err error) (connector.Receipt, error) {
	if err == nil {
		return connector.Receipt{ID: id, State: connector.Accepted, At: c.env.Clock.Now().Truncate(time.Millisecond)}, nil
	}
	r := connector.Receipt{}
	if n := CodeOf(err); n != 0 {
		r.Code = strconv.Itoa(n)
	}
	if errs.As(err).Kind == errs.Invalid && !connector.GivenUp(err) { // it is wrong in itself: no try mends that
		return r, connector.GiveUp(err)
	}
	return r, err
}
