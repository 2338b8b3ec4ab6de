package contract

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Fake is a platform with tokens, one call, messages and callbacks.
type Fake struct {
	*httptest.Server

	mu      sync.Mutex
	fetched int             // tokens that were asked for
	good    map[string]bool // tokens
	calls   int
	busy    int // so many calls answer that the system is busy
	limited bool
	sent    map[string]int // messages by their text
	wait    time.Duration
}

// NewFake starts a platform that ends with t.
func NewFake(t testing.TB) *Fake {
	f := &Fake{good: map[string]bool{}, sent: map[string]int{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

// The answers of the platform.
const (
	fakeOK, fakeBusy, fakeStale, fakeLimit, fakeSecret, fakeRefused = 0, -1, 42001, 45009, 40001, 84061
)

// FakeSecret is the one that the platform takes.
const FakeSecret = "right-secret"

func (f *Fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	wait := f.wait
	f.mu.Unlock()
	time.Sleep(wait)
	f.mu.Lock()
	defer f.mu.Unlock()
	answer := func(code int, more map[string]any) {
		out := map[string]any{"code": code}
		for k, v := range more {
			out[k] = v
		}
		_ = json.NewEncoder(w).Encode(out) // a caller that went away
	}
	q := r.URL.Query()
	if r.URL.Path == "/token" {
		f.fetched++
		if q.Get("secret") != FakeSecret {
			answer(fakeSecret, nil)
			return
		}
		token := fmt.Sprintf("token-%d", f.fetched)
		f.good[token] = true
		answer(fakeOK, map[string]any{"token": token})
		return
	}
	f.calls++
	switch {
	case f.busy > 0:
		f.busy--
		answer(fakeBusy, nil)
	case f.limited:
		answer(fakeLimit, nil)
	case !f.good[q.Get("token")]:
		answer(fakeStale, nil)
	case r.URL.Path == "/send" && q.Get("to") == "stranger":
		answer(fakeRefused, nil)
	case r.URL.Path == "/send":
		f.sent[q.Get("text")]++
		answer(fakeOK, map[string]any{"id": "m-" + strconv.Itoa(len(f.sent))})
	default:
		answer(fakeOK, nil)
	}
}

// Fetched is how often a token was asked for.
func (f *Fake) Fetched() int { f.mu.Lock(); defer f.mu.Unlock(); return f.fetched }

// Calls is how many calls came beside those for tokens.
func (f *Fake) Calls() int { f.mu.Lock(); defer f.mu.Unlock(); return f.calls }

// Sent is how often a message of a text was taken.
func (f *Fake) Sent(text string) int { f.mu.Lock(); defer f.mu.Unlock(); return f.sent[text] }

// Stale makes all tokens that were given out worthless.
func (f *Fake) Stale() { f.mu.Lock(); defer f.mu.Unlock(); clear(f.good) }

// Busy has the next n calls answered that the system is busy.
func (f *Fake) Busy(n int) { f.mu.Lock(); defer f.mu.Unlock(); f.busy = n }

// Limit has all calls answered that there were too many.
func (f *Fake) Limit() { f.mu.Lock(); defer f.mu.Unlock(); f.limited = true }

// Slow makes every answer take its time.
func (f *Fake) Slow(d time.Duration) { f.mu.Lock(); defer f.mu.Unlock(); f.wait = d }

// FakeKind is the kind of accounts at a Fake.
func FakeKind() connector.Kind {
	return connector.Kind{
		Name: "fake", Label: "connector.kind.fake", Base: "https://fake.example", Callback: true, Capabilities: []string{"receive", "send"},
		Fields: []connector.Field{
			{Name: "corp", Label: "corp", Required: true, Pattern: `[a-z0-9]{2,20}`, Example: "corp1"},
			{Name: "region", Label: "region", Options: []string{"north", "south"}, Default: "north"},
			{Name: "secret", Label: "secret", Secret: true, Required: true},
			{Name: "sign", Label: "sign", Secret: true, Required: true, Make: connector.MakeToken},
		},
		Quotas: []connector.Quota{
			{Name: "api", Most: 10000, Per: "minute", Of: "account"},
			{Name: "api", Most: 150000, Per: "hour", Of: "account"},
			{Name: "message", Most: 2, Per: "48h", Of: "customer"},
			{Name: "daily", Most: 3, Per: "day", Of: "account"},
		},
		Open: func(a connector.Account, s connector.Secrets, e connector.Env) (connector.Conn, error) {
			return &FakeConn{account: a, secrets: s, Env: e}, nil
		},
	}
}

// FakeConn speaks with a Fake.
type FakeConn struct {
	connector.Env
	account connector.Account
	secrets connector.Secrets
}

// fakeWords are made without errs.New: its codes need messages, and nobody reads these.
var fakeWords = map[int]*errs.Error{
	fakeBusy: {Kind: errs.Unavailable, Code: "fake.busy"}, fakeLimit: {Kind: errs.TooMany, Code: "fake.limit"},
	fakeSecret: {Kind: errs.Conflict, Code: "fake.bad_secret"}, fakeRefused: {Kind: errs.Conflict, Code: "fake.stranger"},
}

func fakeError(code int) error {
	if e, ok := fakeWords[code]; ok {
		return e
	}
	return fmt.Errorf("the platform answers %d", code)
}

func (c *FakeConn) ask(ctx context.Context, path string, q url.Values) (code int, out map[string]any, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.account.Base("")+path+"?"+q.Encode(), nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	var a struct {
		Code      int
		Token, ID string
	}
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		return 0, nil, err
	}
	return a.Code, map[string]any{"token": a.Token, "id": a.ID}, nil
}

func (c *FakeConn) fetch(ctx context.Context) (string, time.Duration, error) {
	code, out, err := c.ask(ctx, "/token", url.Values{"secret": {c.secrets["secret"]}})
	switch {
	case err != nil:
		return "", 0, err
	case code == fakeSecret:
		return "", 0, connector.GiveUp(fakeError(code))
	case code != fakeOK:
		return "", 0, fakeError(code)
	}
	return out["token"].(string), 2 * time.Hour, nil
}

// Call makes a call that needs a token.
func (c *FakeConn) Call(ctx context.Context) error {
	_, err := c.call(ctx, "/call", url.Values{})
	return err
}

func (c *FakeConn) call(ctx context.Context, path string, q url.Values) (map[string]any, error) {
	if err := c.Quota(ctx, "api", "", 1); err != nil {
		return nil, err
	}
	token, err := c.Token(ctx, "access", c.fetch)
	if err != nil {
		return nil, connector.Unsent(err)
	}
	for try := 0; ; try++ {
		q.Set("token", token)
		code, out, err := c.ask(ctx, path, q)
		switch {
		case err != nil:
			return nil, err
		case code == fakeOK:
			return out, nil
		case code == fakeStale && try == 0:
			if token, err = c.Refresh(ctx, "access", token, c.fetch); err != nil {
				return nil, connector.Unsent(err)
			}
		case code == fakeBusy && try < 3:
			time.Sleep(time.Duration(1<<try) * 5 * time.Millisecond)
		case code == fakeLimit:
			return nil, connector.Wait(c.Clock.Now().Add(time.Minute), fakeError(code))
		case code == fakeRefused:
			return nil, connector.GiveUp(fakeError(code))
		default:
			return nil, fakeError(code)
		}
	}
}

// Check implements connector.Conn.
func (c *FakeConn) Check(ctx context.Context) []connector.Finding {
	if err := c.Call(ctx); err != nil {
		return []connector.Finding{{Check: "fake.check", State: connector.Fail, Code: errs.CodeOf(err), Mend: "fake.mend"}}
	}
	return []connector.Finding{{Check: "fake.check", State: connector.OK, Code: "fake.works"}}
}

// Send implements connector.Sender.
func (c *FakeConn) Send(ctx context.Context, m connector.Message) (connector.Receipt, error) {
	out, err := c.call(ctx, "/send", url.Values{"to": {m.To}, "text": {m.Text}})
	if err != nil {
		return connector.Receipt{}, err
	}
	return connector.Receipt{ID: out["id"].(string), State: connector.Accepted}, nil
}

// FakeCall is what a Fake posts.
type FakeCall struct {
	Corp, Key, Subject, Name string
	Urgent                   bool
	At                       time.Time
	Receipt                  *connector.Receipt
	Text                     string
}

// Sign makes the request by which a Fake tells something.
func (f FakeCall) Sign(sign string) connector.Request {
	body, err := json.Marshal(f)
	if err != nil {
		panic(err) // plain texts
	}
	return connector.Request{Method: http.MethodPost, Query: url.Values{"sig": {fakeSign(sign, body)}}, Header: http.Header{}, Body: body, IP: "192.0.2.7"}
}

func fakeSign(sign string, body []byte) string {
	m := hmac.New(sha256.New, []byte(sign))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// Receive implements connector.Receiver.
func (c *FakeConn) Receive(_ context.Context, r connector.Request) (connector.Answer, []connector.Incoming, error) {
	if r.Method == http.MethodGet {
		echo := r.Query.Get("echo")
		if r.Query.Get("sig") != fakeSign(c.secrets["sign"], []byte(echo)) {
			return connector.Answer{}, nil, connector.ErrSignature
		}
		return connector.Answer{Body: []byte(echo)}, nil, nil
	}
	if r.Query.Get("sig") != fakeSign(c.secrets["sign"], r.Body) {
		return connector.Answer{}, nil, connector.ErrSignature
	}
	var f FakeCall
	if err := json.NewDecoder(bytes.NewReader(r.Body)).Decode(&f); err != nil {
		return connector.Answer{}, nil, connector.ErrMalformed.Wrap(err)
	}
	if f.Corp != c.account.Setting("corp") {
		return connector.Answer{}, nil, connector.ErrReceiver
	}
	return connector.Answer{}, []connector.Incoming{{Key: f.Key, Subject: f.Subject, Name: f.Name, Urgent: f.Urgent, At: f.At, Body: r.Body, Receipt: f.Receipt}}, nil
}

// Reply implements connector.Replier.
func (c *FakeConn) Reply(_ context.Context, _ connector.Request, _ connector.Incoming, m connector.Message) (connector.Answer, error) {
	return connector.Answer{Type: "application/json", Body: []byte(fmt.Sprintf("{\"say\":%q}", m.Text))}, nil
}

// FakeSign is the signature of a text.
func FakeSign(sign, text string) string { return fakeSign(sign, []byte(text)) }
