package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// tableCopy is one table of a dump: its columns in the order of its file.
type tableCopy struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

// dumpIndex is the file that lists the tables of a dump.
const dumpIndex = "tables.json"

// Dump writes every table of a PostgreSQL schema into the folder dir, all as of
// one moment, while others read and write: a file in COPY's text format each,
// and an index. SQLite has Backup.
func (d *DB) Dump(ctx context.Context, dir string) error {
	if d.dialect != Postgres {
		return errors.New("db: Dump is for PostgreSQL; copy SQLite with Backup")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("dump the records: %w", err)
	}
	return d.onConn(ctx, func(c *pgx.Conn) error {
		tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it read only
		tables, err := listTables(ctx, tx)
		if err != nil {
			return fmt.Errorf("list tables: %w", err)
		}
		for _, t := range tables {
			if err := copyOut(ctx, tx.Conn(), t, filepath.Join(dir, t.Table+".copy")); err != nil {
				return fmt.Errorf("dump %s: %w", t.Table, err)
			}
		}
		b, err := json.MarshalIndent(tables, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, dumpIndex), b, 0o600)
	})
}

// Undump fills the tables of a freshly migrated PostgreSQL schema from a dump,
// in one transaction, in place of what migrations put there. The caller makes
// sure that the schema was empty before: see Empty.
func (d *DB) Undump(ctx context.Context, dir string) error {
	if d.dialect != Postgres {
		return errors.New("db: Undump is for PostgreSQL")
	}
	b, err := os.ReadFile(filepath.Join(dir, dumpIndex))
	if err != nil {
		return fmt.Errorf("read the dump: %w", err)
	}
	var tables []tableCopy
	if err := json.Unmarshal(b, &tables); err != nil {
		return fmt.Errorf("read the dump: %w", err)
	}
	return d.onConn(ctx, func(c *pgx.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			for _, t := range tables {
				if err := copyIn(ctx, tx, t, filepath.Join(dir, filepath.Base(t.Table)+".copy")); err != nil {
					return fmt.Errorf("restore %s: %w", t.Table, err)
				}
			}
			return nil
		})
	})
}

// Empty tells whether a PostgreSQL schema has no tables yet.
func (d *DB) Empty(ctx context.Context) (bool, error) {
	var n int64
	err := d.QueryRow(ctx, "select count(*) from information_schema.tables where table_schema = current_schema()").Scan(&n)
	return n == 0, err
}

// onConn borrows one connection of the pool.
func (d *DB) onConn(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("db: unexpected driver %T", driver)
		}
		return fn(c.Conn())
	})
	if cerr := conn.Close(); cerr != nil && !errors.Is(cerr, sql.ErrConnDone) {
		err = errors.Join(err, cerr)
	}
	return err
}

func listTables(ctx context.Context, tx pgx.Tx) ([]tableCopy, error) {
	rows, err := tx.Query(ctx, `select c.table_name, c.column_name from information_schema.columns c
		join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
		where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
		order by c.table_name, c.ordinal_position`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []tableCopy
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, err
		}
		if len(out) == 0 || out[len(out)-1].Table != table {
			out = append(out, tableCopy{Table: table})
		}
		last := &out[len(out)-1]
		last.Columns = append(last.Columns, column)
	}
	return out, rows.Err()
}

// target names a table and its columns, quoted.
func (t tableCopy) target() string {
	cols := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		cols[i] = pgx.Identifier{c}.Sanitize()
	}
	return pgx.Identifier{t.Table}.Sanitize() + " (" + strings.Join(cols, ", ") + ")"
}

func copyOut(ctx context.Context, c *pgx.Conn, t tableCopy, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = c.PgConn().CopyTo(ctx, f, "copy "+t.target()+" to stdout")
	return errors.Join(err, f.Sync(), f.Close())
}

func copyIn(ctx context.Context, tx pgx.Tx, t tableCopy, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	name := pgx.Identifier{t.Table}.Sanitize()
	if t.Table == "schema_migrations" { // this program's own list stands; the dump's must be the same or older
		return nil
	}
	if _, err := tx.Exec(ctx, "delete from "+name); err != nil {
		return err
	}
	_, err = tx.Conn().PgConn().CopyFrom(ctx, f, "copy "+t.target()+" from stdin")
	return err
}
