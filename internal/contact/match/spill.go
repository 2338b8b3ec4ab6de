package match

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// entry is a pair of numbers: a key and a contact, or two contacts.
type entry struct{ hi, lo int64 }

func (e entry) compare(o entry) int { return cmp.Or(cmp.Compare(e.hi, o.hi), cmp.Compare(e.lo, o.lo)) }

// runLength is how many entries are sorted in memory at a time: 8 MB.
const runLength = 512 << 10

// spill sorts more entries than memory holds: stretches of them are sorted and
// put into files, which are read side by side afterwards.
type spill struct {
	dir   string
	buf   []entry
	files []string
	added int64
}

// sortFolder is the pattern of their names.
const sortFolder = "sorting-*"

func newSpill(dir string) (*spill, error) {
	d, err := os.MkdirTemp(dir, sortFolder)
	if err != nil {
		return nil, fmt.Errorf("make a folder for sorting: %w", err)
	}
	return &spill{dir: d}, nil
}

// remove deletes the files.
func (s *spill) remove() error { return os.RemoveAll(s.dir) }

func (s *spill) add(e entry) error {
	if s.buf == nil {
		s.buf = make([]entry, 0, runLength)
	}
	s.buf = append(s.buf, e)
	s.added++
	if len(s.buf) < runLength {
		return nil
	}
	return s.flush()
}

func (s *spill) flush() (err error) {
	if len(s.buf) == 0 {
		return nil
	}
	slices.SortFunc(s.buf, entry.compare)
	name := filepath.Join(s.dir, fmt.Sprint(len(s.files)))
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("sort on disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 64<<10)
	var raw [16]byte
	for _, e := range s.buf {
		binary.LittleEndian.PutUint64(raw[:8], uint64(e.hi))
		binary.LittleEndian.PutUint64(raw[8:], uint64(e.lo))
		if _, err := w.Write(raw[:]); err != nil {
			return fmt.Errorf("sort on disk: %w", err)
		}
	}
	s.files = append(s.files, name)
	s.buf = s.buf[:0]
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sort on disk: %w", err)
	}
	return nil
}

// each gives all entries in order, equal ones once. It can be called again.
func (s *spill) each(fn func(entry) error) (err error) {
	if err := s.flush(); err != nil {
		return err
	}
	s.buf = nil
	var h heads
	defer func() {
		for _, r := range h {
			err = errors.Join(err, r.f.Close())
		}
	}()
	for _, name := range s.files {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("read what was sorted: %w", err)
		}
		r := &runReader{f: f, r: bufio.NewReaderSize(f, 64<<10)}
		h = append(h, r)
		if err := r.next(); err != nil { // no file is empty
			return err
		}
	}
	heap.Init(&h)
	last, any := entry{}, false
	for h.Len() > 0 {
		r := h[0]
		if e := r.head; !any || e != last {
			last, any = e, true
			if err := fn(e); err != nil {
				return err
			}
		}
		switch err := r.next(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&h)
			if err := r.f.Close(); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			heap.Fix(&h, 0)
		}
	}
	return nil
}

// runReader reads one sorted stretch.
type runReader struct {
	f    *os.File
	r    *bufio.Reader
	head entry
}

func (r *runReader) next() error {
	var raw [16]byte
	if _, err := io.ReadFull(r.r, raw[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("read what was sorted: %w", err)
	}
	r.head = entry{int64(binary.LittleEndian.Uint64(raw[:8])), int64(binary.LittleEndian.Uint64(raw[8:]))}
	return nil
}

// heads is a heap of stretches by what they hold next.
type heads []*runReader

func (h heads) Len() int           { return len(h) }
func (h heads) Less(i, j int) bool { return h[i].head.compare(h[j].head) < 0 }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)        { *h = append(*h, x.(*runReader)) }
func (h *heads) Pop() any {
	old := *h
	r := old[len(old)-1]
	*h = old[:len(old)-1]
	return r
}
