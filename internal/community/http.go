package community

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// GroupInput names a group in the path. It is exported because the API layer reads
// no parameters of embedded types that are not.
type GroupInput struct {
	Account string `path:"account" maxLength:"60" doc:"Id of the account outside"`
	ID      string `path:"id" maxLength:"100" doc:"The platform's id of the group"`
}

type (
	accountsOut struct {
		Body struct {
			Items []Sync `json:"items"`
		}
	}
	listIn struct {
		Account   string `query:"account" required:"true" maxLength:"60"`
		Owner     string `query:"owner" maxLength:"64" doc:"The platform's id of a colleague; none: everybody's"`
		State     string `query:"state" enum:"open,dismissed" doc:"None: all"`
		OwnerLeft bool   `query:"ownerLeft" doc:"Only groups whose owner left the company"`
		Text      string `query:"q" maxLength:"100" doc:"In the name"`
		Cursor    string `query:"cursor"`
		Limit     int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	}
	listOut struct {
		Body struct {
			Items []Group `json:"items"`
			Next  string  `json:"next,omitempty"`
		}
	}
	detailOut struct{ Body Detail }
	membersIn struct {
		GroupInput
		Layer  string `query:"layer" enum:"newcomer,core,active,quiet" doc:"None: all"`
		Kind   string `query:"kind" enum:"staff,customer" doc:"None: all"`
		Who    string `query:"who" enum:"friends,strangers" doc:"Customers who are, or are not, a colleague's friends"`
		Gone   bool   `query:"gone" doc:"Those who left instead"`
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	}
	membersOut struct {
		Body struct {
			Items []Member `json:"items"`
			Next  string   `json:"next,omitempty"`
		}
	}
	syncIn struct {
		Body struct {
			Account string `json:"account" maxLength:"60"`
		}
	}
	syncOut struct {
		Body struct {
			Job string `json:"job"`
		}
	}
	contactIn struct {
		ID string `path:"id" maxLength:"60" doc:"Contact id"`
	}
	staysOut struct {
		Body struct {
			Items []Stay `json:"items"`
		}
	}
	textCursor struct {
		After string `json:"a"`
	}
	numberCursor struct {
		After int `json:"n"`
	}
)

// Routes declares the API of groups. Lists of groups and members tell of everybody's
// customers: callers who see only some are refused. Which groups a contact is in may
// be read by whoever sees the contact.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "groups", Summary: summary, Permission: may, Whole: true}
	}
	httpx.Register(api, op("list-group-accounts", http.MethodGet, "/api/groups/accounts", auth.AcquireRead, "Tell how the groups of each account stand, with their last sync"), func(ctx context.Context, _ *struct{}) (*accountsOut, error) {
		list, err := s.Accounts(ctx)
		out := &accountsOut{}
		out.Body.Items = list
		return out, err
	})
	httpx.Register(api, op("list-groups", http.MethodGet, "/api/groups", auth.AcquireRead, "List customer groups of an account"), s.httpList)
	httpx.Register(api, op("sync-groups", http.MethodPost, "/api/groups/sync", auth.AcquireWrite, "Read all groups of an account anew"), func(ctx context.Context, in *syncIn) (*syncOut, error) {
		job, err := s.Sync(ctx, in.Body.Account)
		out := &syncOut{}
		out.Body.Job = job.ID
		return out, err
	})
	httpx.Register(api, op("get-group", http.MethodGet, "/api/groups/{account}/{id}", auth.AcquireRead, "Get a group with its growth and layers"), func(ctx context.Context, in *GroupInput) (*detailOut, error) {
		d, err := s.Get(ctx, in.Account, in.ID)
		return &detailOut{d}, err
	})
	httpx.Register(api, op("list-group-members", http.MethodGet, "/api/groups/{account}/{id}/members", auth.AcquireRead, "List the members of a group, the newest first"), s.httpMembers)
	one := op("list-contact-groups", http.MethodGet, "/api/contacts/{id}/groups", auth.ContactRead, "List the groups that a contact is or was in")
	one.Whole = false
	httpx.Register(api, one, func(ctx context.Context, in *contactIn) (*staysOut, error) {
		list, err := s.OfContact(ctx, in.ID)
		out := &staysOut{}
		out.Body.Items = list
		return out, err
	})
}

func (s *Service) httpList(ctx context.Context, in *listIn) (*listOut, error) {
	var c textCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
			return nil, err
		}
	}
	list, next, err := s.List(ctx, Query{Account: in.Account, Owner: in.Owner, State: in.State, OwnerLeft: in.OwnerLeft, Text: in.Text, After: c.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	out.Body.Items = list
	if next != "" {
		out.Body.Next = httpx.EncodeCursor(textCursor{next})
	}
	return out, nil
}

func (s *Service) httpMembers(ctx context.Context, in *membersIn) (*membersOut, error) {
	var c numberCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
			return nil, err
		}
	}
	list, next, err := s.Members(ctx, in.Account, in.ID, MemberQuery{Layer: in.Layer, Kind: in.Kind, Who: in.Who, Gone: in.Gone, After: c.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &membersOut{}
	out.Body.Items = list
	if next > 0 {
		out.Body.Next = httpx.EncodeCursor(numberCursor{next})
	}
	return out, nil
}
