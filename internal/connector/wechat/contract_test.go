package wechat_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// Official accounts and mini-programs keep the promises of a connector, against the
// simulator. Calls in the open are TestReceive's.
func TestContract(t *testing.T) {
	for _, kind := range []string{sim.AppOfficial, sim.AppMini} {
		t.Run(kind, func(t *testing.T) {
			contract.Run(t, func(t *testing.T) contract.Subject { return subject(t, kind) })
		})
	}
}

func subject(t *testing.T, kind string) contract.Subject {
	s := newSim(t)
	a := s.access(kind)
	k := wechat.Kind()
	if kind == sim.AppMini {
		k = wechat.KindMini()
	}
	post := func(receiver string, message []byte) connector.Request {
		now := strconv.FormatInt(time.Now().Unix(), 10)
		c, err := wxcrypto.New(a.Token, a.AESKey, receiver, nil)
		require.NoError(t, err)
		sealed, err := c.Seal(message, now, "n1")
		require.NoError(t, err)
		q := sealed.Query()
		q.Set("encrypt_type", "aes")
		return connector.Request{Method: http.MethodPost, Query: q, Body: sealed.Callback("gh_1", "")}
	}
	word := func(n int, subject string) []byte {
		return wxcrypto.Write("xml", wxcrypto.Elem("ToUserName", "gh_1"), wxcrypto.Elem("FromUserName", subject), wxcrypto.Raw("CreateTime", fmt.Sprint(1_772_424_000+n)), wxcrypto.Elem("MsgType", "text"),
			wxcrypto.Elem("Content", "你好"), wxcrypto.Raw("MsgId", fmt.Sprint(7000+n)))
	}
	call := "cgi-bin/template/get_all_private_template"
	if kind == sim.AppMini {
		call = "wxaapi/newtmpl/gettemplate"
	}
	subject := contract.Subject{
		Kind: k, Account: s.account(kind, "safe"),
		Call: func(ctx context.Context, c connector.Conn) (err error) {
			if o, ok := c.(*wechat.Official); ok {
				_, err = o.Templates(ctx)
			} else {
				_, err = c.(*wechat.Mini).SubscribeTemplates(ctx)
			}
			return err
		},
		Fetched: func() int { return int(s.tokens.Load()) }, Calls: func() int { return int(s.calls.Load()) },
		Stale: func() { s.fault(sim.Fault{Kind: sim.FaultExpired, Path: call, Left: 1}) },
		Busy: func(n int) {
			s.RemoveFault("")
			if n > 0 {
				s.fault(sim.Fault{Kind: sim.FaultBusy, Path: call, Left: n})
			}
		},
		Limit:      func() { s.fault(sim.Fault{Kind: sim.FaultRate, Path: call}) },
		BadSecrets: map[string]string{"secret": "0123456789abcdef0123456789abcdef"},
		Callback:   func(n int, subject string) connector.Request { return post(a.AppID, word(n, subject)) },
		Prove: func() (connector.Request, string) {
			now := strconv.FormatInt(time.Now().Unix(), 10)
			return connector.Request{Method: http.MethodGet, Query: url.Values{"signature": {wxcrypto.Signature(a.Token, now, "n")}, "timestamp": {now}, "nonce": {"n"}, "echostr": {"8423984729384"}}}, "8423984729384"
		},
		Forged: func() connector.Request {
			r := post(a.AppID, word(1, "x"))
			r.Query.Set("nonce", "n2")
			return r
		},
		Message: func(key string) connector.Message { return s.message(kind, key) },
		Refused: func(key string) connector.Message {
			m := s.message(kind, key)
			m.Template = "no-such-template"
			return m
		},
		Sent: func(key string) (n int) {
			c := chatOf(t, s, "收信人", kind)
			for _, l := range c.Lines {
				if l.Kind == "template" && strings.Contains(l.Text, key) {
					n++
				}
			}
			return n
		},
		Receipt: func(id string) connector.Request {
			if kind == sim.AppMini {
				return post(a.AppID, []byte(`{"ToUserName":"gh_1","FromUserName":"o1","CreateTime":1772424000,"MsgType":"event","Event":"subscribe_msg_sent_event","List":{"TemplateId":"t","MsgID":"`+id+`","ErrorCode":"0","ErrorStatus":"success"}}`))
			}
			return post(a.AppID, wxcrypto.Write("xml", wxcrypto.Elem("ToUserName", "gh_1"), wxcrypto.Elem("FromUserName", "o1"), wxcrypto.Raw("CreateTime", "1772424000"), wxcrypto.Elem("MsgType", "event"),
				wxcrypto.Elem("Event", "TEMPLATESENDJOBFINISH"), wxcrypto.Raw("MsgID", id), wxcrypto.Elem("Status", "success")))
		},
	}
	if kind == sim.AppMini { // the same door, which waits seconds
		subject.Busy = nil
	}
	subject.Foreign = func() connector.Request { return post("wx0000000000000000", word(1, "x")) }
	subject.Garbled = func() connector.Request {
		c, err := wxcrypto.New(a.Token, a.AESKey, a.AppID, nil)
		require.NoError(t, err)
		x := wxcrypto.Sealed{Encrypt: "AAAA", Signature: c.Sign("1", "2", "AAAA"), Timestamp: "1", Nonce: "2"}
		return connector.Request{Method: http.MethodPost, Query: x.Query(), Body: x.Callback("gh_1", "")}
	}
	return subject
}

// message is one by a template to somebody who wants it, with the key in it.
func (s *simulated) message(kind, key string) connector.Message {
	ph, err := s.Phone("收信人")
	if err != nil {
		p := s.person("收信人")
		if kind == sim.AppOfficial {
			require.NoError(s.t, s.Follow(p.ID, ""))
		}
		ph, err = s.Phone(p.ID)
		require.NoError(s.t, err)
	}
	app := s.access(kind)
	m := connector.Message{Key: key, Form: wechat.FormTemplate, Params: []connector.Param{{Name: "thing1", Value: "湖滨店 " + key}, {Name: "time2", Value: "2026年3月8日 14:00"}}}
	title := "预约成功通知"
	if kind == sim.AppMini {
		m.Form, title, m.Params[1].Name = wechat.FormSubscribe, "到货提醒", "thing2"
		m.Params[1].Value = "到货了"
		require.NoError(s.t, s.Agree(ph.Person.ID, app.AppID, title, true))
		ph, err = s.Phone(ph.Person.ID)
		require.NoError(s.t, err)
	}
	for _, a := range s.Apps() {
		for _, t := range a.Templates {
			if a.ID == app.AppID && t.Title == title {
				m.Template = t.ID
			}
		}
	}
	m.To = ph.Externals[len(ph.Externals)-1]
	return m
}
