// Package analytics is the port to the store of facts: it answers how many,
// how much, who and when, in marketing words, never in SQL.
//
// Engines (engine/duckdb; ClickHouse later) implement Store; package
// conformance holds the suite that every engine must pass.
package analytics
