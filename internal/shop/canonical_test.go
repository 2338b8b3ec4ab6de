package shop

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

func TestCanonical(t *testing.T) {
	for name, c := range map[string]struct {
		in, props     string
		name, id      string
		total         float64
		currency, lno string
	}{
		"segment order in major units": {"Order Completed", `{"order_id":"A1","total":259.5,"currency":"CNY","coupon":"x","products":[{"sku":"s","price":100,"quantity":2}]}`,
			"order.paid", "order.paid/web/A1", 25950, "CNY", "A1"},
		"yen has no minor unit":  {"Order Completed", `{"order_id":"A2","revenue":300,"currency":"JPY"}`, "order.paid", "order.paid/web/A2", 300, "JPY", "A2"},
		"total from lines":       {"order.paid", `{"orderNumber":"B1","lines":[{"price":500,"quantity":3},{"amount":20}]}`, "order.paid", "order.paid/web/B1", 1520, "CNY", "B1"},
		"refund with its number": {"order.refunded", `{"orderNumber":"R1","refundOf":"B1","total":-700,"currency":"USD"}`, "order.refunded", "order.refunded/web/R1", 700, "USD", "R1"},
		"refund without one":     {"order.refunded", `{"orderNumber":"B1","total":700}`, "order.refunded", "m1", 700, "CNY", "B1"},
		"segment refund in part": {"Order Refunded", `{"order_id":"A1","total":10}`, "order.refunded", "m1", 1000, "CNY", "A1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := event.Fact{MessageID: "m1", Name: c.in, Source: "web", Properties: json.RawMessage(c.props)}
			Canonical(&f, "CNY")
			require.Equal(t, c.name, f.Name)
			require.Equal(t, c.id, f.MessageID)
			var p map[string]any
			require.NoError(t, json.Unmarshal(f.Properties, &p))
			require.Equal(t, c.total, p["total"])
			require.Equal(t, c.currency, p["currency"])
			require.Equal(t, c.lno, p["orderNumber"])
			again := f
			Canonical(&again, "EUR")
			require.Equal(t, f.MessageID, again.MessageID, "brought into shape twice changes nothing")
			require.JSONEq(t, string(f.Properties), string(again.Properties))
		})
	}
	for name, props := range map[string]string{"no number": `{"total":5}`, "no object": `[]`, "bad total": `{"orderNumber":"1","total":"many"}`} {
		f := event.Fact{MessageID: "m1", Name: "order.paid", Properties: json.RawMessage(props)}
		before := f
		Canonical(&f, "CNY")
		require.Equal(t, before, f, name)
	}
	other := event.Fact{MessageID: "m1", Name: "page.viewed", Properties: json.RawMessage(`{"total":1}`)}
	Canonical(&other, "CNY")
	require.Equal(t, "m1", other.MessageID)
}
