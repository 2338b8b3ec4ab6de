// Package db answers: where are the records, and what changed together?
//
// One SQL text serves SQLite and PostgreSQL: `$1` placeholders, the portable
// subset, times as UTC milliseconds in BIGINT, money as minor units in BIGINT,
// booleans as 0/1 in BIGINT, JSON as TEXT. A transaction travels in the
// context: any statement run with that context joins it. SQLite has one writer
// connection and a pool of readers; a read outside a transaction never waits
// for the writer.
//
// Three traps that only one engine springs. PostgreSQL: close rows before the
// next statement of the same transaction; a literal next to a placeholder
// decides its type (`case when … then $1 else 0 end` makes $1 an int4: write
// `cast($1 as bigint)`); an error ends the transaction, so say `on conflict`
// instead of catching IsUnique inside one. SQLite: a write with another context
// than the transaction's waits for that very transaction.
package db
