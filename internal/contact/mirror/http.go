package mirror

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// AccountInput names an account in the path. It is exported because the API layer
// reads no parameters of embedded types that are not.
type AccountInput struct {
	Account string `path:"account" maxLength:"60" doc:"Id of the account outside"`
}

type (
	statusesOut struct {
		Body struct {
			Items []Status `json:"items"`
		}
	}
	statusOut struct{ Body Status }
	changeIn  struct {
		AccountInput
		Body Change
	}
	linksOut struct {
		Body struct {
			Items []Link `json:"items"`
		}
	}
	previewOut struct{ Body Preview }
	linkIn     struct {
		AccountInput
		Body LinkInput
	}
	resolveIn struct {
		AccountInput
		ID   string `path:"id" maxLength:"100" doc:"The platform's id of the tag"`
		Body struct {
			Do string `json:"do" enum:"delete_theirs,delete_ours,unlink,restore" doc:"What shall become of the side that is left; unlink leaves both as they are"`
		}
	}
	failedIn struct {
		AccountInput
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	failedOut struct {
		Body struct {
			Items []Failed `json:"items"`
			Next  string   `json:"next,omitempty"`
		}
	}
)

// Routes declares the API of linked tags. It speaks of everybody's customers:
// callers who see only some are refused.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "tags", Summary: summary, Permission: may, Whole: true}
	}
	read, manage := auth.ContactRead, auth.TagWrite
	httpx.Register(api, op("list-tag-mirrors", http.MethodGet, "/api/tag-mirrors", read, "Tell how the tags of accounts outside agree with ours"), func(ctx context.Context, _ *struct{}) (*statusesOut, error) {
		list, err := s.Statuses(ctx)
		out := &statusesOut{}
		out.Body.Items = []Status{}
		for _, v := range list {
			out.Body.Items = append(out.Body.Items, v.say(ctx))
		}
		return out, err
	})
	status := func(ctx context.Context, v Status, err error) (*statusOut, error) {
		return &statusOut{v.say(ctx)}, err
	}
	httpx.Register(api, op("change-tag-mirror", http.MethodPatch, "/api/tag-mirrors/{account}", manage, "Switch the agreement of tags on or off"), func(ctx context.Context, in *changeIn) (*statusOut, error) {
		v, err := s.Change(ctx, in.Account, in.Body)
		return status(ctx, v, err)
	})
	httpx.Register(api, op("sync-tag-mirror", http.MethodPost, "/api/tag-mirrors/{account}/sync", manage, "Read the tags of an account and of its customers anew"), func(ctx context.Context, in *AccountInput) (*statusOut, error) {
		v, err := s.Sync(ctx, in.Account)
		return status(ctx, v, err)
	})
	httpx.Register(api, op("retry-tag-mirror", http.MethodPost, "/api/tag-mirrors/{account}/retry", manage, "Send again what could not be sent"), func(ctx context.Context, in *AccountInput) (*statusOut, error) {
		v, err := s.Retry(ctx, in.Account)
		return status(ctx, v, err)
	})
	httpx.Register(api, op("preview-tag-links", http.MethodGet, "/api/tag-mirrors/{account}/preview", manage, "Tell of each tag of both sides what linking would do"), func(ctx context.Context, in *AccountInput) (*previewOut, error) {
		p, err := s.Preview(ctx, in.Account)
		for i, o := range p.Ours {
			if o.fault != "" {
				p.Ours[i].Fault = httpx.Say(ctx, o.fault, map[string]any{"limit": o.limit, "name": o.Name, "group": o.Group})
			}
		}
		return &previewOut{p}, err
	})
	httpx.Register(api, op("list-tag-links", http.MethodGet, "/api/tag-mirrors/{account}/links", read, "List the tags that both sides have"), s.httpLinks)
	httpx.Register(api, op("link-tags", http.MethodPost, "/api/tag-mirrors/{account}/links", manage, "Link tags of both sides; what is missing on one is made there"), func(ctx context.Context, in *linkIn) (*linksOut, error) {
		if err := s.Links(ctx, in.Account, in.Body); err != nil {
			return nil, err
		}
		return s.httpLinks(ctx, &in.AccountInput)
	})
	httpx.Register(api, op("resolve-tag-link", http.MethodPost, "/api/tag-mirrors/{account}/links/{id}/resolve", manage, "Say what shall become of a linked tag whose other side is gone, or end a link"), func(ctx context.Context, in *resolveIn) (*linksOut, error) {
		if err := s.Resolve(ctx, in.Account, in.ID, in.Body.Do); err != nil {
			return nil, err
		}
		return s.httpLinks(ctx, &in.AccountInput)
	})
	httpx.Register(api, op("list-tag-mirror-failures", http.MethodGet, "/api/tag-mirrors/{account}/failed", manage, "List friendships whose tags could not be sent, with the reason"), s.httpFailed)
}

// say puts codes into words.
func (v Status) say(ctx context.Context) Status {
	if v.fault != "" {
		v.Fault = words(ctx, v.fault, v.number)
	}
	return v
}

func words(ctx context.Context, code, number string) string {
	return httpx.Say(ctx, code, map[string]any{"number": number, "api": "mark_tag", "words": "", "ip": "", "name": ""})
}

func (s *Service) httpLinks(ctx context.Context, in *AccountInput) (*linksOut, error) {
	list, err := s.LinkList(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	for i, l := range list {
		if l.fault != "" {
			list[i].Fault = httpx.Say(ctx, l.fault, map[string]any{"name": l.faultName})
		}
	}
	out := &linksOut{}
	out.Body.Items = list
	return out, nil
}

func (s *Service) httpFailed(ctx context.Context, in *failedIn) (*failedOut, error) {
	var after failedCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &after); err != nil {
			return nil, err
		}
	}
	if err := s.check(ctx, in.Account); err != nil {
		return nil, err
	}
	list, next, err := s.FailedList(ctx, in.Account, after, in.Limit)
	if err != nil {
		return nil, err
	}
	for i, f := range list {
		list[i].Why = words(ctx, f.fault, f.numberN)
	}
	out := &failedOut{}
	out.Body.Items = list
	if next != nil {
		out.Body.Next = httpx.EncodeCursor(next)
	}
	return out, nil
}
