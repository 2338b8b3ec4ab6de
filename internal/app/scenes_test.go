package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
)

// From a mini-program's code on a table to a contact with its channel and tags, found by
// the scan; a code of an account that is no mini-program is refused what only those have.
func TestAMiniProgramCodeBringsPeople(t *testing.T) {
	s := newOfficialPond(t)
	var official connector.View
	require.Equal(t, 200, s.call("GET", "/api/connectors/"+s.account, "", &official))
	var mini connector.View
	hook := httptest.NewServer(s.h)
	t.Cleanup(hook.Close)
	for _, x := range s.sim.AppAccess() {
		if x.Kind != sim.AppMini {
			continue
		}
		body, err := json.Marshal(connector.Input{Kind: wechat.NameMini, Name: x.Name, Settings: map[string]string{"appId": x.AppID, connector.SettingBase: official.Settings[connector.SettingBase]},
			Secrets: map[string]string{"secret": x.Secret, "token": x.Token, "aesKey": x.AESKey}})
		require.NoError(t, err)
		require.Less(t, s.call("POST", "/api/connectors", string(body), &mini), 300)
		require.NoError(t, s.sim.SetBackend(x.AppID, hook.URL+wechat.LoginPath(mini.ID)))
	}
	var accounts struct {
		Items []struct{ ID, Kind string }
	}
	require.Equal(t, 200, s.call("GET", "/api/scene-codes/accounts", "", &accounts))
	require.Equal(t, []struct{ ID, Kind string }{{s.account, "official"}, {mini.ID, "mini"}}, accounts.Items)
	var tag struct{ ID string }
	require.Less(t, s.call("POST", "/api/tags", `{"group":"来源","name":"桌贴"}`, &tag), 300)
	require.Equal(t, 422, s.call("POST", "/api/scene-codes", fmt.Sprintf(`{"account":%q,"name":"x","page":"pages/shop/index"}`, s.account), nil))
	var code struct {
		ID, Kind, Scannable string
		Ready               bool
	}
	require.Equal(t, 200, s.call("POST", "/api/scene-codes", fmt.Sprintf(`{"account":%q,"name":"湖滨店桌贴","channel":"offline","tags":[%q],"page":"pages/shop/index","gift":"COUPON20"}`, mini.ID, tag.ID), &code))
	require.Equal(t, "mini", code.Kind)
	require.Eventually(t, func() bool {
		return s.call("GET", "/api/scene-codes/"+code.ID, "", &code) == 200 && code.Ready
	}, 30*time.Second, 50*time.Millisecond)
	require.Equal(t, 200, s.call("GET", "/api/scene-codes/"+code.ID+"/qr?format=png", "", nil))
	require.Equal(t, 422, s.call("GET", "/api/scene-codes/"+code.ID+"/qr?format=svg", "", nil))

	var printed string
	for _, a := range s.sim.Apps() {
		if a.Kind == sim.AppMini {
			printed = a.Codes[0].ID
		}
	}
	p, err := s.sim.Invent("沈一诺", 2)
	require.NoError(t, err)
	scan := func() {
		d, err := s.sim.Do(t.Context(), sim.Act{Does: "scan", Who: p.ID, What: printed})
		require.NoError(t, err)
		require.Equal(t, 200, d.Status)
	}
	scan()
	var stats struct {
		Total struct{ Scans, People, Follows int64 }
	}
	scans := func(n int64) {
		require.Eventually(t, func() bool {
			return s.call("GET", "/api/scene-codes/"+code.ID+"/stats", "", &stats) == 200 && stats.Total.Scans == n
		}, 30*time.Second, 50*time.Millisecond)
	}
	scans(1)
	scan()
	scans(2)
	require.Equal(t, int64(1), stats.Total.People)
	ph, err := s.sim.Phone(p.ID)
	require.NoError(t, err)
	gifts := 0
	for _, l := range ph.Chats[0].Lines {
		if l.Text == "COUPON20" {
			gifts++
		}
	}
	require.Equal(t, 1, gifts, "at the first scan alone")
	rule := url.QueryEscape(`{"v":1,"all":[{"event":{"name":"code.scanned","where":[{"property":"code","op":"is","value":"` + code.ID + `"}]}}]}`)
	var page struct {
		Total int64
		Items []struct {
			Channel string
			Tags    []struct{ ID string }
		}
	}
	require.Eventually(t, func() bool {
		s.settle()
		return s.call("GET", "/api/contacts?where="+rule, "", &page) == 200 && page.Total == 1 && len(page.Items[0].Tags) == 1
	}, 30*time.Second, 100*time.Millisecond)
	require.Equal(t, tag.ID, page.Items[0].Tags[0].ID)
	require.Equal(t, "offline", page.Items[0].Channel, "the code's channel is where they come from")
}
