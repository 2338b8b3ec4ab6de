package machine

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type (
	viewOut struct{ Body View }
	saveIn  struct {
		Body struct {
			Version int64   `json:"version" doc:"Version that the change was made from"`
			States  []State `json:"states" minItems:"2" maxItems:"20" doc:"All states, in the order in which they are looked at and shown"`
		}
	}
	previewIn struct {
		Body struct {
			States []State `json:"states" minItems:"2" maxItems:"20"`
		}
	}
	previewOut struct{ Body Preview }
	flowIn     struct {
		From string `query:"from" doc:"First month, YYYY-MM; six months back when empty"`
		To   string `query:"to" doc:"Last month, YYYY-MM; the present one when empty"`
	}
	flowOut struct {
		Body struct {
			Months  []MonthFlows `json:"months"`
			Limited bool         `json:"limited" doc:"The caller sees only some customers: moves of all are not counted for them"`
		}
	}
	historyIn struct {
		ID string `path:"id" doc:"Contact id"`
	}
	historyOut struct {
		Body struct {
			Items []Step   `json:"items"`
			Pin   *PinView `json:"pin,omitempty" doc:"A colleague's choice that holds; left out: rules decide"`
		}
	}
)

// Routes declares the API of lifecycle and pools.
func (s *Service) Routes(api *httpx.API) {
	for _, m := range []struct{ machine, path, tag, one string }{{Lifecycle, "/api/lifecycle", "lifecycle", "the lifecycle"}, {Pools, "/api/pools", "pools", "the pools"}} {
		op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
			return httpx.Op{ID: id + "-" + m.tag, Method: method, Path: m.path + path, Tag: "lifecycle", Summary: summary, Permission: may}
		}
		httpx.Register(api, op("get", http.MethodGet, "", auth.SegmentRead, "Get "+m.one+": states, rules, and how many people are in each"), func(ctx context.Context, _ *struct{}) (*viewOut, error) {
			v, err := s.View(ctx, m.machine)
			return &viewOut{v}, err
		})
		httpx.Register(api, op("save", http.MethodPut, "", auth.SegmentWrite, "Redefine "+m.one+"; everybody is sorted anew in the background"), func(ctx context.Context, in *saveIn) (*viewOut, error) {
			if _, err := s.Save(ctx, m.machine, in.Body.Version, in.Body.States); err != nil {
				return nil, err
			}
			v, err := s.View(ctx, m.machine)
			return &viewOut{v}, err
		})
		httpx.Register(api, op("preview", http.MethodPost, "/preview", auth.SegmentWrite, "Count who would move from where to where if "+m.one+" were defined so"), func(ctx context.Context, in *previewIn) (*previewOut, error) {
			p, err := s.Preview(ctx, m.machine, in.Body.States)
			return &previewOut{p}, err
		})
		httpx.Register(api, op("flow", http.MethodGet, "/flow", auth.SegmentRead, "Count the moves of "+m.one+" by month"), func(ctx context.Context, in *flowIn) (*flowOut, error) {
			months, err := s.Flows(ctx, m.machine, in.From, in.To)
			out := &flowOut{}
			out.Body.Months, out.Body.Limited = months, !auth.ScopeOf(ctx).All
			return out, err
		})
		httpx.Register(api, httpx.Op{ID: "list-contact-" + m.tag + "-moves", Method: http.MethodGet, Path: "/api/contacts/{id}/moves/" + m.tag, Tag: "lifecycle",
			Summary: "List a contact's moves in " + m.one + ", the newest first", Permission: auth.ContactRead}, func(ctx context.Context, in *historyIn) (*historyOut, error) {
			out := &historyOut{}
			var err error
			out.Body.Items, out.Body.Pin, err = s.History(ctx, m.machine, in.ID)
			return out, err
		})
	}
	s.handRoutes(api)
}
