package contract_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
)

// The suite against the smallest platform there is.
func TestFakeKeepsThePromises(t *testing.T) {
	contract.Run(t, func(t *testing.T) contract.Subject {
		f := contract.NewFake(t)
		f.Slow(5 * time.Millisecond)
		const sign = "signs-callbacks"
		call := func(n int, subject string) contract.FakeCall {
			return contract.FakeCall{Corp: "corp1", Key: "k" + strconv.Itoa(n), Subject: subject, Name: "thing.happened", At: time.Unix(1_770_000_000+int64(n), 0)}
		}
		return contract.Subject{
			Kind:       contract.FakeKind(),
			Account:    connector.Input{Settings: map[string]string{"corp": "corp1", connector.SettingBase: f.URL}, Secrets: map[string]string{"secret": contract.FakeSecret, "sign": sign}},
			Call:       func(ctx context.Context, c connector.Conn) error { return c.(*contract.FakeConn).Call(ctx) },
			Fetched:    f.Fetched,
			Calls:      f.Calls,
			Stale:      f.Stale,
			Busy:       f.Busy,
			Limit:      f.Limit,
			BadSecrets: map[string]string{"secret": "wrong"},
			Callback:   func(n int, subject string) connector.Request { return call(n, subject).Sign(sign) },
			Prove: func() (connector.Request, string) {
				r := contract.FakeCall{}.Sign(sign)
				r.Method, r.Body = http.MethodGet, nil
				r.Query = url.Values{"echo": {"hello"}, "sig": {contract.FakeSign(sign, "hello")}}
				return r, "hello"
			},
			Forged: func() connector.Request { return call(1, "x").Sign("another") },
			Foreign: func() connector.Request {
				c := call(1, "x")
				c.Corp = "corp2"
				return c.Sign(sign)
			},
			Message: func(key string) connector.Message { return connector.Message{Key: key, To: "someone", Text: key} },
			Refused: func(key string) connector.Message { return connector.Message{Key: key, To: "stranger", Text: key} },
			Sent:    f.Sent,
			Receipt: func(id string) connector.Request {
				c := call(9, "someone")
				c.Receipt = &connector.Receipt{ID: id, State: connector.Delivered, At: time.Now()}
				return c.Sign(sign)
			},
		}
	})
}
