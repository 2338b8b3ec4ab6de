package app

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/mail"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/testkit"
)

const hookToken = "abcdefghijklmnopqrstuvwxyz012345"

// post is a pond with an account for short messages, or for mail, at simulated platforms.
type post struct {
	*world
	t        *testing.T
	sim      *sim.Sim
	url      string // of the pond
	platform string
	mailPort string
}

func newPost(t *testing.T) *post {
	p := &post{t: t, sim: sim.New(sim.Options{Seed: 5, Pause: time.Millisecond, People: 5})}
	platform := httptest.NewServer(p.sim)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, over := p.sim.MailServer(), make(chan error, 1)
	go func() { over <- p.sim.ServeMail(server, ln) }()
	t.Cleanup(func() {
		p.sim.Close()
		platform.Close()
		_ = ln.Close()
		_ = server.Close()
		require.NoError(t, <-over)
	})
	p.platform = platform.URL
	_, p.mailPort, err = net.SplitHostPort(ln.Addr().String())
	require.NoError(t, err)
	cfg := testConfig(t)
	cfg.OutboundPrivate = true // the simulator is on this machine
	p.world = startWorldLogging(t, cfg, testkit.Quiet())
	hook := httptest.NewServer(p.h)
	t.Cleanup(func() { p.sim.Close(); hook.Close() })
	p.url = hook.URL
	return p
}

// connect makes an account and gives the address at which its platform calls.
func (p *post) connect(in connector.Input) (id, hook string) {
	body, err := json.Marshal(in)
	require.NoError(p.t, err)
	var made struct{ ID string }
	require.Less(p.t, p.call("POST", "/api/connectors", string(body), &made), 300)
	return made.ID, p.url + connector.HookPath(in.Kind, made.ID) + "?token=" + hookToken
}

func (p *post) sms(platform string) (id string) {
	a := p.sim.SMSAccess(platform)
	in := connector.Input{Kind: "sms." + platform, Name: "短信", Settings: map[string]string{"accessKeyId": a.KeyID, "signName": a.Sign, connector.SettingBase: p.platform + "/sms/" + platform},
		Secrets: map[string]string{"accessKeySecret": a.Secret, "token": hookToken}}
	if platform == sim.SMSTencent {
		in.Settings["sdkAppId"] = a.App
	}
	id, hook := p.connect(in)
	require.NoError(p.t, p.sim.SetSMSCallback(platform, hook))
	return id
}

func (p *post) mail() (id string) {
	a := p.sim.MailAccess()
	id, hook := p.connect(connector.Input{Kind: mail.Name, Name: "邮件", Settings: map[string]string{"host": "127.0.0.1", "port": p.mailPort, "security": "none", "username": a.User, "from": a.From, "returnPath": a.ReturnPath, "dkimSelector": a.Selector},
		Secrets: map[string]string{"password": a.Password, "dkimKey": a.Key, "token": hookToken}})
	p.sim.SetMailCallback(hook)
	return id
}

// person makes a contact, and gives their number in the pond.
func (p *post) person(name, phone, email string) int64 {
	traits, err := json.Marshal(map[string]any{"name": name, "phone": phone, "email": email})
	require.NoError(p.t, err)
	seq, err := p.app.messages.facts.Ingest(p.t.Context(), []event.Fact{{MessageID: "known-" + phone, Type: event.Identify, Name: event.NameIdentified, Timestamp: time.Now().UnixMilli(), Source: "test", Traits: traits,
		Identifiers: []event.Identifier{{Kind: "phone", Value: phone}, {Kind: "email", Value: email}}}})
	require.NoError(p.t, err)
	require.NoError(p.t, p.app.messages.facts.Wait(p.t.Context(), seq))
	at, err := p.app.contacts.AddressOf("phone", phone)
	require.NoError(p.t, err)
	held, err := p.app.contacts.Holders(p.t.Context(), "phone", []string{at.Lookup})
	require.NoError(p.t, err)
	require.NotZero(p.t, held[at.Lookup])
	return held[at.Lookup]
}

func (p *post) reason(num int64, ch consent.Channel) consent.Reason {
	d, err := p.app.consent.May(auth.With(p.t.Context(), auth.System("test")), num, marketing, ch)
	require.NoError(p.t, err)
	return d.Reason
}

func (p *post) eventually(what string, ok func() bool) {
	p.t.Helper()
	require.Eventually(p.t, ok, 20*time.Second, 20*time.Millisecond, what)
}

// factsOf are the names of what is known to have happened to somebody.
func (p *post) factsOf(num int64) string {
	refs, err := p.app.contacts.Refs(p.t.Context(), []int64{num})
	require.NoError(p.t, err)
	var out struct{ Items []struct{ Name string } }
	p.call("GET", "/api/contacts/"+refs[num].ID+"/timeline?limit=50", "", &out)
	var names []string
	for _, i := range out.Items {
		names = append(names, i.Name)
	}
	return strings.Join(names, " ")
}

// From a test on the account's page to the receipt, and from the reply TD to a
// consent that is taken back, at both platforms.
func TestShortMessagesReportBack(t *testing.T) {
	p := newPost(t)
	for i, platform := range []string{sim.SMSAliyun, sim.SMSTencent} {
		id := p.sms(platform)
		phone, template := fmt.Sprintf("1390000111%d", i), p.sim.SMSAccess(platform).Templates[1]
		num := p.person("小明"+platform, phone, fmt.Sprintf("ming%d@mail.example", i))
		names := []string{"name", "item"}
		if platform == sim.SMSTencent {
			names = []string{"1", "2"}
		}
		test := func(number, more string) (out connector.Tested, status int) {
			body := fmt.Sprintf(`{"to":%q,"template":%q,"params":[{"name":%q,"value":"小明"},{"name":%q,"value":"白茶"}]%s}`, number, template, names[0], names[1], more)
			status = p.call("POST", "/api/connector-tests/"+id, body, &out)
			return out, status
		}
		got, status := test(phone, `,"dry":true`)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "【锦池商城】亲爱的小明，您购买的白茶已发出，请留意查收。", got.Text)
		require.Equal(t, 1, got.Segments)
		require.Empty(t, p.sim.TextsOf("+86"+phone, 10), "a dry one sends nothing")
		got, status = test("12345", "")
		require.Equal(t, http.StatusUnprocessableEntity, status)
		got, status = test(phone, "")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, connector.Accepted, got.Receipt.State)
		require.Equal(t, got.Text, "【锦池商城】亲爱的小明，您购买的白茶已发出，请留意查收。")
		require.Len(t, p.sim.TextsOf("+86"+phone, 10), 1)
		p.eventually("the receipt arrives", func() bool {
			var since connector.Tested
			p.call("GET", "/api/connector-tests/"+id+"/sent/"+got.ID, "", &since)
			return since.Receipt != nil && since.Receipt.State == connector.Delivered
		})
		p.eventually("it is a fact", func() bool { return strings.Contains(p.factsOf(num), event.NameMessageDelivered) })
		require.NotEqual(t, consent.ByWithdrawal, p.reason(num, consent.SMS))
		require.NoError(t, p.sim.Answer("+86"+phone, "好的"))
		p.eventually("a reply is a fact", func() bool { return strings.Contains(p.factsOf(num), event.NameMessageReceived) })
		require.NotEqual(t, consent.ByWithdrawal, p.reason(num, consent.SMS), "not every reply ends it")
		require.NoError(t, p.sim.Answer("+86"+phone, "TD"))
		p.eventually("TD takes the consent back", func() bool { return p.reason(num, consent.SMS) == consent.ByWithdrawal })
		require.NotEqual(t, consent.ByWithdrawal, p.reason(num, consent.Email), "for short messages alone")

		// A number that is nobody's is not written to again.
		gone := fmt.Sprintf("1390000222%d", i)
		lost := p.person("小红"+platform, gone, fmt.Sprintf("hong%d@mail.example", i))
		require.NoError(t, p.sim.SetNumber("+86"+gone, sim.NumberAbsent))
		_, status = test(gone, "")
		require.Equal(t, http.StatusOK, status)
		p.eventually("the number is on the suppression list", func() bool { return p.reason(lost, consent.SMS) == consent.BySuppressed })
		require.Contains(t, p.factsOf(lost), event.NameMessageFailed)
		_, status = test(gone, "")
		require.Equal(t, http.StatusConflict, status, "not even a test")
	}
}

// One click ends advertisements by mail, and so does a report as spam; an address
// that is nobody's is not written to again, and a full mailbox is.
func TestMailReportsBack(t *testing.T) {
	p := newPost(t)
	id := p.mail()
	ctx := auth.With(t.Context(), auth.System("test"))
	send := func(address, key string, marketing bool) connector.Receipt {
		m := connector.Message{Key: key, To: address, Title: "会员日", Text: "<p>您好</p>", Marketing: marketing}
		if marketing {
			link, err := p.app.unsubscribeLink(ctx, address)
			if err != nil { // the pond of a test does not know its address
				require.Contains(t, err.Error(), "test_no_url")
				at, err := p.app.contacts.AddressOf("email", address)
				require.NoError(t, err)
				held, err := p.app.contacts.Holders(ctx, "email", []string{at.Lookup})
				require.NoError(t, err)
				path, err := p.app.consent.UnsubscribeFor(ctx, held[at.Lookup], "marketing")
				require.NoError(t, err)
				link = p.url + path
			}
			m.Headers = map[string]string{"List-Unsubscribe": "<" + link + ">"}
		}
		r, err := p.app.connectors.Send(ctx, id, m)
		require.NoError(t, err)
		return r
	}
	ming := p.person("小明", "13900003331", "ming@mail.example")
	require.Equal(t, connector.Accepted, send("ming@mail.example", "k1", true).State)
	l := p.sim.LettersOf("ming@mail.example", 1)[0]
	require.Equal(t, "yes", l.Signed, "its signature is good")
	require.Equal(t, "您好", strings.TrimSpace(l.Text))
	require.NotEmpty(t, l.Unsubscribe)
	// Looking leads to the page and ends nothing; the click of the mail program does.
	res, err := http.Get(l.Unsubscribe)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NotEqual(t, consent.ByWithdrawal, p.reason(ming, consent.Email))
	res, err = http.PostForm(l.Unsubscribe, url.Values{"List-Unsubscribe": {"One-Click"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, consent.ByWithdrawal, p.reason(ming, consent.Email))

	hong := p.person("小红", "13900003332", "hong@mail.example")
	send("hong@mail.example", "k2", false)
	require.NoError(t, p.sim.ReportLetter(p.sim.LettersOf("hong@mail.example", 1)[0].ID))
	p.eventually("a report as spam takes the consent back", func() bool { return p.reason(hong, consent.Email) == consent.ByWithdrawal })
	require.Contains(t, p.factsOf(hong), event.NameMessageReported)

	gang := p.person("小刚", "13900003333", "gang@mail.example")
	require.NoError(t, p.sim.SetMailBox("gang@mail.example", sim.BoxFull))
	send("gang@mail.example", "k3", false)
	p.eventually("a full mailbox is told of", func() bool { return strings.Contains(p.factsOf(gang), event.NameMessageFailed) })
	require.NotEqual(t, consent.BySuppressed, p.reason(gang, consent.Email), "it may have room again")
	require.NoError(t, p.sim.SetMailBox("gang@mail.example", sim.BoxGone))
	send("gang@mail.example", "k4", false)
	p.eventually("nobody has the address", func() bool { return p.reason(gang, consent.Email) == consent.BySuppressed })
	r, err := p.app.connectors.ReceiptOf(ctx, id, "k4")
	require.NoError(t, err)
	require.Equal(t, connector.Bounced, r.State)

	fang := p.person("小芳", "13900003334", "fang@mail.example")
	require.NoError(t, p.sim.SetMailBox("fang@mail.example", sim.BoxAbsent))
	require.Equal(t, connector.Refused, send("fang@mail.example", "k5", false).State)
	p.eventually("refused at once is as good", func() bool { return p.reason(fang, consent.Email) == consent.BySuppressed })

	// A report that anybody could write changes nothing.
	lan := p.person("小兰", "13900003335", "lan@mail.example")
	forged := "To: bounce+0123456789abcdef0123.0123456789abcdef@mail.jinchi.example\r\nSubject: x\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; lan@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
	res, err = http.Post(p.url+connector.HookPath(mail.Name, id)+"?token="+hookToken, "message/rfc822", strings.NewReader(forged))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NoError(t, p.app.connectors.Work(ctx))
	require.NotContains(t, p.factsOf(lan), event.NameMessageFailed)
}
