package contact

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// TagFile is an uploaded file whose rows name people. Columns are named as in the file.
type TagFile struct {
	UploadID   string `json:"uploadId"`
	Name       string `json:"name,omitempty" readOnly:"true"`
	Column     string `json:"column" doc:"Column that names the person"`
	Kind       string `json:"kind,omitempty" enum:"auto,contact_id,phone,email,member_no,user_id" default:"auto" doc:"What the column holds; auto: looks at each value"`
	TagColumn  string `json:"tagColumn,omitempty" doc:"Column of tags to give, parted by commas or semicolons; group:tag chooses the group"`
	TimeColumn string `json:"timeColumn,omitempty" doc:"Column that says when the tag was given"`
	ByColumn   string `json:"byColumn,omitempty" doc:"Column that says who gave it"`
}

// Table is an uploaded file being read. Next gives the cells of the next row
// and its line, or io.EOF; a row that cannot be read has no cells.
type Table struct {
	Name    string
	Columns []string
	Next    func() (line int64, cells []string, err error)
	Close   func() error
}

// Tables opens uploaded files and reads points in time as people write them
// (package importer implements it). The one who asks must be allowed to see the file.
type Tables interface {
	OpenTable(ctx context.Context, uploadID string) (*Table, error)
	Time(ctx context.Context, text string) (ms int64, ok bool)
}

// previewRows is how many rows of a file a preview looks at.
const previewRows = 20_000

// fileBatch is how many rows of a file one transaction handles.
const fileBatch = 500

// Reasons why a row of a file cannot be used.
const (
	missingEmpty   = "contact.tag_row_empty"
	missingNobody  = "contact.tag_row_nobody"
	missingTwo     = "contact.tag_row_ambiguous"
	missingNoTags  = "contact.tag_row_no_tags"
	missingTime    = "contact.tag_row_bad_time"
	missingFaulty  = "contact.tag_row_faulty"
	missingBadTags = "contact.tag_row_bad_tags"
)

// checkFile looks at the columns of a file.
func (s *Service) checkFile(ctx context.Context, f *TagFile) error {
	if f.Kind == "" {
		f.Kind = "auto"
	}
	t, err := s.Tables.OpenTable(ctx, f.UploadID)
	if err != nil {
		return err
	}
	f.Name = t.Name
	var bad []errs.Field
	for _, c := range []struct{ path, name string }{{"file.column", f.Column}, {"file.tagColumn", f.TagColumn}, {"file.timeColumn", f.TimeColumn}, {"file.byColumn", f.ByColumn}} {
		if (c.name != "" || c.path == "file.column") && !slices.Contains(t.Columns, c.name) {
			bad = append(bad, errs.At(c.path, "contact.no_such_column", "column", c.name))
		}
	}
	if len(bad) > 0 {
		return errors.Join(errs.New(errs.Invalid, "request.invalid").On(bad...), t.Close())
	}
	return t.Close()
}

// fileRow is a row of a file: who is meant, and what to do.
type fileRow struct {
	line            int64
	value, tags, by string
	at              int64
	num             int64
	reason          string
}

// tagRows reads the next rows of a file.
func (s *Service) tagRows(ctx context.Context, t *Table, f *TagFile, limit int) ([]fileRow, error) {
	cell := func(cells []string, name string) string {
		i := slices.Index(t.Columns, name)
		if name == "" || i < 0 || i >= len(cells) {
			return ""
		}
		return strings.TrimSpace(cells[i])
	}
	var rows []fileRow
	for len(rows) < limit {
		line, cells, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read file: %w", err)
		}
		r := fileRow{line: line, value: cell(cells, f.Column), tags: cell(cells, f.TagColumn), by: clip(cleanName(cell(cells, f.ByColumn)), maxTagName)}
		switch when := cell(cells, f.TimeColumn); {
		case cells == nil:
			r.reason = missingFaulty
		case r.value == "":
			r.reason = missingEmpty
		case when != "":
			ms, ok := s.Tables.Time(ctx, when)
			if now := s.Clock.Now().UnixMilli(); !ok || ms > now {
				r.reason = missingTime
			}
			r.at = ms
		}
		rows = append(rows, r)
	}
	return rows, s.findPeople(ctx, rows, f.Kind)
}

// findPeople finds whom rows name, by contact id or by an identity.
func (s *Service) findPeople(ctx context.Context, rows []fileRow, kind string) error {
	kinds := []string{kind}
	if kind == "auto" {
		kinds = []string{"contact_id", KindEmail, KindPhone, KindMemberNo, KindUserID}
	}
	found := map[int][]int64{}
	rules, err := s.engine.rules(ctx)
	if err != nil {
		return err
	}
	w := newWorld(1)
	w.rules = rules
	for _, kind := range kinds {
		at := map[string][]int{}
		for i, r := range rows {
			if r.reason != "" || len(found[i]) > 0 {
				continue
			}
			if kind == "contact_id" {
				if strings.HasPrefix(r.value, "ct_") {
					at[r.value] = append(at[r.value], i)
				}
				continue
			}
			id, _ := s.engine.intern(w, &input{}, kind, r.value, s.Country)
			if id != nil {
				at[id.key.lookup] = append(at[id.key.lookup], i)
			}
		}
		query, fixed := "select id, num from contacts where id in (%s)", []any(nil)
		if kind != "contact_id" {
			query, fixed = "select lookup, contact from identities where kind = $1 and lookup in (%s)", []any{kind}
		}
		err := selectIn(ctx, s.DB, "find people of file", query, fixed, sortedKeys(at), func(r *sql.Rows) error {
			var key string
			var num int64
			err := r.Scan(&key, &num)
			for _, i := range at[key] {
				if !slices.Contains(found[i], num) {
					found[i] = append(found[i], num)
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	var nums []int64
	for _, n := range found {
		nums = append(nums, n...)
	}
	moved, err := s.Survivors(ctx, nums)
	if err != nil {
		return err
	}
	mine, err := s.InScope(ctx, nums)
	if err != nil {
		return err
	}
	slices.Sort(mine)
	for i := range rows {
		who := found[i]
		who = slices.DeleteFunc(who, func(n int64) bool { // out of scope is as if nobody had it
			_, seen := slices.BinarySearch(mine, n)
			return !seen
		})
		switch {
		case rows[i].reason != "":
		case len(who) == 0:
			rows[i].reason = missingNobody
		case len(who) > 1:
			rows[i].reason = missingTwo
		default:
			rows[i].num = who[0]
			if into, ok := moved[who[0]]; ok {
				rows[i].num = into
			}
		}
	}
	return nil
}

// splitTags reads a cell of tags into groups and names.
func splitTags(cell string) (out [][2]string) {
	for name := range strings.FieldsFuncSeq(cell, func(c rune) bool { return strings.ContainsRune(",，;；|、\n", c) }) {
		group, tag, ok := strings.Cut(strings.ReplaceAll(name, "：", ":"), ":")
		if !ok {
			group, tag = "", name
		}
		if tag = cleanName(tag); tag != "" {
			out = append(out, [2]string{cleanName(group), tag})
		}
	}
	return out
}

// previewFile counts what a file would change.
func (s *Service) previewFile(ctx context.Context, w TagWork, add, remove []tagInfo) (TagPreview, error) {
	p := TagPreview{Tags: []TagShare{}}
	t, err := s.Tables.OpenTable(ctx, w.File.UploadID)
	if err != nil {
		return p, err
	}
	defer t.Close()
	people := map[int64]bool{}
	tagged := map[int64]bool{} // named with tags in the file itself: taken to change
	for looked := 0; ; looked += fileBatch {
		if looked >= previewRows {
			p.Partly = true
			break
		}
		rows, err := s.tagRows(ctx, t, w.File, fileBatch)
		if err != nil {
			return p, err
		}
		for _, r := range rows {
			switch own := splitTags(r.tags); {
			case r.reason != "", w.File.TagColumn != "" && len(own) == 0 && len(add)+len(remove) == 0:
				p.Missing++
			default:
				people[r.num] = true
				if len(own) > 0 {
					tagged[r.num] = true
				}
			}
		}
		if len(rows) < fileBatch {
			break
		}
	}
	nums := sortedKeys(people)
	p.Total = int64(len(nums))
	has := map[int64]map[string]bool{}
	err = selectIn(ctx, s.DB, "read tags", "select contact, tag from contact_tags where contact in (%s)", nil, nums, func(r *sql.Rows) error {
		var num int64
		var tag string
		err := r.Scan(&num, &tag)
		if has[num] == nil {
			has[num] = map[string]bool{}
		}
		has[num][tag] = true
		return err
	})
	if err != nil {
		return p, err
	}
	changing := tagged
	for i, tag := range slices.Concat(add, remove) {
		sh := TagShare{Tag: tag.TagRef, Remove: i >= len(add)}
		for _, n := range nums {
			other := slices.ContainsFunc(tag.siblings, func(o string) bool { return has[n][o] })
			if has[n][tag.ID] {
				sh.Have++
			}
			if !sh.Remove && other {
				sh.Replaces++
			}
			if has[n][tag.ID] == sh.Remove || !sh.Remove && other {
				changing[n] = true
			}
		}
		p.Tags = append(p.Tags, sh)
	}
	p.Changing = int64(len(changing))
	return p, nil
}

// fileWork reads the file in batches, from where the run got to.
func (s *Service) fileWork(ctx context.Context, run TagRun) (work, int64, func(), error) {
	f := run.spec.File
	t, err := s.Tables.OpenTable(ctx, f.UploadID)
	if err != nil {
		return nil, 0, func() {}, err
	}
	names := map[[2]string]tagInfo{}
	var ahead []fileRow // read, but not done: the transaction may be tried again
	next := func(ctx context.Context, m *runMark) ([]tagChange, error) {
		for len(ahead) == 0 {
			rows, err := s.tagRows(ctx, t, f, fileBatch)
			if err != nil {
				return nil, err
			}
			if len(rows) == 0 {
				m.End = true
				return nil, nil
			}
			for _, r := range rows {
				if r.line > m.After { // else done before a crash
					ahead = append(ahead, r)
				}
			}
		}
		done, err := s.tagSome(ctx, run, ahead, names)
		if err != nil {
			return nil, err
		}
		m.After, m.Seen = ahead[len(ahead)-1].line, m.Seen+int64(len(ahead))
		s.DB.After(ctx, func() { ahead = nil })
		return done, nil
	}
	return next, 0, func() { _ = t.Close() }, nil // only read: nothing is lost
}

// tagSome gives and takes the tags that rows of a file ask for.
func (s *Service) tagSome(ctx context.Context, run TagRun, rows []fileRow, names map[[2]string]tagInfo) ([]tagChange, error) {
	add, err := s.runTags(ctx, run.spec.Add)
	if err != nil {
		return nil, err
	}
	remove, err := s.runTags(ctx, run.spec.Remove)
	if err != nil {
		return nil, err
	}
	type batch struct {
		tag tagInfo
		at  int64
		by  string
	}
	var order []string
	give := map[string]batch{}
	who := map[string][]int64{}
	last := map[int64]map[string]string{} // the last tag of an exclusive group that the batch gives a person
	for i := range rows {
		r := &rows[i]
		if r.reason != "" {
			continue
		}
		own, err := s.ownTags(ctx, r, names, run)
		if err != nil {
			return nil, err
		}
		if len(own)+len(add)+len(remove) == 0 {
			if r.reason == "" {
				r.reason = missingNoTags
			}
			continue
		}
		for _, t := range slices.Concat(add, own) {
			key := fmt.Sprintf("%s|%d|%s", t.ID, r.at, r.by)
			if t.exclusive {
				if last[r.num] == nil {
					last[r.num] = map[string]string{}
				}
				if was := last[r.num][t.group]; was != "" {
					who[was] = slices.DeleteFunc(who[was], func(n int64) bool { return n == r.num })
				}
				last[r.num][t.group] = key
			}
			if _, ok := give[key]; !ok {
				give[key] = batch{t, r.at, r.by}
				order = append(order, key)
			}
			who[key] = append(who[key], r.num)
		}
	}
	var done []tagChange
	for _, key := range order {
		b, nums := give[key], who[key]
		if len(nums) == 0 {
			continue
		}
		slices.Sort(nums)
		g := s.logged(run)
		if b.at > 0 {
			g.at = b.at
		}
		if b.by != "" {
			g.byID, g.byName = "", b.by
		}
		part, err := s.applyTags(ctx, slices.Compact(nums), []tagInfo{b.tag}, nil, g)
		if err != nil {
			return nil, err
		}
		done = append(done, part...)
	}
	if len(remove) > 0 {
		var nums []int64
		for _, r := range rows {
			if r.reason == "" {
				nums = append(nums, r.num)
			}
		}
		slices.Sort(nums)
		part, err := s.applyTags(ctx, slices.Compact(nums), nil, remove, s.logged(run))
		if err != nil {
			return nil, err
		}
		done = append(done, part...)
	}
	return done, s.keepMissing(ctx, run, rows)
}

// ownTags reads the tags that a row names, making them where they are new.
func (s *Service) ownTags(ctx context.Context, r *fileRow, names map[[2]string]tagInfo, run TagRun) ([]tagInfo, error) {
	var out []tagInfo
	for _, n := range splitTags(r.tags) {
		if n[0] == "" {
			n[0] = run.spec.File.TagColumn // a group named like the column
		}
		t, ok := names[n]
		if !ok {
			ref, err := s.EnsureTag(ctx, n[0], n[1])
			var e *errs.Error
			if errors.As(err, &e) && e.Kind == errs.Invalid {
				r.reason = missingBadTags
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			t = tagInfo{TagRef: ref}
		}
		infos, err := s.tagInfos(ctx, []string{t.ID}) // as it is now: it may be merged while the file is read
		if err != nil {
			return nil, err
		}
		if t, ok = infos[t.ID]; ok {
			names[n] = t
			out = append(out, t)
		}
	}
	return out, nil
}

func (s *Service) keepMissing(ctx context.Context, run TagRun, rows []fileRow) error {
	var missing []fileRow
	for _, r := range rows {
		if r.reason != "" {
			missing = append(missing, r)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := insertMany(ctx, s.DB, "tag_run_missing", columns("run line:n reason"), len(missing), func(i int) []any {
		return []any{run.ID, missing[i].line, missing[i].reason}
	}, "on conflict (run, line) do nothing")
	if err != nil {
		return err
	}
	if _, err := s.DB.Exec(ctx, "update tag_runs set missing = missing + $1 where id = $2", len(missing), run.ID); err != nil {
		return fmt.Errorf("count rows that could not be used: %w", err)
	}
	return nil
}

// WriteMissing writes the rows of a run's file that could not be used as CSV,
// with the reason in the caller's words. It reads the file again: values that
// customers told are kept nowhere else.
func (s *Service) WriteMissing(ctx context.Context, id string) (name string, write func(io.Writer) error, err error) {
	run, err := s.TagRun(ctx, id)
	if err != nil {
		return "", nil, err
	}
	if run.spec.File == nil || run.Missing == 0 || run.swept {
		return "", nil, errs.New(errs.NotFound, "contact.tag_run_no_missing")
	}
	t, err := s.Tables.OpenTable(ctx, run.spec.File.UploadID)
	if err != nil {
		return "", nil, err
	}
	return "missing-" + run.ID + ".csv", func(to io.Writer) (err error) {
		defer func() { err = errors.Join(err, t.Close()) }()
		return s.writeMissing(ctx, to, t, run)
	}, nil
}

func (s *Service) writeMissing(ctx context.Context, to io.Writer, t *Table, run TagRun) error {
	if _, err := io.WriteString(to, "\xEF\xBB\xBF"); err != nil {
		return err
	}
	w := csv.NewWriter(to)
	f := run.spec.File
	if err := w.Write([]string{httpx.Say(ctx, "import.rejects.line", nil), harmless(f.Column), httpx.Say(ctx, "import.rejects.reason", nil)}); err != nil {
		return err
	}
	column := slices.Index(t.Columns, f.Column)
	for after := int64(0); ; {
		rows, err := s.DB.Query(ctx, "select line, reason from tag_run_missing where run = $1 and line > $2 order by line limit 1000", run.ID, after)
		type missing struct {
			line   int64
			reason string
		}
		part, err := db.Collect(rows, err, func(r *sql.Rows) (m missing, err error) { return m, r.Scan(&m.line, &m.reason) })
		if err != nil {
			return fmt.Errorf("read rows that could not be used: %w", err)
		}
		if len(part) == 0 {
			w.Flush()
			return w.Error()
		}
		for _, m := range part {
			value := ""
			for {
				line, cells, err := t.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					return err
				}
				if line >= m.line {
					if column >= 0 && column < len(cells) {
						value = cells[column]
					}
					break
				}
			}
			if err := w.Write([]string{strconv.FormatInt(m.line, 10), harmless(value), httpx.Say(ctx, m.reason, nil)}); err != nil {
				return err
			}
			after = m.line
		}
	}
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if s != "" && strings.ContainsAny(s[:1], "=@+-\t\r\n") && !strings.HasPrefix(s, "+86") {
		return "'" + s
	}
	return s
}
