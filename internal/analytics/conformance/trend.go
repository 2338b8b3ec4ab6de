package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

func trendOf(t *testing.T, s analytics.Store, q analytics.TrendQuery) analytics.Trend {
	t.Helper()
	got, err := s.Trend(t.Context(), q)
	require.NoError(t, err)
	for _, series := range got.Series {
		require.Len(t, series.Values, len(got.Buckets))
	}
	return got
}

func testTrend(t *testing.T, e Engine) {
	s := load(t, e, shopDay())
	week := analytics.Filter{Range: analytics.Range{From: hour(0), To: hour(96)}}
	t.Run("every bucket is there, empty ones too", func(t *testing.T) {
		got := trendOf(t, s, analytics.TrendQuery{Filter: week, Measure: analytics.MeasureCount, Interval: analytics.Day})
		require.Equal(t, []time.Time{hour(0).UTC(), hour(24).UTC(), hour(48).UTC(), hour(72).UTC()}, got.Buckets)
		require.Equal(t, []analytics.Series{{Values: []float64{5, 2, 0, 0}, Total: 7}}, got.Series)
		require.Zero(t, got.Other)
	})
	t.Run("people are distinct over the whole range", func(t *testing.T) {
		got := trendOf(t, s, analytics.TrendQuery{Filter: week, Measure: analytics.MeasurePeople, Interval: analytics.Day})
		require.Equal(t, []analytics.Series{{Values: []float64{3, 2, 0, 0}, Total: 4}}, got.Series)
	})
	t.Run("sums", func(t *testing.T) {
		got := trendOf(t, s, analytics.TrendQuery{Filter: week, Measure: analytics.MeasureSum, Property: "total"})
		require.Equal(t, []analytics.Series{{Values: []float64{1000, 349, 0, 0}, Total: 1349}}, got.Series)
	})
	t.Run("breakdown, best first, the rest under other", func(t *testing.T) {
		q := analytics.TrendQuery{Filter: week, Measure: analytics.MeasureSum, Property: "total", Breakdown: "city", Limit: 1}
		got := trendOf(t, s, q)
		require.Equal(t, []analytics.Series{{Key: "杭州", Values: []float64{1000, 250, 0, 0}, Total: 1250}}, got.Series)
		require.EqualValues(t, 99, got.Other)
		q.Measure, q.Breakdown, q.Limit = analytics.MeasurePeople, analytics.ByEvent, 1
		got = trendOf(t, s, q)
		require.Equal(t, []analytics.Series{{Key: "page.viewed", Values: []float64{3, 0, 0, 0}, Total: 3}}, got.Series)
		require.EqualValues(t, 2, got.Other)
		q.Measure, q.Breakdown, q.Limit = analytics.MeasureCount, analytics.ByChannel, 0
		got = trendOf(t, s, q)
		require.Equal(t, []string{"social", "", "direct"}, keys(got))
		require.Zero(t, got.Other)
	})
	t.Run("the rest counts a person once", func(t *testing.T) {
		b := batch(1, fact("x", 1, 0, ""), fact("x", 2, 0, ""), fact("x", 3, 0, ""), fact("y", 1, 0, ""), fact("z", 1, 0, ""), fact("z", 2, 0, ""))
		got := trendOf(t, load(t, e, b), analytics.TrendQuery{Measure: analytics.MeasurePeople, Breakdown: analytics.ByEvent, Limit: 1})
		require.Equal(t, []string{"x"}, keys(got))
		require.EqualValues(t, 2, got.Other, "1 and 2, though 1 has both y and z")
	})
	t.Run("nothing matches", func(t *testing.T) {
		none := analytics.Filter{Events: []string{"none"}, Range: week.Range}
		got := trendOf(t, s, analytics.TrendQuery{Filter: none, Measure: analytics.MeasurePeople})
		require.Equal(t, []analytics.Series{{Values: []float64{0, 0, 0, 0}}}, got.Series)
		got = trendOf(t, s, analytics.TrendQuery{Filter: none, Breakdown: analytics.ByEvent})
		require.Len(t, got.Buckets, 4)
		require.Empty(t, got.Series)
		got = trendOf(t, s, analytics.TrendQuery{Filter: analytics.Filter{Events: []string{"none"}}})
		require.Empty(t, got.Buckets)
		require.Len(t, got.Series, 1)
		got = trendOf(t, s, analytics.TrendQuery{Filter: analytics.Filter{Range: analytics.Range{From: hour(5), To: hour(5)}}})
		require.Empty(t, got.Buckets)
	})
	t.Run("open ends reach to the facts", func(t *testing.T) {
		got := trendOf(t, s, analytics.TrendQuery{Interval: analytics.Week})
		require.Equal(t, []time.Time{hour(-48).UTC(), hour(120).UTC()}, got.Buckets)
		require.Equal(t, []float64{7, 1}, got.Series[0].Values)
		got = trendOf(t, s, analytics.TrendQuery{Filter: analytics.Filter{Range: analytics.Range{To: hour(31)}, Events: []string{event.NameOrderPaid}}})
		require.Equal(t, []float64{1, 1}, got.Series[0].Values)
	})
	t.Run("a bucket that begins before the range counts from the range on", func(t *testing.T) {
		got := trendOf(t, s, analytics.TrendQuery{Filter: analytics.Filter{Range: analytics.Range{From: hour(2), To: hour(31)}}})
		require.Equal(t, []time.Time{hour(0).UTC(), hour(24).UTC()}, got.Buckets)
		require.Equal(t, []float64{3, 1}, got.Series[0].Values)
	})
}

func keys(t analytics.Trend) []string {
	var out []string
	for _, s := range t.Series {
		out = append(out, s.Key)
	}
	return out
}

// testCalendar sets a fact every half hour around odd nights and compares the buckets with a walk by the wall clock.
func testCalendar(t *testing.T, e Engine) {
	for _, c := range []struct {
		zone string
		from string
		days int
	}{
		{"Asia/Shanghai", "2026-02-26", 7},
		{"America/New_York", "2026-03-06", 4},    // a day of 23 hours
		{"America/New_York", "2026-10-30", 4},    // a day of 25
		{"Europe/London", "2026-10-24", 3},       // 01:00 twice, at a zero offset
		{"Australia/Lord_Howe", "2026-04-04", 3}, // by half an hour
		{"America/Sao_Paulo", "2018-11-03", 3},   // midnight skipped
		{"America/Havana", "2025-11-01", 3},      // midnight twice
		{"Pacific/Apia", "2011-12-28", 5},        // a day skipped
		{"Asia/Kathmandu", "2026-06-29", 4},      // quarter of an hour
	} {
		loc, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		from, err := time.ParseInLocation(time.DateOnly, c.from, loc)
		require.NoError(t, err)
		to := from.AddDate(0, 0, c.days)
		var rows []analytics.Row
		for at := from; at.Before(to); at = at.Add(30 * time.Minute) {
			r := fact("tick", int64(len(rows)%5+1), 0, "")
			r.Timestamp = at.UnixMilli()
			rows = append(rows, r)
		}
		b := batch(1, rows...)
		s := load(t, e, b)
		m := NewModel()
		m.Append(b)
		for _, iv := range []analytics.Interval{analytics.Hour, analytics.Day, analytics.Week, analytics.Month} {
			for _, measure := range []analytics.Measure{analytics.MeasureCount, analytics.MeasurePeople} {
				q := analytics.TrendQuery{Measure: measure, Interval: iv, Timezone: loc,
					Filter: analytics.Filter{Range: analytics.Range{From: from.Add(10 * time.Minute), To: to}}}
				require.Equal(t, m.Trend(q), trendOf(t, s, q), "%s from %s by %s", c.zone, c.from, iv)
			}
		}
		require.NoError(t, s.Close())
	}
	t.Run("years of months", func(t *testing.T) {
		loc, err := time.LoadLocation("Europe/Berlin")
		require.NoError(t, err)
		var rows []analytics.Row
		for i := range 12 * 400 {
			rows = append(rows, fact("tick", 1, i*11, ""))
		}
		b := batch(1, rows...)
		s, m := load(t, e, b), NewModel()
		m.Append(b)
		for _, iv := range []analytics.Interval{analytics.Week, analytics.Month} {
			q := analytics.TrendQuery{Measure: analytics.MeasureCount, Interval: iv, Timezone: loc}
			require.Equal(t, m.Trend(q), trendOf(t, s, q))
		}
	})
}

// testRefusals: a question that cannot be answered is the asker's fault, not a failure.
func testRefusals(t *testing.T, e Engine) {
	s := load(t, e, batch(1, fact("a", 1, 0, ""), fact("a", 1, 24*365*40, "")))
	ask := func(q analytics.TrendQuery) error {
		_, err := s.Trend(t.Context(), q)
		return err
	}
	require.ErrorIs(t, ask(analytics.TrendQuery{Measure: "median"}), analytics.ErrBadMeasure)
	require.ErrorIs(t, ask(analytics.TrendQuery{Interval: "fortnight"}), analytics.ErrBadInterval)
	require.ErrorIs(t, ask(analytics.TrendQuery{Measure: analytics.MeasureSum}), analytics.ErrNeedProperty)
	require.ErrorIs(t, ask(analytics.TrendQuery{Interval: analytics.Hour}), analytics.ErrTooManyBuckets)
	require.ErrorIs(t, ask(analytics.TrendQuery{Breakdown: "a\x00b"}), analytics.ErrBadProperty)
	require.ErrorIs(t, ask(analytics.TrendQuery{Breakdown: "\xff"}), analytics.ErrBadProperty)
	_, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: string(slices.Repeat([]byte("x"), 600))})
	require.ErrorIs(t, err, analytics.ErrBadProperty)
	require.ErrorIs(t, s.Promote(t.Context(), analytics.Column{Property: "x", Type: "blob"}), analytics.ErrBadColumnType)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing twice is fine")
	require.ErrorIs(t, ask(analytics.TrendQuery{}), analytics.ErrClosed)
	require.ErrorIs(t, s.Append(t.Context(), batch(2)), analytics.ErrClosed)
}
