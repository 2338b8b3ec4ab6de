package menu

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// AccountInput names an account in the path. It is exported because the API layer
// reads no parameters of embedded types that are not.
type AccountInput struct {
	Account string `path:"account" maxLength:"60" doc:"Account id"`
}

type (
	accountsOutput struct {
		Body struct {
			Items []Account `json:"items"`
		}
	}
	menuOutput struct{ Body Menu }
	saveInput  struct {
		AccountInput
		Body struct {
			Buttons []Button `json:"buttons" maxItems:"3"`
			Rev     int64    `json:"rev" doc:"Of the draft that was changed"`
		}
	}
	revInput struct {
		AccountInput
		Body struct {
			Rev int64 `json:"rev" doc:"Of the draft"`
		}
	}
	versionInput struct {
		AccountInput
		N    int64 `path:"n"`
		Body struct {
			Rev int64 `json:"rev" doc:"Of the draft"`
		}
	}
	statsInput struct {
		AccountInput
		From string `query:"from" maxLength:"10" doc:"First day, YYYY-MM-DD, of the company; default 29 days before the last"`
		To   string `query:"to" maxLength:"10" doc:"Last day, included; default today"`
	}
	statsOutput    struct{ Body Stats }
	versionsOutput struct {
		Body struct {
			Items []Version `json:"items"`
		}
	}
)

func say(ctx context.Context, code string, params map[string]any) string {
	return httpx.Say(ctx, code, params)
}

// Routes declares the API of menus.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: "/api/menus" + path, Tag: "menus", Summary: summary, Permission: may, Whole: may == auth.AcquireWrite}
	}
	read, write := auth.AcquireRead, auth.AcquireWrite
	get, post := http.MethodGet, http.MethodPost
	give := func(m Menu, err error) (*menuOutput, error) {
		if err != nil {
			return nil, err
		}
		return &menuOutput{m}, nil
	}
	httpx.Register(api, op("list-menu-accounts", get, "", read, "The official accounts that can have a menu"), func(ctx context.Context, _ *struct{}) (*accountsOutput, error) {
		list, err := s.Platform.Accounts(ctx)
		out := &accountsOutput{}
		out.Body.Items = append([]Account{}, list...)
		return out, err
	})
	httpx.Register(api, op("get-menu", get, "/{account}", read, "An account's menu: the draft and what is published"), func(ctx context.Context, in *AccountInput) (*menuOutput, error) {
		return give(s.Get(ctx, in.Account))
	})
	httpx.Register(api, op("save-menu", http.MethodPut, "/{account}", write, "Keep a draft of a menu; it may be unfinished"), func(ctx context.Context, in *saveInput) (*menuOutput, error) {
		return give(s.Save(ctx, in.Account, in.Body.Buttons, in.Body.Rev))
	})
	httpx.Register(api, op("publish-menu", post, "/{account}/publish", write, "Give the draft to the platform; an empty one takes the menu away"), func(ctx context.Context, in *revInput) (*menuOutput, error) {
		return give(s.Publish(ctx, in.Account, in.Body.Rev))
	})
	httpx.Register(api, op("read-menu", post, "/{account}/read", write, "Make the menu that the platform shows the draft"), func(ctx context.Context, in *revInput) (*menuOutput, error) {
		return give(s.Read(ctx, in.Account, in.Body.Rev))
	})
	stats := op("get-menu-stats", get, "/{account}/stats", read, "How often the buttons of a menu were tapped, and by how many")
	stats.Whole = true
	httpx.Register(api, stats, func(ctx context.Context, in *statsInput) (*statsOutput, error) {
		st, err := s.Stats(ctx, in.Account, in.From, in.To)
		return &statsOutput{st}, err
	})
	httpx.Register(api, op("list-menu-versions", get, "/{account}/versions", read, "What was published, the newest first"), func(ctx context.Context, in *AccountInput) (*versionsOutput, error) {
		list, err := s.Versions(ctx, in.Account)
		out := &versionsOutput{}
		out.Body.Items = list
		return out, err
	})
	httpx.Register(api, op("restore-menu", post, "/{account}/versions/{n}/restore", write, "Make a version that was published the draft"), func(ctx context.Context, in *versionInput) (*menuOutput, error) {
		return give(s.Restore(ctx, in.Account, in.N, in.Body.Rev))
	})
}
