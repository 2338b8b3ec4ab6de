package app

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// Who comes into WeCom's customer service is greeted, and asked words are answered,
// by the same rules as in the official account; what was said is counted.
func TestCustomerServiceIsAnswered(t *testing.T) {
	s := newOpenAir(t, testConfig(t), sim.Options{Seed: 5, Log: testkit.Quiet()})
	hook := httptest.NewServer(s.h)
	defer hook.Close()
	s.hears(t, hook.URL)
	rule := func(kind, says, more string) string {
		var made struct{ ID string }
		require.Equal(t, 200, s.call("POST", "/api/replies", fmt.Sprintf(`{"account":%q,"name":%q,"kind":%q,"contents":[{"kind":"text","text":%q}]%s}`, s.account, says, kind, says, more), &made))
		return made.ID
	}
	rule("follow", "您好，请问想喝什么茶", "")
	keyword := rule("keyword", "满 200 元包邮", `,"words":[{"text":"邮费","match":"contains"}]`)
	who, err := s.sim.Invent("沈小满", 2)
	require.NoError(t, err)
	heard := func() (out []string) {
		p, err := s.sim.Phone(who.ID)
		require.NoError(t, err)
		for _, c := range p.Chats {
			for _, l := range c.Lines {
				if l.From != "me" && l.Kind != "note" && l.Text != "" {
					out = append(out, l.Text)
				}
			}
		}
		return out
	}
	hears := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool { return slices.Contains(heard(), want) }, 20*time.Second, 20*time.Millisecond, "%s was not said: %v", want, heard())
	}
	require.NoError(t, s.sim.Ask(who.ID, "", "邮费多少"))
	hears("满 200 元包邮")
	hears("您好，请问想喝什么茶")
	var sent struct{ Sent, People int64 }
	require.Eventually(t, func() bool {
		s.settle()
		return s.call("GET", "/api/replies/"+keyword+"/stats", "", &sent) == 200 && sent.Sent == 1
	}, 20*time.Second, 50*time.Millisecond)
	require.Equal(t, int64(1), sent.People)
	require.NoError(t, s.sim.Ask(who.ID, "", "你好"))
	require.Len(t, heard(), 2, "nothing is said to what no rule knows")
}

// A picture, a card and a menu leave in customer service as they leave in an official
// account; a tapped line is answered by the rule that it chose, and what the platform
// would not take is refused when the rule is saved.
func TestCustomerServiceSaysMoreThanWords(t *testing.T) {
	s := newOpenAir(t, testConfig(t), sim.Options{Seed: 5, Log: testkit.Quiet()})
	hook := httptest.NewServer(s.h)
	defer hook.Close()
	s.hears(t, hook.URL)
	var up struct{ ID string }
	require.Equal(t, 200, s.call("POST", "/api/live-code-files?name=tea.png", "\x89PNG\r\n\x1a\n and more of it", &up))
	picture := up.ID
	rule := func(want int, kind, name, contents, more string) string {
		t.Helper()
		var made struct{ ID string }
		require.Equal(t, want, s.call("POST", "/api/replies", fmt.Sprintf(`{"account":%q,"name":%q,"kind":%q,"contents":%s%s}`, s.account, name, kind, contents, more), &made))
		return made.ID
	}
	rule(422, "follow", "两条欢迎", `[{"kind":"text","text":"欢迎"},{"kind":"text","text":"再说一句"}]`, "")
	list := rule(200, "chosen", "茶单", fmt.Sprintf(`[{"kind":"image","file":%q},{"kind":"link","title":"当季茶单","note":"明前龙井","url":"https://tea.example/menu","file":%q},{"kind":"miniprogram","title":"下单","appId":"wx1","appPath":"pages/buy.html","file":%q}]`, picture, picture, picture), "")
	rule(200, "follow", "欢迎菜单", fmt.Sprintf(`[{"kind":"menu","text":"想看什么？","lines":[{"text":"看看茶单","reply":%q},{"text":"官网","url":"https://tea.example"}],"tail":"或者直接留言"}]`, list), "")
	who, err := s.sim.Invent("沈小满", 2)
	require.NoError(t, err)
	heard := func() (out []string) {
		p, err := s.sim.Phone(who.ID)
		require.NoError(t, err)
		for _, c := range p.Chats {
			for _, l := range c.Lines {
				if l.From != "me" && l.Kind != "note" {
					out = append(out, l.Kind+" "+l.Title+l.Text)
				}
			}
		}
		return out
	}
	hears := func(want ...string) {
		t.Helper()
		require.Eventually(t, func() bool { return slices.Equal(want, heard()) }, 20*time.Second, 20*time.Millisecond, "%v was not said: %v", want, heard())
	}
	require.NoError(t, s.sim.Ask(who.ID, "", "你好"))
	hears("menu 想看什么？")
	require.NoError(t, s.sim.Tap(who.ID, "", "看看茶单"))
	hears("menu 想看什么？", "image ", "link 当季茶单明前龙井", "miniprogram 下单")
}
