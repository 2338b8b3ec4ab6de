package importer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/koipond/koipond/internal/importer/table"
)

// heldParts is over how many parts held rows are spread: one part at a time is
// in memory when they are given out.
const heldParts = 64

// held keeps the rows of orders whose rows do not stand together, in memory up
// to a limit and beyond it in temporary files, and gives them out order by order.
type held struct {
	dir   string
	limit int
	size  int // bytes in memory
	parts [heldParts]heldPart
}

type heldPart struct {
	rows []table.Row
	file *os.File
	w    *bufio.Writer
}

func (h *held) add(hash uint64, r table.Row) error {
	p := &h.parts[hash%heldParts]
	p.rows = append(p.rows, r)
	h.size += 64
	for _, c := range r.Cells {
		h.size += 16 + len(c)
	}
	if h.size < h.limit {
		return nil
	}
	for i := range h.parts {
		if err := h.parts[i].spill(h.dir); err != nil {
			return fmt.Errorf("hold rows of scattered orders: %w", err)
		}
	}
	h.size = 0
	return nil
}

func (p *heldPart) spill(dir string) error {
	if len(p.rows) == 0 {
		return nil
	}
	if p.file == nil {
		f, err := os.CreateTemp(dir, "koipond-import-*")
		if err != nil {
			return err
		}
		if err := os.Remove(f.Name()); err != nil && !errors.Is(err, os.ErrPermission) { // gone with the process, however that ends
			return errors.Join(err, f.Close())
		}
		p.file, p.w = f, bufio.NewWriterSize(f, 32<<10)
	}
	var n [binary.MaxVarintLen64]byte
	put := func(v uint64) { _, _ = p.w.Write(n[:binary.PutUvarint(n[:], v)]) } // a failed write shows at Flush
	for _, r := range p.rows {
		put(uint64(r.Line))
		put(uint64(len(r.Cells)))
		for _, c := range r.Cells {
			put(uint64(len(c)))
			_, _ = p.w.WriteString(c) // as above
		}
	}
	p.rows = nil
	return p.w.Flush()
}

// all gives the rows of a part in the order they came in.
func (p *heldPart) all() ([]table.Row, error) {
	if p.file == nil {
		return p.rows, nil
	}
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(p.file, 64<<10)
	var out []table.Row
	for {
		line, err := binary.ReadUvarint(r)
		if err == io.EOF {
			return append(out, p.rows...), nil
		}
		if err != nil {
			return nil, err
		}
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return nil, err
		}
		row := table.Row{Line: int64(line), Cells: make([]string, n)}
		for i := range row.Cells {
			size, err := binary.ReadUvarint(r)
			if err != nil {
				return nil, err
			}
			b := make([]byte, size)
			if _, err := io.ReadFull(r, b); err != nil {
				return nil, err
			}
			row.Cells[i] = string(b)
		}
		out = append(out, row)
	}
}

// each gives out the rows of every order, orders by part and then by first
// row: the same order each time, however much went to files.
func (h *held) each(number func(table.Row) string, fn func(rows []table.Row) error) error {
	for i := range h.parts {
		rows, err := h.parts[i].all()
		if err != nil {
			return fmt.Errorf("read held rows: %w", err)
		}
		at := map[string]int{}
		var orders [][]table.Row
		for _, r := range rows {
			n := number(r)
			k, ok := at[n]
			if !ok {
				k = len(orders)
				at[n] = k
				orders = append(orders, nil)
			}
			orders[k] = append(orders[k], r)
		}
		for _, o := range orders {
			if err := fn(o); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *held) close() error {
	var first error
	for i := range h.parts {
		if f := h.parts[i].file; f != nil {
			if err := f.Close(); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// bloom remembers which order numbers were seen, in fixed memory. It may take a
// new number for a seen one; then that order is held, which is only slower.
type bloom struct{ bits []uint64 }

// newBloom sizes for a file of so many bytes: 16 bits for every 25 bytes of text.
func newBloom(bytes int64) *bloom {
	words := int64(1 << 14)
	for words < bytes/100 && words < 1<<22 {
		words *= 2
	}
	return &bloom{make([]uint64, words)}
}

// seen adds a hash and tells whether it was there.
func (b *bloom) seen(h uint64) bool {
	mask := uint64(len(b.bits)*64 - 1)
	step := h>>33 | 1
	was := true
	for range 4 {
		i := h & mask
		if b.bits[i/64]&(1<<(i%64)) == 0 {
			b.bits[i/64] |= 1 << (i % 64)
			was = false
		}
		h += step
	}
	return was
}

// maxScattered is how many scattered orders are known one by one; beyond it every order is held.
const maxScattered = 1 << 20

// scattered are the orders whose rows do not stand together.
type scattered struct {
	hashes map[uint64]struct{}
	all    bool
}

func (s *scattered) has(h uint64) bool {
	if s.all {
		return true
	}
	_, ok := s.hashes[h]
	return ok
}

func (s *scattered) add(h uint64) {
	s.hashes[h] = struct{}{}
	if len(s.hashes) > maxScattered {
		s.all, s.hashes = true, nil
	}
}
