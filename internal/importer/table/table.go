package table

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Format of a file.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Encodings of text files.
const (
	UTF8    = "utf-8"
	GB18030 = "gb18030"
)

// Limits of what is read.
const (
	MaxRow      = 1 << 20   // bytes of one row; a longer one is an error of that row
	MaxColumns  = 1000      // columns of a table; more is a file error
	maxWorkbook = 200 << 20 // packed bytes of a workbook, which are held in memory
	sampleRows  = 2000      // rows looked at to know a file
)

// Source is a stored file that can be read again from its beginning.
type Source struct {
	Name string // as a person named it; its ending counts little
	Size int64  // bytes as stored
	Open func() (io.ReadCloser, error)
}

// Row is one row. Cells are trimmed of nothing; there may be fewer or more
// than columns. Err, when set, says why the row cannot be used; Cells then
// hold what could be read.
type Row struct {
	Line  int64 // of the file (where the row begins) or the sheet, from 1
	Cells []string
	Err   *errs.Error
}

// Info is what a look at a file tells.
type Info struct {
	Format     Format
	Compressed bool
	Encoding   string
	BOM        bool
	Delimiter  string // CSV only
	Sheets     []string
	Sheet      string
	Columns    []string // names, unique, trimmed
	HeaderLine int64
	// DateColumns are the columns of a workbook whose cells carry a date
	// format: their numbers are given as `2006-01-02 15:04:05`.
	DateColumns []int
	Date1904    bool
	CROnly      bool  // line ends are bare carriage returns
	Sample      []Row // the first rows after the header
}

// Reader reads the rows behind the header, one after the other.
type Reader struct {
	rows  rowReader
	close []io.Closer
	count *counter
	gz    *gzip.Reader
}

type rowReader interface {
	next() (Row, error)
}

// Next gives the next row that is not blank, or io.EOF, or an error that ends
// the reading: a broken gzip stream, a storage that fails.
func (r *Reader) Next() (Row, error) {
	for {
		row, err := r.rows.next()
		if err != nil {
			return Row{}, r.fault(err)
		}
		if row.Err != nil || !blank(row.Cells) {
			return row, nil
		}
	}
}

// BytesRead is how much of the stored file has been read, for progress.
func (r *Reader) BytesRead() int64 { return r.count.n }

// Close frees what the reader holds.
func (r *Reader) Close() error {
	var first error
	for i := len(r.close) - 1; i >= 0; i-- {
		if err := r.close[i].Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (r *Reader) fault(err error) error {
	if r.gz != nil && (err == io.ErrUnexpectedEOF || err == gzip.ErrChecksum || err == gzip.ErrHeader) {
		return errs.New(errs.Invalid, "import.broken_gzip").Wrap(err)
	}
	return err
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// Open reads a file known by Sniff from its first row after the header.
func Open(src Source, in Info) (*Reader, error) {
	if in.Format == XLSX {
		return openWorkbook(src, in)
	}
	r, body, err := openText(src)
	if err != nil {
		return nil, err
	}
	c := newCSV(decode(body, in), in.Delimiter[0])
	c.strict = in.Encoding == GB18030
	r.rows = c
	for c.line < in.HeaderLine { // pass over everything up to the header
		if _, err := c.next(); err == io.EOF {
			break
		} else if err != nil {
			_ = r.Close() // the error below says why
			return nil, r.fault(err)
		}
	}
	return r, nil
}

// openText opens a file and unpacks it when it is packed.
func openText(src Source) (*Reader, io.Reader, error) {
	f, err := src.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", src.Name, err)
	}
	r := &Reader{count: &counter{r: f}, close: []io.Closer{f}}
	head, body, err := peek(r.count, 2)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", src.Name, err)
	}
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return r, body, nil
	}
	if r.gz, err = gzip.NewReader(body); err != nil {
		_ = f.Close() // the error below says why
		return nil, nil, errs.New(errs.Invalid, "import.broken_gzip").Wrap(err)
	}
	r.close = append(r.close, r.gz)
	return r, r.gz, nil
}

// peek reads n bytes ahead.
func peek(r io.Reader, n int) ([]byte, io.Reader, error) {
	head := make([]byte, n)
	got, err := io.ReadFull(r, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	head = head[:got]
	return head, io.MultiReader(bytes.NewReader(head), r), err
}

// counter counts what is read from the stored file.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// header makes unique names of the first row: trimmed, `#3` for an empty one,
// a number behind repeated ones.
func header(cells []string) []string {
	last := len(cells)
	for last > 0 && clean(cells[last-1]) == "" {
		last--
	}
	names := make([]string, last)
	seen := map[string]bool{}
	for i := range names {
		name := clean(cells[i])
		if name == "" {
			name = fmt.Sprintf("#%d", i+1)
		}
		base := name
		for n := 2; seen[name]; n++ {
			name = fmt.Sprintf("%s (%d)", base, n)
		}
		seen[name] = true
		names[i] = name
	}
	return names
}

// maxName is the longest column name in bytes.
const maxName = 200

func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == 0 || r == 0xFEFF:
			return -1
		case r == 0x3000 || r == 0xA0 || r < 0x20:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxName {
		s = strings.ToValidUTF8(s[:maxName], "")
	}
	return s
}

// extension is the lower-case ending of a name without `.gz`.
func extension(name string) string {
	return strings.ToLower(filepath.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")))
}
