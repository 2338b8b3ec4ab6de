package shop

import (
	"cmp"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/koipond/koipond/internal/event"
)

// movement is what an order fact says, whatever its shape.
type movement struct {
	paid      bool
	source    string
	number    string // of the record it concerns
	refund    refund // when not paid
	total     int64
	currency  string
	lines     []Line
	at        int64
	contact   int64
	home      int64 // the contact it came to by itself; 0: contact
	importID  string
	messageID string
}

// Bounds of what a record keeps: longer texts are cut, further lines are not kept as lines.
const (
	maxNumber = 128
	maxText   = 400
	maxLines  = 10000
)

// IsOrderFact tells whether facts of this name are read as orders or refunds.
func IsOrderFact(name string) bool {
	switch name {
	case event.NameOrderPaid, event.NameOrderRefunded, "Order Completed", "Order Refunded":
		return true
	}
	return false
}

// read turns a fact into a movement. The reason is for the log: a fact that
// cannot be read leaves no record and does not stop the ones behind it.
func read(p *fastjson.Parser, f *event.Stored, company string) (movement, string) {
	v, err := p.ParseBytes(f.Properties)
	if err != nil || v.Type() != fastjson.TypeObject {
		return movement{}, "properties are not an object"
	}
	m := movement{source: f.Source, at: f.Timestamp, contact: f.Contact, importID: f.ImportID, messageID: f.MessageID}
	m.currency = currencyOf(v, company)
	why := ""
	switch f.Name {
	case event.NameOrderPaid, event.NameOrderRefunded:
		m.paid = f.Name == event.NameOrderPaid
		why = m.native(v)
	default:
		m.paid = f.Name == "Order Completed"
		why = m.segment(v)
	}
	if why == "" && m.number == "" {
		why = "no order number"
	}
	return m, why
}

func currencyOf(v *fastjson.Value, company string) string {
	c := strings.ToUpper(string(v.GetStringBytes("currency")))
	if len(c) != 3 {
		return company
	}
	return c
}

func (m *movement) native(v *fastjson.Value) string {
	number := text(v.Get("orderNumber"), maxNumber)
	total, state := whole(v.Get("total"))
	if state == bad {
		return "total is not a number of minor units"
	}
	sum := int64(0)
	for _, l := range v.GetArray("lines") {
		price, _ := whole(l.Get("price"))
		quantity, _ := decimal(l.Get("quantity"))
		amount, st := whole(l.Get("amount"))
		if st != good {
			if product, ok := (Decimal{Coef: price}).Mul(quantity); ok {
				amount, _ = product.Minor(0)
			}
		}
		sum += amount
		m.addLine(Line{text(l.Get("sku"), maxNumber), text(l.Get("name"), maxText), quantity.Float(), price, amount})
	}
	if state == missing {
		total = sum
	}
	m.settleAmount(v, number, text(v.Get("refundOf"), maxNumber), text(v.Get("refundNumber"), maxNumber), total, false)
	return ""
}

func (m *movement) segment(v *fastjson.Value) string {
	number := cmp.Or(text(v.Get("order_id"), maxNumber), text(v.Get("orderId"), maxNumber))
	exp := Exponent(m.currency)
	sum := int64(0)
	for _, l := range v.GetArray("products") {
		price, _ := decimal(l.Get("price"))
		quantity, st := decimal(l.Get("quantity"))
		if st == missing {
			quantity = Decimal{Coef: 1}
		}
		minor, _ := price.Minor(exp)
		product, _ := price.Mul(quantity)
		amount, _ := product.Minor(exp)
		sum += amount
		sku := cmp.Or(text(l.Get("sku"), maxNumber), text(l.Get("product_id"), maxNumber))
		m.addLine(Line{sku, text(l.Get("name"), maxText), quantity.Float(), minor, amount})
	}
	total, found := int64(0), false
	for _, key := range []string{"total", "revenue", "value"} {
		d, st := decimal(v.Get(key))
		if st == bad {
			return key + " is not a number"
		}
		if n, ok := d.Minor(exp); st == good && ok {
			total, found = n, true
			break
		}
	}
	if !found {
		total = sum
	}
	all := !m.paid && !found && len(m.lines) == 0
	m.settleAmount(v, number, "", text(v.Get("refund_id"), maxNumber), total, all)
	return ""
}

func (m *movement) addLine(l Line) {
	if len(m.lines) < maxLines {
		m.lines = append(m.lines, l)
	}
}

func (m *movement) settleAmount(v *fastjson.Value, number, refundOf, refundNumber string, total int64, all bool) {
	m.number = number
	if m.paid {
		m.total = total
		return
	}
	if total < 0 { // some senders write refunds as negative totals
		total = -total
	}
	m.number = cmp.Or(refundOf, number)
	own := refundNumber
	if refundOf != "" && own == "" && number != refundOf {
		own = number
	}
	for i := range m.lines { // lines of a refund count down, whichever sign they came with
		l := &m.lines[i]
		if l.Quantity > 0 {
			l.Quantity = -l.Quantity
		}
		if l.Amount > 0 {
			l.Amount = -l.Amount
		}
	}
	m.refund = refund{key: cmp.Or(own, m.messageID), number: cmp.Or(own, number), contact: m.contact,
		currency: m.currency, amount: total, whole: all, at: m.at, importID: m.importID, lines: m.lines, lineCount: len(m.lines)}
}

type reading int

const (
	missing reading = iota
	good
	bad
)

// decimal reads a JSON number, or a string that holds one.
func decimal(v *fastjson.Value) (Decimal, reading) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return Decimal{}, missing
	}
	var s string
	switch v.Type() {
	case fastjson.TypeNumber:
		s = string(v.MarshalTo(nil))
	case fastjson.TypeString:
		s = strings.TrimSpace(string(v.GetStringBytes()))
		if s == "" {
			return Decimal{}, missing
		}
	default:
		return Decimal{}, bad
	}
	d, err := ParseDecimal(s)
	if err != nil {
		return Decimal{}, bad
	}
	return d, good
}

func whole(v *fastjson.Value) (int64, reading) {
	d, st := decimal(v)
	n, ok := d.Minor(0)
	if !ok {
		return 0, bad
	}
	return n, st
}

// text reads a string, or a number as it was written: order numbers come as both.
func text(v *fastjson.Value, limit int) string {
	if v == nil {
		return ""
	}
	var s string
	switch v.Type() {
	case fastjson.TypeString:
		s = string(v.GetStringBytes())
	case fastjson.TypeNumber:
		s = string(v.MarshalTo(nil))
	default:
		return ""
	}
	s = strings.ReplaceAll(strings.TrimSpace(s), "\x00", "")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return strings.ToValidUTF8(s, "�")
}
