package conformance

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// Engine is what the suite needs of an engine.
type Engine struct {
	// Open gives a fresh, empty store, closed by the test's cleanup.
	Open func(t testing.TB) analytics.Store
	// Crash gives the store as the next process would find it if this one were
	// killed now, without Close. The store given may still be used.
	Crash func(t testing.TB, s analytics.Store) analytics.Store
	// Restore opens what Backup wrote into dir.
	Restore func(t testing.TB, dir string) analytics.Store
}

// Run runs the whole suite.
func Run(t *testing.T, e Engine) {
	for _, group := range []struct {
		name string
		run  func(*testing.T, Engine)
	}{
		{"append", testAppend},
		{"merge", testMerge},
		{"totals", testTotals},
		{"trend", testTrend},
		{"calendar", testCalendar},
		{"people", testPeople},
		{"rows", testRows},
		{"erase", testErase},
		{"promote", testPromote},
		{"text", testText},
		{"refusals", testRefusals},
		{"backup", testBackup},
		{"concurrency", testConcurrency},
		{"histories", testHistories},
		{"decay", testDecay},
		{"behaviour", Behaviour},
	} {
		t.Run(group.name, func(t *testing.T) { group.run(t, e) })
	}
}

// base is when the suite's facts begin: a Wednesday, 00:00 UTC.
var base = time.Date(2026, 1, 7, 0, 0, 0, 0, time.UTC)

// at is base and so many hours, as a fact's time.
func at(hours int) int64 { return base.Add(time.Duration(hours) * time.Hour).UnixMilli() }

func hour(hours int) time.Time { return time.UnixMilli(at(hours)) }

// fact is a row of contact at an hour, without a position yet.
func fact(name string, contact int64, hours int, properties string) analytics.Row {
	r := analytics.Row{Contact: contact}
	r.Type, r.Name, r.Timestamp, r.ReceivedAt, r.Source = event.Track, name, at(hours), at(hours)+500, "web"
	if properties != "" {
		r.Properties = []byte(properties)
	}
	return r
}

// batch numbers the rows as message seq, names those without a message id, and ends there.
func batch(seq uint64, rows ...analytics.Row) analytics.Batch {
	for i := range rows {
		rows[i].Position = event.Position{Seq: seq, Idx: uint32(i)}
		if rows[i].MessageID == "" {
			rows[i].MessageID = fmt.Sprintf("m-%d-%d", seq, i)
		}
	}
	return analytics.Batch{Position: event.Position{Seq: seq, Idx: uint32(max(len(rows)-1, 0))}, Rows: rows}
}

func person(contact int64, channel string) event.Profile {
	return event.Profile{Contact: contact, Kind: event.Person, Channel: channel, CreatedAt: at(0)}
}

func visitor(contact int64, channel string) event.Profile {
	return event.Profile{Contact: contact, Kind: event.Visitor, Channel: channel, CreatedAt: at(0)}
}

// load appends batches to a fresh store.
func load(t *testing.T, e Engine, batches ...analytics.Batch) analytics.Store {
	t.Helper()
	s := e.Open(t)
	store(t, s, batches...)
	return s
}

func store(t *testing.T, s analytics.Store, batches ...analytics.Batch) {
	t.Helper()
	for _, b := range batches {
		require.NoError(t, s.Append(t.Context(), b))
	}
}

// total is the one line of Totals without a group.
func total(t *testing.T, s analytics.Store, q analytics.TotalsQuery) analytics.GroupRow {
	t.Helper()
	q.GroupBy = ""
	got, err := s.Totals(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, got, 1)
	return got[0]
}

// facts is how many facts match.
func facts(t *testing.T, s analytics.Store, f analytics.Filter) int64 {
	t.Helper()
	return total(t, s, analytics.TotalsQuery{Filter: f}).Count
}

func people(t *testing.T, s analytics.Store, f analytics.Filter) []int64 {
	t.Helper()
	got, err := s.People(t.Context(), analytics.PeopleQuery{Filter: f, Limit: 1000})
	require.NoError(t, err)
	n, err := s.CountPeople(t.Context(), analytics.PeopleQuery{Filter: f})
	require.NoError(t, err)
	require.EqualValues(t, len(got), n, "CountPeople agrees with People")
	require.EqualValues(t, len(got), total(t, s, analytics.TotalsQuery{Filter: f}).People, "Totals agrees with People")
	return got
}

// ids are the message ids of rows.
func ids(rows []analytics.Row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.MessageID
	}
	return out
}

func position(t *testing.T, s analytics.Store) event.Position {
	t.Helper()
	p, err := s.Position(t.Context())
	require.NoError(t, err)
	return p
}

func itoa(n int) string { return strconv.Itoa(n) }
