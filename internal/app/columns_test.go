package app

import (
	"bufio"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/db"
)

// textColumns lists every column of every table that can hold text, as
// table.column, in order.
func textColumns(t *testing.T, d *db.DB) []string {
	rows, err := d.Query(t.Context(), `select m.name || '.' || c.name from sqlite_master m join pragma_table_info(m.name) c
		where m.type = 'table' and m.name not like 'sqlite_%' and lower(c.type) not in ('integer', 'bigint', 'real', 'double precision') order by 1`)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) })
	require.NoError(t, err)
	return out
}

// columnClasses are what a column may hold:
//
//	sealed  personal values, sealed; named in sealedSources
//	index   keyed hashes of personal values
//	masked  personal values as everybody sees them: 138****1234
//	name    how a customer is called: shown to whoever sees the customer
//	typed   words of staff in a place that takes no personal values, which the
//	        planted numbers of TestNoPersonalDataLiesInClear are sent to as well
//	staff   staff's own sign-in and names
//	ours    ids, keys, codes and texts that the program makes
var columnClasses = []string{"sealed", "index", "masked", "name", "typed", "staff", "ours"}

// declared reads testdata/columns.txt.
func declared(t *testing.T) map[string]string {
	f, err := os.Open(filepath.Join("testdata", "columns.txt"))
	require.NoError(t, err)
	defer f.Close()
	out := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		require.Len(t, words, 2, line)
		require.Contains(t, columnClasses, words[0], line)
		require.NotContains(t, out, words[1], "twice")
		out[words[1]] = words[0]
	}
	return out
}

// TestEveryColumnIsDeclared keeps whoever adds a table from forgetting that what
// people tell us lies sealed: each column that can hold text says what it holds,
// and those that are sealed are turned with the keys.
func TestEveryColumnIsDeclared(t *testing.T) {
	w := startWorld(t, testConfig(t))
	is, said := textColumns(t, w.app.DB), declared(t)
	have := map[string]bool{}
	for _, c := range is {
		have[c] = true
		if said[c] == "" {
			t.Errorf("testdata/columns.txt does not say what %s holds. Personal values are sealed: name the column in its package's Sealed, so that keys rotate", c)
		}
	}
	turned := map[string]bool{}
	for _, s := range w.app.sealedSources() {
		turned[s.Name()] = true
	}
	for c, class := range said {
		if !have[c] {
			t.Errorf("testdata/columns.txt names %s, which is no column", c)
		}
		if (class == "sealed") != turned[c] {
			t.Errorf("%s is %s in testdata/columns.txt, but in sealedSources it is %s", c, class, map[bool]string{true: "there", false: "not there"}[turned[c]])
		}
	}
	for name := range turned {
		if strings.Contains(name, ".") && said[name] == "" {
			t.Errorf("%s is sealed and not declared", name)
		}
	}
}
