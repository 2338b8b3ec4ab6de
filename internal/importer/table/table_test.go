package table_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/errs"
)

func source(name string, body []byte) table.Source {
	return table.Source{Name: name, Size: int64(len(body)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }}
}

// read gives the columns and then every row as `line: cell|cell`, or its error's code.
func read(t *testing.T, src table.Source, sheet string) (table.Info, []string, error) {
	t.Helper()
	in, err := table.Sniff(src, sheet)
	if err != nil {
		return in, nil, err
	}
	r, err := table.Open(src, in)
	require.NoError(t, err)
	defer r.Close()
	out := []string{strings.Join(in.Columns, "|")}
	for {
		row, err := r.Next()
		if err == io.EOF {
			require.Equal(t, src.Size, r.BytesRead())
			return in, out, nil
		}
		if err != nil {
			return in, out, err
		}
		if row.Err != nil {
			out = append(out, fmt.Sprintf("%d: %s", row.Line, row.Err.Code))
			continue
		}
		out = append(out, fmt.Sprintf("%d: %s", row.Line, strings.Join(row.Cells, "|")))
	}
}

func gz(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func gb(t *testing.T, s string) []byte {
	t.Helper()
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	require.NoError(t, err)
	return b
}

func TestText(t *testing.T) {
	long := strings.Repeat("x", table.MaxRow+10)
	tests := []struct {
		name string
		body string
		want []string
	}{
		{"plain", "a,b\n1,2\n3,4\n", []string{"a|b", "2: 1|2", "3: 3|4"}},
		{"no last line end", "a,b\n1,2", []string{"a|b", "2: 1|2"}},
		{"windows line ends", "a,b\r\n1,2\r\n\"3\",4\r\n", []string{"a|b", "2: 1|2", "3: 3|4"}},
		{"old mac line ends", "a,b\r1,2\r3,4\r", []string{"a|b", "2: 1|2", "3: 3|4"}},
		{"byte order mark", "\xEF\xBB\xBF姓名,手机号\n张三,1\n", []string{"姓名|手机号", "2: 张三|1"}},
		{"semicolons", "a;b;c\n1,5;2;3\n", []string{"a|b|c", "2: 1,5|2|3"}},
		{"tabs", "a\tb\n1,2\t3\n", []string{"a|b", "2: 1,2|3"}},
		{"pipes", "a|b|c\n1|2|3\n", []string{"a|b|c", "2: 1|2|3"}},
		{"one column", "phone\n1\n2\n", []string{"phone", "2: 1", "3: 2"}},
		{"quoted delimiter, quote and line break", "a,b\n\"x,\"\"y\"\"\",\"line\nbreak\"\nlast,2\n", []string{"a|b", "2: x,\"y\"|line\nbreak", "4: last|2"}},
		{"quote in the middle stands for itself", "a,b\n5\" nail,x\n=\"001\",y\n", []string{"a|b", "2: 5\" nail|x", "3: =\"001\"|y"}},
		{"quote not followed by a delimiter", "a,b\n\"x\"y\",2\n", []string{"a|b", "2: x\"y|2"}},
		{"quote without end", "a,b\n\"open,1\n2,3\n4,5\n", []string{"a|b", "2: import.open_quote", "3: 2|3", "4: 4|5"}},
		{"quote without end in the last line", "a,b\n1,2\n3,\"x", []string{"a|b", "2: 1|2", "3: import.open_quote"}},
		{"ragged", "a,b,c\n1\n1,2,3,4\n", []string{"a|b|c", "2: 1", "3: 1|2|3|4"}},
		{"blank lines and rows", "\n\na,b\n\n1,2\n,\n  , \n3,4\n\n", []string{"a|b", "5: 1|2", "8: 3|4"}},
		{"header trimmed, empty and twice", " a ,,a,b\tb,a,,\n1,2,3,4,5\n", []string{"a|#2|a (2)|b b|a (3)", "2: 1|2|3|4|5"}},
		{"title above the header", "订单报表\n2024-03-05\n单号,金额,时间\nA1,5,x\n", []string{"单号|金额|时间", "4: A1|5|x"}},
		{"NUL byte", "a,b\n1\x00,2\n3,4\n", []string{"a|b", "2: import.nul_byte", "3: 3|4"}},
		{"a broken character is one row's fault", "名,b\n\xff\xfe张,2\n李,4\n" + strings.Repeat("王五赵六,1\n", 3),
			[]string{"名|b", "2: import.bad_encoding", "3: 李|4", "4: 王五赵六|1", "5: 王五赵六|1", "6: 王五赵六|1"}},
		{"row too long", "a,b\n" + long + ",1\n2,3\n", []string{"a|b", "2: import.row_too_long", "3: 2|3"}},
		{"long quote without end", "a,b\n\"" + long + "\n2,3\n", []string{"a|b", "2: import.row_too_long", "3: 2|3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, got, err := read(t, source("f.csv", []byte(tt.body)), "")
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, table.UTF8, in.Encoding)
			in, got, err = read(t, source("f.csv.gz", gz(t, []byte(tt.body))), "")
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.True(t, in.Compressed)
		})
	}
}

func TestQuotesWithoutEndStayLinear(t *testing.T) {
	var b strings.Builder
	b.WriteString("a,b\n")
	for i := range 20000 { // each quote runs to the end of the file
		fmt.Fprintf(&b, "\"%dx\"y,%d\n", i, i)
	}
	began := time.Now()
	_, got, err := read(t, source("f.csv", []byte(b.String())), "")
	require.NoError(t, err)
	require.Len(t, got, 20001)
	require.Less(t, time.Since(began), 5*time.Second)
}

func TestGB18030(t *testing.T) {
	text := "姓名,城市\n张三,北京\n李四,\"上,海\"\n"
	in, got, err := read(t, source("客户.csv", gb(t, text)), "")
	require.NoError(t, err)
	require.Equal(t, table.GB18030, in.Encoding)
	require.Equal(t, []string{"姓名|城市", "2: 张三|北京", "3: 李四|上,海"}, got)

	// The first Chinese letter may come late.
	late := "name,city\n" + strings.Repeat("somebody,somewhere\n", 80000) + "张三,北京\n"
	in, got, err = read(t, source("f.csv.gz", gz(t, gb(t, late))), "")
	require.NoError(t, err)
	require.Equal(t, table.GB18030, in.Encoding)
	require.Equal(t, "80002: 张三|北京", got[len(got)-1])

	broken := append(gb(t, "姓名,城市\n"+strings.Repeat("张三,北京\n", 50)), []byte("\x81,x\n")...)
	_, got, err = read(t, source("f.csv", broken), "")
	require.NoError(t, err)
	require.Equal(t, "52: import.bad_encoding", got[len(got)-1])
}

func TestFilesThatAreNoTable(t *testing.T) {
	for want, src := range map[string]table.Source{
		"import.file_empty":  source("f.csv", nil),
		"import.no_rows":     source("f.csv", []byte("a,b\n\n")),
		"import.old_excel":   source("f.xls", []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}),
		"import.not_excel":   source("f.xlsx", []byte("a,b\n1,2\n")),
		"import.utf16":       source("f.csv", []byte("\xFF\xFEa\x00,\x00")),
		"import.not_text":    source("f.csv", bytes.Repeat([]byte{0, 1, 2, 3, 'a', '\n'}, 100)),
		"import.broken_gzip": source("f.csv.gz", gz(t, []byte("a,b\n1,2\n"))[:20]),
		"import.bad_header":  source("f.csv", []byte("a\x00,b\n1,2\n")),
	} {
		_, _, err := read(t, src, "")
		require.Equal(t, want, errs.CodeOf(err), "%s: %v", want, err)
	}
	_, _, err := read(t, source("blank.csv", []byte("\n \n")), "")
	require.Equal(t, "import.file_empty", errs.CodeOf(err))
	_, _, err = read(t, source("zip.xlsx", []byte("PK\x03\x04 and nothing")), "")
	require.Equal(t, "import.not_excel", errs.CodeOf(err))
}

func TestBrokenGzipEndsTheReading(t *testing.T) {
	var b strings.Builder
	b.WriteString("名,b\n")
	for i := range 300000 {
		fmt.Fprintf(&b, "%d,%d\n", i*7919, i)
	}
	whole := gz(t, []byte(b.String()))
	_, rows, err := read(t, source("f.csv.gz", whole[:len(whole)-len(whole)/4]), "")
	require.Equal(t, "import.broken_gzip", errs.CodeOf(err))
	require.Greater(t, len(rows), 10000)
}

func workbook(t *testing.T, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var out bytes.Buffer
	require.NoError(t, f.Write(&out))
	return out.Bytes()
}

func TestWorkbook(t *testing.T) {
	at := time.Date(2024, 3, 5, 14, 2, 0, 0, time.UTC)
	body := workbook(t, func(f *excelize.File) {
		set := func(cell string, v any) { require.NoError(t, f.SetCellValue("Sheet1", cell, v)) }
		style := func(cell string, numFmt int, custom string) {
			st := &excelize.Style{NumFmt: numFmt}
			if custom != "" {
				st = &excelize.Style{CustomNumFmt: &custom}
			}
			id, err := f.NewStyle(st)
			require.NoError(t, err)
			require.NoError(t, f.SetCellStyle("Sheet1", cell, cell, id))
		}
		for i, h := range []string{"订单号", "下单时间", "日期", "手机号", "金额", "备注", "合计"} {
			set(string(rune('A'+i))+"1", h)
		}
		set("A2", "001")
		set("B2", at)
		style("B2", 22, "")
		set("C2", at.Truncate(24*time.Hour))
		style("C2", 0, `yyyy"年"m"月"d"日"`)
		set("D2", 13812345678)
		set("E2", 1234.5)
		style("E2", 0, `"¥"#,##0.00`)
		set("F2", "多行\n文字")
		require.NoError(t, f.SetCellFormula("Sheet1", "G2", "E2*2"))
		set("G2", 2469.0)
		set("A4", "22E3")
		set("D4", 621412345678901234.0)
		set("E4", 0.1+0.2)
		require.NoError(t, f.SetCellValue("Sheet1", "A5", "#N/A"))
		_, err := f.NewSheet("空表")
		require.NoError(t, err)
		_, err = f.NewSheet("客户")
		require.NoError(t, err)
		require.NoError(t, f.SetSheetRow("客户", "A1", &[]any{"姓名", "手机号"}))
		require.NoError(t, f.SetSheetRow("客户", "A2", &[]any{"张三", "1"}))
	})
	in, got, err := read(t, source("f.xlsx", body), "")
	require.NoError(t, err)
	require.Equal(t, []string{"Sheet1", "空表", "客户"}, in.Sheets)
	require.Equal(t, "Sheet1", in.Sheet)
	require.Equal(t, []int{1, 2}, in.DateColumns)
	require.Equal(t, []string{"订单号|下单时间|日期|手机号|金额|备注|合计",
		"2: 001|2024-03-05 14:02:00|2024-03-05|13812345678|1234.5|多行\n文字|2469",
		"4: 22E3|||621412345678901200|0.3",
		"5: import.excel_error"}, got)

	_, got, err = read(t, source("f.xlsx", body), "客户")
	require.NoError(t, err)
	require.Equal(t, []string{"姓名|手机号", "2: 张三|1"}, got)

	_, _, err = read(t, source("f.xlsx", body), "nope")
	require.Equal(t, "import.no_sheet", errs.CodeOf(err))
	_, _, err = read(t, source("f.xlsx", body), "空表")
	require.Equal(t, "import.file_empty", errs.CodeOf(err))
}

// What a well-behaved program writes is read back as it was, whatever is in the cells.
func FuzzWrittenRowsComeBack(f *testing.F) {
	f.Add("a", "b", "c\"d", "e\nf", ',')
	f.Add("", " ", "\"", "\r\n", ';')
	f.Add("张三", "x\ty", ",", "\"\"\"", '\t')
	f.Fuzz(func(t *testing.T, a, b, c, d string, delim rune) {
		if delim != ',' && delim != ';' && delim != '\t' && delim != '|' {
			return
		}
		for _, s := range []string{a, b, c, d} {
			if strings.ContainsAny(s, "\x00\r") || strings.ToValidUTF8(s, "?") != s || len(s) > 1000 {
				return
			}
		}
		rows := [][]string{{"x" + a, b, c, d}, {d, c, b, a + "y"}, {"end", "", "", ""}}
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		w.Comma = delim
		require.NoError(t, w.Write([]string{"h1", "h2", "h3", "h4"}))
		require.NoError(t, w.WriteAll(rows))
		got := readWith(t, out.Bytes(), string(delim))
		require.Len(t, got, 4, out.String())
		for i, want := range rows {
			require.Nil(t, got[i+1].Err)
			require.Equal(t, want, got[i+1].Cells, out.String())
		}
	})
}

// Any bytes end: no panic, no row without line, lines never go back.
func FuzzAnyBytes(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"), ",")
	f.Add([]byte("a,b\n\"1,2\n\"\"\n3"), ",")
	f.Add([]byte("\"\r\n\r\"\r\n"), ";")
	f.Add([]byte("a\tb\r\n\x00\t\xff"), "\t")
	f.Fuzz(func(t *testing.T, body []byte, delim string) {
		if len(delim) != 1 || strings.ContainsAny(delim, "\"\r\n\x00") {
			return
		}
		last := int64(0)
		for _, row := range readWith(t, body, delim) {
			require.Greater(t, row.Line, last)
			require.NotEmpty(t, row.Line)
			last = row.Line
		}
		_, _ = table.Sniff(source("f.csv", body), "") // may refuse, must return
	})
}

func readWith(t *testing.T, body []byte, delim string) []table.Row {
	t.Helper()
	r, err := table.Open(source("f.csv", body), table.Info{Format: table.CSV, Encoding: table.UTF8, Delimiter: delim, HeaderLine: 0})
	if errs.CodeOf(err) == "import.broken_gzip" {
		return nil
	}
	require.NoError(t, err)
	defer r.Close()
	var rows []table.Row
	for {
		row, err := r.Next()
		if err != nil {
			return rows
		}
		rows = append(rows, row)
	}
}

// A workbook of a few kilobytes may hold, or only claim, more than fits.
func TestWorkbookThatUnpacksTooLarge(t *testing.T) {
	pack := func(fill func(z *zip.Writer)) table.Source {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		fill(z)
		require.NoError(t, z.Close())
		return source("a.xlsx", b.Bytes())
	}
	claim := func(z *zip.Writer, name string, size uint64) {
		_, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, UncompressedSize64: size})
		require.NoError(t, err)
	}
	for what, src := range map[string]table.Source{
		"one claims more than there is": pack(func(z *zip.Writer) { claim(z, "xl/worksheets/sheet1.xml", 1<<63+1) }),
		"a picture too large":           pack(func(z *zip.Writer) { claim(z, "xl/media/image1.png", 1<<30) }),
		"styles too large":              pack(func(z *zip.Writer) { claim(z, `xl\styles.xml`, 100<<20) }),
		"all together": pack(func(z *zip.Writer) {
			for i := range 40 {
				claim(z, fmt.Sprintf("xl/worksheets/sheet%d.xml", i), 16<<20)
			}
		}),
		"too many": pack(func(z *zip.Writer) {
			for i := range 10_001 {
				claim(z, fmt.Sprint("x", i), 0)
			}
		}),
	} {
		_, err := table.Sniff(src, "")
		require.Equal(t, "import.excel_too_large", errs.CodeOf(err), what)
	}
}
