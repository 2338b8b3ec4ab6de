package machine

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type (
	pinIn  struct{ Body Pin }
	pinOut struct {
		Body struct {
			Moved int64 `json:"moved" doc:"How many stood elsewhere before"`
		}
	}
	placedIn struct {
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	}
	placedOut struct {
		Body struct {
			Items []Placed `json:"items"`
			Next  string   `json:"next,omitempty" doc:"Cursor of the next page"`
		}
	}
	manyIn struct {
		Body struct {
			contact.SelectionBody
			Many
			Preview bool `json:"preview,omitempty" doc:"Only count whom it concerns"`
		}
	}
	manyOut struct {
		Body struct {
			Reach
			Run *Run `json:"run,omitempty" doc:"The work that was begun; left out of a preview"`
		}
	}
	runIn struct {
		ID string `path:"id" doc:"Id of the work"`
	}
	runOut struct{ Body Run }
)

// handRoutes declares what people do by hand.
func (s *Service) handRoutes(api *httpx.API) {
	for _, m := range []struct{ machine, tag, one string }{{Lifecycle, "lifecycle", "a stage"}, {Pools, "pools", "a pool"}} {
		op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
			return httpx.Op{ID: id + "-" + m.tag, Method: method, Path: "/api/" + m.tag + "/pins" + path, Tag: "lifecycle", Summary: summary, Permission: may}
		}
		read, write := auth.ContactRead, auth.ContactWrite
		httpx.Register(api, op("list-placed-in", http.MethodGet, "", read, "List whom colleagues placed in "+m.one+" by hand, the choices that are over soonest first"), func(ctx context.Context, in *placedIn) (*placedOut, error) {
			out := &placedOut{}
			var err error
			out.Body.Items, out.Body.Next, err = s.Placed(ctx, m.machine, in.Cursor, in.Limit)
			return out, err
		})
		httpx.Register(api, op("place-in", http.MethodPost, "", write, "Put people into "+m.one+" by hand; rules do not move them until the day is over"), func(ctx context.Context, in *pinIn) (*pinOut, error) {
			out := &pinOut{}
			var err error
			out.Body.Moved, err = s.Put(ctx, m.machine, in.Body)
			return out, err
		})
		httpx.Register(api, op("release-from", http.MethodDelete, "/{id}", write, "Let rules decide again about a contact whom somebody put into "+m.one), func(ctx context.Context, in *historyIn) (*struct{}, error) {
			return nil, s.Release(ctx, m.machine, in.ID)
		})
		many := op("place-many-in", http.MethodPost, "/bulk", write, "Put many people into "+m.one+" by hand, or let rules decide about them again, as a job")
		many.Idempotent = true
		httpx.Register(api, many, func(ctx context.Context, in *manyIn) (*manyOut, error) {
			sel, err := in.Body.Selection(ctx)
			if err != nil {
				return nil, err
			}
			out := &manyOut{}
			if out.Body.Reach, err = s.Reach(ctx, m.machine, sel, in.Body.Many); err != nil || in.Body.Preview {
				return out, err
			}
			run, err := s.PlaceMany(ctx, m.machine, sel, in.Body.Many)
			out.Body.Run = &run
			return out, err
		})
		httpx.Register(api, op("get-placing-in", http.MethodGet, "/runs/{id}", write, "Tell how far work on many is that puts them into "+m.one), func(ctx context.Context, in *runIn) (*runOut, error) {
			r, err := s.PlaceRun(ctx, m.machine, in.ID)
			return &runOut{r}, err
		})
		httpx.Register(api, op("cancel-placing-in", http.MethodPost, "/runs/{id}/cancel", write, "Stop that work; whom it placed stays"), func(ctx context.Context, in *runIn) (*runOut, error) {
			r, err := s.CancelRun(ctx, m.machine, in.ID)
			return &runOut{r}, err
		})
		httpx.Register(api, op("release-placing-in", http.MethodPost, "/runs/{id}/release", write, "Let rules decide again about those whom that work placed, as a job"), func(ctx context.Context, in *runIn) (*runOut, error) {
			r, err := s.ReleaseRun(ctx, m.machine, in.ID)
			return &runOut{r}, err
		})
	}
}
