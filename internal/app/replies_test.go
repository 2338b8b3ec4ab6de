package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// officialPond is a pond with a simulated official account connected to it.
type officialPond struct {
	*world
	t       *testing.T
	sim     *sim.Sim
	app     string // the platform's id of the account
	account string // ours
}

func newOfficialPond(t *testing.T) *officialPond {
	s := &officialPond{t: t, sim: sim.New(sim.Options{Seed: 7, Log: testkit.Quiet()})}
	platform := httptest.NewServer(s.sim)
	t.Cleanup(func() { platform.Close(); s.sim.Close() })
	cfg := testConfig(t)
	cfg.OutboundPrivate = true // the simulator is on this machine
	s.world = startWorldLogging(t, cfg, testkit.Quiet())
	all := s.sim.AppAccess()
	x := all[slices.IndexFunc(all, func(a sim.AppAccess) bool { return a.Kind == sim.AppOfficial })]
	body, err := json.Marshal(connector.Input{Kind: wechat.Name, Name: x.Name, Settings: map[string]string{"appId": x.AppID, "mode": "safe", connector.SettingBase: platform.URL + "/wechat"},
		Secrets: map[string]string{"secret": x.Secret, "token": x.Token, "aesKey": x.AESKey}})
	require.NoError(t, err)
	var made struct {
		ID      string
		Account struct{ ID string }
	}
	require.Less(t, s.call("POST", "/api/connectors", string(body), &made), 300)
	s.account, s.app = made.ID+made.Account.ID, x.AppID
	hook := httptest.NewServer(s.h)
	t.Cleanup(hook.Close)
	require.NoError(t, s.sim.SetAppCallback(t.Context(), x.AppID, hook.URL+connector.HookPath(wechat.Name, s.account), x.Token, x.AESKey, false))
	return s
}

// rule makes an auto-reply that says a text.
func (s *officialPond) rule(kind, says, more string) string {
	s.t.Helper()
	var made struct{ ID string }
	require.Equal(s.t, 200, s.call("POST", "/api/replies", fmt.Sprintf(`{"account":%q,"name":%q,"kind":%q,"contents":[{"kind":"text","text":%q}]%s}`, s.account, says, kind, says, more), &made))
	return made.ID
}

// heard lists what the account said to somebody.
func (s *officialPond) heard(who string) (out []string) {
	p, err := s.sim.Phone(who)
	require.NoError(s.t, err)
	for _, c := range p.Chats {
		for _, l := range c.Lines {
			if l.From != "me" && l.Kind != "note" && l.Text != "" {
				out = append(out, l.Text)
			}
		}
	}
	return out
}

func (s *officialPond) hears(who, want string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return slices.Contains(s.heard(who), want) }, 20*time.Second, 20*time.Millisecond, "%s was not said to %s: %v", want, who, s.heard(who))
}

// From a code on a table to a welcomed and tagged follower who asks, and is answered.
func TestAnOfficialAccountAnswers(t *testing.T) {
	s := newOfficialPond(t)
	var tag struct{ ID string }
	require.Less(t, s.call("POST", "/api/tags", `{"group":"来源","name":"茶席"}`, &tag), 300)
	s.rule("follow", "欢迎关注", "")
	keyword := s.rule("keyword", "湖滨路 18 号", fmt.Sprintf(`,"words":[{"text":"地址","match":"contains"}],"tags":[%q]`, tag.ID))
	member := s.rule("chosen", "会员九折", "")
	gift := s.rule("chosen", "送您小样", "")

	var menu struct{ Rev int64 }
	require.Equal(t, 200, s.call("PUT", "/api/menus/"+s.account, fmt.Sprintf(`{"rev":0,"buttons":[{"name":"会员","kind":"reply","reply":%q}]}`, member), &menu))
	require.Equal(t, 200, s.call("POST", "/api/menus/"+s.account+"/publish", fmt.Sprintf(`{"rev":%d}`, menu.Rev), nil))

	var code struct{ ID, Scannable string }
	require.Equal(t, 200, s.call("POST", "/api/scene-codes", fmt.Sprintf(`{"account":%q,"name":"南山店茶席","channel":"offline","hook":%q}`, s.account, gift), &code))
	require.Eventually(t, func() bool {
		return s.call("GET", "/api/scene-codes/"+code.ID, "", &code) == 200 && code.Scannable != ""
	}, 30*time.Second, 50*time.Millisecond)

	p, err := s.sim.Invent("沈一诺", 2)
	require.NoError(t, err)
	_, err = s.sim.Scan(code.Scannable, p.ID)
	require.NoError(t, err)
	s.hears(p.ID, "送您小样")
	_, err = s.sim.Do(t.Context(), sim.Act{Does: "ask", Who: p.ID, With: s.app, Text: "请问门店地址在哪"})
	require.NoError(t, err)
	s.hears(p.ID, "湖滨路 18 号")
	_, err = s.sim.Press(t.Context(), p.ID, s.app, "会员")
	require.NoError(t, err)
	s.hears(p.ID, "会员九折")
	require.NotContains(t, s.heard(p.ID), "欢迎关注", "the code's gift takes the place of the welcome")
	other, err := s.sim.Invent("周也", 1)
	require.NoError(t, err)
	require.NoError(t, s.sim.Follow(other.ID, s.app))
	s.hears(other.ID, "欢迎关注")

	rule := url.QueryEscape(`{"v":1,"all":[{"event":{"name":"reply.sent","where":[{"property":"rule","op":"is","value":"` + keyword + `"}]}}]}`)
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
	var stats struct {
		Total struct{ Scans, Follows int64 }
	}
	require.Equal(t, 200, s.call("GET", "/api/scene-codes/"+code.ID+"/stats", "", &stats))
	require.Equal(t, int64(1), stats.Total.Scans)
	require.Equal(t, int64(1), stats.Total.Follows)
	var sent struct{ Sent, People int64 }
	require.Equal(t, 200, s.call("GET", "/api/replies/"+keyword+"/stats", "", &sent))
	require.Equal(t, int64(1), sent.Sent)
}
