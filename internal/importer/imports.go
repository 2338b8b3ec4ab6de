package importer

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// Request asks for an import of an uploaded file.
type Request struct {
	UploadID      string
	Kind          Kind
	Name          string // "": the file's
	Mapping       Mapping
	Options       Options
	SaveMappingAs string
	Language      i18n.Lang // of the rejected rows' file
}

// Start checks a request against the file and enqueues the import.
func (s *Service) Start(ctx context.Context, q Request) (Import, error) {
	// Rows of contacts that are not the caller's are refused one by one. Orders and
	// events find their people later, in the stream, where nobody knows who sent them.
	if p := auth.From(ctx); q.Kind != Contacts && p != nil && !p.Scope.All {
		return Import{}, errs.New(errs.Forbidden, "permission.scope")
	}
	u, err := s.upload(ctx, q.UploadID)
	if err != nil {
		return Import{}, err
	}
	in, err := table.Sniff(s.source(ctx, u), q.Options.Sheet)
	if err != nil {
		return Import{}, err
	}
	if _, err := s.compile(ctx, q.Kind, in, q.Mapping, q.Options); err != nil {
		return Import{}, err
	}
	now := s.Clock.Now()
	imp := Import{ID: s.IDs.New("im"), Kind: q.Kind, Name: clip(cmp.Or(strings.TrimSpace(q.Name), u.Name), 200), File: u.Name, UploadID: u.ID, State: Queued, Mapping: q.Mapping, Options: q.Options,
		BytesTotal: u.Size, Language: string(q.Language), CreatedAt: now, columns: in.Columns}
	imp.Options.Sheet = in.Sheet
	if p := auth.From(ctx); p != nil {
		imp.CreatedByID, imp.CreatedByName = p.ID, p.Name
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobImport, Title: imp.Name, Unit: "rows", Params: jobParams{imp.ID}, Link: "/imports/" + imp.ID,
			Key: "import:" + imp.ID, FilePermission: auth.ContactUnmask})
		if err != nil {
			return err
		}
		imp.JobID = job.ID
		if err := s.insertImport(ctx, imp); err != nil {
			return err
		}
		if name := clip(strings.TrimSpace(q.SaveMappingAs), 100); name != "" {
			if err := s.saveMapping(ctx, name, q.Kind, in.Columns, q.Mapping, q.Options); err != nil {
				return err
			}
		}
		if err := s.useMapping(ctx, in.Columns); err != nil {
			return err
		}
		return s.Audit.Record(ctx, "import.started", audit.Object{Type: "import", ID: imp.ID, Name: imp.Name}, map[string]any{"kind": imp.Kind, "file": imp.File, "bytes": imp.BytesTotal})
	})
	return imp, err
}

// useMapping notes that files of this shape still come.
func (s *Service) useMapping(ctx context.Context, columns []string) error {
	_, err := s.DB.Exec(ctx, "update import_mappings set used_at = $2 where fingerprint = $1", fingerprint(columns), s.Clock.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("note use of a mapping: %w", err)
	}
	return nil
}

// Get reads one import.
func (s *Service) Get(ctx context.Context, id string) (Import, error) {
	found, err := s.importsWhere(ctx, "id = $1", id)
	if err != nil {
		return Import{}, err
	}
	if len(found) == 0 {
		return Import{}, errs.New(errs.NotFound, "import.not_found")
	}
	return s.live(ctx, found[0]), nil
}

// Cursor is the last import of the page before.
type Cursor struct {
	CreatedAt int64  `json:"c"`
	ID        string `json:"i"`
}

// List gives imports, newest first.
func (s *Service) List(ctx context.Context, after *Cursor, limit int) ([]Import, error) {
	var out []Import
	var err error
	if after == nil {
		out, err = s.importsWhere(ctx, "1 = 1 order by created_at desc, id desc limit $1", limit)
	} else {
		out, err = s.importsWhere(ctx, "(created_at, id) < ($1, $2) order by created_at desc, id desc limit $3", after.CreatedAt, after.ID, limit)
	}
	for i := range out {
		out[i] = s.live(ctx, out[i])
	}
	return out, err
}

// CursorOf is where a list goes on after i.
func CursorOf(i Import) Cursor { return Cursor{clock.Ms(i.CreatedAt), i.ID} }

// Search finds imports by the beginning of their name or id.
func (s *Service) Search(ctx context.Context, q string, limit int) ([]Import, error) {
	q = strings.ToLower(strings.TrimSpace(q))
	if q == "" {
		return []Import{}, nil
	}
	return s.importsWhere(ctx, "substr(name_key, 1, $2) = $1 or id = $1 order by created_at desc, id desc limit $3", q, len([]rune(q)), limit)
}

// Names gives the names of imports by id, for profiles.
func (s *Service) Names(ctx context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	for len(ids) > 0 {
		part := ids[:min(len(ids), 500)]
		ids = ids[len(part):]
		args := make([]any, len(part))
		for i, id := range part {
			args[i] = id
		}
		rows, err := s.DB.Query(ctx, "select id, name from imports where id in ("+db.In(1, len(part))+")", args...)
		if err != nil {
			return nil, fmt.Errorf("name imports: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var id, name string
			if err := rows.Scan(&id, &name); err != nil {
				return nil, fmt.Errorf("name imports: %w", err)
			}
			out[id] = name
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("name imports: %w", err)
		}
	}
	return out, nil
}

// live corrects the state of an import whose job ended without a word: it was
// cancelled before it ran, or failed for good. It also shows rows as they are read.
func (s *Service) live(ctx context.Context, i Import) Import {
	if i.State.final() {
		return i
	}
	id := i.JobID
	if i.State == Undoing {
		id = i.UndoJobID
	}
	job, err := s.Jobs.Get(ctx, id)
	if err != nil { // kept only so long: the import's own word must do
		return i
	}
	switch {
	case i.State == Undoing && job.State == jobs.Failed:
		i.Error = job.Error
	case i.State == Undoing:
	case job.State == jobs.Cancelled:
		i.State, i.FinishedAt = Cancelled, job.FinishedAt
	case job.State == jobs.Failed:
		i.State, i.Error, i.FinishedAt = Failed, job.Error, job.FinishedAt
	case job.State == jobs.Running && job.Done > i.Rows:
		i.Rows, i.RowsTotal = job.Done, job.Total
	}
	return i
}

// Cancel stops an import. What it brought in until then stays, and can be undone.
func (s *Service) Cancel(ctx context.Context, id string) (Import, error) {
	imp, err := s.Get(ctx, id)
	if err != nil {
		return imp, err
	}
	if err := mayStop(ctx, imp); err != nil {
		return imp, err
	}
	if imp.State != Queued && imp.State != Running {
		return imp, errs.New(errs.Conflict, "import.not_running")
	}
	if _, err := s.Jobs.Cancel(ctx, imp.JobID); err != nil {
		return imp, err
	}
	if err := s.Audit.Record(ctx, "import.cancelled", audit.Object{Type: "import", ID: imp.ID, Name: imp.Name}, map[string]any{"rows": imp.Rows}); err != nil {
		return imp, err
	}
	return s.Get(ctx, id)
}

// WaitJob returns the import once it (or its undo) has ended. progress, when
// not nil, is called with every step seen.
func (s *Service) WaitJob(ctx context.Context, id string, progress func(Import)) (Import, error) {
	tick := time.NewTicker(500 * time.Millisecond) // another process may do the work, and rows move between checkpoints
	defer tick.Stop()
	for {
		changed := s.watch()
		imp, err := s.Get(ctx, id)
		if err != nil {
			return imp, err
		}
		if progress != nil {
			progress(imp)
		}
		if imp.State.final() || imp.State == Undoing && imp.Error != nil {
			return imp, nil
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-ctx.Done():
			return imp, ctx.Err()
		}
	}
}

// mayStop refuses to end or undo another one's import to callers who do not see
// everybody's customers: it may bring some whom they do not see.
func mayStop(ctx context.Context, imp Import) error {
	if p := auth.From(ctx); p != nil && p.ID != imp.CreatedByID && !p.Scope.All {
		return errs.New(errs.Forbidden, "permission.scope")
	}
	return nil
}

// Undo takes back everything that an import brought: facts, orders, contacts.
// It runs as a job.
func (s *Service) Undo(ctx context.Context, id string) (Import, error) {
	imp, err := s.Get(ctx, id)
	if err != nil {
		return imp, err
	}
	if err := mayStop(ctx, imp); err != nil {
		return imp, err
	}
	again := imp.State == Undoing && imp.Error != nil
	if imp.State != Succeeded && imp.State != Failed && imp.State != Cancelled && !again {
		return imp, errs.New(errs.Conflict, "import.cannot_undo")
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobUndo, Title: imp.Name, Unit: "records", Params: jobParams{imp.ID}, Link: "/imports/" + imp.ID, Key: "undo:" + imp.ID})
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update imports set state = $2, undo_job_id = $3, error = '', finished_at = $4 where id = $1", imp.ID, string(Undoing), job.ID, clock.Ms(imp.FinishedAt)); err != nil {
			return fmt.Errorf("record undo: %w", err)
		}
		return s.Audit.Record(ctx, "import.undo_started", audit.Object{Type: "import", ID: imp.ID, Name: imp.Name}, nil)
	})
	if err != nil {
		return imp, err
	}
	return s.Get(ctx, id)
}

// runUndo is the handler of undo jobs. Every step can be repeated, so after a
// crash it simply begins again.
func (s *Service) runUndo(ctx context.Context, run jobs.Run) error {
	var p jobParams
	if err := run.Params(&p); err != nil {
		return err
	}
	imp, err := s.Get(ctx, p.Import)
	if err != nil {
		return err
	}
	if imp.lastSeq > 0 { // what is still on its way would arrive behind us
		if err := s.Ingest.Wait(ctx, imp.lastSeq); err != nil {
			return fmt.Errorf("wait for the facts of the import: %w", err)
		}
	}
	if s.Settle != nil {
		if err := s.Settle(ctx); err != nil {
			return fmt.Errorf("wait for the facts of the import: %w", err)
		}
	}
	total := imp.Facts + imp.ContactsCreated + imp.ContactsUpdated
	run.Progress(0, total)
	facts, err := s.Facts.EraseImport(ctx, imp.ID)
	if err != nil {
		return fmt.Errorf("erase facts: %w", err)
	}
	orders, err := s.Orders.DeleteImport(ctx, imp.ID, func(done int64) { run.Progress(min(done, total), total) })
	if err != nil {
		return err
	}
	people, err := s.Contacts.UndoImport(ctx, imp.ID, func(done, of int64) { run.Progress(min(orders+done, max(total, orders+of)), max(total, orders+of)) })
	if err != nil {
		return err
	}
	detail := map[string]any{"facts": facts, "orders": orders, "contactsRemoved": people.Removed, "contactsRestored": people.Restored, "contactsKept": people.Kept}
	if err := run.Result(detail); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		imp.State, imp.UndoneAt, imp.Error = Undone, s.Clock.Now(), nil
		if err := s.saveProgress(ctx, &imp); err != nil {
			return err
		}
		return s.Audit.Record(ctx, "import.undone", audit.Object{Type: "import", ID: imp.ID, Name: imp.Name}, detail)
	})
}
