package app

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/acquire/livecode"
)

// stageCodes is the part of the demo that is made once the pond is full and an
// account outside is connected.
const stageCodes = "live_codes"

// demoCodes are the live codes of the made-up brand: where each hangs, who meets
// people there, and when.
var demoCodes = []struct {
	folder, name, channel string
	from, to              string // shifts of working days; "": always
	gift                  bool
}{
	{"门店", "湖滨店收银台", "offline", "09:00", "21:00", true}, {"门店", "南山店茶席", "offline", "09:00", "21:00", false}, {"门店", "外滩店橱窗", "offline", "10:00", "22:00", false},
	{"门店", "天河店前台", "offline", "10:00", "22:00", true}, {"投放", "小红书笔记", "social", "", "", true}, {"投放", "抖音直播间", "short_video", "19:00", "23:30", true},
	{"投放", "百度搜索落地页", "paid_search", "09:00", "18:00", false}, {"包裹", "包裹卡：乌龙礼盒", "ecommerce", "", "", true}, {"包裹", "包裹卡：白茶饼", "ecommerce", "", "", false},
	{"活动", "春茶品鉴会", "offline", "", "", false}, {"活动", "老带新邀请", "referral", "", "", true}, {"活动", "茶博会展台", "offline", "09:00", "17:30", false},
}

// codes makes the demo's live codes, each once.
func (d *demoPond) codes(ctx context.Context, a *App) error {
	p := demoProgress{d: d, state: a.state, log: a.log}
	if done, err := p.Done(ctx, stageCodes); err != nil || done {
		return err
	}
	o, err := a.livecodes.Options(ctx)
	if err != nil || len(o.Accounts) == 0 {
		return err
	}
	account := o.Accounts[0]
	var staff []string
	for _, c := range account.Colleagues {
		if !c.Off {
			staff = append(staff, c.ID)
		}
	}
	if len(staff) < 3 {
		return nil
	}
	folders := map[string]string{}
	have, err := a.livecodes.Folders(ctx)
	if err != nil {
		return err
	}
	for _, f := range have {
		folders[f.Name] = f.ID
	}
	rows, _, _, err := a.livecodes.List(ctx, livecode.Query{}, "", 200)
	if err != nil {
		return err
	}
	made := map[string]bool{} // before a crash
	for _, r := range rows {
		made[r.Name] = true
	}
	for i, c := range demoCodes {
		if made[c.name] {
			continue
		}
		if folders[c.folder] == "" {
			f, err := a.livecodes.SaveFolder(ctx, "", c.folder)
			if err != nil {
				return err
			}
			folders[c.folder] = f.ID
		}
		def := livecode.Definition{Name: c.name, Account: account.ID, Channel: c.channel, Folder: folders[c.folder], Remark: "{name}-{code}", Backups: []string{staff[(i+2)%len(staff)]},
			Welcome: livecode.Welcome{Text: "{customer}您好，我是山月茶集的{staff}。喜欢什么茶，随时告诉我；到店出示这条消息，可以免费品一杯当季新茶。"},
			Timed: []livecode.Timed{{Windows: []livecode.Window{{Days: []int{1, 2, 3, 4, 5, 6, 7}, From: "23:30", To: "08:00"}},
				Welcome: livecode.Welcome{Text: "{customer}您好，我是{staff}。现在有些晚了，明早第一时间回复您。"}}}}
		for n := range 2 {
			m := livecode.Member{Staff: staff[(i+n)%len(staff)], Cap: 60 * n}
			if c.from != "" {
				m.Shifts = []livecode.Window{{Days: []int{1, 2, 3, 4, 5, 6, 7}, From: c.from, To: c.to}}
			}
			def.Members = append(def.Members, m)
		}
		if c.gift {
			def.Hook = &livecode.Hook{Name: "新客品鉴券", Attachment: &livecode.Attachment{Kind: livecode.PartLink, Title: "新客品鉴券", Note: "三款小样，到店领取", URL: "https://shanyue.example/gift"}}
		}
		if _, err := a.livecodes.Create(ctx, def); err != nil {
			return fmt.Errorf("make the live code %s: %w", c.name, err)
		}
	}
	return p.Mark(ctx, stageCodes)
}
