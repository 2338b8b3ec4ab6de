package duckdb_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

func one(contact int64) analytics.Batch {
	r := analytics.Row{Contact: contact, Position: event.Position{Seq: uint64(contact)}}
	r.MessageID, r.Name, r.Type = "m", "fuzz", event.Track
	return analytics.Batch{Position: r.Position, Rows: []analytics.Row{r}}
}

// FuzzNamesAndValues stores a property of any name and value and asks for it by
// both: what is text stays text, wherever it stands in the SQL.
func FuzzNamesAndValues(f *testing.F) {
	for _, s := range []string{"a", "锦", "a/b", "~", "~1", `"`, `'`, `\`, "$", "$.a", "*", "[0]", "';--", "$1", "\n", "\u2028", "/", ""} {
		f.Add(s, s)
	}
	s := open(f, filepath.Join(f.TempDir(), fileName))
	seq := int64(0)
	f.Fuzz(func(t *testing.T, name, value string) {
		seq++
		b := one(seq)
		row := &b.Rows[0]
		if utf8.ValidString(name) {
			var err error
			row.Properties, err = json.Marshal(map[string]any{name: value})
			require.NoError(t, err)
		}
		row.Name, row.Source, row.Channel, row.ImportID, row.UserID = value, name, name, value, name
		b.Profiles = []event.Profile{{Contact: seq, Kind: event.Kind(value), Channel: name}}
		require.NoError(t, s.Append(t.Context(), b))
		want := analytics.GroupRow{Key: value, Count: 1, People: 1}
		filter := analytics.Filter{Contact: seq, Events: []string{value, "x"}, Sources: []string{name}, ImportID: value,
			ContactKind: event.Kind(value), FirstChannel: name}
		got, err := s.Totals(t.Context(), analytics.TotalsQuery{Filter: filter, GroupBy: name})
		if analytics.CheckProperty(name) != nil && name != "" {
			require.ErrorIs(t, err, analytics.ErrBadProperty)
			return
		}
		require.NoError(t, err)
		if name == "" || name == analytics.ByChannel || name == analytics.BySource || name == analytics.ByEvent || !utf8.ValidString(value) {
			require.Len(t, got, 1)
			return
		}
		require.Equal(t, []analytics.GroupRow{want}, got)
		_, err = s.Trend(t.Context(), analytics.TrendQuery{Filter: filter, Measure: analytics.MeasureSum, Property: name, Breakdown: name})
		require.NoError(t, err)
		require.Zero(t, mustCount(t, s, analytics.Filter{Contact: seq, Events: []string{value + "x"}}))
		seen, err := s.Seen(t.Context(), time.Time{}, []string{value, "m"})
		require.NoError(t, err)
		require.True(t, seen["m"])
	})
}

// FuzzProperties stores any bytes as properties: the append succeeds, no question fails over them, and what comes back is JSON.
func FuzzProperties(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":`, `{"a":"\ud800"}`, `{"a":1,}`, `{"a":NaN}`, `[1]`, "\xff", `{"a":1e999}`, "{\"a\":\"\x00\"}", `{"a":{"a":[]}}`, ``, ` {} `} {
		f.Add([]byte(s))
	}
	s := open(f, filepath.Join(f.TempDir(), fileName))
	seq := int64(0)
	f.Fuzz(func(t *testing.T, raw []byte) {
		seq++
		b := one(seq)
		b.Rows[0].Properties = raw
		require.NoError(t, s.Append(t.Context(), b))
		_, err := s.Totals(t.Context(), analytics.TotalsQuery{Filter: analytics.Filter{Contact: seq}, GroupBy: "a", Property: "a"})
		require.NoError(t, err)
		rows, err := s.Timeline(t.Context(), analytics.TimelineQuery{Filter: analytics.Filter{Contact: seq}})
		require.NoError(t, err)
		require.Len(t, rows, 1)
		if got := rows[0].Properties; got != nil {
			var object map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(got, &object), "%q became %q", raw, got)
		}
	})
}

func mustCount(t *testing.T, s analytics.Store, f analytics.Filter) int64 {
	t.Helper()
	got, err := s.Totals(t.Context(), analytics.TotalsQuery{Filter: f})
	require.NoError(t, err)
	return got[0].Count
}
