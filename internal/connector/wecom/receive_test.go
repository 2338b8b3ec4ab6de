package wecom

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// posted is a callback as the platform would post it.
func posted(t testing.TB, message string) connector.Request {
	t.Helper()
	c, err := wxcrypto.New(testToken, testKey, testCorp, nil)
	require.NoError(t, err)
	s, err := c.Seal([]byte(message), "1700000000", "n1")
	require.NoError(t, err)
	return connector.Request{Method: http.MethodPost, Query: s.Query(), Body: s.Callback(testCorp, "1000002")}
}

// event writes an event of the shape that a self-built app gets.
func eventXML(name, change string, fields ...string) string {
	nodes := []wxcrypto.Node{wxcrypto.Elem("ToUserName", testCorp), wxcrypto.Elem("FromUserName", "sys"), wxcrypto.Raw("CreateTime", "1700000000"), wxcrypto.Elem("MsgType", "event"), wxcrypto.Elem("Event", name)}
	if change != "" {
		nodes = append(nodes, wxcrypto.Elem("ChangeType", change))
	}
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "MemChangeList" {
			var items []wxcrypto.Node
			for _, m := range strings.Split(fields[i+1], ",") {
				items = append(items, wxcrypto.Elem("Item", m))
			}
			nodes = append(nodes, wxcrypto.Group("MemChangeList", items...))
			continue
		}
		nodes = append(nodes, wxcrypto.Elem(fields[i], fields[i+1]))
	}
	return string(wxcrypto.Write("xml", nodes...))
}

func TestReceive(t *testing.T) {
	_, c := newWorld(t)
	for name, x := range map[string]struct {
		message       string
		want, subject string
		urgent        bool
	}{
		"added": {eventXML("change_external_contact", "add_external_contact", "UserID", "zhang", "ExternalUserID", "wm1", "State", "s1", "WelcomeCode", "wc"),
			"change_external_contact.add_external_contact", "wm1", true},
		"added without a welcome": {eventXML("change_external_contact", "add_external_contact", "UserID", "zhang", "ExternalUserID", "wm1"), "change_external_contact.add_external_contact", "wm1", false},
		"deleted":                 {eventXML("change_external_contact", "del_follow_user", "UserID", "zhang", "ExternalUserID", "wm1"), "change_external_contact.del_follow_user", "wm1", false},
		"group":                   {eventXML("change_external_chat", "update", "ChatId", "wr1", "UpdateDetail", "add_member"), "change_external_chat.update", "group:wr1", false},
		"tag":                     {eventXML("change_external_tag", "create", "Id", "t1", "TagType", "tag"), "change_external_tag.create", "tags", false},
		"colleague":               {eventXML("change_contact", "delete_user", "UserID", "zhang"), "change_contact.delete_user", "staff", false},
		"service":                 {eventXML("kf_msg_or_event", "", "Token", "tok", "OpenKfId", "wk1"), "kf_msg_or_event", "service:wk1", true},
		"message": {"\ufeff<xml><ToUserName>c</ToUserName><FromUserName>li</FromUserName><CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content>hi</Content><MsgId>77</MsgId></xml>",
			"message.text", "member:li", false},
	} {
		answer, in, err := c.Receive(t.Context(), posted(t, x.message))
		require.NoError(t, err, name)
		require.Equal(t, connector.Answer{}, answer, "an empty 200")
		require.Len(t, in, 1)
		require.Equal(t, []any{x.want, x.subject, x.urgent}, []any{in[0].Name, in[0].Subject, in[0].Urgent}, name)
		require.Equal(t, int64(1700000000), in[0].At.Unix())
		require.Equal(t, x.message, string(in[0].Body))
		_, again, err := c.Receive(t.Context(), posted(t, x.message))
		require.NoError(t, err)
		require.Equal(t, in[0].Key, again[0].Key, "a repeat, sealed anew, is known")
	}
	key := func(m string) string {
		_, in, err := c.Receive(t.Context(), posted(t, m))
		require.NoError(t, err)
		return in[0].Key
	}
	seen := map[string]bool{}
	for _, m := range []string{
		eventXML("change_external_contact", "add_external_contact", "UserID", "a", "ExternalUserID", "wm1"),
		eventXML("change_external_contact", "add_external_contact", "UserID", "b", "ExternalUserID", "wm1"),
		eventXML("change_external_contact", "add_external_contact", "UserID", "a", "ExternalUserID", "wm2"),
		eventXML("change_external_contact", "del_external_contact", "UserID", "a", "ExternalUserID", "wm1"),
		eventXML("change_external_chat", "update", "ChatId", "wr1", "UpdateDetail", "add_member", "MemChangeList", "wm1"),
		eventXML("change_external_chat", "update", "ChatId", "wr1", "UpdateDetail", "add_member", "MemChangeList", "wm2"),
		strings.Replace(eventXML("change_external_contact", "add_external_contact", "UserID", "a", "ExternalUserID", "wm1"), "1700000000", "1700000001", 1),
	} {
		require.False(t, seen[key(m)], m)
		seen[key(m)] = true
	}
}

func TestReceiveProvesTheAddress(t *testing.T) {
	_, c := newWorld(t)
	cipher, err := wxcrypto.New(testToken, testKey, testCorp, nil)
	require.NoError(t, err)
	s, err := cipher.Seal([]byte("1616140317555161061"), "1", "2")
	require.NoError(t, err)
	q := s.Query()
	q.Set("echostr", s.Encrypt)
	answer, in, err := c.Receive(t.Context(), connector.Request{Method: http.MethodGet, Query: q})
	require.NoError(t, err)
	require.Empty(t, in)
	require.Equal(t, "1616140317555161061", string(answer.Body), "bare")
	q.Set("msg_signature", "x")
	_, _, err = c.Receive(t.Context(), connector.Request{Method: http.MethodGet, Query: q})
	require.ErrorIs(t, err, connector.ErrSignature)
}

func TestReceiveRefuses(t *testing.T) {
	w, c := newWorld(t)
	good := posted(t, eventXML("change_external_contact", "add_external_contact", "ExternalUserID", "wm1"))
	seal := func(key, receiver, message string) connector.Request {
		x, err := wxcrypto.New(testToken, key, receiver, nil)
		require.NoError(t, err)
		s, err := x.Seal([]byte(message), "1", "2")
		require.NoError(t, err)
		return connector.Request{Method: http.MethodPost, Query: s.Query(), Body: s.Callback(testCorp, "1")}
	}
	for name, x := range map[string]struct {
		r    connector.Request
		want error
	}{
		"unsigned":        {connector.Request{Method: http.MethodPost, Query: url.Values{}, Body: good.Body}, connector.ErrSignature},
		"other key":       {seal("A"+testKey[1:], testCorp, "<xml/>"), connector.ErrDecrypt},
		"other corp":      {seal(testKey, "ww0000000000000000", "<xml/>"), connector.ErrReceiver},
		"empty":           {connector.Request{Method: http.MethodPost, Query: good.Query}, connector.ErrMalformed},
		"no event":        {seal(testKey, testCorp, "<xml><MsgType>event</MsgType><CreateTime>1</CreateTime></xml>"), connector.ErrMalformed},
		"of a suite":      {seal(testKey, testCorp, "<xml><SuiteId>s</SuiteId><InfoType>change_external_tag</InfoType><TimeStamp>1</TimeStamp></xml>"), connector.ErrMalformed},
		"no time":         {seal(testKey, testCorp, "<xml><MsgType>text</MsgType></xml>"), connector.ErrMalformed},
		"no document":     {seal(testKey, testCorp, "hello"), connector.ErrMalformed},
		"a document type": {seal(testKey, testCorp, "<!DOCTYPE a><xml/>"), connector.ErrMalformed},
	} {
		_, in, err := c.Receive(t.Context(), x.r)
		require.Empty(t, in, name)
		if name == "other key" { // most often the padding, by chance something else; never accepted
			require.Error(t, err)
			continue
		}
		require.ErrorIs(t, err, x.want, name)
	}
	keyless, err := open(connector.Account{Settings: map[string]string{settingCorp: testCorp}}, connector.Secrets{secretApp: "x"}, w.env(nil))
	require.NoError(t, err)
	_, _, err = keyless.Receive(t.Context(), good)
	require.ErrorIs(t, err, connector.ErrSignature)
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(eventXML("change_external_contact", "add_external_contact", "UserID", "a", "ExternalUserID", "wm1", "WelcomeCode", "w")))
	f.Add([]byte(eventXML("change_external_chat", "update", "ChatId", "wr", "MemChangeList", "wm1,wm2")))
	f.Add([]byte("<xml><MsgType>event</MsgType><CreateTime>99999999999999999999</CreateTime></xml>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEvent(b)
		if err != nil {
			return
		}
		in := e.incoming(b)
		require.NotEmpty(t, in.Key)
		require.NotEmpty(t, in.Name)
		require.LessOrEqual(t, len(in.Subject), 150)
	})
}
