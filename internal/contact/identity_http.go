package contact

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type setLimitInput struct {
	Kind string `path:"kind" maxLength:"64" doc:"Kind of identity"`
	Body struct {
		Limit int `json:"limit" doc:"How many one contact may carry; 0: any number. 1 means that two contacts with one each never merge by themselves"`
	}
}

type blockInput struct {
	Body struct {
		Kind   string   `json:"kind" maxLength:"64"`
		Values []string `json:"values" minItems:"1" maxItems:"5000" doc:"For e-mail, @shop.cn means the whole domain and those below it"`
		Note   string   `json:"note,omitempty" maxLength:"2000" doc:"Whose they are, for whoever reads the list"`
	}
}

type blockedListInput struct {
	PageInput
	Kind string `query:"kind" maxLength:"64"`
	Q    string `query:"q" maxLength:"256" doc:"A value in full"`
}

// BlockedIDInput names a blocked value in the path.
type BlockedIDInput struct {
	ID string `path:"id" doc:"Id of the blocked value"`
}

type carriersInput struct {
	BlockedIDInput
	PageInput
}

type notJoinedInput struct {
	PageInput
	Reason string `query:"reason" enum:"other_person,shared_device,limit,kept_apart"`
	Kind   string `query:"kind" maxLength:"64"`
}

type (
	kindRulesOutput struct {
		Body struct {
			Items []KindRule `json:"items"`
		}
	}
	kindUsageOutput struct {
		Body struct {
			Items     []KindUsage `json:"items"`
			CountedAt time.Time   `json:"countedAt"`
		}
	}
	setLimitOutput struct {
		Body struct {
			KindRule
			Beyond int64 `json:"beyond" doc:"Contacts that carry more already; they keep what they have"`
		}
	}
	blockOutput   struct{ Body Blocking }
	blockedOutput struct {
		Body struct {
			Items []BlockedValue `json:"items"`
			Next  string         `json:"next,omitempty" doc:"Cursor of the next page"`
			Total int64          `json:"total"`
		}
	}
	carriersOutput struct {
		Body struct {
			Items []Row  `json:"items"`
			Next  string `json:"next,omitempty" doc:"Cursor of the next page"`
		}
	}
	notJoinedOutput struct {
		Body struct {
			Items []NotJoined `json:"items"`
			Next  string      `json:"next,omitempty" doc:"Cursor of the next page"`
		}
	}
	noIdentityOutput struct {
		Body struct {
			Items []NoIdentity `json:"items"`
			Next  string       `json:"next,omitempty" doc:"Cursor of the next page"`
		}
	}
)

func (s *Service) identityRoutes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "identity", Summary: summary, Permission: may}
	}
	httpx.Register(api, op("list-identity-kinds", http.MethodGet, "/api/identity/kinds", auth.ContactRead, "Kinds of identity and their rules, strongest first"), s.listKinds)
	httpx.Register(api, op("count-identity-kinds", http.MethodGet, "/api/identity/usage", auth.ContactRead, "How many identities of each kind there are, and how many contacts carry how many"), s.countKindsOp)
	httpx.Register(api, op("set-identity-limit", http.MethodPut, "/api/identity/kinds/{kind}", auth.IdentityWrite, "Say how many identities of a kind one contact may carry"), s.setLimit)
	httpx.Register(api, op("list-blocked-identities", http.MethodGet, "/api/identity/blocked", auth.IdentityWrite, "Values that identify nobody because the company says so"), s.listBlocked)
	httpx.Register(api, op("block-identities", http.MethodPost, "/api/identity/blocked", auth.IdentityWrite, "Let values identify nobody from now on"), s.blockOp)
	httpx.Register(api, op("unblock-identity", http.MethodDelete, "/api/identity/blocked/{id}", auth.IdentityWrite, "Let a value identify people again from now on"), s.unblockOp)
	httpx.Register(api, op("list-blocked-carriers", http.MethodGet, "/api/identity/blocked/{id}/carriers", auth.IdentityWrite, "Contacts that carried a blocked value and keep it"), s.listCarriers)
	httpx.Register(api, op("list-identity-conflicts", http.MethodGet, "/api/identity/conflicts", auth.IdentityWrite, "What was not made one person, and why, newest first"), s.listNotJoined)
	httpx.Register(api, op("list-identity-refusals", http.MethodGet, "/api/identity/refusals", auth.IdentityWrite, "Values that were sent as identifiers and identify nobody, newest first"), s.listNoIdentities)
}

func (s *Service) listKinds(ctx context.Context, _ *struct{}) (*kindRulesOutput, error) {
	items, err := s.KindRules(ctx)
	if err != nil {
		return nil, err
	}
	out := &kindRulesOutput{}
	out.Body.Items = items
	return out, nil
}

func (s *Service) countKindsOp(ctx context.Context, _ *struct{}) (*kindUsageOutput, error) {
	out := &kindUsageOutput{}
	var err error
	out.Body.Items, out.Body.CountedAt, err = s.KindUsages(ctx)
	return out, err
}

func (s *Service) setLimit(ctx context.Context, in *setLimitInput) (*setLimitOutput, error) {
	out := &setLimitOutput{}
	var err error
	out.Body.KindRule, out.Body.Beyond, err = s.SetKindLimit(ctx, in.Kind, in.Body.Limit)
	return out, err
}

func (s *Service) listBlocked(ctx context.Context, in *blockedListInput) (*blockedOutput, error) {
	out := &blockedOutput{}
	var err error
	out.Body.Items, out.Body.Next, out.Body.Total, err = s.Blocked(ctx, in.Kind, in.Q, in.Cursor, in.Limit)
	return out, err
}

func (s *Service) blockOp(ctx context.Context, in *blockInput) (*blockOutput, error) {
	b, err := s.Block(ctx, in.Body.Kind, in.Body.Values, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return &blockOutput{b}, nil
}

func (s *Service) unblockOp(ctx context.Context, in *BlockedIDInput) (*struct{}, error) {
	return nil, s.Unblock(ctx, in.ID)
}

func (s *Service) listCarriers(ctx context.Context, in *carriersInput) (*carriersOutput, error) {
	out := &carriersOutput{}
	var err error
	out.Body.Items, out.Body.Next, err = s.Carriers(ctx, in.ID, in.Cursor, in.Limit)
	return out, err
}

func (s *Service) listNotJoined(ctx context.Context, in *notJoinedInput) (*notJoinedOutput, error) {
	out := &notJoinedOutput{}
	var err error
	out.Body.Items, out.Body.Next, err = s.NotJoined(ctx, in.Reason, in.Kind, in.Cursor, in.Limit)
	return out, err
}

func (s *Service) listNoIdentities(ctx context.Context, in *PageInput) (*noIdentityOutput, error) {
	out := &noIdentityOutput{}
	var err error
	out.Body.Items, out.Body.Next, err = s.NoIdentities(ctx, in.Cursor, in.Limit)
	return out, err
}
