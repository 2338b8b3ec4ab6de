package sms

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/connector"
)

// The names of what an account is told.
const (
	NameReceipt = "sms.receipt"
	NameReply   = "sms.reply"
)

var errNothing = errors.New("neither a receipt nor a reply")

// told is one thing that a platform told, in one form for both.
type told struct {
	raw    []byte
	reply  bool
	number string // in the one form
	at     time.Time
	key    string // of a reply: what the platform tells them apart by
	text   string
	sign   string
	id     string // of a receipt: the message's
	ok     bool
	code   string // the carrier's
}

// clockForm is how the platforms write times, in China's.
const clockForm = "2006-01-02 15:04:05"

// timeOf reads a platform's time; zero when there is none.
func timeOf(s string) time.Time {
	t, err := time.ParseInLocation(clockForm, s, china)
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		return time.Time{}
	}
	return t.UTC()
}

// Receive implements connector.Receiver. What proves a call is the token at the end
// of the address: the platforms sign nothing.
func (c *Client) Receive(_ context.Context, r connector.Request) (connector.Answer, []connector.Incoming, error) {
	if r.Method != http.MethodPost || subtle.ConstantTimeCompare([]byte(r.Query.Get("token")), []byte(c.token)) != 1 || c.token == "" {
		return connector.Answer{}, nil, connector.ErrSignature
	}
	list, err := c.p.read(r.Body)
	if err == nil && len(list) == 0 {
		err = errNothing
	}
	if err != nil {
		return connector.Answer{}, nil, connector.ErrMalformed.Wrap(err)
	}
	return connector.Answer{Type: "application/json", Body: c.p.thanks()}, c.incoming(list), nil
}

func (c *Client) incoming(list []told) []connector.Incoming {
	out := make([]connector.Incoming, len(list))
	now := c.env.Clock.Now()
	for i, t := range list {
		in := connector.Incoming{Subject: t.number, At: t.at, Body: t.raw, Name: NameReceipt}
		if in.At.IsZero() || in.At.After(now.Add(time.Hour)) {
			in.At = now
		}
		if t.reply {
			in.Name, in.Key = NameReply, "u:"+mark(t.number, t.key, t.text)
		} else {
			in.Receipt = t.receipt(in.At)
			in.Key = "r:" + mark(t.id, t.number, in.Receipt.State)
		}
		out[i] = in
	}
	return out
}

func (t told) receipt(at time.Time) *connector.Receipt {
	r := &connector.Receipt{ID: t.id, State: connector.Delivered, Code: clip(t.code, 60), At: at}
	if !t.ok {
		r.State, r.Reason = connector.Bounced, failureOf(t.code).reason
	}
	return r
}

func mark(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
