package audience

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/numset"
)

// changeList puts people on a held list and takes others off it, and keeps who
// they were for the undo. As with a new definition nobody did anything: it is in
// the history, and no fact about people.
func (s *Service) changeList(ctx context.Context, g *segment, e *entry, in, out *numset.Set) error {
	var ins, outs []int64
	if in != nil {
		ins = in.List()
	}
	if out != nil {
		outs = out.List()
	}
	came, went, err := s.Sets.Apply(ctx, g.id, ins, outs)
	if err != nil {
		return err
	}
	e.id, e.segment, e.came, e.went = s.IDs.New("sh"), g.id, int64(len(came)), int64(len(went))
	if e.undo = listed(e.action); e.undo {
		on, off := undoSets(e.id)
		for key, nums := range map[string][]int64{on: came, off: went} {
			if len(nums) > 0 {
				if _, _, err := s.Sets.Replace(ctx, key, numset.Of(nums...)); err != nil {
					return err
				}
			}
		}
	}
	if e.size, err = s.Sets.Count(ctx, g.id); err != nil {
		return err
	}
	if err := s.put(ctx, e); err != nil {
		return err
	}
	if err := s.boundUndo(ctx, g.id); err != nil {
		return err
	}
	now := clock.Ms(s.Clock.Now())
	if _, err := s.DB.Exec(ctx, "update segments set members = $2, counted_at = $3, changed_at = $3 where id = $1", g.id, e.size, now); err != nil {
		return fmt.Errorf("keep a list's size: %w", err)
	}
	s.unsaid(ctx)
	return s.dayOf(ctx, g.id, e.size, e.came, e.went)
}

// holdList holds a static segment that may be changed.
func (s *Service) holdList(ctx context.Context, id string) (*segment, error) {
	g, err := s.hold(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case g.dynamic():
		return nil, errs.New(errs.Conflict, "audience.rule_decides")
	case g.archived > 0:
		return nil, errs.New(errs.Conflict, "audience.archived")
	}
	return g, nil
}

// fewMembers is how many people a change of a list makes at once; more are a job's work.
const fewMembers = 2_000

// ChangeMembers puts a selection on a list, or takes it off. Many are a job.
func (s *Service) ChangeMembers(ctx context.Context, id string, sel contact.Selection, remove bool) (*Event, *jobs.Job, error) {
	n, err := s.Contacts.Count(ctx, sel)
	if err != nil {
		return nil, nil, err
	}
	if n == 0 {
		return nil, nil, errs.New(errs.Invalid, "audience.nobody_selected")
	}
	if n > fewMembers && s.Jobs != nil {
		job, err := s.enqueueMembers(ctx, id, membersParams{ID: id, Selection: &sel, Remove: remove})
		return nil, &job, err
	}
	e, err := s.changeBySelection(ctx, id, sel, remove, nil)
	return e, nil, err
}

// changeBySelection makes the change in one transaction; more runs in it.
func (s *Service) changeBySelection(ctx context.Context, id string, sel contact.Selection, remove bool, more func(ctx context.Context) error) (*Event, error) {
	set, err := s.Contacts.Numbers(ctx, sel)
	if err != nil {
		return nil, err
	}
	e := &entry{action: "added"}
	in, out := set, (*numset.Set)(nil)
	if remove {
		e.action = "removed"
		if out, err = s.withMerged(ctx, id, set); err != nil {
			return nil, err
		}
		in = nil
	}
	return s.changed(ctx, id, e, in, out, more)
}

// withMerged adds the numbers on a list that are part of some people today:
// whoever takes a person off means all of them.
func (s *Service) withMerged(ctx context.Context, id string, set *numset.Set) (*numset.Set, error) {
	on, err := s.Sets.Load(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &numset.Set{}
	for some := range slices.Chunk(on.List(), 5_000) {
		moved, err := s.Contacts.Survivors(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, n := range some {
			if into, ok := moved[n]; ok && set.Has(into) {
				out.Add(n)
			}
		}
	}
	out.Or(set)
	return out, nil
}

// changed changes a list in one transaction.
func (s *Service) changed(ctx context.Context, id string, e *entry, in, out *numset.Set, more func(ctx context.Context) error) (*Event, error) {
	var g *segment
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		var err error
		if g, err = s.holdList(ctx, id); err != nil {
			return err
		}
		if err := s.changeList(ctx, g, e, in, out); err != nil {
			return err
		}
		if more != nil {
			if err := more(ctx); err != nil {
				return err
			}
		}
		return s.record(ctx, "segment.members_changed", g, map[string]any{"action": e.action, "came": e.came, "went": e.went})
	})
	if err != nil {
		return nil, err
	}
	v := s.event(ctx, g, e, principal(ctx).Scope.All)
	return &v, nil
}

// AddLines puts those on a list whom lines name: contact ids, phone numbers,
// e-mail addresses, member numbers. Nobody is made; lines that name nobody are reported.
func (s *Service) AddLines(ctx context.Context, id, kind string, lines []string, remove bool) (*Event, []UnknownLine, error) {
	set, unknown, missed, err := s.find(ctx, kind, lines)
	if err != nil {
		return nil, nil, err
	}
	e := &entry{action: "added", detail: EventDetail{Unknown: missed}}
	in, out := set, (*numset.Set)(nil)
	if remove {
		e.action, in = "removed", nil
		if out, err = s.withMerged(ctx, id, set); err != nil {
			return nil, nil, err
		}
	}
	ev, err := s.changed(ctx, id, e, in, out, nil)
	return ev, unknown, err
}

// UnknownLine is a line that named nobody. What it said is not repeated: it may
// be anything.
type UnknownLine struct {
	Line    int64  `json:"line"`
	Reason  string `json:"reason" doc:"Code of why"`
	Message string `json:"message,omitempty" doc:"Why, in words"`
}

// find finds whom lines name.
func (s *Service) find(ctx context.Context, kind string, lines []string) (set *numset.Set, unknown []UnknownLine, missed int64, err error) {
	set, unknown = &numset.Set{}, []UnknownLine{}
	var texts []string
	var at []int64
	for i, l := range lines {
		if l = strings.TrimSpace(l); l != "" {
			texts, at = append(texts, l), append(at, int64(i+1))
		}
	}
	for len(texts) > 0 {
		n := min(500, len(texts))
		found, err := s.Contacts.FindNamed(ctx, kind, texts[:n])
		if err != nil {
			return nil, nil, 0, err
		}
		for i, f := range found {
			if f.Reason == "" {
				set.Add(f.Num)
				continue
			}
			if missed++; len(unknown) < maxReported {
				unknown = append(unknown, UnknownLine{Line: at[i], Reason: f.Reason})
			}
		}
		texts, at = texts[n:], at[n:]
	}
	return set, unknown, missed, nil
}

// jobMembers changes a list by many people: a selection, or a file.
const jobMembers = "segment.members"

type membersParams struct {
	ID        string             `json:"id"`
	Selection *contact.Selection `json:"selection,omitempty"`
	Upload    string             `json:"upload,omitempty"`
	Column    string             `json:"column,omitempty"`
	Kind      string             `json:"kind,omitempty"`
	Remove    bool               `json:"remove,omitempty"`
}

type membersResult struct {
	Entry   string        `json:"entry"`
	Came    int64         `json:"came"`
	Went    int64         `json:"went"`
	Unknown int64         `json:"unknown"`
	Lines   []UnknownLine `json:"lines,omitempty"`
}

func (s *Service) enqueueMembers(ctx context.Context, id string, p membersParams) (job jobs.Job, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		g, err := s.holdList(ctx, id)
		if err != nil {
			return err
		}
		job, err = s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobMembers, Title: g.name, Unit: "contacts", Params: p, Link: "/segments/" + g.id})
		if err != nil {
			return err
		}
		_, err = s.DB.Exec(ctx, "update segments set job = $2 where id = $1", g.id, job.ID)
		return err
	})
	return job, err
}

// UploadMembers puts those on a list whom a column of an uploaded file names.
func (s *Service) UploadMembers(ctx context.Context, id, upload, column, kind string, remove bool) (jobs.Job, error) {
	return s.enqueueMembers(ctx, id, membersParams{ID: id, Upload: upload, Column: column, Kind: kind, Remove: remove})
}

// checkUpload tells whether the caller may see a file, and whether it has the column.
func (s *Service) checkUpload(ctx context.Context, b *UploadBody) error {
	t, err := s.Tables.OpenTable(ctx, b.UploadID)
	if err != nil {
		return err
	}
	known := slices.Contains(t.Columns, b.Column)
	if err := t.Close(); err != nil {
		return fmt.Errorf("close file: %w", err)
	}
	if !known {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("upload.column", "contact.no_such_column", "column", b.Column))
	}
	return nil
}

// runMembers is the job. All of the change is one transaction at its end, which
// a checkpoint marks: a crash repeats the reading, never the change.
func (s *Service) runMembers(ctx context.Context, run jobs.Run) error {
	var p membersParams
	if err := run.Params(&p); err != nil {
		return fmt.Errorf("read what to change: %w", err)
	}
	var done membersResult
	if ok, err := run.LastCheckpoint(&done); err != nil {
		return err
	} else if ok {
		return run.Result(done)
	}
	mark := func(e *entry, unknown []UnknownLine) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			done = membersResult{Entry: e.id, Came: e.came, Went: e.went, Unknown: e.detail.Unknown, Lines: unknown}
			if _, err := s.DB.Exec(ctx, "update segments set job = '' where id = $1", p.ID); err != nil {
				return err
			}
			return run.Checkpoint(ctx, done)
		}
	}
	var set *numset.Set
	var unknown []UnknownLine
	var err error
	e := &entry{action: "added"}
	if p.Selection != nil {
		if set, err = s.Contacts.Numbers(ctx, *p.Selection); err != nil {
			return err
		}
	} else {
		e.action = "uploaded"
		if set, unknown, err = s.readFile(ctx, run, p, e); err != nil {
			return err
		}
	}
	in, out := set, (*numset.Set)(nil)
	if p.Remove {
		e.action, in = "removed", nil
		if out, err = s.withMerged(ctx, p.ID, set); err != nil {
			return err
		}
	}
	if _, err := s.changed(ctx, p.ID, e, in, out, mark(e, unknown)); err != nil {
		return err
	}
	run.Progress(set.Count(), set.Count())
	return run.Result(done)
}

// readFile finds whom a column of a file names.
func (s *Service) readFile(ctx context.Context, run jobs.Run, p membersParams, e *entry) (set *numset.Set, unknown []UnknownLine, err error) {
	t, err := s.Tables.OpenTable(ctx, p.Upload)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	e.detail.Name = t.Name
	at := slices.Index(t.Columns, p.Column)
	set = &numset.Set{}
	for end := false; !end; {
		var texts []string
		var lines []int64
		for len(texts) < 500 {
			line, cells, err := t.Next()
			if err == io.EOF {
				end = true
				break
			}
			if err != nil {
				return nil, nil, fmt.Errorf("read file: %w", err)
			}
			text := ""
			if at >= 0 && at < len(cells) {
				text = strings.TrimSpace(cells[at])
			}
			texts, lines = append(texts, text), append(lines, line)
		}
		found, err := s.Contacts.FindNamed(ctx, p.Kind, texts)
		if err != nil {
			return nil, nil, err
		}
		for i, f := range found {
			if f.Reason == "" {
				set.Add(f.Num)
				continue
			}
			if e.detail.Unknown++; len(unknown) < maxReported {
				unknown = append(unknown, UnknownLine{Line: lines[i], Reason: f.Reason})
			}
		}
		run.Progress(set.Count()+e.detail.Unknown, 0)
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
	}
	return set, unknown, nil
}
