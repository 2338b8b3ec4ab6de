package clock_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/clock"
)

func TestTimesAreUTCMilliseconds(t *testing.T) {
	now := clock.System{}.Now()
	require.Equal(t, time.UTC, now.Location())
	require.Zero(t, now.Nanosecond()%1_000_000)
	require.Equal(t, now, clock.FromMs(clock.Ms(now)))
	require.Zero(t, clock.Ms(time.Time{}))
	require.True(t, clock.FromMs(0).IsZero())
}

func TestFakeMovesOnlyWhenTold(t *testing.T) {
	f := clock.NewFake(time.Date(2026, 3, 2, 16, 0, 0, 1_500_000, time.FixedZone("CST", 8*3600)))
	require.Equal(t, "2026-03-02T08:00:00.001Z", f.Now().Format(time.RFC3339Nano))
	f.Advance(time.Hour)
	f.Advance(-time.Minute)
	require.Equal(t, 59*time.Minute, f.Now().Sub(time.Date(2026, 3, 2, 8, 0, 0, 1_000_000, time.UTC)))
	f.Set(time.Unix(5, 0))
	require.Equal(t, time.Unix(5, 0).UTC(), f.Now())
}
