package bus

import (
	"sync/atomic"
	"time"
)

// diskGuard tells whether the disk has room. JetStream's file store does not
// recover from a failed write without a restart, so we stop a little earlier.
type diskGuard struct {
	dir     string
	min     int64
	checked atomic.Int64 // unix ms of the last look
	low     atomic.Bool
}

func newDiskGuard(dir string, min int64) *diskGuard { return &diskGuard{dir: dir, min: min} }

// full looks at most once a second; the answer is shared.
func (g *diskGuard) full() bool {
	if g == nil || g.min < 0 {
		return false
	}
	now := time.Now().UnixMilli()
	last := g.checked.Load()
	if now-last >= 1000 && g.checked.CompareAndSwap(last, now) {
		free, ok := freeBytes(g.dir)
		g.low.Store(ok && free < g.min)
	}
	return g.low.Load()
}
