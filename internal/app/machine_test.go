package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience/machine"
)

// With the live engine behind them, both machines sort everybody who comes, those
// too whom no rule takes.
func TestEverybodyStandsSomewhere(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		w.history()
		for _, path := range []string{"/api/lifecycle", "/api/pools"} {
			var v machine.View
			require.Eventually(t, func() bool {
				v = machine.View{}
				require.Equal(t, 200, w.call("GET", path, "", &v))
				return v.Total > 0 && v.Unknown == 0 && v.Job == ""
			}, 20*time.Second, 100*time.Millisecond, "%s: %d of %d are not sorted", path, v.Unknown, v.Total)
			sum := int64(0)
			for _, s := range v.States {
				sum += s.Count
			}
			require.Equal(t, v.Total, sum, path)
		}
	})
}
