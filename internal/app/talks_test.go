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
