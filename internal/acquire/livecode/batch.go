package livecode

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// Line of a batch: one code to be made.
type BatchLine struct {
	Name    string   `json:"name" maxLength:"160"`
	Staff   []string `json:"staff" maxItems:"100" doc:"Who meets its scans, by the platform's ids"`
	Channel string   `json:"channel,omitempty" maxLength:"60"`
	Fault   string   `json:"fault,omitempty" doc:"What is wrong with the line: a code"`
	Words   string   `json:"message,omitempty" doc:"The fault in words"`
	Line    int      `json:"line,omitempty" doc:"Of the file"`
}

// Batch makes many codes alike but for name, colleagues and channel.
type Batch struct {
	Like  Definition  `json:"like" doc:"What all are like; its name and members are not used"`
	Lines []BatchLine `json:"lines" minItems:"1" maxItems:"500"`
}

// headers are the words by which columns of a file are known.
var headers = map[string][]string{
	"name":    {"name", "code", "名称", "活码", "活码名称", "门店", "shop", "store"},
	"staff":   {"staff", "colleague", "colleagues", "成员", "员工", "客服", "导购", "user", "userid"},
	"channel": {"channel", "渠道"},
}

// ReadLines reads a file of names and colleagues, by their ids or names, of which
// several are parted by ; or 、. Lines with faults come back with them.
func (s *Service) ReadLines(ctx context.Context, account, text string) ([]BatchLine, error) {
	staff, err := s.colleagues(ctx, account)
	if err != nil {
		return nil, err
	}
	by := map[string][]string{}
	for _, c := range staff.list {
		by[strings.ToLower(c.ID)] = append(by[strings.ToLower(c.ID)], c.ID)
		if key := strings.ToLower(strings.TrimSpace(c.Name)); key != "" && key != strings.ToLower(c.ID) {
			by[key] = append(by[key], c.ID)
		}
	}
	text = strings.TrimPrefix(text, "\ufeff")
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = -1, true, true
	if first, _, _ := strings.Cut(text, "\n"); strings.Contains(first, "\t") {
		r.Comma = '\t'
	}
	at := map[string]int{"name": 0, "staff": 1, "channel": 2}
	var out []BatchLine
	for first := true; ; first = false {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bad("text", "livecode.bad_csv")
		}
		if first {
			if found := columns(rec); len(found) > 0 {
				at = found
				continue
			}
		}
		cell := func(key string) string {
			if i, ok := at[key]; ok && i < len(rec) {
				return strings.TrimSpace(rec[i])
			}
			return ""
		}
		if strings.TrimSpace(strings.Join(rec, "")) == "" {
			continue
		}
		line, _ := r.FieldPos(0)
		b := BatchLine{Line: line, Name: cell("name"), Channel: cell("channel"), Staff: []string{}}
		for _, word := range strings.FieldsFunc(cell("staff"), func(c rune) bool { return strings.ContainsRune(";；、|/", c) }) {
			ids := by[strings.ToLower(strings.TrimSpace(word))]
			switch {
			case len(ids) == 0:
				b.Fault = "livecode.no_such_colleague"
			case len(ids) > 1:
				b.Fault = "livecode.several_colleagues"
			case !slices.Contains(b.Staff, ids[0]):
				b.Staff = append(b.Staff, ids[0])
			}
		}
		switch {
		case b.Name == "":
			b.Fault = "livecode.line_without_name"
		case len([]rune(b.Name)) > maxName:
			b.Fault = "livecode.line_name_too_long"
		case b.Fault == "" && len(b.Staff) == 0:
			b.Fault = "livecode.no_members"
		}
		if out = append(out, b); len(out) > maxBatch {
			return nil, bad("text", "livecode.too_many_lines", "limit", maxBatch)
		}
	}
	if len(out) == 0 {
		return nil, bad("text", "request.field_required")
	}
	return out, nil
}

func columns(rec []string) map[string]int {
	found := map[string]int{}
	for i, cell := range rec {
		for key, words := range headers {
			if _, ok := found[key]; !ok && slices.Contains(words, strings.ToLower(strings.TrimSpace(cell))) {
				found[key] = i
			}
		}
	}
	return found
}

// CreateBatch checks the first line and makes all as a job.
func (s *Service) CreateBatch(ctx context.Context, b Batch) (jobs.Job, error) {
	if len(b.Lines) == 0 || len(b.Lines) > maxBatch {
		return jobs.Job{}, bad("lines", "rule.out_of_range", "least", 1, "limit", maxBatch)
	}
	for i := range b.Lines {
		d := b.of(i)
		if i > 0 && i < len(b.Lines) && !sameStaff(b.Lines[i], b.Lines[0]) || i == 0 {
			if err := s.check(ctx, &d); err != nil {
				return jobs.Job{}, lineFault(err, i)
			}
		}
	}
	var job jobs.Job
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		job, err = s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobBatch, Title: b.Lines[0].Name, Unit: "codes", Params: b, Link: "/live-codes"})
		if err != nil {
			return err
		}
		return s.record(ctx, "livecode.batch_started", job.ID, "", map[string]any{"codes": len(b.Lines)})
	})
	return job, err
}

func sameStaff(a, b BatchLine) bool {
	return slices.Equal(a.Staff, b.Staff) && a.Channel == b.Channel && a.Name != "" && len([]rune(a.Name)) <= maxName
}

// lineFault says of a fault in which line it is.
func lineFault(err error, i int) error {
	e := errs.As(err)
	if e == nil || len(e.Fields) == 0 {
		return err
	}
	f := e.Fields[0]
	for from, to := range map[string]string{"name": "name", "channel": "channel", "members": "staff"} {
		if strings.HasPrefix(f.Path, from) {
			f.Path = fmt.Sprintf("lines[%d].%s", i, to)
			return errs.New(e.Kind, e.Code).On(f)
		}
	}
	f.Path = "like." + f.Path
	return errs.New(e.Kind, e.Code).On(f)
}

// of is the definition of one line.
func (b *Batch) of(i int) Definition {
	l := b.Lines[i]
	d := b.Like
	d.Name = l.Name
	if l.Channel != "" {
		d.Channel = l.Channel
	}
	d.Members = make([]Member, len(l.Staff))
	for j, id := range l.Staff {
		d.Members[j] = Member{Staff: id}
		if len(b.Like.Members) > 0 { // shifts and cap are like the pattern's first
			d.Members[j].Shifts, d.Members[j].Cap = b.Like.Members[0].Shifts, b.Like.Members[0].Cap
		}
	}
	return d
}

type batchMark struct {
	Next int      `json:"next"`
	Made []string `json:"made"`
	Bad  int      `json:"bad"`
}

// runBatch makes the codes of a batch, each with its mark in one transaction: a
// crash makes none twice.
func (s *Service) runBatch(ctx context.Context, run jobs.Run) error {
	var b Batch
	var m batchMark
	if err := run.Params(&b); err != nil {
		return err
	}
	if _, err := run.LastCheckpoint(&m); err != nil {
		return err
	}
	for m.Next < len(b.Lines) {
		if err := ctx.Err(); err != nil {
			return err
		}
		run.Progress(int64(m.Next), int64(len(b.Lines)))
		next := m
		next.Next++
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			c, err := s.createIn(ctx, b.of(m.Next), s.Clock.Now())
			if err != nil {
				return err
			}
			next.Made = append(slices.Clone(m.Made), c)
			return run.Checkpoint(ctx, next)
		})
		if e := errs.As(err); err != nil && e != nil && e.Kind == errs.Invalid { // somebody was deleted meanwhile: the others are made
			next.Bad++
			err = run.Checkpoint(ctx, next)
		}
		if err != nil {
			return err
		}
		m = next
	}
	run.Progress(int64(len(b.Lines)), int64(len(b.Lines)))
	return run.Result(map[string]any{"made": m.Made, "failed": m.Bad})
}
