package conformance

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// testConcurrency reads in every way while batches are appended. Each batch has
// ten facts of two people, who are then merged: whoever sees a half of that, sees it here.
func testConcurrency(t *testing.T, e Engine) {
	s := e.Open(t)
	var done atomic.Bool
	var wg sync.WaitGroup
	reader := func(read func() error) {
		wg.Go(func() {
			for !done.Load() {
				if err := read(); err != nil {
					t.Errorf("while appending: %v", err)
					return
				}
			}
		})
	}
	reader(func() error {
		got, err := s.Totals(t.Context(), analytics.TotalsQuery{})
		if err == nil && (got[0].Count%10 != 0 || got[0].People*10 != got[0].Count) {
			t.Errorf("half a batch: %+v", got[0])
		}
		return err
	})
	reader(func() error {
		got, err := s.Trend(t.Context(), analytics.TrendQuery{Measure: analytics.MeasurePeople, Filter: analytics.Filter{ContactKind: event.Person}})
		if err == nil {
			for i, v := range got.Series[0].Values {
				if got.Series[0].Total < v {
					t.Errorf("bucket %d above the total: %v", i, got)
				}
			}
		}
		return err
	})
	reader(func() error {
		n, who, _, err := s.Summary(t.Context(), analytics.Filter{})
		if err == nil && who*10 != n {
			t.Errorf("half a batch: %d facts, %d people", n, who)
		}
		return err
	})
	reader(func() error {
		pos := event.Position{}
		rows, err := s.After(t.Context(), pos, 95)
		if err == nil && len(rows)%10 != 0 && len(rows) != 95 {
			t.Errorf("half a batch: %d rows", len(rows))
		}
		return err
	})
	const batches = 120
	for i := range int64(batches) {
		var rows []analytics.Row
		for k := range int64(10) {
			rows = append(rows, fact("a", 2*i+k%2+1, int(i), `{"total":1}`))
		}
		b := batch(uint64(i+1), rows...)
		b.Profiles = []event.Profile{person(2*i+1, "x"), person(2*i+2, "y")}
		b.Rekeys = []event.Rekey{{From: 2*i + 2, Into: 2*i + 1}}
		require.NoError(t, s.Append(t.Context(), b))
		if i == batches/2 {
			require.NoError(t, s.Promote(t.Context(), analytics.Column{Property: "k", Type: "string"}))
		}
	}
	done.Store(true)
	wg.Wait()
	require.EqualValues(t, batches*10, facts(t, s, analytics.Filter{}))
}

// testBackup copies the store while it is written to, and opens the copy.
func testBackup(t *testing.T, e Engine) {
	s := load(t, e, shopDay())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for seq := uint64(2); ; seq++ {
			select {
			case <-stop:
				return
			default:
				if err := s.Append(t.Context(), batch(seq, fact("more", 1, 0, ""), fact("more", 2, 0, ""))); err != nil {
					t.Errorf("append during backup: %v", err)
					return
				}
			}
		}
	})
	for range 3 {
		low := position(t, s)
		dir := t.TempDir()
		require.NoError(t, s.Backup(t.Context(), dir))
		copied := e.Restore(t, dir)
		at := position(t, copied)
		require.GreaterOrEqual(t, at.Seq, low.Seq, "everything before the backup began is in it")
		require.EqualValues(t, 8+2*(at.Seq-1), facts(t, copied, analytics.Filter{}), "whole batches up to the position")
		require.NoError(t, copied.Append(t.Context(), batch(at.Seq+1, fact("restored", 1, 0, ""))))
		require.EqualValues(t, 1, facts(t, copied, analytics.Filter{Events: []string{"restored"}}))
	}
	close(stop)
	wg.Wait()
	require.Zero(t, facts(t, s, analytics.Filter{Events: []string{"restored"}}))
}
