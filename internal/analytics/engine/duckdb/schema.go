package duckdb

import (
	"context"
	"fmt"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"
)

// field is one column of facts that is filled straight from a Row.
type field struct {
	name string
	typ  duck.Type
	json bool // JSON text that must parse, or it is kept as {"$broken": text}
}

// fields are in the order in which appendRow gives their values and scanRow reads them.
var fields = []field{
	{name: "seq", typ: duck.TYPE_UBIGINT},
	{name: "idx", typ: duck.TYPE_UINTEGER},
	{name: "contact", typ: duck.TYPE_BIGINT}, // as resolved when stored; never rewritten
	{name: "type", typ: duck.TYPE_VARCHAR},
	{name: "name", typ: duck.TYPE_VARCHAR},
	{name: "ts", typ: duck.TYPE_BIGINT},
	{name: "received", typ: duck.TYPE_BIGINT},
	{name: "mid", typ: duck.TYPE_VARCHAR},
	{name: "mid_hash", typ: duck.TYPE_UBIGINT},
	{name: "user_id", typ: duck.TYPE_VARCHAR},
	{name: "anonymous_id", typ: duck.TYPE_VARCHAR},
	{name: "ids", typ: duck.TYPE_VARCHAR}, // the rarer identifiers, JSON: see rowIDs
	{name: "source", typ: duck.TYPE_VARCHAR},
	{name: "channel", typ: duck.TYPE_VARCHAR},
	{name: "import_id", typ: duck.TYPE_VARCHAR},
	{name: "props", typ: duck.TYPE_VARCHAR, json: true},
	{name: "traits", typ: duck.TYPE_VARCHAR, json: true},
	{name: "context", typ: duck.TYPE_VARCHAR, json: true},
}

// steps bring the file from one version to the next, each in a transaction of
// its own. Never edit one that was released; add another.
var steps = []string{
	// 1. No indexes: facts are scanned by column with min-max pruning, and an
	// index would cost memory and slow the appends.
	`CREATE TABLE facts (
		seq UBIGINT NOT NULL, idx UINTEGER NOT NULL, contact BIGINT NOT NULL,
		type VARCHAR NOT NULL, name VARCHAR NOT NULL, ts BIGINT NOT NULL, received BIGINT NOT NULL,
		mid VARCHAR NOT NULL, mid_hash UBIGINT NOT NULL,
		user_id VARCHAR, anonymous_id VARCHAR, ids VARCHAR,
		source VARCHAR NOT NULL, channel VARCHAR NOT NULL, import_id VARCHAR,
		props VARCHAR, traits VARCHAR, context VARCHAR,
		p_1 DOUBLE, p_2 VARCHAR);
	CREATE TABLE contacts (
		contact BIGINT NOT NULL, root BIGINT NOT NULL,
		kind VARCHAR NOT NULL, channel VARCHAR NOT NULL, created_at BIGINT NOT NULL);
	CREATE TABLE columns (
		property VARCHAR NOT NULL, type VARCHAR NOT NULL, name VARCHAR NOT NULL,
		filled_to UBIGINT NOT NULL, ready BOOLEAN NOT NULL);
	INSERT INTO columns VALUES ('total', 'number', 'p_1', 0, true), ('currency', 'string', 'p_2', 0, true);`,
}

// migrate brings the file to the newest version; a file from a newer program is refused.
func (s *Store) migrate(ctx context.Context) error {
	_, err := s.writer.ExecContext(ctx,
		`CREATE TABLE IF NOT EXISTS store (version BIGINT NOT NULL, seq UBIGINT NOT NULL, idx UINTEGER NOT NULL);
		INSERT INTO store SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM store)`)
	if err != nil {
		return fmt.Errorf("prepare analytics file: %w", err)
	}
	var version int
	if err := s.writer.QueryRowContext(ctx, `SELECT version FROM store`).Scan(&version); err != nil {
		return fmt.Errorf("read analytics version: %w", err)
	}
	if version > len(steps) {
		return fmt.Errorf("the analytics file has version %d and this program knows %d: start the newer program", version, len(steps))
	}
	for n := version; n < len(steps); n++ {
		err := s.inTx(ctx, func(ctx context.Context) error {
			if _, err := s.writer.ExecContext(ctx, steps[n]); err != nil {
				return err
			}
			_, err := s.writer.ExecContext(ctx, `UPDATE store SET version = $1`, n+1)
			return err
		})
		if err != nil {
			return fmt.Errorf("upgrade analytics file to version %d: %w", n+1, err)
		}
	}
	return nil
}

// fieldList is the column list of facts, each behind the prefix.
func fieldList(prefix string) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = prefix + f.name
	}
	return strings.Join(names, ", ")
}
