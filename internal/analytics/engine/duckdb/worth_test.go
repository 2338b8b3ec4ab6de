package duckdb_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// What contacts are worth: when last, how often, how much; refunds take off the
// sum alone, merged contacts count as one, and the time is half open.
func TestWorth(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "w.duckdb"))
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	var rows []analytics.Row
	add := func(contact int64, name string, at time.Time, total float64, currency string) {
		n := len(rows) + 1
		rows = append(rows, analytics.Row{Position: event.Position{Seq: uint64(n)}, Contact: contact, Fact: event.Fact{MessageID: fmt.Sprint("m", n), Type: event.Track, Name: name,
			Timestamp: at.UnixMilli(), ReceivedAt: at.UnixMilli(), Source: "s", Properties: json.RawMessage(fmt.Sprintf(`{"total":%v,"amount":"%v","currency":%q}`, total, total, currency))}})
	}
	add(1, "order.paid", day(1), 100, "CNY")
	add(1, "order.paid", day(3), 50, "CNY")
	add(1, "order.refunded", day(4), 30, "CNY")
	add(2, "order.paid", day(2), 70, "CNY")
	add(3, "order.paid", day(2), 5, "USD")
	add(4, "order.refunded", day(2), 5, "CNY") // bought before the time
	add(5, "order.paid", day(5), 11, "CNY")
	add(6, "page.viewed", day(2), 11, "CNY")
	require.NoError(t, s.Append(t.Context(), analytics.Batch{Position: rows[len(rows)-1].Position, Rows: rows, Rekeys: []event.Rekey{{From: 5, Into: 2}}}))
	ask := func(q analytics.WorthQuery) map[int64]string {
		out, last := map[int64]string{}, int64(0)
		require.NoError(t, s.Worth(t.Context(), q, func(w analytics.Worth) {
			require.Greater(t, w.Contact, last)
			last = w.Contact
			out[w.Contact] = fmt.Sprintf("%s %d %g", time.UnixMilli(w.Last).UTC().Format("02"), w.Count, w.Sum)
		}))
		return out
	}
	q := analytics.WorthQuery{Event: "order.paid", Property: "total", Less: "order.refunded", Currency: "CNY"}
	require.Equal(t, map[int64]string{1: "03 2 120", 2: "05 2 81"}, ask(q))
	q.Currency = ""
	require.Equal(t, map[int64]string{1: "03 2 120", 2: "05 2 81", 3: "02 1 5"}, ask(q))
	q.Property = "amount"
	q.Less = ""
	require.Equal(t, map[int64]string{1: "03 2 150", 2: "05 2 81", 3: "02 1 5"}, ask(q))
	q.From, q.To = day(2), day(5)
	require.Equal(t, map[int64]string{1: "03 1 50", 2: "02 1 70", 3: "02 1 5"}, ask(q))
	q.Property = ""
	require.Equal(t, map[int64]string{1: "03 1 0", 2: "02 1 0", 3: "02 1 0"}, ask(q))
	require.Error(t, s.Worth(t.Context(), analytics.WorthQuery{Event: "x", Property: "a'b\x00"}, func(analytics.Worth) {}))
}
