package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/acquire/menu"
	"github.com/koipond/koipond/internal/acquire/reply"
	"github.com/koipond/koipond/internal/acquire/scene"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/event"
)

// stageReplies is the part of the demo that needs a simulated official account.
const stageReplies = "replies"

// demoReplies are the auto-replies of the made-up brand's official account.
var demoReplies = []struct {
	name, kind string
	words      []reply.Word
	contents   []reply.Content
	hours      int
}{
	{"关注欢迎", reply.Follow, nil, []reply.Content{said("欢迎来到山月茶集。回复「茶单」看当季好茶，回复「门店」找离您最近的茶席；需要人工请直接留言。"), linked("新人礼：三款小样", "首次到店出示，免费领取", "https://shanyue.example/gift")}, 0},
	{"门店地址", reply.Keyword, []reply.Word{{Text: "门店", Match: reply.Contains}, {Text: "地址", Match: reply.Contains}, {Text: "在哪", Match: reply.Contains}}, []reply.Content{said("湖滨店：湖滨路 18 号\n南山店：南山路 202 号\n外滩店：中山东一路 27 号\n每天 10:00–22:00，欢迎来喝茶。")}, 0},
	{"当季茶单", reply.Keyword, []reply.Word{{Text: "茶单", Match: reply.Contains}, {Text: "新茶", Match: reply.Contains}, {Text: "1", Match: reply.Exact}}, []reply.Content{linked("山月当季茶单", "明前龙井、凤凰单丛、老白茶", "https://shanyue.example/menu"), said("今年的龙井 3 月 18 日开采，想留一份可以直接告诉我。")}, 0},
	{"开发票", reply.Keyword, []reply.Word{{Text: "发票", Match: reply.Contains}}, []reply.Content{said("请回复：抬头、税号、邮箱。一个工作日内发到您的邮箱。")}, 0},
	{"查物流", reply.Keyword, []reply.Word{{Text: "快递", Match: reply.Contains}, {Text: "物流", Match: reply.Contains}, {Text: `^[A-Za-z]{2}\d{8,13}$`, Match: reply.Pattern}}, []reply.Content{linked("查询订单物流", "输入手机号后四位即可", "https://shanyue.example/track"), said("已收到「{word}」。包裹每天 16:00 前下单当天发出。")}, 0},
	{"价格与优惠", reply.Keyword, []reply.Word{{Text: "优惠", Match: reply.Contains}, {Text: "打折", Match: reply.Contains}, {Text: "多少钱", Match: reply.Contains}, {Text: "包邮", Match: reply.Contains}}, []reply.Content{said("满 199 元包邮；会员日（每月 18 日）全场九折。")}, 0},
	{"优惠券", reply.Keyword, []reply.Word{{Text: "优惠券", Match: reply.Exact}}, []reply.Content{linked("领取 20 元券", "满 199 可用，30 天有效", "https://shanyue.example/coupon")}, 0},
	{"会员权益", reply.Chosen, nil, []reply.Content{said("会员每月 18 日九折，生日当月赠一泡老茶，积分 1 元 1 分。"), linked("我的会员卡", "积分、等级、生日礼", "https://shanyue.example/member")}, 0},
	{"联系客服", reply.Chosen, nil, []reply.Content{said("您好，请直接留言，茶艺师会在工作时间（9:00–21:00）尽快回复。")}, 0},
	{"门店扫码欢迎", reply.Chosen, nil, []reply.Content{said("欢迎到店！今天 {date} 的品鉴茶是凤凰单丛，请向茶艺师出示这条消息。")}, 0},
	{"首次到店礼", reply.Chosen, nil, []reply.Content{said("第一次来？送您一份三款小样，向茶艺师出示即可领取。")}, 0},
	{"夜间留言", reply.OffHours, nil, []reply.Content{said("已经打烊了，您的留言我们记下了，明早 9 点后第一时间回复您。")}, 2},
	{"没听懂", reply.Default, nil, []reply.Content{said("收到。茶艺师马上来；也可以回复「茶单」「门店」「发票」「快递」快速查询。")}, 1},
}

func said(text string) reply.Content { return reply.Content{Kind: reply.PartText, Text: text} }

func linked(title, note, url string) reply.Content {
	return reply.Content{Kind: reply.PartLink, Title: title, Note: note, URL: url}
}

// demoScenes are its scene codes: where each hangs, and from which channel people come.
var demoScenes = []struct {
	name, place, channel string
	gift                 bool
}{
	{"南山店茶席", "南山店 二楼 桌贴", "offline", true}, {"湖滨店收银台", "湖滨店 一楼 立牌", "offline", true}, {"外滩店橱窗海报", "外滩店 临街橱窗", "offline", false},
	{"包裹卡：春茶礼盒", "快递包裹内", "ecommerce", true}, {"小红书主页", "小红书账号简介", "social", false},
}

// replies makes the demo's auto-replies, menu and scene codes, each once.
func (d *demoPond) replies(ctx context.Context, a *App) error {
	p := demoProgress{d: d, state: a.state, log: a.log}
	if done, err := p.Done(ctx, stageReplies); err != nil || done {
		return err
	}
	list, err := (bottom{official{a}}).Accounts(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	account := list[0].ID
	have, _, _, err := a.replies.List(ctx, reply.Query{Account: account}, "", 200)
	if err != nil {
		return err
	}
	ids := map[string]string{} // made before a crash
	for _, r := range have {
		ids[r.Name] = r.ID
	}
	for _, r := range demoReplies {
		if ids[r.name] != "" {
			continue
		}
		made, err := a.replies.Create(ctx, reply.Definition{Account: account, Name: r.name, Kind: r.kind, Words: r.words, Contents: r.contents, EveryHours: r.hours})
		if err != nil {
			return fmt.Errorf("make the auto-reply %s: %w", r.name, err)
		}
		ids[r.name] = made.ID
	}
	week := []int{1, 2, 3, 4, 5, 6, 7}
	if _, err := a.replies.SetHours(ctx, account, reply.Hours{Windows: []reply.Window{{Days: week, From: "09:00", To: "21:00"}}, Days: demoHolidays(a.clock.Now().Year())}); err != nil {
		return err
	}
	if err := d.menu(ctx, a, account, ids); err != nil {
		return err
	}
	if err := d.taps(ctx, a, account); err != nil {
		return err
	}
	if err := d.scenes(ctx, a, account, ids); err != nil {
		return err
	}
	if err := d.talk(ctx, a); err != nil {
		return err
	}
	return p.Mark(ctx, stageReplies)
}

// talk makes what WeCom's customer service says by itself: a greeting with a menu whose
// lines choose the others.
func (d *demoPond) talk(ctx context.Context, a *App) error {
	list, err := a.connectors.Accounts(ctx, simKind)
	if err != nil || len(list) == 0 {
		return err
	}
	account := list[0].ID
	have, _, _, err := a.replies.List(ctx, reply.Query{Account: account}, "", 200)
	if err != nil || len(have) > 0 {
		return err
	}
	ids := map[string]string{}
	made := func(name, kind string, words []reply.Word, hours int, contents ...reply.Content) error {
		r, err := a.replies.Create(ctx, reply.Definition{Account: account, Name: name, Kind: kind, Words: words, Contents: contents, EveryHours: hours})
		if err != nil {
			return fmt.Errorf("make the auto-reply %s: %w", name, err)
		}
		ids[name] = r.ID
		return nil
	}
	menu := func(text, tail string, lines ...reply.Line) reply.Content {
		return reply.Content{Kind: reply.PartMenu, Text: text, Lines: lines, Tail: tail}
	}
	err = made("客服：查订单", reply.Keyword, []reply.Word{{Text: "订单", Match: reply.Contains}, {Text: "物流", Match: reply.Contains}}, 0, said("请发来下单的手机号后四位，马上为您查询。"))
	if err == nil {
		err = made("客服：选茶", reply.Keyword, []reply.Word{{Text: "选茶", Match: reply.Contains}, {Text: "推荐", Match: reply.Contains}}, 0,
			menu("您平时喝茶的口味是？", "", reply.Line{Text: "清香鲜爽"}, reply.Line{Text: "花果香浓"}, reply.Line{Text: "陈香醇厚"}, reply.Line{Text: "看全部茶单", URL: "https://shanyue.example/menu"}))
	}
	if err == nil {
		err = made("客服：口味推荐", reply.Keyword, []reply.Word{{Text: "清香鲜爽"}, {Text: "花果香浓"}, {Text: "陈香醇厚"}}, 0, said("喜欢{word}，推荐您试试本季的品鉴装，三款各五泡。茶艺师稍后与您细聊。"))
	}
	if err == nil {
		err = made("客服：欢迎", reply.Follow, nil, 0, menu("您好，这里是山月茶集。想了解什么？", "也可以直接留言，茶艺师马上来。",
			reply.Line{Text: "帮我选茶", Reply: ids["客服：选茶"]}, reply.Line{Text: "查订单", Reply: ids["客服：查订单"]}, reply.Line{Text: "逛逛茶礼", URL: "https://shanyue.example/gifts"}))
	}
	return err
}

// demoHolidays are days of a year on which the shops answer nobody.
func demoHolidays(year int) []reply.Day {
	return []reply.Day{{Date: time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), Note: "元旦"}, {Date: time.Date(year+1, 5, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), From: "10:00", To: "16:00", Note: "劳动节"}}
}

func (d *demoPond) menu(ctx context.Context, a *App, account string, ids map[string]string) error {
	m, err := a.menus.Get(ctx, account)
	if err != nil || m.Published != nil {
		return err
	}
	buttons := []menu.Button{
		{Name: "喝好茶", Sub: []menu.Button{{Name: "当季茶单", Kind: menu.Reply, Reply: ids["当季茶单"]}, {Name: "茶礼盒", Kind: menu.View, URL: "https://shanyue.example/gifts"}, {Name: "门店与茶席", Kind: menu.Reply, Reply: ids["门店地址"]}}},
		{Name: "会员", Sub: []menu.Button{{Name: "会员权益", Kind: menu.Reply, Reply: ids["会员权益"]}, {Name: "领券", Kind: menu.Reply, Reply: ids["优惠券"]}}},
		{Name: "联系客服", Kind: menu.Reply, Reply: ids["联系客服"]},
	}
	before := []menu.Button{ // of the program before this one; their taps are in the pond's past
		{Name: "上新", Kind: menu.Click, Key: "NEW"}, {Name: "活动", Kind: menu.Click, Key: "EVENT"}, {Name: "会员卡", Kind: menu.Click, Key: "MEMBER"},
	}
	for _, list := range [][]menu.Button{before, buttons} {
		if m, err = a.menus.Save(ctx, account, list, m.Rev); err != nil {
			return fmt.Errorf("write the demo's menu: %w", err)
		}
		if m, err = a.menus.Publish(ctx, account, m.Rev); err != nil {
			return fmt.Errorf("publish the demo's menu: %w", err)
		}
	}
	return nil
}

// tappers is how many followers tap the demo's menu in its last four weeks.
const tappers = 500

// demoShares is how often each button is tapped, of a hundred, by where it stands in
// the menu.
var demoShares = []int{34, 13, 11, 17, 20, 5}

// taps are the facts of followers who tapped the menu, most of them lately.
func (d *demoPond) taps(ctx context.Context, a *App, account string) error {
	m, err := a.menus.Get(ctx, account)
	if err != nil || m.Published == nil {
		return err
	}
	var buttons []menu.Button
	for _, b := range m.Published.Buttons {
		if len(b.Sub) == 0 {
			buttons = append(buttons, b)
		}
		buttons = append(buttons, b.Sub...)
	}
	c, err := (official{a}).conn(ctx, account)
	if err != nil {
		return err
	}
	ids, _, _, err := c.Followers(ctx, "")
	if err != nil {
		return fmt.Errorf("read the demo's followers: %w", err)
	}
	var facts []event.Fact
	for i := 0; i < min(len(ids), tappers); i += 100 {
		people, err := c.People(ctx, ids[i:min(i+100, len(ids), tappers)])
		if err != nil {
			return fmt.Errorf("read the demo's followers: %w", err)
		}
		for k, p := range people {
			facts = append(facts, d.tapsOf(account, buttons, p, i+k)...)
		}
	}
	_, err = a.intake.Ingest(ctx, facts)
	return err
}

// tapsOf are those of one follower: once to three times, by their number.
func (d *demoPond) tapsOf(account string, buttons []menu.Button, p wechat.Person, no int) (out []event.Fact) {
	for n := range 1 + no%3 {
		pick, at := (no*37+n*61)%100, 0
		for at < min(len(buttons), len(demoShares))-1 && pick >= demoShares[at] {
			pick -= demoShares[at]
			at++
		}
		when := d.end.Add(-time.Duration((no*no*7+n*131)%(28*24*60)) * time.Minute)
		if when.Unix() < p.Since {
			continue
		}
		props := map[string]any{"account": account, "type": wechat.EventClick, "key": buttons[at].EventKey()}
		if buttons[at].Kind == menu.View {
			props = map[string]any{"account": account, "type": wechat.EventView, "url": buttons[at].URL}
		}
		raw, _ := json.Marshal(props) // texts always encode
		out = append(out, event.Fact{MessageID: fmt.Sprintf("demo-tap-%d-%d", no, n), Type: event.Track, Name: event.NameMenuClicked, Timestamp: when.UnixMilli(), Source: wechat.Source,
			Identifiers: wechat.Identifiers(p.OpenID, p.UnionID), Properties: raw})
	}
	return out
}

func (d *demoPond) scenes(ctx context.Context, a *App, account string, ids map[string]string) error {
	have, _, _, err := a.scenes.List(ctx, scene.Query{Account: account}, "", 200)
	if err != nil {
		return err
	}
	made := map[string]bool{}
	for _, c := range have {
		made[c.Name] = true
	}
	for _, c := range demoScenes {
		if made[c.name] {
			continue
		}
		def := scene.Definition{Account: account, Name: c.name, Place: c.place, Channel: c.channel, Reply: ids["门店扫码欢迎"]}
		if c.channel != "offline" {
			def.Reply = ""
		}
		if c.gift {
			def.Hook = ids["首次到店礼"]
		}
		if _, err := a.scenes.Create(ctx, def); err != nil {
			return fmt.Errorf("make the scene code %s: %w", c.name, err)
		}
	}
	return d.miniCodes(ctx, a)
}

// demoMiniCodes are codes of the made-up brand's mini-program.
var demoMiniCodes = []scene.Definition{
	{Name: "湖滨店点单桌贴", Place: "湖滨店 每桌", Channel: "offline", Page: "pages/shop/index", Gift: "首单立减 10 元"},
	{Name: "包裹卡：再来一罐", Place: "快递包裹内", Channel: "ecommerce", Page: "pages/product/detail"},
}

func (d *demoPond) miniCodes(ctx context.Context, a *App) error {
	accounts, err := (codeMaker{official{a}}).Accounts(ctx)
	i := slices.IndexFunc(accounts, func(x scene.Account) bool { return x.Kind == scene.Mini })
	if err != nil || i < 0 {
		return err
	}
	have, _, _, err := a.scenes.List(ctx, scene.Query{Account: accounts[i].ID}, "", 200)
	if err != nil {
		return err
	}
	for _, def := range demoMiniCodes {
		if slices.ContainsFunc(have, func(r scene.Row) bool { return r.Name == def.Name }) {
			continue // made before a crash
		}
		def.Account = accounts[i].ID
		if _, err := a.scenes.Create(ctx, def); err != nil {
			return fmt.Errorf("make the mini-program code %s: %w", def.Name, err)
		}
	}
	return nil
}
