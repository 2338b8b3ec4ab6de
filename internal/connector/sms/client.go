package sms

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

var (
	errUnreachable = errs.New(errs.Unavailable, "sms.unreachable")
	errLost        = errs.New(errs.Unavailable, "sms.answer_lost")
)

const (
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 2 << 20
	// tries of a call that only reads; a message is never sent twice by itself.
	tries     = 3
	firstWait = 100 * time.Millisecond
	// templatesFor is how long the list of templates is believed.
	templatesFor = 2 * time.Minute
)

// letter is a message on its way: its number in the one form, and its signature.
type letter struct {
	connector.Message
	number, sign string
}

// outcome is what became of one letter.
type outcome struct {
	id  string
	err error
}

// provider is what the platforms differ in.
type provider interface {
	// group tells letters apart that cannot go in one call; most is how many can.
	group(l letter) string
	most() int
	// send sends letters of one group: as many outcomes, in the same order, or an
	// error of the whole call.
	send(ctx context.Context, list []letter) ([]outcome, error)
	// read takes a callback apart, and thanks is the answer that the platform wants.
	read(body []byte) ([]told, error)
	thanks() []byte
	// templates lists all, sign tells what the platform thinks of the signature.
	templates(ctx context.Context) ([]connector.Template, error)
	sign(ctx context.Context) (state, why string, err error)
	codes() map[string]rule
	console() string
}

// Client speaks with one account's platform.
type Client struct {
	env      connector.Env
	base     string
	kind     string
	key      string
	secret   string
	signName string
	token    string
	stops    []string
	p        provider
	pause    func(ctx context.Context, d time.Duration) error
	list     cache
}

func open(a connector.Account, s connector.Secrets, e connector.Env, base string) *Client {
	return &Client{env: e, base: a.Base(base), kind: a.Kind, key: a.Setting(settingKeyID), secret: s[secretKey], signName: a.Setting(settingSign), token: s[secretToken],
		stops: stopWords(a), pause: sleep}
}

// stopWords are an account's own words for no more of it; nil: the usual ones.
func stopWords(a connector.Account) []string {
	return strings.FieldsFunc(a.Setting(settingStop), func(r rune) bool { return strings.ContainsRune(",，、;； \t", r) })
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Send implements connector.Sender.
func (c *Client) Send(ctx context.Context, m connector.Message) (connector.Receipt, error) {
	got := c.SendBatch(ctx, []connector.Message{m})[0]
	return got.Receipt, got.Err
}

// SendBatch implements connector.Batcher: what may go in one call goes in one. What
// is refused before a call costs nothing: bad numbers, missing templates, quotas.
func (c *Client) SendBatch(ctx context.Context, list []connector.Message) []connector.Sent {
	out := make([]connector.Sent, len(list))
	groups, order := map[string][]int{}, []string{}
	letters := make([]letter, len(list))
	for i, m := range list {
		l, err := c.letter(ctx, m)
		if err != nil {
			out[i].Err = err
			continue
		}
		letters[i] = l
		g := c.p.group(l)
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], i)
	}
	for _, g := range order {
		for at := groups[g]; len(at) > 0; {
			n := min(len(at), c.p.most())
			c.sendSome(ctx, letters, at[:n], out)
			at = at[n:]
		}
	}
	return out
}

func (c *Client) sendSome(ctx context.Context, letters []letter, at []int, out []connector.Sent) {
	some := make([]letter, len(at))
	for i, n := range at {
		some[i] = letters[n]
	}
	got, err := c.p.send(ctx, some)
	for i, n := range at {
		one := err
		if err == nil {
			one = got[i].err
		}
		if one != nil {
			out[n].Err = c.react(ctx, one, letters[n])
			var e *Error
			if errors.As(one, &e) {
				out[n].Receipt.Code = e.Code
			}
			continue
		}
		out[n].Receipt = connector.Receipt{ID: got[i].id, State: connector.Accepted, At: c.env.Clock.Now()}
	}
}

// letter checks a message and takes its part of the quotas.
func (c *Client) letter(ctx context.Context, m connector.Message) (letter, error) {
	number, err := Number(m.To)
	if err != nil {
		return letter{}, connector.GiveUp(err)
	}
	l := letter{Message: m, number: number, sign: m.From}
	if l.sign == "" {
		l.sign = c.signName
	}
	if m.Template == "" {
		return letter{}, connector.GiveUp(errs.New(errs.Invalid, "sms.no_template"))
	}
	return l, c.env.Quota(ctx, quotaOf(m), number, 1)
}

// FormCode is the form of a message that carries a code somebody asked for.
const FormCode = "code"

func quotaOf(m connector.Message) string {
	if m.Form == FormCode {
		return "message.code"
	}
	return "message"
}

// react tells the program what to do about an error.
func (c *Client) react(ctx context.Context, err error, l letter) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	now := c.env.Clock.Now()
	if until, ok := e.act.until(now); ok && l.number != "" && e.words.Code == "sms.too_often" {
		if err := c.env.Spent(ctx, quotaOf(l.Message), l.number, until); err != nil {
			c.env.Log.WarnContext(ctx, "a spent quota cannot be noted", "error", err)
		}
	}
	if e.act == stop {
		c.env.Refused(ctx, e)
	}
	return e.react(now)
}

// reading runs a call that changes nothing, again when the platform has a fault.
func (c *Client) reading(ctx context.Context, call func() error) error {
	for try, wait := 1, firstWait; ; try, wait = try+1, wait*3 {
		err := call()
		var e *Error
		refusal := errors.As(err, &e)
		again := err != nil && (!refusal || e.act == retry || e.act == doubtful) && ctx.Err() == nil
		if !again || try >= tries || c.pause(ctx, wait) != nil {
			if refusal {
				return c.react(ctx, err, letter{})
			}
			return err
		}
	}
}

// do makes one HTTP call. sends tells that the call may have done something
// although its answer got lost.
func (c *Client) do(r *http.Request, api string, sends bool) (status int, raw []byte, err error) {
	res, err := c.env.HTTP.Do(r)
	if err != nil {
		return 0, nil, lost(api, err, sends)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, lost(api, err, sends)
	}
	if len(raw) > maxAnswer {
		return 0, nil, lost(api, errors.New("the answer is too long"), sends)
	}
	return res.StatusCode, raw, nil
}

// lost tells a message that may have left from a call that did nothing. Errors of
// net/http quote the address: it is taken out.
func lost(api string, err error, sends bool) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	err = fmt.Errorf("call %s: %w", api, err)
	var op *net.OpError
	if !sends || errors.As(err, &op) && op.Op == "dial" {
		return connector.Unsent(errUnreachable.Wrap(err))
	}
	return errLost.Wrap(err)
}
