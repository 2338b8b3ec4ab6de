package demo

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// tagNode is a tag of the brand with those that stand below it.
type tagNode struct {
	Name, Color, About string
	Below              []tagNode
}

func leaves(names ...string) []tagNode {
	out := make([]tagNode, len(names))
	for i, n := range names {
		out[i].Name = n
	}
	return out
}

// tagGroups are the brand's tags as its operators keep them: by what they are
// for, some in levels, two of which a person has only one.
var tagGroups = []struct {
	Name, Kind, Color, About string
	Exclusive                bool
	Tags                     []tagNode
}{
	{Name: "来源", Kind: "source", Color: "#3b6ea8", About: "第一次从哪里来。门店手工打的旧标签，新客看渠道即可。", Tags: []tagNode{
		{Name: "线上", Below: leaves("短视频", "朋友圈广告", "种草笔记", "商城包裹卡", "品牌词搜索")},
		{Name: "线下", Below: leaves("门店扫码", "瑜伽馆联名")},
		{Name: "老友邀请"}, {Name: "自然到访"}}},
	{Name: "会员等级", Kind: "attribute", Color: "#b7791f", About: "随会员系统更新，每人一个。", Exclusive: true, Tags: []tagNode{
		{Name: "新叶", Color: "#84a98c"}, {Name: "清友", Color: "#2f7d6b"}, {Name: "雅客", Color: "#b7791f"}, {Name: "茶主", Color: "#9b2226", About: "年消费最高的一档，专属管家。"}}},
	{Name: "兴趣", Kind: "attribute", Color: "#2f7d6b", About: "聊天和购买里看出来的偏好。", Tags: []tagNode{
		{Name: "茶叶", Below: []tagNode{
			{Name: "绿茶", Color: "#4d7c0f", Below: leaves("明前龙井")}, {Name: "白茶", Color: "#a3a380"}, {Name: "乌龙", Color: "#b7791f", Below: leaves("武夷岩茶", "铁观音")},
			{Name: "普洱", Color: "#7f5539", Below: leaves("老茶收藏")}, {Name: "普洱茶"}, {Name: "红茶", Color: "#9b2226"}, {Name: "冷泡", Color: "#0e7490"}}},
		{Name: "茶具", Color: "#7a5aa6", Below: []tagNode{{Name: "紫砂", Below: leaves("名家壶")}, {Name: "盖碗"}, {Name: "随行杯"}}},
		{Name: "茶艺课", Color: "#be4a7b"}}},
	{Name: "跟进状态", Kind: "stage", Color: "#c2553f", About: "销售跟到哪一步，每人一个。", Exclusive: true, Tags: []tagNode{
		{Name: "已加企微"}, {Name: "待回访"}, {Name: "已邀约体验课"}, {Name: "高意向", Color: "#9b2226", About: "问过价格或库存，两天内回访。"}, {Name: "暂不打扰", Color: "#6b7280"}}},
	{Name: "客群", Kind: "attribute", Color: "#7a5aa6", About: "运营按规则圈出来的人群。", Tags: leaves("送礼客群", "到店常客", "办公室", "复购老客", "沉睡待唤醒", "近30天首购", "近期活跃")},
	{Name: "活动", Kind: "campaign", Color: "#be4a7b", About: "参加过哪些活动，活动结束后归档。", Tags: []tagNode{
		{Name: "会员日·桂花季", Below: leaves("到店签到", "品鉴会", "领养茶树")}, {Name: "春茶开园"}, {Name: "去年双十一", Color: "#6b7280"}}},
}

// sourceTags are the tags of the channels.
var sourceTags = map[string]string{"short_video": "短视频", "feed_ads": "朋友圈广告", "social": "种草笔记", "offline": "门店扫码", "ecommerce": "商城包裹卡",
	"referral": "老友邀请", "paid_search": "品牌词搜索", "partner": "瑜伽馆联名", "organic": "自然到访"}

// drawTags are the tags that somebody has in the member file. Where they come from
// is tagged on one in four, by stores that still do it by hand: the channel says
// it of everybody.
func (p *person) drawTags() []string {
	r := p.rng
	tags := []string{"会员等级:" + p.level()}
	if p.No%4 == 0 {
		tags = append(tags, "来源:"+sourceTags[p.Channel.ID])
	}
	teas := []string{"绿茶", "白茶", "乌龙", "普洱", "红茶", "冷泡", "明前龙井", "武夷岩茶", "铁观音", "老茶收藏", "普洱茶"}
	for range 1 + r.IntN(2) {
		tags = append(tags, "兴趣:"+pick(r, teas, func(t string) int { return map[bool]int{true: 9, false: 2}[len([]rune(t)) == 2] }))
	}
	if r.Float64() < .16+p.Wealth*.08 {
		tags = append(tags, "兴趣:"+[]string{"紫砂", "盖碗", "随行杯", "随行杯", "名家壶"}[r.IntN(5)])
	}
	if p.Wealth > 1.6 {
		tags = append(tags, "客群:送礼客群")
	}
	if p.Channel.ID == "offline" && r.Float64() < .5 {
		tags = append(tags, "客群:到店常客", "兴趣:茶艺课")
	}
	if strings.HasPrefix(p.Phone, "18") && r.Float64() < .2 {
		tags = append(tags, "客群:办公室")
	}
	return tags
}

// tags makes the groups and the tags before anybody gets them.
func (f *filler) tags(ctx context.Context) error {
	for _, g := range tagGroups {
		status, err := f.call(ctx, http.MethodPost, "/api/tag-groups", map[string]any{"name": g.Name, "kind": g.Kind, "color": g.Color, "description": g.About, "exclusive": g.Exclusive}, nil)
		if err != nil && status != http.StatusConflict { // there since an earlier try
			return err
		}
		if err := f.growTags(ctx, g.Name, "", g.Color, g.Tags); err != nil {
			return err
		}
	}
	return nil
}

// growTags makes tags below a parent. Those there since an earlier try keep what stands below them.
func (f *filler) growTags(ctx context.Context, group, parent, color string, tags []tagNode) error {
	for _, t := range tags {
		if t.Color == "" {
			t.Color = color
		}
		var made struct {
			ID string `json:"id"`
		}
		status, err := f.call(ctx, http.MethodPost, "/api/tags", map[string]any{"group": group, "parent": parent, "name": t.Name, "color": t.Color, "description": t.About}, &made)
		if status == http.StatusConflict {
			if made.ID, err = f.tagID(ctx, group, t.Name); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if err := f.growTags(ctx, group, made.ID, t.Color, t.Below); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) tagID(ctx context.Context, group, name string) (string, error) {
	var all struct {
		Groups []struct {
			Name string `json:"name"`
			Tags []struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"tags"`
		} `json:"groups"`
	}
	if _, err := f.call(ctx, http.MethodGet, "/api/tags?archived=true", nil, &all); err != nil {
		return "", err
	}
	for _, g := range all.Groups {
		for _, t := range g.Tags {
			if g.Name == group && t.Name == name {
				return t.ID, nil
			}
		}
	}
	return "", fmt.Errorf("there is no tag %s:%s", group, name)
}

// tagging does what operators do with tags in half a year, as work on many that
// the history keeps: by rule, by file, one that was a mistake, a merge.
func (f *filler) tagging(ctx context.Context) error {
	var runs struct {
		Items []struct {
			Title string `json:"title"`
		} `json:"items"`
	}
	if _, err := f.call(ctx, http.MethodGet, "/api/tag-runs?limit=100", nil, &runs); err != nil {
		return err
	}
	done := map[string]bool{} // in an earlier try
	for _, r := range runs.Items {
		done[r.Title] = true
	}
	cond := func(field, op string, value any) map[string]any {
		return map[string]any{"where": map[string]any{"v": 1, "all": []any{map[string]any{"field": field, "op": op, "value": value}}}}
	}
	for _, w := range []struct {
		tag     string
		filter  map[string]any
		mistake bool
	}{
		{"送礼客群", map[string]any{"channel": "short_video"}, true},
		{"复购老客", cond("orders", "gte", 3), false},
		{"沉睡待唤醒", cond("lastSeen", "olderThan", 60), false},
	} {
		if done["+"+w.tag] {
			continue
		}
		id, err := f.tagID(ctx, "客群", w.tag)
		if err != nil {
			return err
		}
		run, err := f.tagRun(ctx, "/api/tags/bulk", map[string]any{"selection": map[string]any{"filter": w.filter}, "add": []string{id}})
		if err != nil {
			return err
		}
		if w.mistake { // the whole of the short-video people, who buy the least: taken back
			if _, err := f.tagRun(ctx, "/api/tag-runs/"+run+"/undo", nil); err != nil {
				return err
			}
		}
	}
	for _, w := range []struct {
		name  string
		file  map[string]any
		write func(*csv.Writer) error
	}{
		{"桂花季品鉴会签到.csv", map[string]any{"column": "手机号", "kind": "phone", "tagColumn": "签到", "timeColumn": "时间"}, f.writeSigned},
		{"企微跟进记录.csv", map[string]any{"column": "会员号", "kind": "member_no", "tagColumn": "跟进状态", "timeColumn": "时间", "byColumn": "跟进人"}, f.writeFollowed},
	} {
		if done[w.name] {
			continue
		}
		if err := f.tagFile(ctx, w.name, w.file, w.write); err != nil {
			return err
		}
	}
	return f.foldTags(ctx)
}

// tagRun starts work on tags and waits for it.
func (f *filler) tagRun(ctx context.Context, path string, body any) (string, error) {
	var run struct {
		ID      string `json:"id"`
		Title   string `json:"title"`
		State   string `json:"state"`
		Undoing bool   `json:"undoing"`
	}
	if _, err := f.call(ctx, http.MethodPost, path, body, &run); err != nil {
		return "", err
	}
	for run.State == "queued" || run.State == "running" || run.Undoing {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		run.Undoing = false // left out when it ends
		if _, err := f.call(ctx, http.MethodGet, "/api/tag-runs/"+run.ID, nil, &run); err != nil {
			return "", err
		}
	}
	if run.State != "succeeded" {
		return "", fmt.Errorf("work on tags %s ended %s", run.Title, run.State)
	}
	return run.ID, nil
}

func (f *filler) tagFile(ctx context.Context, name string, file map[string]any, write func(*csv.Writer) error) error {
	r, w := io.Pipe()
	go func() {
		to := csv.NewWriter(w)
		err := write(to)
		to.Flush()
		if err == nil {
			err = to.Error()
		}
		w.CloseWithError(err)
	}()
	var up struct {
		ID string `json:"id"`
	}
	if _, err := f.call(ctx, http.MethodPost, "/api/imports/files?name="+url.QueryEscape(name), r, &up); err != nil {
		return err
	}
	file["uploadId"] = up.ID
	_, err := f.tagRun(ctx, "/api/tags/bulk", map[string]any{"file": file})
	return err
}

// writeSigned is who signed in at the tasting: by phone number, some of nobody the pond knows.
func (f *filler) writeSigned(w *csv.Writer) error {
	if err := w.Write([]string{"手机号", "签到", "时间"}); err != nil {
		return err
	}
	r := stream(f.o.Seed, 11, 0)
	day := f.o.start().AddDate(0, 0, f.o.campaignDay())
	for i := range min(max(f.o.Contacts/25, 12), 240) {
		p := f.o.makePerson(i * 17 % f.o.Contacts)
		phone, tag := p.Phone, "活动:到店签到"
		if i%19 == 7 {
			phone = fmt.Sprintf("1700000%04d", i)
		}
		if i%3 == 0 {
			tag += "、活动:" + []string{"品鉴会", "领养茶树"}[r.IntN(2)]
		}
		at := day.AddDate(0, 0, r.IntN(3)).Add(time.Duration(10*60+r.IntN(48)*10) * time.Minute)
		if at.Before(p.Joined) || !at.Before(f.o.End) {
			continue
		}
		if err := w.Write([]string{phone, tag, at.Format("2006-01-02 15:04")}); err != nil {
			return err
		}
	}
	return nil
}

// writeFollowed is how far staff got with whom, as their follow-up book says: of
// several lines of a person the last one counts.
func (f *filler) writeFollowed(w *csv.Writer) error {
	if err := w.Write([]string{"会员号", "跟进状态", "时间", "跟进人"}); err != nil {
		return err
	}
	r := stream(f.o.Seed, 12, 0)
	states := []string{"已加企微", "待回访", "已邀约体验课", "高意向", "暂不打扰"}
	lines := min(max(f.o.Contacts/8, 20), 600)
	for i := range lines {
		p := f.o.makePerson(r.IntN(f.o.Contacts))
		back := time.Duration(lines-i) * 29 * 24 * time.Hour / time.Duration(lines) // of the last weeks, the oldest first
		at := f.o.midnight(f.o.End.Add(-back)).Add(time.Duration(9*60+r.IntN(60)*10) * time.Minute)
		if !at.Before(f.o.End) || at.Before(p.Joined) {
			continue
		}
		state := pick(r, states, func(s string) int {
			return map[string]int{"已加企微": 9, "待回访": 5, "已邀约体验课": 3, "高意向": 3}[s] + 1
		})
		if err := w.Write([]string{p.MemberNo, state, at.Format("2006-01-02 15:04"), []string{"林见鹿", "唐小满", "顾清和"}[r.IntN(3)]}); err != nil {
			return err
		}
	}
	return nil
}

// foldTags merges a tag that two people had made twice, and lays last year's campaign aside.
func (f *filler) foldTags(ctx context.Context) error {
	twice, err := f.tagID(ctx, "兴趣", "普洱茶")
	if err == nil { // else merged in an earlier try
		into, err := f.tagID(ctx, "兴趣", "普洱")
		if err != nil {
			return err
		}
		if _, err := f.tagRun(ctx, "/api/tags/"+twice+"/merge", map[string]any{"into": into}); err != nil {
			return err
		}
	}
	old, err := f.tagID(ctx, "活动", "去年双十一")
	if err != nil {
		return err
	}
	_, err = f.call(ctx, http.MethodPatch, "/api/tags/"+old, map[string]any{"archived": true}, nil)
	return err
}
