package mail

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
)

// given is a report as a provider, or a small program before one, posts it.
type given struct {
	Event     string    `json:"event"`
	Recipient string    `json:"recipient"`
	MessageID string    `json:"messageId"`
	Status    string    `json:"status"`
	Words     string    `json:"words"`
	At        time.Time `json:"at"`
}

var (
	errNoEvent = errors.New("the event is none of bounce, complaint, delivered")
	errTooMany = errors.New("too many in one call")
)

// maxGiven bounds the reports of one call.
const maxGiven = 500

// Receive implements connector.Receiver. A report comes as a mail (message/rfc822),
// or as JSON, one or a list: {"event": "bounce", "recipient": …, "messageId": …,
// "status": "5.1.1"}. What proves the call is the token in its address. A mail is
// from anybody all the same, so it counts only with a mark that fits; of JSON that a
// provider wrote the token is enough.
func (c *Client) Receive(_ context.Context, r connector.Request) (connector.Answer, []connector.Incoming, error) {
	if r.Method != http.MethodPost || c.token == "" || subtle.ConstantTimeCompare([]byte(r.Query.Get("token")), []byte(c.token)) != 1 {
		return connector.Answer{}, nil, connector.ErrSignature
	}
	now := c.env.Clock.Now()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // else it looks like what it is
	body := bytes.TrimSpace(r.Body)
	if kind != "message/rfc822" && len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		in, err := c.givenReports(body, now)
		if err != nil {
			return connector.Answer{}, nil, connector.ErrMalformed.Wrap(err)
		}
		return connector.Answer{}, in, nil
	}
	one, err := c.marks.parseReport(r.Body, now)
	if err != nil {
		return connector.Answer{}, nil, connector.ErrMalformed.Wrap(err)
	}
	return connector.Answer{}, []connector.Incoming{one.incoming()}, nil
}

func (c *Client) givenReports(body []byte, now time.Time) ([]connector.Incoming, error) {
	var list []given
	if body[0] == '{' {
		list = make([]given, 1)
		if err := json.Unmarshal(body, &list[0]); err != nil {
			return nil, err
		}
	} else if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 || len(list) > maxGiven {
		return nil, errTooMany
	}
	out := make([]connector.Incoming, len(list))
	for i, g := range list {
		if g.Event != kindBounce && g.Event != kindComplaint && g.Event != kindDelivered {
			return nil, errNoEvent
		}
		to, err := Address(g.Recipient)
		if err != nil {
			return nil, err
		}
		r := report{Kind: g.Event, Recipient: canonical(to), Status: statusIn(g.Status), Words: g.Words, At: g.At.UTC()}
		if m := anyMark.FindStringSubmatch(strings.ToLower(g.MessageID) + "@"); m != nil {
			r.ID = m[1]
		}
		if g.At.IsZero() || g.At.After(now.Add(time.Hour)) || g.At.Before(now.AddDate(-1, 0, 0)) {
			r.At = now
		}
		out[i] = r.incoming()
	}
	return out, nil
}
