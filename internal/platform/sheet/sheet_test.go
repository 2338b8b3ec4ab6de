package sheet_test

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/koipond/koipond/internal/platform/sheet"
)

var cells = []sheet.Cell{sheet.Text("=1+1"), sheet.Text("欧阳锋, 西毒"), sheet.Number(12.5), sheet.Text("+8613800138000"), sheet.Text("-2+3"), sheet.Text("")}

func TestCSVInEveryEncoding(t *testing.T) {
	for enc, decode := range map[sheet.Encoding]func(io.Reader) io.Reader{
		sheet.UTF8:    func(r io.Reader) io.Reader { return r },
		sheet.GB18030: func(r io.Reader) io.Reader { return simplifiedchinese.GB18030.NewDecoder().Reader(r) },
		sheet.UTF8Mark: func(r io.Reader) io.Reader {
			mark := make([]byte, 3)
			_, err := io.ReadFull(r, mark)
			require.NoError(t, err)
			require.Equal(t, "\xEF\xBB\xBF", string(mark))
			return r
		},
	} {
		var b bytes.Buffer
		w, err := sheet.NewCSV(&b, enc, []string{"甲", "乙", "c", "d", "e", "f"})
		require.NoError(t, err)
		require.NoError(t, w.Row(cells))
		require.NoError(t, w.Close())
		rows, err := csv.NewReader(decode(&b)).ReadAll()
		require.NoError(t, err)
		require.Equal(t, [][]string{{"甲", "乙", "c", "d", "e", "f"}, {"'=1+1", "欧阳锋, 西毒", "12.5", "+8613800138000", "'-2+3", ""}}, rows, enc)
	}
}

func TestWorkbookGoesOnInAnotherSheet(t *testing.T) {
	var b bytes.Buffer
	w, err := sheet.NewWorkbook(&b, "客户", []string{"甲", "乙"}, 3)
	require.NoError(t, err)
	for range 5 {
		require.NoError(t, w.Row(cells[:3]))
	}
	require.NoError(t, w.Close())
	f, err := excelize.OpenReader(&b)
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, []string{"客户", "客户 2", "客户 3"}, f.GetSheetList())
	for name, n := range map[string]int{"客户": 3, "客户 2": 3, "客户 3": 2} {
		rows, err := f.GetRows(name)
		require.NoError(t, err)
		require.Len(t, rows, n)
		require.Equal(t, []string{"甲", "乙"}, rows[0], "every sheet has the head")
		require.Equal(t, []string{"=1+1", "欧阳锋, 西毒", "12.5"}, rows[1])
	}
	formula, err := f.GetCellFormula("客户", "A2")
	require.NoError(t, err)
	require.Empty(t, formula, "a text is a text")
}

func TestHarmless(t *testing.T) {
	digits := func(s string) bool { return strings.Trim(s, "+-0123456789") == "" }
	for in, want := range map[string]string{
		"": "", "plain": "plain", "=A1": "'=A1", "@x": "'@x", "+1": "+1", "-1": "-1", "-x": "'-x", "＝A1": "'＝A1", "\tx": "'\tx", `="00123"`: `="00123"`, "a\x00b\xff": "a�b�",
	} {
		require.Equal(t, want, sheet.Harmless(in, digits), in)
	}
}
