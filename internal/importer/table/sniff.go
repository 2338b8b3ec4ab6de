package table

import (
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"github.com/koipond/koipond/internal/platform/errs"
)

// How much of a text is read to know its encoding: enough to meet a Chinese
// name in a file that begins with plain ASCII.
const (
	sniffBytes    = 1 << 20
	sniffBytesMax = 32 << 20
)

// Sniff looks at a file: what it is, its columns, its first rows. sheet
// chooses a sheet of a workbook, "" the first one with rows.
func Sniff(src Source, sheet string) (Info, error) {
	head, err := magic(src)
	if err != nil {
		return Info{}, err
	}
	switch {
	case len(head) == 0:
		return Info{}, errs.New(errs.Invalid, "import.file_empty")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return sniffWorkbook(src, sheet)
	case bytes.HasPrefix(head, []byte{0xD0, 0xCF, 0x11, 0xE0}):
		return Info{}, errs.New(errs.Invalid, "import.old_excel")
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return Info{}, errs.New(errs.Invalid, "import.utf16")
	case extension(src.Name) == ".xlsx":
		return Info{}, errs.New(errs.Invalid, "import.not_excel")
	}
	return sniffText(src)
}

func magic(src Source) ([]byte, error) {
	r, body, err := openText(src)
	if err != nil {
		return nil, err
	}
	head, _, err := peek(body, 8)
	if cerr := r.Close(); err == nil && cerr != nil && r.gz == nil {
		err = cerr
	}
	return head, r.fault(err)
}

func sniffText(src Source) (Info, error) {
	r, body, err := openText(src)
	if err != nil {
		return Info{}, err
	}
	defer r.Close()
	in := Info{Format: CSV, Compressed: r.gz != nil}
	if err := in.encoding(body); err != nil {
		return Info{}, r.fault(err)
	}
	r2, body2, err := openText(src)
	if err != nil {
		return Info{}, err
	}
	defer r2.Close()
	head := make([]byte, 256<<10)
	n, err := io.ReadFull(decode(body2, in), head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return Info{}, r2.fault(err)
	}
	head = head[:n]
	in.CROnly = bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0
	if in.CROnly {
		head = bytes.ReplaceAll(head, []byte("\r"), []byte("\n"))
	}
	if bytes.Count(head, []byte{0}) > max(20, len(head)/100) {
		return Info{}, errs.New(errs.Invalid, "import.not_text")
	}
	in.Delimiter = delimiter(head)
	return in, in.sampleText(src)
}

// encoding reads as far as needed to know it.
func (in *Info) encoding(body io.Reader) error {
	var all []byte
	for limit := sniffBytes; ; limit *= 4 {
		more, err := io.ReadAll(io.LimitReader(body, int64(limit-len(all))))
		all = append(all, more...)
		if err != nil {
			return err
		}
		if len(all) < limit || limit >= sniffBytesMax || !ascii(all) {
			break
		}
	}
	if bytes.HasPrefix(all, []byte("\xEF\xBB\xBF")) {
		in.Encoding, in.BOM = UTF8, true
		return nil
	}
	in.Encoding = UTF8
	if !validButTail(all) && looksGB18030(all) {
		in.Encoding = GB18030
	}
	return nil
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// validButTail allows a character cut off at the end of what was read.
func validButTail(b []byte) bool {
	for i := 0; i < utf8.UTFMax && i < len(b); i++ {
		if utf8.Valid(b[:len(b)-i]) {
			return true
		}
	}
	return len(b) == 0
}

// looksGB18030 tells whether nearly all of it decodes: one broken byte in a
// UTF-8 file must not turn the whole file into Chinese.
func looksGB18030(b []byte) bool {
	b = b[:min(len(b), 4<<20)]
	out, _, err := transform.Bytes(simplifiedchinese.GB18030.NewDecoder(), b)
	if err != nil {
		return false
	}
	bad := bytes.Count(out, []byte("�"))
	badUTF8 := 0
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 {
			badUTF8++
		}
		rest = rest[n:]
	}
	return bad*20 < badUTF8
}

// decode gives UTF-8 text without byte order mark and with \n line ends.
func decode(body io.Reader, in Info) io.Reader {
	if in.Encoding == GB18030 {
		body = transform.NewReader(body, simplifiedchinese.GB18030.NewDecoder())
	}
	if in.BOM {
		body = &skip{r: body, n: 3}
	}
	if in.CROnly {
		body = crReader{body}
	}
	return body
}

type skip struct {
	r io.Reader
	n int
}

func (s *skip) Read(p []byte) (int, error) {
	for s.n > 0 {
		k, err := io.ReadFull(s.r, make([]byte, s.n))
		s.n -= k
		if err != nil {
			return 0, err
		}
	}
	return s.r.Read(p)
}

type crReader struct{ r io.Reader }

func (c crReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// delimiter chooses the one by which most of the first rows fall into as many
// cells as the first row.
func delimiter(head []byte) string {
	best, bestScore := ",", 0
	for _, d := range []byte{',', '\t', ';', '|'} {
		c := newCSV(bytes.NewReader(head), d)
		want, same, rows := 0, 0, 0
		for rows < 100 {
			row, err := c.next()
			if err != nil {
				break
			}
			if rows == 0 {
				want = len(row.Cells)
			}
			rows++
			if len(row.Cells) == want {
				same++
			}
		}
		if want < 2 || rows == 0 {
			continue
		}
		// how many agree counts first, then how many columns it makes
		if score := same*1000/rows*1000 + min(want, 999); score > bestScore {
			best, bestScore = string(d), score
		}
	}
	return best
}

// sampleText reads header and first rows of a text.
func (in *Info) sampleText(src Source) error {
	r, body, err := openText(src)
	if err != nil {
		return err
	}
	defer r.Close()
	c := newCSV(decode(body, *in), in.Delimiter[0])
	c.strict = in.Encoding == GB18030
	r.rows = c
	return in.sample(r)
}

// headerSearch is how many rows are looked at for the header: reports often
// begin with a title and a date above it.
const headerSearch = 10

// sample finds the header and keeps the first rows behind it.
func (in *Info) sample(r *Reader) error {
	var first []Row
	for len(first) < headerSearch {
		row, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		first = append(first, row)
	}
	if len(first) == 0 {
		return errs.New(errs.Invalid, "import.file_empty")
	}
	at := headerRow(first)
	if err := first[at].Err; err != nil {
		return errs.New(errs.Invalid, "import.bad_header").Wrap(err)
	}
	in.HeaderLine = first[at].Line
	in.Columns = header(first[at].Cells)
	if len(in.Columns) > MaxColumns {
		return errs.New(errs.Invalid, "import.too_many_columns", "limit", MaxColumns)
	}
	return in.take(r, first[at+1:])
}

// headerRow passes over leading rows with a single filled cell when a wide row follows.
func headerRow(rows []Row) int {
	for i, row := range rows {
		if filled(row.Cells) != 1 {
			return i
		}
		wide := false
		for _, later := range rows[i+1:] {
			wide = wide || filled(later.Cells) >= 3
		}
		if !wide {
			return i
		}
	}
	return 0
}

func filled(cells []string) int {
	n := 0
	for _, c := range cells {
		if clean(c) != "" {
			n++
		}
	}
	return n
}

// take keeps the first rows, of which some are read already.
func (in *Info) take(r *Reader, rows []Row) error {
	in.Sample = rows
	for size := 0; len(in.Sample) < sampleRows && size < 8<<20; {
		row, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if len(in.Sample) > 0 { // a broken tail is found again, and told, when it is reached
				break
			}
			return err
		}
		for _, cell := range row.Cells {
			size += len(cell)
		}
		in.Sample = append(in.Sample, row)
	}
	if len(in.Sample) == 0 {
		return errs.New(errs.Invalid, "import.no_rows")
	}
	return nil
}
