package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

func memoryBatch(seq uint64, size int) analytics.Batch {
	b := analytics.Batch{Position: event.Position{Seq: seq, Idx: uint32(size)}}
	for i := range size {
		n := int64(seq)*int64(size) + int64(i)
		r := analytics.Row{Contact: n%50_000 + 1, Position: event.Position{Seq: seq, Idx: uint32(i)}}
		r.MessageID, r.Name, r.Type, r.Source = fmt.Sprintf("message-%d", n), "page.viewed", event.Track, "web"
		r.Timestamp, r.ReceivedAt = n*1000, n*1000
		r.Properties = fmt.Appendf(nil, `{"url":"https://shop.example.cn/%d","n":%d}`, n*7919%100_003, n)
		b.Rows = append(b.Rows, r)
	}
	return b
}

// held is what DuckDB holds in memory, in bytes.
func held(t *testing.T, s *Store) (n int64) {
	t.Helper()
	require.NoError(t, s.readDB.QueryRowContext(t.Context(), `SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()`).Scan(&n))
	return n
}

// TestMemoryIsGivenBack asks questions that read much and checks that what they left in memory goes.
func TestMemoryIsGivenBack(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.duckdb"), MemoryLimitMB: 128, Clock: now})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	for seq := range uint64(20) {
		require.NoError(t, s.Append(t.Context(), memoryBatch(seq+1, 10_000)))
	}
	_, err = s.Trend(t.Context(), analytics.TrendQuery{Measure: analytics.MeasurePeople, Breakdown: "url"})
	require.NoError(t, err)
	require.Greater(t, held(t, s), int64(10<<20), "the question leaves something in memory")
	s.wmu.Lock()
	require.NoError(t, s.trim(t.Context()))
	s.wmu.Unlock()
	require.Less(t, held(t, s), int64(8<<20))
	require.Zero(t, fileSize(s.walPath()), "the log is folded in")
	require.Zero(t, s.lastUse.Load(), "nothing more to give back")
	n, err := s.CountPeople(t.Context(), analytics.PeopleQuery{})
	require.NoError(t, err)
	require.EqualValues(t, 50_000, n, "questions go on as before")
	var limit string
	require.NoError(t, s.readDB.QueryRowContext(t.Context(), `SELECT current_setting('memory_limit')`).Scan(&limit))
	require.Equal(t, "128.0 MiB", limit)
}

// TestFloodIsLean stores much that nobody asks about, some in batches too
// large for the lean limit: nothing is lost, and the first question has the whole limit again.
func TestFloodIsLean(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.duckdb"), MemoryLimitMB: 512, Clock: now, softLog: 1 << 20, hardLog: hardLog})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	limit := func() (text string) {
		require.NoError(t, s.readDB.QueryRowContext(t.Context(), `SELECT current_setting('memory_limit')`).Scan(&text))
		return text
	}
	require.NoError(t, s.Append(t.Context(), memoryBatch(1, 10_000)))
	require.NoError(t, s.Append(t.Context(), memoryBatch(2, 10_000)))
	require.Equal(t, "64.0 MiB", limit())
	_, err = s.writer.ExecContext(t.Context(), `SET memory_limit = '3MiB'`) // as if a batch needed more than there is
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), memoryBatch(3, 100_000)))
	n, err := s.CountPeople(t.Context(), analytics.PeopleQuery{})
	require.NoError(t, err)
	require.Positive(t, n)
	require.Equal(t, "512.0 MiB", limit())
	var facts int
	require.NoError(t, s.readDB.QueryRowContext(t.Context(), `SELECT count(*) FROM facts`).Scan(&facts))
	require.Equal(t, 120_000, facts)
	require.NoError(t, s.Append(t.Context(), memoryBatch(4, 10_000)))
	require.Equal(t, "512.0 MiB", limit(), "somebody asked just now")
}

// TestFloodKeepsNoBlocks stores much without a question between: what a
// checkpoint wrote must not stay in memory up to its limit.
func TestFloodKeepsNoBlocks(t *testing.T) {
	most := func(ask bool) (most int64) {
		now := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.duckdb"), MemoryLimitMB: 128, Clock: now, softLog: 4 << 20, hardLog: hardLog})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		for seq := range uint64(40) {
			require.NoError(t, s.Append(t.Context(), memoryBatch(seq+1, 10_000)))
			if ask {
				_, err := s.CountPeople(t.Context(), analytics.PeopleQuery{})
				require.NoError(t, err)
			}
			most = max(most, held(t, s))
		}
		return most
	}
	require.Less(t, most(false), most(true), "who asks finds blocks in memory, a flood leaves none")
}

// TestTooHeavy: a question beyond the memory limit, with no room to spill, is refused in words, and the store lives on.
func TestTooHeavy(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.duckdb"), MemoryLimitMB: 32})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	for seq := range uint64(20) {
		require.NoError(t, s.Append(t.Context(), memoryBatch(seq+1, 10_000)))
	}
	// Storing may have spilled, too: that is given back first.
	s.wmu.Lock()
	require.NoError(t, s.trim(t.Context()))
	s.wmu.Unlock()
	_, err = s.writer.ExecContext(t.Context(), `SET max_temp_directory_size = '0KiB'; SET memory_limit = '16MiB'`)
	require.NoError(t, err)
	_, err = s.Trend(t.Context(), analytics.TrendQuery{Measure: analytics.MeasurePeople, Breakdown: "n", Limit: 1000})
	require.ErrorIs(t, err, errTooHeavy)
	require.NoError(t, s.Append(t.Context(), memoryBatch(100, 10)))
	got, err := s.Totals(t.Context(), analytics.TotalsQuery{Filter: analytics.Filter{Contact: 7}})
	require.NoError(t, err)
	require.Positive(t, got[0].Count)
}

// TestLogIsBounded appends while questions never pause: without waiting for a
// gap the log would only grow, because DuckDB cannot fold it in beside readers.
func TestLogIsBounded(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.duckdb"), softLog: 1 << 20, hardLog: 3 << 20})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, s.Append(t.Context(), memoryBatch(1, 1000)))
	var done atomic.Bool
	var asked atomic.Int64
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for !done.Load() {
				if _, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: "url"}); err != nil {
					t.Errorf("question beside appends: %v", err)
					return
				}
				asked.Add(1)
			}
		})
	}
	largest := int64(0)
	for seq := range uint64(60) {
		require.NoError(t, s.Append(t.Context(), memoryBatch(seq+2, 1000)))
		largest = max(largest, fileSize(s.walPath()))
	}
	done.Store(true)
	wg.Wait()
	require.Positive(t, asked.Load())
	require.Less(t, largest, int64(4<<20), "the log stays near its bound")
	require.Greater(t, fileSize(s.path), int64(1<<20), "what was in it is in the file")
}

// TestOpenRefuses: a bad path and a file of the future are told in words.
func TestOpenRefuses(t *testing.T) {
	_, err := Open(t.Context(), Config{})
	require.ErrorContains(t, err, "no path")
	_, err = Open(t.Context(), Config{Path: "/tmp/a?b"})
	require.ErrorContains(t, err, "must not contain")
	path := filepath.Join(t.TempDir(), "a.duckdb")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600))
	_, err = Open(t.Context(), Config{Path: path})
	require.Error(t, err)
	path = filepath.Join(t.TempDir(), "b.duckdb")
	s, err := Open(t.Context(), Config{Path: path})
	require.NoError(t, err)
	_, err = s.writer.ExecContext(t.Context(), `UPDATE store SET version = 99`)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = Open(t.Context(), Config{Path: path})
	require.ErrorContains(t, err, "newer program")
}
