package wechat_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/testkit"
)

const (
	token = "QDG6eK"
	key   = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	app   = "wx5823bf96d3bd56c7"
	when  = "1700000000"
)

// receiver is an account that is called back at a fixed time.
func receiver(t testing.TB, mode, aesKey string) connector.Receiver {
	t.Helper()
	c := clock.NewFake(time.Unix(1700000060, 0))
	conn, err := wechat.Kind().Open(connector.Account{ID: "a1", Kind: wechat.Name, Settings: map[string]string{"appId": app, "mode": mode}},
		connector.Secrets{"secret": "s", "token": token, "aesKey": aesKey}, connector.Env{Clock: c, Log: testkit.Logger(t)})
	require.NoError(t, err)
	return conn.(connector.Receiver)
}

func inTheOpen(message string) connector.Request {
	return connector.Request{Method: http.MethodPost, Query: url.Values{"signature": {wxcrypto.Signature(token, when, "n")}, "timestamp": {when}, "nonce": {"n"}}, Body: []byte(message)}
}

func sealed(t testing.TB, aesKey, receiver, message string) connector.Request {
	t.Helper()
	c, err := wxcrypto.New(token, aesKey, receiver, nil)
	require.NoError(t, err)
	s, err := c.Seal([]byte(message), when, "n")
	require.NoError(t, err)
	q := s.Query()
	q.Set("encrypt_type", "aes")
	return connector.Request{Method: http.MethodPost, Query: q, Body: s.Callback("gh_1", "")}
}

// told writes an event.
func told(event string, more ...string) string {
	nodes := []wxcrypto.Node{wxcrypto.Elem("ToUserName", "gh_1"), wxcrypto.Elem("FromUserName", "o1"), wxcrypto.Raw("CreateTime", when), wxcrypto.Elem("MsgType", "event"), wxcrypto.Elem("Event", event)}
	for i := 0; i < len(more); i += 2 {
		nodes = append(nodes, wxcrypto.Elem(more[i], more[i+1]))
	}
	return string(wxcrypto.Write("xml", nodes...))
}

func TestReceive(t *testing.T) {
	for name, x := range map[string]struct {
		message string
		want    wechat.Event
	}{
		"follow by a code":    {told("subscribe", "EventKey", "qrscene_store-1", "Ticket", "T"), wechat.Event{Name: "subscribe", Scene: "store-1"}},
		"follow by search":    {told("subscribe", "EventKey", ""), wechat.Event{Name: "subscribe"}},
		"follow by article":   {told("subscribe", "EventKey", "last_trade_no_1"), wechat.Event{Name: "subscribe"}},
		"scan":                {told("SCAN", "EventKey", "store-1", "Ticket", "T"), wechat.Event{Name: "SCAN", Scene: "store-1"}},
		"unfollow":            {told("unsubscribe"), wechat.Event{Name: "unsubscribe"}},
		"click":               {told("CLICK", "EventKey", "NEW"), wechat.Event{Name: "CLICK"}},
		"place":               {told("LOCATION", "Latitude", "30.25", "Longitude", "120.16"), wechat.Event{Name: "LOCATION", Lat: 30.25, Lng: 120.16}},
		"an impossible place": {told("LOCATION", "Latitude", "NaN", "Longitude", "1e9"), wechat.Event{Name: "LOCATION"}},
		"text":                {"\ufeff<xml><ToUserName>g</ToUserName><FromUserName>o1</FromUserName><CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content>hi</Content><MsgId>77</MsgId></xml>", wechat.Event{Name: "message.text", Text: "hi"}},
		"as JSON":             {`{"ToUserName":"g","FromUserName":"o1","CreateTime":1700000000,"MsgType":"text","Content":"hi","MsgId":77}`, wechat.Event{Name: "message.text", Text: "hi"}},
	} {
		for _, r := range []connector.Request{sealed(t, key, app, x.message), inTheOpen(x.message)} {
			answer, in, err := receiver(t, "plain", key).Receive(t.Context(), r)
			require.NoError(t, err, name)
			require.Equal(t, "success", string(answer.Body))
			require.Len(t, in, 1)
			require.Equal(t, []string{x.want.Name, "o1"}, []string{in[0].Name, in[0].Subject}, name)
			e, err := wechat.ParseEvent(in[0].Body)
			require.NoError(t, err)
			require.Equal(t, []any{x.want.Scene, x.want.Text, x.want.Lat, x.want.Lng}, []any{e.Scene, e.Text, e.Lat, e.Lng}, name)
		}
	}
}

// Repeats are known though they are sealed anew, and what differs is not one.
func TestKeys(t *testing.T) {
	c := receiver(t, "safe", key)
	of := func(message string) string {
		_, in, err := c.Receive(t.Context(), sealed(t, key, app, message))
		require.NoError(t, err)
		return in[0].Key
	}
	seen := map[string]string{}
	for _, m := range []string{told("subscribe"), told("unsubscribe"), told("CLICK", "EventKey", "A"), told("CLICK", "EventKey", "B"), strings.Replace(told("CLICK", "EventKey", "A"), when, "1700000001", 1),
		strings.Replace(told("subscribe"), "o1", "o2", 1), told("TEMPLATESENDJOBFINISH", "MsgID", "1", "Status", "success"), told("TEMPLATESENDJOBFINISH", "MsgID", "2", "Status", "success")} {
		k := of(m)
		require.Equal(t, k, of(m))
		require.Empty(t, seen[k], m)
		seen[k] = m
	}
}

func TestReceipts(t *testing.T) {
	c := receiver(t, "safe", key)
	of := func(message string) []connector.Incoming {
		_, in, err := c.Receive(t.Context(), sealed(t, key, app, message))
		require.NoError(t, err)
		return in
	}
	in := of(told("TEMPLATESENDJOBFINISH", "MsgID", "9", "Status", "success"))
	require.Equal(t, []string{"9", connector.Delivered}, []string{in[0].Receipt.ID, in[0].Receipt.State})
	in = of(told("TEMPLATESENDJOBFINISH", "MsgID", "9", "Status", "failed:user block"))
	require.Equal(t, []string{connector.Bounced, "wechat.blocked_by_person"}, []string{in[0].Receipt.State, in[0].Receipt.Reason})
	in = of(`{"ToUserName":"g","FromUserName":"o1","CreateTime":"1700000000","MsgType":"event","Event":"subscribe_msg_sent_event","List":[{"TemplateId":"t","MsgID":"1","ErrorCode":"0","ErrorStatus":"success"},{"TemplateId":"t","MsgID":"2","ErrorCode":"1","ErrorStatus":"busy"}]}`)
	require.Len(t, in, 2)
	require.NotEqual(t, in[0].Key, in[1].Key)
	require.Equal(t, []string{connector.Delivered, connector.Bounced}, []string{in[0].Receipt.State, in[1].Receipt.State})
	in = of(told("MASSSENDJOBFINISH", "MsgID", "5", "Status", "sendsuccess", "TotalCount", "100", "FilterCount", "80", "SentCount", "75", "ErrorCount", "5"))
	require.Empty(t, in[0].Subject, "it is about nobody")
	e, err := wechat.ParseEvent(in[0].Body)
	require.NoError(t, err)
	require.Equal(t, wechat.MassResult{ID: "5", Status: "sendsuccess", Total: 100, Filtered: 80, Sent: 75, Lost: 5}, e.Mass)
}

func TestReceiveRefuses(t *testing.T) {
	good := told("subscribe")
	later := inTheOpen(good)
	later.Query.Set("timestamp", "1700009999")
	later.Query.Set("signature", wxcrypto.Signature(token, "1700009999", "n"))
	garbled := sealed(t, key, app, good)
	garbled.Body = []byte(`<xml><Encrypt>AAAA</Encrypt></xml>`)
	signed, err := wxcrypto.New(token, key, app, nil)
	require.NoError(t, err)
	garbled.Query.Set("msg_signature", signed.Sign(when, "n", "AAAA"))
	for name, x := range map[string]struct {
		mode, key string
		r         connector.Request
		want      error
	}{
		"in the open to one in safe mode": {"safe", key, inTheOpen(good), connector.ErrSignature},
		"encrypted without a key":         {"plain", "", sealed(t, key, app, good), connector.ErrDecrypt},
		"for another app":                 {"safe", key, sealed(t, key, "wx0000000000000000", good), connector.ErrReceiver},
		"no cipher text":                  {"safe", key, garbled, connector.ErrDecrypt},
		"unsigned":                        {"plain", key, connector.Request{Method: "POST", Query: url.Values{}, Body: []byte(good)}, connector.ErrSignature},
		"an old signature, used again":    {"plain", key, later, connector.ErrSignature},
		"no event":                        {"safe", key, sealed(t, key, app, strings.Replace(good, "subscribe", "", 1)), connector.ErrMalformed},
		"nobody":                          {"safe", key, sealed(t, key, app, strings.Replace(good, "o1", "", 1)), connector.ErrMalformed},
		"no document":                     {"plain", key, inTheOpen("hello"), connector.ErrMalformed},
		"two documents":                   {"plain", key, inTheOpen(`{"MsgType":"text"}{}`), connector.ErrMalformed},
		"a document type":                 {"plain", key, inTheOpen(`<!DOCTYPE a><xml/>`), connector.ErrMalformed},
		"a test of another token":         {"safe", key, connector.Request{Method: "GET", Query: url.Values{"signature": {wxcrypto.Signature("other", when, "n")}, "timestamp": {when}, "nonce": {"n"}, "echostr": {"1"}}}, connector.ErrSignature},
		"a test of nothing":               {"safe", key, connector.Request{Method: "GET", Query: inTheOpen("").Query}, connector.ErrMalformed},
	} {
		_, in, err := receiver(t, x.mode, x.key).Receive(t.Context(), x.r)
		require.ErrorIs(t, err, x.want, name)
		require.Empty(t, in, name)
	}
	_, _, err = receiver(t, "safe", key).Receive(t.Context(), sealed(t, "A"+key[1:], app, good))
	require.Error(t, err, "another key")
}

// A reply goes into the form, and under the encryption, of the call it answers.
func TestReply(t *testing.T) {
	c := receiver(t, "plain", key)
	for _, r := range []connector.Request{inTheOpen(told("CLICK", "EventKey", "A")), sealed(t, key, app, told("CLICK", "EventKey", "A"))} {
		_, in, err := c.Receive(t.Context(), r)
		require.NoError(t, err)
		a, err := c.(connector.Replier).Reply(t.Context(), r, in[0], connector.Message{Form: wechat.FormText, Text: "上新 ]]> & <b>"})
		require.NoError(t, err)
		body := a.Body
		if r.Query.Get("encrypt_type") == "aes" {
			doc, err := wxcrypto.Parse(body)
			require.NoError(t, err)
			x, err := wxcrypto.New(token, key, app, nil)
			require.NoError(t, err)
			require.NoError(t, x.Verify(doc.Get("MsgSignature"), doc.Get("TimeStamp"), doc.Get("Nonce"), doc.Get("Encrypt")))
			body, err = x.Decrypt(doc.Get("Encrypt"))
			require.NoError(t, err)
		}
		doc, err := wxcrypto.Parse(body)
		require.NoError(t, err)
		require.Equal(t, []string{"o1", "gh_1", "text", "上新 ]]> & <b>"}, []string{doc.Get("ToUserName"), doc.Get("FromUserName"), doc.Get("MsgType"), doc.Get("Content")})
	}
	_, in, err := c.Receive(t.Context(), inTheOpen(told("CLICK")))
	require.NoError(t, err)
	for _, m := range []connector.Message{{Form: wechat.FormText}, {Form: wechat.FormMini, Title: "x"}, {Form: "dance"}, {Form: wechat.FormLink, Title: "t", URL: "javascript:alert(1)"}, {Text: strings.Repeat("字", 700)}} {
		_, err := c.(connector.Replier).Reply(t.Context(), inTheOpen(""), in[0], m)
		require.Error(t, err, "%+v", m)
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(told("subscribe", "EventKey", "qrscene_a", "Ticket", "T")))
	f.Add([]byte(told("subscribe_msg_popup_event") + "<List>"))
	f.Add([]byte(`{"FromUserName":"o","CreateTime":1,"MsgType":"event","Event":"subscribe_msg_sent_event","List":[{"MsgID":1},{"List":[[{}]]}]}`))
	f.Add([]byte(`<xml><FromUserName>o</FromUserName><CreateTime>99999999999999999999</CreateTime><MsgType>event</MsgType></xml>`))
	c := receiver(f, "plain", key)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, in, err := c.Receive(t.Context(), inTheOpen(string(b)))
		if err != nil {
			return
		}
		require.NotEmpty(t, in)
		for _, i := range in {
			require.NotEmpty(t, i.Key)
			require.NotEmpty(t, i.Name)
			require.LessOrEqual(t, len(i.Name), 100)
			require.LessOrEqual(t, len(i.Subject), 150)
		}
	})
}

// chatOf is what somebody's phone shows of an app.
func chatOf(t testing.TB, s *simulated, who, kind string) sim.ChatView {
	t.Helper()
	want := map[string]string{sim.AppOfficial: "account", sim.AppMini: "mini"}[kind]
	ph, err := s.Phone(who)
	require.NoError(t, err)
	for _, c := range ph.Chats {
		if c.Kind == want {
			return c
		}
	}
	require.Fail(t, "no such chat")
	return sim.ChatView{}
}
