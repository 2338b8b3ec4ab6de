package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Cell is a value of a file: a text, or a number that spreadsheets calculate with.
type Cell struct {
	text   string
	number *float64
}

// Text is a cell that holds a text.
func Text(s string) Cell { return Cell{text: s} }

// Number is a cell that holds a number.
func Number(f float64) Cell { return Cell{number: &f} }

// Writer writes rows into a file. Close ends the file but not what it is written to.
type Writer interface {
	Row(cells []Cell) error
	Close() error
}

// Encoding of a CSV file.
type Encoding string

// The encodings. Excel takes a CSV without a byte order mark for the machine's
// old code page, which in China is GB18030.
const (
	UTF8Mark Encoding = "utf8bom"
	UTF8     Encoding = "utf8"
	GB18030  Encoding = "gb18030"
)

type csvFile struct {
	w     *csv.Writer
	coded io.Closer
}

// NewCSV begins a CSV file. Texts that a spreadsheet would run as a formula get
// an apostrophe in front.
func NewCSV(to io.Writer, enc Encoding, head []string) (Writer, error) {
	f := &csvFile{}
	switch enc {
	case GB18030:
		coded := simplifiedchinese.GB18030.NewEncoder().Writer(to) // holds all of Unicode
		if c, ok := coded.(io.Closer); ok {
			f.coded = c
		}
		to = coded
	case UTF8Mark:
		if _, err := io.WriteString(to, "\xEF\xBB\xBF"); err != nil {
			return nil, fmt.Errorf("begin the file: %w", err)
		}
	}
	f.w = csv.NewWriter(to)
	return f, f.Row(texts(head))
}

func texts(list []string) []Cell {
	out := make([]Cell, len(list))
	for i, s := range list {
		out[i] = Text(s)
	}
	return out
}

func (f *csvFile) Row(cells []Cell) error {
	row := make([]string, len(cells))
	for i, c := range cells {
		if c.number != nil {
			row[i] = strconv.FormatFloat(*c.number, 'f', -1, 64)
		} else {
			row[i] = Harmless(c.text, plainNumber.MatchString)
		}
	}
	return f.w.Write(row)
}

func (f *csvFile) Close() error {
	f.w.Flush()
	if err := f.w.Error(); err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	if f.coded != nil {
		return f.coded.Close()
	}
	return nil
}

// plainNumber is a number or phone number, whose sign begins no formula.
var plainNumber = regexp.MustCompile(`^[+-][0-9][0-9 .,]*$`)

// Harmless makes a text safe for a CSV that a spreadsheet opens: valid, and not
// a formula (a leading = or @, or + or - before anything but a number, which
// plain tells; spreadsheets in East Asian languages take the full-width signs
// for them).
func Harmless(s string, plain func(string) bool) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
	if first, _ := utf8.DecodeRuneInString(s); s == "" || !strings.ContainsRune("=@+-＝＠＋－\t\r\n", first) {
		return s
	}
	if s[0] == '=' && strings.HasPrefix(s, `="`) && strings.Count(s, `"`) == 2 && strings.HasSuffix(s, `"`) { // ="00123", as shops write
		return s
	}
	if plain != nil && plain(s) {
		return s
	}
	return "'" + s
}

// SheetRows is how many rows a sheet of a workbook can hold.
const SheetRows = excelize.TotalRows

// workbook keeps its rows in temporary files, as the library does beyond 16 MB.
type workbook struct {
	to     io.Writer
	f      *excelize.File
	sheet  *excelize.StreamWriter
	most   int
	name   string
	head   []string
	sheets int
	line   int
}

// NewWorkbook begins an Excel file with sheets of at most rows rows each, heads
// among them; 0 is what the format allows. Texts are texts there: no formula runs.
func NewWorkbook(to io.Writer, name string, head []string, rows int) (Writer, error) {
	if rows <= 1 {
		rows = SheetRows
	}
	b := &workbook{to: to, f: excelize.NewFile(), most: rows, name: name, head: head}
	return b, b.next()
}

// next begins a sheet.
func (b *workbook) next() error {
	if b.sheet != nil {
		if err := b.sheet.Flush(); err != nil {
			return fmt.Errorf("write the sheet: %w", err)
		}
	}
	b.sheets++
	name, err := b.name, error(nil)
	if b.sheets > 1 {
		name += " " + strconv.Itoa(b.sheets)
		_, err = b.f.NewSheet(name)
	} else {
		err = b.f.SetSheetName("Sheet1", name)
	}
	if err == nil {
		b.sheet, err = b.f.NewStreamWriter(name)
	}
	if err == nil {
		err = b.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	}
	if err != nil {
		return fmt.Errorf("begin a sheet: %w", err)
	}
	b.line = 0
	return b.write(texts(b.head))
}

func (b *workbook) Row(cells []Cell) error {
	if b.line >= b.most {
		if err := b.next(); err != nil {
			return err
		}
	}
	return b.write(cells)
}

func (b *workbook) write(cells []Cell) error {
	b.line++
	values := make([]any, len(cells))
	for i, c := range cells {
		if c.number != nil {
			values[i] = *c.number
		} else if c.text != "" {
			values[i] = strings.ReplaceAll(strings.ToValidUTF8(c.text, "�"), "\x00", "�")
		}
	}
	at, err := excelize.CoordinatesToCellName(1, b.line)
	if err == nil {
		err = b.sheet.SetRow(at, values)
	}
	if err != nil {
		return fmt.Errorf("write row %d: %w", b.line, err)
	}
	return nil
}

func (b *workbook) Close() error {
	if err := b.sheet.Flush(); err != nil {
		return fmt.Errorf("write the sheet: %w", err)
	}
	if _, err := b.f.WriteTo(b.to); err != nil {
		return fmt.Errorf("write the workbook: %w", err)
	}
	if err := b.f.Close(); err != nil {
		return fmt.Errorf("close the workbook: %w", err)
	}
	return nil
}
