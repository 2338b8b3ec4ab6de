package importer

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/sheet"
)

// RejectsName is what the file of an import's rejected rows is called.
func RejectsName(i Import) string {
	base := strings.TrimSuffix(i.File, ".gz")
	return strings.TrimSuffix(base, filepath.Ext(base)) + "-rejected.csv"
}

// WriteRejects writes an import's rejected rows as CSV (UTF-8 with byte order
// mark, for spreadsheets): the line, the columns as they were, the reasons in
// words. Corrected and with the first and last column left out of the mapping,
// it can be imported as it is.
func (s *Service) WriteRejects(ctx context.Context, to io.Writer, imp Import, lang i18n.Lang) error {
	if _, err := io.WriteString(to, "\xEF\xBB\xBF"); err != nil {
		return err
	}
	w := csv.NewWriter(to)
	say := func(code string, params map[string]any) string { return s.Catalogue.Translate(lang, code, params) }
	head := []string{say("import.rejects.line", nil)}
	for _, name := range imp.columns {
		head = append(head, harmless(name))
	}
	if err := w.Write(append(head, say("import.rejects.reason", nil))); err != nil {
		return err
	}
	err := s.eachReject(ctx, imp.ID, func(r Rejected) error {
		row := make([]string, 0, len(imp.columns)+2)
		row = append(row, strconv.FormatInt(r.Line, 10))
		for i := range max(len(imp.columns), len(r.Cells)) {
			cell := ""
			if i < len(r.Cells) {
				cell = harmless(r.Cells[i])
			}
			row = append(row, cell)
		}
		why := make([]string, len(r.Errors))
		for i, e := range r.Errors {
			why[i] = harmless(describe(e, say))
		}
		return w.Write(append(row, strings.Join(why, "; ")))
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// harmless makes a text safe for a CSV that a spreadsheet opens. What this
// package reads as a number or phone number is no formula.
func harmless(s string) string {
	return sheet.Harmless(s, func(s string) bool {
		_, _, code := parseNumber(s)
		return code == "" || looksPhone(s)
	})
}

// describe says one fault: the column, what is wrong, the value.
func describe(e CellError, say func(code string, params map[string]any) string) string {
	text := say(e.Code, e.Params)
	if e.Column != "" {
		text = e.Column + ": " + text
	}
	if e.Value != "" {
		text += fmt.Sprintf(" [%s]", e.Value)
	}
	return text
}
