package scene

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/qr"
)

// CodeInput names a code in the path. It is exported because the API layer reads no
// parameters of embedded types that are not.
type CodeInput struct {
	ID string `path:"id" maxLength:"60" doc:"Scene code id"`
}

type (
	listInput struct {
		Account string `query:"account" maxLength:"60"`
		State   string `query:"state" enum:"active,archived" default:"active"`
		Channel string `query:"channel" maxLength:"60"`
		Kind    string `query:"kind" enum:"official,mini"`
		Q       string `query:"q" maxLength:"120" doc:"Part of the name or the place"`
		Cursor  string `query:"cursor"`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	listOutput struct {
		Body struct {
			Items []Row  `json:"items"`
			Total int    `json:"total" doc:"All that match"`
			Next  string `json:"next,omitempty"`
		}
	}
	accountsOutput struct {
		Body struct {
			Items []Account `json:"items"`
		}
	}
	codeOutput  struct{ Body Row }
	changeInput struct {
		CodeInput
		Body Definition
	}
	statsInput struct {
		CodeInput
		From string `query:"from" maxLength:"10" doc:"First day, YYYY-MM-DD, of the company; default 29 days before the last"`
		To   string `query:"to" maxLength:"10" doc:"Last day, included; default today"`
	}
	statsOutput struct{ Body Stats }
)

// Routes declares the API of scene codes.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: "/api/scene-codes" + path, Tag: "scene-codes", Summary: summary, Permission: may, Whole: may == auth.AcquireWrite}
	}
	read, write := auth.AcquireRead, auth.AcquireWrite
	get, post := http.MethodGet, http.MethodPost
	httpx.Register(api, op("list-scene-codes", get, "", read, "List scene codes, the newest first"), s.httpList)
	create := op("create-scene-code", post, "", write, "Make a scene code")
	create.Idempotent = true
	httpx.Register(api, create, func(ctx context.Context, in *struct{ Body Definition }) (*codeOutput, error) {
		c, err := s.Create(ctx, in.Body)
		return s.answer(ctx, c, err)
	})
	httpx.Register(api, op("list-scene-code-accounts", get, "/accounts", read, "The official accounts and mini-programs that codes can belong to"), func(ctx context.Context, _ *struct{}) (*accountsOutput, error) {
		list, err := s.Platform.Accounts(ctx)
		out := &accountsOutput{}
		out.Body.Items = append([]Account{}, list...)
		return out, err
	})
	httpx.Register(api, op("get-scene-code", get, "/{id}", read, "Get a scene code"), func(ctx context.Context, in *CodeInput) (*codeOutput, error) {
		c, err := s.Get(ctx, in.ID)
		return s.answer(ctx, c, err)
	})
	httpx.Register(api, op("update-scene-code", http.MethodPut, "/{id}", write, "Change a scene code; what is printed stays"), func(ctx context.Context, in *changeInput) (*codeOutput, error) {
		c, err := s.Update(ctx, in.ID, in.Body)
		return s.answer(ctx, c, err)
	})
	for _, x := range []struct{ id, path, state, summary string }{
		{"archive-scene-code", "/{id}/archive", Archived, "Archive a scene code: scans of it are counted, and answered like any"},
		{"restore-scene-code", "/{id}/restore", Active, "Take a scene code out of the archive"},
	} {
		httpx.Register(api, op(x.id, post, x.path, write, x.summary), func(ctx context.Context, in *CodeInput) (*codeOutput, error) {
			c, err := s.SetState(ctx, in.ID, x.state)
			return s.answer(ctx, c, err)
		})
	}
	stats := op("get-scene-code-stats", get, "/{id}/stats", read, "Scans, followers and who left, by day")
	stats.Whole = true
	httpx.Register(api, stats, func(ctx context.Context, in *statsInput) (*statsOutput, error) {
		st, err := s.Stats(ctx, in.ID, in.From, in.To)
		return &statsOutput{st}, err
	})
	httpx.Handle(api, op("draw-scene-code", get, "/{id}/qr", read, "The picture: ?format=png or svg, ?size= pixels; of a mini-program's code the PNG that WeChat drew"), http.HandlerFunc(s.serveQR))
}

func (s *Service) answer(ctx context.Context, c *Code, err error) (*codeOutput, error) {
	if err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx, []*Code{c})
	if err != nil {
		return nil, err
	}
	return &codeOutput{rows[0]}, nil
}

type listCursor struct {
	ID string `json:"id"`
}

func (s *Service) httpList(ctx context.Context, in *listInput) (*listOutput, error) {
	var c listCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
			return nil, err
		}
	}
	rows, next, total, err := s.List(ctx, Query{in.Account, in.State, in.Channel, in.Q, in.Kind}, c.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Items, out.Body.Total = rows, total
	if next != "" {
		out.Body.Next = httpx.EncodeCursor(listCursor{next})
	}
	return out, nil
}

func (s *Service) serveQR(w http.ResponseWriter, r *http.Request) {
	c, err := s.Get(r.Context(), r.PathValue("id"))
	if err == nil && !c.ready() {
		err = errs.New(errs.Conflict, "scene.not_ready")
	}
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	if c.kind() == Mini {
		s.servePicture(w, r, c)
		return
	}
	q := r.URL.Query()
	qr.Serve(w, r, c.url, q.Get("format"), q.Get("size"), "scene-"+c.ID)
}
