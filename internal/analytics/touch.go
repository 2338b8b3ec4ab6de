package analytics

import (
	"context"
	"time"
)

// TouchAt asks by which channels a contact had come until a moment, that included.
type TouchAt struct {
	Contact int64
	At      int64 // UTC ms
}

// Touched answers TouchAt: the channel of the earliest fact that names one, and of
// the latest within the window; "" for none. A weak channel is the latest only when
// there is no other within the window.
type Touched struct{ First, Last string }

// ConversionQuery asks, by channel and day, how many people did something, and how
// many of them did something else soon after. The channel is that of the first
// thing's property "channel"; a person counts once for each channel and day, from
// the first time that they did it.
type ConversionQuery struct {
	Step, Then string        // names of facts
	Within     time.Duration // after the first time
	Days       []time.Time   // beginnings of days, ascending; the last one ends the last day
	Sources    []string      // of both; none: any
	Except     []int64       // contacts who do not count
}

// Conversion is one line: Day is the place in Days.
type Conversion struct {
	Channel string
	Day     int
	People  int64
	Then    int64
}

// Tracer is an engine that answers where contacts came from, and how they went on.
type Tracer interface {
	// Touches answers each question in its place. Facts of contacts who are one today
	// are read as one; what staff and the program did is no touch.
	Touches(ctx context.Context, asks []TouchAt, window time.Duration, weak string) ([]Touched, error)
	// Conversions gives lines in order of channel and day; those without people are left out.
	Conversions(ctx context.Context, q ConversionQuery) ([]Conversion, error)
}
