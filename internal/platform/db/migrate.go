package db

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Set is the migrations of one domain: files `NNNN_what.sql` in FS, run in
// order, each in a transaction, forward only. Lines between `-- +sqlite` (or
// `-- +postgres`) and `-- +end` run on that engine alone.
type Set struct {
	Domain string
	FS     fs.FS
}

// Applied is one migration that has run.
type Applied struct {
	Domain  string
	Version int
	Name    string
}

// endOfStatement: a `;` that ends its line, a remark after it aside.
var endOfStatement = regexp.MustCompile(`;\s*(--.*)?$`)

var fileName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.sql$`)

// Migrate brings the schema up to date, set by set in the order given, and
// returns what it ran. A migration whose text changed after it ran, or one
// from a newer program, is an error: the data directory belongs to another version.
func (d *DB) Migrate(ctx context.Context, sets ...Set) ([]Applied, error) {
	err := d.Tx(ctx, func(ctx context.Context) error {
		if err := d.alone(ctx); err != nil {
			return err
		}
		_, err := d.Exec(ctx, `create table if not exists schema_migrations (
			domain text not null, version bigint not null, name text not null, checksum text not null, applied_at bigint not null,
			primary key (domain, version))`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create schema_migrations: %w", err)
	}
	var ran []Applied
	for _, s := range sets {
		r, err := d.migrateSet(ctx, s)
		ran = append(ran, r...)
		if err != nil {
			return ran, err
		}
	}
	return ran, nil
}

type migration struct {
	version        int
	name, sql, sum string
}

func (d *DB) migrateSet(ctx context.Context, s Set) ([]Applied, error) {
	ms, err := readSet(s)
	if err != nil {
		return nil, err
	}
	done, err := d.applied(ctx, s.Domain)
	if err != nil {
		return nil, err
	}
	if n := len(ms); n < len(done) {
		return nil, fmt.Errorf("migrate %s: the database is at version %d, this program knows %d: use a newer koipond", s.Domain, len(done), n)
	}
	var ran []Applied
	for _, m := range ms {
		if sum, ok := done[m.version]; ok {
			if sum != m.sum {
				return ran, fmt.Errorf("migrate %s: %04d_%s changed after it was applied", s.Domain, m.version, m.name)
			}
			continue
		}
		if err := d.apply(ctx, s.Domain, m); err != nil {
			return ran, fmt.Errorf("migrate %s %04d_%s: %w", s.Domain, m.version, m.name, err)
		}
		ran = append(ran, Applied{s.Domain, m.version, m.name})
	}
	return ran, nil
}

func (d *DB) apply(ctx context.Context, domain string, m migration) error {
	return d.Tx(ctx, func(ctx context.Context) error {
		if err := d.alone(ctx); err != nil {
			return err
		}
		var n int // another program may have been quicker
		if err := d.QueryRow(ctx, "select count(*) from schema_migrations where domain = $1 and version = $2", domain, m.version).Scan(&n); err != nil || n > 0 {
			return err
		}
		for _, stmt := range statements(m.sql, d.dialect) {
			if _, err := d.Exec(ctx, stmt); err != nil {
				return fmt.Errorf("%w in: %s", err, firstLine(stmt))
			}
		}
		_, err := d.Exec(ctx, "insert into schema_migrations (domain, version, name, checksum, applied_at) values ($1,$2,$3,$4,$5)",
			domain, m.version, m.name, m.sum, time.Now().UnixMilli())
		return err
	})
}

// alone makes programs that start at once queue here. On SQLite the write transaction does.
func (d *DB) alone(ctx context.Context) error {
	if d.dialect == SQLite {
		return nil
	}
	_, err := d.Exec(ctx, "select pg_advisory_xact_lock(7304219)")
	return err
}

func (d *DB) applied(ctx context.Context, domain string) (map[int]string, error) {
	rows, err := d.Query(ctx, "select version, checksum from schema_migrations where domain = $1", domain)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int]string{}
	for rows.Next() {
		var v int
		var sum string
		if err := rows.Scan(&v, &sum); err != nil {
			return nil, err
		}
		out[v] = sum
	}
	return out, rows.Err()
}

func readSet(s Set) ([]migration, error) {
	entries, err := fs.ReadDir(s.FS, ".")
	if err != nil {
		return nil, fmt.Errorf("migrate %s: %w", s.Domain, err)
	}
	var ms []migration
	for _, e := range entries {
		m := fileName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		body, err := fs.ReadFile(s.FS, path.Clean(e.Name()))
		if err != nil {
			return nil, err
		}
		v, _ := strconv.Atoi(m[1]) // the pattern lets only digits through
		sum := sha256.Sum256(body)
		ms = append(ms, migration{v, m[2], string(body), hex.EncodeToString(sum[:8])})
	}
	sort.Slice(ms, func(i, j int) bool { return ms[i].version < ms[j].version })
	for i, m := range ms {
		if m.version != i+1 {
			return nil, fmt.Errorf("migrate %s: versions must run 1,2,3…; found %04d at place %d", s.Domain, m.version, i+1)
		}
	}
	return ms, nil
}

// statements keeps the lines meant for the engine and splits at `;` at a line's end.
func statements(text string, d Dialect) []string {
	var out []string
	var cur strings.Builder
	only := ""
	for line := range strings.Lines(text) {
		t := strings.TrimSpace(line)
		switch {
		case t == "-- +sqlite" || t == "-- +postgres":
			only = strings.TrimPrefix(t, "-- +")
			continue
		case t == "-- +end":
			only = ""
			continue
		case strings.HasPrefix(t, "--") || (only != "" && only != string(d)):
			continue
		}
		cur.WriteString(line)
		if endOfStatement.MatchString(t) {
			out = append(out, strings.TrimSpace(cur.String()))
			cur.Reset()
		}
	}
	if s := strings.TrimSpace(cur.String()); s != "" {
		out = append(out, s)
	}
	return out
}

func firstLine(s string) string {
	if l, _, ok := strings.Cut(s, "\n"); ok {
		return l
	}
	return s
}
