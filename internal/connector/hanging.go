package connector

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Hanging is how much of one sort of records goes with an account when it is
// deleted. What is a code of the catalogue.
type Hanging struct {
	What  string `json:"what"`
	Words string `json:"words" doc:"What it is, in the caller's language"`
	Count int64  `json:"count"`
}

// Dependent is a domain that keeps records of accounts.
type Dependent struct {
	// Count tells what would go, before anybody decides.
	Count func(ctx context.Context, account string) ([]Hanging, error)
	// Drop deletes it, in the transaction that deletes the account.
	Drop func(ctx context.Context, account string) error
}

// Depend has records of a domain deleted together with their account.
func (s *Service) Depend(d Dependent) { s.dependents = append(s.dependents, d) }

// OnAccount has f told after an account was set up or changed, or goes on again.
func (s *Service) OnAccount(f func()) { s.told = append(s.told, f) }

// tellAccount tells them once the transaction of ctx has been committed.
func (s *Service) tellAccount(ctx context.Context) {
	for _, f := range s.told {
		s.DB.After(ctx, f)
	}
}

// Hanging tells what would be deleted together with an account.
func (s *Service) Hanging(ctx context.Context, id string) ([]Hanging, error) {
	a, err := s.account(ctx, id)
	if err != nil {
		return nil, err
	}
	out := []Hanging{}
	var n int64
	if err := s.DB.QueryRow(ctx, "select count(*) from connector_inbox where account = $1", a.ID).Scan(&n); err != nil {
		return nil, err
	}
	if n > 0 {
		out = append(out, Hanging{What: "connector.hanging_callbacks", Count: n})
	}
	for _, d := range s.dependents {
		more, err := d.Count(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		for _, h := range more {
			if h.Count > 0 {
				out = append(out, h)
			}
		}
	}
	return out, nil
}

func (s *Service) hangingRoute(api *httpx.API) {
	type output struct {
		Body struct {
			Items []Hanging `json:"items"`
		}
	}
	httpx.Register(api, op("list-connector-hanging", http.MethodGet, "/api/connectors/hanging/{id}", auth.ConnectorRead, "What would be deleted together with an account, and how much of it"), func(ctx context.Context, in *AccountInput) (*output, error) {
		list, err := s.Hanging(ctx, in.ID)
		out := &output{}
		out.Body.Items = list
		for i := range list {
			list[i].Words = httpx.Say(ctx, list[i].What, nil)
		}
		return out, err
	})
}
