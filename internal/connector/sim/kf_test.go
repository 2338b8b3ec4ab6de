package sim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What customer service may say: the kinds with their limits, five messages in the 48
// hours after a word, each id of the company's once, and an event once, with less.
func TestCustomerServiceSays(t *testing.T) {
	k := newKit(t)
	send, event := "kf/send_msg", "kf/send_msg_on_event"
	desk := k.get("kf/account/list")["account_list"].([]any)[0].(map[string]any)["open_kfid"].(string)
	who := k.person("甲")
	require.NoError(t, k.sim.Ask(who, "", "在吗"))
	list := k.post("kf/sync_msg", m{"open_kfid": desk})["msg_list"].([]any)
	code := list[0].(map[string]any)["event"].(map[string]any)["welcome_code"]
	phone, err := k.sim.Phone(who)
	require.NoError(t, err)
	with := func(kind string, body m) m {
		return m{"touser": phone.Externals[0], "open_kfid": desk, "msgtype": kind, kind: body}
	}
	picture := k.upload("image", "a.png", []byte("\x89PNG\r\n\x1a\n and more of it"))["media_id"]
	file := k.upload("file", "a.txt", []byte("0123456789"))["media_id"]
	long := func(n int) string { return strings.Repeat("a", n) }
	click := func(id, words string) m { return m{"type": "click", "click": m{"id": id, "content": words}} }
	menu := func(list ...m) m {
		return m{"head_content": "想看什么？", "list": list, "tail_content": "或者直接告诉我"}
	}
	link := func(title, url string, thumb any) m { return m{"title": title, "url": url, "thumb_media_id": thumb} }
	mini := func(app, page string, thumb any) m {
		return m{"title": "茶单", "appid": app, "pagepath": page, "thumb_media_id": thumb}
	}
	eleven := make([]m, 11)
	for i := range eleven {
		eleven[i] = click(fmt.Sprint(i), "茶")
	}
	for name, c := range map[string]struct {
		code int
		kind string
		body m
	}{
		"an empty text":                {44004, "text", m{"content": ""}},
		"a long text":                  {45002, "text", m{"content": long(2049)}},
		"an image that is none":        {40004, "image", m{"media_id": file}},
		"an image that is nowhere":     {40007, "image", m{"media_id": "x"}},
		"an image without id":          {41006, "image", m{}},
		"a link without picture":       {41006, "link", link("券", "https://example.com", "")},
		"a link without title":         {40058, "link", link("", "https://example.com", picture)},
		"a link with a long title":     {40058, "link", link(long(129), "https://example.com", picture)},
		"a link to nowhere":            {40094, "link", link("券", "javascript:1", picture)},
		"a mini-program of nobody":     {90207, "miniprogram", mini("app", "a.html", picture)},
		"a mini-program without page":  {40058, "miniprogram", mini("wx1", "", picture)},
		"a mini-program not pictured":  {41006, "miniprogram", mini("wx1", "a.html", "")},
		"a menu without lines":         {40058, "msgmenu", menu()},
		"a menu of eleven":             {40058, "msgmenu", menu(eleven...)},
		"a line without id":            {40058, "msgmenu", menu(click("", "茶"))},
		"a line with long words":       {40058, "msgmenu", menu(click("1", long(129)))},
		"a line of no sort":            {40058, "msgmenu", menu(m{"type": "poem"})},
		"a line that opens nothing":    {40094, "msgmenu", menu(m{"type": "view", "view": m{"url": "x", "content": "茶"}})},
		"a line of an app of nobody":   {40058, "msgmenu", menu(m{"type": "miniprogram", "miniprogram": m{"appid": "x", "pagepath": "p", "content": "茶"}})},
		"a kind that is not spoken of": {40008, "poem", m{}},
	} {
		t.Run(name, func(t *testing.T) {
			in := k.raw(http.MethodPost, k.path(send), with(c.kind, c.body))
			require.EqualValues(t, c.code, in["errcode"], in)
		})
	}
	k.no(40008, http.MethodPost, event, m{"code": code, "msgtype": "image", "image": m{"media_id": picture}})
	k.post(event, m{"code": code, "msgtype": "msgmenu", "msgmenu": menu(click("1", "茶单"))})
	k.no(95018, http.MethodPost, event, m{"code": code, "msgtype": "text", "text": m{"content": "again"}})

	own := with("text", m{"content": "在的"})
	own["msgid"] = "koi_1"
	require.Equal(t, "koi_1", k.post(send, own)["msgid"])
	k.no(40058, http.MethodPost, send, own)
	own["msgid"] = "no spaces"
	k.no(40058, http.MethodPost, send, own)
	k.post(send, with("image", m{"media_id": picture}))
	k.post(send, with("link", link("券", "https://example.com", picture)))
	k.post(send, with("miniprogram", mini("wx1", "a.html", picture)))
	k.post(send, with("msgmenu", menu(click("t1", "茶单"), m{"type": "view", "view": m{"url": "https://example.com", "content": "官网"}}, m{"type": "text", "text": m{"content": "——"}})))
	k.no(95001, http.MethodPost, send, with("text", m{"content": "六"}))

	phone, err = k.sim.Phone(who)
	require.NoError(t, err)
	var kinds []string
	for _, l := range phone.Chats[0].Lines {
		kinds = append(kinds, l.Kind)
	}
	require.Equal(t, []string{"text", "menu", "text", "image", "link", "miniprogram", "menu"}, kinds)
	require.Equal(t, "或者直接告诉我", phone.Chats[0].Lines[6].Tail)

	require.Error(t, k.sim.Tap(who, desk, "官网"), "a line that opens a page says nothing")
	require.NoError(t, k.sim.Tap(who, desk, "t1"))
	list = k.post("kf/sync_msg", m{"open_kfid": desk})["msg_list"].([]any)
	require.Equal(t, map[string]any{"content": "茶单", "menu_id": "t1"}, list[len(list)-1].(map[string]any)["text"])
	k.post(send, with("text", m{"content": "a tap is a word: five more"}))
	k.clock.Advance(48*time.Hour + time.Second)
	k.signIn()
	k.no(95002, http.MethodPost, send, with("text", m{"content": "too late"}))
}
