package mail

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Client sends through one account's server.
type Client struct {
	env                               connector.Env
	host, port, security              string
	user, password                    string
	from, fromName, replyTo, returnTo string
	selector                          string
	key                               crypto.Signer
	token                             string
	marks                             marker
	popHost, popUser, popPassword     string
	pool                              pool
}

// Open opens an account. It makes no call.
func Open(a connector.Account, s connector.Secrets, e connector.Env) (connector.Conn, error) {
	c := &Client{env: e, host: a.Setting(settingHost), port: a.Setting(settingPort), security: a.Setting(settingSecurity), user: a.Setting(settingUser), password: s[secretPassword],
		from: a.Setting(settingFrom), fromName: strings.TrimSpace(a.Setting(settingFromName)), replyTo: a.Setting(settingReplyTo), returnTo: a.Setting(settingReturn),
		selector: a.Setting(settingSelector), token: s[secretToken], marks: marker("mail mark " + s[secretToken]),
		popHost: a.Setting(settingPOPHost), popUser: a.Setting(settingPOPUser), popPassword: s[secretPOP]}
	if err := c.check(s[secretDKIM]); err != nil {
		return nil, err
	}
	c.pool.init(c)
	return c, nil
}

// check refuses what cannot work, before anything is kept.
func (c *Client) check(key string) error {
	bad := func(field, code string) error {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code))
	}
	switch {
	case unsafe(c.fromName) || len([]rune(c.fromName)) > 60:
		return bad("settings."+settingFromName, "mail.bad_header")
	case c.security == secureNone && c.user != "" && !local(c.host):
		return bad("settings."+settingSecurity, "mail.plain_password")
	case (c.selector == "") != (key == ""):
		return bad("settings."+settingSelector, "mail.dkim_both")
	}
	if _, err := Address(c.from); err != nil {
		return bad("settings."+settingFrom, "mail.bad_address")
	}
	if key == "" {
		return nil
	}
	var err error
	if c.key, err = parseKey(key); err != nil {
		return bad("secrets."+secretDKIM, "mail.bad_key")
	}
	return nil
}

// local tells whether a server is on this machine: nobody reads what goes there.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var errKey = errors.New("no private key")

// parseKey reads a private key, RSA or Ed25519, in either form of PEM.
func parseKey(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errKey
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return bigEnough(k)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errKey
	}
	s, ok := k.(crypto.Signer)
	if !ok {
		return nil, errKey
	}
	return bigEnough(s)
}

// bigEnough refuses keys that receivers ignore.
func bigEnough(k crypto.Signer) (crypto.Signer, error) {
	if r, ok := k.(*rsa.PrivateKey); ok && r.N.BitLen() < 1024 {
		return nil, errKey
	}
	return k, nil
}

// signedHeaders are those that the signature covers; List-Unsubscribe must be among
// them, else mail programs show no button.
var signedHeaders = []string{"From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post"}

func (c *Client) signed(raw []byte) ([]byte, error) {
	if c.key == nil {
		return raw, nil
	}
	var b bytes.Buffer
	err := dkim.Sign(&b, bytes.NewReader(raw), &dkim.SignOptions{Domain: domainOf(c.from), Selector: c.selector, Signer: c.key, Hash: crypto.SHA256, HeaderKeys: signedHeaders,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed})
	return b.Bytes(), err
}

// returnPath is the address to which servers send their reports of one mail.
func (c *Client) returnPath(mark string) string {
	if c.returnTo == "" {
		return c.from
	}
	at := strings.LastIndexByte(c.returnTo, '@')
	return c.returnTo[:at] + "+" + mark + c.returnTo[at:]
}

// Send implements connector.Sender.
func (c *Client) Send(ctx context.Context, m connector.Message) (connector.Receipt, error) {
	p, err := c.partsOf(m)
	if err != nil {
		return connector.Receipt{}, connector.GiveUp(err)
	}
	id := c.marks.idOf(m.Key)
	p.mark = c.marks.mark(id, p.to)
	raw, err := c.signed(compose(p))
	if err != nil {
		return connector.Receipt{}, connector.Unsent(err)
	}
	if err := c.env.Quota(ctx, "message", "", 1); err != nil {
		return connector.Receipt{}, err
	}
	if err := c.pool.send(ctx, c.returnPath(p.mark), p.to, raw); err != nil {
		return c.refused(ctx, id, p.to, err)
	}
	return connector.Receipt{ID: id, State: connector.Accepted, At: c.env.Clock.Now()}, nil
}

// refused says what follows from a server's refusal. One that says that nobody has
// the address is a report as good as one that comes later.
func (c *Client) refused(ctx context.Context, id, to string, err error) (connector.Receipt, error) {
	var e *Error
	if !errors.As(err, &e) {
		return connector.Receipt{}, err
	}
	r := connector.Receipt{Code: clip(e.Status, 60)}
	switch e.act {
	case stop:
		c.env.Refused(ctx, e)
	case giveUp:
		if e.about == aboutRecipient && e.fate.gone {
			told := report{Kind: kindBounce, ID: id, Recipient: to, Status: e.Status, Words: e.Words, At: c.env.Clock.Now()}
			if err := c.env.Told(context.WithoutCancel(ctx), told.incoming()); err != nil {
				c.env.Log.ErrorContext(ctx, "a refused address cannot be noted", "error", err)
			}
		}
	}
	return r, e.react(c.env.Clock.Now())
}

// Templates implements connector.Tester: a mail needs none.
func (c *Client) Templates(context.Context) ([]connector.Template, error) { return nil, nil }

// Test implements connector.Tester.
func (c *Client) Test(_ context.Context, m connector.Message) (connector.Preview, error) {
	bad := func(field, code string, params ...any) (connector.Preview, error) {
		return connector.Preview{}, errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
	}
	p, err := c.partsOf(m)
	switch {
	case err == nil:
		return connector.Preview{Text: p.text}, nil
	case errors.Is(err, errAddress):
		return bad("to", "mail.bad_address")
	case errors.Is(err, errSubject):
		return bad("title", "mail.bad_subject", "limit", maxSubject)
	case errors.Is(err, errEmpty):
		return bad("text", "request.field_required")
	case errors.Is(err, errUnsubscribe):
		return bad("marketing", "mail.needs_unsubscribe")
	}
	return connector.Preview{}, err
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// sendWait is how long a connection may take to be made.
const sendWait = 10 * time.Second
