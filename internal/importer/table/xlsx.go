package table

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	partInMemory  = 16 << 20 // rows and texts beyond it go through temporary files
	dateSample    = 200
	excelExactInt = 15 // digits that a cell's number keeps
)

// workbook reads one sheet row by row. Numbers come as they are stored, not as
// they are shown: shown, a long number may be `1.38E+10`, and a date depends
// on the reader's country.
type workbook struct {
	rows  *excelize.Rows
	line  int64
	dates []bool
	d1904 bool
	size  int64
	count *counter
}

func openFile(src Source) (*excelize.File, error) {
	if src.Size > maxWorkbook {
		return nil, errs.New(errs.TooLarge, "import.excel_too_large", "limit", maxWorkbook>>20)
	}
	if err := checkWorkbook(src); err != nil {
		return nil, err
	}
	f, err := src.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", src.Name, err)
	}
	defer f.Close()
	x, err := excelize.OpenReader(io.LimitReader(f, maxWorkbook+1), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: partInMemory,
		ShortDatePattern: "yyyy-mm-dd", LongDatePattern: "yyyy-mm-dd", LongTimePattern: "hh:mm:ss"})
	if err != nil {
		return nil, errs.New(errs.Invalid, "import.not_excel").Wrap(err)
	}
	return x, nil
}

func openWorkbook(src Source, in Info) (*Reader, error) {
	x, err := openFile(src)
	if err != nil {
		return nil, err
	}
	w, err := newWorkbook(x, in)
	if err != nil {
		_ = x.Close() // the error below says why
		return nil, err
	}
	w.size = src.Size
	r := &Reader{rows: w, count: w.count, close: []io.Closer{x, w.rows}}
	for w.line < in.HeaderLine {
		if _, err := w.next(); err != nil {
			if err == io.EOF {
				return r, nil
			}
			_ = r.Close() // the error below says why
			return nil, err
		}
	}
	return r, nil
}

func newWorkbook(x *excelize.File, in Info) (*workbook, error) {
	rows, err := x.Rows(in.Sheet)
	if err != nil {
		return nil, errs.New(errs.Invalid, "import.no_sheet", "sheet", in.Sheet).Wrap(err)
	}
	w := &workbook{rows: rows, d1904: in.Date1904, count: &counter{}}
	for _, c := range in.DateColumns {
		for len(w.dates) <= c {
			w.dates = append(w.dates, false)
		}
		w.dates[c] = true
	}
	return w, nil
}

func (w *workbook) next() (Row, error) {
	if !w.rows.Next() {
		w.count.n = w.size
		if err := w.rows.Error(); err != nil {
			return Row{}, errs.New(errs.Invalid, "import.broken_excel").Wrap(err)
		}
		return Row{}, io.EOF
	}
	w.line++
	cells, err := w.rows.Columns()
	if err != nil {
		return Row{}, errs.New(errs.Invalid, "import.broken_excel").Wrap(err)
	}
	row := Row{Line: w.line, Cells: cells}
	for i, c := range cells {
		switch {
		case c == "":
		case i < len(w.dates) && w.dates[i]:
			cells[i] = dateText(c, w.d1904)
		default:
			cells[i] = numberText(c)
		}
		if excelErrors[c] {
			row.Err = errs.New(errs.Invalid, "import.excel_error", "value", c)
		}
	}
	return row, nil
}

var excelErrors = map[string]bool{"#N/A": true, "#REF!": true, "#VALUE!": true, "#DIV/0!": true, "#NAME?": true, "#NULL!": true, "#NUM!": true}

// stored is scientific notation as a workbook stores it; `22E3` may be a code somebody typed.
var stored = regexp.MustCompile(`^-?\d\.\d+[eE][+-]?\d+$`)

var decimalText = regexp.MustCompile(`^-?\d+(\.\d+)?([eE][+-]?\d+)?$`)

// dateText writes a serial number as a date; anything else stays.
func dateText(c string, d1904 bool) string {
	if !decimalText.MatchString(c) {
		return c
	}
	serial, err := strconv.ParseFloat(c, 64)
	if err != nil || serial < 0 || serial >= 2958466 { // year 10000
		return c
	}
	t, err := excelize.ExcelDateToTime(serial, d1904)
	if err != nil {
		return c
	}
	if serial == float64(int64(serial)) {
		return t.Format("2006-01-02")
	}
	return t.Format("2006-01-02 15:04:05")
}

// numberText writes a stored number as a person would: 0.1+0.2 is stored as
// 0.30000000000000004, and 13812345678 sometimes as 1.3812345678E10. A number
// with more digits than a cell keeps stays in scientific notation, so that an
// identifier that has lost digits is noticed.
func numberText(c string) string {
	long := len(c) > 16 && strings.IndexByte(c, '.') >= 0
	if !long && !stored.MatchString(c) || !decimalText.MatchString(c) {
		return c
	}
	v, err := strconv.ParseFloat(c, 64)
	if err != nil {
		return c
	}
	s := strconv.FormatFloat(v, 'g', excelExactInt, 64)
	if v, err = strconv.ParseFloat(s, 64); err != nil || v >= 1e15 || v <= -1e15 {
		return c
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func sniffWorkbook(src Source, sheet string) (Info, error) {
	x, err := openFile(src)
	if err != nil {
		return Info{}, err
	}
	defer x.Close()
	in := Info{Format: XLSX, Encoding: UTF8, Sheets: x.GetSheetList(), Sheet: sheet}
	if p, err := x.GetWorkbookProps(); err == nil && p.Date1904 != nil {
		in.Date1904 = *p.Date1904
	}
	if sheet != "" && !slices.Contains(in.Sheets, sheet) {
		return Info{}, errs.New(errs.Invalid, "import.no_sheet", "sheet", sheet)
	}
	tries := in.Sheets
	if sheet != "" {
		tries = []string{sheet}
	}
	var last error = errs.New(errs.Invalid, "import.file_empty")
	for _, in.Sheet = range tries {
		if last = in.sampleSheet(x); last == nil {
			return in, nil
		}
		if code := errs.CodeOf(last); code != "import.file_empty" && code != "import.no_rows" {
			break
		}
	}
	return Info{}, last
}

func (in *Info) sampleSheet(x *excelize.File) error {
	if err := in.findDates(x); err != nil {
		return err
	}
	w, err := newWorkbook(x, *in)
	if err != nil {
		return err
	}
	r := &Reader{rows: w, count: w.count, close: []io.Closer{w.rows}}
	defer r.Close()
	return in.sample(r)
}

var looksDate = regexp.MustCompile(`\d\s*[-/年.]\s*(\d|[A-Za-z]{3})|\d:\d\d|[A-Z][a-z]{2}[- ]\d`)

// findDates compares the first rows as stored and as shown: a column whose
// numbers are shown as dates is a date column.
func (in *Info) findDates(x *excelize.File) error {
	raw, err := x.Rows(in.Sheet)
	if err != nil {
		return errs.New(errs.Invalid, "import.broken_excel").Wrap(err)
	}
	defer raw.Close()
	shown, err := x.Rows(in.Sheet)
	if err != nil {
		return errs.New(errs.Invalid, "import.broken_excel").Wrap(err)
	}
	defer shown.Close()
	dates, numbers := map[int]int{}, map[int]int{}
	for n := 0; n < dateSample && raw.Next() && shown.Next(); n++ {
		a, err := raw.Columns()
		if err != nil {
			return errs.New(errs.Invalid, "import.broken_excel").Wrap(err)
		}
		b, err := shown.Columns(excelize.Options{RawCellValue: false, ShortDatePattern: "yyyy-mm-dd", LongDatePattern: "yyyy-mm-dd", LongTimePattern: "hh:mm:ss"})
		if err != nil {
			return errs.New(errs.Invalid, "import.broken_excel").Wrap(err)
		}
		for i := range min(len(a), len(b)) {
			if !decimalText.MatchString(a[i]) {
				continue
			}
			numbers[i]++
			if a[i] != b[i] && !decimalText.MatchString(b[i]) && looksDate.MatchString(b[i]) {
				dates[i]++
			}
		}
	}
	in.DateColumns = nil
	for i, n := range dates {
		if n*2 > numbers[i] {
			in.DateColumns = append(in.DateColumns, i)
		}
	}
	slices.Sort(in.DateColumns)
	return nil
}
