package duckdb_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/conformance"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
)

const fileName = "analytics.duckdb"

func TestConformance(t *testing.T) {
	paths := map[analytics.Store]string{} // the suite uses one store at a time per subtest
	conformance.Run(t, conformance.Engine{
		Open: func(t testing.TB) analytics.Store {
			path := filepath.Join(t.TempDir(), fileName)
			s := open(t, path)
			paths[s] = path
			return s
		},
		Crash: func(t testing.TB, s analytics.Store) analytics.Store {
			// What is in the files now is what a killed process leaves behind.
			path := filepath.Join(t.TempDir(), fileName)
			copyFile(t, paths[s], path)
			copyFile(t, paths[s]+".wal", path+".wal")
			again := open(t, path)
			paths[again] = path
			return again
		},
		Restore: func(t testing.TB, dir string) analytics.Store {
			return open(t, filepath.Join(dir, fileName))
		},
	})
}

func open(t testing.TB, path string) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(t.Context(), duckdb.Config{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if os.IsNotExist(err) {
		return
	}
	require.NoError(t, err)
	defer in.Close()
	out, err := os.Create(to)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

// The scripts that say what conditions on behaviour mean.
func TestBehaviourScripts(t *testing.T) {
	conformance.Scripts(t, conformance.Engine{Open: func(t testing.TB) analytics.Store { return open(t, filepath.Join(t.TempDir(), fileName)) }}, "../../../rule/testdata/scripts")
}
