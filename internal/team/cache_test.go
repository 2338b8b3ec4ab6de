package team

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestCacheIsBoundedAndForgetsTheLeastUsed(t *testing.T) {
	c := newCache[int](testkit.Clock())
	loads := 0
	get := func(key string) {
		_, err := c.get(t.Context(), key, nil, func(context.Context) (int, error) { loads++; return loads, nil })
		require.NoError(t, err)
	}
	get("kept")
	for i := range cacheSize + 100 {
		get(fmt.Sprint(i))
		if i%1000 == 0 {
			get("kept")
		}
	}
	require.Equal(t, cacheSize, c.len())
	before := loads
	get("kept")
	require.Equal(t, before, loads)
	get("0")
	require.Equal(t, before+1, loads)
}

func TestCacheAsksAgainAfterAMoment(t *testing.T) {
	clk := testkit.Clock()
	c := newCache[int](clk)
	n, fail := 0, error(nil)
	get := func(stale func(error) bool) (int, error) {
		return c.get(t.Context(), "k", stale, func(context.Context) (int, error) { n++; return n, fail })
	}
	v, _ := get(nil)
	clk.Advance(cacheFor - time.Millisecond)
	again, _ := get(nil)
	require.Equal(t, v, again)
	clk.Advance(time.Millisecond)
	again, _ = get(nil)
	require.Equal(t, v+1, again)
	clk.Advance(-time.Hour) // a clock set back must not freeze an entry
	again, _ = get(nil)
	require.Equal(t, v+2, again)

	fail = errors.New("down")
	clk.Advance(cacheFor)
	got, err := get(func(error) bool { return true })
	require.NoError(t, err)
	require.Equal(t, v+2, got)
	_, err = get(nil)
	require.ErrorIs(t, err, fail)
	require.Zero(t, c.len(), "a refusal is not remembered as an answer")
}

// What was read before a change must not be kept after it.
func TestCacheDropsALoadThatAChangeOvertook(t *testing.T) {
	c := newCache[string](testkit.Clock())
	v, err := c.get(t.Context(), "k", nil, func(context.Context) (string, error) {
		c.clear() // the change commits while the old row is in our hands
		return "old", nil
	})
	require.NoError(t, err)
	require.Equal(t, "old", v)
	v, err = c.get(t.Context(), "k", nil, func(context.Context) (string, error) { return "new", nil })
	require.NoError(t, err)
	require.Equal(t, "new", v)
}

func TestMaskEmail(t *testing.T) {
	for in, want := range map[string]string{
		"lin@example.com": "li***@example.com", "ab@example.com": "a***@example.com", "a@example.com": "***@example.com",
		"hunter2": "", "": "", "小雨哥@example.com": "小雨***@example.com", "a b@example.com": "",
	} {
		require.Equal(t, want, maskEmail(in), in)
	}
}

func TestWaitGrowsToALimit(t *testing.T) {
	require.Equal(t, 2*time.Second, waitFor(0))
	require.Equal(t, 64*time.Second, waitFor(5))
	require.Equal(t, longestWait, waitFor(8))
	require.Equal(t, longestWait, waitFor(1<<40))
	require.Equal(t, "i:2001:db8::/64", addressKey("2001:db8::1"))
	require.Equal(t, "i:192.0.2.1", addressKey("192.0.2.1"))
	require.Equal(t, "i:", addressKey(""))
}
