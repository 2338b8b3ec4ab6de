package contact

import (
	"context"
	"net/http"
	"strings"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type (
	viewsOutput struct {
		Body struct {
			Items []View    `json:"items"`
			Prefs ViewPrefs `json:"prefs"`
		}
	}
	viewOutput      struct{ Body View }
	prefsOutput     struct{ Body ViewPrefs }
	prefsInput      struct{ Body ViewPrefs }
	createViewInput struct{ Body viewInput }
	updateViewInput struct {
		ViewIDInput
		Body viewInput
	}
	viewCountsInput struct {
		IDs string `query:"ids" maxLength:"4000" doc:"Ids of views, separated by commas"`
	}
	viewCountsOutput struct {
		Body struct {
			Counts map[string]int64 `json:"counts"`
		}
	}
)

// ViewIDInput names a view in the path. It is exported because the API layer
// reads no parameters of embedded types that are not.
type ViewIDInput struct {
	ID string `path:"id" doc:"View id"`
}

func (v *views) routes(api *httpx.API, op func(id, method, path string, may auth.Permission, summary string) httpx.Op) {
	httpx.Register(api, op("list-contact-views", http.MethodGet, "/api/contact-views", auth.ContactRead, "List views: built-in, shared and one's own"), v.httpList)
	create := op("create-contact-view", http.MethodPost, "/api/contact-views", auth.ContactRead, "Save a view")
	create.Idempotent = true
	httpx.Register(api, create, v.httpCreate)
	httpx.Register(api, op("update-contact-view", http.MethodPut, "/api/contact-views/{id}", auth.ContactRead, "Change a view"), v.httpUpdate)
	httpx.Register(api, op("delete-contact-view", http.MethodDelete, "/api/contact-views/{id}", auth.ContactRead, "Delete a view"), v.httpDelete)
	httpx.Register(api, op("set-contact-view-prefs", http.MethodPut, "/api/contact-view-prefs", auth.ContactRead, "Choose one's tabs, first view and columns"), v.httpPrefs)
	httpx.Register(api, op("count-contact-views", http.MethodGet, "/api/contact-view-counts", auth.ContactRead, "Count what views show"), v.httpCounts)
}

func (v *views) httpList(ctx context.Context, _ *struct{}) (*viewsOutput, error) {
	out := &viewsOutput{}
	var err error
	if out.Body.Items, err = v.list(ctx); err != nil {
		return nil, err
	}
	out.Body.Prefs, err = v.prefs(ctx)
	return out, err
}

func (v *views) httpCreate(ctx context.Context, in *createViewInput) (*viewOutput, error) {
	w, err := v.create(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &viewOutput{w}, nil
}

func (v *views) httpUpdate(ctx context.Context, in *updateViewInput) (*viewOutput, error) {
	w, err := v.update(ctx, in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &viewOutput{w}, nil
}

func (v *views) httpDelete(ctx context.Context, in *ViewIDInput) (*struct{}, error) {
	return nil, v.delete(ctx, in.ID)
}

func (v *views) httpPrefs(ctx context.Context, in *prefsInput) (*prefsOutput, error) {
	p, err := v.setPrefs(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &prefsOutput{p}, nil
}

func (v *views) httpCounts(ctx context.Context, in *viewCountsInput) (*viewCountsOutput, error) {
	var ids []string
	for id := range strings.SplitSeq(in.IDs, ",") {
		if id != "" && len(ids) < 30 {
			ids = append(ids, id)
		}
	}
	out := &viewCountsOutput{}
	var err error
	out.Body.Counts, err = v.count(ctx, ids)
	return out, err
}
