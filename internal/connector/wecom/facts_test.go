package wecom

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func newFacts(t *testing.T, c *Client) (*Facts, *stream) {
	s := &stream{}
	return &Facts{Conn: func(context.Context, string) (*Client, error) { return c, nil }, Ingest: s, Log: testkit.Logger(t)}, s
}

// handle runs the handler of a callback's name.
func handle(t *testing.T, f *Facts, message string, try int) error {
	t.Helper()
	e, err := ParseEvent([]byte(message))
	require.NoError(t, err)
	in := e.incoming([]byte(message))
	in.Try = try
	h := f.Handlers()[in.Name]
	require.NotNil(t, h, in.Name)
	return h(t.Context(), connector.Account{ID: "ac_1"}, in)
}

func props(t *testing.T, raw json.RawMessage) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(raw, &m))
	return m
}

const known = `{"errcode":0,"external_contact":{"external_userid":"wm1","name":"李四","gender":2,"unionid":"u1","avatar":"http://wx.qlogo.cn/a"},"follow_user":[{"userid":"other"},{"userid":"zhang","remark":"李总","description":"采购","createtime":1700000000,"state":"s1","add_way":1,"tags":[{"tag_id":"t1","type":1}]}]}`

func TestFriendAdded(t *testing.T) {
	w, c := newWorld(t)
	f, s := newFacts(t, c)
	w.says("externalcontact/get", known)
	message := eventXML("change_external_contact", "add_external_contact", "UserID", "zhang", "ExternalUserID", "wm1", "State", "s1", "WelcomeCode", "wc")
	require.NoError(t, handle(t, f, message, 1))
	require.Len(t, s.facts, 2)
	added := s.facts[0]
	require.Equal(t, event.NameFriendAdded, added.Name)
	require.Equal(t, []event.Identifier{{Kind: "wecom_external_userid", Value: "wm1"}}, added.Identifiers)
	require.Equal(t, map[string]any{"account": "ac_1", "staff": "zhang", "state": "s1"}, props(t, added.Properties))
	require.EqualValues(t, 1700000000000, added.Timestamp)
	who := s.facts[1]
	require.Equal(t, event.Identify, who.Type)
	require.Equal(t, event.NameFriendKnown, who.Name, "no website can state it: see event.Reserved")
	require.True(t, event.Reserved(who.Name))
	require.Equal(t, []event.Identifier{{Kind: "wecom_external_userid", Value: "wm1"}, {Kind: "unionid", Value: "u1"}}, who.Identifiers)
	require.Equal(t, map[string]any{"name": "李四", "gender": "female", "avatar": "https://wx.qlogo.cn/a"}, props(t, who.Traits))
	require.Equal(t, map[string]any{"account": "ac_1", "friend": map[string]any{"staff": "zhang", "remark": "李总", "description": "采购", "since": 1700000000000.0, "state": "s1", "way": 1.0, "tags": []any{"t1"}, "read": float64(w.clock.Now().UnixMilli())}}, props(t, who.Properties))

	require.NoError(t, handle(t, f, message, 2))
	require.Len(t, s.facts, 2, "a callback handled twice counts once")
}

// What follows from a new friend waits for no call; who they are is asked for
// again, and in the end done without.
func TestFriendAddedWithoutDetails(t *testing.T) {
	w, c := newWorld(t)
	f, s := newFacts(t, c)
	message := eventXML("change_external_contact", "add_half_external_contact", "UserID", "zhang", "ExternalUserID", "wm1")
	w.says("externalcontact/get", `{"errcode":45009}`)
	var later *connector.Later
	require.ErrorAs(t, handle(t, f, message, 1), &later)
	require.Len(t, s.facts, 1)
	require.Equal(t, true, props(t, s.facts[0].Properties)["half"])
	require.NoError(t, handle(t, f, message, patience))

	w.says("externalcontact/get", `{"errcode":84061}`)
	require.NoError(t, handle(t, f, message, 1), "gone again already")
	require.Len(t, s.facts, 1)

	s.fail = errors.New("full")
	require.ErrorIs(t, handle(t, f, message, 1), s.fail)
}

func TestOtherFriendFacts(t *testing.T) {
	w, c := newWorld(t)
	f, s := newFacts(t, c)
	w.says("externalcontact/get", known)
	for _, x := range []struct {
		change string
		fields []string
		name   string
		want   map[string]any
	}{
		{"edit_external_contact", nil, event.NameFriendEdited, nil},
		{"del_external_contact", nil, event.NameFriendRemoved, nil},
		{"del_external_contact", []string{"Source", "DELETE_BY_TRANSFER"}, event.NameFriendRemoved, map[string]any{"reason": "transfer"}},
		{"del_follow_user", nil, event.NameFriendDeleted, nil},
		{"transfer_fail", []string{"FailReason", "customer_refused"}, event.NameTransferFailed, map[string]any{"reason": "customer_refused"}},
	} {
		s.facts, s.seen = nil, nil
		require.NoError(t, handle(t, f, eventXML("change_external_contact", x.change, append([]string{"UserID", "zhang", "ExternalUserID", "wm1"}, x.fields...)...), 1))
		want := map[string]any{"account": "ac_1", "staff": "zhang"}
		for k, v := range x.want {
			want[k] = v
		}
		require.Equal(t, x.name, s.facts[0].Name)
		require.Equal(t, want, props(t, s.facts[0].Properties), x.change)
	}
	err := handle(t, f, eventXML("change_external_contact", "del_follow_user", "UserID", "zhang"), 1)
	require.True(t, connector.GivenUp(err), "about nobody")
}

func TestCheck(t *testing.T) {
	w, c := newWorld(t)
	find := func(check string) connector.Finding {
		for _, f := range c.Check(t.Context()) {
			if f.Check == check {
				return f
			}
		}
		require.Fail(t, check)
		return connector.Finding{}
	}
	w.says("agent/get", `{"errcode":0,"name":"锦池","redirect_domain":"koi.example.com"}`)
	for _, f := range c.Check(t.Context()) {
		require.Equal(t, connector.OK, f.State, f.Check)
	}
	w.says("agent/get", `{"errcode":0,"name":"锦池"}`)
	require.Equal(t, "wecom.mend.domain", find("wecom.check.domain").Mend)
	w.says("externalcontact/get_follow_user_list", `{"errcode":48002}`)
	f := find("wecom.check.customers")
	require.Equal(t, []string{connector.Fail, "wecom.no_permission", "wecom.mend.callable"}, []string{f.State, f.Code, f.Mend})
	w.says("kf/account/list", `{"errcode":48002}`)
	require.Equal(t, connector.Warn, find("wecom.check.service").State, "not everybody has it")
	w.says("department/list", `nonsense`)
	require.Equal(t, connector.Unknown, find("wecom.check.directory").State)

	w.says("agent/get", `{"errcode":301002}`)
	require.Equal(t, "wecom.mend.secret_kind", find("wecom.check.secret").Mend)
	w.says("agent/get", `{"errcode":60020,"errmsg":"not allow to access from your ip, from ip: 203.0.113.7"}`)
	f = find("wecom.check.secret")
	require.Equal(t, "wecom.mend.ip", f.Mend)
	require.Equal(t, "203.0.113.7", f.Params["ip"])
	require.Len(t, c.Check(t.Context()), 2, "the rest would only repeat it")

	w.token = ""
	w.says("gettoken", `{"errcode":40001}`)
	f = find("wecom.check.secret")
	require.Equal(t, []string{connector.Fail, "wecom.bad_secret"}, []string{f.State, f.Code})
	c.env.Callback = "http://koi.example.com/x"
	require.Equal(t, connector.Warn, find("wecom.check.callback").State)
	c.env.Callback = ""
	require.Equal(t, "wecom.mend.address", find("wecom.check.callback").Mend)
}

func TestKind(t *testing.T) {
	k := Kind()
	require.Equal(t, "wecom", k.Name)
	names := map[string]bool{}
	for _, f := range k.Fields {
		require.False(t, names[f.Name])
		names[f.Name] = true
		require.True(t, f.Required)
		require.NotEmpty(t, f.Help, "where to find it")
	}
	require.NotEmpty(t, k.Quotas)
}
