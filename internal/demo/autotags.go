package demo

import (
	"context"
	"net/http"
)

// autoTags are tags that the brand lets be given by themselves: three by rule, and
// two by what customers do.
var autoTags = []struct {
	Group, Name string
	Def         map[string]any
}{
	{"客群", "复购老客", map[string]any{"kind": "rule", "rule": all(rule{"field": "orders", "op": "gte", "value": 3}, rule{"field": "lastOrder", "op": "within", "value": 120})}},
	{"客群", "沉睡待唤醒", map[string]any{"kind": "rule", "rule": all(rule{"field": "orders", "op": "gte", "value": 1}, rule{"field": "lastSeen", "op": "olderThan", "value": 60})}},
	{"客群", "近30天首购", map[string]any{"kind": "rule", "keep": true, "rule": all(rule{"field": "firstOrder", "op": "within", "value": 30})}},
	{"客群", "近期活跃", map[string]any{"kind": "score", "score": map[string]any{"halfLife": 14, "have": 10, "cap": 100, "events": []map[string]any{
		{"name": "product.viewed", "weight": 1}, {"name": "cart.added", "weight": 3}, {"name": "order.paid", "weight": 6}}}}},
	{"跟进状态", "高意向", map[string]any{"kind": "score", "score": map[string]any{"halfLife": 3, "have": 6, "lose": 2, "events": []map[string]any{
		{"name": "cart.added", "weight": 3}, {"name": "product.viewed", "weight": 1, "where": []map[string]any{{"property": "price", "op": "gte", "value": 300}}}}}}},
}

func (f *filler) autotags(ctx context.Context) error {
	for _, t := range autoTags {
		id, err := f.tagID(ctx, t.Group, t.Name)
		if err != nil {
			return err
		}
		if _, err := f.call(ctx, http.MethodPut, "/api/tags/"+id+"/automation", t.Def, nil); err != nil {
			return err
		}
	}
	return nil
}
