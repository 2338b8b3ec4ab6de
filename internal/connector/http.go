package connector

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// AccountInput names an account in the path. It is exported because the API layer
// reads no parameters of embedded types that are not.
type AccountInput struct {
	ID string `path:"id" maxLength:"60" doc:"Account id"`
}

// KindView is a kind as the console shows it, in the caller's language.
type KindView struct {
	Name         string      `json:"name"`
	Label        string      `json:"label"`
	Base         string      `json:"base,omitempty" doc:"The platform's own address; the setting base replaces it"`
	Callback     bool        `json:"callback" doc:"The platform calls us: its address is to be entered there"`
	Capabilities []string    `json:"capabilities"`
	Fields       []FieldView `json:"fields" doc:"What setting one up asks for"`
	Quotas       []QuotaView `json:"quotas"`
}

// FieldView is a field of a kind.
type FieldView struct {
	Name     string   `json:"name"`
	Label    string   `json:"label"`
	Help     string   `json:"help,omitempty" doc:"Where on the platform it is found"`
	Secret   bool     `json:"secret"`
	Required bool     `json:"required"`
	Options  []string `json:"options,omitempty"`
	Default  string   `json:"default,omitempty"`
	Example  string   `json:"example,omitempty"`
	Lines    bool     `json:"lines,omitempty"`
	Make     bool     `json:"make,omitempty" doc:"A value can be made: POST …/kinds/{kind}/fields/{field}/make"`
}

// QuotaView is a quota as the platform publishes it.
type QuotaView struct {
	Quota
	Words string `json:"words,omitempty"`
}

type (
	kindsOutput struct {
		Body struct {
			Items []KindView `json:"items"`
		}
	}
	listOutput struct {
		Body struct {
			Items []View `json:"items"`
		}
	}
	viewOutput  struct{ Body View }
	changeInput struct {
		AccountInput
		Body Input
	}
	makeInput struct {
		Kind  string `path:"kind" maxLength:"40"`
		Field string `path:"field" maxLength:"60"`
	}
	makeOutput struct {
		Body struct {
			Value string `json:"value"`
		}
	}
)

// op is an operation about the company's accounts. They tell of everybody, so
// callers who see only some customers are refused.
func op(id, method, path string, may auth.Permission, summary string) httpx.Op {
	return httpx.Op{ID: id, Method: method, Path: path, Tag: "connectors", Summary: summary, Permission: may, Whole: true}
}

// Routes declares the API of accounts and callbacks, and the addresses at which
// platforms call.
func (s *Service) Routes(api *httpx.API) {
	s.hooks(api)
	s.inboxRoutes(api)
	s.hangingRoute(api)
	s.testRoutes(api)
	httpx.Register(api, op("list-connector-kinds", http.MethodGet, "/api/connectors/kinds", auth.ConnectorRead, "The kinds of accounts and what setting one up asks for"), func(ctx context.Context, _ *struct{}) (*kindsOutput, error) {
		out := &kindsOutput{}
		out.Body.Items = []KindView{}
		for _, k := range s.Kinds() {
			out.Body.Items = append(out.Body.Items, toKindView(ctx, k))
		}
		return out, nil
	})
	httpx.Register(api, op("make-connector-value", http.MethodPost, "/api/connectors/kinds/{kind}/fields/{field}/make", auth.ConnectorWrite, "Make a random value for a field, such as the token of callbacks"), s.httpMake)
	httpx.Register(api, op("list-connectors", http.MethodGet, "/api/connectors", auth.ConnectorRead, "List accounts with their health"), func(ctx context.Context, _ *struct{}) (*listOutput, error) {
		list, err := s.List(ctx)
		out := &listOutput{}
		out.Body.Items = list
		for i := range list {
			say(ctx, &list[i])
		}
		return out, err
	})
	create := op("create-connector", http.MethodPost, "/api/connectors", auth.ConnectorWrite, "Set up an account")
	create.Idempotent = true
	httpx.Register(api, create, func(ctx context.Context, in *struct{ Body Input }) (*viewOutput, error) {
		return said(ctx)(s.Create(ctx, in.Body))
	})
	httpx.Register(api, op("get-connector", http.MethodGet, "/api/connectors/{id}", auth.ConnectorRead, "Get an account with its health and what is left of its quotas"), func(ctx context.Context, in *AccountInput) (*viewOutput, error) {
		return said(ctx)(s.Get(ctx, in.ID))
	})
	httpx.Register(api, op("change-connector", http.MethodPut, "/api/connectors/{id}", auth.ConnectorWrite, "Change an account; secrets that are left out stay as they are"), func(ctx context.Context, in *changeInput) (*viewOutput, error) {
		return said(ctx)(s.Change(ctx, in.ID, in.Body))
	})
	httpx.Register(api, op("pause-connector", http.MethodPost, "/api/connectors/{id}/pause", auth.ConnectorWrite, "Pause an account: it calls nobody, and callbacks are kept until it goes on"), func(ctx context.Context, in *AccountInput) (*viewOutput, error) {
		return said(ctx)(s.SetState(ctx, in.ID, Paused))
	})
	httpx.Register(api, op("resume-connector", http.MethodPost, "/api/connectors/{id}/resume", auth.ConnectorWrite, "Let an account go on, with the callbacks that were kept"), func(ctx context.Context, in *AccountInput) (*viewOutput, error) {
		return said(ctx)(s.SetState(ctx, in.ID, Active))
	})
	check := op("check-connector", http.MethodPost, "/api/connectors/{id}/check", auth.ConnectorWrite, "Ask the platform whether the account works, and say how to mend what does not")
	httpx.Register(api, check, func(ctx context.Context, in *AccountInput) (*viewOutput, error) {
		return said(ctx)(s.Check(ctx, in.ID))
	})
	httpx.Register(api, op("delete-connector", http.MethodDelete, "/api/connectors/{id}", auth.ConnectorWrite, "Delete an account with its callbacks and counts"), func(ctx context.Context, in *AccountInput) (*struct{}, error) {
		return nil, s.Delete(ctx, in.ID)
	})
}

func (s *Service) httpMake(_ context.Context, in *makeInput) (*makeOutput, error) {
	for _, f := range s.kinds[in.Kind].Fields {
		if f.Name == in.Field && f.Make != "" {
			out := &makeOutput{}
			out.Body.Value = Made(f.Make)
			return out, nil
		}
	}
	return nil, errNoField
}

// said puts an account's codes into words.
func said(ctx context.Context) func(View, error) (*viewOutput, error) {
	return func(v View, err error) (*viewOutput, error) {
		if err != nil {
			return nil, err
		}
		say(ctx, &v)
		return &viewOutput{v}, nil
	}
}

func say(ctx context.Context, v *View) {
	for i := range v.Findings {
		f := &v.Findings[i]
		f.Title, f.Words = httpx.Say(ctx, f.Check, f.Params), httpx.Say(ctx, f.Code, f.Params)
		if f.Mend != "" {
			f.How = httpx.Say(ctx, f.Mend, f.Params)
		}
	}
	for i := range v.Calls {
		if c := &v.Calls[i]; c.Outcome != outcomeVerified && c.Outcome != outcomeProved && c.Outcome != outcomeBarred {
			c.Words = httpx.Say(ctx, c.Outcome, nil)
		}
	}
	for i := range v.Quotas {
		if q := &v.Quotas[i]; q.Note != "" {
			q.Words = httpx.Say(ctx, q.Note, nil)
		}
	}
}

func toKindView(ctx context.Context, k Kind) KindView {
	v := KindView{Name: k.Name, Label: httpx.Say(ctx, k.Label, nil), Base: k.Base, Callback: k.Callback, Capabilities: k.Capabilities, Fields: []FieldView{}, Quotas: []QuotaView{}}
	if v.Capabilities == nil {
		v.Capabilities = []string{}
	}
	for _, f := range k.Fields {
		w := FieldView{Name: f.Name, Label: httpx.Say(ctx, f.Label, nil), Secret: f.Secret, Required: f.Required, Options: f.Options, Default: f.Default, Example: f.Example, Lines: f.Lines, Make: f.Make != ""}
		if f.Help != "" {
			w.Help = httpx.Say(ctx, f.Help, nil)
		}
		v.Fields = append(v.Fields, w)
	}
	for _, q := range k.Quotas {
		w := QuotaView{Quota: q}
		if q.Note != "" {
			w.Words = httpx.Say(ctx, q.Note, nil)
		}
		v.Quotas = append(v.Quotas, w)
	}
	return v
}
