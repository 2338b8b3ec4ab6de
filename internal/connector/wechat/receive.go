package wechat

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// freshFor is how old a call may be that is signed alone: such a signature says
// nothing of the body, so whoever saw one call could make others of it.
const freshFor = 10 * time.Minute

// success tells the platform that it need not call again.
var success = connector.Answer{Body: []byte("success")}

// Receive implements connector.Receiver: GET proves the address, POST brings a
// callback.
func (c *client) Receive(_ context.Context, r connector.Request) (connector.Answer, []connector.Incoming, error) {
	if c.token == "" {
		return connector.Answer{}, nil, connector.ErrSignature
	}
	if r.Method == http.MethodGet {
		echo := r.Query.Get("echostr")
		if err := c.signed(r); err != nil {
			return connector.Answer{}, nil, refusal(err)
		}
		if echo == "" {
			return connector.Answer{}, nil, connector.ErrMalformed
		}
		return connector.Answer{Body: []byte(echo)}, nil, nil
	}
	plain, err := c.opened(r)
	if err != nil {
		return connector.Answer{}, nil, refusal(err)
	}
	e, err := ParseEvent(plain)
	if err != nil {
		return connector.Answer{}, nil, refusal(err)
	}
	return success, e.incoming(plain), nil
}

// sealedCall tells whether a call says that it is encrypted.
func sealedCall(r connector.Request) bool {
	return r.Query.Get("encrypt_type") == "aes" || r.Query.Get("msg_signature") != ""
}

// opened gives the message of a call. An account in safe mode takes nothing that is
// not encrypted: else its signature would be the weaker one for whoever forges.
func (c *client) opened(r connector.Request) ([]byte, error) {
	if sealedCall(r) {
		if c.cipher == nil {
			return nil, connector.ErrDecrypt.Wrap(errNoKey)
		}
		return c.cipher.Open(r.Query, r.Body)
	}
	if !c.plain {
		return nil, connector.ErrSignature.Wrap(errInTheOpen)
	}
	if err := c.signed(r); err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(r.Query.Get("timestamp"), 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 || c.env.Clock.Now().Sub(time.Unix(seconds, 0)).Abs() > freshFor {
		return nil, connector.ErrSignature.Wrap(errOld)
	}
	if len(r.Body) > wxcrypto.MaxBody {
		return nil, connector.ErrMalformed
	}
	return r.Body, nil
}

func (c *client) signed(r connector.Request) error {
	return wxcrypto.VerifyPlain(c.token, r.Query.Get("signature"), r.Query.Get("timestamp"), r.Query.Get("nonce"))
}

var (
	errNoKey     = errors.New("an encrypted call, and the account has no EncodingAESKey")
	errInTheOpen = errors.New("a call in the open to an account in safe mode")
	errOld       = errors.New("the call's time is long past, or to come")
)

// refusal turns a reason of the cipher into one of the connector's.
func refusal(err error) error {
	switch wxcrypto.ReasonOf(err) {
	case "":
		return err
	case wxcrypto.BadSignature:
		return connector.ErrSignature.Wrap(err)
	case wxcrypto.BadReceiver:
		return connector.ErrReceiver.Wrap(err)
	case wxcrypto.BadBody, wxcrypto.TooLarge:
		return connector.ErrMalformed.Wrap(err)
	default:
		return connector.ErrDecrypt.Wrap(err)
	}
}
