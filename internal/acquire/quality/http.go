package quality

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// IDPath names a finding in the path. It is exported because the API layer reads
// no parameters of embedded types that are not.
type IDPath struct {
	ID string `path:"id" maxLength:"60" doc:"Id of the finding"`
}

type (
	listInput struct {
		State  string `query:"state" enum:"open,real,fake"`
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"30"`
	}
	listOutput struct {
		Body struct {
			Items []Finding `json:"items"`
			Next  string    `json:"next,omitempty"`
			Open  int64     `json:"open" doc:"How many wait for a person"`
		}
	}
	openOutput struct {
		Body struct {
			Open int64 `json:"open"`
		}
	}
	findingOutput struct{ Body Finding }
	judgeInput    struct {
		IDPath
		Body struct {
			State string `json:"state" enum:"real,fake,open" doc:"open takes a judgement back"`
			Note  string `json:"note,omitempty" maxLength:"2000"`
		}
	}
	peopleInput struct {
		IDPath
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	peopleOutput struct {
		Body struct {
			Items []contact.Row `json:"items"`
			Next  string        `json:"next,omitempty"`
		}
	}
	jobOutput struct {
		Body struct {
			JobID string `json:"jobId"`
		}
	}
	settingsBody struct{ Body Settings }
	personPlace  struct {
		N int64 `json:"n"`
	}
)

// Routes declares the API of abnormal traffic.
func (s *Service) Routes(api *httpx.API) {
	get, post, put := http.MethodGet, http.MethodPost, http.MethodPut
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: "/api/traffic" + path, Tag: "traffic", Summary: summary, Permission: may, Whole: true}
	}
	httpx.Register(api, op("list-abnormal-traffic", get, "", auth.AcquireRead, "Abnormal traffic, the newest first"), s.httpList)
	httpx.Register(api, op("count-abnormal-traffic", get, "/open", auth.AcquireRead, "How much abnormal traffic waits for a person"), func(ctx context.Context, _ *struct{}) (*openOutput, error) {
		n, err := s.Open(ctx)
		out := &openOutput{}
		out.Body.Open = n
		return out, err
	})
	httpx.Register(api, op("get-traffic-settings", get, "/settings", auth.AcquireRead, "What counts as abnormal"), func(ctx context.Context, _ *struct{}) (*settingsBody, error) {
		set, err := s.Settings(ctx)
		return &settingsBody{set}, err
	})
	httpx.Register(api, op("set-traffic-settings", put, "/settings", auth.AcquireWrite, "Change what counts as abnormal, from the next look on"), func(ctx context.Context, in *settingsBody) (*settingsBody, error) {
		set, err := s.SetSettings(ctx, in.Body)
		return &settingsBody{set}, err
	})
	httpx.Register(api, op("look-at-traffic", post, "/look", auth.AcquireWrite, "Look at the traffic of the last days at once, as a job"), func(ctx context.Context, _ *struct{}) (*jobOutput, error) {
		j, err := s.LookNow(ctx)
		out := &jobOutput{}
		out.Body.JobID = j.ID
		return out, err
	})
	httpx.Register(api, op("get-abnormal-traffic", get, "/{id}", auth.AcquireRead, "One finding with its evidence"), func(ctx context.Context, in *IDPath) (*findingOutput, error) {
		f, err := s.Get(ctx, in.ID)
		return &findingOutput{f}, err
	})
	httpx.Register(api, op("judge-traffic", post, "/{id}/judge", auth.AcquireWrite, "Say whether it is real or fake; fake visitors count nowhere any more, and nothing is deleted"), func(ctx context.Context, in *judgeInput) (*findingOutput, error) {
		f, err := s.Judge(ctx, in.ID, in.Body.State, in.Body.Note)
		return &findingOutput{f}, err
	})
	httpx.Register(api, op("list-traffic-people", get, "/{id}/people", auth.AcquireRead, "Whom a finding speaks of"), func(ctx context.Context, in *peopleInput) (*peopleOutput, error) {
		var at personPlace
		if err := httpx.DecodeCursor(in.Cursor, &at); err != nil {
			return nil, err
		}
		rows, next, err := s.People(ctx, in.ID, at.N, in.Limit)
		if err != nil {
			return nil, err
		}
		out := &peopleOutput{}
		out.Body.Items = rows
		if next != 0 {
			out.Body.Next = httpx.EncodeCursor(personPlace{next})
		}
		return out, nil
	})
}

func (s *Service) httpList(ctx context.Context, in *listInput) (*listOutput, error) {
	var at place
	if err := httpx.DecodeCursor(in.Cursor, &at); err != nil {
		return nil, err
	}
	items, next, open, err := s.List(ctx, in.State, at, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Items, out.Body.Open = append([]Finding{}, items...), open
	if next != nil {
		out.Body.Next = httpx.EncodeCursor(*next)
	}
	return out, nil
}
