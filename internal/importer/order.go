package importer

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/shop"
)

// Limits of one order, so that it fits into a fact and into memory.
const (
	maxOrderRows  = 10000
	maxOrderBytes = 900 << 10
)

// line is a row of an orders file, read.
type line struct {
	number     string
	refund     bool
	paidAlso   bool // a refund by status of an order that this file does not show as paid
	at         int64
	refundedAt int64
	sku, name  string
	quantity   float64
	price      int64
	amount     int64 // what the row is worth, never negative
	hasLine    bool  // it says what was bought, not only how much was paid
	total      int64
	hasTotal   bool
	currency   string
	refundOf   string
	ids        []event.Identifier
}

// statuses as exports write them, in lower case without spaces. The first of
// refundedWords and unpaidWords that the value contains decides.
var (
	refundedWords = []string{"退款成功", "已退款", "退款完成", "全额退款", "部分退款", "退货退款", "已退货", "退款", "退货", "refunded", "refund", "returned", "return", "chargeback", "reversed"}
	notRefunded   = []string{"未退款", "无退款", "没有申请退款", "退款关闭", "退款失败", "拒绝退款", "未申请", "no refund", "not refunded"}
	unpaidWords   = []string{"未付款", "待付款", "未支付", "待支付", "等待买家付款", "已取消", "取消", "交易关闭", "已关闭", "关闭", "支付失败", "unpaid", "pending", "awaiting payment", "cancel", "voided", "void", "failed", "expired", "declined", "draft"}
)

func statusOf(v string) (refunded, unpaid bool) {
	v = strings.ToLower(strings.TrimSpace(narrow(v)))
	if v == "" {
		return false, false
	}
	no := false
	for _, w := range notRefunded {
		no = no || strings.Contains(v, w)
	}
	if !no {
		for _, w := range refundedWords {
			if strings.Contains(v, w) {
				return true, false
			}
		}
	}
	for _, w := range unpaidWords {
		if strings.Contains(v, w) {
			return false, true
		}
	}
	return false, false
}

// number reads a row's order number alone: the first look at the file needs no more.
func (p *plan) number(r table.Row) string {
	col := p.at[fNumber]
	if r.Err != nil || col >= len(r.Cells) {
		return ""
	}
	id, code := identifier(trim(r.Cells[col]))
	if code != "" {
		return ""
	}
	return id
}

func numberHash(s string) uint64 { return xxhash.Sum64String(s) }

// line reads a row of an orders file. False: r.errs says why not.
func (r *row) line() (line, bool) {
	l := line{number: r.id(fNumber), currency: r.currency}
	if l.number == "" && len(r.errs) == 0 {
		r.fail(r.at[fNumber], codeRequired)
	}
	if len(l.number) > 128 {
		r.fail(r.at[fNumber], codeTooLong, "limit", 128)
	}
	l.at = r.time(fPaidAt, true)
	l.refundedAt = r.time(fRefunded, false)
	if c := strings.ToUpper(r.text(fCurrency)); c != "" {
		if c = currencyCode(c); !isCurrency(c) {
			r.fail(r.at[fCurrency], "import.bad_currency", "value", c)
		}
		l.currency = c
	}
	l.refundOf = r.id(fRefundOf)
	if l.refundOf == l.number {
		l.refundOf = ""
	}
	refunded, unpaid := statusOf(r.text(fStatus))
	if unpaid {
		r.fail(r.at[fStatus], "import.not_paid")
	}
	l.ids, _ = r.identities()
	if len(r.errs) > 0 {
		return l, false
	}
	r.worth(&l, refunded)
	return l, len(r.errs) == 0
}

// currencyCode turns what people write for a currency into its code.
func currencyCode(c string) string {
	if code, ok := currencyMarks[strings.ToLower(narrow(c))]; ok && code != "" {
		return code
	}
	if strings.Contains(c, "人民币") {
		return "CNY"
	}
	return c
}

// worth reads quantity, price and amounts and settles whether the row sells or
// gives back. The rules stand in the package's documentation.
func (r *row) worth(l *line, refundStatus bool) {
	quantity, hasQuantity := r.decimal(fQuantity)
	price, hasPrice := r.decimal(fPrice)
	amount, hasAmount := r.decimal(fAmount)
	total, hasTotal := r.decimal(fTotal)
	if len(r.errs) > 0 {
		return
	}
	_, asksQuantity := r.at[fQuantity]
	l.sku, l.name = r.id(fSKU), clip(r.text(fProduct), 400)
	if price.Sign() < 0 {
		r.fail(r.at[fPrice], "import.negative_price")
		return
	}
	if asksQuantity && !hasQuantity {
		r.fail(r.at[fQuantity], codeRequired)
		return
	}
	if hasQuantity && quantity.Sign() == 0 {
		r.fail(r.at[fQuantity], "import.zero_quantity")
		return
	}
	if !hasQuantity {
		quantity = shop.Decimal{Coef: 1}
	}
	negative := quantity.Sign() < 0 || amount.Sign() < 0 || total.Sign() < 0
	marked := r.prefix != "" && strings.HasPrefix(l.number, r.prefix)
	switch {
	case marked && !negative:
		r.fail(r.signColumn(), "import.refund_not_negative", "prefix", r.prefix)
		return
	case r.prefix != "" && negative && !marked && !refundStatus:
		r.fail(r.signColumn(), "import.negative_sale", "prefix", r.prefix)
		return
	}
	l.refund = negative || refundStatus || l.refundOf != ""
	l.paidAlso = refundStatus && !negative && l.refundOf == ""
	l.hasLine = hasQuantity || hasPrice || hasAmount || l.sku != "" || l.name != ""
	l.quantity = math.Abs(quantity.Float())
	exp := shop.Exponent(l.currency)
	ok := true
	switch {
	case hasAmount:
		l.amount, ok = minor(amount, exp)
	case hasPrice:
		var product shop.Decimal
		if product, ok = price.Mul(quantity); ok {
			l.amount, ok = minor(product, exp)
		}
	case !hasTotal:
		r.fail(-1, "import.no_amount")
		return
	}
	if ok && hasTotal {
		l.total, ok = minor(total, exp)
		l.hasTotal = true
		if !hasAmount && !hasPrice {
			l.amount = l.total
		}
	}
	if ok && hasPrice {
		l.price, ok = minor(price, exp)
	} else if ok && l.quantity > 0 {
		l.price = int64(math.Round(float64(l.amount) / l.quantity))
	}
	if !ok {
		r.fail(-1, codeBadNumber)
	}
}

// signColumn is the column whose sign decided, to point at.
func (r *row) signColumn() int {
	for _, f := range []string{fQuantity, fAmount, fTotal, fPrice} {
		if col, ok := r.at[f]; ok {
			return col
		}
	}
	return -1
}

// minor gives the size of an amount in minor units.
func minor(d shop.Decimal, exp int) (int64, bool) {
	if d.Sign() < 0 {
		d = d.Neg()
	}
	n, ok := d.Minor(exp)
	return n, ok && n < 1e16
}

func (r *row) decimal(field string) (shop.Decimal, bool) {
	v := r.text(field)
	if v == "" {
		return shop.Decimal{}, false
	}
	d, percent, code := parseNumber(v)
	if code == "" && percent {
		code = codePercent
	}
	if code != "" {
		r.fail(r.at[field], code)
		return shop.Decimal{}, false
	}
	return d, true
}

// part is one side of an order: what was paid, or what was given back.
type part struct {
	rows     int
	at       int64
	lines    []byte // JSON array members
	count    int
	sum      int64
	total    int64
	hasTotal bool
}

// order is one order number with everything the file says of it.
type order struct {
	number     string
	firstLine  int64
	currency   string
	refundOf   string
	paidAlso   bool
	ids        []event.Identifier
	name, city string
	channel    string
	traits     []byte
	props      []byte
	paid, back part
	rows       []table.Row // for the file of rejected rows, should the whole order be refused
}

// add takes a read row into the order. False: r.errs says why not.
func (o *order) add(r *row, l line) bool {
	if len(o.rows) >= maxOrderRows || len(o.paid.lines)+len(o.back.lines) > maxOrderBytes {
		r.fail(-1, "import.order_too_long", "limit", maxOrderRows)
		return false
	}
	if len(o.rows) > 0 && l.currency != o.currency {
		r.fail(r.at[fCurrency], "import.mixed_currency", "currency", o.currency)
		return false
	}
	if len(o.rows) == 0 {
		o.number, o.firstLine, o.currency = l.number, r.Line, l.currency
		o.props = r.object(nil, r.props)
		o.traits = r.object(o.traits, r.attrs)
	}
	o.rows = append(o.rows, r.Row)
	if len(o.ids) == 0 {
		o.ids = l.ids
	}
	if o.name == "" {
		o.name = r.text(fName)
	}
	if o.city == "" {
		o.city = r.text(fCity)
	}
	if o.channel == "" {
		o.channel = r.text(fChannel)
	}
	if o.refundOf == "" {
		o.refundOf = l.refundOf
	}
	if l.refund {
		at := l.refundedAt
		if at == 0 {
			at = l.at
		}
		o.back.add(l, at, true)
		if l.paidAlso { // unless sold rows of the same number show what was paid
			o.paidAlso = true
		}
		return true
	}
	o.paid.add(l, l.at, false)
	return true
}

func (p *part) add(l line, at int64, back bool) {
	p.rows++
	if p.at == 0 || at < p.at {
		p.at = at
	}
	p.sum += l.amount
	if l.hasTotal && !p.hasTotal { // a total stands in every row of its order
		p.total, p.hasTotal = l.total, true
	}
	if !l.hasLine {
		return
	}
	p.count++
	quantity := l.quantity
	amount := l.amount
	if back {
		quantity, amount = -quantity, -amount
	}
	if len(p.lines) > 0 {
		p.lines = append(p.lines, ',')
	}
	p.lines = appendMember(append(p.lines, '{'), "sku", l.sku)
	p.lines = appendMember(p.lines, "name", l.name)
	if p.lines[len(p.lines)-1] != '{' {
		p.lines = append(p.lines, ',')
	}
	p.lines = appendQuantity(append(p.lines, `"quantity":`...), quantity)
	p.lines = appendInt(append(p.lines, `,"price":`...), l.price)
	p.lines = appendInt(append(p.lines, `,"amount":`...), amount)
	p.lines = append(p.lines, '}')
}

func (p *part) worth() int64 {
	if p.hasTotal {
		return p.total
	}
	return p.sum
}

// facts states the order. known tells that its payment is on record already.
func (o *order) facts(p *plan, known bool) []event.Fact {
	out := make([]event.Fact, 0, 2)
	switch {
	case o.paid.rows > 0 && !known:
		out = append(out, o.fact(p, event.NameOrderPaid, &o.paid, ""))
	case o.paid.rows == 0 && o.paidAlso && !known:
		f := o.fact(p, event.NameOrderPaid, o.back.sold(), "")
		out = append(out, f)
	}
	if o.back.rows > 0 {
		out = append(out, o.fact(p, event.NameOrderRefunded, &o.back, ":refund"))
	}
	return out
}

// sold is a refund seen as the payment it gives back.
func (p *part) sold() *part {
	s := *p
	s.lines = []byte(strings.NewReplacer(`"quantity":-`, `"quantity":`, `"amount":-`, `"amount":`).Replace(string(p.lines)))
	return &s
}

func (o *order) fact(p *plan, name string, side *part, suffix string) event.Fact {
	f := event.Fact{MessageID: "imp:" + p.importID + ":" + o.number + suffix, Type: event.Track, Name: name, Timestamp: side.at,
		Source: p.source, ImportID: p.importID}
	setWho(&f, o.ids)
	if len(o.ids) == 0 {
		f.AnonymousID = "order:" + p.source + ":" + o.number
	}
	b := make([]byte, 0, len(side.lines)+len(o.props)+200)
	b = appendMember(append(b, '{'), "orderNumber", o.number)
	if suffix != "" {
		b = appendMember(b, "refundOf", o.refundOf)
	}
	b = appendMember(b, "currency", o.currency)
	b = appendInt(append(b, `,"total":`...), side.worth())
	b = appendInt(append(b, `,"lineCount":`...), int64(side.count))
	if len(o.props) > 0 {
		b = append(append(b, ','), o.props...)
	}
	if len(side.lines) > 0 {
		b = append(append(append(b, `,"lines":[`...), side.lines...), ']')
	}
	f.Properties = json.RawMessage(append(b, '}'))
	f.Traits, f.Context = o.about()
	return f
}

// about says what the order tells of the buyer and of where they came from.
func (o *order) about() (traits, where json.RawMessage) {
	t := appendMember([]byte{'{'}, "name", o.name)
	t = appendMember(t, "city", o.city)
	if len(o.traits) > 0 {
		if len(t) > 1 {
			t = append(t, ',')
		}
		t = append(t, o.traits...)
	}
	if len(t) > 1 {
		traits = json.RawMessage(append(t, '}'))
	}
	if o.channel != "" {
		touch := touchOf(o.channel)
		switch {
		case touch.Channel != "":
			where = json.RawMessage(append(appendMember([]byte{'{'}, "channel", touch.Channel), '}'))
		case touch.Source != "":
			where = json.RawMessage(append(append([]byte(`{"campaign":`), append(appendMember([]byte{'{'}, "source", touch.Source), '}')...), '}'))
		}
	}
	return traits, where
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
