package testkit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestEachDatabaseIsFresh(t *testing.T) {
	for range 2 {
		testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
			first, err := d.Reserve(t.Context(), "people", 3)
			require.NoError(t, err)
			require.EqualValues(t, 1, first)
		})
	}
}

func TestPrincipalHoldsItsRole(t *testing.T) {
	require.True(t, testkit.Principal("admin").May(auth.TeamWrite))
	require.False(t, testkit.Principal("copywriter").May(auth.ContactRead))
	require.Panics(t, func() { testkit.Principal("emperor") })
}
