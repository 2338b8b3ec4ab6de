package sealed_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/sealed"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// sink takes what it is given and stores nothing: what is left is the sealing.
type sink struct{ sealed.Engine }

func (sink) Append(context.Context, analytics.Batch) error { return nil }

// BenchmarkSealing is what sealing adds to a fact on its way into the store.
func BenchmarkSealing(b *testing.B) {
	s := sealed.Wrap(sink{}, testkit.Ring())
	for name, f := range map[string]event.Fact{
		"nothing personal": {UserID: "u-10023", AnonymousID: "6f1c", Properties: json.RawMessage(`{"sku":"A1","price":12.5,"name":"茶","url":"https://shop.cn/a/b?x=1"}`), Context: json.RawMessage(`{"locale":"zh-CN","userAgent":"Mozilla/5.0","channel":"offline"}`)},
		"an address":       {UserID: "u-10023", AnonymousID: "6f1c", Properties: json.RawMessage(`{"sku":"A1","price":12.5,"name":"茶","url":"https://shop.cn/a/b?x=1"}`), Context: json.RawMessage(`{"locale":"zh-CN","userAgent":"Mozilla/5.0","channel":"offline","ip":"10.1.2.3"}`)},
		"a person":         {UserID: "13800138000", Identifiers: []event.Identifier{{Kind: "phone", Value: "13800138000"}}, Traits: json.RawMessage(`{"name":"王小明","phone":"13800138000","email":"wang@qq.com","address":"杭州市龙井路 1 号","city":"杭州"}`)},
	} {
		b.Run(name, func(b *testing.B) {
			rows := make([]analytics.Row, 100)
			for i := range rows {
				rows[i].Fact = f
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Append(b.Context(), analytics.Batch{Rows: rows}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/fact")
		})
	}
}
