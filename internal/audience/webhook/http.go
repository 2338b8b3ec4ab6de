package webhook

import (
	"context"
	"net/http"
	"net/url"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// HookInput names a webhook in the path. It is exported because the API layer
// reads no parameters of embedded types that are not.
type HookInput struct {
	ID string `path:"id" maxLength:"60" doc:"Webhook id"`
}

type (
	listOutput struct {
		Body struct {
			Items []Webhook `json:"items"`
		}
	}
	hookOutput struct{ Body Webhook }
	madeOutput struct {
		Body struct {
			Webhook Webhook `json:"webhook"`
			Secret  string  `json:"secret" doc:"Signs deliveries; shown this once"`
		}
	}
	secretOutput struct {
		Body struct {
			Secret string `json:"secret" doc:"Signs deliveries from now on; shown this once"`
		}
	}
	changeInput struct {
		HookInput
		Body Input
	}
	triedOutput     struct{ Body Tried }
	deliveriesInput struct {
		HookInput
		State  string `query:"state" enum:"waiting,dead" default:"dead"`
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	deliveriesOutput struct {
		Body struct {
			Items []Delivery `json:"items"`
			Next  string     `json:"next,omitempty"`
		}
	}
	retryInput struct {
		HookInput
		Body struct {
			IDs []string `json:"ids,omitempty" maxItems:"500" doc:"Deliveries; none: all that were given up"`
		}
	}
	retryOutput struct {
		Body struct {
			Count int64 `json:"count"`
		}
	}
)

// Routes declares the API of webhooks. They tell of everybody, so callers who
// see only some customers are refused.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "webhooks", Summary: summary, Permission: may, Whole: true}
	}
	create := op("create-webhook", http.MethodPost, "/api/webhooks", auth.KeysWrite, "Have an address told who comes into segments and who leaves")
	httpx.Register(api, op("list-webhooks", http.MethodGet, "/api/webhooks", auth.KeysRead, "List webhooks"), func(ctx context.Context, _ *struct{}) (*listOutput, error) {
		list, err := s.List(ctx)
		for i := range list {
			list[i] = shown(ctx, list[i])
		}
		out := &listOutput{}
		out.Body.Items = list
		return out, err
	})
	httpx.Register(api, create, func(ctx context.Context, in *struct{ Body Input }) (*madeOutput, error) {
		w, secret, err := s.Create(ctx, in.Body)
		out := &madeOutput{}
		out.Body.Webhook, out.Body.Secret = shown(ctx, w), secret
		return out, err
	})
	httpx.Register(api, op("get-webhook", http.MethodGet, "/api/webhooks/{id}", auth.KeysRead, "Get a webhook"), func(ctx context.Context, in *HookInput) (*hookOutput, error) {
		w, err := s.Get(ctx, in.ID)
		return &hookOutput{shown(ctx, w)}, err
	})
	httpx.Register(api, op("update-webhook", http.MethodPut, "/api/webhooks/{id}", auth.KeysWrite, "Change a webhook; one that was paused goes on"), func(ctx context.Context, in *changeInput) (*hookOutput, error) {
		w, err := s.Update(ctx, in.ID, in.Body)
		return &hookOutput{shown(ctx, w)}, err
	})
	httpx.Register(api, op("delete-webhook", http.MethodDelete, "/api/webhooks/{id}", auth.KeysWrite, "Delete a webhook and what waits for it"), func(ctx context.Context, in *HookInput) (*struct{}, error) {
		return nil, s.Delete(ctx, in.ID)
	})
	httpx.Register(api, op("replace-webhook-secret", http.MethodPost, "/api/webhooks/{id}/secret", auth.KeysWrite, "Replace the secret that signs deliveries"), func(ctx context.Context, in *HookInput) (*secretOutput, error) {
		secret, err := s.NewSecret(ctx, in.ID)
		out := &secretOutput{}
		out.Body.Secret = secret
		return out, err
	})
	httpx.Register(api, op("test-webhook", http.MethodPost, "/api/webhooks/{id}/test", auth.KeysWrite, "Post an empty delivery now"), func(ctx context.Context, in *HookInput) (*triedOutput, error) {
		t, err := s.Test(ctx, in.ID)
		if t.Fault != "" {
			t.Words = httpx.Say(ctx, t.Fault, nil)
		}
		return &triedOutput{t}, err
	})
	httpx.Register(api, op("list-webhook-deliveries", http.MethodGet, "/api/webhooks/{id}/deliveries", auth.KeysRead, "List deliveries that wait, or were given up"), s.httpDeliveries)
	httpx.Register(api, op("retry-webhook-deliveries", http.MethodPost, "/api/webhooks/{id}/deliveries/retry", auth.KeysWrite, "Send deliveries again that were given up"), func(ctx context.Context, in *retryInput) (*retryOutput, error) {
		n, err := s.Retry(ctx, in.ID, in.Body.IDs)
		out := &retryOutput{}
		out.Body.Count = n
		return out, err
	})
}

// shown is a webhook as the caller may see it: what is wrong in their language,
// and of the address no more than the host for those who may not change it.
func shown(ctx context.Context, w Webhook) Webhook {
	if w.Fault != "" {
		w.Words = httpx.Say(ctx, w.Fault, nil)
	}
	if p := auth.From(ctx); p == nil || !p.May(auth.KeysWrite) {
		w.URL = hostAlone(w.URL)
	}
	return w
}

// hostAlone cuts from an address what may be a key.
func hostAlone(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/…"
}

type cursor struct {
	N int64 `json:"n"`
}

func (s *Service) httpDeliveries(ctx context.Context, in *deliveriesInput) (*deliveriesOutput, error) {
	var c cursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
			return nil, err
		}
	}
	list, err := s.Deliveries(ctx, in.ID, in.State, c.N, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &deliveriesOutput{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		out.Body.Next = httpx.EncodeCursor(cursor{list[in.Limit-1].n})
	}
	for i := range list {
		if list[i].Fault != "" {
			list[i].Words = httpx.Say(ctx, list[i].Fault, nil)
		}
	}
	out.Body.Items = list
	return out, nil
}
