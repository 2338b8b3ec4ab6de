// Package shop answers: what did customers buy, and what did they give back?
//
// An order is two things at once: facts in the stream (`order.paid`,
// `order.refunded`), which reports read, and a record with a state, which
// people look up. The subscriber `shop.orders` turns the facts into records.
// Facts may come late, twice, or in the wrong order; the record is the same in
// the end.
//
// # The shape of an order fact
//
// Properties of `order.paid` and `order.refunded`, money in minor units (分, cents):
//
//	{
//	  "orderNumber": "A1001",       // required; unique within the fact's source
//	  "total":       25900,         // missing: the sum of the lines
//	  "currency":    "CNY",         // missing: the company's currency
//	  "lines": [{"sku":"K-1","name":"龙井 250g","quantity":2,"price":12950,"amount":25900}],
//	  "refundOf":    "A1001",       // order.refunded: the order given back, when the refund has a number of its own
//	  "refundNumber":"R-7",         // order.refunded: makes a repeated refund count once; else the messageId does
//	  "status":      "completed"    // free text of the sender; kept in the fact, not read here
//	}
//
// A refund's total is what was given back, positive. Its target is refundOf, or
// else orderNumber. `Order Completed` and `Order Refunded` of Segment's
// e-commerce specification (order_id, total or revenue or value in major
// units, products) make the same records; an `Order Refunded` without an
// amount and without products gives back all that is left.
//
// # Rules
//
//   - One record per (source, number). The first payment counts, a repeated one
//     changes nothing.
//   - A refund lowers its order. As long as the order is unknown the record is
//     of type refund; when its payment arrives later it becomes an order with
//     that refund taken off.
//   - A refund in another currency than its order does not change the order's
//     refunded amount; it lowers revenue in its own currency.
//   - Revenue is the sum of paid totals minus the sum of refunds, by currency.
//   - The order belongs to the contact of its payment. A merge of contacts moves
//     orders by MoveContacts, and facts resolved before the merge follow. Each order
//     remembers to whom it came, so that SplitContact gives it back.
package shop
