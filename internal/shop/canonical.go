package shop

import (
	"encoding/json"

	"github.com/valyala/fastjson"

	"github.com/koipond/koipond/internal/event"
)

// Canonical brings an order fact into the one shape that reports and records
// share, so that both count the same: Segment's "Order Completed" and "Order
// Refunded" become order.paid and order.refunded, the total is there, in minor
// units and with its currency, and the message id is the order's, so that an
// order stated twice counts once. Other facts, and order facts that cannot be
// read, stay as they are. currency is the company's, for facts that name none.
func Canonical(f *event.Fact, currency string) {
	if !IsOrderFact(f.Name) {
		return
	}
	var p fastjson.Parser
	m, why := read(&p, &event.Stored{Fact: *f}, currency)
	if why != "" || m.refund.whole {
		return
	}
	props := map[string]json.RawMessage{}
	if json.Unmarshal(f.Properties, &props) != nil {
		return
	}
	put := func(key string, v any) {
		b, err := json.Marshal(v)
		if err == nil { // texts and numbers always are
			props[key] = b
		}
	}
	segment := f.Name != event.NameOrderPaid && f.Name != event.NameOrderRefunded
	put("currency", m.currency)
	if m.paid {
		f.Name = event.NameOrderPaid
		put("total", m.total)
		f.MessageID = orderMessageID(f, m.number)
	} else {
		f.Name = event.NameOrderRefunded
		put("total", m.refund.amount)
		if m.refund.key != m.messageID { // it has a number of its own
			f.MessageID = orderMessageID(f, m.refund.key)
		}
	}
	if segment {
		put("orderNumber", m.number)
		if !m.paid {
			put("refundOf", m.number)
			if m.refund.key != m.messageID {
				put("refundNumber", m.refund.key)
			}
		}
		put("lines", append([]Line{}, m.lines...))
	}
	if b, err := json.Marshal(props); err == nil {
		f.Properties = b
	}
}

func orderMessageID(f *event.Fact, number string) string {
	return f.Name + "/" + f.Source + "/" + number
}
