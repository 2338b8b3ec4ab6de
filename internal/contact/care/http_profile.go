package care

import (
	"context"
	"net/http"
	"strings"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
)

type (
	filesOut struct {
		Body struct {
			Items []File `json:"items"`
		}
	}
	fileIn struct {
		ID   string `path:"id" doc:"Contact id"`
		File string `path:"file" doc:"File id"`
	}
	relationsOut struct {
		Body struct {
			Items []RelatedPerson `json:"items"`
		}
	}
	relateIn struct {
		ID   string `path:"id" doc:"Contact id"`
		Body NewRelation
	}
	relationOut struct{ Body RelatedPerson }
	relationIn  struct {
		ID       string `path:"id" doc:"Contact id"`
		Relation string `path:"relation" doc:"Relation id"`
	}
)

// profileRoutes declares files about contacts and the people related to them.
// What is in a file is as personal as what is masked elsewhere, so that reading
// one takes the same permission.
func (s *Service) profileRoutes(api *httpx.API, op func(id, method, path string, may auth.Permission, summary string) httpx.Op) {
	httpx.Register(api, op("list-contact-files", http.MethodGet, "/api/contacts/{id}/files", auth.ContactRead, "List the files about a contact, newest first"), func(ctx context.Context, in *contactIn) (*filesOut, error) {
		out := &filesOut{}
		var err error
		out.Body.Items, err = s.FilesOf(ctx, in.ID)
		return out, err
	})
	up := op("add-contact-file", http.MethodPost, "/api/contacts/{id}/files", auth.ContactWrite, "Add a file about a contact; the body is the file, its name stands in the query")
	up.MaxBody, up.Timeout = maxFile+1, -1
	httpx.Handle(api, up, http.HandlerFunc(s.serveUpload))
	down := op("read-contact-file", http.MethodGet, "/api/contacts/{id}/files/{file}", auth.ContactUnmask, "Download a file about a contact; kept in the audit log")
	down.Timeout = -1
	httpx.Handle(api, down, http.HandlerFunc(s.serveFile))
	httpx.Register(api, op("delete-contact-file", http.MethodDelete, "/api/contacts/{id}/files/{file}", auth.ContactWrite, "Delete a file about a contact"), func(ctx context.Context, in *fileIn) (*struct{}, error) {
		return nil, s.DeleteFile(ctx, in.ID, in.File)
	})
	httpx.Register(api, op("list-contact-relations", http.MethodGet, "/api/contacts/{id}/relations", auth.ContactRead, "List who has to do with a contact"), func(ctx context.Context, in *contactIn) (*relationsOut, error) {
		out := &relationsOut{}
		var err error
		out.Body.Items, err = s.RelationsOf(ctx, in.ID)
		return out, err
	})
	relate := op("relate-contacts", http.MethodPost, "/api/contacts/{id}/relations", auth.ContactWrite, "Say that another contact has to do with one")
	relate.Idempotent = true
	httpx.Register(api, relate, func(ctx context.Context, in *relateIn) (*relationOut, error) {
		p, err := s.Relate(ctx, in.ID, in.Body)
		return &relationOut{p}, err
	})
	httpx.Register(api, op("unrelate-contacts", http.MethodDelete, "/api/contacts/{id}/relations/{relation}", auth.ContactWrite, "Take such a relation away"), func(ctx context.Context, in *relationIn) (*struct{}, error) {
		return nil, s.Unrelate(ctx, in.ID, in.Relation)
	})
}

func (s *Service) serveUpload(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > maxFile {
		httpx.WriteError(w, r, errs.New(errs.TooLarge, "file.too_large", "limit", maxFile>>20))
		return
	}
	f, err := s.AddFile(r.Context(), r.PathValue("id"), r.URL.Query().Get("name"), r.Body)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	httpx.WriteJSON(w, http.StatusOK, f)
}

// serveFile gives a file as a download. Pictures alone are shown in the page when
// asked for, and even then a browser may run nothing.
func (s *Service) serveFile(w http.ResponseWriter, r *http.Request) {
	f, body, err := s.OpenFile(r.Context(), r.PathValue("id"), r.PathValue("file"))
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	defer body.Close()
	h := w.Header()
	typ := f.Type
	if strings.HasPrefix(typ, "text/") {
		typ += "; charset=utf-8"
	}
	disposition := jobs.Attachment(f.Name)
	if f.Picture && r.URL.Query().Get("show") != "" {
		disposition = "inline"
	}
	h.Set("Content-Type", typ)
	h.Set("Content-Disposition", disposition)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", f.CreatedAt, body)
}
