package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// Sizes of a batch: what is sent, kept and checkpointed at once.
const (
	batchRows  = 4000
	batchFacts = 2000
	batchBytes = 1 << 20
	// hopeless: when so many rows were read and none was good, the mapping is wrong.
	hopeless = 2000
	maxTries = 3 // of a job, see package jobs
)

// jobParams is the input of both kinds of jobs.
type jobParams struct {
	Import string `json:"import"`
}

// checkpoint says what is done: every row up to Line, and so many of the orders
// whose rows are scattered.
type checkpoint struct {
	Line int64 `json:"line"`
	Held int   `json:"held"`
}

// runner is one try at an import.
type runner struct {
	s       *Service
	run     jobs.Run
	imp     Import
	plan    *plan
	info    table.Info
	src     table.Source
	cp      checkpoint
	rows    *table.Reader
	rejects []Rejected
	reasons map[string]*Reason
	tags    map[string]string // tag ids by name
}

// runImport is the handler of import jobs.
func (s *Service) runImport(ctx context.Context, run jobs.Run) error {
	var p jobParams
	if err := run.Params(&p); err != nil {
		return err
	}
	err := s.importFile(ctx, run, p.Import)
	if err == nil {
		return nil
	}
	return errors.Join(err, s.ended(ctx, run, p.Import, err))
}

// ended records how an import stopped short. A shutdown is no end.
func (s *Service) ended(ctx context.Context, run jobs.Run, id string, why error) error {
	ctx = context.WithoutCancel(ctx) // the record must be written although the run is over
	imp, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	var fault *errs.Error
	switch {
	case run.Cancelled():
		imp.State = Cancelled
	case ctx.Err() != nil || errors.Is(why, context.Canceled):
		return nil
	case errors.As(why, &fault) && fault.Kind != errs.Internal:
		imp.State, imp.Error = Failed, fault
	case run.Job().Attempt >= maxTries:
		imp.State, imp.Error = Failed, errs.As(why)
	default:
		return nil // tried again
	}
	imp.FinishedAt = s.Clock.Now()
	if err := s.rejectsFile(ctx, run, imp); err != nil {
		s.Log.WarnContext(ctx, "the file of rejected rows could not be written", "import", id, "error", err)
	}
	return s.saveProgress(ctx, &imp)
}

func (s *Service) importFile(ctx context.Context, run jobs.Run, id string) error {
	r, err := s.prepare(ctx, run, id)
	if err != nil || r == nil {
		return err
	}
	if r.imp.StartedAt.IsZero() {
		r.imp.StartedAt = s.Clock.Now()
	}
	r.imp.State = Running
	if err := s.saveProgress(ctx, &r.imp); err != nil {
		return err
	}
	if r.rows, err = table.Open(r.src, r.info); err != nil {
		return err
	}
	defer r.rows.Close()
	switch r.plan.kind {
	case Contacts:
		err = r.contacts(ctx)
	case Orders:
		err = r.orders(ctx)
	default:
		err = r.events(ctx)
	}
	if err != nil {
		return err
	}
	return r.finish(ctx)
}

// prepare loads everything; nil when there is nothing to do. A failed or
// cancelled import goes on where it stopped when a person tries its job again.
func (s *Service) prepare(ctx context.Context, run jobs.Run, id string) (*runner, error) {
	found, err := s.importsWhere(ctx, "id = $1", id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errs.New(errs.NotFound, "import.not_found")
	}
	r := &runner{s: s, run: run, imp: found[0], reasons: map[string]*Reason{}, tags: map[string]string{}}
	if r.imp.State == Succeeded || r.imp.State == Undoing || r.imp.State == Undone {
		return nil, nil
	}
	begun, err := run.LastCheckpoint(&r.cp)
	if err != nil {
		return nil, err
	}
	if !begun {
		if err := s.startOver(ctx, &r.imp); err != nil {
			return nil, err
		}
	}
	r.imp.Error, r.imp.FinishedAt = nil, time.Time{}
	for _, x := range r.imp.Reasons {
		r.reasons[x.Code] = &x
	}
	u, err := s.upload(ctx, r.imp.UploadID)
	if err != nil {
		return nil, err
	}
	r.src = s.source(ctx, u)
	if r.info, err = table.Sniff(r.src, r.imp.Options.Sheet); err != nil {
		return nil, err
	}
	if r.plan, err = s.compile(ctx, r.imp.Kind, r.info, r.imp.Mapping, r.imp.Options); err != nil {
		return nil, err
	}
	r.plan.importID = id
	r.info.Sample = nil
	return r, nil
}

// startOver forgets what an import without checkpoint has counted.
func (s *Service) startOver(ctx context.Context, i *Import) error {
	i.Rows, i.Accepted, i.Rejected, i.Orders, i.Facts, i.ContactsCreated, i.ContactsUpdated, i.Reasons = 0, 0, 0, 0, 0, 0, 0, nil
	i.Consents, i.ConsentsKept = 0, 0
	if _, err := s.DB.Exec(ctx, "delete from import_rejects where import_id = $1", i.ID); err != nil {
		return fmt.Errorf("forget rejected rows: %w", err)
	}
	return nil
}

func (s *Service) compile(ctx context.Context, kind Kind, in table.Info, m Mapping, o Options) (*plan, error) {
	c, err := s.Company(ctx)
	if err != nil {
		return nil, fmt.Errorf("company settings: %w", err)
	}
	consents, err := s.consentColumns(ctx)
	if err != nil {
		return nil, err
	}
	return compile(kind, in, m, o, defaults{c.Timezone, c.Currency, consents})
}

// next gives the next row, io.EOF at the end.
func (r *runner) next(ctx context.Context) (table.Row, error) {
	if err := ctx.Err(); err != nil {
		return table.Row{}, err
	}
	return r.rows.Next()
}

// count notes that a row was read; rows up to the checkpoint were counted before.
func (r *runner) count() {
	r.imp.Rows++
	if r.imp.Rows%512 == 0 {
		r.run.Progress(r.imp.Rows, max(r.imp.RowsTotal, r.imp.Rows))
	}
}

// reject keeps a row that is not taken.
func (r *runner) reject(row table.Row, errors []CellError) {
	r.imp.Rejected++
	why := errors[0]
	if r.reasons[why.Code] == nil {
		r.reasons[why.Code] = &Reason{Code: why.Code, Params: why.Params}
	}
	r.reasons[why.Code].Count++
	r.rejects = append(r.rejects, Rejected{Line: row.Line, Cells: row.Cells, Errors: errors})
}

// save records everything up to the checkpoint in one transaction; work, when
// not nil, is done inside it.
func (r *runner) save(ctx context.Context, cp checkpoint, work func(ctx context.Context) error) error {
	r.imp.BytesDone = r.rows.BytesRead()
	err := r.s.DB.Tx(ctx, func(ctx context.Context) error {
		if work != nil {
			if err := work(ctx); err != nil {
				return err
			}
		}
		r.imp.Reasons = r.frequent()
		if err := r.s.saveRejects(ctx, r.imp.ID, r.rejects); err != nil {
			return err
		}
		if err := r.s.saveProgress(ctx, &r.imp); err != nil {
			return err
		}
		return r.run.Checkpoint(ctx, cp)
	})
	if err != nil {
		return err
	}
	r.cp, r.rejects = cp, nil
	r.run.Progress(r.imp.Rows, max(r.imp.RowsTotal, r.imp.Rows))
	if r.imp.Rejected >= hopeless && r.imp.Rejected == r.imp.Rows {
		return errs.New(errs.Invalid, "import.all_rows_bad", "rows", r.imp.Rows)
	}
	return nil
}

func language(i Import) i18n.Lang {
	if l := i18n.Lang(i.Language); l.Valid() {
		return l
	}
	return i18n.ZH
}

func (r *runner) frequent() []Reason {
	out := make([]Reason, 0, len(r.reasons))
	for _, x := range r.reasons {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b Reason) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code)) })
	return out
}

// finish waits until everything is visible, then says so.
func (r *runner) finish(ctx context.Context) error {
	if r.imp.lastSeq > 0 {
		if err := r.s.Ingest.Wait(ctx, r.imp.lastSeq); err != nil {
			return fmt.Errorf("wait for the facts: %w", err)
		}
	}
	if r.s.Settle != nil && r.plan.kind == Contacts {
		if err := r.s.Settle(ctx); err != nil {
			return fmt.Errorf("wait for the facts: %w", err)
		}
	}
	if err := r.s.rejectsFile(ctx, r.run, r.imp); err != nil {
		return err
	}
	r.imp.BytesDone, r.imp.RowsTotal = r.imp.BytesTotal, r.imp.Rows
	r.imp.State, r.imp.FinishedAt = Succeeded, r.s.Clock.Now()
	r.run.Progress(r.imp.Rows, r.imp.Rows)
	if err := r.run.Result(map[string]any{"import": r.imp.ID, "rows": r.imp.Rows, "accepted": r.imp.Accepted, "rejected": r.imp.Rejected,
		"orders": r.imp.Orders, "facts": r.imp.Facts, "contactsCreated": r.imp.ContactsCreated, "contactsUpdated": r.imp.ContactsUpdated,
		"consents": r.imp.Consents, "consentsKept": r.imp.ConsentsKept}); err != nil {
		return err
	}
	return r.s.saveProgress(ctx, &r.imp)
}

// rejectsFile makes the job's file of rejected rows, when there are any.
func (s *Service) rejectsFile(ctx context.Context, run jobs.Run, imp Import) error {
	if imp.Rejected == 0 {
		return nil
	}
	w, err := run.File(RejectsName(imp), "text/csv; charset=utf-8")
	if err != nil {
		return err
	}
	return errors.Join(s.WriteRejects(ctx, w, imp, language(imp)), w.Close())
}

// ingest appends facts, waiting while the stream is full. It returns which of
// them were refused.
func (r *runner) ingest(ctx context.Context, facts []event.Fact) (map[int]errs.Field, error) {
	if len(facts) == 0 {
		return nil, nil
	}
	for {
		seq, err := r.s.Ingest.Ingest(ctx, facts)
		if seq > r.imp.lastSeq {
			r.imp.lastSeq = seq
		}
		if err == nil {
			return nil, nil
		}
		var e *errs.Error
		if !errors.As(err, &e) {
			return nil, fmt.Errorf("append facts: %w", err)
		}
		switch {
		case e.Kind == errs.TooMany:
			if err := sleep(ctx, time.Duration(max(e.RetryAfter*1000, 200))*time.Millisecond); err != nil {
				return nil, err
			}
		case e.Kind == errs.TooLarge && len(facts) > 1:
			return r.halves(ctx, facts)
		case e.Kind == errs.TooLarge:
			return map[int]errs.Field{0: errs.At("", e.Code)}, nil
		case e.Kind == errs.Invalid && len(e.Fields) > 0:
			return refused(e.Fields), nil
		default:
			return nil, fmt.Errorf("append facts: %w", err)
		}
	}
}

// halves appends a batch that is too large for one message in two.
func (r *runner) halves(ctx context.Context, facts []event.Fact) (map[int]errs.Field, error) {
	mid := len(facts) / 2
	first, err := r.ingest(ctx, facts[:mid])
	if err != nil {
		return nil, err
	}
	second, err := r.ingest(ctx, facts[mid:])
	if err != nil {
		return nil, err
	}
	for i, f := range second {
		if first == nil {
			first = map[int]errs.Field{}
		}
		first[mid+i] = f
	}
	return first, nil
}

// refused reads which facts an answer names: `facts[3].properties`.
func refused(fields []errs.Field) map[int]errs.Field {
	out := map[int]errs.Field{}
	for _, f := range fields {
		rest, ok := strings.CutPrefix(f.Path, "facts[")
		num, _, closed := strings.Cut(rest, "]")
		if i, err := strconv.Atoi(num); ok && closed && err == nil {
			out[i] = f
		}
	}
	return out
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
