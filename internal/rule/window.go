package rule

import (
	"math"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
)

// Ends of a span of time that is open.
const (
	Ever    = math.MinInt64 // as its beginning
	Forever = math.MaxInt64 // as its end
)

// Span is the window in UTC milliseconds, its end not included; Ever and Forever
// are open ends. No window is ever.
func (w *Window) Span(now time.Time, zone *time.Location) (from, to int64) {
	from, to = Ever, Forever
	switch {
	case w == nil:
	case w.Last > 0:
		from = w.start(now.In(zone)).UnixMilli()
	default:
		if d, err := time.Parse(time.DateOnly, w.From); err == nil { // else it is empty: the form was checked
			from = clock.DateStart(d.Year(), d.Month(), d.Day(), zone).UnixMilli()
		}
		if d, err := time.Parse(time.DateOnly, w.To); err == nil {
			to = clock.DateStart(d.Year(), d.Month(), d.Day()+1, zone).UnixMilli()
		}
	}
	return from, to
}

// start is where a window that ends now begins.
func (w *Window) start(now time.Time) time.Time {
	switch w.Unit {
	case "minute":
		return now.Add(-time.Duration(w.Last) * time.Minute)
	case "hour":
		return now.Add(-time.Duration(w.Last) * time.Hour)
	case "day":
		return clock.DayStart(now, 0, 1-w.Last)
	case "week":
		return clock.DayStart(now, 0, 1-7*w.Last)
	}
	// The day after the one with today's number, or after the last of a shorter month.
	y, m, d := now.Date()
	m -= time.Month(w.Last)
	last := time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return clock.DateStart(y, m, min(d, last)+1, now.Location())
}

// Span is the time, in UTC milliseconds, outside of which no fact makes a
// difference to the condition.
func (b *Behaviour) Span(now time.Time, zone *time.Location) (from, to int64) {
	switch {
	case b.Event != nil:
		from, to = b.Event.Within.Span(now, zone)
		if b.Event.Measure == "firstTime" {
			from = Ever
		}
		return from, to
	case b.Sequence != nil:
		return b.Sequence.Within.Span(now, zone)
	case b.Habit != nil && b.Habit.Kind != "resumed":
		return b.Habit.Starts(now, zone)[0], Forever
	}
	return Ever, Forever
}

// Ms is the length of the span in milliseconds.
func (s *Span) Ms() int64 {
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour}
	return int64(s.N) * unit[s.Unit].Milliseconds()
}

// Starts are the moments, in UTC milliseconds and ascending, by which a habit
// divides time. regularly: the start of each period, the last one being the one
// now; stopped: of the active days and of the quiet ones; resumed: of the active days.
func (h *Habit) Starts(now time.Time, zone *time.Location) []int64 {
	now = now.In(zone)
	day := func(days int) int64 { return clock.DayStart(now, 0, days).UnixMilli() }
	switch h.Kind {
	case "stopped":
		return []int64{day(1 - h.Quiet - h.Active), day(1 - h.Quiet)}
	case "resumed":
		return []int64{day(1 - h.Active)}
	}
	out := make([]int64, h.Periods)
	for i := range out {
		back := i + 1 - h.Periods
		switch h.Unit {
		case "week":
			out[i] = day(-(int(now.Weekday())+6)%7 + 7*back)
		case "month":
			out[i] = clock.DayStart(now, back, 1-now.Day()).UnixMilli()
		default:
			out[i] = day(back)
		}
	}
	return out
}
