package duckdb

import (
	"fmt"
	"strconv"
)

// run is a stretch of buckets of one width; its last may be shorter.
type run struct {
	start int64 // of its first bucket, ms
	width int64
	base  int // number of its first bucket
	count int
}

// bucketSQL is the number of the bucket that holds ts, for ts at or after
// starts[0] and before end. Equal buckets are a division, stretches of them
// (clock changes, months) a balanced tree of comparisons: far cheaper per fact
// than asking a calendar, and exactly Go's calendar.
func bucketSQL(ts string, starts []int64, end int64) string {
	return bucketTree(ts, runsOf(starts, end))
}

func runsOf(starts []int64, end int64) []run {
	width := func(i int) int64 {
		if i+1 < len(starts) {
			return starts[i+1] - starts[i]
		}
		return end - starts[i]
	}
	var runs []run
	for i := 0; i < len(starts); {
		r := run{start: starts[i], width: width(i), base: i, count: 1}
		for i++; i < len(starts) && width(i-1) == r.width && width(i) <= r.width; i++ {
			r.count++
		}
		runs = append(runs, r)
	}
	return runs
}

func bucketTree(ts string, runs []run) string {
	if len(runs) == 1 {
		r := runs[0]
		if r.count == 1 {
			return strconv.Itoa(r.base)
		}
		return fmt.Sprintf("%d + (%s - %d) // %d", r.base, ts, r.start, r.width)
	}
	mid := len(runs) / 2
	return fmt.Sprintf("CASE WHEN %s < %d THEN %s ELSE %s END",
		ts, runs[mid].start, bucketTree(ts, runs[:mid]), bucketTree(ts, runs[mid:]))
}
