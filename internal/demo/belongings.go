package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// papers are files that staff keep about a customer: what they are called and what stands in them.
var papers = []struct{ name, text string }{
	{"端午礼盒报价.csv", "品名,规格,数量,单价,小计\n龙井礼盒,2罐装,30,268.00,8040.00\n冷泡组合,15包,30,69.00,2070.00\n合计,,,,10110.00\n"},
	{"到店品鉴记录.txt", "到店试了三款：明前龙井、武夷大红袍、白牡丹。\n喜欢回甘明显的，嫌岩茶火重。下次留一泡今年的白牡丹。\n"},
	{"发票抬头.txt", "杭州听竹文化有限公司，开专票，随货寄到前台。\n"},
	{"茶艺课报名表.csv", "课程,日期,人数,备注\n入门茶艺,周六下午,2,带一位朋友\n"},
}

// ties are what customers are to one another.
var ties = []struct{ role, note string }{
	{"inviter", "朋友介绍来的"}, {"household", "夫妻，常合并下单"}, {"colleague", "同一家公司，一起采购"}, {"inviter", "同住一个小区"}, {"other", "瑜伽馆同班"}, {"household", "母女"},
}

// belongings gives some of those who bought most files, and says who they have to do with.
func (f *filler) belongings(ctx context.Context) error {
	var page struct{ Items []struct{ ID string } }
	if _, err := f.call(ctx, http.MethodGet, "/api/contacts?limit=80&sort=revenue", nil, &page); err != nil {
		return err
	}
	n := len(page.Items)
	for i := range min(24, n/3) {
		at := "/api/contacts/" + page.Items[i].ID
		var there struct{ Items []struct{ Name string } }
		if _, err := f.call(ctx, http.MethodGet, at+"/files", nil, &there); err != nil {
			return err
		}
		if p := papers[i%len(papers)]; i%2 == 0 && len(there.Items) == 0 { // else from an earlier try
			if _, err := f.call(ctx, http.MethodPost, at+"/files?name="+url.QueryEscape(p.name), strings.NewReader("\ufeff"+p.text), nil); err != nil {
				return err
			}
		}
		tie := ties[i%len(ties)]
		who := caller{key: fmt.Sprintf("demo-tie-%d-%d", f.o.Seed, i)}
		status, err := f.callAs(ctx, who, http.MethodPost, at+"/relations", map[string]any{"contact": page.Items[n-1-i].ID, "role": tie.role, "note": tie.note}, nil)
		if err != nil && status != http.StatusConflict { // said in an earlier try
			return err
		}
	}
	return nil
}
