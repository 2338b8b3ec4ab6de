package wechat

import (
	"context"
	"errors"
	"strings"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

// admin is where a person mends most of what Check finds.
const admin = "https://mp.weixin.qq.com/"

// try is one harmless call that shows whether the app may do something. What the
// product cannot do without fails; the rest is a warning.
type try struct {
	check, mend string
	needed      bool
	call        func(ctx context.Context) error
}

// Check implements connector.Conn: first whether the platform takes our calls at
// all; when it does not, the rest would only say the same again.
func (o *Official) Check(ctx context.Context) []connector.Finding {
	return o.check(ctx, o.checkCallback(true),
		try{"wechat.check.followers", "wechat.mend.verify", true, func(ctx context.Context) error { _, _, _, err := o.Followers(ctx, ""); return err }},
		try{"wechat.check.menu", "wechat.mend.verify", true, func(ctx context.Context) error { _, _, err := o.GetMenu(ctx); return err }},
		try{"wechat.check.templates", "wechat.mend.templates", false, func(ctx context.Context) error { _, err := o.Templates(ctx); return err }},
	)
}

// Check implements connector.Conn.
func (p *Mini) Check(ctx context.Context) []connector.Finding {
	return p.check(ctx, p.checkCallback(false),
		try{"wechat.check.subscribe", "wechat.mend.subscribe", false, func(ctx context.Context) error { _, err := p.SubscribeTemplates(ctx); return err }},
	)
}

func (c *client) check(ctx context.Context, callback connector.Finding, tries ...try) []connector.Finding {
	const secret, mend = "wechat.check.secret", "wechat.mend.secret"
	if _, err := c.env.Token(ctx, "access", c.fetcher("")); err != nil {
		return []connector.Finding{bad(secret, mend, connector.Fail, err), callback}
	}
	// A token that is kept may be older than the change which made it worthless.
	if err := c.do(ctx, request{api: "cgi-bin/get_api_domain_ip", reads: true}, nil); err != nil && CodeOf(err) != 48001 {
		return []connector.Finding{bad(secret, mend, connector.Fail, err), callback}
	}
	out := []connector.Finding{{Check: secret, State: connector.OK, Code: "wechat.found.token", Params: map[string]any{"app": c.app}}, callback}
	for _, t := range tries {
		out = append(out, tryOne(ctx, t))
	}
	return out
}

func tryOne(ctx context.Context, t try) connector.Finding {
	err := t.call(ctx)
	switch {
	case err == nil:
		return connector.Finding{Check: t.check, State: connector.OK, Code: "wechat.found.allowed"}
	case t.needed:
		return bad(t.check, t.mend, connector.Fail, err)
	default:
		return bad(t.check, t.mend, connector.Warn, err)
	}
}

// bad is a finding of an error in the words of its code. What is no refusal, the way
// there or a quota, is mended by time; an address that is not listed in one place.
func bad(check, mend, state string, err error) connector.Finding {
	e := errs.As(err)
	f := connector.Finding{Check: check, State: state, Code: e.Code, Mend: mend, Params: e.Params, Link: admin}
	var later *connector.Later
	switch n := CodeOf(err); {
	case n == 40164:
		f.Mend = "wechat.mend.ip"
	case n == 0 || errors.As(err, &later):
		f.State, f.Mend, f.Link = connector.Unknown, "wechat.mend.again", ""
	}
	return f
}

// checkCallback looks at what callbacks need. An official account is deaf without
// them; a mini-program works, and says less.
func (c *client) checkCallback(needed bool) connector.Finding {
	f := connector.Finding{Check: "wechat.check.callback", State: connector.OK, Code: "wechat.found.callback", Params: map[string]any{"address": c.env.Callback}}
	worst := connector.Fail
	if !needed {
		worst = connector.Warn
	}
	switch {
	case c.token == "" || c.cipher == nil && !c.plain:
		f.State, f.Code, f.Mend = worst, "wechat.found.no_callback_key", "wechat.mend.callback_key"
	case c.env.Callback == "":
		f.State, f.Code, f.Mend, f.Params = worst, "wechat.found.no_address", "wechat.mend.address", nil
	case !strings.HasPrefix(c.env.Callback, "https://") && !c.env.Simulated: // a real platform's calls cross the internet
		f.State, f.Code, f.Mend = connector.Warn, "wechat.found.http", "wechat.mend.http"
	case c.plain:
		f.State, f.Code, f.Mend = connector.Warn, "wechat.found.plain", "wechat.mend.plain"
	}
	return f
}
