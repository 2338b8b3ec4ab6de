package httpx_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

func TestDaysOfAQuestion(t *testing.T) {
	china := time.FixedZone("Asia/Shanghai", 8*3600)
	now := time.Date(2026, 3, 2, 0, 30, 0, 0, china)
	for _, c := range []struct{ from, to, first, last, field string }{
		{"", "", "2026-02-01", "2026-03-02", ""},
		{"", "2026-01-31", "2026-01-02", "2026-01-31", ""},
		{"2026-03-02", "", "2026-03-02", "2026-03-02", ""},
		{"2025-01-26", "2026-03-02", "2025-01-26", "2026-03-02", ""}, // 400 days before
		{"2025-01-25", "2026-03-02", "", "", "from"},
		{"2026-03-03", "", "", "", "from"},
		{"2026-02-30", "", "", "", "from"},
		{"", "today", "", "", "to"},
		{"1999-12-31", "2000-01-02", "", "", "from"},
	} {
		first, last, err := httpx.Days(now, c.from, c.to)
		if c.field != "" {
			require.Equal(t, c.field, errs.As(err).Fields[0].Path, "%+v", c)
			continue
		}
		require.NoError(t, err, "%+v", c)
		require.Equal(t, []string{c.first, c.last}, []string{first.Format(time.DateOnly), last.Format(time.DateOnly)}, "%+v", c)
		require.Equal(t, first, clock.DayStart(first, 0, 0), "the start of a day")
	}
	require.Equal(t, int64(20260302), clock.DayNumber(now))
	require.Equal(t, int64(20260301), clock.DayNumber(now.UTC()), "by its own clock")
}
