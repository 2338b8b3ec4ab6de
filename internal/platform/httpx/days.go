package httpx

import (
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

// MaxDays bounds the days that one question for figures may span.
const MaxDays = 400

// Days reads the first and the last day of a question for figures, both written
// YYYY-MM-DD in the zone of now and both included: the last is today where it is left
// out, the first 29 days before the last. It gives the starts of both, and refuses
// what is no day, what ends before it begins, and more than MaxDays.
func Days(now time.Time, from, to string) (first, last time.Time, err error) {
	zone := now.Location()
	last = clock.DayStart(now, 0, 0)
	if to != "" {
		if last, err = time.ParseInLocation(time.DateOnly, to, zone); err != nil {
			return first, last, errs.New(errs.Invalid, "request.invalid").On(errs.At("to", "rule.needs_date"))
		}
	}
	first = clock.DayStart(last, 0, -29)
	if from != "" {
		if first, err = time.ParseInLocation(time.DateOnly, from, zone); err != nil {
			return first, last, errs.New(errs.Invalid, "request.invalid").On(errs.At("from", "rule.needs_date"))
		}
	}
	if first.After(last) || last.Sub(first) > MaxDays*24*time.Hour || first.Year() < 2000 || last.Year() > 2200 {
		return first, last, errs.New(errs.Invalid, "request.invalid").On(errs.At("from", "livecode.bad_span", "limit", MaxDays))
	}
	return first, last, nil
}
