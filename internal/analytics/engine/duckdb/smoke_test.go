package duckdb_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/event"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	s, err := duckdb.Open(ctx, duckdb.Config{Path: filepath.Join(t.TempDir(), "a.duckdb")})
	require.NoError(t, err)
	var rows []analytics.Row
	for i := range 10000 {
		rows = append(rows, analytics.Row{Fact: event.Fact{MessageID: fmt.Sprint("m", i), Type: "track", Name: "order.paid", Timestamp: 1700000000000 + int64(i)*60000, ReceivedAt: 1700000000000, Source: "web", Properties: []byte(`{"total":100,"currency":"CNY","sku":"a"}`)}, Position: event.Position{Seq: uint64(i/100 + 1), Idx: uint32(i % 100)}, Contact: int64(i%50 + 1)})
	}
	for k := range 10 {
		t0 := time.Now()
		require.NoError(t, s.Append(ctx, analytics.Batch{Position: rows[k*1000+999].Position, Rows: rows[k*1000 : k*1000+1000], Profiles: []event.Profile{{Contact: int64(k + 1), Kind: event.Person, Channel: "direct"}}}))
		t.Log(time.Since(t0))
	}
	require.NoError(t, s.Append(ctx, analytics.Batch{Position: event.Position{Seq: 1000}, Rekeys: []event.Rekey{{From: 50, Into: 1}}}))
	got, err := s.Totals(ctx, analytics.TotalsQuery{Property: "total", GroupBy: "sku"})
	require.NoError(t, err)
	t.Log(got)
	tr, err := s.Trend(ctx, analytics.TrendQuery{Measure: "people", Breakdown: "$channel"})
	require.NoError(t, err)
	t.Log(tr)
	a, b, c, err := s.Summary(ctx, analytics.Filter{ContactKind: event.Person})
	require.NoError(t, err)
	t.Log(a, b, c)
	p, err := s.People(ctx, analytics.PeopleQuery{Limit: 5, MinCount: 300})
	require.NoError(t, err)
	t.Log(p)
	tl, err := s.Timeline(ctx, analytics.TimelineQuery{Filter: analytics.Filter{Contact: 1}, Limit: 2})
	require.NoError(t, err)
	t.Log(tl)
	require.NoError(t, s.Promote(ctx, analytics.Column{Property: "sku", Type: "string"}))
	require.NoError(t, s.Backup(ctx, t.TempDir()))
	require.NoError(t, s.Close())
}
