package rfm

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type (
	modelsOut struct {
		Body struct {
			Items []Model `json:"items"`
		}
	}
	modelIn struct{ Body Model }
	oneIn   struct {
		ID string `path:"id" doc:"Model id"`
	}
	changeIn struct {
		ID   string `path:"id" doc:"Model id"`
		Body Model
	}
	modelOut struct{ Body Model }
	viewOut  struct{ Body View }
	moveIn   struct {
		ID   string `path:"id" doc:"Model id"`
		From string `query:"from" doc:"Day at whose beginning it starts, YYYY-MM-DD; a month before the end when empty"`
		To   string `query:"to" doc:"Day at whose beginning it ends; today when empty"`
	}
	moveOut struct{ Body Migration }
	jobOut  struct {
		Body struct {
			Job string `json:"job"`
		}
	}
)

// Routes declares the API of RFM.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "rfm", Summary: summary, Permission: may}
	}
	read, write := auth.SegmentRead, auth.SegmentWrite
	httpx.Register(api, op("list-rfm-models", http.MethodGet, "/api/rfm/models", read, "List RFM models"), func(ctx context.Context, _ *struct{}) (*modelsOut, error) {
		all, err := s.Models(ctx)
		out := &modelsOut{}
		out.Body.Items = all
		return out, err
	})
	httpx.Register(api, op("create-rfm-model", http.MethodPost, "/api/rfm/models", write, "Make an RFM model"), func(ctx context.Context, in *modelIn) (*modelOut, error) {
		m, err := s.Save(ctx, "", in.Body)
		return &modelOut{m}, err
	})
	httpx.Register(api, op("change-rfm-model", http.MethodPut, "/api/rfm/models/{id}", write, "Change an RFM model"), func(ctx context.Context, in *changeIn) (*modelOut, error) {
		m, err := s.Save(ctx, in.ID, in.Body)
		return &modelOut{m}, err
	})
	httpx.Register(api, op("remove-rfm-model", http.MethodDelete, "/api/rfm/models/{id}", write, "Remove an RFM model"), func(ctx context.Context, in *oneIn) (*struct{}, error) {
		return nil, s.Remove(ctx, in.ID)
	})
	httpx.Register(api, op("preview-rfm-model", http.MethodPost, "/api/rfm/preview", write, "Work out what a model would say, and keep nothing"), func(ctx context.Context, in *modelIn) (*viewOut, error) {
		v, err := s.Preview(ctx, in.Body)
		return &viewOut{v}, err
	})
	httpx.Register(api, op("get-rfm", http.MethodGet, "/api/rfm/models/{id}", read, "Get a model's scores: grid, groups and tiers with people and money"), func(ctx context.Context, in *oneIn) (*viewOut, error) {
		v, err := s.View(ctx, in.ID)
		return &viewOut{v}, err
	})
	httpx.Register(api, op("get-rfm-migration", http.MethodGet, "/api/rfm/models/{id}/migration", read, "Count who went from group to group between two days"), func(ctx context.Context, in *moveIn) (*moveOut, error) {
		m, err := s.Migration(ctx, in.ID, in.From, in.To)
		return &moveOut{m}, err
	})
	httpx.Register(api, op("recompute-rfm", http.MethodPost, "/api/rfm/models/{id}/recompute", write, "Work a model's scores out anew, as a job"), func(ctx context.Context, in *oneIn) (*jobOut, error) {
		j, err := s.Recompute(ctx, in.ID)
		out := &jobOut{}
		out.Body.Job = j.ID
		return out, err
	})
}
