package analytics

import (
	"context"
	"time"
)

// WorthQuery asks what each contact did of one kind, and what it came to:
// when last, how often, and how much. Facts of merged contacts belong to the one
// they are part of.
type WorthQuery struct {
	Event    string // what counts, e.g. order.paid
	Property string // what is summed; "": nothing is
	Less     string // event whose property is taken off the sum, e.g. order.refunded; "": none
	Currency string // only facts in this currency; "": all
	From, To time.Time
}

// Worth is the answer for one contact. A refund takes off the sum what was given
// back in the same time; it makes no purchase undone, so Last and Count stay.
type Worth struct {
	Contact int64
	Last    int64 // UTC milliseconds
	Count   int64
	Sum     float64
}

// Worths is an engine that answers what contacts are worth.
type Worths interface {
	// Worth gives those who did it at least once, in order of their numbers.
	Worth(ctx context.Context, q WorthQuery, each func(Worth)) error
}
