package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/vault"
)

const importColumns = `id, kind, name, file, upload_id, state, job_id, undo_job_id, mapping, options, columns, language, rows_read, rows_total, accepted, rejected,
	contacts_created, contacts_updated, orders, facts, consents, consents_kept, bytes_done, bytes_total, last_seq, error, reasons, created_by_id, created_by_name, created_at, started_at, finished_at, undone_at`

func scanImport(r *sql.Rows) (Import, error) {
	var i Import
	var mapping, options, columns, fault, reasons string
	var seq, created, started, finished, undone int64
	err := r.Scan(&i.ID, &i.Kind, &i.Name, &i.File, &i.UploadID, &i.State, &i.JobID, &i.UndoJobID, &mapping, &options, &columns, &i.Language, &i.Rows, &i.RowsTotal, &i.Accepted, &i.Rejected,
		&i.ContactsCreated, &i.ContactsUpdated, &i.Orders, &i.Facts, &i.Consents, &i.ConsentsKept, &i.BytesDone, &i.BytesTotal, &seq, &fault, &reasons, &i.CreatedByID, &i.CreatedByName, &created, &started, &finished, &undone)
	if err != nil {
		return i, err
	}
	i.lastSeq = uint64(seq)
	i.CreatedAt, i.StartedAt, i.FinishedAt, i.UndoneAt = clock.FromMs(created), clock.FromMs(started), clock.FromMs(finished), clock.FromMs(undone)
	for text, into := range map[string]any{mapping: &i.Mapping, options: &i.Options, columns: &i.columns, fault: &i.Error, reasons: &i.Reasons} {
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return i, fmt.Errorf("import %s: %w", i.ID, err)
		}
	}
	return i, nil
}

func (s *Service) importsWhere(ctx context.Context, where string, args ...any) ([]Import, error) {
	rows, err := s.DB.Query(ctx, "select "+importColumns+" from imports where "+where, args...)
	out, err := db.Collect(rows, err, scanImport)
	if err != nil {
		return nil, fmt.Errorf("read imports: %w", err)
	}
	return out, nil
}

func (s *Service) insertImport(ctx context.Context, i Import) error {
	_, err := s.DB.Exec(ctx, `insert into imports (id, kind, name, name_key, file, upload_id, state, job_id, undo_job_id, mapping, options, columns, language, rows_read, rows_total,
		accepted, rejected, contacts_created, contacts_updated, orders, facts, bytes_done, bytes_total, last_seq, error, reasons, created_by_id, created_by_name, created_at, started_at, finished_at, undone_at)
		values ($1,$2,$3,$4,$5,$6,$7,$8,'',$9,$10,$11,$12,0,0,0,0,0,0,0,0,0,$13,0,'','',$14,$15,$16,0,0,0)`,
		i.ID, string(i.Kind), i.Name, strings.ToLower(i.Name), i.File, i.UploadID, string(i.State), i.JobID, mustJSON(i.Mapping), mustJSON(i.Options), mustJSON(i.columns), i.Language,
		i.BytesTotal, i.CreatedByID, i.CreatedByName, clock.Ms(i.CreatedAt))
	if err != nil {
		return fmt.Errorf("record import: %w", err)
	}
	return nil
}

// saveProgress writes what an import has come to.
func (s *Service) saveProgress(ctx context.Context, i *Import) error {
	_, err := s.DB.Exec(ctx, `update imports set state = $2, rows_read = $3, rows_total = $4, accepted = $5, rejected = $6, contacts_created = $7, contacts_updated = $8,
		orders = $9, facts = $10, bytes_done = $11, last_seq = $12, error = $13, reasons = $14, started_at = $15, finished_at = $16, undone_at = $17, consents = $18, consents_kept = $19 where id = $1`,
		i.ID, string(i.State), i.Rows, i.RowsTotal, i.Accepted, i.Rejected, i.ContactsCreated, i.ContactsUpdated, i.Orders, i.Facts, i.BytesDone, int64(i.lastSeq),
		faultJSON(i.Error), mustJSON(i.Reasons), clock.Ms(i.StartedAt), clock.Ms(i.FinishedAt), clock.Ms(i.UndoneAt), i.Consents, i.ConsentsKept)
	if err != nil {
		return fmt.Errorf("record progress of %s: %w", i.ID, err)
	}
	s.DB.After(ctx, s.moved)
	return nil
}

// faultJSON keeps code and words of an error, not its cause.
func faultJSON(e *errs.Error) string {
	if e == nil {
		return ""
	}
	return mustJSON(e)
}

// Under these names rejected rows and the samples of an upload's columns are sealed.
const (
	rejectsField = "import_rejects.body"
	columnsField = "import_uploads.columns"
)

// Sealed are the columns of this package that hold sealed values, for key rotation.
func Sealed() []vault.Column {
	return []vault.Column{
		{Table: "import_rejects", Key: "import_id line:n", Column: "body", Field: rejectsField, Bytes: true, Clear: true},
		{Table: "import_uploads", Key: "id", Column: "columns", Field: columnsField, Clear: true},
	}
}

// isGzip tells rows that an older program kept unsealed.
func isGzip(body []byte) bool { return len(body) > 2 && body[0] == 0x1f && body[1] == 0x8b }

// saveRejects keeps rejected rows of one batch.
func (s *Service) saveRejects(ctx context.Context, importID string, rows []Rejected) error {
	if len(rows) == 0 {
		return nil
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	enc := json.NewEncoder(z)
	for _, r := range rows {
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("encode rejected row %d: %w", r.Line, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pack rejected rows: %w", err)
	}
	packed, err := s.Keys.SealBytes(nil, rejectsField, body.Bytes())
	if err != nil {
		return fmt.Errorf("seal rejected rows: %w", err)
	}
	_, err = s.DB.Exec(ctx, "insert into import_rejects (import_id, line, count, body) values ($1,$2,$3,$4) on conflict (import_id, line) do update set count = excluded.count, body = excluded.body",
		importID, rows[0].Line, int64(len(rows)), packed)
	if err != nil {
		return fmt.Errorf("keep rejected rows: %w", err)
	}
	return nil
}

// eachReject gives the rejected rows of an import, by the batch they came in.
func (s *Service) eachReject(ctx context.Context, importID string, fn func(Rejected) error) error {
	for after := int64(-1); ; {
		var body []byte
		err := s.DB.QueryRow(ctx, "select line, body from import_rejects where import_id = $1 and line > $2 order by line limit 1", importID, after).Scan(&after, &body)
		if db.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read rejected rows: %w", err)
		}
		if !isGzip(body) {
			if body, err = s.Keys.OpenBytes(rejectsField, body); err != nil {
				return fmt.Errorf("open rejected rows: %w", err)
			}
		}
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("unpack rejected rows: %w", err)
		}
		for dec := json.NewDecoder(z); ; {
			var r Rejected
			if err := dec.Decode(&r); err == io.EOF {
				break
			} else if err != nil {
				return fmt.Errorf("unpack rejected rows: %w", err)
			}
			if err := fn(r); err != nil {
				return err
			}
		}
	}
}

func (s *Service) insertUpload(ctx context.Context, u Upload, by string) error {
	info := u.Info
	info.Sample = nil
	columns, err := s.Keys.Seal(columnsField, mustJSON(u.Columns))
	if err != nil {
		return fmt.Errorf("seal samples: %w", err)
	}
	_, err = s.DB.Exec(ctx, "insert into import_uploads (id, name, size, file_key, info, columns, suggestion, created_by_id, created_at) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
		u.ID, u.Name, u.Size, u.key, mustJSON(info), columns, mustJSON(u.Suggestion), by, clock.Ms(u.CreatedAt))
	if err != nil {
		return fmt.Errorf("record upload: %w", err)
	}
	return nil
}

func (s *Service) upload(ctx context.Context, id string) (Upload, error) {
	u := Upload{ID: id}
	var info, columns, suggestion string
	var created int64
	err := s.DB.QueryRow(ctx, "select name, size, file_key, info, columns, suggestion, created_by_id, created_at from import_uploads where id = $1", id).
		Scan(&u.Name, &u.Size, &u.key, &info, &columns, &suggestion, &u.by, &created)
	if db.NoRows(err) {
		return u, errs.New(errs.NotFound, "import.upload_not_found")
	}
	if err != nil {
		return u, fmt.Errorf("read upload: %w", err)
	}
	u.CreatedAt = time.UnixMilli(created).UTC()
	if columns, err = s.Keys.OpenOrClear(columnsField, columns); err != nil {
		return u, fmt.Errorf("open samples: %w", err)
	}
	for text, into := range map[string]any{info: &u.Info, columns: &u.Columns, suggestion: &u.Suggestion} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return u, fmt.Errorf("upload %s: %w", id, err)
		}
	}
	return u, nil
}

func (s *Service) mappingsWhere(ctx context.Context, where string, args ...any) ([]SavedMapping, error) {
	rows, err := s.DB.Query(ctx, "select id, name, kind, mapping, options from import_mappings where "+where, args...)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (SavedMapping, error) {
		var m SavedMapping
		var mapping, options string
		if err := r.Scan(&m.ID, &m.Name, &m.Kind, &mapping, &options); err != nil {
			return m, err
		}
		if err := json.Unmarshal([]byte(mapping), &m.Mapping); err != nil {
			return m, err
		}
		return m, json.Unmarshal([]byte(options), &m.Options)
	})
	if err != nil {
		return nil, fmt.Errorf("read saved mappings: %w", err)
	}
	return out, nil
}
