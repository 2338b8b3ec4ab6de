package app

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/acquire/livecode"
	"github.com/koipond/koipond/internal/demo"
)

// stagePast is the part of the demo's past that needs an account outside: live codes
// and their friends, and links that went out.
const stagePast = "past"

// demoCodes are the live codes of the made-up brand: where each hangs, who meets
// people there, and when.
var demoCodes = []struct {
	folder, name, channel string
	staff                 []string
	backup                string
	from, to              int // hours of duty; both 0: always
	weight                int // how many people scan it
	gift                  bool
}{
	{"门店", "湖滨店收银台", "offline", []string{"zhiqiu", "ruyan"}, "jianlu", 9, 21, 9, true}, {"门店", "武康店茶席", "offline", []string{"ruyan"}, "jianlu", 9, 21, 6, false},
	{"门店", "平江店橱窗", "offline", []string{"zhiqiu", "jianlu"}, "ruyan", 10, 22, 3, false}, {"门店", "天河店前台", "offline", []string{"nianan", "xiaoman"}, "xiaoman", 10, 22, 5, true},
	{"投放", "小红书笔记", "social", []string{"mingyue", "yuan"}, "qinghe", 0, 0, 1, true}, {"投放", "抖音直播间", "short_video", []string{"mingyue", "yuan"}, "qinghe", 18, 24, 1, true},
	{"投放", "百度搜索落地页", "paid_search", []string{"mingyue"}, "yuan", 9, 18, 1, false}, {"包裹", "包裹卡：乌龙礼盒", "ecommerce", []string{"mingyue", "qinghe"}, "yuan", 0, 0, 3, true},
	{"包裹", "包裹卡：白茶饼", "ecommerce", []string{"qinghe"}, "yuan", 0, 0, 2, false}, {"活动", "春茶品鉴会", "offline", []string{"jianlu", "xiaoman"}, "zhiqiu", 0, 0, 2, false},
	{"活动", "老带新邀请", "referral", []string{"zhiqiu", "ruyan", "nianan", "mingyue"}, "qinghe", 0, 0, 1, true}, {"活动", "茶博会展台", "offline", []string{"jianlu"}, "xiaoman", 9, 18, 1, false},
}

// codes makes the demo's live codes, each once, and gives them in their order. They
// hang out since before their first friend.
func (d *demoPond) codes(ctx context.Context, a *App, account string) ([]*livecode.Code, error) {
	folders := map[string]string{}
	have, err := a.livecodes.Folders(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range have {
		folders[f.Name] = f.ID
	}
	rows, _, _, err := a.livecodes.List(ctx, livecode.Query{}, "", 200)
	if err != nil {
		return nil, err
	}
	made := map[string]string{} // before a crash
	for _, r := range rows {
		made[r.Name] = r.ID
	}
	out := make([]*livecode.Code, len(demoCodes))
	for i, c := range demoCodes {
		if id := made[c.name]; id != "" {
			if out[i], err = a.livecodes.Get(ctx, id); err != nil {
				return nil, err
			}
			continue
		}
		if folders[c.folder] == "" {
			f, err := a.livecodes.SaveFolder(ctx, "", c.folder)
			if err != nil {
				return nil, err
			}
			folders[c.folder] = f.ID
		}
		def := livecode.Definition{Name: c.name, Account: account, Channel: c.channel, Folder: folders[c.folder], Remark: "{name}-{code}", Backups: []string{c.backup},
			Welcome: livecode.Welcome{Text: "{customer}您好，我是山月茶集的{staff}。喜欢什么茶，随时告诉我；到店出示这条消息，可以免费品一杯当季新茶。"},
			Timed: []livecode.Timed{{Windows: []livecode.Window{{Days: []int{1, 2, 3, 4, 5, 6, 7}, From: "23:30", To: "08:00"}},
				Welcome: livecode.Welcome{Text: "{customer}您好，我是{staff}。现在有些晚了，明早第一时间回复您。"}}}}
		for n, staff := range c.staff {
			m := livecode.Member{Staff: staff, Cap: 60 * n}
			if c.to > 0 {
				m.Shifts = []livecode.Window{{Days: []int{1, 2, 3, 4, 5, 6, 7}, From: fmt.Sprintf("%02d:00", c.from), To: fmt.Sprintf("%02d:00", c.to)}}
			}
			def.Members = append(def.Members, m)
		}
		if c.gift {
			def.Hook = &livecode.Hook{Name: "新客品鉴券", Attachment: &livecode.Attachment{Kind: livecode.PartLink, Title: "新客品鉴券", Note: "三款小样，到店领取", URL: "https://shanyue.example/gift"}}
		}
		if out[i], err = a.livecodes.CreateAt(ctx, def, d.end.AddDate(0, 0, -demo.FriendDays-1-2*i)); err != nil {
			return nil, fmt.Errorf("make the live code %s: %w", c.name, err)
		}
	}
	return out, nil
}
