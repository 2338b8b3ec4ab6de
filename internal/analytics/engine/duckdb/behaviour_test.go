package duckdb

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/conformance"
)

// TestBehaviourInSmallParts: where memory allows one aggregate for each statement,
// the answers are the same.
func TestBehaviourInSmallParts(t *testing.T) {
	conformance.Scripts(t, conformance.Engine{Open: func(t testing.TB) analytics.Store {
		s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.duckdb")})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		s.megs = 0
		return s
	}}, "../../../rule/testdata/scripts")
}
