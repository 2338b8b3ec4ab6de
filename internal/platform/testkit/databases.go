package testkit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/db"
)

// PostgresEnv names the variable that holds the URL of the PostgreSQL server
// for tests. Unset: only SQLite runs, unless CI=true, when that is a failure.
const PostgresEnv = "KOIPOND_TEST_POSTGRES"

// Case is one fresh, migrated database.
type Case struct {
	Name string // "sqlite" or "postgres"
	DB   *db.DB
}

// Databases opens one fresh database per engine, with the platform's own
// migrations and then sets applied. All are closed and removed when t ends.
func Databases(t testing.TB, sets ...db.Set) []Case {
	t.Helper()
	cases := []Case{{Name: "sqlite", DB: SQLite(t, sets...)}}
	if PostgresURL(t) != "" {
		cases = append(cases, Case{Name: "postgres", DB: Postgres(t, sets...)})
	}
	return cases
}

// EachDatabase runs fn as a subtest on a fresh database of every engine.
func EachDatabase(t *testing.T, fn func(t *testing.T, d *db.DB), sets ...db.Set) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t, sets...)) })
	if PostgresURL(t) != "" {
		t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t, sets...)) })
	}
}

// SQLite opens a fresh migrated SQLite database.
func SQLite(t testing.TB, sets ...db.Set) *db.DB {
	t.Helper()
	return open(t, db.Config{Path: filepath.Join(t.TempDir(), "koipond.db")}, sets)
}

// PostgresURL is the test server's URL, "" when there is none and none is required.
func PostgresURL(t testing.TB) string {
	t.Helper()
	u := os.Getenv(PostgresEnv)
	if u == "" && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not set: the tests of this repository need a PostgreSQL server", PostgresEnv)
	}
	return u
}

// Postgres opens a migrated PostgreSQL database: a schema of its own on the
// test server, dropped when t ends. It skips the test when there is no server.
func Postgres(t testing.TB, sets ...db.Set) *db.DB {
	t.Helper()
	// few connections: many packages' tests share one server
	return open(t, db.Config{URL: Schema(t), Readers: 6}, sets)
}

// Schema makes an empty PostgreSQL schema, dropped when t ends, and returns
// the URL that works inside it: for tests that start the program itself.
func Schema(t testing.TB) string {
	t.Helper()
	base := PostgresURL(t)
	if base == "" {
		t.Skipf("%s is not set", PostgresEnv)
	}
	raw := make([]byte, 8)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	name := "t_" + hex.EncodeToString(raw)
	admin(t, base, "create schema "+name)
	t.Cleanup(func() { admin(t, base, "drop schema "+name+" cascade") })

	u, err := url.Parse(base)
	require.NoError(t, err)
	q := u.Query()
	q.Set("search_path", name)
	q.Set("synchronous_commit", "off") // tests stop programs, never the machine
	u.RawQuery = q.Encode()
	return u.String()
}

func admin(t testing.TB, base, stmt string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := sql.Open("pgx", base)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(ctx, stmt)
	require.NoError(t, err, stmt)
}

func open(t testing.TB, cfg db.Config, sets []db.Set) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	if d.Dialect() == db.SQLite {
		// Waiting for the disk after each commit guards against a power cut alone.
		// It is five sixths of the time of tests with many small transactions.
		_, err = d.Exec(t.Context(), "pragma synchronous = off")
		require.NoError(t, err)
	}
	_, err = d.Migrate(t.Context(), append([]db.Set{db.Migrations()}, sets...)...)
	require.NoError(t, err)
	return d
}
