package analytics

import (
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
)

// Buckets lists the starts of the calendar buckets of loc that cover r, which
// must have both ends. The first may begin before r.From. Buckets follow the
// wall clock: a day with a clock change has 23 or 25 hours, a day that a
// country skipped has no bucket, and an hour that happens twice has two.
func Buckets(r Range, iv Interval, loc *time.Location) ([]time.Time, error) {
	first, next, err := calendar(iv)
	if err != nil {
		return nil, err
	}
	if !r.From.Before(r.To) {
		return nil, nil
	}
	var out []time.Time
	for at := first(r.From.In(loc)); at.Before(r.To); at = next(at) {
		if len(out) == MaxBuckets {
			return nil, ErrTooManyBuckets
		}
		out = append(out, at.UTC())
		at = at.In(loc)
	}
	return out, nil
}

// calendar gives, for an interval, the start of the bucket that holds a moment
// and the start of the bucket after one. Moments carry their location.
func calendar(iv Interval) (first, next func(time.Time) time.Time, err error) {
	switch iv {
	case Hour:
		return hourStart, nextHour, nil
	case Day:
		return func(t time.Time) time.Time { return clock.DayStart(t, 0, 0) },
			func(t time.Time) time.Time { return later(t, 0, 1) }, nil
	case Week:
		return func(t time.Time) time.Time { return clock.DayStart(t, 0, -(int(t.Weekday())+6)%7) },
			func(t time.Time) time.Time { return later(t, 0, 7) }, nil
	case Month:
		return func(t time.Time) time.Time { return clock.DayStart(t, 0, 1-t.Day()) },
			func(t time.Time) time.Time { return later(t, 1, 0) }, nil
	}
	return nil, nil, ErrBadInterval.With("value", string(iv))
}

// later is the start of the day so many months and days after t's, skipping
// days that do not exist in t's location.
func later(t time.Time, months, days int) time.Time {
	for n := 1; ; n++ {
		if at := clock.DayStart(t, months*n, days*n); at.After(t) {
			return at
		}
	}
}

// hourStart is the last full local hour, or the last clock change if that came later.
func hourStart(t time.Time) time.Time {
	_, off := t.Zone()
	into := (t.UnixMilli() + int64(off)*1000) % 3_600_000
	if into < 0 {
		into += 3_600_000
	}
	at := time.UnixMilli(t.UnixMilli() - into).In(t.Location())
	if from, _ := t.ZoneBounds(); !from.IsZero() && from.After(at) {
		return from
	}
	return at
}

// nextHour is the next full local hour, or the next clock change if that comes first.
func nextHour(t time.Time) time.Time {
	_, off := t.Zone()
	into := (t.UnixMilli() + int64(off)*1000) % 3_600_000
	if into < 0 {
		into += 3_600_000
	}
	at := t.Add(time.Duration(3_600_000-into) * time.Millisecond)
	if _, to := t.ZoneBounds(); !to.IsZero() && to.Before(at) {
		return to
	}
	return at
}
