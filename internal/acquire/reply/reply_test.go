package reply

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestWhoAnswers(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		follow := s.make(says(Follow, "欢迎"))
		s.make(says(Keyword, "地址", Word{"地址", Contains}))
		s.make(says(Keyword, "地址二", Word{"地址", Exact}))
		over := says(Keyword, "活动", Word{"活动", Exact})
		over.Until = s.clock.Now().Add(time.Hour)
		s.make(over)
		chosen := s.make(says(Chosen, "{date} {time} {account}"))
		s.make(says(OffHours, "下班了"))
		s.make(says(Default, "请稍候"))
		_, err := s.SetHours(s.ctx, "ac_1", Hours{Windows: []Window{{[]int{1, 2, 3, 4, 5}, "09:00", "18:00"}, {[]int{5}, "22:00", "02:00"}},
			Days: []Day{{Date: "2026-03-04", Note: "店休"}, {Date: "2026-03-07", From: "09:00", To: "12:00"}}})
		require.NoError(t, err)
		when := func(text string) time.Time {
			at, err := time.ParseInLocation("2006-01-02 15:04", text, s.zone(s.ctx))
			require.NoError(t, err)
			return at
		}
		for _, c := range []struct{ at, text, want string }{
			{"2026-03-02 16:00", "门店地址在哪", "地址"},
			{"2026-03-02 16:00", "地址", "地址"}, // the first in order, not the closest
			{"2026-03-02 16:00", "活动", "活动"},
			{"2026-03-02 17:00", "活动", "请稍候"}, // it is over
			{"2026-03-02 16:00", "", "请稍候"},   // a picture
			{"2026-03-02 18:00", "在吗", "下班了"},
			{"2026-03-02 23:00", "地址", "地址"},  // a word goes before the hour
			{"2026-03-04 10:00", "在吗", "下班了"}, // a Wednesday off
			{"2026-03-07 10:00", "在吗", "请稍候"}, // a Saturday worked on
			{"2026-03-07 01:30", "在吗", "下班了"}, // Friday's night ends where Saturday has hours of its own
			{"2026-03-06 22:30", "在吗", "请稍候"},
			{"2026-03-14 01:30", "在吗", "请稍候"}, // Friday's night goes on
			{"2026-03-14 10:00", "在吗", "下班了"},
		} {
			a := s.ask("o1", c.text)
			a.At = when(c.at)
			require.Equal(t, c.want, s.said(a), "%s %s", c.at, c.text)
		}
		a := Ask{Key: "f", Account: "ac_1", Person: "o1", Kind: AskFollow, At: s.clock.Now()}
		require.Equal(t, "欢迎", s.said(a))
		a.Key, a.Choice = "f2", chosen.ID // by a scene code that chose another
		require.Equal(t, "2026-03-02 16:00 山月茶集", s.said(a))
		a.Key, a.Kind = "c", AskClick
		require.Equal(t, "2026-03-02 16:00 山月茶集", s.said(a))
		require.NoError(t, s.Delete(s.ctx, chosen.ID))
		a.Key = "c2"
		require.Empty(t, s.said(a), "a button whose rule is gone says nothing")
		a.Key, a.Kind = "f3", AskFollow
		require.Equal(t, "欢迎", s.said(a), "and a newcomer is welcomed all the same")
		require.Equal(t, WhyFollow, s.judge(s.ctx, a).Why)
		require.Equal(t, follow.ID, s.judge(s.ctx, a).Rule.ID)
		other := s.ask("o1", "地址")
		other.Account = "ac_2"
		require.Empty(t, s.said(other), "accounts have their own rules")
	})
}

func TestAnAnswerLeavesOnceAndIsBookedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		d := says(Keyword, "菜单在这里：{word}", Word{`茶单|menu`, Pattern})
		d.Contents = append(d.Contents, Content{Kind: PartImage, File: "lm_1"}, Content{Kind: PartApp, Title: "点单", AppID: "wx1", AppPath: "p", File: "lm_1"})
		d.Tags = []string{"tg_tea", "tg_gone"}
		r := s.make(d)
		a := s.ask("o-1", "看看茶单")
		require.Equal(t, "菜单在这里：茶单", s.said(a))
		require.Equal(t, "菜单在这里：茶单", s.said(a), "a platform that calls again is told the same")
		require.Equal(t, []string{"reply/cb-1/1 image media-ac_1-lm_1.png", "reply/cb-1/2 miniprogram media-ac_1-lm_1.png点单"}, s.work(a))
		require.Equal(t, 1, s.out.made, "the picture is handed over once")
		require.Len(t, s.work(a), 2, "worked on again it has the same keys")
		require.Len(t, s.out.facts, 1)
		f := s.out.facts[a.Key]
		require.Equal(t, event.NameReplySent, f.Name)
		require.JSONEq(t, `{"account":"ac_1","rule":"`+r.ID+`","ruleName":"菜单在这里：{word}","why":"keyword","word":"茶单|menu","contents":3}`, string(f.Properties))
		s.follow()
		s.follow()
		require.Equal(t, []string{"[3] [tg_tea tg_gone]"}, s.out.tags)
		st, err := s.Stats(s.ctx, r.ID, "", "")
		require.NoError(t, err)
		require.Equal(t, Stats{From: "2026-02-01", To: "2026-03-02", Sent: 1, People: 1, Days: []Count{{"2026-03-02", 1, 1}}, Words: []Count{{"茶单|menu", 1, 1}}}, st)
		rows, _, total, err := s.List(s.ctx, Query{}, "", 10)
		require.NoError(t, err)
		require.Equal(t, 1, total)
		require.Equal(t, int64(1), *rows[0].Sent)
		rows, _, _, err = s.List(testkit.Scoped(t.Context(), "sales", false, "us_1"), Query{}, "", 10)
		require.NoError(t, err)
		require.Nil(t, rows[0].Sent, "who sees some customers sees no totals of others")
		require.NoError(t, s.Forget(s.ctx, []int64{3}))
		st, err = s.Stats(s.ctx, r.ID, "", "")
		require.NoError(t, err)
		require.Zero(t, st.Sent)
	})
}

func TestOldCallbacksAreNotAnswered(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.make(says(Default, "请稍候"))
		a := s.ask("o1", "在吗")
		received := s.clock.Now()
		s.clock.Advance(noteAge + time.Second)
		require.NoError(t, s.Work(s.ctx, a, received, false, nil, nil), "nothing is sent: the sender would panic")
		require.Empty(t, s.out.facts)
	})
}

func TestOnceInAWhile(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		d := says(Default, "请稍候")
		d.EveryHours = 2
		s.make(d)
		first := s.ask("o-1", "在吗")
		require.Equal(t, "请稍候", s.said(first))
		s.work(first)
		require.Empty(t, s.said(s.ask("o-1", "人呢")), "from memory")
		require.Equal(t, "请稍候", s.said(s.ask("o-22", "在吗")), "another person")
		s.follow()
		other := s.node(s.DB) // another node, or this one after a start
		require.NoError(t, other.fresh(s.ctx))
		require.Nil(t, other.Passive(s.ctx, s.ask("o-1", "人呢")), "from the records")
		require.NotNil(t, other.Passive(s.ctx, first), "the message itself is no earlier one")
		s.clock.Advance(2 * time.Hour)
		require.Equal(t, "请稍候", s.said(s.ask("o-1", "还在吗")))
	})
}

func TestAChangeIsHeardOnOtherNodes(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		other := s.node(s.DB)
		require.NoError(t, other.fresh(s.ctx))
		a, b := s.make(says(Keyword, "甲", Word{"茶", Contains})), s.make(says(Keyword, "乙", Word{"茶", Contains}))
		hear := func(want string) {
			t.Helper()
			require.NoError(t, other.fresh(s.ctx))
			m := other.Passive(s.ctx, s.ask("o1", "喝茶"))
			if want == "" {
				require.Nil(t, m)
				return
			}
			require.Equal(t, want, m.Text)
		}
		hear("甲")
		_, err := s.Move(s.ctx, b.ID, a.ID)
		require.NoError(t, err)
		hear("乙")
		for range 50 { // until there is no room between places any more
			_, err = s.Move(s.ctx, a.ID, b.ID)
			require.NoError(t, err)
			_, err = s.Move(s.ctx, b.ID, a.ID)
			require.NoError(t, err)
		}
		hear("乙")
		off := b.Definition
		off.Off = true
		_, err = s.Update(s.ctx, b.ID, off)
		require.NoError(t, err)
		hear("甲")
		require.NoError(t, s.Delete(s.ctx, a.ID))
		hear("")
		_, err = s.Update(s.ctx, a.ID, a.Definition)
		require.Equal(t, "reply.not_found", refusal(err))
	})
}

func TestClashesAndTrials(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		first := s.make(says(Keyword, "甲", Word{"优惠", Contains}, Word{"包邮", Exact}))
		s.make(says(Keyword, "乙", Word{"优惠券", Exact}, Word{"包邮吗", Contains}, Word{"包邮", Contains}))
		rows, _, _, err := s.List(s.ctx, Query{Kind: Keyword}, "", 10)
		require.NoError(t, err)
		require.Empty(t, rows[0].Clashes)
		require.Equal(t, []Clash{{"优惠券", first.ID, "甲"}}, rows[1].Clashes, "an equal word takes less than one that stands in a message")
		got, err := s.Try(s.ctx, Trial{Account: "ac_1", Text: "优惠券"})
		require.NoError(t, err)
		require.Equal(t, WhyKeyword, got.Why)
		require.Equal(t, "甲", got.Name)
		require.Equal(t, &Word{"优惠", Contains}, got.Word)
		require.Len(t, got.Others, 1)
		require.Equal(t, "乙", got.Others[0].Name)
		require.True(t, got.Open)
		require.Empty(t, s.out.facts)
		got, err = s.Try(s.ctx, Trial{Account: "ac_1", Text: "别的"})
		require.NoError(t, err)
		require.Equal(t, WhyNone, got.Why)
		_, err = s.Try(s.ctx, Trial{Account: "ac_9"})
		require.Equal(t, "account reply.no_such_account", refusal(err))
	})
}

func TestRulesThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		good := says(Keyword, "甲", Word{"茶", Exact})
		for want, change := range map[string]func(d *Definition){
			"name request.field_required":             func(d *Definition) { d.Name = " " },
			"account reply.no_such_account":           func(d *Definition) { d.Account = "ac_9" },
			"kind reply.bad_choice":                   func(d *Definition) { d.Kind = "x" },
			"words reply.no_words":                    func(d *Definition) { d.Words = nil },
			"words[1].text reply.word_twice":          func(d *Definition) { d.Words = append(d.Words, Word{"茶 ", ""}) },
			"contents reply.no_contents":              func(d *Definition) { d.Contents = nil },
			"contents[0].text livecode.text_too_long": func(d *Definition) { d.Contents[0].Text = strings.Repeat("茶", 683) },
			"contents[0].file livecode.no_picture":    func(d *Definition) { d.Contents[0] = Content{Kind: PartImage, File: "lm_9"} },
			"contents[0].url livecode.bad_url":        func(d *Definition) { d.Contents[0] = Content{Kind: PartLink, Title: "x", URL: "javascript:alert(1)"} },
			"tags[0] contact.tag_not_found":           func(d *Definition) { d.Tags = []string{"x"} },
			"until reply.bad_span":                    func(d *Definition) { d.From, d.Until = time.Unix(1800000000, 0), time.Unix(1700000000, 0) },
			"everyHours rule.out_of_range":            func(d *Definition) { d.EveryHours = 721 },
		} {
			d := good
			d.Words, d.Contents = append([]Word{}, good.Words...), append([]Content{}, good.Contents...)
			change(&d)
			_, err := s.Create(s.ctx, d)
			require.Equal(t, want, refusal(err))
		}
		r := s.make(good)
		moved := good
		moved.Kind = Default
		_, err := s.Update(s.ctx, r.ID, moved)
		require.Equal(t, "kind reply.stays", refusal(err))
		for want, h := range map[string]Hours{
			"windows[0].to livecode.bad_time":   {Windows: []Window{{[]int{1}, "09:00", "09:00"}}},
			"windows[0].days livecode.bad_days": {Windows: []Window{{[]int{8}, "09:00", "10:00"}}},
			"days[1].date reply.day_twice":      {Days: []Day{{Date: "2026-10-01"}, {Date: "2026-10-01"}}},
			"days[0].to livecode.bad_time":      {Days: []Day{{Date: "2026-10-01", From: "09:00"}}},
			"days[0].date rule.needs_date":      {Days: []Day{{Date: "1.10."}}},
		} {
			_, err := s.SetHours(s.ctx, "ac_1", h)
			require.Equal(t, want, refusal(err))
		}
	})
}

func TestFilesOfRules(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		was := s.make(says(Keyword, "地址", Word{"地址", Exact}))
		s.out.table = [][]string{{"名称", "关键词", "匹配方式", "回复内容"},
			{"地址", "地址|门店；在哪", "包含", "湖滨路 1 号"},
			{"", "发票", "", "开票请回复抬头"},
			{"物流", "快递", "", "查询中"},
			{"物流", `单号\d{6}`, "正则", "查询中"},
			{"坏", "(", "正则", "x"},
			{"坏", "x", "差不多", "x"},
			{"物流", "x", "", "不一样的话"},
			nil}
		got, err := s.Import(s.ctx, File{Account: "ac_1", UploadID: "up", DryRun: true})
		require.NoError(t, err)
		require.Equal(t, []any{int64(8), 3, int64(4), 2, 1, false}, []any{got.Rows, got.Good, got.Rejected, got.New, got.Changed, got.Done})
		require.Equal(t, []string{"reply.bad_pattern", "reply.row_bad_match", "reply.row_name_twice", "acquire.row_unreadable"}, []string{got.Rejects[0].Code, got.Rejects[1].Code, got.Rejects[2].Code, got.Rejects[3].Code})
		require.Equal(t, int64(6), got.Rejects[0].Line)
		_, _, total, err := s.List(s.ctx, Query{}, "", 10)
		require.NoError(t, err)
		require.Equal(t, 1, total, "a dry run writes nothing")
		got, err = s.Import(s.ctx, File{Account: "ac_1", UploadID: "up"})
		require.NoError(t, err)
		require.True(t, got.Done)
		require.Equal(t, "湖滨路 1 号", s.said(s.ask("o1", "你们门店在哪里")))
		require.Equal(t, "查询中", s.said(s.ask("o1", "单号123456")))
		now, err := s.rule(s.ctx, was.ID)
		require.NoError(t, err)
		require.Len(t, now.Words, 3)

		var out bytes.Buffer
		require.NoError(t, s.Export(s.ctx, "ac_1", &out))
		lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff"))).ReadAll()
		require.NoError(t, err)
		require.Len(t, lines, 5)
		lines[0] = []string{"name", "words", "match", "text", "everyHours"} // outside of a request words are codes
		for _, l := range lines[1:] {
			l[2] = strings.TrimPrefix(l[2], "reply.csv_")
		}
		s.out.table = lines
		got, err = s.Import(s.ctx, File{Account: "ac_1", UploadID: "up"})
		require.NoError(t, err)
		require.Equal(t, []int{3, 0, 3, 0}, []int{got.Good, got.New, got.Changed, int(got.Rejected)}, "what was exported can be imported")
		_, err = s.Import(s.ctx, File{Account: "ac_1", UploadID: ""})
		require.Equal(t, "uploadId request.field_required", refusal(err))
	})
}
