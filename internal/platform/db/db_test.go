package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// set makes a domain's migrations from texts.
func set(domain string, texts ...string) db.Set {
	files := fstest.MapFS{"readme.md": {Data: []byte("not a migration")}}
	for i, text := range texts {
		files[fmt.Sprintf("%04d_step.sql", i+1)] = &fstest.MapFile{Data: []byte(text)}
	}
	return db.Set{Domain: domain, FS: files}
}

func fish() db.Set {
	return set("fish", "create table fish (id bigint not null primary key, name text not null unique, size bigint);")
}

func count(t *testing.T, d *db.DB, ctx context.Context) int {
	t.Helper()
	var n int
	require.NoError(t, d.QueryRow(ctx, "select count(*) from fish").Scan(&n))
	return n
}

func add(d *db.DB, ctx context.Context, id int, name string) error {
	_, err := d.Exec(ctx, "insert into fish (id, name) values ($1, $2)", id, name)
	return err
}

func TestTxCommitsRollsBackAndJoins(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx, no := t.Context(), errors.New("no")
		require.NoError(t, d.Tx(ctx, func(ctx context.Context) error {
			require.True(t, d.InTx(ctx))
			require.NoError(t, add(d, ctx, 1, "koi"))
			require.Equal(t, 1, count(t, d, ctx), "it sees its own write")
			return d.Tx(ctx, func(ctx context.Context) error { return add(d, ctx, 2, "carp") })
		}))
		require.Equal(t, 2, count(t, d, ctx))

		require.ErrorIs(t, d.Tx(ctx, func(ctx context.Context) error {
			require.NoError(t, add(d, ctx, 3, "pike"))
			require.NoError(t, d.Tx(ctx, func(ctx context.Context) error { return add(d, ctx, 4, "eel") }))
			return no
		}), no)
		require.Equal(t, 2, count(t, d, ctx), "the inner one joined, so it went too")

		require.PanicsWithValue(t, "boom", func() {
			_ = d.Tx(ctx, func(ctx context.Context) error {
				require.NoError(t, add(d, ctx, 5, "bass"))
				panic("boom")
			})
		})
		require.Equal(t, 2, count(t, d, ctx))
		require.NoError(t, add(d, ctx, 6, "tench"), "the writer is free again")
	}, fish())
}

func TestAContextOutlivesItsTransaction(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		var kept context.Context
		require.NoError(t, d.Tx(t.Context(), func(ctx context.Context) error { kept = ctx; return nil }))
		require.False(t, d.InTx(kept))
		require.NoError(t, add(d, kept, 1, "koi"))
		require.Equal(t, 1, count(t, d, t.Context()))
	}, fish())
}

func TestTwoDatabasesDoNotMixTransactions(t *testing.T) {
	a, b := testkit.SQLite(t, fish()), testkit.SQLite(t, fish())
	_ = a.Tx(t.Context(), func(ctx context.Context) error {
		require.NoError(t, add(b, ctx, 1, "koi"))
		return errors.New("no")
	})
	require.Equal(t, 1, count(t, b, t.Context()))
}

func TestACancelledTransactionLeavesNothing(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := d.Tx(ctx, func(ctx context.Context) error {
			require.NoError(t, add(d, ctx, 1, "koi"))
			cancel()
			return nil
		})
		require.Error(t, err)
		require.Equal(t, 0, count(t, d, t.Context()))
		require.NoError(t, add(d, t.Context(), 1, "koi"))
	}, fish())
}

func TestAfterRunsOnceCommitted(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		var said []string
		say := func(s string) func() {
			return func() { said = append(said, fmt.Sprint(s, count(t, d, t.Context()))) }
		}
		d.After(t.Context(), say("at once "))
		_ = d.Tx(t.Context(), func(ctx context.Context) error {
			d.After(ctx, say("never "))
			return errors.New("no")
		})
		require.NoError(t, d.Tx(t.Context(), func(ctx context.Context) error {
			d.After(ctx, say("outer "))
			require.NoError(t, d.Tx(ctx, func(ctx context.Context) error { d.After(ctx, say("inner ")); return nil }))
			require.Len(t, said, 1, "not before the commit")
			return add(d, ctx, 1, "koi")
		}))
		require.Equal(t, []string{"at once 0", "outer 1", "inner 1"}, said)
	}, fish())
}

func TestReserveIsDenseUnderConcurrency(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		const workers, rounds = 8, 15
		var mu sync.Mutex
		seen := map[int64]bool{}
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := range rounds {
					n := int64(i%3 + 1)
					var first int64
					err := d.Tx(t.Context(), func(ctx context.Context) (err error) {
						if first, err = d.Reserve(ctx, "contact", n); err == nil && (w+i)%4 == 0 {
							err = errBack
						}
						return err
					})
					if errors.Is(err, errBack) {
						continue // these numbers go back
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for k := range n {
						if seen[first+k] {
							t.Errorf("%d was given twice", first+k)
						}
						seen[first+k] = true
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for n := range int64(len(seen)) {
			require.True(t, seen[n+1], "%d of %d is missing", n+1, len(seen))
		}
		other, err := d.Reserve(t.Context(), "other", 5)
		require.NoError(t, err)
		require.EqualValues(t, 1, other)
	})
}

var errBack = errors.New("roll back")

func TestOutboxKeepsTheOrderOfCommits(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		_ = d.Tx(ctx, func(ctx context.Context) error {
			require.NoError(t, d.Enqueue(ctx, "facts", []byte("lost")))
			return errBack
		})
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				for range 10 {
					if err := d.Enqueue(ctx, "facts", []byte(`{"名":"锦"}`)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		// While they write, a reader that relays and removes must never see a
		// row appear below one it already took.
		relayed := []int64{}
		relay := func() {
			rows, err := d.Pending(ctx, "facts", 7)
			require.NoError(t, err)
			if len(rows) == 0 {
				return
			}
			for _, r := range rows {
				require.Equal(t, `{"名":"锦"}`, string(r.Payload))
				relayed = append(relayed, r.ID)
			}
			require.NoError(t, d.Sent(ctx, "facts", rows[len(rows)-1].ID))
		}
		for range 20 {
			relay()
		}
		wg.Wait()
		for len(relayed) < 60 {
			relay()
		}
		require.Len(t, relayed, 60)
		for i, id := range relayed {
			require.EqualValues(t, i+1, id, "in order, none skipped")
		}
		require.NoError(t, d.Enqueue(ctx, "other", []byte("x")))
		rest, err := d.Pending(ctx, "facts", 7)
		require.NoError(t, err)
		require.Empty(t, rest)
	})
}

func TestMigrateWithRowsInPlace(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		one := "create table pond (id bigint not null primary key);"
		two := "alter table pond add column depth bigint not null default 7; -- rows that are there get it too\ncreate index pond_depth on pond (depth);"
		ran, err := d.Migrate(ctx, set("pond", one))
		require.NoError(t, err)
		require.Equal(t, []db.Applied{{Domain: "pond", Version: 1, Name: "step"}}, ran)
		_, err = d.Exec(ctx, "insert into pond (id) values (1)")
		require.NoError(t, err)
		ran, err = d.Migrate(ctx, set("pond", one, two))
		require.NoError(t, err)
		require.Len(t, ran, 1)
		var depth int
		require.NoError(t, d.QueryRow(ctx, "select depth from pond where id = 1").Scan(&depth))
		require.Equal(t, 7, depth)
		ran, err = d.Migrate(ctx, set("pond", one, two))
		require.NoError(t, err)
		require.Empty(t, ran, "once")

		_, err = d.Migrate(ctx, set("pond", one+" ", two))
		require.ErrorContains(t, err, "changed after it was applied")
		_, err = d.Migrate(ctx, set("pond", one))
		require.ErrorContains(t, err, "use a newer koipond")
		_, err = d.Migrate(ctx, db.Set{Domain: "gap", FS: fstest.MapFS{"0002_x.sql": {Data: []byte("select 1;")}}})
		require.ErrorContains(t, err, "versions must run 1,2,3")
	})
}

func TestAMigrationIsAllOrNothing(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		bad := set("bad", "create table bad (x bigint);", "create table worse (x bigint);\ninsert into nowhere values (1);")
		ran, err := d.Migrate(t.Context(), bad)
		require.ErrorContains(t, err, "migrate bad 0002_step")
		require.ErrorContains(t, err, "insert into nowhere")
		require.Len(t, ran, 1, "the first stands")
		_, err = d.Exec(t.Context(), "insert into worse values (1)")
		require.Error(t, err, "the second left nothing behind")
		_, err = d.Migrate(t.Context(), set("bad", "create table bad (x bigint);", "create table worse (x bigint);"))
		require.NoError(t, err, "and can be mended")
	})
}

func TestEngineSections(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		_, err := d.Migrate(t.Context(), set("e", `create table engine (name text);
-- +sqlite
insert into engine values ('sqlite');
-- +end
-- +postgres
insert into engine values ('postgres');
-- +end
`))
		require.NoError(t, err)
		var name string
		require.NoError(t, d.QueryRow(t.Context(), "select name from engine").Scan(&name))
		require.Equal(t, string(d.Dialect()), name)
	})
}

func TestProgramsThatStartAtOnceMigrateOnce(t *testing.T) {
	s := []db.Set{db.Migrations(), fish(), set("pond", "create table pond (id bigint);")}
	start := func(cfg db.Config) {
		var mu sync.Mutex
		var total int
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				d, err := db.Open(t.Context(), cfg)
				if err != nil {
					t.Error(err)
					return
				}
				defer d.Close()
				ran, err := d.Migrate(t.Context(), s...)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				total += len(ran)
				mu.Unlock()
			})
		}
		wg.Wait()
		require.GreaterOrEqual(t, total, 3)
	}
	t.Run("sqlite", func(*testing.T) { start(db.Config{Path: filepath.Join(t.TempDir(), "a.db")}) })
	if testkit.PostgresURL(t) != "" {
		t.Run("postgres", func(t *testing.T) { start(db.Config{URL: testkit.Schema(t), Readers: 2}) })
	}
}

func TestIsUnique(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		require.NoError(t, add(d, t.Context(), 1, "koi"))
		require.True(t, db.IsUnique(add(d, t.Context(), 1, "carp")), "primary key")
		require.True(t, db.IsUnique(add(d, t.Context(), 2, "koi")), "unique column")
		err := d.Tx(t.Context(), func(ctx context.Context) error { return fmt.Errorf("add: %w", add(d, ctx, 2, "koi")) })
		require.True(t, db.IsUnique(err), "wrapped")
		_, err = d.Exec(t.Context(), "insert into fish (id) values (3)")
		require.Error(t, err)
		require.False(t, db.IsUnique(err), "not null is something else")
		require.False(t, db.IsUnique(nil))
		require.True(t, db.NoRows(d.QueryRow(t.Context(), "select 1 from fish where id = 9").Scan(new(int))))
	}, fish())
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		require.NoError(t, add(d, ctx, 1, "koi"))
		require.NoError(t, d.Tx(ctx, func(tx context.Context) error {
			require.NoError(t, add(d, tx, 2, "carp"))
			require.Equal(t, 1, count(t, d, ctx), "outside: as it was before")
			return nil
		}))
		require.Equal(t, 2, count(t, d, ctx))

		rows, err := d.Query(ctx, "select id from fish order by id") // and the writer does not wait for readers
		require.NoError(t, err)
		require.True(t, rows.Next())
		require.NoError(t, add(d, ctx, 3, "pike"))
		require.NoError(t, rows.Close())
	}, fish())
}

func TestReadersCannotWrite(t *testing.T) {
	d := testkit.SQLite(t, fish())
	rows, err := d.Query(t.Context(), "insert into fish (id, name) values (1, 'koi') returning id")
	if err == nil {
		for rows.Next() {
		}
		err = errors.Join(rows.Err(), rows.Close())
	}
	require.ErrorContains(t, err, "readonly")
}

func TestPrepareAndCollect(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		_, err := d.Prepare(ctx, "select 1")
		require.Error(t, err, "only inside a transaction")
		require.NoError(t, d.Tx(ctx, func(ctx context.Context) error {
			st, err := d.Prepare(ctx, "insert into fish (size, id, name) values ($3, $1, $2)")
			require.NoError(t, err)
			defer st.Close()
			for i := range 3 {
				_, err := st.ExecContext(ctx, i, fmt.Sprint("fish ", i), i*10)
				require.NoError(t, err)
			}
			return nil
		}))
		rows, err := d.Query(ctx, "select size from fish where id in ("+db.In(1, 2)+") order by id", 1, 2)
		sizes, err := db.Collect(rows, err, func(r *sql.Rows) (int, error) { var n int; return n, r.Scan(&n) })
		require.NoError(t, err)
		require.Equal(t, []int{10, 20}, sizes)
		rows, err = d.Query(ctx, "select nothing from nowhere")
		_, err = db.Collect(rows, err, func(*sql.Rows) (int, error) { return 0, nil })
		require.Error(t, err)
		n, err := d.ExecN(ctx, "update fish set size = 1 where id > $1", 0)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		size, err := d.SizeBytes(ctx)
		require.NoError(t, err)
		require.Positive(t, size)
		require.NoError(t, d.Ping(ctx))
	}, fish())
}

func TestBackupWhileWriting(t *testing.T) {
	d := testkit.SQLite(t, fish())
	ctx := t.Context()
	pair := func(i int) error { // two rows, always together
		return d.Tx(ctx, func(ctx context.Context) error {
			return errors.Join(add(d, ctx, 2*i, fmt.Sprint(2*i)), add(d, ctx, 2*i+1, fmt.Sprint(2*i+1)))
		})
	}
	for i := range 500 {
		require.NoError(t, pair(i))
	}
	stop, wg := make(chan struct{}), sync.WaitGroup{}
	wg.Go(func() {
		for i := 500; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := pair(i); err != nil {
				t.Error(err)
				return
			}
		}
	})
	file := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, d.Backup(ctx, file))
	close(stop)
	wg.Wait()
	require.ErrorContains(t, d.Backup(ctx, file), "exists")

	c, err := db.Open(ctx, db.Config{Path: file})
	require.NoError(t, err)
	defer c.Close()
	n := count(t, c, ctx)
	require.GreaterOrEqual(t, n, 1000)
	require.Zero(t, n%2, "never half a transaction")
	var ok string
	require.NoError(t, c.QueryRow(ctx, "select integrity_check from pragma_integrity_check").Scan(&ok))
	require.Equal(t, "ok", ok)
	ran, err := c.Migrate(ctx, db.Migrations(), fish())
	require.NoError(t, err)
	require.Empty(t, ran, "the copy knows its version")

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	other := filepath.Join(t.TempDir(), "other.db")
	require.Error(t, d.Backup(cancelled, other))
	require.NoFileExists(t, other)
}

func TestBackupOfPostgresPointsToItsTools(t *testing.T) {
	require.ErrorContains(t, testkit.Postgres(t).Backup(t.Context(), filepath.Join(t.TempDir(), "x")), "pg_dump")
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	_, err := db.Open(t.Context(), db.Config{URL: "mysql://x"})
	require.ErrorContains(t, err, "postgres://")
	_, err = db.Open(t.Context(), db.Config{URL: "postgres://u:hunter2@127.0.0.1:1/x"})
	require.ErrorContains(t, err, "127.0.0.1:1")
	require.NotContains(t, err.Error(), "hunter2")
	_, err = db.Open(t.Context(), db.Config{Path: "/proc/nowhere/a.db"})
	require.Error(t, err)
	odd, err := db.Open(t.Context(), db.Config{Path: filepath.Join(t.TempDir(), "a ?#%中.db")})
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(odd.Path(), "a ?#%中.db"))
	require.NoError(t, odd.Close())
}
