package pipeline

import (
	"math/bits"
	"sync/atomic"
)

// The filter answers "was this message id certainly not seen?" from memory. It
// is a row of blocked Bloom filters, each twice as large as the one before,
// and each forgotten as a whole when its newest entry is out of the window. At
// 32 bits an entry about 1 in 50,000 answers is a false "maybe", which costs a
// look-up in the store and nothing else: but that is a look at every fact of the
// week, so that with half the bits nearly every batch of a flood had to wait for one. When the bound on memory is reached
// the last one takes on more than it was made for: more look-ups, same truth.
const (
	bitsPerEntry = 32
	probes       = 6
	blockWords   = 8 // 64 bytes: one cache line per question
	firstEntries = 1 << 16
	maxEntries   = 1 << 23 // of one generation: 32 MiB
)

type generation struct {
	words  []uint64
	mask   uint64 // blocks - 1
	n, cap int
	newest int64 // receivedAt of the newest entry, ms
}

func newGeneration(entries int) *generation {
	blocks := 1 << bits.Len(uint(entries*bitsPerEntry/(blockWords*64)-1))
	return &generation{words: make([]uint64, blocks*blockWords), mask: uint64(blocks - 1), cap: entries}
}

func (g *generation) bytes() int { return len(g.words) * 8 }

// block picks the cache line by the high bits; the probes use bits mixed anew.
func (g *generation) block(h uint64) []uint64 {
	b := (h >> 24 & g.mask) * blockWords
	return g.words[b : b+blockWords : b+blockWords]
}

func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xFF51AFD7ED558CCD
	h ^= h >> 33
	return h
}

func (g *generation) has(h uint64) bool {
	w := g.block(h)
	m := mix(h)
	for range probes {
		if w[m>>6&7]&(1<<(m&63)) == 0 {
			return false
		}
		m >>= 9
	}
	return true
}

func (g *generation) add(h uint64, at int64) {
	w := g.block(h)
	m := mix(h)
	for range probes {
		w[m>>6&7] |= 1 << (m & 63)
		m >>= 9
	}
	g.n++
	g.newest = max(g.newest, at)
}

// filter is used by one goroutine; size may be asked by any.
type filter struct {
	gens  []*generation
	limit int // bytes
	size  atomic.Int64
}

func newFilter(limit int) *filter { return &filter{limit: limit} }

// clear forgets everything.
func (f *filter) clear() {
	f.gens = nil
	f.size.Store(0)
}

// maybe tells whether h may have been added; false is certain.
func (f *filter) maybe(h uint64) bool {
	for _, g := range f.gens {
		if g.has(h) {
			return true
		}
	}
	return false
}

// add remembers h, received at the given time.
func (f *filter) add(h uint64, at int64) {
	g := f.last()
	if g == nil || g.n >= g.cap {
		g = f.grow(g)
	}
	g.add(h, at)
}

func (f *filter) last() *generation {
	if len(f.gens) == 0 {
		return nil
	}
	return f.gens[len(f.gens)-1]
}

func (f *filter) grow(last *generation) *generation {
	entries := firstEntries
	if last != nil {
		entries = min(2*last.cap, maxEntries)
	}
	if last != nil && int(f.size.Load())+entries*bitsPerEntry/8 > f.limit {
		return last
	}
	g := newGeneration(entries)
	f.gens = append(f.gens, g)
	f.size.Add(int64(g.bytes()))
	return g
}

// forget drops generations whose entries were all received before a time.
func (f *filter) forget(before int64) {
	for len(f.gens) > 1 && f.gens[0].newest < before {
		f.size.Add(-int64(f.gens[0].bytes()))
		f.gens = f.gens[1:]
	}
}
