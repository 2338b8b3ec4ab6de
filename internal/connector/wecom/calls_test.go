package wecom

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/errs"
)

func TestCustomers(t *testing.T) {
	w, c := newWorld(t)
	ctx := t.Context()
	w.says("externalcontact/get",
		`{"errcode":0,"external_contact":{"external_userid":"wm1","name":"李四","gender":2,"unionid":"u1","type":1},"follow_user":[{"userid":"a","createtime":1700000000,"tags":[{"tag_id":"t1","type":1},{"tag_name":"own","type":2},{"tag_id":"s1","type":3}]}],"next_cursor":"n"}`,
		`{"errcode":0,"external_contact":{"external_userid":"wm1"},"follow_user":[{"userid":"b","remark":"李总","state":"s"}]}`)
	p, err := c.Customer(ctx, "wm1")
	require.NoError(t, err)
	require.Equal(t, "李四", p.Customer.Name)
	require.Len(t, p.Follows, 2)
	require.Equal(t, []string{"t1"}, p.Follows[0].CorpTags(), "neither the colleague's own nor rules' tags")
	require.Equal(t, time.Unix(1700000000, 0).UTC(), p.Follows[0].Since())
	require.Equal(t, "n", w.last("externalcontact/get").Query["cursor"])

	w.says("externalcontact/batch/get_by_user", `{"errcode":0,"external_contact_list":[{"external_contact":{"external_userid":"wm1"},"follow_info":{"userid":"a","tag_id":["t1"]}}],"next_cursor":"c2"}`)
	friends, next, err := c.FriendsOf(ctx, []string{"a", "b"}, "c1", 500)
	require.NoError(t, err)
	require.Equal(t, "c2", next)
	require.Equal(t, []string{"t1"}, friends[0].Follow.CorpTags())
	require.Equal(t, map[string]any{"userid_list": []any{"a", "b"}, "cursor": "c1", "limit": 100.0}, w.last("externalcontact/batch/get_by_user").Body)

	w.says("externalcontact/list", `{"errcode":84061}`)
	ids, err := c.CustomersOf(ctx, "a")
	require.NoError(t, err)
	require.Empty(t, ids, "nobody yet is no mistake")

	remark := "李总 & <朋友>"
	require.NoError(t, c.SetRemark(ctx, "a", "wm1", Remark{Remark: &remark}))
	require.Equal(t, map[string]any{"userid": "a", "external_userid": "wm1", "remark": remark}, w.last("externalcontact/remark").Body, "what is not named stays as it is")

	w.says("idconvert/unionid_to_external_userid", `{"errcode":0,"pending_id":"p1"}`)
	id, pending, err := c.ExternalID(ctx, "u", "o")
	require.NoError(t, err)
	require.Empty(t, id)
	require.Equal(t, "p1", pending)
}

func TestTags(t *testing.T) {
	w, c := newWorld(t)
	w.says("externalcontact/get_corp_tag_list", `{"errcode":0,"tag_group":[{"group_id":"g","group_name":"意向","tag":[{"id":"t","name":"高"}]}]}`)
	groups, err := c.TagGroups(t.Context(), nil, nil)
	require.NoError(t, err)
	require.Equal(t, "高", groups[0].Tags[0].Name)
	w.says("externalcontact/add_corp_tag", `{"errcode":0,"tag_group":{"group_id":"g","tag":[{"id":"t2","name":"中"}]}}`)
	g, err := c.AddTags(t.Context(), "", "意向", []string{"中"})
	require.NoError(t, err)
	require.Equal(t, "t2", g.Tags[0].ID)
	require.Equal(t, map[string]any{"group_name": "意向", "tag": []any{map[string]any{"name": "中"}}, "agentid": 1000002.0}, w.last("externalcontact/add_corp_tag").Body)
	require.NoError(t, c.RenameTag(t.Context(), "t2", "低"))
	require.NoError(t, c.MarkTags(t.Context(), "a", "wm1", []string{"t"}, []string{"t2"}))
	require.Equal(t, map[string]any{"userid": "a", "external_userid": "wm1", "add_tag": []any{"t"}, "remove_tag": []any{"t2"}}, w.last("externalcontact/mark_tag").Body)
	require.NoError(t, c.DeleteTags(t.Context(), nil, []string{"t2"}))
	require.NotContains(t, w.last("externalcontact/del_corp_tag").Body, "group_id")
}

func TestWays(t *testing.T) {
	w, c := newWorld(t)
	w.says("externalcontact/add_contact_way", `{"errcode":0,"config_id":"cfg","qr_code":"https://q"}`)
	id, qr, err := c.AddWay(t.Context(), Way{Users: []string{"a", "b"}, State: "s", SkipVerify: true})
	require.NoError(t, err)
	require.Equal(t, []string{"cfg", "https://q"}, []string{id, qr})
	require.Equal(t, map[string]any{"type": 2.0, "scene": 2.0, "remark": "", "skip_verify": true, "state": "s", "user": []any{"a", "b"}}, w.last("externalcontact/add_contact_way").Body)
	require.NoError(t, c.UpdateWay(t.Context(), Way{ID: "cfg", Users: []string{"a"}, State: "s"}))
	require.NotContains(t, w.last("externalcontact/update_contact_way").Body, "type")
	w.says("externalcontact/get_contact_way", `{"errcode":0,"contact_way":{"config_id":"cfg","type":1,"scene":2,"user":["a"],"state":"s"}}`)
	way, err := c.Way(t.Context(), "cfg")
	require.NoError(t, err)
	require.True(t, way.Single)
	w.says("externalcontact/list_contact_way", `{"errcode":0,"contact_way":[{"config_id":"x"}],"next_cursor":"n"}`)
	ids, next, err := c.Ways(t.Context(), 1, 2, "")
	require.NoError(t, err)
	require.Equal(t, "n", next)
	require.Equal(t, []string{"x"}, ids)
	require.NoError(t, c.DeleteWay(t.Context(), "cfg"))
}

func TestWelcomeAndContent(t *testing.T) {
	w, c := newWorld(t)
	content := Content{Text: "你好，<b>&", Parts: []Part{{Form: Image, Media: "m"}, {Form: Link, Title: "t", URL: "https://x/?a=1&b=2", Picture: "https://p"}, {Form: MiniProgram, Title: "t", Media: "m", AppID: "wx", Page: "/p"}, {Form: File, Media: "f"}}}
	require.NoError(t, c.Welcome(t.Context(), "code", content))
	require.Equal(t, map[string]any{"welcome_code": "code", "text": map[string]any{"content": "你好，<b>&"}, "attachments": []any{
		map[string]any{"msgtype": "image", "image": map[string]any{"media_id": "m"}},
		map[string]any{"msgtype": "link", "link": map[string]any{"title": "t", "url": "https://x/?a=1&b=2", "picurl": "https://p"}},
		map[string]any{"msgtype": "miniprogram", "miniprogram": map[string]any{"title": "t", "pic_media_id": "m", "appid": "wx", "page": "/p"}},
		map[string]any{"msgtype": "file", "file": map[string]any{"media_id": "f"}},
	}}, w.last("externalcontact/send_welcome_msg").Body)
	for code, want := range map[string]string{"41050": "wecom.welcome_expired", "41051": "wecom.already_welcomed"} {
		w.says("externalcontact/send_welcome_msg", `{"errcode":`+code+`}`)
		n := w.count("externalcontact/send_welcome_msg")
		require.Equal(t, want, errs.CodeOf(c.Welcome(t.Context(), "code", content)))
		require.Equal(t, n+1, w.count("externalcontact/send_welcome_msg"), "not tried again")
	}
	w.says("externalcontact/send_welcome_msg", `{"errcode":41096}`, `{"errcode":0}`)
	require.NoError(t, c.Welcome(t.Context(), "code", content), "another app was sending")

	w.says("media/upload", `{"errcode":0,"media_id":"m1"}`)
	id, err := c.Upload(t.Context(), Image, "a.png", []byte("123456"))
	require.NoError(t, err)
	require.Equal(t, "m1", id)
	require.Equal(t, "image", w.last("media/upload").Query["type"])
}

func TestMass(t *testing.T) {
	w, c := newWorld(t)
	w.says("externalcontact/add_msg_template", `{"errcode":0,"msgid":"m","fail_list":["wm2"]}`)
	id, failed, err := c.SendMass(t.Context(), Mass{To: ToCustomers, Customers: []string{"wm1", "wm2"}, Sender: "a", Content: Content{Text: "x"}})
	require.NoError(t, err)
	require.Equal(t, "m", id)
	require.Equal(t, []string{"wm2"}, failed)
	_, _, err = c.SendMass(t.Context(), Mass{To: ToCustomers, Tags: [][]string{{"a", "b"}, {"c"}}, AllowSelect: true, Content: Content{Text: "x"}})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"group_list": []any{map[string]any{"tag_list": []any{"a", "b"}}, map[string]any{"tag_list": []any{"c"}}}}, w.last("externalcontact/add_msg_template").Body["tag_filter"])

	w.says("externalcontact/get_groupmsg_list_v2", `{"errcode":0,"group_msg_list":[{"msgid":"m","create_time":"1700000000","attachments":[{"msgtype":"link","link":{"title":"t","url":"u"}}]}],"next_cursor":"n"}`)
	now := w.clock.Now()
	list, next, err := c.Masses(t.Context(), ToCustomers, now.Add(-time.Hour), now, "", 0)
	require.NoError(t, err)
	require.Equal(t, "n", next)
	require.EqualValues(t, 1700000000, list[0].CreatedAt, "a time written as a text")
	require.Equal(t, Part{Form: Link, Title: "t", URL: "u"}, list[0].Parts[0])
	_, _, err = c.Masses(t.Context(), ToCustomers, now.Add(-32*24*time.Hour), now, "", 0)
	require.Equal(t, errs.Invalid, errs.As(err).Kind)

	w.says("externalcontact/get_groupmsg_send_result", `{"errcode":0,"send_list":[{"external_userid":"wm1","userid":"a","status":3,"send_time":1}]}`)
	res, _, err := c.MassResults(t.Context(), "m", "a", "", 0)
	require.NoError(t, err)
	require.Equal(t, AtTheirEnds, res[0].Status)
	_, _, err = c.MassTasks(t.Context(), "m", "", 0)
	require.NoError(t, err)
	require.NoError(t, c.RemindMass(t.Context(), "m"))
	require.EqualValues(t, 1, w.took["message.remind/m"])
	require.NoError(t, c.CancelMass(t.Context(), "m"))
}

func TestMoments(t *testing.T) {
	w, c := newWorld(t)
	w.says("externalcontact/add_moment_task", `{"errcode":0,"jobid":"j"}`)
	job, err := c.AddMoment(t.Context(), Moment{Text: "x", Parts: []Part{{Form: Link, Media: "m", Title: "t", URL: "u"}}, Users: []string{"a"}, CustomerTag: []string{"t1"}})
	require.NoError(t, err)
	require.Equal(t, "j", job)
	require.Equal(t, []any{map[string]any{"msgtype": "link", "link": map[string]any{"media_id": "m", "title": "t", "url": "u"}}}, w.last("externalcontact/add_moment_task").Body["attachments"])
	w.says("externalcontact/get_moment_task_result", `{"errcode":0,"status":3,"result":{"errcode":0,"moment_id":"mom"}}`)
	j, err := c.MomentJob(t.Context(), "j")
	require.NoError(t, err)
	require.Equal(t, "mom", j.MomentID)
	w.says("externalcontact/get_moment_task_result", `{"errcode":0,"status":3,"result":{"errcode":40058,"errmsg":"x"}}`)
	j, err = c.MomentJob(t.Context(), "j")
	require.NoError(t, err)
	require.Equal(t, "wecom.bad_parameter", errs.CodeOf(j.Err))
	w.says("externalcontact/get_moment_comments", `{"errcode":0,"comment_list":[{"external_userid":"wm1"}],"like_list":[{"userid":"a"}]}`)
	comments, likes, err := c.MomentReactions(t.Context(), "mom", "a")
	require.NoError(t, err)
	require.Len(t, comments, 1)
	require.Equal(t, "a", likes[0].UserID)
	w.says("externalcontact/get_moment_send_result", `{"errcode":0,"customer_list":[{"external_userid":"wm1"}]}`)
	seen, _, err := c.MomentSeen(t.Context(), "mom", "a", "", 0)
	require.NoError(t, err)
	require.Equal(t, []string{"wm1"}, seen)
}

func TestGroups(t *testing.T) {
	w, c := newWorld(t)
	w.says("externalcontact/groupchat/get", `{"errcode":0,"group_chat":{"chat_id":"wr1","name":"群","owner":"a","member_list":[{"userid":"wm1","type":2,"join_scene":3,"state":"s","unionid":"u","name":"王"}]}}`)
	g, err := c.Group(t.Context(), "wr1")
	require.NoError(t, err)
	require.Equal(t, "u", g.Members[0].UnionID)
	require.Equal(t, 1.0, w.last("externalcontact/groupchat/get").Body["need_name"])
	w.says("externalcontact/groupchat/list", `{"errcode":0,"group_chat_list":[{"chat_id":"wr1","status":0}],"next_cursor":"n"}`)
	_, next, err := c.Groups(t.Context(), []string{"a"}, 0, "", 0)
	require.NoError(t, err)
	require.Equal(t, "n", next)
	w.says("externalcontact/groupchat/add_join_way", `{"errcode":0,"config_id":"j"}`)
	id, err := c.AddJoinWay(t.Context(), JoinWay{Groups: []string{"wr1"}, AutoMake: true, BaseName: "群", BaseNum: 2, State: "s"})
	require.NoError(t, err)
	require.Equal(t, "j", id)
	w.says("externalcontact/groupchat/get_join_way", `{"errcode":0,"join_way":{"config_id":"j","scene":2,"auto_create_room":1,"chat_id_list":["wr1"],"qr_code":"https://q"}}`)
	way, err := c.JoinWay(t.Context(), "j")
	require.NoError(t, err)
	require.True(t, way.AutoMake)
	require.NoError(t, c.UpdateJoinWay(t.Context(), way))
	require.Equal(t, "j", w.last("externalcontact/groupchat/update_join_way").Body["config_id"])
	w.says("externalcontact/group_welcome_template/add", `{"errcode":0,"template_id":"w"}`)
	id, err = c.AddGroupWelcome(t.Context(), Content{Text: "hi " + Nickname, Parts: []Part{{Form: Link, Title: "t", URL: "u"}}}, true)
	require.NoError(t, err)
	require.Equal(t, "w", id)
	require.Equal(t, map[string]any{"title": "t", "url": "u"}, w.last("externalcontact/group_welcome_template/add").Body["link"])
}

func TestTransfers(t *testing.T) {
	w, c := newWorld(t)
	w.says("externalcontact/transfer_customer", `{"errcode":0,"customer":[{"external_userid":"wm1","errcode":0},{"external_userid":"wm2","errcode":40096}]}`)
	got, err := c.Hand(t.Context(), Transfer{From: "a", To: "b", Customers: []string{"wm1", "wm2"}, Message: "再见"})
	require.NoError(t, err)
	require.NoError(t, got[0].Err)
	require.Equal(t, "wecom.no_such_customer", errs.CodeOf(got[1].Err))
	require.Equal(t, "再见", w.last("externalcontact/transfer_customer").Body["transfer_success_msg"])
	_, err = c.Hand(t.Context(), Transfer{From: "a", To: "b", Customers: []string{"wm1"}, Message: "x", Left: true})
	require.NoError(t, err)
	require.NotContains(t, w.last("externalcontact/resigned/transfer_customer").Body, "transfer_success_msg")
	w.says("externalcontact/resigned/transfer_result", `{"errcode":0,"customer":[{"external_userid":"wm1","status":3}],"next_cursor":"n"}`)
	list, next, err := c.Transfers(t.Context(), "a", "b", true, "")
	require.NoError(t, err)
	require.Equal(t, TransferRefused, list[0].Status)
	require.Equal(t, "n", next)
	w.says("externalcontact/get_unassigned_list", `{"errcode":0,"info":[{"handover_userid":"a","external_userid":"wm1","dimission_time":1}],"is_last":true,"next_cursor":"n"}`)
	left, next, err := c.UnassignedCustomers(t.Context(), "", 0)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Empty(t, next)
	w.says("externalcontact/groupchat/onjob_transfer", `{"errcode":0,"failed_chat_list":[{"chat_id":"wr1","errcode":90500,"errmsg":"the owner of this chat is not resigned"}]}`)
	bad, err := c.HandGroups(t.Context(), []string{"wr1", "wr2"}, "b", false)
	require.NoError(t, err)
	require.Len(t, bad, 1)
	require.EqualValues(t, 2, w.took["transfer.group/b"])
}

func TestService(t *testing.T) {
	w, c := newWorld(t)
	w.says("kf/sync_msg", `{"errcode":0,"msg_list":[{"msgid":"1","origin":3,"msgtype":"text","text":{"content":"在吗"}},{"msgid":"2","origin":4,"msgtype":"event","event":{"event_type":"enter_session","welcome_code":"wc"}}],"next_cursor":"n","has_more":1}`)
	list, next, more, err := c.ServiceMessages(t.Context(), "wk1", "c", "tok")
	require.NoError(t, err)
	require.True(t, more)
	require.Equal(t, "n", next)
	require.Equal(t, "在吗", list[0].Text.Content)
	require.Equal(t, "wc", list[1].Event.Welcome)
	require.Equal(t, map[string]any{"open_kfid": "wk1", "cursor": "c", "token": "tok", "limit": 1000.0}, w.last("kf/sync_msg").Body)
	w.says("kf/send_msg", `{"errcode":95001}`)
	_, err = c.SendService(t.Context(), "wk1", "wm1", "id", Said{Text: "hi"})
	require.Equal(t, "wecom.service_limit", errs.CodeOf(err))
	_, err = c.SendOnEvent(t.Context(), "wc", "", Said{Text: "hi"})
	require.NoError(t, err)
	require.NotContains(t, w.last("kf/send_msg_on_event").Body, "msgid")
	w.says("message/send", `{"errcode":0,"invaliduser":"x|y"}`)
	missed, err := c.Tell(t.Context(), []string{"a", "x", "y"}, "hi")
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y"}, missed)
	require.EqualValues(t, 1, w.took["message.app/a"])
}
