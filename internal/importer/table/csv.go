package table

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/platform/errs"
)

// csvReader cuts text into rows. A quote opens a quoted cell only at the
// beginning of a cell; inside, two quotes are one, and a quote that is followed
// by neither delimiter nor line end stands for itself. A quoted cell that
// finds no end within MaxRow is an error of its first line; reading goes on
// with the line behind it.
type csvReader struct {
	r     io.Reader
	delim byte
	buf   []byte
	start int // of what is not yet consumed
	end   int
	eof   bool
	err   error // other than EOF, reported when everything before it was given
	line  int64
	// runaways counts quotes without end. Each costs a second look at up to
	// MaxRow; after some, quoted cells may not span lines any more, so that a
	// file full of stray quotes still takes linear time.
	runaways int
	text     []byte
	ends     []int
	strict   bool // replacement characters are faults: the text was decoded from another encoding
}

const maxRunaways = 16

func newCSV(r io.Reader, delim byte) *csvReader {
	return &csvReader{r: r, delim: delim, buf: make([]byte, 128<<10)}
}

// fill reads more behind end. False: nothing more comes.
func (c *csvReader) fill() bool {
	if c.eof {
		return false
	}
	if c.start > 0 {
		copy(c.buf, c.buf[c.start:c.end])
		c.end -= c.start
		c.start = 0
	}
	if c.end == len(c.buf) {
		bigger := make([]byte, 2*len(c.buf))
		copy(bigger, c.buf)
		c.buf = bigger
	}
	for range 100 {
		n, err := c.r.Read(c.buf[c.end:])
		c.end += n
		if err != nil {
			c.eof = true
			if err != io.EOF {
				c.err = err
			}
			return n > 0
		}
		if n > 0 {
			return true
		}
	}
	c.eof, c.err = true, io.ErrNoProgress
	return false
}

// lineEnd finds the line break at or behind offset from (counted from start):
// its offset, or -1 when the line ends with the file or is longer than MaxRow.
func (c *csvReader) lineEnd(from int) int {
	for {
		if i := bytes.IndexByte(c.buf[c.start+from:c.end], '\n'); i >= 0 {
			return from + i
		}
		from = c.end - c.start
		if from > MaxRow || !c.fill() {
			return -1
		}
	}
}

func (c *csvReader) next() (Row, error) {
	for {
		nl := c.lineEnd(0)
		size := nl
		if nl < 0 {
			size = c.end - c.start
			if size == 0 {
				if c.err != nil {
					return Row{}, c.err
				}
				return Row{}, io.EOF
			}
		}
		if size > MaxRow {
			return c.tooLong(), nil
		}
		c.line++
		raw := c.buf[c.start : c.start+size]
		if len(bytes.TrimRight(raw, "\r")) == 0 {
			c.consume(size, nl >= 0)
			continue
		}
		if bytes.IndexByte(raw, '"') < 0 {
			row := c.plain(bytes.TrimSuffix(raw, []byte("\r")))
			c.consume(size, nl >= 0)
			return row, nil
		}
		return c.quoted(), nil
	}
}

func (c *csvReader) consume(n int, newline bool) {
	c.start += n
	if newline {
		c.start++
	}
}

// tooLong passes over a line longer than MaxRow.
func (c *csvReader) tooLong() Row {
	c.line++
	row := Row{Line: c.line, Cells: []string{}, Err: errs.New(errs.Invalid, "import.row_too_long", "limit", MaxRow)}
	for {
		if i := bytes.IndexByte(c.buf[c.start:c.end], '\n'); i >= 0 {
			c.consume(i, true)
			return row
		}
		c.start = c.end
		if !c.fill() {
			return row
		}
	}
}

// plain cuts a line without quotes.
func (c *csvReader) plain(raw []byte) Row {
	row := Row{Line: c.line, Err: c.fault(raw)}
	text := string(raw)
	n := bytes.Count(raw, []byte{c.delim}) + 1
	cells := make([]string, 0, n)
	for {
		i := indexByte(text, c.delim)
		if i < 0 {
			break
		}
		cells = append(cells, text[:i])
		text = text[i+1:]
	}
	row.Cells = append(cells, text)
	return row
}

func indexByte(s string, b byte) int {
	for i := 0; i < len(s); i++ {
		if s[i] == b {
			return i
		}
	}
	return -1
}

// fault checks the bytes of a row.
func (c *csvReader) fault(raw []byte) *errs.Error {
	if bytes.IndexByte(raw, 0) >= 0 {
		return errs.New(errs.Invalid, "import.nul_byte")
	}
	if !utf8.Valid(raw) || c.strict && bytes.Contains(raw, []byte("\uFFFD")) {
		return errs.New(errs.Invalid, "import.bad_encoding")
	}
	return nil
}

// quoted cuts a row with quotes, which may span lines. c.line is its first line.
func (c *csvReader) quoted() Row {
	c.text, c.ends = c.text[:0], c.ends[:0]
	first := c.line
	i, breaks := 0, int64(0)
	for {
		end, lines, open := c.cell(i)
		breaks += lines
		c.ends = append(c.ends, len(c.text))
		if open {
			return c.runaway(first)
		}
		i = end
		b, ok := c.at(i)
		if ok && b == c.delim {
			i++
			continue
		}
		if ok && b == '\r' { // before the line break
			i++
		}
		_, nl := c.at(i)
		row := Row{Line: first, Err: c.fault(c.text), Cells: c.cut()}
		c.consume(i, nl)
		c.line += breaks
		return row
	}
}

// cut makes the cells of text and ends.
func (c *csvReader) cut() []string {
	text := string(c.text)
	cells := make([]string, len(c.ends))
	from := 0
	for i, to := range c.ends {
		cells[i], from = text[from:to], to
	}
	return cells
}

// at gives the byte at an offset from start; false behind the end.
func (c *csvReader) at(i int) (byte, bool) {
	for c.start+i >= c.end {
		if !c.fill() {
			return 0, false
		}
	}
	return c.buf[c.start+i], true
}

// cell reads one cell from offset i into text. It returns the offset of the
// delimiter, line break or end behind it and how many line breaks it holds;
// open tells that its closing quote was not found.
func (c *csvReader) cell(i int) (end int, breaks int64, open bool) {
	b, ok := c.at(i)
	if !ok || b != '"' {
		for ok && b != c.delim && b != '\n' && (b != '\r' || !c.breakAt(i+1)) {
			c.text = append(c.text, b)
			i++
			b, ok = c.at(i)
		}
		return i, 0, false
	}
	for i++; ; i++ {
		b, ok = c.at(i)
		if !ok || i > MaxRow || (b == '\n' && c.runaways > maxRunaways) {
			return i, breaks, true
		}
		if b == '"' {
			after, more := c.at(i + 1)
			switch {
			case more && after == '"':
				i++
			case !more || after == c.delim || after == '\n' || (after == '\r' && c.breakAt(i+2)):
				return i + 1, breaks, false
			}
		}
		if b == '\n' {
			breaks++
		}
		c.text = append(c.text, b)
	}
}

// breakAt tells whether a line break or the end stands at offset i.
func (c *csvReader) breakAt(i int) bool {
	b, ok := c.at(i)
	return !ok || b == '\n'
}

// runaway reports a quote without end and goes on behind the first line.
func (c *csvReader) runaway(first int64) Row {
	c.runaways++
	nl := c.lineEnd(0)
	size := nl
	if nl < 0 {
		size = c.end - c.start
	}
	raw := bytes.TrimSuffix(c.buf[c.start:c.start+size], []byte("\r"))
	c.line = first
	row := c.plain(raw)
	row.Err = errs.New(errs.Invalid, "import.open_quote")
	for i, cell := range row.Cells {
		row.Cells[i] = string(bytes.ToValidUTF8([]byte(cell), []byte("�")))
	}
	c.consume(size, nl >= 0)
	return row
}
