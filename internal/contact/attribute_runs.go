package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// attributeUndoFor is how long a run can be undone.
const attributeUndoFor = 30 * 24 * time.Hour

// AttributeRun is a merge of attributes or a change of options, and how far it got.
type AttributeRun struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind" enum:"merge,remap"`
	Attribute  string     `json:"attribute" doc:"Key"`
	Title      string     `json:"title"`
	State      jobs.State `json:"state" enum:"queued,running,succeeded,failed,cancelled"`
	JobID      string     `json:"jobId" doc:"The job that does it, or that undoes it"`
	Done       int64      `json:"done"`
	Total      int64      `json:"total"`
	By         Ref        `json:"by"`
	CreatedAt  time.Time  `json:"createdAt"`
	FinishedAt *time.Time `json:"finishedAt,omitempty"`
	Values     int64      `json:"values" doc:"Values looked at"`
	Changed    int64      `json:"changed" doc:"Values written anew"`
	Unfit      int64      `json:"unfit" doc:"Values that did not fit and stayed"`
	UndoUntil  *time.Time `json:"undoUntil,omitempty" doc:"Present while it can be undone"`
	Undoing    bool       `json:"undoing,omitempty"`
	UndoneAt   *time.Time `json:"undoneAt,omitempty"`
	Restored   int64      `json:"restored" doc:"Values brought back by the undo"`
	Kept       int64      `json:"kept" doc:"Values that somebody changed since, left as they are"`
	Error      string     `json:"error,omitempty" doc:"Why it failed, in words"`

	spec    attributeSpec
	undoJob string
}

// attributeSpec is what a run does, and the definition as it was before.
type attributeSpec struct {
	Op          string               `json:"op"`
	Into        string               `json:"into,omitempty"`
	Wins        Wins                 `json:"wins,omitempty"`
	Options     map[string]string    `json:"options,omitempty"`
	Before      attribute.Definition `json:"before"`
	WasArchived bool                 `json:"wasArchived,omitempty"`
}

// startAttributeRun writes a run down and starts its job. Until it ends, the
// definition takes no other change.
func (s *Service) startAttributeRun(ctx context.Context, key string, plan func(context.Context, *definitions) (attributeSpec, string, error)) (AttributeRun, error) {
	id := s.IDs.New("ar")
	err := s.changeDefinitions(ctx, func(ctx context.Context, defs *definitions) error {
		spec, title, err := plan(ctx, defs)
		if err != nil {
			return err
		}
		d := defs.get(key)
		d.settling = true
		if err := s.saveDefinition(ctx, d); err != nil {
			return err
		}
		job, err := s.enqueueRewrite(ctx, d.Attribute, rewriteParams{Key: key, Op: spec.Op, Run: id, Options: spec.Options, To: spec.Into, Wins: spec.Wins})
		if err != nil {
			return err
		}
		raw, err := json.Marshal(spec)
		if err != nil {
			return fmt.Errorf("encode run: %w", err)
		}
		by := principal(ctx)
		_, err = s.DB.Exec(ctx, "insert into contact_attribute_runs (id, kind, attr, title, spec, job, by_id, by_name, created_at) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
			id, spec.Op, key, title, string(raw), job.ID, by.ID, by.Name, s.Clock.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("write run down: %w", err)
		}
		action, detail := "attribute.merging", map[string]any{"into": spec.Into, "wins": spec.Wins, "run": id}
		if spec.Op == opRemap {
			action, detail = "attribute.options_changing", map[string]any{"options": spec.Options, "run": id}
		}
		return s.recordAttribute(ctx, action, d.Attribute, detail)
	})
	if err != nil {
		return AttributeRun{}, fmt.Errorf("start change of attribute: %w", err)
	}
	return s.AttributeRun(ctx, id)
}

const attributeRunColumns = "id, kind, attr, title, spec, job, undo_job, by_id, by_name, created_at, finished_at, seen, changed, unfit, undone_at, restored, kept"

func scanAttributeRun(r interface{ Scan(...any) error }) (a AttributeRun, err error) {
	var spec string
	var created, finished, undone int64
	if err := r.Scan(&a.ID, &a.Kind, &a.Attribute, &a.Title, &spec, &a.JobID, &a.undoJob, &a.By.ID, &a.By.Name, &created, &finished, &a.Values, &a.Changed, &a.Unfit, &undone, &a.Restored, &a.Kept); err != nil {
		return a, err
	}
	a.CreatedAt, a.FinishedAt, a.UndoneAt = clock.FromMs(created), timeOrNil(finished), timeOrNil(undone)
	if err := json.Unmarshal([]byte(spec), &a.spec); err != nil {
		return a, fmt.Errorf("read run: %w", err)
	}
	return a, nil
}

func (s *Service) storedAttributeRun(ctx context.Context, id string) (AttributeRun, error) {
	a, err := scanAttributeRun(s.DB.QueryRow(ctx, "select "+attributeRunColumns+" from contact_attribute_runs where id = $1", id))
	if db.NoRows(err) {
		return a, errs.New(errs.NotFound, "attribute.run_not_found")
	}
	if err != nil {
		return a, fmt.Errorf("read run: %w", err)
	}
	return a, nil
}

// AttributeRun reads a run; NotFound attribute.run_not_found.
func (s *Service) AttributeRun(ctx context.Context, id string) (AttributeRun, error) {
	a, err := s.storedAttributeRun(ctx, id)
	if err == nil {
		err = s.liveAttributeRun(ctx, &a)
	}
	return a, err
}

// AttributeRuns lists the last runs, the newest first.
func (s *Service) AttributeRuns(ctx context.Context) ([]AttributeRun, error) {
	rows, err := s.DB.Query(ctx, "select "+attributeRunColumns+" from contact_attribute_runs order by created_at desc, id desc limit 50")
	runs, err := db.Collect(rows, err, func(r *sql.Rows) (AttributeRun, error) { return scanAttributeRun(r) })
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	for i := range runs {
		if err := s.liveAttributeRun(ctx, &runs[i]); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// liveAttributeRun adds what the jobs know.
func (s *Service) liveAttributeRun(ctx context.Context, a *AttributeRun) error {
	j, err := s.Jobs.Get(ctx, a.JobID)
	if err != nil && !isNotFound(err) { // finished jobs are forgotten after a while
		return err
	}
	a.State = jobs.Succeeded
	if err == nil {
		a.State, a.Done, a.Total = j.State, j.Done, j.Total
		if j.Error != nil {
			a.Error = httpx.Say(ctx, j.Error.Code, j.Error.Params)
		}
	}
	if a.undoJob != "" {
		a.JobID = a.undoJob
		u, err := s.Jobs.Get(ctx, a.undoJob)
		if err != nil && !isNotFound(err) {
			return err
		}
		if a.UndoneAt == nil && err == nil {
			a.Undoing, a.Done, a.Total = !u.State.Final(), u.Done, u.Total
		}
	}
	if until := a.CreatedAt.Add(attributeUndoFor); a.State.Final() && a.UndoneAt == nil && !a.Undoing && s.Clock.Now().Before(until) {
		a.UndoUntil = &until
	}
	return nil
}

// CancelAttributeRun stops a run, or its undo; what was done stays, and can be undone.
func (s *Service) CancelAttributeRun(ctx context.Context, id string) (AttributeRun, error) {
	a, err := s.AttributeRun(ctx, id)
	if err != nil {
		return a, err
	}
	if _, err := s.Jobs.Cancel(ctx, a.JobID); err != nil {
		return a, err
	}
	if j, err := s.Jobs.Get(ctx, a.JobID); err == nil && j.State == jobs.Cancelled && a.undoJob == "" && a.State == jobs.Queued { // it never ran
		if err := s.letGo(ctx, rewriteParams{Key: a.Attribute, Run: a.ID}); err != nil {
			return a, err
		}
	}
	return s.AttributeRun(ctx, id)
}

// takeUp begins a run, or goes on with one that was stopped and is tried again:
// the definition takes no other change. What was undone is not done again.
func (s *Service) takeUp(ctx context.Context, p rewriteParams) error {
	return s.changeDefinitions(ctx, func(ctx context.Context, defs *definitions) error {
		a, err := s.storedAttributeRun(ctx, p.Run)
		d := defs.get(p.Key)
		switch {
		case err != nil:
			return err
		case d == nil:
			return noAttribute(p.Key)
		case a.undoJob != "":
			return errs.New(errs.Conflict, "attribute.run_undone")
		}
		d.settling = true
		return s.saveDefinition(ctx, d)
	})
}

// letGo frees the definition of a run that was stopped half-way.
func (s *Service) letGo(ctx context.Context, p rewriteParams) error {
	return s.changeDefinitions(ctx, func(ctx context.Context, defs *definitions) error {
		d := defs.get(p.Key)
		if d == nil {
			return nil
		}
		d.settling = false
		if err := s.saveDefinition(ctx, d); err != nil {
			return err
		}
		return s.recordRunOf(ctx, "attribute.run_stopped", d.Attribute, p.Run)
	})
}

// countRun notes how far a run got, in the transaction of what it wrote.
func (s *Service) countRun(ctx context.Context, p rewriteParams, r RewriteResult) error {
	if p.Run == "" {
		return nil
	}
	if _, err := s.DB.Exec(ctx, "update contact_attribute_runs set seen = $2, changed = $3, unfit = $4 where id = $1", p.Run, r.Values, r.Changed, r.Fails); err != nil {
		return fmt.Errorf("count run: %w", err)
	}
	return nil
}

// endRun closes a run that came to its end.
func (s *Service) endRun(ctx context.Context, p rewriteParams) error {
	if p.Run == "" {
		return nil
	}
	if _, err := s.DB.Exec(ctx, "update contact_attribute_runs set finished_at = $2 where id = $1", p.Run, s.Clock.Now().UnixMilli()); err != nil {
		return fmt.Errorf("end run: %w", err)
	}
	action := map[string]string{opMerge: "attribute.merged", opRemap: "attribute.options_changed"}[p.Op]
	return s.recordRunOf(ctx, action, &attribute.Attribute{Definition: attribute.Definition{Key: p.Key}}, p.Run)
}

func (s *Service) recordRunOf(ctx context.Context, action string, a *attribute.Attribute, run string) error {
	r, err := s.storedAttributeRun(ctx, run)
	if err != nil {
		return err
	}
	return s.recordAttribute(ctx, action, a, map[string]any{"run": run, "what": r.Title, "values": r.Values, "changed": r.Changed, "unfit": r.Unfit, "restored": r.Restored, "kept": r.Kept})
}
