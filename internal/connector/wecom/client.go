package wecom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wxcall"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// platform is WeCom's own address.
const platform = "https://qyapi.weixin.qq.com"

const (
	maxAnswer = 16 << 20 // the longest lists of departments stay far below
	tries     = 4        // one, and three more at most, as the platform asks
	firstWait = 250 * time.Millisecond
)

// Client speaks with the platform for one account. It is the Conn of the kind
// "wecom", and safe for many goroutines.
type Client struct {
	account connector.Account
	env     connector.Env
	base    string
	corp    string
	agent   int64
	secret  string
	cipher  *wxcrypto.Cipher
	pause   func(ctx context.Context, d time.Duration) error
}

// Open makes the client of an account (see connector.Kind).
func Open(a connector.Account, s connector.Secrets, e connector.Env) (connector.Conn, error) {
	return open(a, s, e)
}

func open(a connector.Account, s connector.Secrets, e connector.Env) (*Client, error) {
	c := &Client{account: a, env: e, base: a.Base(platform), corp: a.Setting(settingCorp), secret: s[secretApp], pause: wxcall.Pause}
	if n, err := strconv.ParseInt(a.Setting(settingAgent), 10, 64); err == nil {
		c.agent = n
	}
	if s[secretToken] != "" || s[secretAESKey] != "" {
		cipher, err := wxcrypto.New(s[secretToken], s[secretAESKey], c.corp, nil)
		if err != nil {
			return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("secrets."+secretAESKey, "wecom.bad_aes_key")).Wrap(err)
		}
		c.cipher = cipher
	}
	return c, nil
}

// request is one call. Reads may be asked again after a lost answer.
type request struct {
	api   string // "externalcontact/get"
	query url.Values
	body  any // nil: a GET
	file  *wxcall.File
	reads bool
}

func (c *Client) get(ctx context.Context, api string, query url.Values, out any) error {
	return c.do(ctx, request{api: api, query: query, reads: true}, out)
}

// read posts a question, post a change.
func (c *Client) read(ctx context.Context, api string, in, out any) error {
	return c.do(ctx, request{api: api, body: in, reads: true}, out)
}

func (c *Client) post(ctx context.Context, api string, in, out any) error {
	return c.do(ctx, request{api: api, body: in}, out)
}

// do makes a call with quota, token, and what the table says of refusals.
func (c *Client) do(ctx context.Context, r request, out any) error {
	token, err := c.env.Token(ctx, "access", c.fetchToken)
	if err != nil {
		return err
	}
	renewed := false
	for try := 1; ; try++ {
		if err := c.quota(ctx, r.api); err != nil {
			return err
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
		if renewed { // a fresh token is refused as well: that is no matter of age
			return c.giveUp(ctx, refused(r.api, 40014, "a fresh token is refused"))
		}
		renewed = true
		if token, err = c.env.Refresh(ctx, "access", token, c.fetchToken); err != nil {
			return err
		}
	}
}

// react decides what follows from an error: to go on (retry or refresh), or the
// error to give back.
func (c *Client) react(ctx context.Context, r request, err error, try int) (act, error) {
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
		return 0, err
	case wait:
		if e.Code == 45033 && try < tries { // too many at the same moment passes by itself
			return retry, c.backOff(ctx, try, err)
		}
		until := c.env.Clock.Now().Truncate(time.Minute).Add(time.Minute)
		if e.Code == 45009 {
			if err := c.env.Spent(ctx, "api", r.api, until); err != nil {
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
func (c *Client) backOff(ctx context.Context, try int, err error) error {
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

func (c *Client) giveUp(ctx context.Context, e *Error) error {
	if e.act == stop || e.act == refresh {
		c.env.Refused(ctx, e)
	}
	return connector.GiveUp(e)
}

// quota takes one call of what the platform counts by: each API, and the address
// all calls come from.
func (c *Client) quota(ctx context.Context, api string) error {
	if err := c.env.Quota(ctx, "api", api, 1); err != nil {
		return err
	}
	return c.env.Quota(ctx, "ip", "", 1)
}

// fetchToken gets a new token. A refused secret is final until a person mends it.
func (c *Client) fetchToken(ctx context.Context) (string, time.Duration, error) {
	var out struct {
		Token string `json:"access_token"`
		Life  int64  `json:"expires_in"`
	}
	r := request{api: "gettoken", query: url.Values{"corpid": {c.corp}, "corpsecret": {c.secret}}, reads: true}
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
			e.act = stop
		}
		if _, err = c.react(ctx, r, err, try); err != nil {
			return "", 0, err
		}
	}
}

// once makes one HTTP call and reads the answer.
func (c *Client) once(ctx context.Context, r request, token string, out any) error {
	req, err := wxcall.Call{Base: c.base, Path: "cgi-bin/" + r.api, Query: r.query, Body: r.body, File: r.file, Token: token}.Request(ctx)
	if err != nil {
		return err
	}
	res, err := c.env.HTTP.Do(req)
	if err != nil {
		return c.lost(r, err)
	}
	defer func() { _ = res.Body.Close() }()
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
	var head struct {
		Code int    `json:"errcode"`
		Msg  string `json:"errmsg"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return c.lost(r, errors.New("the answer is not JSON"))
	}
	if head.Code != 0 {
		return refused(r.api, head.Code, head.Msg)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return c.lost(r, fmt.Errorf("decode the answer: %w", err))
	}
	return nil
}

// lost tells a change that may have been done from a call that did nothing: one
// that only reads, or that was never connected. Errors of net/http quote the
// address, and that holds the secret or the token: it is taken out.
func (c *Client) lost(r request, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	err = fmt.Errorf("call %s: %w", r.api, err)
	if r.reads || unconnected(err) {
		return errUnreachable.Wrap(err)
	}
	return errLost.Wrap(err)
}

func unconnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
