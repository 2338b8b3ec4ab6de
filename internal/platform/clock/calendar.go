package clock

import "time"

// DayStart is the DateStart of the local date of t, in t's location, moved by
// months and days.
func DayStart(t time.Time, months, days int) time.Time {
	y, m, d := t.Date()
	return DateStart(y, m+time.Month(months), d+days, t.Location())
}

// DateStart is the first instant of a local date. That is midnight, or what the
// clock shows first where midnight was skipped; the first one where it came
// twice; and the start of the next day for a date that the country skipped.
// Months and days beyond their ends run over, as for time.Date.
func DateStart(y int, m time.Month, d int, loc *time.Location) time.Time {
	at := time.Date(y, m, d, 0, 0, 0, 0, loc)
	want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	from, to := at.ZoneBounds()
	if !wall(at).Equal(want) {
		// Midnight was skipped and Go chose one side of the gap.
		if wall(at).Before(want) {
			return to
		}
		return from
	}
	if !from.IsZero() { // it may have come twice
		before := from.Add(-time.Nanosecond)
		_, was := before.Zone()
		_, is := at.Zone()
		early := at.Add(time.Duration(is-was) * time.Second)
		if early.Before(from) && wall(early).Equal(want) {
			return early
		}
	}
	return at
}

// wall is t's clock reading as if it were UTC.
func wall(t time.Time) time.Time {
	_, off := t.Zone()
	return t.UTC().Add(time.Duration(off) * time.Second)
}

// DayNumber is the day of t, by its own clock, as a number that can be kept and
// compared: 20260302.
func DayNumber(t time.Time) int64 {
	y, m, d := t.Date()
	return int64(y)*10000 + int64(m)*100 + int64(d)
}
