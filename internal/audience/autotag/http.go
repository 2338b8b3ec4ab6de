package autotag

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type (
	tagIn struct {
		ID string `path:"id" doc:"Tag id"`
	}
	putIn struct {
		ID   string `path:"id" doc:"Tag id"`
		Body Definition
	}
	deleteIn struct {
		ID       string `path:"id" doc:"Tag id"`
		TakeTags bool   `query:"takeTags" doc:"Take the tag from those who have it by itself; they keep it otherwise"`
	}
	exceptionsIn struct {
		ID     string `path:"id" doc:"Tag id"`
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	}
	liftIn struct {
		ID      string `path:"id" doc:"Tag id"`
		Contact string `path:"contact" doc:"Contact id"`
	}
	automationOut struct{ Body Automation }
	previewOut    struct{ Body Preview }
	exceptionsOut struct {
		Body struct {
			Items []Exception `json:"items"`
			Next  string      `json:"next,omitempty" doc:"Cursor of the next page"`
		}
	}
)

// Routes declares the API of automatic tags.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: "/api/tags/{id}/automation" + path, Tag: "tags", Summary: summary, Permission: auth.TagWrite}
	}
	httpx.Register(api, op("get-tag-automation", http.MethodGet, "", "Tell how a tag is given by itself, and how far that is"), s.httpGet)
	httpx.Register(api, op("put-tag-automation", http.MethodPut, "", "Give a tag by rule or by score; whoever it is for is worked out in the background"), s.httpPut)
	httpx.Register(api, op("preview-tag-automation", http.MethodPost, "/preview", "Count who would get and lose the tag, without changing anything"), s.httpPreview)
	httpx.Register(api, op("delete-tag-automation", http.MethodDelete, "", "Give a tag by hand alone from now on"), s.httpDelete)
	httpx.Register(api, op("list-tag-exceptions", http.MethodGet, "/exceptions", "List who does not have an automatic tag, and why"), s.httpExceptions)
	httpx.Register(api, op("lift-tag-exception", http.MethodDelete, "/exceptions/{contact}", "Let a contact have an automatic tag again"), s.httpLift)
}

func (s *Service) httpGet(ctx context.Context, in *tagIn) (*automationOut, error) {
	v, err := s.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &automationOut{v}, nil
}

func (s *Service) httpPut(ctx context.Context, in *putIn) (*automationOut, error) {
	v, err := s.Put(ctx, in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &automationOut{v}, nil
}

func (s *Service) httpPreview(ctx context.Context, in *putIn) (*previewOut, error) {
	p, err := s.Preview(ctx, in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &previewOut{p}, nil
}

func (s *Service) httpDelete(ctx context.Context, in *deleteIn) (*struct{}, error) {
	return nil, s.Delete(ctx, in.ID, in.TakeTags)
}

func (s *Service) httpExceptions(ctx context.Context, in *exceptionsIn) (*exceptionsOut, error) {
	out := &exceptionsOut{}
	var err error
	if out.Body.Items, out.Body.Next, err = s.Exceptions(ctx, in.ID, in.Cursor, in.Limit); err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) httpLift(ctx context.Context, in *liftIn) (*struct{}, error) {
	return nil, s.Lift(ctx, in.ID, in.Contact)
}
