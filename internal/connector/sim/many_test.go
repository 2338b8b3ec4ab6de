package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector/sim"
)

func TestMessagesToMany(t *testing.T) {
	k := newKit(t)
	way := k.way("w")
	a, b := k.scan(way, k.person("甲")), k.scan(way, k.person("乙"))
	api := "externalcontact/add_msg_template"
	text := m{"content": "新茶上市"}
	k.no(40058, http.MethodPost, api, m{"text": text})
	k.no(86214, http.MethodPost, api, m{"chat_type": "other", "text": text})
	k.no(40063, http.MethodPost, api, m{"sender": "zhiqiu"})
	k.no(45002, http.MethodPost, api, m{"sender": "zhiqiu", "text": m{"content": strings.Repeat("a", 4001)}})
	k.no(41048, http.MethodPost, api, m{"external_userid": []string{"wmnobody"}, "text": text})
	k.no(40058, http.MethodPost, api, m{"external_userid": make([]string, 10_001), "text": text})

	made := k.post(api, m{"external_userid": []string{a.External, b.External, "wmnobody"}, "text": text})
	require.Equal(t, []any{"wmnobody"}, made["fail_list"])
	msg := made["msgid"].(string)
	task := k.post("externalcontact/get_groupmsg_task", m{"msgid": msg})["task_list"].([]any)
	require.EqualValues(t, 0, task[0].(m)["status"])
	for range 3 {
		k.post("externalcontact/remind_groupmsg_send", m{"msgid": msg})
	}
	k.no(45009, http.MethodPost, "externalcontact/remind_groupmsg_send", m{"msgid": msg})
	k.clock.Advance(25 * time.Hour)
	k.signIn()
	k.post("externalcontact/remind_groupmsg_send", m{"msgid": msg})

	require.NoError(t, k.sim.Delete(b.Person, "zhiqiu"))
	n, err := k.sim.Confirm("", "zhiqiu")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	result := func(id string) map[string]float64 {
		out := map[string]float64{}
		for _, s := range k.post("externalcontact/get_groupmsg_send_result", m{"msgid": id, "userid": "zhiqiu"})["send_list"].([]any) {
			out[s.(m)["external_userid"].(string)] = s.(m)["status"].(float64)
		}
		return out
	}
	require.Equal(t, map[string]float64{a.External: 1, b.External: 2}, result(msg), "sent; no friend any more")
	phone, err := k.sim.Phone(a.Person)
	require.NoError(t, err)
	require.Equal(t, "mass", phone.Chats[0].Lines[1].Via)

	second := k.post(api, m{"sender": "zhiqiu", "text": text})["msgid"].(string)
	_, err = k.sim.Confirm(second, "zhiqiu")
	require.NoError(t, err)
	require.Equal(t, map[string]float64{a.External: 3}, result(second), "one a day")

	third := k.post(api, m{"sender": "zhiqiu", "text": text})["msgid"].(string)
	k.post("externalcontact/cancel_groupmsg_send", m{"msgid": third})
	_, err = k.sim.Confirm("", "zhiqiu")
	require.ErrorContains(t, err, "sim.nothing_waits")
	now := k.clock.Now().Unix()
	require.Len(t, k.post("externalcontact/get_groupmsg_list_v2", m{"chat_type": "single", "start_time": now - 86400*3, "end_time": now})["group_msg_list"], 3)
	k.no(40058, http.MethodPost, "externalcontact/get_groupmsg_list_v2", m{"chat_type": "single", "start_time": now - 86400*40, "end_time": now})
	k.no(41047, http.MethodPost, "externalcontact/get_groupmsg_task", m{"msgid": "x"})
	k.no(41046, http.MethodPost, "externalcontact/get_groupmsg_task", m{})
}

func TestMoments(t *testing.T) {
	k := newKit(t)
	a := k.scan(k.way("w"), k.person("甲"))
	api := "externalcontact/add_moment_task"
	k.no(40063, http.MethodPost, api, m{})
	link := m{"msgtype": "link", "link": m{"title": "茶", "url": "https://example.com"}}
	k.no(40058, http.MethodPost, api, m{"attachments": []m{link, link}})
	k.no(41065, http.MethodPost, api, m{"attachments": []m{{"msgtype": "file"}}})
	k.no(81013, http.MethodPost, api, m{"text": m{"content": "x"}, "visible_range": m{"sender_list": m{"user_list": []string{"nobody"}}}})
	job := k.post(api, m{"text": m{"content": "春茶"}, "attachments": []m{link}, "visible_range": m{"sender_list": m{"user_list": []string{"zhiqiu", "nobody"}}}})["jobid"].(string)
	res := k.get("externalcontact/get_moment_task_result?jobid=" + job)["result"].(m)
	id := res["moment_id"].(string)
	require.Equal(t, []any{"nobody"}, res["invalid_sender_list"].(m)["user_list"])
	k.no(40088, http.MethodGet, "externalcontact/get_moment_task_result?jobid=x", nil)
	k.no(41062, http.MethodPost, "externalcontact/get_moment_comments", m{"moment_id": id, "userid": "zhiqiu"})
	k.no(41061, http.MethodPost, "externalcontact/get_moment_comments", m{"moment_id": id, "userid": "ruyan"})
	n, err := k.sim.Publish("", "zhiqiu")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, k.sim.Echo("", a.Person, "zhiqiu", ""))
	require.NoError(t, k.sim.Echo("", a.Person, "zhiqiu", "好喝"))
	got := k.post("externalcontact/get_moment_comments", m{"moment_id": id, "userid": "zhiqiu"})
	require.Len(t, got["comment_list"], 1)
	require.Len(t, got["like_list"], 1)
	require.Len(t, k.post("externalcontact/get_moment_customer_list", m{"moment_id": id, "userid": "zhiqiu"})["customer_list"], 1)
	phone, err := k.sim.Phone(a.Person)
	require.NoError(t, err)
	require.True(t, phone.Moments[0].Liked)
	require.Equal(t, []string{"好喝"}, phone.Moments[0].Replies)
}

func TestGroups(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	k.no(40058, http.MethodPost, "externalcontact/groupchat/list", m{})
	list := k.post("externalcontact/groupchat/list", m{"limit": 1})
	require.Len(t, list["group_chat_list"], 1)
	id := list["group_chat_list"].([]any)[0].(m)["chat_id"].(string)
	k.no(86003, http.MethodPost, "externalcontact/groupchat/get", m{"chat_id": "wrnone"})
	k.no(40058, http.MethodPost, "externalcontact/groupchat/add_join_way", m{"scene": 2, "chat_id_list": []string{id, id, id, id, id, id}})
	join := k.post("externalcontact/groupchat/add_join_way", m{"scene": 2, "chat_id_list": []string{id}, "state": "g1"})["config_id"].(string)
	require.Contains(t, k.post("externalcontact/groupchat/get_join_way", m{"config_id": join})["join_way"].(m)["qr_code"], join)
	who := k.person("甲")
	met := k.scan(join, who)
	require.Equal(t, id, met.GroupID)
	require.True(t, k.scan(join, who).Already)
	members := k.post("externalcontact/groupchat/get", m{"chat_id": id, "need_name": 1})["group_chat"].(m)["member_list"].([]any)
	require.Equal(t, "甲", members[1].(m)["name"])
	require.Equal(t, "g1", members[1].(m)["state"])
	require.NoError(t, k.sim.Leave(id, who))
	require.ErrorContains(t, k.sim.Leave(id, who), "sim.not_in_group")
	require.Equal(t, []string{"change_external_chat.update", "change_external_chat.update"}, k.heard(e))
	require.Equal(t, "add_member", e.got[0].Get("UpdateDetail"))
	require.Equal(t, met.External, e.got[0].Get("MemChangeList", "Item"))
	require.Equal(t, e.got[0].Get("CurMemVer"), e.got[1].Get("LastMemVer"))
}

func TestHandOver(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	way := k.way("w")
	a, b := k.scan(way, k.person("甲")), k.scan(way, k.person("乙"))
	api := "externalcontact/transfer_customer"
	ask := func(from, to string, who ...string) map[string]float64 {
		t.Helper()
		out := map[string]float64{}
		for _, c := range k.post(api, m{"handover_userid": from, "takeover_userid": to, "external_userid": who})["customer"].([]any) {
			out[c.(m)["external_userid"].(string)] = c.(m)["errcode"].(float64)
		}
		return out
	}
	k.no(40130, http.MethodPost, api, m{"handover_userid": "zhiqiu", "takeover_userid": "zhiqiu", "external_userid": []string{a.External}})
	k.no(40058, http.MethodPost, api, m{"handover_userid": "zhiqiu", "takeover_userid": "ruyan", "external_userid": make([]string, 101)})
	k.no(40097, http.MethodPost, "externalcontact/resigned/transfer_customer", m{"handover_userid": "zhiqiu", "takeover_userid": "ruyan", "external_userid": []string{a.External}})
	require.Equal(t, map[string]float64{a.External: 0, b.External: 0, "wmnone": 40096}, ask("zhiqiu", "ruyan", a.External, b.External, "wmnone"))
	require.Equal(t, map[string]float64{a.External: 40129}, ask("zhiqiu", "ruyan", a.External))
	require.Equal(t, map[string]float64{a.External: 40131}, ask("mingyue", "ruyan", a.External))
	require.NoError(t, k.sim.Refuse(b.Person, true))
	k.clock.Advance(24 * time.Hour)
	k.signIn()
	status := map[string]float64{}
	for _, c := range k.post("externalcontact/transfer_result", m{"handover_userid": "zhiqiu", "takeover_userid": "ruyan"})["customer"].([]any) {
		status[c.(m)["external_userid"].(string)] = c.(m)["status"].(float64)
	}
	require.Equal(t, map[string]float64{a.External: 1, b.External: 3}, status)
	require.ElementsMatch(t, []string{"change_external_contact.add_external_contact", "change_external_contact.add_external_contact",
		"change_external_contact.transfer_fail", "change_external_contact.add_external_contact", "change_external_contact.del_external_contact"}, k.heard(e))
	last := e.got[len(e.got)-1]
	if last.Get("ChangeType") == "del_external_contact" {
		require.Equal(t, "DELETE_BY_TRANSFER", last.Get("Source"))
	}
	f := k.get("externalcontact/get?external_userid=" + a.External)["follow_user"].([]any)
	require.Len(t, f, 1)
	require.Equal(t, "ruyan", f[0].(m)["userid"])
	require.EqualValues(t, 202, f[0].(m)["add_way"])

	require.Equal(t, map[string]float64{a.External: 0}, ask("ruyan", "mingyue", a.External))
	k.clock.Advance(24 * time.Hour)
	k.signIn()
	require.Equal(t, map[string]float64{a.External: 40128}, ask("mingyue", "zhiqiu", a.External), "two in 90 days")

	require.NoError(t, k.sim.Quit("zhiqiu"))
	left := k.post("externalcontact/get_unassigned_list", m{})["info"].([]any)
	require.Len(t, left, 1)
	require.Equal(t, b.External, left[0].(m)["external_userid"])
	k.post("externalcontact/resigned/transfer_customer", m{"handover_userid": "zhiqiu", "takeover_userid": "ruyan", "external_userid": []string{b.External}})
	require.Empty(t, k.post("externalcontact/get_unassigned_list", m{})["info"])
}

func TestServiceAndAppMessages(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	kf := k.get("kf/account/list")["account_list"].([]any)[0].(m)["open_kfid"].(string)
	who := k.person("甲")
	require.NoError(t, k.sim.Ask(who, "", "几点开门"))
	require.Equal(t, []string{"kf_msg_or_event"}, k.heard(e))
	got := k.post("kf/sync_msg", m{"open_kfid": kf, "token": e.got[0].Get("Token")})
	list := got["msg_list"].([]any)
	require.Len(t, list, 2)
	code := list[0].(m)["event"].(m)["welcome_code"]
	ext := list[1].(m)["external_userid"]
	require.Empty(t, k.post("kf/sync_msg", m{"open_kfid": kf, "cursor": got["next_cursor"]})["msg_list"])
	k.no(95007, http.MethodPost, "kf/sync_msg", m{"open_kfid": kf, "token": "x"})
	say := m{"touser": ext, "open_kfid": kf, "msgtype": "text", "text": m{"content": "九点"}}
	k.post("kf/send_msg_on_event", m{"code": code, "msgtype": "text", "text": m{"content": "您好"}})
	k.no(95018, http.MethodPost, "kf/send_msg_on_event", m{"code": code, "msgtype": "text", "text": m{"content": "您好"}})
	for range 5 {
		k.post("kf/send_msg", say)
	}
	k.no(95001, http.MethodPost, "kf/send_msg", say)
	require.NoError(t, k.sim.Ask(who, kf, "好"))
	k.clock.Advance(49 * time.Hour)
	k.signIn()
	k.no(95002, http.MethodPost, "kf/send_msg", say)

	app := func(more m) m {
		body := m{"agentid": k.corp.AgentID, "msgtype": "text", "text": m{"content": "有新客户"}, "touser": "zhiqiu|nobody"}
		for key, v := range more {
			body[key] = v
		}
		return body
	}
	require.Equal(t, "nobody", k.post("message/send", app(nil))["invaliduser"])
	k.no(81013, http.MethodPost, "message/send", app(m{"touser": "nobody"}))
	k.no(40056, http.MethodPost, "message/send", app(m{"agentid": 9}))
	k.no(45002, http.MethodPost, "message/send", app(m{"text": m{"content": strings.Repeat("a", 2049)}}))
	k.no(40008, http.MethodPost, "message/send", app(m{"msgtype": "poem"}))
}

func TestAWorldWithFriends(t *testing.T) {
	k := newKit(t, func(o *sim.Options) { o.People, o.Friends = 30, 20 })
	seen := map[string]bool{}
	for _, id := range k.get("externalcontact/get_follow_user_list")["follow_user"].([]any) {
		cursor := ""
		for {
			got := k.post("externalcontact/batch/get_by_user", m{"userid_list": []string{id.(string)}, "limit": 2, "cursor": cursor})
			for _, c := range got["external_contact_list"].([]any) {
				seen[c.(m)["external_contact"].(m)["external_userid"].(string)] = true
			}
			if cursor = got["next_cursor"].(string); cursor == "" {
				break
			}
		}
	}
	require.Len(t, seen, 20)
}
