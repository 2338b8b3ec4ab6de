package importer

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Samples of a column that an upload shows.
const (
	samplesShown  = 5
	sampleMaximum = 120 // bytes
)

// CreateUpload stores a file and looks at it.
func (s *Service) CreateUpload(ctx context.Context, name string, body io.Reader) (Upload, error) {
	return s.CreateUploadOf(ctx, "", name, body)
}

// CreateUploadOf is CreateUpload where it is known what the rows are: columns are
// guessed as of that kind. "" has the kind guessed too.
func (s *Service) CreateUploadOf(ctx context.Context, kind Kind, name string, body io.Reader) (Upload, error) {
	if kind != "" && !kind.Valid() {
		return Upload{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("kind", "import.bad_kind"))
	}
	name = clip(strings.ToValidUTF8(filepath.Base(strings.ReplaceAll(strings.TrimSpace(name), "\\", "/")), ""), 200)
	if name == "" || name == "." || name == "/" {
		name = "import.csv"
	}
	u := Upload{ID: s.IDs.New("up"), Name: name, CreatedAt: s.Clock.Now()}
	u.key = "imports/" + u.ID
	bounded := &bounded{r: body, left: s.MaxUpload}
	info, err := s.Files.Put(ctx, u.key, bounded)
	if bounded.over {
		err = errors.Join(errs.New(errs.TooLarge, "import.file_too_large", "limit", s.MaxUpload>>20), s.Files.Delete(ctx, u.key))
	}
	if err != nil {
		return u, fmt.Errorf("store upload: %w", err)
	}
	u.Size = info.Size
	if err := s.look(ctx, &u, "", kind); err != nil {
		if derr := s.Files.Delete(ctx, u.key); derr != nil {
			s.Log.WarnContext(ctx, "a refused upload stays behind", "key", u.key, "error", derr)
		}
		return u, err
	}
	by := ""
	if p := auth.From(ctx); p != nil {
		by = p.ID
	}
	u.by = by
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.insertUpload(ctx, u, by); err != nil {
			return err
		}
		return s.Audit.Record(ctx, "import.uploaded", audit.Object{Type: "upload", ID: u.ID, Name: u.Name}, map[string]any{"size": u.Size, "format": u.Info.Format})
	})
	if err != nil {
		return u, err
	}
	s.tidy(ctx)
	return s.withSavedMapping(ctx, u)
}

// bounded ends a body that is too large.
type bounded struct {
	r    io.Reader
	left int64
	over bool
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.over = true
		return n, errors.New("the upload is too large")
	}
	return n, err
}

// CreateUploadFromFile is CreateUpload for a file of this machine: the command line.
func (s *Service) CreateUploadFromFile(ctx context.Context, kind Kind, path string) (Upload, error) {
	f, err := os.Open(path)
	if err != nil {
		return Upload{}, errs.New(errs.NotFound, "import.cannot_open", "file", path).Wrap(err)
	}
	defer f.Close()
	return s.CreateUploadOf(ctx, kind, filepath.Base(path), f)
}

// GetUpload reads an upload; sheet, when not "", is looked at instead of the first one with rows.
func (s *Service) GetUpload(ctx context.Context, id, sheet string) (Upload, error) {
	u, err := s.upload(ctx, id)
	if err != nil {
		return u, err
	}
	if err := mayLook(ctx, u.by); err != nil {
		return u, err
	}
	if sheet != "" && sheet != u.Info.Sheet {
		if err := s.look(ctx, &u, sheet, ""); err != nil {
			return u, err
		}
	}
	return s.withSavedMapping(ctx, u)
}

func (s *Service) source(ctx context.Context, u Upload) table.Source {
	return table.Source{Name: u.Name, Size: u.Size, Open: func() (io.ReadCloser, error) {
		r, _, err := s.Files.Get(ctx, u.key)
		if err != nil {
			return nil, err
		}
		return untilDone{r, ctx}, nil
	}}
}

// untilDone ends reading with its context: a packed file of a few megabytes
// may unpack to a line without end.
type untilDone struct {
	blob.Reader
	ctx context.Context
}

// Read implements io.Reader.
func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}

// lookTime bounds a look at a file: usually milliseconds, seconds for a large workbook.
const lookTime = 2 * time.Minute

// look fills in what the file is, of a kind if that is known.
func (s *Service) look(ctx context.Context, u *Upload, sheet string, kind Kind) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	in, err := table.Sniff(s.source(ctx, *u), sheet)
	if err != nil {
		return err
	}
	u.Info, u.Columns = in, make([]Column, len(in.Columns))
	for i, name := range in.Columns {
		c := Column{Index: i, Name: name, Samples: []string{}}
		for _, row := range in.Sample {
			if i >= len(row.Cells) || row.Err != nil || len(c.Samples) == samplesShown {
				continue
			}
			if v := clip(trim(row.Cells[i]), sampleMaximum); v != "" && !slices.Contains(c.Samples, v) {
				c.Samples = append(c.Samples, v)
			}
		}
		u.Columns[i] = c
	}
	if kind == "" {
		u.Suggestion = Guess(in)
	} else {
		u.Suggestion = GuessAs(in, kind)
	}
	s.nameAttributes(ctx, u.Suggestion.Mapping)
	s.nameConsents(ctx, u.Suggestion)
	u.Info.Sample = nil
	return nil
}

// fingerprint is the same for files with the same columns.
func fingerprint(columns []string) string {
	sorted := slices.Clone(columns)
	slices.Sort(sorted)
	sum := sha256.Sum256([]byte(strings.Join(sorted, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func (s *Service) withSavedMapping(ctx context.Context, u Upload) (Upload, error) {
	found, err := s.mappingsWhere(ctx, "fingerprint = $1 order by used_at desc, id desc limit 1", fingerprint(u.Info.Columns))
	if err != nil || len(found) == 0 {
		return u, err
	}
	u.SavedMapping = &found[0]
	return u, nil
}

// Mappings lists saved mappings of a kind, "" for all, by name.
func (s *Service) Mappings(ctx context.Context, kind Kind) ([]SavedMapping, error) {
	return s.mappingsWhere(ctx, "kind = $1 or $1 = '' order by name, id limit 500", string(kind))
}

// DeleteMapping forgets a saved mapping.
func (s *Service) DeleteMapping(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.DB.ExecN(ctx, "delete from import_mappings where id = $1", id)
		if err != nil {
			return fmt.Errorf("delete mapping: %w", err)
		}
		if n == 0 {
			return errs.New(errs.NotFound, "import.mapping_not_found")
		}
		return s.Audit.Record(ctx, "import.mapping_deleted", audit.Object{Type: "mapping", ID: id}, nil)
	})
}

// saveMapping keeps a mapping under a name; the same name of the same kind is replaced.
func (s *Service) saveMapping(ctx context.Context, name string, kind Kind, columns []string, m Mapping, o Options) error {
	o.Sheet = "" // belongs to one file
	now := s.Clock.Now().UnixMilli()
	_, err := s.DB.Exec(ctx, `insert into import_mappings (id, name, kind, fingerprint, mapping, options, created_at, used_at) values ($1,$2,$3,$4,$5,$6,$7,$7)
		on conflict (kind, name) do update set fingerprint = excluded.fingerprint, mapping = excluded.mapping, options = excluded.options, used_at = excluded.used_at`,
		s.IDs.New("mp"), name, string(kind), fingerprint(columns), mustJSON(m), mustJSON(o), now)
	if err != nil {
		return fmt.Errorf("save mapping: %w", err)
	}
	return nil
}

// uploadKept is how long an upload that no import uses is kept.
const uploadKept = 7 * 24 * time.Hour

// tidy removes some old uploads that nobody imported. What fails is tried again
// with the next upload.
func (s *Service) tidy(ctx context.Context) {
	rows, err := s.DB.Query(ctx, `select id, file_key from import_uploads u where created_at < $1
		and not exists (select 1 from imports i where i.upload_id = u.id) order by created_at limit 20`, s.Clock.Now().Add(-uploadKept).UnixMilli())
	old, err := db.Collect(rows, err, func(r *sql.Rows) (u Upload, err error) { return u, r.Scan(&u.ID, &u.key) })
	for _, u := range old {
		if err = s.Files.Delete(ctx, u.key); err != nil {
			break
		}
		if _, err = s.DB.Exec(ctx, "delete from import_uploads where id = $1 and not exists (select 1 from imports where upload_id = $1)", u.ID); err != nil {
			break
		}
	}
	if err != nil {
		s.Log.WarnContext(ctx, "old uploads stay behind", "error", err)
	}
}
