package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/analytics"
)

// Trend is Store.Trend.
func (m *Model) Trend(q analytics.TrendQuery) analytics.Trend {
	if q.Limit == 0 {
		q.Limit = 10
	}
	rows := m.match(q.Filter)
	out := analytics.Trend{Buckets: calendarOf(rangeOf(q.Range, rows), q.Interval, q.Timezone)}
	index := map[string]int{}
	for i, b := range out.Buckets {
		index[bucketName(b, q.Interval, q.Timezone)] = i
	}
	byKey := map[string][]analytics.Row{}
	if q.Breakdown == "" {
		byKey[""] = nil
	}
	for _, r := range rows {
		k := m.key(r, q.Breakdown)
		byKey[k] = append(byKey[k], r)
	}
	for k, list := range byKey {
		s := analytics.Series{Key: k, Values: make([]float64, len(out.Buckets)), Total: m.measure(q, list)}
		cells := make([][]analytics.Row, len(out.Buckets))
		for _, r := range list {
			i := index[bucketName(time.UnixMilli(r.Timestamp), q.Interval, q.Timezone)]
			cells[i] = append(cells[i], r)
		}
		for i, cell := range cells {
			s.Values[i] = m.measure(q, cell)
		}
		// A key whose facts are nobody's is no series of people.
		if q.Measure != analytics.MeasurePeople || s.Total > 0 || q.Breakdown == "" {
			out.Series = append(out.Series, s)
		}
	}
	slices.SortFunc(out.Series, func(a, b analytics.Series) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Key, b.Key))
	})
	if len(out.Series) > q.Limit {
		var rest []analytics.Row
		for _, s := range out.Series[q.Limit:] {
			rest = append(rest, byKey[s.Key]...)
		}
		out.Other, out.Series = m.measure(q, rest), out.Series[:q.Limit]
	}
	return out
}

func (m *Model) measure(q analytics.TrendQuery, rows []analytics.Row) float64 {
	switch q.Measure {
	case analytics.MeasurePeople:
		seen := map[int64]bool{}
		for _, r := range rows {
			if c := m.root(r.Contact); c > 0 {
				seen[c] = true
			}
		}
		return float64(len(seen))
	case analytics.MeasureSum:
		sum := 0.0
		for _, r := range rows {
			sum += number(r, q.Property)
		}
		return sum
	default:
		return float64(len(rows))
	}
}

// rangeOf closes the open ends of r by the rows.
func rangeOf(r analytics.Range, rows []analytics.Row) analytics.Range {
	if len(rows) == 0 && (r.From.IsZero() || r.To.IsZero()) {
		return analytics.Range{}
	}
	older := func(a, b analytics.Row) int { return cmp.Compare(a.Timestamp, b.Timestamp) }
	if r.From.IsZero() {
		r.From = time.UnixMilli(slices.MinFunc(rows, older).Timestamp)
	}
	if r.To.IsZero() {
		r.To = time.UnixMilli(slices.MaxFunc(rows, older).Timestamp + 1)
	}
	return r
}

// bucketName tells buckets apart by what the wall clock says.
func bucketName(t time.Time, iv analytics.Interval, loc *time.Location) string {
	t = t.In(loc)
	switch iv {
	case analytics.Hour:
		return t.Format("2006-01-02 15 -07:00") // the offset tells the two hours of a night of clock change apart
	case analytics.Week:
		y, w := t.ISOWeek()
		return fmt.Sprintf("%d-%02d", y, w)
	case analytics.Month:
		return t.Format("2006-01")
	default:
		return t.Format(time.DateOnly)
	}
}

// calendarOf walks through time by the minute, which every clock change and
// midnight of the last decades falls on, and notes where a bucket with a new
// name begins. It steps over whole quarters of an hour that begin and end in
// one bucket. Clocks that are turned back over midnight do not open the day
// before again.
func calendarOf(r analytics.Range, iv analytics.Interval, loc *time.Location) []time.Time {
	if !r.From.Before(r.To) {
		return nil
	}
	const quarter = 15 * time.Minute
	t := r.From.Truncate(time.Minute)
	for name := bucketName(t, iv, loc); ; {
		switch name {
		case bucketName(t.Add(-quarter), iv, loc):
			t = t.Add(-quarter)
			continue
		case bucketName(t.Add(-time.Minute), iv, loc):
			t = t.Add(-time.Minute)
			continue
		}
		break
	}
	out := []time.Time{t.UTC()}
	for last := bucketName(t, iv, loc); ; {
		if at := t.Add(quarter); bucketName(at, iv, loc) == last {
			t = at
			continue
		}
		t = t.Add(time.Minute)
		if !t.Before(r.To) {
			return out
		}
		name := bucketName(t, iv, loc)
		if name == last || iv != analytics.Hour && name < last {
			continue
		}
		out, last = append(out, t.UTC()), name
	}
}
