package app

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// apps connects the simulated official account and mini-program, too.
func (s *openAir) apps(t *testing.T, own string) {
	// The simulator that newOpenAir serves is asked at its own address.
	var wecomAccount connector.View
	require.Equal(t, 200, s.call("GET", "/api/connectors/"+s.account, "", &wecomAccount))
	base := wecomAccount.Settings[connector.SettingBase]
	base = base[:len(base)-len("wecom")] + "wechat"
	for _, x := range s.sim.AppAccess() {
		kind := map[string]string{sim.AppOfficial: wechat.Name, sim.AppMini: wechat.NameMini}[x.Kind]
		body, err := json.Marshal(connector.Input{Kind: kind, Name: x.Name, Settings: map[string]string{"appId": x.AppID, connector.SettingBase: base},
			Secrets: map[string]string{"secret": x.Secret, "token": x.Token, "aesKey": x.AESKey}})
		require.NoError(t, err)
		var made connector.View
		require.Less(t, s.call("POST", "/api/connectors", string(body), &made), 300)
		require.NoError(t, s.sim.SetAppCallback(t.Context(), x.AppID, own+connector.HookPath(kind, made.ID), x.Token, x.AESKey, false))
		if x.Kind == sim.AppMini {
			require.NoError(t, s.sim.SetBackend(x.AppID, own+wechat.LoginPath(made.ID)))
		}
	}
}

// A friend in WeCom who follows the official account, logs in to the mini-program and
// gives the phone number there is one contact.
func TestOnePersonInWeComOfficialAccountAndMiniProgram(t *testing.T) {
	s := newOpenAir(t, testConfig(t), sim.Options{Seed: 3, Log: testkit.Quiet()})
	hook := httptest.NewServer(s.h)
	defer hook.Close()
	s.hears(t, hook.URL)
	s.apps(t, hook.URL)
	p, err := s.sim.Invent("沈一诺", 2)
	require.NoError(t, err)
	for _, a := range []sim.Act{{Who: p.ID, Does: "scan", What: "user:zhiqiu"}, {Who: "zhiqiu", Does: "accept", With: p.ID}, {Who: p.ID, Does: "follow"}, {Who: p.ID, Does: "launch"}, {Who: p.ID, Does: "phone"}} {
		d, err := s.sim.Do(t.Context(), a)
		require.NoError(t, err)
		require.Contains(t, []int{0, 200}, d.Status, a.Does)
	}
	var page struct {
		Total int64
		Items []struct{ ID, Name string }
	}
	did := func(name string) string { return `{"event":{"name":"` + name + `"}}` }
	rule := url.QueryEscape(`{"v":1,"all":[` + did("friend.added") + `,` + did("account.followed") + `,` + did("account.signed_in") + `,` + did("phone.given") + `]}`)
	require.Eventually(t, func() bool {
		s.settle()
		return s.call("GET", "/api/contacts?where="+rule, "", &page) == 200 && page.Total == 1
	}, 30*time.Second, 100*time.Millisecond, "all of it by one person")
	require.Equal(t, "沈一诺", page.Items[0].Name)
	var all struct{ Total int64 }
	require.Equal(t, 200, s.call("GET", "/api/contacts", "", &all))
	require.EqualValues(t, 1, all.Total, "and nobody else")
	ph, err := s.sim.Phone(p.ID)
	require.NoError(t, err)
	require.Len(t, ph.Externals, 3)
	for _, id := range ph.Externals {
		var found struct{ Contacts []struct{ ID string } }
		require.Equal(t, 200, s.call("GET", "/api/search?q="+id, "", &found))
		require.Len(t, found.Contacts, 1, id)
		require.Equal(t, page.Items[0].ID, found.Contacts[0].ID)
	}
}
