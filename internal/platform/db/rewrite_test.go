package db

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestToQuestion(t *testing.T) {
	for in, want := range map[string]string{
		"select $1":                                  "select ?1",
		"select $2, $1, $2, $10":                     "select ?2, ?1, ?2, ?10",
		"select '$1', \"$2\", $3":                    "select '$1', \"$2\", ?3",
		"select 'it''s $1', $2":                      "select 'it''s $1', ?2",
		"select $1 -- it's $2\n, $3":                 "select ?1 -- it's $2\n, ?3",
		"select /* it's $1 */ $2":                    "select /* it's $1 */ ?2",
		"select a$1, $1":                             "select a$1, ?1",
		"select j->>'$.a' from t where x=$1":         "select j->>'$.a' from t where x=?1",
		"select $0, $x, $":                           "select $0, $x, $",
		"select 'open $1":                            "select 'open $1",
		"select /* open $1":                          "select /* open $1",
		"select -- open $1":                          "select -- open $1",
		"values($1,$2),($3,$4)on conflict":           "values(?1,?2),(?3,?4)on conflict",
		"select '锦池' || $1":                          "select '锦池' || ?1",
		"case when a>$1 then $2 else-$3 end -- \n$4": "case when a>?1 then ?2 else-?3 end -- \n?4",
	} {
		require.Equal(t, want, toQuestion(in))
	}
}

func FuzzToQuestion(f *testing.F) {
	f.Add("select $1, 'a''$2', \"$3\" -- $4\n/* $5 */ a$6 $7")
	f.Fuzz(func(t *testing.T, q string) {
		out := toQuestion(q)
		if len(out) != len(q) {
			t.Fatalf("%q became %q", q, out)
		}
		for i := range q { // only a `$` before a digit may change, and only to `?`
			if q[i] != out[i] && (q[i] != '$' || out[i] != '?' || i+1 == len(q) || q[i+1] < '1' || q[i+1] > '9') {
				t.Fatalf("%q became %q at %d", q, out, i)
			}
		}
		if !strings.ContainsAny(q, "'\"/-") && toQuestion(out) != out {
			t.Fatalf("%q is not done after one pass: %q", q, out)
		}
	})
}

// The driver itself reads a rewritten statement as meant.
func TestReusedAndOutOfOrderNumbers(t *testing.T) {
	d, err := Open(t.Context(), Config{Path: t.TempDir() + "/a.db"})
	require.NoError(t, err)
	defer d.Close()
	var s string
	require.NoError(t, d.QueryRow(t.Context(), "select $2 || $1 || $2 || '$1'", "a", "b").Scan(&s))
	require.Equal(t, "bab$1", s)
}

func TestRewritesAreKeptAndBounded(t *testing.T) {
	var r rewriter
	for i := range maxRewrites + 10 {
		r.sqlite("select " + In(1, i%600+1) + strings.Repeat(" ", i/600))
	}
	require.LessOrEqual(t, len(r.seen), maxRewrites)
	require.Equal(t, "select ?1", r.sqlite("select $1"))
	require.Equal(t, "", In(1, 0))
	require.Equal(t, "$2,$3,$4", In(2, 3))
}

func TestStatements(t *testing.T) {
	text := `-- head; with a semicolon;
create table a (x bigint, -- why; because
  y text default ';');
create index i on a (x); -- it's for the list
-- +sqlite
create table only_sqlite (x);
-- +end
-- +postgres
create table only_postgres (x bigint);
-- +end
insert into a values (1, 'two; three')`
	require.Equal(t, []string{
		"create table a (x bigint, -- why; because\n  y text default ';');",
		"create index i on a (x); -- it's for the list",
		"create table only_sqlite (x);",
		"insert into a values (1, 'two; three')",
	}, statements(text, SQLite))
	require.Contains(t, statements(text, Postgres), "create table only_postgres (x bigint);")
}
