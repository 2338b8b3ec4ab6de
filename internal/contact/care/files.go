package care

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	nameField = "care.file_name"
	// maxFile is the largest file, in bytes; maxFiles how many a contact may have.
	maxFile  = 20 << 20
	maxFiles = 200
	// goneAfter is how long an upload may take, and a deletion wait.
	goneAfter = time.Hour
)

// File is a file about a contact.
type File struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Type      string      `json:"type" doc:"Media type that the contents turned out to be"`
	Size      int64       `json:"size" doc:"Bytes"`
	Picture   bool        `json:"picture" doc:"May be shown in the page"`
	By        contact.Ref `json:"by"`
	CreatedAt time.Time   `json:"createdAt"`
}

// FilesOf lists the files about a contact and those merged into it, newest first.
func (s *Service) FilesOf(ctx context.Context, id string) ([]File, error) {
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.files(ctx, num, "")
}

func (s *Service) files(ctx context.Context, num int64, only string) ([]File, error) {
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return nil, err
	}
	args := make([]any, len(group), len(group)+1)
	for i, n := range group {
		args[i] = n
	}
	cond := "contact in (" + db.In(1, len(group)) + ")"
	if only != "" {
		cond += fmt.Sprintf(" and id = $%d", len(group)+1)
		args = append(args, only)
	}
	rows, err := s.DB.Query(ctx, "select id, name, type, size, by_id, by_name, at from contact_files where "+cond+fmt.Sprintf(" order by at desc, id desc limit %d", 2*maxFiles), args...)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (f File, err error) {
		var at int64
		if err = r.Scan(&f.ID, &f.Name, &f.Type, &f.Size, &f.By.ID, &f.By.Name, &at); err != nil {
			return f, err
		}
		f.CreatedAt, f.Picture = clock.FromMs(at), slices.Contains(pictures, f.Type)
		f.Name, err = s.Keys.Open(nameField, f.Name)
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	return out, nil
}

func fileKey(id string) string { return "contacts/" + id }

// AddFile stores a file about a contact. What it is, its contents say: a name
// that says otherwise is refused, and so is what a browser could run.
func (s *Service) AddFile(ctx context.Context, contactID, name string, body io.Reader) (File, error) {
	name = cleanFileName(name)
	if name == "" {
		return File{}, errInput.On(errs.At("name", "request.field_required"))
	}
	num, err := s.Contacts.NumOf(ctx, contactID)
	if err != nil {
		return File{}, err
	}
	there, err := s.files(ctx, num, "")
	if err != nil {
		return File{}, err
	}
	if len(there) >= maxFiles {
		return File{}, errs.New(errs.Conflict, "file.too_many", "limit", maxFiles)
	}
	head := make([]byte, 1024)
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return File{}, fmt.Errorf("read file: %w", err)
	}
	if n == 0 {
		return File{}, errInput.On(errs.At("file", "file.empty"))
	}
	by, now := principal(ctx), s.Clock.Now()
	f := File{ID: s.IDs.New("fl"), Name: name, By: contact.Ref{ID: by.ID, Name: by.Name}, CreatedAt: now}
	if f.Type = typeOf(head[:n], name); f.Type == "" {
		return File{}, errInput.On(errs.At("file", "file.bad_type", "allowed", strings.Join(extensions(), ", ")))
	}
	f.Picture = slices.Contains(pictures, f.Type)
	sealed, err := s.Keys.Seal(nameField, name)
	if err != nil {
		return File{}, err
	}
	// Should the program die before it is anybody's, the sweep finds it here.
	if _, err := s.DB.Exec(ctx, "insert into contact_files_gone (id, at) values ($1, $2)", f.ID, now.UnixMilli()); err != nil {
		return File{}, fmt.Errorf("begin upload: %w", err)
	}
	bounded := &upTo{r: io.MultiReader(bytes.NewReader(head[:n]), body), left: maxFile}
	info, err := s.Blobs.Put(ctx, fileKey(f.ID), bounded)
	if bounded.over {
		return File{}, errs.New(errs.TooLarge, "file.too_large", "limit", maxFile>>20)
	}
	if err != nil {
		return File{}, fmt.Errorf("store file: %w", err)
	}
	f.Size = info.Size
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.Contacts.NumOf(ctx, contactID) // it may have been merged or taken away meanwhile
		if err != nil {
			return err
		}
		_, err = s.DB.Exec(ctx, "insert into contact_files (id, contact, name, type, size, by_id, by_name, at) values ($1,$2,$3,$4,$5,$6,$7,$8)",
			f.ID, num, sealed, f.Type, f.Size, by.ID, by.Name, now.UnixMilli())
		if err == nil {
			_, err = s.DB.Exec(ctx, "delete from contact_files_gone where id = $1", f.ID)
		}
		if err != nil {
			return fmt.Errorf("write file: %w", err)
		}
		if err := s.stateOf(ctx, event.NameFileAdded, num, map[string]any{"file": f.ID, "by": by.Name}); err != nil {
			return err
		}
		return s.recordOf(ctx, "contact.file_added", num, map[string]any{"file": f.ID, "size": f.Size, "type": f.Type})
	})
	return f, err
}

// OpenFile opens a file about a contact; whoever reads one is written down first.
func (s *Service) OpenFile(ctx context.Context, contactID, id string) (File, blob.Reader, error) {
	num, err := s.Contacts.NumOf(ctx, contactID)
	if err != nil {
		return File{}, nil, err
	}
	found, err := s.files(ctx, num, id)
	if err != nil {
		return File{}, nil, err
	}
	if len(found) == 0 {
		return File{}, nil, errs.New(errs.NotFound, "file.not_found")
	}
	if err := s.recordOf(ctx, "contact.file_read", num, map[string]any{"file": id}); err != nil {
		return File{}, nil, err
	}
	r, _, err := s.Blobs.Get(ctx, fileKey(id))
	return found[0], r, err
}

// DeleteFile takes a file away.
func (s *Service) DeleteFile(ctx context.Context, contactID, id string) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.Contacts.NumOf(ctx, contactID)
		if err != nil {
			return err
		}
		found, err := s.files(ctx, num, id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errs.New(errs.NotFound, "file.not_found")
		}
		if err := s.dropFiles(ctx, []string{id}); err != nil {
			return err
		}
		return s.recordOf(ctx, "contact.file_deleted", num, map[string]any{"file": id, "size": found[0].Size, "type": found[0].Type})
	})
	if err != nil {
		return err
	}
	if err := s.sweepFile(ctx, id); err != nil { // else the sweep does it
		s.Log.WarnContext(ctx, "a deleted file is not out of the store yet", "file", id, "error", err)
	}
	return nil
}

// dropFiles makes files nobody's, to be removed from the store at once.
func (s *Service) dropFiles(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if _, err := s.DB.Exec(ctx, "delete from contact_files where id = $1", id); err != nil {
			return fmt.Errorf("forget file: %w", err)
		}
		if _, err := s.DB.Exec(ctx, "insert into contact_files_gone (id, at) values ($1, 0) on conflict (id) do update set at = 0", id); err != nil {
			return fmt.Errorf("forget file: %w", err)
		}
	}
	return nil
}

func (s *Service) sweepFile(ctx context.Context, id string) error {
	if err := s.Blobs.Delete(ctx, fileKey(id)); err != nil {
		return err
	}
	_, err := s.DB.Exec(ctx, "delete from contact_files_gone where id = $1", id)
	return err
}

// sweep removes files from the store that belong to nobody any more.
func (s *Service) sweep(ctx context.Context) error {
	if s.Blobs == nil {
		return nil
	}
	rows, err := s.DB.Query(ctx, "select id from contact_files_gone where at <= $1 order by at limit 200", s.Clock.Now().Add(-goneAfter).UnixMilli())
	ids, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return fmt.Errorf("find files of nobody: %w", err)
	}
	for _, id := range ids {
		if err := s.sweepFile(ctx, id); err != nil {
			return fmt.Errorf("remove file: %w", err)
		}
	}
	return nil
}

// Forget takes away all that is kept here of contacts that are gone.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	for part := range slices.Chunk(nums, 200) {
		args := make([]any, len(part))
		for i, n := range part {
			args[i] = n
		}
		in := "(" + db.In(1, len(part)) + ")"
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			rows, err := s.DB.Query(ctx, "select id from contact_files where contact in "+in, args...)
			ids, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
			if err != nil {
				return err
			}
			if err := s.dropFiles(ctx, ids); err != nil {
				return err
			}
			for _, from := range []string{"follow_ups where contact in ", "notifications where contact in ", "contact_relations where from_contact in ", "contact_relations where to_contact in "} {
				if _, err := s.DB.Exec(ctx, "delete from "+from+in, args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget contacts: %w", err)
		}
	}
	return s.sweep(ctx)
}

// upTo ends a body that is too large.
type upTo struct {
	r    io.Reader
	left int64
	over bool
}

func (u *upTo) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if u.left -= int64(n); u.left < 0 {
		u.over = true
		return n, errors.New("the file is too large")
	}
	return n, err
}

// cleanFileName keeps the last part of a path, without marks that make a name
// read backwards or break a line.
func cleanFileName(name string) string {
	name = filepath.Base(strings.ReplaceAll(strings.ToValidUTF8(strings.TrimSpace(name), ""), "\\", "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, name)
	if name = strings.Trim(name, ". "); name == "" || name == "/" {
		return ""
	}
	if r := []rune(name); len(r) > 120 { // the ending stays
		name = string(r[:100]) + "…" + string(r[len(r)-19:])
	}
	return name
}

// recordOf writes into the audit log what happened to a contact.
func (s *Service) recordOf(ctx context.Context, action string, num int64, detail map[string]any) error {
	refs, err := s.Contacts.Refs(ctx, []int64{num})
	if err != nil {
		return err
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "contact", ID: refs[num].ID, Name: refs[num].Name}, detail)
}
