// Package duckdb is the embedded engine of the analytics store: one DuckDB file
// in this process, which owns it alone.
//
// Layout. The table facts holds one row per fact in the order of the stream,
// with the contact number it was resolved to when it was stored; that number is
// never rewritten. The table contacts says, per contact number, which contact it
// is part of today (root) and that contact's kind and first channel. Questions
// about people join the two, so a merge costs a few rows and its undo costs the
// same: see docs/adr/0003. Times are UTC milliseconds; calendar buckets are cut
// in Go and reach SQL as arithmetic, so that Go's time zones are the only ones.
//
// Properties stay JSON text. Promoted ones get a column p_N beside it, filled by
// the very expression that reads the JSON, so both give the same answers.
//
// Concurrency. One connection writes, under a lock; a few read. The log is
// checkpointed by us and not by DuckDB's own threshold, because that one gives
// up, or fails the commit, while others read: see checkpoint.go.
package duckdb
