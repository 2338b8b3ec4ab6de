package sim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGroupWelcomes(t *testing.T) {
	k := newKit(t)
	id := k.post("externalcontact/group_welcome_template/add", m{"text": m{"content": "%NICKNAME% 欢迎"}, "link": m{"title": "看看", "url": "https://koi.example/a"}})["template_id"].(string)
	got := k.post("externalcontact/group_welcome_template/get", m{"template_id": id})
	require.Equal(t, "%NICKNAME% 欢迎", got["text"].(m)["content"])
	require.Equal(t, "看看", got["link"].(m)["title"])
	k.post("externalcontact/group_welcome_template/edit", m{"template_id": id, "text": m{"content": "你好"}})
	require.NotContains(t, k.post("externalcontact/group_welcome_template/get", m{"template_id": id}), "link")
	k.no(40063, http.MethodPost, "externalcontact/group_welcome_template/add", m{})
	k.no(40058, http.MethodPost, "externalcontact/group_welcome_template/add", m{"link": m{"title": "a", "url": "https://koi.example"}, "miniprogram": m{"title": "b", "appid": "wx1", "page": "p"}})
	k.no(41092, http.MethodPost, "externalcontact/group_welcome_template/del", m{})
	k.post("externalcontact/group_welcome_template/del", m{"template_id": id})
	k.no(41091, http.MethodPost, "externalcontact/group_welcome_template/get", m{"template_id": id})
	for range 100 {
		k.post("externalcontact/group_welcome_template/add", m{"text": m{"content": "x"}})
	}
	k.no(41093, http.MethodPost, "externalcontact/group_welcome_template/add", m{"text": m{"content": "x"}})
}

func TestOpenGIDAndDismissal(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	chat, err := k.sim.MakeGroup("zhiqiu", "茶友")
	require.NoError(t, err)
	gid, err := k.sim.OpenGID(chat)
	require.NoError(t, err)
	require.Equal(t, chat, k.post("externalcontact/opengid_to_chatid", m{"opengid": gid})["chat_id"])
	k.no(86003, http.MethodPost, "externalcontact/opengid_to_chatid", m{"opengid": "Gother"})
	require.NoError(t, k.sim.Join(chat, k.person("小满")))
	require.NoError(t, k.sim.Dismiss(chat))
	k.no(49008, http.MethodPost, "externalcontact/groupchat/get", m{"chat_id": chat})
	require.Contains(t, k.heard(e), "change_external_chat.dismiss")
}

func TestServiceByHand(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	who := k.person("小满")
	require.Error(t, k.sim.Serve("mingyue", who, "在"), "nobody asked")
	require.NoError(t, k.sim.Ask(who, "", "在吗"))
	require.NoError(t, k.sim.Serve("mingyue", who, "在的"))
	require.NoError(t, k.sim.EndService("mingyue", who))
	require.Error(t, k.sim.EndService("mingyue", who))
	require.Len(t, k.heard(e), 3)
	service := k.post("kf/account/list", m{})["account_list"].([]any)[0].(m)["open_kfid"]
	list := k.post("kf/sync_msg", m{"open_kfid": service, "limit": 100})["msg_list"].([]any)
	require.Len(t, list, 5, "entered, asked, taken over, answered, ended")
	require.EqualValues(t, 5, list[3].(m)["origin"])
	require.EqualValues(t, 3, list[4].(m)["event"].(m)["change_type"])
}
