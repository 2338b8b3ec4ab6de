package livecode

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// File is a picture or a file that welcomes send.
type File struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Type    string    `json:"type" doc:"Media type that the contents turned out to be"`
	Size    int64     `json:"size" doc:"Bytes"`
	Picture bool      `json:"picture"`
	At      time.Time `json:"at"`
}

// pictures are what the platform takes as an image.
var pictures = []string{"image/png", "image/jpeg"}

// fileTypes are the endings that may be sent as a file.
var fileTypes = []string{".pdf", ".docx", ".xlsx", ".pptx", ".doc", ".xls", ".ppt", ".txt", ".csv", ".zip", ".png", ".jpg", ".jpeg"}

func blobKey(id string) string { return "livecodes/" + id }

// AddFile keeps a picture or a file.
func (s *Service) AddFile(ctx context.Context, name string, body io.Reader) (File, error) {
	name = veil.Text(strings.TrimSpace(path.Base("/" + strings.ReplaceAll(name, "\\", "/"))))
	if name == "" || name == "/" {
		return File{}, bad("name", "request.field_required")
	}
	if r := []rune(name); len(r) > 120 {
		name = string(r[len(r)-120:])
	}
	if !slices.Contains(fileTypes, strings.ToLower(path.Ext(name))) {
		return File{}, bad("file", "file.bad_type", "allowed", strings.Join(fileTypes, ", "))
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxFile+1))
	switch {
	case err != nil:
		return File{}, fmt.Errorf("read file: %w", err)
	case len(raw) > maxFile:
		return File{}, errs.New(errs.TooLarge, "file.too_large", "limit", maxFile>>20)
	case len(raw) < 6:
		return File{}, bad("file", "file.empty")
	}
	typ, _, _ := strings.Cut(http.DetectContentType(raw), ";")
	f := File{ID: s.IDs.New("lm"), Name: name, Type: typ, Size: int64(len(raw)), Picture: slices.Contains(pictures, typ), At: s.Clock.Now()}
	if typ == "text/html" || typ == "text/xml" {
		return File{}, bad("file", "file.bad_type", "allowed", strings.Join(fileTypes, ", "))
	}
	if _, err := s.Files.Put(ctx, blobKey(f.ID), bytes.NewReader(raw)); err != nil {
		return File{}, fmt.Errorf("store file: %w", err)
	}
	if _, err := s.DB.Exec(ctx, "insert into livecode_files (id, name, type, size, at, by_name) values ($1, $2, $3, $4, $5, $6)", f.ID, f.Name, f.Type, f.Size, clock.Ms(f.At), principal(ctx).Name); err != nil {
		return File{}, errors.Join(fmt.Errorf("keep file: %w", err), s.Files.Delete(ctx, blobKey(f.ID)))
	}
	return f, s.record(ctx, "livecode.file_added", f.ID, f.Name, map[string]any{"bytes": f.Size})
}

func (s *Service) file(ctx context.Context, id string) (File, bool, error) {
	var f File
	var at int64
	err := s.DB.QueryRow(ctx, "select id, name, type, size, at from livecode_files where id = $1", id).Scan(&f.ID, &f.Name, &f.Type, &f.Size, &at)
	if db.NoRows(err) {
		return f, false, nil
	}
	if err != nil {
		return f, false, fmt.Errorf("read file: %w", err)
	}
	f.At, f.Picture = clock.FromMs(at), slices.Contains(pictures, f.Type)
	return f, true, nil
}

// OpenFile gives a file and its contents. Close them.
func (s *Service) OpenFile(ctx context.Context, id string) (File, blob.Reader, error) {
	f, ok, err := s.file(ctx, id)
	if err != nil {
		return f, nil, err
	}
	if !ok {
		return f, nil, errs.New(errs.NotFound, "livecode.no_such_file")
	}
	r, _, err := s.Files.Get(ctx, blobKey(id))
	return f, r, err
}

type mediaKey struct{ file, account, kind string }

type mediaValue struct {
	media string
	until int64
}

// mediaAhead is how long before the platform forgets a file it is handed over anew.
const mediaAhead = 12 * time.Hour

// mediaKind is as what the platform keeps a file of an attachment; "" needs none.
func mediaKind(a *Attachment) string {
	switch {
	case a.File == "":
		return ""
	case a.Kind == PartFile:
		return "file"
	case a.Kind == PartLink:
		return "picture" // an address that lasts
	}
	return "image"
}

// readMedia reads the platform's ids into memory.
func (s *Service) readMedia(ctx context.Context) error {
	rows, err := s.DB.Query(ctx, "select file, account, kind, media, until from livecode_media where until > $1", clock.Ms(s.Clock.Now()))
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var k mediaKey
		var v mediaValue
		if err = r.Scan(&k.file, &k.account, &k.kind, &v.media, &v.until); err == nil {
			s.media.Store(k, v)
		}
		return x, err
	})
	if err != nil {
		return fmt.Errorf("read media: %w", err)
	}
	return nil
}

// freshMedia hands files over to the platform before a welcome needs them: there
// is no time then.
func (s *Service) freshMedia(ctx context.Context) error {
	limit := clock.Ms(s.Clock.Now().Add(mediaAhead))
	need := map[mediaKey]bool{}
	take := func(account string, list []*Attachment) {
		for _, a := range list {
			k := mediaKey{a.File, account, mediaKind(a)}
			if k.kind == "" {
				continue
			}
			if v, ok := s.media.Load(k); !ok || v.(mediaValue).until < limit {
				need[k] = true
			}
		}
	}
	for _, c := range s.book.all() {
		if c.State == Active {
			take(c.Account, c.attachments())
		}
	}
	s.book.mu.RLock()
	general := s.book.general
	s.book.mu.RUnlock()
	for account, w := range general {
		d := Definition{Welcome: w}
		take(account, d.attachments())
	}
	var faults []error
	for k := range need {
		if ctx.Err() != nil {
			break
		}
		call, cancel := context.WithTimeout(ctx, callTime)
		if _, err := s.handOver(call, k); err != nil {
			faults = append(faults, err)
		}
		cancel()
	}
	return errors.Join(faults...)
}

// handOver gives one file to the platform and keeps its id.
func (s *Service) handOver(ctx context.Context, k mediaKey) (string, error) {
	f, r, err := s.OpenFile(ctx, k.file)
	if err != nil {
		return "", err
	}
	defer r.Close()
	media, until, err := s.Platform.Media(ctx, k.account, k.kind, f.Name, r)
	if err != nil {
		return "", fmt.Errorf("hand over %s: %w", k.file, err)
	}
	v := mediaValue{media, clock.Ms(until)}
	if _, err := s.DB.Exec(ctx, `insert into livecode_media (file, account, kind, media, until) values ($1, $2, $3, $4, $5)
		on conflict (file, account, kind) do update set media = excluded.media, until = excluded.until`, k.file, k.account, k.kind, v.media, v.until); err != nil {
		return "", fmt.Errorf("keep media: %w", err)
	}
	s.media.Store(k, v)
	return media, nil
}

// part makes an attachment the platform's. One whose file the platform does not
// have, and does not take in a moment, is left out: the rest is not to wait.
func (s *Service) part(ctx context.Context, account string, a Attachment) (Part, bool) {
	p := Part{Kind: a.Kind, Title: a.Title, Note: a.Note, URL: a.URL, AppID: a.AppID, AppPath: a.AppPath}
	k := mediaKey{a.File, account, mediaKind(&a)}
	if k.kind == "" {
		return p, true
	}
	media := ""
	if v, ok := s.media.Load(k); ok && v.(mediaValue).until > clock.Ms(s.Clock.Now()) {
		media = v.(mediaValue).media
	} else {
		call, cancel := context.WithTimeout(ctx, nameTime)
		defer cancel()
		var err error
		if media, err = s.handOver(call, k); err != nil {
			s.Log.WarnContext(ctx, "a welcome goes without an attachment", "file", a.File, "error", err)
			return p, a.Kind == PartLink // a link does without its picture
		}
	}
	if k.kind == "picture" {
		p.Picture = media
	} else {
		p.Media = media
	}
	return p, true
}
