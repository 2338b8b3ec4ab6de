package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	"github.com/mattn/go-sqlite3"    // registers "sqlite3"
)

// Dialect names the engine behind a DB. A hot path may own one statement per dialect.
type Dialect string

// The two engines.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Config says which database to open. URL wins over Path.
type Config struct {
	Path    string // SQLite file; its folder is made
	URL     string // postgres://…; empty for SQLite
	Readers int    // SQLite reader connections (default 4) or PostgreSQL pool size (default 16)
}

// DB is an open database. Safe for concurrent use.
type DB struct {
	dialect Dialect
	write   *sql.DB
	read    *sql.DB
	path    string
	rewrite rewriter
}

// Open opens (and for SQLite creates) the database and checks that it answers.
// It changes no schema: see Migrate.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.URL != "" {
		return openPostgres(ctx, cfg)
	}
	return openSQLite(ctx, cfg)
}

func openPostgres(ctx context.Context, cfg Config) (*DB, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return nil, errors.New("database URL must look like postgres://user@host:5432/name")
	}
	pool, err := sql.Open("pgx", cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	n := cfg.Readers
	if n <= 0 {
		n = 16
	}
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reach postgres at %s: %w", u.Host, err), pool.Close())
	}
	return &DB{dialect: Postgres, write: pool, read: pool}, nil
}

func openSQLite(ctx context.Context, cfg Config) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	// synchronous=FULL: a commit survives a power cut, as intake promises.
	// stmt_cache_size: statements of bulk writes are long, and parsing one again for
	// each batch takes as long as a quarter of its work.
	// txlock=immediate: writers queue at BEGIN and never fail half-way by upgrading.
	w, err := openPool(ctx, dsn(cfg.Path)+"&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_stmt_cache_size=64", 1)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", cfg.Path, err)
	}
	n := cfg.Readers
	if n <= 0 {
		n = max(4, runtime.NumCPU())
	}
	r, err := openPool(ctx, dsn(cfg.Path)+"&_query_only=1", n)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s for reading: %w", cfg.Path, err), w.Close())
	}
	return &DB{dialect: SQLite, write: w, read: r, path: cfg.Path}, nil
}

func dsn(path string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_busy_timeout=10000&_foreign_keys=1&_cache_size=-16000"
}

func openPool(ctx context.Context, dsn string, conns int) (*sql.DB, error) {
	p, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, err
	}
	p.SetMaxOpenConns(conns)
	p.SetMaxIdleConns(conns)
	if err := p.PingContext(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Close waits for running statements and closes every connection.
func (d *DB) Close() error {
	if d.read == d.write {
		return d.write.Close()
	}
	return errors.Join(d.read.Close(), d.write.Close())
}

// Dialect tells the engine.
func (d *DB) Dialect() Dialect { return d.dialect }

// Pick returns the text for this engine: the escape hatch for real differences.
func (d *DB) Pick(sqlite, postgres string) string {
	if d.dialect == SQLite {
		return sqlite
	}
	return postgres
}

// Path is the SQLite file, "" on PostgreSQL.
func (d *DB) Path() string { return d.path }

// Ping checks that the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.write.PingContext(ctx) }

// SizeBytes is how much the records take on disk.
func (d *DB) SizeBytes(ctx context.Context) (int64, error) {
	var n int64
	err := d.read.QueryRowContext(ctx, d.Pick(
		"select page_count * page_size from pragma_page_count(), pragma_page_size()",
		"select pg_database_size(current_database())")).Scan(&n)
	return n, err
}

type txKey struct{}

type txState struct {
	tx    *sql.Tx
	db    *DB
	after []func()
	done  bool
}

func (d *DB) current(ctx context.Context) *txState {
	t, _ := ctx.Value(txKey{}).(*txState)
	if t == nil || t.db != d || t.done {
		return nil
	}
	return t
}

// InTx tells whether ctx carries an open transaction of this database.
func (d *DB) InTx(ctx context.Context) bool { return d.current(ctx) != nil }

// Tx runs fn in one write transaction: committed when fn returns nil, rolled
// back otherwise (also on panic). Called inside a transaction it joins it.
// Never do network calls inside: SQLite has one writer.
func (d *DB) Tx(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	if d.InTx(ctx) {
		return fn(ctx)
	}
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	st := &txState{tx: tx, db: d}
	defer func() {
		st.done = true
		if p := recover(); p != nil {
			_ = tx.Rollback() // the panic below is the news
			panic(p)
		}
	}()
	if err := fn(context.WithValue(ctx, txKey{}, st)); err != nil {
		if rb := tx.Rollback(); rb != nil && !errors.Is(rb, sql.ErrTxDone) {
			return errors.Join(err, fmt.Errorf("roll back: %w", rb))
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	st.done = true
	for _, f := range st.after {
		f()
	}
	return nil
}

// After runs f once the transaction in ctx has committed, or at once when
// there is none. Not run on roll-back. For wake-up signals, never for state.
func (d *DB) After(ctx context.Context, f func()) {
	if t := d.current(ctx); t != nil {
		t.after = append(t.after, f)
		return
	}
	f()
}

// Exec runs a statement in the transaction of ctx, or on its own.
func (d *DB) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	q := d.sql(query)
	if t := d.current(ctx); t != nil {
		return t.tx.ExecContext(ctx, q, args...)
	}
	return d.write.ExecContext(ctx, q, args...)
}

// ExecN is Exec that returns only how many rows it changed.
func (d *DB) ExecN(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := d.Exec(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Query reads rows in the transaction of ctx, or from a reader connection.
// A statement that writes (insert … returning) must run inside Tx.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	q := d.sql(query)
	if t := d.current(ctx); t != nil {
		return t.tx.QueryContext(ctx, q, args...)
	}
	return d.read.QueryContext(ctx, q, args...)
}

// QueryRow reads one row, as Query.
func (d *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	q := d.sql(query)
	if t := d.current(ctx); t != nil {
		return t.tx.QueryRowContext(ctx, q, args...)
	}
	return d.read.QueryRowContext(ctx, q, args...)
}

// Prepare makes a statement bound to the transaction of ctx, for loops. It
// fails outside one. Close it when done.
func (d *DB) Prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	t := d.current(ctx)
	if t == nil {
		return nil, errors.New("db: Prepare outside a transaction")
	}
	return t.tx.PrepareContext(ctx, d.sql(query))
}

func (d *DB) sql(q string) string {
	if d.dialect == SQLite {
		return d.rewrite.sqlite(q)
	}
	return q
}

// Collect scans every row with fn and closes rows.
func Collect[T any](rows *sql.Rows, err error, fn func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := fn(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// IsUnique tells whether err is a broken unique or primary key.
func IsUnique(err error) bool {
	var se sqlite3.Error
	if errors.As(err, &se) {
		return se.ExtendedCode == sqlite3.ErrConstraintUnique || se.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
	}
	var pe interface{ SQLState() string }
	return errors.As(err, &pe) && pe.SQLState() == "23505"
}

// NoRows tells whether err means that a QueryRow found nothing.
func NoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// In makes a list of n placeholders from $first on, for `in (…)`: In(2, 3) is "$2,$3,$4".
// Both engines take at most about 32,000 values; batch at 500.
func In(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

var _ = stdlib.GetDefaultDriver // keeps the driver's registration visible to readers
