package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wxcall"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// platform is WeChat's own address.
const platform = "https://api.weixin.qq.com"

const (
	maxAnswer = 16 << 20
	tries     = 4 // one, and three more at most, as the platform asks
	firstWait = 250 * time.Millisecond
)

// china is where the platform's days end.
var china = time.FixedZone("UTC+8", 8*3600)

// client speaks with the platform for one app.
type client struct {
	account connector.Account
	env     connector.Env
	base    string
	app     string
	secret  string
	token   string
	plain   bool // called back without encryption
	cipher  *wxcrypto.Cipher
	pause   func(ctx context.Context, d time.Duration) error
}

func open(a connector.Account, s connector.Secrets, e connector.Env) (*client, error) {
	c := &client{account: a, env: e, base: a.Base(platform), app: a.Setting(settingApp), secret: s[secretApp], token: s[secretToken], plain: a.Setting(settingMode) == modePlain, pause: wxcall.Pause}
	if s[secretAESKey] != "" {
		cipher, err := wxcrypto.New(c.token, s[secretAESKey], c.app, nil)
		if err != nil {
			return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("secrets."+secretAESKey, "wechat.bad_aes_key")).Wrap(err)
		}
		c.cipher = cipher
	}
	return c, nil
}

// AppID is the app's own id at the platform.
func (c *client) AppID() string { return c.app }

// request is one call. Reads may be asked again after a lost answer.
type request struct {
	api   string // "cgi-bin/menu/create"
	query url.Values
	body  any // nil: a GET
	file  *wxcall.File
	reads bool
	open  bool   // without the app's token: signing people in
	quota string // what the platform counts it by, "" when it does not
	about string // whose quota, "": the account's
	// minutely: what the platform calls the day's limit (45009) is here the minute's.
	minutely bool
}

// do makes a call with quota, token, and what the table says of refusals.
func (c *client) do(ctx context.Context, r request, out any) error {
	token := ""
	if !r.open {
		var err error
		if token, err = c.env.Token(ctx, "access", c.fetcher("")); err != nil {
			return connector.Unsent(err)
		}
	}
	renewed := false
	for try := 1; ; try++ {
		if r.quota != "" && try == 1 {
			if err := c.env.Quota(ctx, r.quota, r.about, 1); err != nil {
				return err
			}
		}
		err := c.once(ctx, r, token, out)
		if err == nil {
			return nil
		}
		again, err := c.react(ctx, r, err, try)
		if err != nil {
			return err
		}
		if again != refresh {
			continue
		}
		if renewed || r.open { // a fresh token is refused as well: that is no matter of age
			return c.giveUp(ctx, refused(r.api, 40014, "a fresh token is refused"))
		}
		renewed = true
		if token, err = c.env.Refresh(ctx, "access", token, c.fetcher(token)); err != nil {
			return connector.Unsent(err)
		}
	}
}

// react decides what follows from an error: to go on (retry or refresh), or the
// error to give back.
func (c *client) react(ctx context.Context, r request, err error, try int) (act, error) {
	var e *Error
	if !errors.As(err, &e) {
		if !r.reads || try >= tries || ctx.Err() != nil {
			return 0, err
		}
		return retry, c.backOff(ctx, try, err)
	}
	switch e.act {
	case refresh:
		return refresh, nil
	case retry:
		if try < tries {
			return retry, c.backOff(ctx, try, err)
		}
		return 0, connector.Unsent(err)
	case wait, tomorrow:
		now := c.env.Clock.Now()
		until := now.Truncate(time.Minute).Add(time.Minute)
		if e.act == tomorrow {
			y, m, d := now.In(china).Date()
			until = time.Date(y, m, d+1, 0, 0, 0, 0, china).UTC()
		}
		if r.quota != "" {
			if err := c.env.Spent(ctx, r.quota, r.about, until); err != nil {
				return 0, err
			}
		}
		return 0, connector.Wait(until, e)
	default:
		return 0, c.giveUp(ctx, e)
	}
}

// backOff waits before the next try: 250 ms, 750 ms, 2.25 s. When there is no
// time for it, the error is given back instead.
func (c *client) backOff(ctx context.Context, try int, err error) error {
	d := firstWait
	for range try - 1 {
		d *= 3
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return err
	}
	if c.pause(ctx, d) != nil {
		return err
	}
	return nil
}

func (c *client) giveUp(ctx context.Context, e *Error) error {
	if e.act == stop || e.act == refresh {
		c.env.Refused(ctx, e)
	}
	return connector.GiveUp(e)
}

// fetcher gets a token. The platform gives the living one to all who ask; only when
// that is the very one that was refused is another one forced, for which it has few
// a day.
func (c *client) fetcher(stale string) connector.Fetch {
	return func(ctx context.Context) (string, time.Duration, error) {
		if err := c.env.Quota(ctx, "token", "", 1); err != nil {
			return "", 0, err
		}
		token, life, err := c.fetch(ctx, false)
		if err != nil || token != stale || stale == "" {
			return token, life, err
		}
		if err := c.env.Quota(ctx, "token.force", "", 1); err != nil {
			return "", 0, err
		}
		return c.fetch(ctx, true)
	}
}

// fetch asks for a token. Refused credentials are final until a person mends them.
func (c *client) fetch(ctx context.Context, force bool) (string, time.Duration, error) {
	var out struct {
		Token string `json:"access_token"`
		Life  int64  `json:"expires_in"`
	}
	r := request{api: "cgi-bin/stable_token", body: map[string]any{"grant_type": "client_credential", "appid": c.app, "secret": c.secret, "force_refresh": force}, reads: true}
	for try := 1; ; try++ {
		err := c.once(ctx, r, "", &out)
		if err == nil && out.Token != "" {
			return out.Token, time.Duration(out.Life) * time.Second, nil
		}
		if err == nil {
			err = errUnreachable.Wrap(errors.New("no token in the answer"))
		}
		var e *Error
		if errors.As(err, &e) && e.act == refresh { // for a token there is no other token
			e = refused(r.api, 40125, e.Msg)
			err = e
		}
		if _, err = c.react(ctx, r, err, try); err != nil {
			return "", 0, err
		}
	}
}

// once makes one HTTP call and reads the answer.
func (c *client) once(ctx context.Context, r request, token string, out any) error {
	req, err := wxcall.Call{Base: c.base, Path: r.api, Query: r.query, Body: r.body, File: r.file, Token: token}.Request(ctx)
	if err != nil {
		return err
	}
	res, err := c.env.HTTP.Do(req)
	if err != nil {
		return c.lost(r, err)
	}
	defer func() { _ = res.Body.Close() }() // read below
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return c.lost(r, err)
	}
	if res.StatusCode >= 400 && res.StatusCode < 500 { // the call was not even taken
		return errUnreachable.Wrap(fmt.Errorf("call %s: status %d", r.api, res.StatusCode))
	}
	if res.StatusCode != http.StatusOK || len(raw) > maxAnswer {
		return c.lost(r, fmt.Errorf("status %d, %d bytes", res.StatusCode, len(raw)))
	}
	if p, ok := out.(*Picture); ok && p.take(raw) { // a refusal is JSON all the same
		return nil
	}
	var head struct {
		Code int    `json:"errcode"`
		Msg  string `json:"errmsg"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return c.lost(r, errors.New("the answer is not JSON"))
	}
	if out != nil { // a refusal may say more than its number, such as the id of the message that was sent before
		if err := json.Unmarshal(raw, out); err != nil && head.Code == 0 {
			return c.lost(r, fmt.Errorf("decode the answer: %w", err))
		}
	}
	if head.Code == 0 {
		if _, ok := out.(*Picture); ok {
			return c.lost(r, errors.New("the answer is no picture"))
		}
		return nil
	}
	e := refused(r.api, head.Code, head.Msg)
	if r.minutely && e.act == tomorrow {
		return e.thisMinute()
	}
	return e
}

// lost tells a change that may have been done from a call that did nothing: one
// that only reads, or that was never connected. Errors of net/http quote the
// address, and that holds the secret or the token: it is taken out.
func (c *client) lost(r request, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	err = fmt.Errorf("call %s: %w", r.api, err)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return connector.Unsent(errUnreachable.Wrap(err))
	}
	if r.reads {
		return errUnreachable.Wrap(err)
	}
	return errLost.Wrap(err)
}
