// Package db answers: where are the records, and what changed together?
//
// One SQL text serves SQLite and PostgreSQL: `$1` placeholders, the portable
// subset, times as UTC milliseconds in BIGINT, money as minor units in BIGINT,
// booleans as 0/1 in BIGINT, JSON as TEXT. A transaction travels in the
// context: any statement run with that context joins it. SQLite has one writer
// connection and a pool of readers; a read outside a transaction never waits
// for the writer.
package db
