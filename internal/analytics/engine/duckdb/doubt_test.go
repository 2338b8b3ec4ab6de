package duckdb_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// TestAppendCutOff cancels appends at every stage, the commit too, and gives
// each batch again until it is acknowledged, as the pipeline does.
func TestAppendCutOff(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), fileName))
	r := rand.New(rand.NewPCG(7, 7))
	const batches, size = 16, 500
	cut := 0
	for seq := uint64(1); seq <= batches; seq++ {
		b := crashBatch(seq)
		b.Rows, b.Position.Idx = b.Rows[:size], size-1
		for wait := time.Duration(r.IntN(8000)) * time.Microsecond; ; wait *= 2 {
			ctx, cancel := context.WithTimeout(t.Context(), wait+time.Microsecond)
			err := s.Append(ctx, b)
			cancel()
			if err == nil {
				break
			}
			cut++
			pos, err := s.Position(t.Context())
			require.NoError(t, err)
			require.GreaterOrEqual(t, pos.Seq, seq-1)
		}
	}
	require.Positive(t, cut, "some appends were cut off")
	got, err := s.Totals(t.Context(), analytics.TotalsQuery{Property: "total", Filter: analytics.Filter{ContactKind: event.Person}})
	require.NoError(t, err)
	require.Equal(t, analytics.GroupRow{Count: batches * size, People: batches * 2, Repeat: batches * 2, Sum: batches * size}, got[0])
}

// TestMangledProperties stores thousands of JSON texts with bytes changed, cut
// and doubled, and checks that each is kept, readable, and harmless to questions.
func TestMangledProperties(t *testing.T) {
	seeds := []string{
		`{"a":"x","b":[1,2.5e3,-0],"c":{"d":null}}`, `{"a":"\u4e2d\ud83d\ude00\n","e":true}`, `{"a":1e308,"锦":"鲤"}`,
		`{"a":12345678901234567890123,"b":"\ud800"}`, ` { "a" : [ { } ] } `, `{"a":"\\u0000","":""}`,
	}
	r := rand.New(rand.NewPCG(3, 4))
	b := analytics.Batch{Position: event.Position{Seq: 1, Idx: 19_999}}
	for i := range uint32(20_000) {
		text := []byte(seeds[r.IntN(len(seeds))])
		for range r.IntN(4) {
			at := r.IntN(len(text))
			switch r.IntN(4) {
			case 0:
				text[at] = byte(r.IntN(256))
			case 1:
				text[at] = `{}[]",:\u0e1.-dD8`[r.IntN(17)]
			case 2:
				text = text[:max(at, 1)]
			default:
				text = append(text[:at:at], append([]byte{text[at]}, text[at:]...)...)
			}
		}
		row := analytics.Row{Contact: 1, Position: event.Position{Seq: 1, Idx: i}}
		row.MessageID, row.Name, row.Properties = "m", "mangled", text
		b.Rows = append(b.Rows, row)
	}
	s := open(t, filepath.Join(t.TempDir(), fileName))
	require.NoError(t, s.Append(t.Context(), b))
	for _, property := range []string{"a", "锦", "$broken"} {
		_, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: property, Property: property})
		require.NoError(t, err)
	}
	require.NoError(t, s.Promote(t.Context(), analytics.Column{Property: "a", Type: "number"}))
	require.NoError(t, s.Promote(t.Context(), analytics.Column{Property: "b", Type: "time"}))
	require.NoError(t, s.Promote(t.Context(), analytics.Column{Property: "e", Type: "boolean"}))
	var pos event.Position
	kept := 0
	for {
		rows, err := s.After(t.Context(), pos, 5000)
		require.NoError(t, err)
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			require.True(t, row.Properties == nil || json.Valid(row.Properties), "%q became %q", b.Rows[row.Position.Idx].Properties, row.Properties)
			kept++
		}
		pos = rows[len(rows)-1].Position
	}
	require.Equal(t, len(b.Rows), kept)
}
