package connector

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type (
	templatesOutput struct {
		Body struct {
			Items []Template `json:"items"`
		}
	}
	testInput struct {
		AccountInput
		Body TestInput
	}
	testedInput struct {
		AccountInput
		Test string `path:"test" maxLength:"60" doc:"Id of a test"`
	}
	testedOutput struct{ Body Tested }
)

// testRoutes declares the API of test messages.
func (s *Service) testRoutes(api *httpx.API) {
	httpx.Register(api, op("list-connector-templates", http.MethodGet, "/api/connector-tests/{id}/templates", auth.ConnectorRead, "The texts that an account's platform allows, and in which state they are"), func(ctx context.Context, in *AccountInput) (*templatesOutput, error) {
		list, err := s.Templates(ctx, in.ID)
		out := &templatesOutput{}
		out.Body.Items = list
		if list == nil {
			out.Body.Items = []Template{}
		}
		return out, err
	})
	httpx.Register(api, op("send-connector-test", http.MethodPost, "/api/connector-tests/{id}", auth.ConnectorWrite, "Send one message to a number or an address, to see whether the account works"), func(ctx context.Context, in *testInput) (*testedOutput, error) {
		return tested(ctx)(s.SendTest(ctx, in.ID, in.Body))
	})
	httpx.Register(api, op("get-connector-test", http.MethodGet, "/api/connector-tests/{id}/sent/{test}", auth.ConnectorRead, "What became of a test message"), func(ctx context.Context, in *testedInput) (*testedOutput, error) {
		return tested(ctx)(s.TestReceipt(ctx, in.ID, in.Test))
	})
}

// tested puts the reason of a test that went wrong into words.
func tested(ctx context.Context) func(Tested, error) (*testedOutput, error) {
	return func(t Tested, err error) (*testedOutput, error) {
		if err != nil {
			return nil, err
		}
		if t.Receipt != nil && t.Receipt.Reason != "" {
			t.Words = httpx.Say(ctx, t.Receipt.Reason, map[string]any{"number": t.Receipt.Code, "words": ""})
		}
		return &testedOutput{t}, nil
	}
}
