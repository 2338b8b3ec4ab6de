package shop

import (
	"time"

	"github.com/koipond/koipond/internal/contact"
)

// State of an order's money.
type State string

// The states. A record of type refund is always Refunded.
const (
	Paid           State = "paid"
	PartlyRefunded State = "partly_refunded"
	Refunded       State = "refunded"
)

// Type tells an order from a refund whose order is not known.
type Type string

// The types.
const (
	TypeOrder  Type = "order"
	TypeRefund Type = "refund"
)

// Line is one position of an order. Quantity may be a fraction (by weight) and
// is negative on refund lines; Price and Amount are minor units.
type Line struct {
	SKU      string  `json:"sku"`
	Name     string  `json:"name"`
	Quantity float64 `json:"quantity"`
	Price    int64   `json:"price"`
	Amount   int64   `json:"amount"`
}

// Order is the record of one. Total is what was paid, Refunded what was given
// back since; for TypeRefund both are the amount given back, so that
// `(Type is order ? Total : 0) − Refunded` is what the record adds to revenue.
type Order struct {
	ID, Source, Number string
	Contact            int64 // contact number, 0 none
	State              State
	Type               Type
	Currency           string
	Total, Refunded    int64
	PaidAt             time.Time // of the payment; of the first refund for TypeRefund
	LineCount          int
	ImportID           string
	Lines              []Line // filled only where a method says so
	// First and Last are the channels by which the buyer had come when they paid; ""
	// unknown, or not worked out yet, which TouchDue tells.
	First, Last string
	TouchDue    bool

	num     int64
	payment string
	home    int64 // the contact it came to by itself, whomever that is part of; 0: Contact
}

// Summary is what a contact shows of its orders.
type Summary struct {
	Contact         int64             // contact number
	Orders          int64             // paid orders, also those given back later
	Revenue         []contact.Revenue // by currency
	FirstAt, LastAt int64             // UTC milliseconds of the first and last payment, 0 none
}

// settle computes what follows from the payment and the refunds.
func (o *Order) settle(refunds []refund) {
	if o.payment == "" {
		o.settleRefundOnly(refunds)
		return
	}
	o.Type, o.Refunded = TypeOrder, 0
	for _, r := range refunds {
		if !r.whole && r.currency == o.Currency {
			o.Refunded += r.amount
		}
	}
	for i := range refunds {
		r := &refunds[i]
		if !r.whole {
			continue
		}
		if rest := max(o.Total-o.Refunded, 0); r.amount != rest || r.currency != o.Currency {
			r.amount, r.currency, r.dirty = rest, o.Currency, true
		}
		o.Refunded += r.amount
	}
	switch {
	case o.Refunded == 0 && len(refunds) == 0:
		o.State = Paid
	case o.Refunded >= o.Total:
		o.State = Refunded
	case o.Refunded == 0:
		o.State = Paid
	default:
		o.State = PartlyRefunded
	}
}

func (o *Order) settleRefundOnly(refunds []refund) {
	o.Type, o.State, o.Refunded, o.LineCount = TypeRefund, Refunded, 0, 0
	for i := range refunds {
		r := &refunds[i]
		if i == 0 {
			o.Currency, o.Contact, o.home, o.ImportID, o.PaidAt = r.currency, r.contact, r.home, r.importID, time.UnixMilli(r.at).UTC()
		}
		if r.whole && r.amount != 0 { // its order is not known any more: how much it was neither
			r.amount, r.dirty = 0, true
		}
		if r.currency == o.Currency {
			o.Refunded += r.amount
		}
		o.LineCount += r.lineCount
	}
	o.Total = o.Refunded
}

// refund is one giving back, kept so that any order of arrival sums up the same.
type refund struct {
	orderNum     int64
	key, number  string
	contact      int64
	home         int64 // as of orders
	currency     string
	amount       int64
	whole        bool // all that is left: the amount follows from the order
	at           int64
	importID     string
	lineCount    int
	lines        []Line
	dirty, fresh bool
}
