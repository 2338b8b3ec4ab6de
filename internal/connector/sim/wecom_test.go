package sim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector/sim"
)

func TestTokens(t *testing.T) {
	k := newKit(t)
	ask := func(corp, secret string) m {
		return k.raw(http.MethodGet, "/cgi-bin/gettoken?corpid="+corp+"&corpsecret="+secret, nil)
	}
	require.EqualValues(t, 41002, ask("", "x")["errcode"])
	require.EqualValues(t, 41004, ask(k.corp.CorpID, "")["errcode"])
	require.EqualValues(t, 40013, ask("wwother", "x")["errcode"])
	require.EqualValues(t, 40001, ask(k.corp.CorpID, "wrong")["errcode"])
	again := ask(k.corp.CorpID, k.corp.Secret)
	require.Equal(t, k.token, again["access_token"], "one token per secret while it is good")
	require.EqualValues(t, 7200, again["expires_in"])

	k.get("department/list")
	require.EqualValues(t, 41001, k.raw(http.MethodGet, "/cgi-bin/department/list", nil)["errcode"])
	good := k.token
	k.token = "nonsense"
	k.no(40014, http.MethodGet, "department/list", nil)
	k.token = good
	k.clock.Advance(7200 * time.Second)
	k.no(42001, http.MethodGet, "department/list", nil)
	k.signIn()
	require.NotEqual(t, good, k.token)
	k.get("department/list")
	k.no(43002, http.MethodGet, "externalcontact/remark", nil)
	res, err := http.Get(k.url + "/cgi-bin/nothing/here") //nolint:noctx // a test
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusNotFound, res.StatusCode)
}

func TestTheSameSeedMakesTheSameWorld(t *testing.T) {
	a, b := newKit(t), newKit(t)
	require.Equal(t, a.corp, b.corp)
	pa, pb := a.sim.People("", 50), b.sim.People("", 50)
	require.Equal(t, pa, pb)
	require.NotEmpty(t, pa)
	require.Equal(t, a.scan(a.way("s"), pa[0].ID), b.scan(b.way("s"), pb[0].ID))
	other := newKit(t, func(o *sim.Options) { o.Seed = 8 })
	require.NotEqual(t, a.corp.CorpID, other.corp.CorpID)
}

func TestDirectory(t *testing.T) {
	k := newKit(t)
	require.Len(t, k.get("department/list")["department"], 6)
	require.Len(t, k.get("department/list?id=2")["department"], 3, "with those below")
	k.no(60123, http.MethodGet, "department/list?id=99", nil)
	require.Len(t, k.get("user/simplelist?department_id=1")["userlist"], 0)
	require.Len(t, k.get("user/list?department_id=1&fetch_child=1")["userlist"], 10)
	u := k.get("user/get?userid=zhiqiu")
	require.Equal(t, "叶知秋", u["name"])
	require.Equal(t, "zhiqiu@shanyue.example", u["email"])
	k.no(60111, http.MethodGet, "user/get?userid=nobody", nil)
	require.Len(t, k.get("externalcontact/get_follow_user_list")["follow_user"], 8)
	p1 := k.post("user/list_id", m{"limit": 6})
	require.Len(t, p1["dept_user"], 6)
	p2 := k.post("user/list_id", m{"limit": 6, "cursor": p1["next_cursor"]})
	require.Len(t, p2["dept_user"], 4)
	require.Empty(t, p2["next_cursor"])
	k.no(50100, http.MethodPost, "user/list_id", m{"cursor": "made up"})
}

func TestContactWays(t *testing.T) {
	k := newKit(t)
	api := "externalcontact/add_contact_way"
	bad := func(code int, body m) { t.Helper(); k.no(code, http.MethodPost, api, body) }
	bad(41037, m{})
	bad(41039, m{"type": 3})
	bad(41038, m{"type": 2})
	bad(41040, m{"type": 2, "scene": 3})
	bad(41009, m{"type": 2, "scene": 2})
	bad(41041, m{"type": 1, "scene": 2, "user": []string{"zhiqiu", "ruyan"}})
	bad(60111, m{"type": 2, "scene": 2, "user": []string{"nobody"}})
	bad(84074, m{"type": 2, "scene": 2, "user": []string{"xingye"}})
	bad(60003, m{"type": 2, "scene": 2, "party": []int{77}})
	bad(40058, m{"type": 2, "scene": 2, "user": []string{"zhiqiu"}, "state": strings.Repeat("码", 31)})
	bad(40058, m{"type": 2, "scene": 2, "user": []string{"zhiqiu"}, "remark": strings.Repeat("码", 31)})
	bad(40058, m{"type": 2, "scene": 2, "user": []string{"zhiqiu"}, "is_temp": true, "expires_in": 15 * 86400})
	bad(41042, m{"type": 2, "scene": 1, "style": 9, "user": []string{"zhiqiu"}})

	made := k.post(api, m{"type": 2, "scene": 2, "user": []string{"zhiqiu", "ruyan"}, "state": strings.Repeat("码", 30), "skip_verify": true})
	id := made["config_id"].(string)
	require.Contains(t, made["qr_code"], "/sim/qr/"+id)
	got := k.post("externalcontact/get_contact_way", m{"config_id": id})["contact_way"].(m)
	require.Equal(t, []any{"zhiqiu", "ruyan"}, got["user"])
	k.post("externalcontact/update_contact_way", m{"config_id": id, "remark": "门店"})
	got = k.post("externalcontact/get_contact_way", m{"config_id": id})["contact_way"].(m)
	require.Equal(t, "门店", got["remark"])
	require.Equal(t, []any{"zhiqiu", "ruyan"}, got["user"], "a change leaves the rest")
	require.Len(t, k.post("externalcontact/list_contact_way", m{})["contact_way"], 1)
	k.no(41044, http.MethodPost, "externalcontact/get_contact_way", m{"config_id": "x"})
	k.no(41043, http.MethodPost, "externalcontact/get_contact_way", m{})

	met := []string{k.scan(id, k.person("甲")).Staff, k.scan(id, k.person("乙")).Staff, k.scan(id, k.person("丙")).Staff}
	require.Equal(t, []string{"zhiqiu", "ruyan", "zhiqiu"}, met, "they take turns")
	k.post("externalcontact/del_contact_way", m{"config_id": id})
	_, err := k.sim.Scan(id, k.person("丁"))
	require.ErrorContains(t, err, "sim.code_not_found")

	temp := k.way("t", m{"is_temp": true, "expires_in": 60})
	k.clock.Advance(61 * time.Second)
	_, err = k.sim.Scan(temp, k.person("戊"))
	require.ErrorContains(t, err, "sim.code_expired")
}

func TestWaysHaveAnEnd(t *testing.T) {
	k := newKit(t, func(o *sim.Options) { l := sim.DefaultLimits(); l.WeCom.Ways = 2; o.Limits = &l })
	k.way("a")
	k.way("b")
	k.no(41045, http.MethodPost, "externalcontact/add_contact_way", m{"type": 2, "scene": 2, "user": []string{"zhiqiu"}})
}

func TestAScanMakesAFriend(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	who := k.person("沈小满")
	met := k.scan(k.way("store-1"), who)
	require.Equal(t, []string{"change_external_contact.add_external_contact"}, k.heard(e))
	got := e.got[0]
	require.Equal(t, k.corp.CorpID, got.Get("ToUserName"))
	require.Equal(t, "zhiqiu", got.Get("UserID"))
	require.Equal(t, met.External, got.Get("ExternalUserID"))
	require.Equal(t, "store-1", got.Get("State"))
	require.Equal(t, met.Welcome, got.Get("WelcomeCode"))
	require.Equal(t, fmt.Sprint(start.Unix()), got.Get("CreateTime"))

	c := k.get("externalcontact/get?external_userid=" + met.External)
	require.Equal(t, "沈小满", c["external_contact"].(m)["name"])
	require.NotEmpty(t, c["external_contact"].(m)["unionid"])
	require.Equal(t, "store-1", c["follow_user"].([]any)[0].(m)["state"])
	require.Equal(t, []any{met.External}, k.get("externalcontact/list?userid=zhiqiu")["external_userid"])
	k.no(84061, http.MethodGet, "externalcontact/list?userid=ruyan", nil)
	k.no(40096, http.MethodGet, "externalcontact/get?external_userid=wmnobody", nil)
	k.no(41035, http.MethodGet, "externalcontact/get", nil)

	again := k.scan(k.way("store-2"), who)
	require.True(t, again.Already, "friends are not made twice")
	require.Len(t, k.heard(e), 1)

	require.NoError(t, k.sim.Delete(who, "zhiqiu"))
	require.Equal(t, "change_external_contact.del_follow_user", k.heard(e)[1])
	k.no(84061, http.MethodGet, "externalcontact/get?external_userid="+met.External, nil)
	k.no(84061, http.MethodPost, "externalcontact/remark", m{"userid": "zhiqiu", "external_userid": met.External, "remark": "x"})
	require.ErrorContains(t, k.sim.Delete(who, "zhiqiu"), "sim.not_friends")

	k.scan(k.way("store-3"), who)
	require.NoError(t, k.sim.Remove("zhiqiu", who))
	require.Equal(t, "change_external_contact.del_external_contact", k.heard(e)[3])
}

func TestARequestWaitsToBeAccepted(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	who := k.person("沈小满")
	met := k.scan(k.way("ask", m{"skip_verify": false}), who)
	require.True(t, met.Pending)
	require.Empty(t, k.heard(e))
	_, err := k.sim.Accept(who, "ruyan")
	require.ErrorContains(t, err, "sim.nothing_waits")
	_, err = k.sim.Accept(who, "zhiqiu")
	require.NoError(t, err)
	require.Equal(t, []string{"change_external_contact.add_external_contact"}, k.heard(e))
	require.Equal(t, "ask", e.got[0].Get("State"))
}

func TestWelcome(t *testing.T) {
	k := newKit(t)
	api := "externalcontact/send_welcome_msg"
	text := func(s string) m { return m{"content": s} }
	png := []byte("\x89PNG\r\n\x1a\n and more of it")
	up := k.upload("image", "a.png", png)
	require.EqualValues(t, 0, up["errcode"], up)

	met := k.scan(k.way("w"), k.person("甲"))
	k.no(41049, http.MethodPost, api, m{"text": text("你好")})
	k.no(41050, http.MethodPost, api, m{"welcome_code": "x", "text": text("你好")})
	k.no(40063, http.MethodPost, api, m{"welcome_code": met.Welcome})
	k.no(45002, http.MethodPost, api, m{"welcome_code": met.Welcome, "text": text(strings.Repeat("a", 4001))})
	link := m{"msgtype": "link", "link": m{"title": "券", "url": "https://example.com/c"}}
	ten := make([]m, 10)
	for i := range ten {
		ten[i] = link
	}
	k.no(40058, http.MethodPost, api, m{"welcome_code": met.Welcome, "attachments": ten})
	k.no(41065, http.MethodPost, api, m{"welcome_code": met.Welcome, "attachments": []m{{"msgtype": "voice"}}})
	k.no(40007, http.MethodPost, api, m{"welcome_code": met.Welcome, "attachments": []m{{"msgtype": "image", "image": m{"media_id": "x"}}}})
	k.no(40004, http.MethodPost, api, m{"welcome_code": met.Welcome, "attachments": []m{{"msgtype": "file", "file": m{"media_id": up["media_id"]}}}})
	k.no(40094, http.MethodPost, api, m{"welcome_code": met.Welcome, "attachments": []m{{"msgtype": "link", "link": m{"title": "券", "url": "javascript:1"}}}})

	k.post(api, m{"welcome_code": met.Welcome, "text": text(strings.Repeat("a", 4000)), "attachments": append(ten[:8:8], m{"msgtype": "image", "image": m{"media_id": up["media_id"]}})})
	k.no(41051, http.MethodPost, api, m{"welcome_code": met.Welcome, "text": text("again")})
	phone, err := k.sim.Phone(met.Person)
	require.NoError(t, err)
	require.Len(t, phone.Chats, 1)
	require.Len(t, phone.Chats[0].Lines, 1+1+9, "a note, the text and nine attachments")
	require.Equal(t, "welcome", phone.Chats[0].Lines[1].Via)

	late := k.scan(k.way("w2"), k.person("乙"))
	k.clock.Advance(20 * time.Second)
	onTime := k.scan(k.way("w3"), k.person("丙"))
	k.clock.Advance(time.Second)
	k.no(41050, http.MethodPost, api, m{"welcome_code": late.Welcome, "text": text("late")})
	require.NoError(t, k.sim.Chat(onTime.Person, "zhiqiu", "在吗"))
	k.no(41051, http.MethodPost, api, m{"welcome_code": onTime.Welcome, "text": text("hello")})

	require.NoError(t, k.sim.Delete(onTime.Person, "zhiqiu"))
	back := k.scan(k.way("w4"), onTime.Person)
	require.Empty(t, back.Welcome, "no code when they talked before")
}

func TestUploads(t *testing.T) {
	k := newKit(t)
	require.EqualValues(t, 40004, k.upload("poem", "a", []byte("0123456789"))["errcode"])
	require.EqualValues(t, 40123, k.upload("image", "a.png", []byte("not a picture"))["errcode"])
	require.EqualValues(t, 40006, k.upload("file", "a", []byte("123"))["errcode"])
	require.EqualValues(t, 40006, k.upload("file", "a", make([]byte, 20<<20+1))["errcode"])
	k.no(44001, http.MethodPost, "media/upload?type=file", m{"x": 1})
	old := k.upload("file", "a.txt", []byte("0123456789"))["media_id"]
	k.clock.Advance(73 * time.Hour)
	k.signIn()
	met := k.scan(k.way("w"), k.person("甲"))
	k.no(40007, http.MethodPost, "externalcontact/send_welcome_msg", m{"welcome_code": met.Welcome, "attachments": []m{{"msgtype": "file", "file": m{"media_id": old}}}})
}

func TestRemarksAndTags(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	met := k.scan(k.way("w"), k.person("甲"))
	on := func(more m) m {
		more["userid"], more["external_userid"] = "zhiqiu", met.External
		return more
	}
	api := "externalcontact/remark"
	k.no(40063, http.MethodPost, api, on(m{}))
	k.no(40058, http.MethodPost, api, on(m{"remark": strings.Repeat("备", 21)}))
	k.no(40058, http.MethodPost, api, on(m{"description": strings.Repeat("备", 151)}))
	k.no(40058, http.MethodPost, api, on(m{"remark_mobiles": []string{"no number"}}))
	k.no(84061, http.MethodPost, api, m{"userid": "ruyan", "external_userid": met.External, "remark": "x"})
	k.post(api, on(m{"remark": "甲-门店", "remark_mobiles": []string{"13800000001"}}))
	k.post(api, on(m{"description": "爱白茶"}))
	f := k.get("externalcontact/get?external_userid=" + met.External)["follow_user"].([]any)[0].(m)
	require.Equal(t, "甲-门店", f["remark"])
	require.Equal(t, "爱白茶", f["description"])

	tags := "externalcontact/add_corp_tag"
	k.no(40058, http.MethodPost, tags, m{"group_name": "来源"})
	k.no(40072, http.MethodPost, tags, m{"group_name": "来源", "tag": []m{{"name": strings.Repeat("标", 31)}}})
	made := k.post(tags, m{"group_name": "来源", "tag": []m{{"name": "门店"}, {"name": "抖音"}}})["tag_group"].(m)
	k.no(40071, http.MethodPost, tags, m{"group_name": "来源", "tag": []m{{"name": "门店"}}})
	k.no(40068, http.MethodPost, tags, m{"group_id": "etnone", "tag": []m{{"name": "门店"}}})
	store := made["tag"].([]any)[0].(m)["id"].(string)
	mark := "externalcontact/mark_tag"
	k.no(40063, http.MethodPost, mark, on(m{}))
	k.no(40068, http.MethodPost, mark, on(m{"add_tag": []string{"etnone"}}))
	k.post(mark, on(m{"add_tag": []string{store, store}}))
	batch := k.post("externalcontact/batch/get_by_user", m{"userid_list": []string{"zhiqiu"}})["external_contact_list"].([]any)[0].(m)
	require.Equal(t, []any{store}, batch["follow_info"].(m)["tag_id"])
	require.Len(t, k.heard(e), 1, "what comes through the API is not called back")

	require.NoError(t, k.sim.Label("zhiqiu", met.Person, "抖音"))
	require.NoError(t, k.sim.Note("zhiqiu", met.Person, "老客"))
	require.Equal(t, []string{"change_external_contact.add_external_contact", "change_external_contact.edit_external_contact", "change_external_contact.edit_external_contact"}, k.heard(e))

	k.post("externalcontact/edit_corp_tag", m{"id": store, "name": "门店扫码"})
	k.no(40071, http.MethodPost, "externalcontact/edit_corp_tag", m{"id": store, "name": "抖音"})
	k.post("externalcontact/del_corp_tag", m{"group_id": []string{made["group_id"].(string)}})
	list := k.post("externalcontact/get_corp_tag_list", m{})["tag_group"].([]any)
	require.Len(t, list, 2)
	f = k.get("externalcontact/get?external_userid=" + met.External)["follow_user"].([]any)[0].(m)
	require.Empty(t, f["tags"], "a deleted tag is taken from the customers")
}

func TestTagsHaveAnEnd(t *testing.T) {
	k := newKit(t, func(o *sim.Options) { l := sim.DefaultLimits(); l.WeCom.CorpTags = 9; o.Limits = &l })
	k.post("externalcontact/add_corp_tag", m{"group_name": "g", "tag": []m{{"name": "a"}}})
	k.no(40126, http.MethodPost, "externalcontact/add_corp_tag", m{"group_name": "g", "tag": []m{{"name": "b"}}})
}

func TestRates(t *testing.T) {
	k := newKit(t, func(o *sim.Options) {
		l := sim.DefaultLimits()
		l.WeCom.PerMinute = 3
		l.WeCom.PerHour = 5
		o.Limits = &l
	})
	for range 3 {
		k.get("department/list")
	}
	k.no(45009, http.MethodGet, "department/list", nil)
	k.get("user/get?userid=zhiqiu") // each API has its own
	k.clock.Advance(time.Minute)
	k.get("department/list")
	k.get("department/list")
	k.no(45009, http.MethodGet, "department/list", nil)
	k.clock.Advance(time.Hour)
	k.get("department/list")
}

func TestLimitsAreAllThere(t *testing.T) {
	l := sim.DefaultLimits()
	require.Positive(t, l.WeCom.PerMinute)
	require.Equal(t, 20, l.WeCom.WelcomeSeconds)
	require.Equal(t, []string{"APIPerMinute"}, sim.MissingLimits(l), "every other limit has a value")
}
