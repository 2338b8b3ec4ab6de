package reply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/sheet"
)

// File is an uploaded file of keyword rules. Its columns are known by their names.
type File struct {
	Account  string `json:"account" minLength:"1" maxLength:"60"`
	UploadID string `json:"uploadId" maxLength:"60"`
	DryRun   bool   `json:"dryRun,omitempty" doc:"Only tells what it would do"`
}

// Rejected is a row of a file that cannot be used.
type Rejected struct {
	Line   int64  `json:"line"`
	Text   string `json:"text,omitempty"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// FileResult is what a file brought, or would bring.
type FileResult struct {
	Rows     int64      `json:"rows"`
	Good     int        `json:"good"`
	Rejected int64      `json:"rejected"`
	Rejects  []Rejected `json:"rejects" doc:"The first of them"`
	New      int        `json:"new" doc:"Of the good ones, rules that are new"`
	Changed  int        `json:"changed" doc:"Of the good ones, rules of the same name that get these words and this text"`
	Done     bool       `json:"done"`
}

// fileColumns are the columns of a file, and what people call them.
var fileColumns = []struct {
	key, head string // head: its code
	names     []string
}{
	{"name", "reply.csv_name", []string{"name", "rule", "名称", "规则", "规则名称"}},
	{"words", "reply.csv_words", []string{"words", "word", "keyword", "keywords", "关键词", "关键字"}},
	{"match", "reply.csv_match", []string{"match", "matching", "匹配", "匹配方式"}},
	{"text", "reply.csv_text", []string{"text", "answer", "reply", "回复", "回复内容", "内容"}},
	{"hours", "reply.csv_hours", []string{"everyhours", "every hours", "once in hours", "几小时一次", "间隔小时"}},
}

// matchCodes are the ways to match in words.
var matchCodes = map[string]string{Exact: "reply.csv_exact", Contains: "reply.csv_contains", Pattern: "reply.csv_regex"}

// matchWords are the ways to match as people write them.
var matchWords = map[string]string{"": Exact, "exact": Exact, "完全": Exact, "完全匹配": Exact, "精确": Exact, "contains": Contains, "包含": Contains, "模糊": Contains,
	"regex": Pattern, "regexp": Pattern, "正则": Pattern, "正则表达式": Pattern}

// Import takes keyword rules from a file: rows of one name and text are one rule, a
// rule that has the name already gets the words and the text, others are made. All of
// those that can be used are written, or none when one cannot be.
func (s *Service) Import(ctx context.Context, in File) (FileResult, error) {
	out := FileResult{Rejects: []Rejected{}}
	if _, err := s.checkAccount(ctx, in.Account); err != nil {
		return out, err
	}
	if in.UploadID == "" {
		return out, bad("uploadId", "request.field_required")
	}
	if err := s.fresh(ctx); err != nil {
		return out, err
	}
	file, err := s.Tables.OpenTable(ctx, in.UploadID)
	if err != nil {
		return out, err
	}
	list, err := s.readFile(ctx, file, in.Account, &out)
	if err = errors.Join(err, file.Close()); err != nil {
		return out, err
	}
	out.Good = len(list)
	have := map[string]*Rule{}
	for _, r := range s.book.Load().desk(in.Account).by[Keyword] {
		have[r.Name] = r
	}
	var fresh, changed []Definition
	var ids []string
	for _, d := range list {
		was := have[d.Name]
		if was == nil {
			fresh = append(fresh, d)
			continue
		}
		next := was.Definition
		next.Words, next.EveryHours = d.Words, d.EveryHours
		next.Contents = slices.Clone(was.Contents)
		if i := slices.IndexFunc(next.Contents, func(c Content) bool { return c.Kind == PartText }); i >= 0 {
			next.Contents[i] = d.Contents[0]
		} else {
			next.Contents[0] = d.Contents[0]
		}
		changed, ids = append(changed, next), append(ids, was.ID)
	}
	out.New, out.Changed = len(fresh), len(changed)
	if in.DryRun || len(list) == 0 {
		return out, nil
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		for i := range changed {
			if _, err := s.Update(ctx, ids[i], changed[i]); err != nil {
				return err
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		return s.create(ctx, fresh, func(string) {})
	})
	out.Done = err == nil
	return out, err
}

func (s *Service) readFile(ctx context.Context, file *contact.Table, account string, out *FileResult) ([]Definition, error) {
	at := map[string]int{}
	for _, c := range fileColumns {
		at[c.key] = slices.IndexFunc(file.Columns, func(name string) bool {
			return slices.ContainsFunc(c.names, func(n string) bool { return strings.EqualFold(strings.TrimSpace(name), n) })
		})
	}
	for _, need := range []string{"words", "text"} {
		if at[need] < 0 {
			return nil, bad("uploadId", "reply.no_column", "column", need, "columns", strings.Join(file.Columns, ", "))
		}
	}
	var list []Definition
	seen := map[string]int{}
	for {
		line, row, err := file.Next()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read file of auto-replies: %w", err)
		}
		if out.Rows++; out.Rows > maxRows {
			return nil, errs.New(errs.Invalid, "reply.file_too_long", "limit", maxRows)
		}
		cell := func(key string) string {
			if i := at[key]; i >= 0 && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		d, code, params := fileRule(row != nil, cell)
		d.Account = account
		was, again := seen[d.Name]
		if again && code == "" {
			if list[was].Contents[0].Text != d.Contents[0].Text {
				code = "reply.row_name_twice"
			}
			d.Words = append(slices.Clone(list[was].Words), d.Words...)
		}
		if code == "" {
			if err := s.check(ctx, &d); err != nil {
				e := errs.As(err)
				if len(e.Fields) == 0 {
					return nil, err
				}
				code, params = e.Fields[0].Code, e.Fields[0].Params
			}
		}
		switch {
		case code != "":
			if out.Rejected++; len(out.Rejects) < 200 {
				out.Rejects = append(out.Rejects, Rejected{Line: line, Text: clip(cell("words"), 80), Code: code, Reason: httpx.Say(ctx, code, params)})
			}
		case again:
			list[was] = d
		default:
			seen[d.Name] = len(list)
			list = append(list, d)
		}
	}
}

// fileRule reads one row, or says in a code what is wrong with it.
func fileRule(readable bool, cell func(string) string) (d Definition, code string, params map[string]any) {
	d = Definition{Kind: Keyword, Name: cell("name"), Contents: []Content{{Kind: PartText, Text: cell("text")}}}
	if !readable {
		return d, "acquire.row_unreadable", nil
	}
	match, ok := matchWords[strings.ToLower(cell("match"))]
	if !ok {
		return d, "reply.row_bad_match", nil
	}
	words := []string{cell("words")} // a pattern may hold what parts words
	if match != Pattern {
		words = strings.FieldsFunc(cell("words"), func(r rune) bool { return strings.ContainsRune("|;；\n", r) })
	}
	for _, w := range words {
		if w = strings.TrimSpace(w); w != "" {
			d.Words = append(d.Words, Word{w, match})
		}
	}
	if d.Name == "" && len(d.Words) > 0 {
		d.Name = clip(d.Words[0].Text, maxName)
	}
	if h := cell("hours"); h != "" {
		n, err := strconv.Atoi(h)
		if err != nil {
			return d, "reply.row_bad_hours", nil
		}
		d.EveryHours = n
	}
	return d, "", nil
}

// Export writes the keyword rules of an account as a file that Import reads: a line
// for each way to match. Of a rule with several contents the first text goes along.
func (s *Service) Export(ctx context.Context, account string, to io.Writer) error {
	if _, err := s.checkAccount(ctx, account); err != nil {
		return err
	}
	if err := s.fresh(ctx); err != nil {
		return err
	}
	head := make([]string, len(fileColumns))
	for i, c := range fileColumns {
		head[i] = httpx.Say(ctx, c.head, nil)
	}
	w, err := sheet.NewCSV(to, sheet.UTF8Mark, head)
	if err != nil {
		return err
	}
	for _, r := range s.book.Load().desk(account).by[Keyword] {
		text := ""
		for _, c := range r.Contents {
			if c.Kind == PartText {
				text = c.Text
				break
			}
		}
		var lines [][2]string
		for _, match := range []string{Exact, Contains} {
			var words []string
			for _, x := range r.Words {
				if x.Match == match {
					words = append(words, x.Text)
				}
			}
			if len(words) > 0 {
				lines = append(lines, [2]string{match, strings.Join(words, "|")})
			}
		}
		for _, x := range r.Words {
			if x.Match == Pattern {
				lines = append(lines, [2]string{Pattern, x.Text})
			}
		}
		for _, l := range lines {
			cells := []sheet.Cell{sheet.Text(r.Name), sheet.Text(l[1]), sheet.Text(httpx.Say(ctx, matchCodes[l[0]], nil)), sheet.Text(text), sheet.Number(float64(r.EveryHours))}
			if err := w.Row(cells); err != nil {
				return err
			}
		}
	}
	return w.Close()
}
