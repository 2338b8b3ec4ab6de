package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
)

// attributes are what the brand wants to know of its customers.
var attributes = []map[string]any{
	{"key": "level", "nameZh": "会员等级", "nameEn": "Member level", "type": "enum", "group": "会员", "indexed": true, "position": 1,
		"options": choices("新叶", "清友", "雅客", "茶主"), "description": "按年消费评定，每年一月更新。"},
	{"key": "budget", "nameZh": "年消费预算", "nameEn": "Yearly budget", "type": "money", "currency": "CNY", "min": 0, "group": "会员", "indexed": true, "position": 2},
	{"key": "taste", "nameZh": "口味偏好", "nameEn": "Taste", "type": "multi", "group": "喝茶", "indexed": true, "position": 3, "options": choices("清香", "浓醇", "花香", "果味", "陈香", "少苦")},
	{"key": "teas", "nameZh": "常喝茶类", "nameEn": "Usual teas", "type": "multi", "group": "喝茶", "indexed": true, "position": 4, "options": choices("绿茶", "白茶", "乌龙", "红茶", "普洱", "花茶")},
	{"key": "cups", "nameZh": "每周喝茶", "nameEn": "Cups a week", "type": "number", "unit": "杯", "min": 0, "max": 200, "group": "喝茶", "indexed": true, "position": 5},
	{"key": "region", "nameZh": "所在地区", "nameEn": "Region", "type": "region", "group": "生活", "indexed": true, "position": 6},
	{"key": "anniversary", "nameZh": "纪念日", "nameEn": "Anniversary", "type": "date", "group": "生活", "position": 7},
	{"key": "id_card", "nameZh": "身份证号", "nameEn": "Identity number", "type": "text", "personal": "sensitive", "unique": true, "group": "生活", "position": 8,
		"description": "仅线下大额储值时登记。"},
}

func choices(labels ...string) []map[string]string {
	out := make([]map[string]string, len(labels))
	for i, l := range labels {
		out[i] = map[string]string{"id": fmt.Sprintf("o%d", i+1), "label": l}
	}
	return out
}

func (f *filler) attributes(ctx context.Context) error {
	for _, a := range attributes {
		status, err := f.call(ctx, http.MethodPost, "/api/attributes", a, nil)
		if err != nil && status != http.StatusConflict { // there since an earlier try
			return err
		}
	}
	return nil
}

// about writes what a member told of themself, as a clerk types it: level,
// taste, teas, budget, region, cups a week. Many left something out.
func (p *person) about(seed int64) []string {
	r := stream(seed, 7, uint64(p.No))
	some := func(share float64, say func() string) string {
		if r.Float64() >= share {
			return ""
		}
		return say()
	}
	words := func(most int, of ...string) string {
		r.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		return strings.Join(of[:1+r.IntN(most)], "、")
	}
	return []string{
		p.level(),
		some(.72, func() string { return words(2, "清香", "浓醇", "花香", "果味", "陈香", "少苦") }),
		some(.81, func() string { return words(3, "绿茶", "白茶", "乌龙", "红茶", "普洱", "花茶") }),
		some(.55, func() string { return budgetOf(r, p.Wealth) }),
		some(.9, func() string { return p.City }),
		some(.4, func() string { return fmt.Sprint(1 + r.IntN(28)) }),
	}
}

func budgetOf(r *rand.Rand, wealth float64) string {
	yuan := int(wealth*12+r.Float64()*10) * 100
	if yuan >= 10_000 {
		return fmt.Sprintf("%g万", float64(yuan)/10_000)
	}
	return fmt.Sprintf("¥%d", yuan)
}
