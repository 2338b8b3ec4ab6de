package demo

import (
	"context"
	"fmt"
	"net/http"
)

func last(n int, unit string) rule { return rule{"last": n, "unit": unit} }

func did(name string, more rule) rule {
	e := rule{"name": name}
	for k, v := range more {
		e[k] = v
	}
	return rule{"event": e}
}

// segments are the groups of people that the brand's operators work with. Those
// with On rest on the segment of that name.
var segments = []struct {
	Name, Note, Folder string
	On                 string
	Where              rule
}{
	{"高价值沉睡客户", "累计消费满 1000 元、45 天没有动静。每周由管家逐个问候，不群发。", "唤醒", "",
		all(rule{"field": "revenue", "op": "gte", "value": 100_000}, rule{"field": "lastSeen", "op": "olderThan", "value": 45})},
	{"停购老客", "半年里买过两次以上，最近 60 天没有再买。", "唤醒", "",
		all(rule{"habit": rule{"kind": "stopped", "name": "order.paid", "times": 2, "active": 180, "quiet": 60}})},
	{"可短信唤醒的沉睡客户", "从“高价值沉睡客户”里挑出同意接收营销短信的人。", "唤醒", "高价值沉睡客户",
		all(rule{"field": "consent", "key": "marketing:sms", "op": "in", "value": []string{"allowed"}})},
	{"加购未付款", "14 天内加过购物车却没有下单，适合发一张小额券。", "转化", "",
		all(did("cart.added", rule{"within": last(14, "day")}), rule{"none": []rule{did("order.paid", rule{"within": last(14, "day")})}})},
	{"领券未用", "30 天内领了券还没有付款。", "转化", "",
		all(did("coupon.claimed", rule{"within": last(30, "day")}), rule{"none": []rule{did("order.paid", rule{"within": last(30, "day")})}})},
	{"种草到下单", "先读文章、七天内付款的人：内容带来的成交。", "内容", "",
		all(rule{"sequence": rule{"steps": []rule{{"name": "article.read"}, {"name": "order.paid"}}, "gap": rule{"n": 7, "unit": "day"}, "within": last(90, "day")}})},
	{"每周都来读", "最近四周里至少三周读过文章。", "内容", "",
		all(rule{"habit": rule{"kind": "regularly", "name": "article.read", "unit": "week", "periods": 4, "atLeast": 3}})},
}

// segments makes them through the API, a list for the tasting, and the first snapshots.
func (f *filler) segments(ctx context.Context) error {
	ids := map[string]string{}
	add := func(key string, body map[string]any) (string, error) {
		var made struct {
			Segment struct{ ID string } `json:"segment"`
		}
		_, err := f.callAs(ctx, caller{key: "demo-segment-" + key}, http.MethodPost, "/api/segments", body, &made)
		return made.Segment.ID, err
	}
	for i, s := range segments {
		where := s.Where
		if s.On != "" {
			where = all(append([]rule{{"field": "segment", "op": "in", "value": []string{ids[s.On]}}}, where["all"].([]rule)...)...)
		}
		id, err := add(fmt.Sprint(i), map[string]any{"name": s.Name, "note": s.Note, "folder": s.Folder, "kind": "dynamic", "rule": where})
		if err != nil {
			return err
		}
		ids[s.Name] = id
	}
	list, err := add("tasting", map[string]any{"name": "秋季品鉴会邀约名单", "note": "茶主会员，店长确认过的名单。", "folder": "活动", "kind": "static",
		"members": map[string]any{"selection": map[string]any{"filter": map[string]any{"where": all(rule{"field": "attr", "key": "level", "op": "in", "value": []string{"o4"}})}}}})
	if err != nil {
		return err
	}
	if _, err := f.call(ctx, http.MethodPut, "/api/segments/"+ids["高价值沉睡客户"]+"/schedule", map[string]any{"every": "week", "keep": 12}, nil); err != nil {
		return err
	}
	if _, err := f.call(ctx, http.MethodPost, "/api/segments/"+list+"/snapshots", map[string]any{"note": "发出邀请时"}, nil); err != nil {
		return err
	}
	// A webhook as engineers set it up. It is paused: a demo calls nobody.
	var hooks struct{ Items []struct{} }
	if _, err := f.call(ctx, http.MethodGet, "/api/webhooks", nil, &hooks); err != nil || len(hooks.Items) > 0 {
		return err
	}
	_, err = f.call(ctx, http.MethodPost, "/api/webhooks", map[string]any{"name": "CRM 唤醒任务", "url": "https://crm.example.com/hooks/koipond",
		"segments": []string{ids["高价值沉睡客户"], ids["停购老客"]}, "liveOnly": true, "paused": true}, nil)
	return err
}
