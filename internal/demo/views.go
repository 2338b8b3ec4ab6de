package demo

import (
	"context"
	"fmt"
	"net/http"
)

type rule map[string]any

func all(conditions ...rule) rule { return rule{"v": 1, "all": conditions} }

// views are the lists that the whole team works with.
var views = []struct {
	Name    string
	Where   rule
	Sort    string
	Columns []string
}{
	{"高价值沉睡客户", all(rule{"field": "revenue", "op": "gte", "value": 100_000}, rule{"field": "lastSeen", "op": "olderThan", "value": 45}), "revenue",
		[]string{"name", "attr:level", "city", "tags", "owner", "orders", "revenue", "lastSeen"}},
	{"高等级会员", all(rule{"field": "attr", "key": "level", "op": "in", "value": []string{"o3", "o4"}}), "revenue",
		[]string{"name", "attr:level", "attr:taste", "attr:teas", "owner", "orders", "revenue"}},
	{"未打标签", all(rule{"field": "tag", "op": "notSet"}, rule{"field": "orders", "op": "gte", "value": 1}), "created", nil},
	{"可发营销短信", all(rule{"field": "consent", "key": "marketing:sms", "op": "in", "value": []string{"allowed"}}, rule{"field": "identity", "op": "in", "value": []string{"phone"}}), "lastSeen", nil},
	{"跟进已逾期", all(rule{"field": "followUp", "op": "in", "value": []string{"overdue"}}), "lastSeen", nil},
}

func (f *filler) views(ctx context.Context) error {
	for i, v := range views {
		body := map[string]any{"name": v.Name, "shared": true, "definition": map[string]any{"filter": map[string]any{"where": v.Where}, "sort": v.Sort, "order": "desc", "columns": v.Columns}}
		if _, err := f.callAs(ctx, caller{key: fmt.Sprint("demo-view-", i)}, http.MethodPost, "/api/contact-views", body, nil); err != nil {
			return err
		}
	}
	return nil
}
