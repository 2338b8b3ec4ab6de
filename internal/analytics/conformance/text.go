package conformance

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

var errStop = errors.New("stop")

// nasty are names and values that break careless quoting.
var nasty = []string{
	"锦池", "a.b", "a/b", "~1", "~0~", "$", "$.x", "$channel2", "*", "[0]", "0", "-", " ", "a b", `a"b`, `a\b`, `\"`, "a'b", `'; DROP TABLE facts; --`,
	"$1", "?", "%s", "{}", "a\nb", "a\tb", "\u0001", "\u00e9", "e\u0301", "😀", "#", "null", "true", "Total", "total ", "/", "//", "'||'", "\u2028",
}

func testText(t *testing.T, e Engine) {
	t.Run("property names and values", func(t *testing.T) {
		var rows []analytics.Row
		for i, name := range nasty {
			props, err := json.Marshal(map[string]any{name: name, "n" + name: i, "same": name})
			require.NoError(t, err)
			r := fact(name, 1, 0, string(props))
			r.Source, r.ImportID = name, name
			rows = append(rows, r)
		}
		b := batch(1, rows...)
		b.Profiles = []event.Profile{person(1, "'")}
		s := load(t, e, b)
		groups, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: "same"})
		require.NoError(t, err)
		require.Len(t, groups, len(nasty))
		for i, name := range nasty {
			one := analytics.GroupRow{Key: name, Count: 1, People: 1, Sum: float64(i)}
			got, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: name, Property: "n" + name,
				Filter: analytics.Filter{Events: []string{name}, Sources: []string{name}, ImportID: name}})
			require.NoError(t, err)
			require.Equal(t, []analytics.GroupRow{one}, got, "%q", name)
		}
		for _, name := range nasty[:12] {
			require.NoError(t, s.Promote(t.Context(), analytics.Column{Property: name, Type: "string"}))
			got, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: name, Filter: analytics.Filter{Events: []string{name}}})
			require.NoError(t, err)
			require.Equal(t, []analytics.GroupRow{{Key: name, Count: 1, People: 1}}, got, "%q promoted", name)
		}
	})
	t.Run("broken, odd and huge properties", func(t *testing.T) {
		huge := `{"x":"` + string(make([]byte, 0, 3<<20)) + repeat("锦", 700_000) + `"}`
		bad := []string{`{`, `{"a":}`, `[1]`, `"x"`, `7`, `null`, `{"a":1,}`, `{"a":NaN}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, `{"a":"\u0000"}`,
			`{"a":1e999}`, `{"a":` + repeat("[", 5000) + repeat("]", 5000) + `}`, `{"a":1,"a":2}`, "{\"a\":\"\x00\"}", huge, "\xff\xfe", ` {"a":"ok"} `}
		var rows []analytics.Row
		for i, props := range bad {
			r := fact("odd", int64(i+1), 0, props)
			r.Traits, r.Context = []byte(props), []byte(props)
			r.UserID, r.MessageID = "u\xff\x00", "m\xff"+itoa(i)
			rows = append(rows, r)
		}
		s := load(t, e, batch(1, rows...))
		require.EqualValues(t, len(bad), facts(t, s, analytics.Filter{}))
		_, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: "a", Property: "a"})
		require.NoError(t, err)
		got, err := s.After(t.Context(), event.Position{}, 100)
		require.NoError(t, err)
		require.Len(t, got, len(bad))
		for i, r := range got {
			for _, part := range []json.RawMessage{r.Properties, r.Traits, r.Context} {
				require.True(t, part == nil || json.Valid(part) && part[0] == '{', "%s became %s", bad[i], part)
			}
		}
		ok := total(t, s, analytics.TotalsQuery{Filter: analytics.Filter{Contact: int64(len(bad))}, Property: "a"})
		require.Equal(t, analytics.GroupRow{Count: 1, People: 1}, ok)
		seen, err := s.Seen(t.Context(), hour(0), []string{"m\xff3"})
		require.NoError(t, err)
		require.True(t, seen["m\xff3"])
	})
	t.Run("sums stay finite", func(t *testing.T) {
		s := load(t, e, batch(1, fact("a", 1, 0, `{"v":1e308}`), fact("a", 1, 0, `{"v":1e308}`), fact("a", 1, 0, `{"v":"NaN"}`), fact("a", 1, 0, `{"v":"inf"}`), fact("a", 1, 0, `{"v":3}`)))
		require.EqualValues(t, 3, total(t, s, analytics.TotalsQuery{Property: "v"}).Sum)
	})
}

func repeat(s string, n int) string {
	out := make([]byte, 0, len(s)*n)
	for range n {
		out = append(out, s...)
	}
	return string(out)
}
