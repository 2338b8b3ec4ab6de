package sms

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

// cache keeps the list of templates for a while: a page that shows it asks often.
type cache struct {
	mu    sync.Mutex
	at    time.Time
	items []connector.Template
}

// Templates implements connector.Tester.
func (c *Client) Templates(ctx context.Context) ([]connector.Template, error) {
	c.list.mu.Lock()
	defer c.list.mu.Unlock()
	now := c.env.Clock.Now()
	if c.list.items != nil && now.Sub(c.list.at) < templatesFor {
		return c.list.items, nil
	}
	var got []connector.Template
	err := c.reading(ctx, func() (err error) { got, err = c.p.templates(ctx); return err })
	if err != nil {
		return nil, err
	}
	if got == nil {
		got = []connector.Template{}
	}
	c.list.at, c.list.items = now, got
	return got, nil
}

// Test implements connector.Tester: what a message would say and cost. What is
// wrong with it is told by field.
func (c *Client) Test(ctx context.Context, m connector.Message) (connector.Preview, error) {
	number, err := Number(m.To)
	if err != nil {
		return connector.Preview{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("to", "sms.bad_number"))
	}
	if m.Template == "" {
		return connector.Preview{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("template", "request.field_required"))
	}
	list, err := c.Templates(ctx)
	if err != nil {
		return connector.Preview{}, err
	}
	i := slices.IndexFunc(list, func(t connector.Template) bool { return t.ID == m.Template })
	if i < 0 {
		return connector.Preview{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("template", "sms.no_template"))
	}
	text, missing := Fill(list[i].Text, m.Params)
	if len(missing) > 0 {
		return connector.Preview{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("params", "sms.missing_params", "names", strings.Join(missing, ", ")))
	}
	text = "【" + c.signName + "】" + text
	return connector.Preview{Text: text, Segments: Segments(text, number)}, nil
}

// Check implements connector.Conn: the key first; when the platform does not take
// it, the rest would only say the same again.
func (c *Client) Check(ctx context.Context) []connector.Finding {
	c.list.mu.Lock()
	c.list.items = nil
	c.list.mu.Unlock()
	templates, err := c.Templates(ctx)
	if err != nil {
		return []connector.Finding{c.bad("sms.check.key", err), c.checkCallback()}
	}
	return []connector.Finding{
		{Check: "sms.check.key", State: connector.OK, Code: "sms.found.key"},
		c.checkSign(ctx), c.checkTemplates(templates), c.checkCallback(),
	}
}

// mends is how a person mends what a call says, by the code of its words.
var mends = map[string]string{
	"sms.bad_key": "sms.mend.key", "sms.bad_secret": "sms.mend.key", "sms.no_right": "sms.mend.right", "sms.not_open": "sms.mend.open", "sms.no_money": "sms.mend.money",
	"sms.bad_clock": "sms.mend.clock", "sms.ip_not_listed": "sms.mend.ip", "sms.bad_app": "sms.mend.app", "sms.account_closed": "sms.mend.open",
}

func (c *Client) bad(check string, err error) connector.Finding {
	e := errs.As(err)
	f := connector.Finding{Check: check, State: connector.Unknown, Code: e.Code, Mend: "sms.mend.again", Params: e.Params}
	if connector.GivenUp(err) {
		f.State, f.Link = connector.Fail, c.p.console()
		if f.Mend = mends[e.Code]; f.Mend == "" {
			f.Mend = "sms.mend.console"
		}
	}
	return f
}

func (c *Client) checkSign(ctx context.Context) connector.Finding {
	var state, why string
	err := c.reading(ctx, func() (err error) { state, why, err = c.p.sign(ctx); return err })
	f := connector.Finding{Check: "sms.check.sign", State: connector.OK, Code: "sms.found.sign", Params: map[string]any{"sign": c.signName}}
	switch {
	case err != nil:
		return c.bad("sms.check.sign", err)
	case state == "":
		f.State, f.Code, f.Mend = connector.Unknown, "sms.found.sign_unknown", "sms.mend.sign_id"
	case state == connector.TemplateNone:
		f.State, f.Code, f.Mend, f.Link = connector.Fail, "sms.found.sign_none", "sms.mend.sign", c.p.console()
	case state == connector.TemplatePending:
		f.State, f.Code, f.Mend, f.Link = connector.Warn, "sms.found.sign_pending", "sms.mend.wait", c.p.console()
	case state == connector.TemplateRefused:
		f.State, f.Code, f.Mend, f.Link = connector.Fail, "sms.found.sign_refused", "sms.mend.sign", c.p.console()
		f.Params["why"] = why
	}
	return f
}

func (c *Client) checkTemplates(list []connector.Template) connector.Finding {
	good, bad := 0, []string{}
	for _, t := range list {
		switch t.State {
		case connector.TemplateOK:
			good++
		case connector.TemplateRefused:
			bad = append(bad, t.ID)
		}
	}
	f := connector.Finding{Check: "sms.check.templates", State: connector.OK, Code: "sms.found.templates", Params: map[string]any{"good": good, "count": len(list)}}
	switch {
	case good == 0:
		f.State, f.Code, f.Mend, f.Link = connector.Fail, "sms.found.no_templates", "sms.mend.template", c.p.console()
	case len(bad) > 0:
		f.State, f.Code, f.Mend, f.Link = connector.Warn, "sms.found.templates_refused", "sms.mend.template", c.p.console()
		f.Params["names"] = clip(strings.Join(bad, ", "), 200)
	}
	return f
}

func (c *Client) checkCallback() connector.Finding {
	f := connector.Finding{Check: "sms.check.callback", State: connector.OK, Code: "sms.found.callback", Params: map[string]any{"address": c.env.Callback}}
	switch {
	case c.env.Simulated:
	case c.env.Callback == "":
		f.State, f.Code, f.Mend, f.Params = connector.Warn, "sms.found.no_address", "sms.mend.address", nil
	case !strings.HasPrefix(c.env.Callback, "https://"):
		f.State, f.Code, f.Mend = connector.Warn, "sms.found.http", "sms.mend.http"
	}
	return f
}
