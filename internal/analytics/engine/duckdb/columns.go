package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// column is a promoted property.
type column struct {
	property string
	typ      string // as in analytics.Column
	name     string // p_1, p_2, …: never the property's own name
	filledTo uint64 // rows up to this sequence have it, while not ready
	ready    bool   // all rows have it: questions may use it
}

func loadColumns(ctx context.Context, conn *sql.Conn) ([]column, error) {
	rows, err := conn.QueryContext(ctx, `SELECT property, type, name, filled_to, ready FROM columns ORDER BY rowid`)
	if err != nil {
		return nil, fmt.Errorf("read analytics columns: %w", err)
	}
	defer rows.Close()
	var out []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.property, &c.typ, &c.name, &c.filledTo, &c.ready); err != nil {
			return nil, fmt.Errorf("read analytics columns: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// read is the SQL that reads the property from JSON text as the column's type:
// the one expression by which columns are filled and unpromoted properties read.
func (c column) read(json string) string {
	switch c.typ {
	case "number":
		return readNumber(json, c.property)
	case "boolean":
		return "CASE " + readText(json, c.property) + " WHEN 'true' THEN true WHEN 'false' THEN false END"
	case "time":
		text := readText(json, c.property)
		return "coalesce(try_cast(" + text + " AS BIGINT), epoch_ms(try_cast(" + text + " AS TIMESTAMPTZ)))"
	default:
		return readText(json, c.property)
	}
}

// sqlType is the type of the physical column.
func (c column) sqlType() string {
	switch c.typ {
	case "number":
		return "DOUBLE"
	case "boolean":
		return "BOOLEAN"
	case "time":
		return "BIGINT"
	default:
		return "VARCHAR"
	}
}

// readText is the property as text: a JSON string's content, a number or
// boolean as written, JSON for lists and objects; NULL when absent or null.
// The brackets matter: ->> binds weaker than = in DuckDB.
func readText(json, property string) string {
	return "(" + json + "->>" + pointer(property) + ")"
}

// readNumber is the property as a number, NULL when it does not read as a finite one.
func readNumber(json, property string) string {
	n := "try_cast(" + readText(json, property) + " AS DOUBLE)"
	return "CASE WHEN abs(" + n + ") < 1e100 THEN " + n + " END"
}

// pointer is a SQL literal with the JSON pointer to a top-level property. Pointers
// have an escape for each of their two special characters, which JSON paths
// lack. The name has passed analytics.CheckProperty: no NUL, valid UTF-8.
func pointer(property string) string {
	p := strings.ReplaceAll(strings.ReplaceAll(property, "~", "~0"), "/", "~1")
	return "'/" + strings.ReplaceAll(p, "'", "''") + "'"
}
