package wecom

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

// admin is where a person mends most of what Check finds.
const admin = "https://work.weixin.qq.com/wework_admin/frame#/apps"

// try is one harmless call that shows whether the app may do something. What the
// product cannot do without fails; the rest is a warning.
type try struct {
	check, mend string
	needed      bool
	call        func(ctx context.Context, c *Client) error
}

var permissionTries = []try{
	{"wecom.check.directory", "wecom.mend.directory", true, func(ctx context.Context, c *Client) error { _, err := c.Departments(ctx); return err }},
	{"wecom.check.customers", "wecom.mend.callable", true, func(ctx context.Context, c *Client) error { _, err := c.Followers(ctx); return err }},
	{"wecom.check.tags", "wecom.mend.callable", true, func(ctx context.Context, c *Client) error { _, err := c.TagGroups(ctx, nil, nil); return err }},
	{"wecom.check.ways", "wecom.mend.callable", true, func(ctx context.Context, c *Client) error {
		now := c.env.Clock.Now()
		_, _, err := c.Ways(ctx, now.Add(-24*time.Hour).Unix(), now.Unix(), "")
		return err
	}},
	{"wecom.check.groups", "wecom.mend.callable", false, func(ctx context.Context, c *Client) error { _, _, err := c.Groups(ctx, nil, 0, "", 1); return err }},
	{"wecom.check.mass", "wecom.mend.callable", false, func(ctx context.Context, c *Client) error {
		now := c.env.Clock.Now()
		_, _, err := c.Masses(ctx, ToCustomers, now.Add(-24*time.Hour), now, "", 1)
		return err
	}},
	{"wecom.check.service", "wecom.mend.service", false, func(ctx context.Context, c *Client) error { _, err := c.Services(ctx); return err }},
}

// Check implements connector.Conn: first whether the platform takes our calls at
// all; when it does not, the rest would only say the same again.
func (c *Client) Check(ctx context.Context) []connector.Finding {
	if _, err := c.env.Token(ctx, "access", c.fetchToken); err != nil {
		return append([]connector.Finding{bad("wecom.check.secret", "wecom.mend.secret", connector.Fail, err)}, c.checkCallback())
	}
	out := []connector.Finding{}
	app, err := c.App(ctx)
	switch {
	case c.blocked(err):
		return append(out, bad("wecom.check.secret", "wecom.mend.secret", connector.Fail, err), c.checkCallback())
	case err != nil:
		// a secret that gives tokens but cannot see the app is another thing's secret
		out = append(out, bad("wecom.check.secret", "wecom.mend.secret_kind", connector.Fail, err))
	case app.Closed:
		out = append(out, connector.Finding{Check: "wecom.check.secret", State: connector.Fail, Code: "wecom.found.app_closed", Mend: "wecom.mend.app_closed", Params: map[string]any{"name": app.Name}, Link: admin})
	default:
		out = append(out, connector.Finding{Check: "wecom.check.secret", State: connector.OK, Code: "wecom.found.app", Params: map[string]any{"name": app.Name}})
	}
	out = append(out, c.checkCallback())
	if err == nil {
		out = append(out, checkDomain(app))
	}
	for _, t := range permissionTries {
		out = append(out, c.tryOne(ctx, t))
	}
	return out
}

// blocked tells whether an error is about the caller and not about the call.
func (c *Client) blocked(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Code == 60020 || e.Code == 40001 || e.Code == 40013)
}

func (c *Client) tryOne(ctx context.Context, t try) connector.Finding {
	err := t.call(ctx, c)
	switch {
	case err == nil:
		return connector.Finding{Check: t.check, State: connector.OK, Code: "wecom.found.allowed"}
	case CodeOf(err) == 0: // no refusal: the way there, or a quota
		return bad(t.check, "wecom.mend.again", connector.Unknown, err)
	case t.needed:
		return bad(t.check, t.mend, connector.Fail, err)
	default:
		return bad(t.check, t.mend, connector.Warn, err)
	}
}

// bad is a finding of an error in the words of its code. An address that is not
// listed is mended in one place, whatever was tried.
func bad(check, mend, state string, err error) connector.Finding {
	e := errs.As(err)
	f := connector.Finding{Check: check, State: state, Code: e.Code, Mend: mend, Params: e.Params, Link: admin}
	switch {
	case CodeOf(err) == 60020:
		f.Mend = "wecom.mend.ip"
	case CodeOf(err) == 0:
		f.Mend, f.Link = "wecom.mend.again", ""
		if state == connector.Fail {
			f.State = connector.Unknown
		}
	}
	return f
}

func (c *Client) checkCallback() connector.Finding {
	f := connector.Finding{Check: "wecom.check.callback", State: connector.OK, Code: "wecom.found.callback", Params: map[string]any{"address": c.env.Callback}}
	switch {
	case c.cipher == nil:
		f.State, f.Code, f.Mend = connector.Fail, "wecom.found.no_callback_key", "wecom.mend.callback_key"
	case c.env.Callback == "":
		f.State, f.Code, f.Mend, f.Params = connector.Fail, "wecom.found.no_address", "wecom.mend.address", nil
	case !strings.HasPrefix(c.env.Callback, "https://") && !c.env.Simulated: // a real platform's calls cross the internet
		f.State, f.Code, f.Mend = connector.Warn, "wecom.found.http", "wecom.mend.http"
	}
	return f
}

func checkDomain(app App) connector.Finding {
	if app.Domain == "" {
		return connector.Finding{Check: "wecom.check.domain", State: connector.Warn, Code: "wecom.found.no_domain", Mend: "wecom.mend.domain", Link: admin}
	}
	return connector.Finding{Check: "wecom.check.domain", State: connector.OK, Code: "wecom.found.domain", Params: map[string]any{"domain": app.Domain}}
}
