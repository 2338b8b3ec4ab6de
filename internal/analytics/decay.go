package analytics

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/koipond/koipond/internal/event"
)

// Weighted says what a fact of one name adds to a sum that fades.
type Weighted struct {
	Name   string
	Weight float64
	// Matches tells whether a fact with these properties counts; nil: all of the name.
	Matches func(properties json.RawMessage) bool
}

// DecayQuery asks for sums that fade: of the weights of each contact's facts, each
// halved for every half-life since. Facts count from when they happened, those of
// a clock that runs ahead from when they were received.
type DecayQuery struct {
	Weights  []Weighted
	HalfLife time.Duration
	Now      time.Time
	After    event.Position // only facts beyond it; the zero position is all
}

// DecayReach is how many half-lives back facts are looked at. What lies further
// back adds less than a billionth of a billionth of its weight.
const DecayReach = 64

// Decayed is the sum of one contact, as it was at the time of the last fact in it.
type Decayed struct {
	Contact int64 // under which the facts are stored, also when that is part of another by now
	Value   float64
	At      int64 // UTC milliseconds
}

// Decayer is an engine that adds up weights that fade, for everybody at once.
type Decayer interface {
	// DecayedSums gives the sums of all contacts that have one, by ascending number,
	// and the position up to which facts are in them.
	DecayedSums(ctx context.Context, q DecayQuery) ([]Decayed, event.Position, error)
}

// FactTime is when a fact counts as having happened: never after it was received.
func FactTime(f *event.Fact) int64 { return min(f.Timestamp, f.ReceivedAt) }

// AddDecayed adds two sums of one contact: the one that is older fades up to the
// time of the other.
func AddDecayed(a, b Decayed, half time.Duration) Decayed {
	if a.At > b.At {
		a, b = b, a
	}
	if a.Value != 0 {
		b.Value += a.Value * math.Exp2(-float64(b.At-a.At)/float64(half.Milliseconds()))
	}
	return b
}
