package mail

import (
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

const theToken = "abcdefghijklmnopqrstuvwxyz012345"

var now = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

func newClient(t testing.TB) *Client {
	a := connector.Account{ID: "ac_1", Kind: Name, Settings: map[string]string{settingHost: "smtp.example.com", settingPort: "465", settingSecurity: secureTLS, settingFrom: "news@mail.example.com",
		settingFromName: "锦池商城", settingReturn: "bounce@mail.example.com"}}
	c, err := Open(a, connector.Secrets{secretToken: theToken}, connector.Env{Clock: clock.NewFake(now)})
	require.NoError(t, err)
	return c.(*Client)
}

func TestMailIsComposed(t *testing.T) {
	c := newClient(t)
	p, err := c.partsOf(connector.Message{To: "ming@例子.cn", Title: "会员日：新茶到店，先到先得，数量有限，欢迎到任意门店领取一份品饮装", Marketing: true,
		Text:    `<style>p{color:red}</style><h2>您好</h2><p>新茶<a href="https://example.com/tea">到店</a>了。<br>先到先得</p>`,
		Headers: map[string]string{"list-unsubscribe": "<https://pond.example/p/unsubscribe/x?purpose=marketing>", "X-Campaign": "7"}})
	require.NoError(t, err)
	p.mark = "m"
	m, err := mail.ReadMessage(strings.NewReader(string(compose(p))))
	require.NoError(t, err)
	require.Equal(t, "<ming@xn--fsqu00a.cn>", m.Header.Get("To"))
	require.Equal(t, "<https://pond.example/p/unsubscribe/x?purpose=marketing>", m.Header.Get("List-Unsubscribe"))
	require.Equal(t, "List-Unsubscribe=One-Click", m.Header.Get("List-Unsubscribe-Post"))
	require.Equal(t, "7", m.Header.Get("X-Campaign"))
	from, err := mail.ParseAddress(m.Header.Get("From"))
	require.NoError(t, err)
	require.Equal(t, "锦池商城", from.Name)
	require.Equal(t, "您好\n\n新茶到店 (https://example.com/tea)了。\n先到先得", p.text)
	for line := range strings.Lines(string(compose(p))) {
		require.LessOrEqual(t, len(line), 1000)
		require.True(t, strings.HasSuffix(line, "\r\n"), "%q", line)
	}
}

// Nothing that somebody chose can begin a header of its own.
func TestNothingEndsAHeader(t *testing.T) {
	good := connector.Message{To: "ming@example.com", Title: "t", Text: "x"}
	for name, change := range map[string]func(m *connector.Message){
		"subject":            func(m *connector.Message) { m.Title = "x\r\nBcc: all@example.com" },
		"bare line feed":     func(m *connector.Message) { m.Title = "x\nBcc: all@example.com" },
		"next line":          func(m *connector.Message) { m.Title = "x\u0085y" },
		"recipient":          func(m *connector.Message) { m.To = "a@example.com\r\nBcc: b@example.com" },
		"two recipients":     func(m *connector.Message) { m.To = "a@example.com, b@example.com" },
		"name and recipient": func(m *connector.Message) { m.To = "x <a@example.com>" },
		"value":              func(m *connector.Message) { m.Headers = map[string]string{"X-A": "b\r\nBcc: c@example.com"} },
		"name":               func(m *connector.Message) { m.Headers = map[string]string{"X-A: b\r\nBcc": "c@example.com"} },
		"a header of ours":   func(m *connector.Message) { m.Headers = map[string]string{"bcc": "c@example.com"} },
		"the sender":         func(m *connector.Message) { m.Headers = map[string]string{"from": "boss@example.com"} },
		"unsubscribe": func(m *connector.Message) {
			m.Headers = map[string]string{"List-Unsubscribe": "<https://x.example/>,\r\nX: y"}
		},
		"unsubscribe by mail": func(m *connector.Message) {
			m.Headers = map[string]string{"List-Unsubscribe": "<mailto:x@example.com>"}
		},
		"advertisement": func(m *connector.Message) { m.Marketing = true },
		"no text":       func(m *connector.Message) { m.Text = " " },
	} {
		m := good
		change(&m)
		_, err := newClient(t).partsOf(m)
		require.Error(t, err, name)
		require.Equal(t, errs.Invalid, errs.As(err).Kind, name)
	}
}

func TestAccountsThatCannotWorkAreRefused(t *testing.T) {
	base := map[string]string{settingHost: "smtp.example.com", settingPort: "25", settingSecurity: secureTLS, settingFrom: "news@example.com"}
	for code, change := range map[string]func(s map[string]string, x connector.Secrets){
		"mail.plain_password": func(s map[string]string, _ connector.Secrets) { s[settingSecurity], s[settingUser] = secureNone, "u" },
		"mail.dkim_both":      func(s map[string]string, _ connector.Secrets) { s[settingSelector] = "koi" },
		"mail.bad_key": func(s map[string]string, x connector.Secrets) {
			s[settingSelector], x[secretDKIM] = "koi", "-----BEGIN X-----"
		},
		"mail.bad_header": func(s map[string]string, _ connector.Secrets) { s[settingFromName] = "a\r\nb" },
	} {
		s, x := map[string]string{}, connector.Secrets{secretToken: theToken}
		for k, v := range base {
			s[k] = v
		}
		change(s, x)
		_, err := Open(connector.Account{Settings: s}, x, connector.Env{})
		require.Error(t, err, code)
		require.Equal(t, code, errs.As(err).Fields[0].Code)
	}
}

// dsn is a report as servers write it.
func dsn(to, recipient, status, action string) string {
	return "From: MAILER-DAEMON@mx.example\r\nTo: " + to + "\r\nSubject: Undelivered\r\nDate: Mon, 02 Mar 2026 03:59:00 +0000\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; " + recipient +
		"\r\nAction: " + action + "\r\nStatus: " + status + "\r\nDiagnostic-Code: smtp; 550 " + status + " no such user\r\n\r\n--b--\r\n"
}

func TestReports(t *testing.T) {
	c := newClient(t)
	id := c.marks.idOf("k1")
	to := c.returnPath(c.marks.mark(id, "Ming@Example.com"))
	read := func(raw string) report {
		r, err := c.marks.parseReport([]byte(raw), now)
		require.NoError(t, err)
		return r
	}
	r := read(dsn(to, "ming@example.com", "5.1.1", "failed"))
	require.Equal(t, report{Kind: kindBounce, ID: id, Recipient: "ming@example.com", Status: "5.1.1", Words: "550 5.1.1 no such user", At: now.Add(-time.Minute)}, r)
	require.True(t, fateOf(r.Status).gone)
	require.False(t, fateOf(read(dsn(to, "ming@example.com", "5.2.2", "failed")).Status).gone, "a full mailbox may have room again")
	require.Equal(t, kindDelivered, read(dsn(to, "ming@example.com", "2.0.0", "delivered")).Kind)
	for name, raw := range map[string]string{
		"it goes on trying":       dsn(to, "ming@example.com", "4.4.1", "delayed"),
		"of somebody else":        dsn(to, "hong@example.com", "5.1.1", "failed"),
		"of another message":      dsn(c.returnPath(c.marks.mark(c.marks.idOf("k2"), "hong@example.com")), "ming@example.com", "5.1.1", "failed"),
		"with a made-up mark":     dsn("bounce+"+id+".0123456789abcdef@mail.example.com", "ming@example.com", "5.1.1", "failed"),
		"without one":             dsn("bounce@mail.example.com", "ming@example.com", "5.1.1", "failed"),
		"of another installation": dsn("bounce+"+marker("other").mark(id, "ming@example.com")+"@mail.example.com", "ming@example.com", "5.1.1", "failed"),
		"an answer on holiday":    "To: " + to + "\r\nSubject: Away\r\nIn-Reply-To: <" + c.marks.mark(id, "ming@example.com") + "@mail.example.com>\r\nX-Failed-Recipients: ming@example.com\r\n\r\nI am away.\r\n",
	} {
		require.Equal(t, kindNone, read(raw).Kind, name)
	}
	// A server that keeps no form, and the mail that it quotes names the message.
	plain := "To: bounce@mail.example.com\r\nSubject: failure notice\r\nX-Failed-Recipients: ming@example.com\r\n\r\nSorry, 550 5.1.1 no such user\r\n\r\n--- Below this line is a copy of the message.\r\nMessage-ID: <" + c.marks.mark(id, "ming@example.com") + "@mail.example.com>\r\n"
	require.Equal(t, kindBounce, read(plain).Kind)
	arf := "To: " + to + "\r\nSubject: FW\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\nOriginal-Rcpt-To: <ming@example.com>\r\n\r\n--b--\r\n"
	require.Equal(t, kindComplaint, read(arf).Kind)
	require.Equal(t, kindNone, read(strings.Replace(arf, "Feedback-Type: abuse", "Feedback-Type: not-spam", 1)).Kind)
}

func posted(kind, body string) connector.Request {
	return connector.Request{Method: http.MethodPost, Query: url.Values{"token": {theToken}}, Header: http.Header{"Content-Type": {kind}}, Body: []byte(body)}
}

func TestWrongCallsAreRefused(t *testing.T) {
	c := newClient(t)
	for name, r := range map[string]connector.Request{
		"no token": {Method: http.MethodPost}, "another": {Method: http.MethodPost, Query: url.Values{"token": {theToken + "x"}}},
		"part": {Method: http.MethodPost, Query: url.Values{"token": {theToken[1:]}}}, "get": {Method: http.MethodGet, Query: url.Values{"token": {theToken}}},
	} {
		_, _, err := c.Receive(t.Context(), r)
		require.ErrorIs(t, err, connector.ErrSignature, name)
	}
	for _, body := range []string{"", "{}", "[]", "[1]", `{"event":"opened","recipient":"a@example.com"}`, `{"event":"bounce","recipient":"no address"}`, "no mail at all"} {
		_, _, err := c.Receive(t.Context(), posted("", body))
		require.ErrorIs(t, err, connector.ErrMalformed, body)
	}
}

// Whatever is posted: no panic, and only what carries a mark that fits is believed.
func FuzzReport(f *testing.F) {
	c := newClient(f)
	f.Add(dsn(c.returnPath(c.marks.mark(c.marks.idOf("k1"), "ming@example.com")), "ming@example.com", "5.1.1", "failed"))
	f.Add("To: x\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n")
	f.Add(`{"event":"bounce","recipient":"ming@example.com","status":"5.1.1"}`)
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := c.marks.parseReport([]byte(raw), now)
		if err == nil && r.Kind != kindNone {
			require.Equal(t, r.ID, strings.ToLower(r.ID))
			require.Contains(t, strings.ToLower(raw), c.marks.sign(r.ID, r.Recipient), "its mark is in it")
		}
		if _, in, err := c.Receive(t.Context(), posted("", raw)); err == nil {
			for _, one := range in {
				require.NotEmpty(t, one.Key)
				require.False(t, one.At.IsZero())
			}
		}
	})
}
