package id_test

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/id"
)

func TestIDsSortByCreation(t *testing.T) {
	clk := clock.NewFake(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	s := id.NewSource(clk.Now, nil)
	last := ""
	for i := range 5000 { // many within one millisecond, too
		if i%1000 == 0 {
			clk.Advance(time.Millisecond)
		}
		n := s.New("ct")
		require.Regexp(t, regexp.MustCompile(`^ct_[0-9a-hjkmnp-tv-z]{26}$`), n)
		require.Greater(t, n, last)
		last = n
	}
}

func TestIDsAreUniqueAcrossGoroutines(t *testing.T) {
	s := id.NewSource(time.Now, nil)
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				n := s.New("x")
				mu.Lock()
				if seen[n] {
					t.Errorf("%s twice", n)
				}
				seen[n] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Len(t, seen, 4000)
}

func TestFixedEntropyRepeats(t *testing.T) {
	make1 := func() string {
		return id.NewSource(func() time.Time { return time.UnixMilli(1) }, bytes.NewReader(make([]byte, 64))).New("a")
	}
	require.Equal(t, make1(), make1())
}

// A fixed source that runs dry must not stop the program.
func TestEntropyMayEnd(t *testing.T) {
	s := id.NewSource(func() time.Time { return time.UnixMilli(1) }, bytes.NewReader(nil))
	require.NotEqual(t, s.New("a"), s.New("a"))
}

func TestSecrets(t *testing.T) {
	require.Len(t, id.Secret(32), 43)
	require.NotEqual(t, id.Secret(32), id.Secret(32))
	require.NotContains(t, id.Secret(64), "+")
}
