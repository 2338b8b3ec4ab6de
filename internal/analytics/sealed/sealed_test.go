package sealed_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/conformance"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/analytics/sealed"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func open(t testing.TB, path string) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(t.Context(), duckdb.Config{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// Whoever asks a sealed store gets the answers of a clear one.
func TestConformance(t *testing.T) {
	paths := map[analytics.Store]string{} // the suite uses one store at a time per subtest
	at := func(t testing.TB, path string) analytics.Store {
		s := sealed.Wrap(open(t, path), testkit.Ring())
		paths[s] = path
		return s
	}
	conformance.Run(t, conformance.Engine{
		Open: func(t testing.TB) analytics.Store { return at(t, filepath.Join(t.TempDir(), "a.duckdb")) },
		Crash: func(t testing.TB, s analytics.Store) analytics.Store {
			path := filepath.Join(t.TempDir(), "a.duckdb")
			for _, end := range []string{"", ".wal"} {
				raw, err := os.ReadFile(paths[s] + end)
				if end == "" || err == nil {
					require.NoError(t, err)
					require.NoError(t, os.WriteFile(path+end, raw, 0o600))
				}
			}
			return at(t, path)
		},
		Restore: func(t testing.TB, dir string) analytics.Store { return at(t, filepath.Join(dir, "a.duckdb")) },
	})
}

func fact(n int) analytics.Row {
	return analytics.Row{Position: event.Position{Seq: uint64(n)}, Contact: int64(n), Fact: event.Fact{
		MessageID: fmt.Sprint("m", n), Type: event.Track, Name: "e", UserID: "13800138000", AnonymousID: "dev-1", PreviousID: "a@b.cn", GroupID: "g", Timestamp: int64(n), ReceivedAt: int64(n), Source: "s",
		Identifiers: []event.Identifier{{Kind: "phone", Value: "12345678"}, {Kind: "unionid", Value: "o6"}},
		Properties:  json.RawMessage(`{"phone":"13800138000","total":15000000000,"city":"杭州","number":13800138000,"url":"https://a.cn/?p=13800138000"}`),
		Traits:      json.RawMessage(`{"name":"王小明"}`), Context: json.RawMessage(`{"ip":"10.0.0.1"}`)}}
}

func clear(t *testing.T, s analytics.Store) string {
	t.Helper()
	rows, err := s.After(t.Context(), event.Position{}, 100)
	require.NoError(t, err)
	raw, err := json.Marshal(rows)
	require.NoError(t, err)
	return string(raw)
}

func TestFactsLieSealed(t *testing.T) {
	engine := open(t, filepath.Join(t.TempDir(), "a.duckdb"))
	s := sealed.Wrap(engine, testkit.Ring())
	in := []analytics.Row{fact(1), fact(2)}
	require.NoError(t, s.Append(t.Context(), analytics.Batch{Position: event.Position{Seq: 2}, Rows: in}))
	require.Equal(t, []analytics.Row{fact(1), fact(2)}, in, "the caller's facts are untouched")
	lies := clear(t, engine)
	for _, secret := range []string{"13800138000", "12345678\"", "a@b.cn", "王小明", "10.0.0.1"} {
		require.NotContains(t, lies, secret)
	}
	require.Contains(t, lies, "杭州")
	require.Contains(t, lies, "o6")

	rows, err := s.After(t.Context(), event.Position{}, 10)
	require.NoError(t, err)
	require.Equal(t, in, rows)
	rows, err = s.Timeline(t.Context(), analytics.TimelineQuery{Filter: analytics.Filter{Contact: 2}})
	require.NoError(t, err)
	require.Equal(t, in[1:], rows)
	totals, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: "phone", Property: "total"})
	require.NoError(t, err)
	require.Equal(t, []analytics.GroupRow{{Key: "13800138000", Count: 2, People: 2, Sum: 3e10}}, totals, "equal values are one group, and amounts are still added up")
}

func TestRotationOfStoredFacts(t *testing.T) {
	old, newer := make([]byte, secret.KeySize), secret.NewKey()
	before, err := secret.NewRing(old)
	require.NoError(t, err)
	after, err := secret.NewRing(old, newer)
	require.NoError(t, err)
	engine := open(t, filepath.Join(t.TempDir(), "a.duckdb"))
	require.NoError(t, engine.Promote(t.Context(), analytics.Column{Property: "phone", Type: "string"}))
	// 1 lies in clear, from before there was sealing; 2 under the old key; 3 under the new one.
	require.NoError(t, engine.Append(t.Context(), analytics.Batch{Position: event.Position{Seq: 1}, Rows: []analytics.Row{fact(1)}}))
	require.NoError(t, sealed.Wrap(engine, before).Append(t.Context(), analytics.Batch{Position: event.Position{Seq: 2}, Rows: []analytics.Row{fact(2)}}))
	s := sealed.Wrap(engine, after)
	require.NoError(t, s.Append(t.Context(), analytics.Batch{Position: event.Position{Seq: 3}, Rows: []analytics.Row{fact(3)}}))
	want := []analytics.Row{fact(1), fact(2), fact(3)}
	rows, err := s.After(t.Context(), event.Position{}, 10)
	require.NoError(t, err)
	require.Equal(t, want, rows)
	forms, err := s.Forms("user_id", "13800138000")
	require.NoError(t, err)
	lies, err := engine.After(t.Context(), event.Position{}, 10)
	require.NoError(t, err)
	for _, r := range lies {
		require.Contains(t, forms, r.UserID)
	}
	n, err := s.Under(t.Context(), before.KeyID())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)

	to, seen, changed, err := s.Reseal(t.Context(), event.Position{}, 2)
	require.NoError(t, err)
	require.Equal(t, []any{event.Position{Seq: 2}, 2, 2}, []any{to, seen, changed})
	to, seen, changed, err = s.Reseal(t.Context(), to, 2)
	require.NoError(t, err)
	require.Equal(t, []any{event.Position{Seq: 3}, 1, 0}, []any{to, seen, changed}, "what is right stays")
	n, err = s.Under(t.Context(), before.KeyID())
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = s.Under(t.Context(), after.KeyID())
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
	require.NotContains(t, clear(t, engine), "13800138000")
	rows, err = s.After(t.Context(), event.Position{}, 10)
	require.NoError(t, err)
	require.Equal(t, want, rows)
	totals, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: "phone"})
	require.NoError(t, err)
	require.Len(t, totals, 1, "the promoted column follows: all are equal now")
	forms, err = s.Forms("anonymous_id", "dev-1")
	require.NoError(t, err)
	require.Equal(t, []string{"dev-1"}, forms)
}

// What a client sends that only looks sealed comes back as it was sent.
func TestLookalikes(t *testing.T) {
	s := sealed.Wrap(open(t, filepath.Join(t.TempDir(), "a.duckdb")), testkit.Ring())
	f := fact(1)
	f.UserID = "d1." + testkit.Ring().KeyID() + ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	f.Properties = json.RawMessage(`{"a":"` + f.UserID + `","b":"d1.","c":"d1.00000000.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`)
	require.NoError(t, s.Append(t.Context(), analytics.Batch{Position: event.Position{Seq: 1}, Rows: []analytics.Row{f}}))
	rows, err := s.After(t.Context(), event.Position{}, 10)
	require.NoError(t, err)
	require.Equal(t, []analytics.Row{f}, rows)
}
