package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// Kinds of work on the tags of many contacts.
const (
	RunBulk   = "bulk"   // contacts selected by id or filter
	RunFile   = "file"   // contacts named by a file
	RunMerge  = "merge"  // one tag becomes another
	RunDelete = "delete" // a tag is taken from everybody and deleted
	RunSettle = "settle" // an exclusive group keeps one tag a person
)

const (
	jobTagRun  = "tags.run"
	jobTagUndo = "tags.undo"
	// tagUndoFor is how long a run can be undone; then what it changed is forgotten.
	tagUndoFor = 30 * 24 * time.Hour
	// tagBatch is how many contacts one transaction of a run changes.
	tagBatch = 2000
)

// TagRun is work on the tags of many contacts, and how far it got.
type TagRun struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind" enum:"bulk,file,merge,delete,settle"`
	Title      string     `json:"title" doc:"What was given (+) and taken (-), or the tags concerned"`
	State      jobs.State `json:"state" enum:"queued,running,succeeded,failed,cancelled"`
	JobID      string     `json:"jobId" doc:"The job that does it, or that undoes it"`
	Add        []TagRef   `json:"add"`
	Remove     []TagRef   `json:"remove"`
	File       string     `json:"file,omitempty" doc:"Name of the file"`
	By         Ref        `json:"by"`
	CreatedAt  time.Time  `json:"createdAt"`
	FinishedAt *time.Time `json:"finishedAt,omitempty"`
	Total      int64      `json:"total" doc:"People to look at; 0 while not known"`
	Seen       int64      `json:"seen" doc:"People looked at so far"`
	People     int64      `json:"people" doc:"People whose tags changed"`
	Added      int64      `json:"added"`
	Removed    int64      `json:"removed"`
	Missing    int64      `json:"missing" doc:"Rows of the file that could not be used"`
	UndoUntil  *time.Time `json:"undoUntil,omitempty" doc:"Present while it can be undone"`
	Undoing    bool       `json:"undoing,omitempty"`
	UndoneAt   *time.Time `json:"undoneAt,omitempty"`
	Restored   int64      `json:"restored" doc:"Changes taken back by the undo"`
	Kept       int64      `json:"kept" doc:"Changes that somebody changed again since, left as they are"`
	Error      string     `json:"error,omitempty" doc:"Why it failed, in words"`

	spec    runSpec
	undoJob string
	swept   bool
}

// runSpec is the input of a run as it is stored.
type runSpec struct {
	Add       []TagRef       `json:"add,omitempty"`
	Remove    []TagRef       `json:"remove,omitempty"`
	Selection *SelectionBody `json:"selection,omitempty"`
	File      *TagFile       `json:"file,omitempty"`
	Group     string         `json:"group,omitempty"` // of settle
	Gone      *goneTag       `json:"gone,omitempty"`  // what merge and delete ended, to make it again
}

// goneTag is a tag that a run deletes, as it was.
type goneTag struct {
	ID          string `json:"id"`
	Group       string `json:"group"`
	Parent      string `json:"parent,omitempty"`
	Name        string `json:"name"`
	Color       string `json:"color"`
	Description string `json:"description,omitempty"`
	CreatedAt   int64  `json:"createdAt"`
	Position    int64  `json:"position"`
	ArchivedAt  int64  `json:"archivedAt,omitempty"`
	Import      string `json:"import,omitempty"`
	Into        string `json:"into,omitempty"`
}

type runParams struct {
	Run string `json:"run"`
}

// startRun writes a run down and enqueues its job, in the transaction of ctx.
func (s *Service) startRun(ctx context.Context, kind, title string, spec runSpec) (*TagRun, error) {
	g := s.byPerson(ctx)
	id := s.IDs.New("tr")
	raw, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("encode run: %w", err)
	}
	sealed, err := s.inside(runField).Seal(string(raw))
	if err != nil {
		return nil, err
	}
	job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobTagRun, Title: title, Unit: "contacts", Params: runParams{id}, Link: "/tags?run=" + id, Key: "tags:" + id})
	if err != nil {
		return nil, err
	}
	_, err = s.DB.Exec(ctx, "insert into tag_runs (id, kind, title, spec, job, by_id, by_name, source, created_at) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
		id, kind, title, sealed, job.ID, g.byID, g.byName, g.source, g.at)
	if err != nil {
		return nil, fmt.Errorf("write run down: %w", err)
	}
	run, err := s.TagRun(ctx, id)
	return &run, err
}

const runColumns = `id, kind, title, spec, job, undo_job, by_id, by_name, created_at, total, seen, people, added, removed, missing,
	finished_at, undone_at, restored, kept, swept_at`

func (s *Service) scanRun(r interface{ Scan(...any) error }) (t TagRun, err error) {
	var spec string
	var created, finished, undone, swept int64
	err = r.Scan(&t.ID, &t.Kind, &t.Title, &spec, &t.JobID, &t.undoJob, &t.By.ID, &t.By.Name, &created, &t.Total, &t.Seen, &t.People, &t.Added, &t.Removed, &t.Missing,
		&finished, &undone, &t.Restored, &t.Kept, &swept)
	if err != nil {
		return t, err
	}
	if spec, err = s.inside(runField).Open(spec); err != nil {
		return t, err
	}
	if err := json.Unmarshal([]byte(spec), &t.spec); err != nil {
		return t, fmt.Errorf("read run: %w", err)
	}
	t.Add, t.Remove, t.swept = t.spec.Add, t.spec.Remove, swept != 0
	if t.Add == nil {
		t.Add = []TagRef{}
	}
	if t.Remove == nil {
		t.Remove = []TagRef{}
	}
	if t.spec.File != nil {
		t.File = t.spec.File.Name
	}
	t.CreatedAt, t.FinishedAt, t.UndoneAt = clock.FromMs(created), timeOrNil(finished), timeOrNil(undone)
	return t, nil
}

// TagRun reads a run; NotFound contact.tag_run_not_found.
func (s *Service) TagRun(ctx context.Context, id string) (TagRun, error) {
	t, err := s.scanRun(s.DB.QueryRow(ctx, "select "+runColumns+" from tag_runs where id = $1", id))
	if db.NoRows(err) {
		return t, errs.New(errs.NotFound, "contact.tag_run_not_found")
	}
	if err != nil {
		return t, fmt.Errorf("read run: %w", err)
	}
	return t, s.liveRun(ctx, &t)
}

// liveRun adds what the jobs know.
func (s *Service) liveRun(ctx context.Context, t *TagRun) error {
	done := t.JobID
	if t.undoJob != "" {
		t.JobID = t.undoJob
	}
	j, err := s.Jobs.Get(ctx, done)
	switch {
	case isNotFound(err): // finished jobs are forgotten after a while
		t.State = jobs.Succeeded
	case err != nil:
		return err
	default:
		t.State = j.State
		if j.Error != nil {
			t.Error = httpx.Say(ctx, j.Error.Code, j.Error.Params)
		}
	}
	if t.undoJob != "" && t.UndoneAt == nil {
		u, err := s.Jobs.Get(ctx, t.undoJob)
		if err != nil && !isNotFound(err) {
			return err
		}
		t.Undoing = err == nil && !u.State.Final()
	}
	if until := t.CreatedAt.Add(tagUndoFor); t.State.Final() && t.UndoneAt == nil && !t.Undoing && !t.swept && t.People > 0 && s.Clock.Now().Before(until) {
		t.UndoUntil = &until
	}
	return nil
}

// runPlace is where a list of runs goes on.
type runPlace struct {
	At int64  `json:"at"`
	ID string `json:"id"`
}

// TagRuns lists runs, the newest first.
func (s *Service) TagRuns(ctx context.Context, cursor string, limit int) (runs []TagRun, next string, err error) {
	after := runPlace{At: 1 << 62}
	if cursor != "" {
		if err := httpx.DecodeCursor(cursor, &after); err != nil {
			return nil, "", err
		}
	}
	limit = min(max(limit, 1), 100)
	rows, err := s.DB.Query(ctx, "select "+runColumns+" from tag_runs where (created_at, id) < ($1, $2) order by created_at desc, id desc limit $3", after.At, after.ID, limit+1)
	runs, err = db.Collect(rows, err, func(r *sql.Rows) (TagRun, error) { return s.scanRun(r) })
	if err != nil {
		return nil, "", fmt.Errorf("list runs: %w", err)
	}
	if len(runs) > limit {
		runs = runs[:limit]
		last := runs[limit-1]
		next = httpx.EncodeCursor(runPlace{clock.Ms(last.CreatedAt), last.ID})
	}
	for i := range runs {
		if err := s.liveRun(ctx, &runs[i]); err != nil {
			return nil, "", err
		}
	}
	return runs, next, nil
}

// CancelTagRun stops a run, or its undo; what was done stays.
func (s *Service) CancelTagRun(ctx context.Context, id string) (TagRun, error) {
	t, err := s.TagRun(ctx, id)
	if err != nil {
		return t, err
	}
	if _, err := s.Jobs.Cancel(ctx, t.JobID); err != nil {
		return t, err
	}
	return s.TagRun(ctx, id)
}

// runMark is where a run goes on after a crash.
type runMark struct {
	After int64 `json:"after,omitempty"` // contact number, or line of the file
	Seen  int64 `json:"seen"`
	End   bool  `json:"end,omitempty"`
}

// work does the next batch of a run, in a transaction that holds the lock.
type work func(ctx context.Context, m *runMark) ([]tagChange, error)

// doRun is the handler of all runs.
func (s *Service) doRun(ctx context.Context, job jobs.Run) error {
	var p runParams
	if err := job.Params(&p); err != nil {
		return err
	}
	if err := s.sweepTagRuns(ctx); err != nil {
		return err
	}
	run, err := s.scanRun(s.DB.QueryRow(ctx, "select "+runColumns+" from tag_runs where id = $1", p.Run))
	if err != nil {
		return fmt.Errorf("read run: %w", err)
	}
	var m runMark
	if _, err := job.LastCheckpoint(&m); err != nil {
		return err
	}
	next, total, end, err := s.workOf(ctx, run)
	if err != nil {
		return err
	}
	defer end()
	for !m.End {
		if err := ctx.Err(); err != nil {
			return err
		}
		job.Progress(m.Seen, total)
		was := m
		err := s.changeTags(ctx, "work on tags", func(ctx context.Context) error {
			m = was // the transaction may be tried again
			done, err := next(ctx, &m)
			if err != nil {
				return err
			}
			if err := s.tally(ctx, run, done, m, total); err != nil {
				return err
			}
			return job.Checkpoint(ctx, m)
		})
		if err != nil {
			return err
		}
	}
	job.Progress(m.Seen, max(total, m.Seen))
	run, err = s.TagRun(ctx, run.ID)
	if err != nil {
		return err
	}
	return job.Result(map[string]any{"people": run.People, "added": run.Added, "removed": run.Removed, "missing": run.Missing})
}

// tally states a batch's changes and counts them; the last batch ends the run.
func (s *Service) tally(ctx context.Context, run TagRun, done []tagChange, m runMark, total int64) error {
	now := s.Clock.Now()
	people := map[int64]bool{}
	var added, removed int64
	for _, c := range done {
		people[c.num] = true
		if c.removed {
			removed++
		} else {
			added++
		}
	}
	finished := int64(0)
	if m.End {
		finished = now.UnixMilli()
	}
	if run.Kind != RunMerge { // a merge has facts of its own
		if err := s.Emit.Emit(ctx, s.tagFacts(done, now, run.By.Name, run.ID)...); err != nil {
			return fmt.Errorf("state tags: %w", err)
		}
	}
	_, err := s.DB.Exec(ctx, "update tag_runs set total = $1, seen = $2, people = people + $3, added = added + $4, removed = removed + $5, finished_at = $6 where id = $7",
		max(total, m.Seen), m.Seen, len(people), added, removed, finished, run.ID)
	if err != nil {
		return fmt.Errorf("count run: %w", err)
	}
	if !m.End {
		return nil
	}
	return s.recordRun(ctx, "tag_run.finished", run.ID)
}

func (s *Service) recordRun(ctx context.Context, action, id string) error {
	r, err := s.scanRun(s.DB.QueryRow(ctx, "select "+runColumns+" from tag_runs where id = $1", id))
	if err != nil {
		return fmt.Errorf("read run: %w", err)
	}
	detail := map[string]any{"kind": r.Kind, "people": r.People, "added": r.Added, "removed": r.Removed}
	if r.UndoneAt != nil || action == "tag_run.undone" {
		detail["restored"], detail["kept"] = r.Restored, r.Kept
	}
	return s.recordTag(ctx, action, "tag_run", r.ID, r.Title, detail)
}

// workOf says what a run does, and how many contacts it will look at.
func (s *Service) workOf(ctx context.Context, run TagRun) (next work, total int64, end func(), err error) {
	end = func() {}
	switch run.Kind {
	case RunBulk:
		next, total, err = s.bulkWork(ctx, run)
	case RunFile:
		return s.fileWork(ctx, run)
	case RunMerge, RunDelete:
		err = s.DB.QueryRow(ctx, "select count(*) from contact_tags where tag = $1", run.spec.Gone.ID).Scan(&total)
		total += run.Seen
		next = func(ctx context.Context, m *runMark) ([]tagChange, error) { return s.endTag(ctx, run, m) }
	case RunSettle:
		next = func(ctx context.Context, m *runMark) ([]tagChange, error) { return s.settleTags(ctx, run, m) }
		total, err = s.countOverlap(ctx, run.spec.Group)
		total += run.Seen
	default:
		err = fmt.Errorf("run %s is of an unknown kind %s", run.ID, run.Kind)
	}
	return next, total, end, err
}

// logged is the giving of a run.
func (s *Service) logged(run TagRun) giving {
	return giving{at: s.Clock.Now().UnixMilli(), byID: run.By.ID, byName: run.By.Name, source: run.Kind, run: run.ID, log: run.ID}
}

// sweepTagRuns forgets what runs changed that can no longer be undone.
func (s *Service) sweepTagRuns(ctx context.Context) error {
	before := s.Clock.Now().Add(-tagUndoFor).UnixMilli()
	rows, err := s.DB.Query(ctx, "select id from tag_runs where swept_at = 0 and created_at <= $1 order by created_at limit 20", before)
	old, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return fmt.Errorf("find old runs: %w", err)
	}
	for _, id := range old {
		for n := int64(1); n > 0; {
			// a stretch at a time: others write meanwhile
			n, err = s.DB.ExecN(ctx, `delete from tag_run_changes where run = $1 and contact <= (select max(contact) from
				(select contact from tag_run_changes where run = $1 order by contact limit 5000) as part)`, id)
			if err != nil {
				return fmt.Errorf("forget changes of old runs: %w", err)
			}
		}
		if _, err := s.DB.Exec(ctx, "delete from tag_run_missing where run = $1", id); err != nil {
			return fmt.Errorf("forget rows of old runs: %w", err)
		}
		if _, err := s.DB.Exec(ctx, "update tag_runs set swept_at = $1 where id = $2", s.Clock.Now().UnixMilli(), id); err != nil {
			return fmt.Errorf("forget old runs: %w", err)
		}
	}
	return nil
}
