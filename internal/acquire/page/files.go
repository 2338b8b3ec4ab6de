package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// pictures are what every phone shows.
var pictures = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

func blobKey(id string) string { return "pages/" + id }

// AddFile keeps a picture. What it is tells its content, not its name.
func (s *Service) AddFile(ctx context.Context, name string, body io.Reader) (File, error) {
	name = veil.Text(strings.TrimSpace(path.Base("/" + strings.ReplaceAll(name, "\\", "/"))))
	if name == "" || name == "/" {
		return File{}, bad("name", "request.field_required")
	}
	if r := []rune(name); len(r) > 120 {
		name = string(r[len(r)-120:])
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxFile+1))
	switch {
	case err != nil:
		return File{}, fmt.Errorf("read picture: %w", err)
	case len(raw) > maxFile:
		return File{}, errs.New(errs.TooLarge, "file.too_large", "limit", maxFile>>20)
	}
	typ, _, _ := strings.Cut(http.DetectContentType(raw), ";")
	if !slices.Contains(pictures, typ) {
		return File{}, bad("file", "file.bad_type", "allowed", "png, jpg, gif, webp")
	}
	f := File{ID: s.IDs.New("pf"), Name: name, Type: typ, Size: int64(len(raw))}
	f.Path = FilePath + f.ID
	if _, err := s.Files.Put(ctx, blobKey(f.ID), bytes.NewReader(raw)); err != nil {
		return File{}, fmt.Errorf("store picture: %w", err)
	}
	_, err = s.DB.Exec(ctx, "insert into page_files (id, name, type, size, at, by_name) values ($1,$2,$3,$4,$5,$6)", f.ID, f.Name, f.Type, f.Size, clock.Ms(s.Clock.Now()), principal(ctx).Name)
	if err != nil {
		return File{}, errors.Join(fmt.Errorf("keep picture: %w", err), s.Files.Delete(ctx, blobKey(f.ID)))
	}
	return f, s.record(ctx, "page.file_added", f.ID, f.Name, map[string]any{"bytes": f.Size})
}

func (s *Service) file(ctx context.Context, id string) (File, bool, error) {
	f := File{Path: FilePath + id}
	err := s.DB.QueryRow(ctx, "select id, name, type, size from page_files where id = $1", id).Scan(&f.ID, &f.Name, &f.Type, &f.Size)
	if db.NoRows(err) {
		return f, false, nil
	}
	if err != nil {
		return f, false, fmt.Errorf("read picture: %w", err)
	}
	return f, true, nil
}

// serveFile shows a picture to anybody who knows its id.
func (s *Service) serveFile(w http.ResponseWriter, r *http.Request) {
	f, ok, err := s.file(r.Context(), r.PathValue("id"))
	var body blob.Reader
	var info blob.Info
	if err == nil && ok {
		body, info, err = s.Files.Get(r.Context(), blobKey(f.ID))
	}
	if err == nil && !ok {
		err = errs.New(errs.NotFound, "page.no_such_file")
	}
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	defer body.Close()
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", info.ModifiedAt, body)
}

func (s *Service) serveUpload(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > maxFile {
		httpx.WriteError(w, r, errs.New(errs.TooLarge, "file.too_large", "limit", maxFile>>20))
		return
	}
	f, err := s.AddFile(r.Context(), r.URL.Query().Get("name"), r.Body)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	httpx.WriteJSON(w, http.StatusOK, f)
}
