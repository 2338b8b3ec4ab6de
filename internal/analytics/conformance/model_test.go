package conformance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/analytics"
)

// TestBuckets compares the calendar that engines use with a walk through time
// by the wall clock, in zones with every oddity of the last decades.
func TestBuckets(t *testing.T) {
	zones := []string{"UTC", "Asia/Shanghai", "America/New_York", "America/St_Johns", "Europe/London", "Europe/Dublin",
		"Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Asia/Kathmandu", "Africa/Casablanca",
		"Pacific/Apia", "Asia/Pyongyang", "America/Caracas", "Antarctica/Troll"}
	rapid.Check(t, func(r *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(r, "zone"))
		require.NoError(r, err)
		from := time.Date(2008, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 20*365*24*60).Draw(r, "minute")) * time.Minute)
		span := analytics.Range{From: from, To: from.Add(time.Duration(rapid.Int64Range(-60, 60*24*60).Draw(r, "minutes")) * time.Minute)}
		for _, iv := range []analytics.Interval{analytics.Hour, analytics.Day, analytics.Week, analytics.Month} {
			got, err := analytics.Buckets(span, iv, loc)
			require.NoError(r, err)
			require.Equal(r, calendarOf(span, iv, loc), got, "%s in %s", iv, loc)
		}
	})
	for _, skipped := range []struct {
		zone, day string
		want      int
	}{
		{"Pacific/Apia", "2011-12-29", 2}, // the 30th was not
		{"Asia/Shanghai", "2026-03-01", 3},
	} {
		loc, err := time.LoadLocation(skipped.zone)
		require.NoError(t, err)
		from, err := time.ParseInLocation(time.DateOnly, skipped.day, loc)
		require.NoError(t, err)
		got, err := analytics.Buckets(analytics.Range{From: from, To: from.AddDate(0, 0, 3)}, analytics.Day, loc)
		require.NoError(t, err)
		require.Len(t, got, skipped.want, skipped.zone)
	}
	_, err := analytics.Buckets(analytics.Range{To: time.Now()}, analytics.Hour, time.UTC)
	require.ErrorIs(t, err, analytics.ErrTooManyBuckets)
}
