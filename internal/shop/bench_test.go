package shop_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/shop"
)

// BenchmarkOrders handles batches of 500 orders of 20 lines.
func BenchmarkOrders(b *testing.B) {
	for _, c := range testkit.Databases(b, shop.Migrations()) {
		b.Run(c.Name, func(b *testing.B) {
			w := newWorld(b, c.DB)
			lines := strings.TrimSuffix(strings.Repeat(`{"sku":"85123A","name":"WHITE HANGING HEART T-LIGHT HOLDER","quantity":6,"price":255,"amount":1530},`, 20), ",")
			n := int64(0)
			for b.Loop() {
				facts := make([]event.Stored, 500)
				for i := range facts {
					n++
					facts[i] = paid(1+n%4000, n, fmt.Sprintf(`{"orderNumber":"%d-%d","total":30600,"lines":[%s]}`, b.N, n, lines))
				}
				if err := w.Handle(context.Background(), facts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*20)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
