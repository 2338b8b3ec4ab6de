package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

func testRows(t *testing.T, e Engine) {
	t.Run("timeline: newest first, steady among equal times, page by page", func(t *testing.T) {
		var one, two []analytics.Row
		for i := range 30 {
			one = append(one, fact("a", int64(i%2+1), 5, ""))
			two = append(two, fact("b", int64(i%2+1), i%3+4, ""))
		}
		b1, b2 := batch(1, one...), batch(2, two...)
		s, m := load(t, e, b1, b2), NewModel()
		m.Append(b1)
		m.Append(b2)
		for _, f := range []analytics.Filter{
			{}, {Contact: 1}, {Contact: 2, Events: []string{"a"}}, {Contact: 1, Range: analytics.Range{From: hour(5), To: hour(6)}}, {Contact: 9},
		} {
			want := m.Timeline(analytics.TimelineQuery{Filter: f, Limit: 1000})
			var got []analytics.Row
			q := analytics.TimelineQuery{Filter: f, Limit: 7}
			for {
				page, err := s.Timeline(t.Context(), q)
				require.NoError(t, err)
				got = append(got, page...)
				if len(page) < 7 {
					break
				}
				last := page[len(page)-1]
				q.Before = &analytics.TimelineCursor{Timestamp: last.Timestamp, Position: last.Position}
			}
			require.Equal(t, ids(want), ids(got))
		}
	})
	t.Run("after a position, in order, in parts", func(t *testing.T) {
		b1 := batch(3, fact("a", 1, 9, ""), fact("a", 2, 0, ""), fact("a", 1, 4, ""))
		b2 := batch(8, fact("b", 1, 1, ""), fact("b", 2, 0, ""))
		s := load(t, e, b1, b2)
		want := append(ids(b1.Rows), ids(b2.Rows)...)
		var got []string
		var pos event.Position
		for {
			part, err := s.After(t.Context(), pos, 2)
			require.NoError(t, err)
			if len(part) == 0 {
				break
			}
			got = append(got, ids(part)...)
			pos = part[len(part)-1].Position
		}
		require.Equal(t, want, got)
	})
	t.Run("seen", func(t *testing.T) {
		var rows []analytics.Row
		for i := range 20 {
			r := fact("a", 1, i, "")
			r.MessageID = "编号-" + itoa(i)
			rows = append(rows, r)
		}
		s := load(t, e, batch(1, rows...))
		got, err := s.Seen(t.Context(), time.UnixMilli(at(10)+500), []string{"编号-3", "编号-10", "编号-19", "never", ""})
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"编号-10": true, "编号-19": true}, got)
		got, err = s.Seen(t.Context(), time.Time{}, nil)
		require.NoError(t, err)
		require.Empty(t, got)
	})
	t.Run("message hashes", func(t *testing.T) {
		var rows []analytics.Row
		for i := range 60_000 {
			rows = append(rows, fact("a", 1, i/1000, ""))
		}
		b := batch(1, rows...)
		s := load(t, e, b)
		since := time.UnixMilli(at(2) + 500)
		var got []uint64
		last := int64(0)
		require.NoError(t, s.MessageHashes(t.Context(), since, func(hashes []uint64, newest int64) error {
			got = append(got, hashes...)
			require.GreaterOrEqual(t, newest, last)
			last = newest
			return nil
		}))
		var want []uint64
		for _, r := range b.Rows[2000:] {
			want = append(want, analytics.HashMessageID(r.MessageID))
		}
		require.True(t, slices.Equal(want, got), "oldest first, none missing or twice: %d, want %d", len(got), len(want))
		require.Equal(t, at(59)+500, last)
		stop := s.MessageHashes(t.Context(), since, func([]uint64, int64) error { return errStop })
		require.ErrorIs(t, stop, errStop)
	})
}

func testErase(t *testing.T, e Engine) {
	t.Run("contacts, with all that was merged into them", func(t *testing.T) {
		b := batch(1, fact("a", 1, 0, ""), fact("a", 2, 1, ""), fact("a", 3, 2, ""), fact("b", 4, 2, ""), fact("b", 5, 2, ""))
		b.Profiles = []event.Profile{person(1, "x"), person(2, "x"), person(3, "x"), person(4, "x")}
		b.Rekeys = []event.Rekey{{From: 1, Into: 2}}
		s := load(t, e, b)
		n, err := s.EraseContacts(t.Context(), []int64{1})
		require.NoError(t, err)
		require.Zero(t, n, "a merged number is nobody")
		n, err = s.EraseContacts(t.Context(), []int64{2, 4, 5, 99})
		require.NoError(t, err)
		require.EqualValues(t, 4, n)
		require.Equal(t, []int64{3}, people(t, s, analytics.Filter{}))
		stats, err := s.Stats(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, stats.Facts)
		require.EqualValues(t, 1, stats.Contacts, "profiles go too")
		n, err = s.EraseContacts(t.Context(), nil)
		require.NoError(t, err)
		require.Zero(t, n)
		s = e.Crash(t, s)
		require.Equal(t, []int64{3}, people(t, s, analytics.Filter{}))
		store(t, s, batch(2, fact("again", 2, 0, "")))
		require.Equal(t, []int64{2, 3}, people(t, s, analytics.Filter{}), "the number can be used again")
	})
	t.Run("an import", func(t *testing.T) {
		s := load(t, e, shopDay())
		n, err := s.EraseImport(t.Context(), "imp1")
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		require.Zero(t, facts(t, s, analytics.Filter{ImportID: "imp1"}))
		require.EqualValues(t, 6, facts(t, s, analytics.Filter{}))
		n, err = s.EraseImport(t.Context(), "")
		require.NoError(t, err)
		require.Zero(t, n, "no import is not every fact without one")
	})
}

func testPromote(t *testing.T, e Engine) {
	values := []string{`"red"`, `"blue"`, `7`, `7.25`, `-3`, `true`, `false`, `null`, `"12"`, `""`, `{"a":[1]}`, `[1,2]`, `"2026-01-02T03:04:05Z"`, `"锦\n'\"/~"`}
	rows := func() []analytics.Row {
		var out []analytics.Row
		for i, v := range values {
			out = append(out, fact("a", int64(i+1), i, `{"p":`+v+`,"other":1}`), fact("a", int64(i+1), i, ""))
		}
		return out
	}
	before := func(s analytics.Store) [2]any {
		totals, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: "p", Property: "p"})
		require.NoError(t, err)
		trend, err := s.Trend(t.Context(), analytics.TrendQuery{Measure: analytics.MeasureSum, Property: "p", Breakdown: "p", Limit: 50})
		require.NoError(t, err)
		return [2]any{totals, trend}
	}
	plain := load(t, e, batch(1, rows()...), batch(2, rows()...))
	want := before(plain)
	for _, typ := range []string{"string", "number", "boolean", "time"} {
		t.Run(typ, func(t *testing.T) {
			s := load(t, e, batch(1, rows()...))
			c := analytics.Column{Property: "p", Type: typ}
			require.NoError(t, s.Promote(t.Context(), c))
			require.NoError(t, s.Promote(t.Context(), c), "again is fine")
			require.ErrorIs(t, s.Promote(t.Context(), analytics.Column{Property: "p", Type: otherThan(typ)}), analytics.ErrColumnTaken)
			store(t, s, batch(2, rows()...))
			require.Equal(t, want, before(s), "the answers are those without the column")
			s = e.Crash(t, s)
			require.Equal(t, want, before(s))
			columns, err := s.Columns(t.Context())
			require.NoError(t, err)
			require.Contains(t, columns, c)
		})
	}
	t.Run("before there are facts", func(t *testing.T) {
		s := e.Open(t)
		require.NoError(t, s.Promote(t.Context(), analytics.Column{Property: "p", Type: "string"}))
		store(t, s, batch(1, rows()...), batch(2, rows()...))
		require.Equal(t, want, before(s))
	})
}

func otherThan(typ string) string {
	if typ == "string" {
		return "number"
	}
	return "string"
}
