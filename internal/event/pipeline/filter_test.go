package pipeline

import (
	"fmt"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"
)

func hashOf(i int) uint64 { return xxhash.Sum64String(fmt.Sprint("message-", i)) }

func TestFilterNeverForgetsWithinTheWindow(t *testing.T) {
	f := newFilter(64 << 20)
	const n = 500_000
	for i := range n {
		f.add(hashOf(i), int64(i))
	}
	for i := range n {
		require.True(t, f.maybe(hashOf(i)))
	}
	wrong := 0
	for i := n; i < 2*n; i++ {
		if f.maybe(hashOf(i)) {
			wrong++
		}
	}
	require.Less(t, float64(wrong)/n, 0.0002, "false maybes")
	size := f.size.Load()
	f.forget(int64(n / 2))
	require.Less(t, f.size.Load(), size)
	for i := n / 2; i < n; i++ {
		require.True(t, f.maybe(hashOf(i)), "entries inside the window stay")
	}
}

func TestFilterIsBounded(t *testing.T) {
	f := newFilter(1 << 20)
	for i := range 1_000_000 {
		f.add(hashOf(i), int64(i))
	}
	require.LessOrEqual(t, f.size.Load(), int64(1<<20))
	for i := range 1_000_000 {
		require.True(t, f.maybe(hashOf(i)))
	}
}

func BenchmarkFilter(b *testing.B) {
	f := newFilter(64 << 20)
	for i := range 5_000_000 {
		f.add(uint64(i)*0x9E3779B97F4A7C15, int64(i))
	}
	i := uint64(0)
	for b.Loop() {
		i++
		h := (i + 1<<40) * 0x9E3779B97F4A7C15
		if !f.maybe(h) {
			f.add(h, 1)
		}
	}
}
