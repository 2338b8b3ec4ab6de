package page

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/qr"
)

// IDPath names a page in the path. It is exported because the API layer reads no
// parameters of embedded types that are not.
type IDPath struct {
	ID string `path:"id" maxLength:"60" doc:"Id of the page"`
}

type (
	listInput struct {
		Q     string `query:"q" maxLength:"100"`
		State string `query:"state" enum:"draft,live,stopped,expired"`
	}
	listOutput struct {
		Body struct {
			Items []Row `json:"items"`
		}
	}
	pageOutput  struct{ Body Page }
	changeInput struct {
		IDPath
		Body Input
	}
	statsInput struct {
		IDPath
		From time.Time `query:"from" required:"true" doc:"Inclusive"`
		To   time.Time `query:"to" required:"true" doc:"Exclusive"`
	}
	statsOutput   struct{ Body Stats }
	choicesOutput struct{ Body Choices }
	previewInput  struct {
		Body struct {
			Title  string `json:"title,omitempty" maxLength:"320"`
			Design Design `json:"design"`
		}
	}
	previewOutput struct {
		Body struct {
			HTML string `json:"html" doc:"The whole page; it has no script, and nothing in it can be sent"`
		}
	}
)

// Routes declares the API of landing pages, and the pages themselves.
func (s *Service) Routes(api *httpx.API) {
	get, post, put := http.MethodGet, http.MethodPost, http.MethodPut
	open := func(id, method, path, summary string, h http.HandlerFunc) {
		httpx.Handle(api, httpx.Op{ID: id, Method: method, Path: path, Tag: "pages", Permission: auth.Public, Quiet: true, Hidden: true, MaxBody: maxForm, Timeout: 20 * time.Second, Summary: summary}, h)
	}
	open("open-page", get, Path+"{slug}", "A landing page", s.serveShow)
	open("send-page", post, Path+"{slug}", "The form of a landing page", s.servePost)
	open("open-page-file", get, FilePath+"{id}", "A picture of a landing page", s.serveFile)

	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: "/api/landing-pages" + path, Tag: "pages", Summary: summary, Permission: may}
	}
	list := op("list-pages", get, "", auth.AcquireRead, "List landing pages, the newest first, with what came of them in the last thirty days")
	list.Whole = true
	httpx.Register(api, list, func(ctx context.Context, in *listInput) (*listOutput, error) {
		items, err := s.List(ctx, strings.TrimSpace(in.Q), in.State)
		out := &listOutput{}
		out.Body.Items = items
		return out, err
	})
	create := op("create-page", post, "", auth.AcquireWrite, "Make a landing page; nobody sees it before it is published")
	create.Idempotent = true
	httpx.Register(api, create, func(ctx context.Context, in *struct{ Body Input }) (*pageOutput, error) {
		return give(s.Create(ctx, in.Body))
	})
	httpx.Register(api, op("get-page-choices", get, "/choices", auth.AcquireRead, "What the editor of landing pages offers: fields, purposes, live codes"), func(ctx context.Context, _ *struct{}) (*choicesOutput, error) {
		c, err := s.Choices(ctx, httpx.Lang(ctx) == i18n.EN)
		return &choicesOutput{c}, err
	})
	httpx.Register(api, op("preview-page", post, "/preview", auth.AcquireRead, "A landing page as it would be, not saved"), func(ctx context.Context, in *previewInput) (*previewOutput, error) {
		html, err := s.Preview(ctx, in.Body.Title, in.Body.Design)
		out := &previewOutput{}
		out.Body.HTML = html
		return out, err
	})
	httpx.Register(api, op("get-page", get, "/{id}", auth.AcquireRead, "Get a landing page as the editor has it"), func(ctx context.Context, in *IDPath) (*pageOutput, error) {
		return give(s.Get(ctx, in.ID))
	})
	httpx.Register(api, op("update-page", put, "/{id}", auth.AcquireWrite, "Save a landing page; strangers see it once it is published"), func(ctx context.Context, in *changeInput) (*pageOutput, error) {
		return give(s.Update(ctx, in.ID, in.Body))
	})
	httpx.Register(api, op("publish-page", post, "/{id}/publish", auth.AcquireWrite, "Let strangers see what the editor has, as a new version"), func(ctx context.Context, in *IDPath) (*pageOutput, error) {
		return give(s.Publish(ctx, in.ID))
	})
	httpx.Register(api, op("stop-page", post, "/{id}/stop", auth.AcquireWrite, "Take a landing page away from strangers"), func(ctx context.Context, in *IDPath) (*pageOutput, error) {
		return give(s.Unpublish(ctx, in.ID))
	})
	stats := op("get-page-stats", get, "/{id}/stats", auth.AcquireRead, "Views, visitors and forms of a landing page, by channel and day")
	stats.Whole = true
	httpx.Register(api, stats, func(ctx context.Context, in *statsInput) (*statsOutput, error) {
		if !in.From.Before(in.To) || in.To.Sub(in.From) > 400*24*time.Hour {
			return nil, bad("from", "request.bad_period")
		}
		st, err := s.Stats(ctx, in.ID, in.From, in.To)
		return &statsOutput{st}, err
	})
	up := httpx.Op{ID: "add-page-file", Method: post, Path: "/api/landing-page-files", Tag: "pages", Permission: auth.AcquireWrite, MaxBody: maxFile + 1, Timeout: -1,
		Summary: "Add a picture for landing pages; the body is the file, its name stands in the query"}
	httpx.Handle(api, up, http.HandlerFunc(s.serveUpload))
	httpx.Handle(api, op("get-page-qr", get, "/{id}/qr", auth.AcquireRead, "The page's address as a QR code: ?format=png or svg, ?size= pixels"), http.HandlerFunc(s.serveQR))
}

func give(p Page, err error) (*pageOutput, error) { return &pageOutput{p}, err }

func (s *Service) serveQR(w http.ResponseWriter, r *http.Request) {
	x, err := s.reread(r.Context(), r.PathValue("id"))
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	q := r.URL.Query()
	if f := q.Get("format"); f != "" && f != "png" && f != "svg" {
		httpx.WriteError(w, r, bad("format", "request.not_one_of", "allowed", "png, svg"))
		return
	}
	qr.Serve(w, r, s.base(r)+Path+x.slug, q.Get("format"), q.Get("size"), "page-"+x.slug)
}
