package autotag

import (
	"math"
	"time"

	"github.com/koipond/koipond/internal/analytics"
)

// fading is a sum as it was at a time.
type fading struct {
	value float64
	at    int64 // UTC milliseconds
}

// plus adds another sum.
func (f fading) plus(o fading, half time.Duration) fading {
	if f.value == 0 {
		return o
	}
	if o.value == 0 {
		return f
	}
	x := analytics.AddDecayed(analytics.Decayed{Value: f.value, At: f.at}, analytics.Decayed{Value: o.value, At: o.at}, half)
	return fading{x.Value, x.At}
}

// then is the sum at another time.
func (f fading) then(t int64, half time.Duration) float64 {
	return f.value * math.Exp2(-float64(t-f.at)/float64(half.Milliseconds()))
}

// falls is when the sum will have faded to a value; long ago when there is none.
func (f fading) falls(to float64, half time.Duration) int64 {
	if f.value <= 0 {
		return noTime
	}
	t := float64(f.at) + float64(half.Milliseconds())*math.Log2(f.value/to)
	return int64(math.Floor(max(t, -1<<61)))
}

// ends tells until when a contact has the tag: had says whether it has it now.
// It gets it when its last fact brought the score to the threshold, and keeps it
// until the score is below the lower one. 0: it has it not.
func (s *Score) ends(f fading, had bool, now int64) int64 {
	const nearly = 1 - 1e-9 // sums of doubles
	if !had && f.value < s.Have*nearly {
		return 0
	}
	if at := f.falls(s.lose(), s.half()); at > now {
		return at
	}
	return 0
}
