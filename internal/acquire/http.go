package acquire

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// ChannelPath names a channel in the path. It is exported because the API layer
// reads no parameters of embedded types that are not.
type ChannelPath struct {
	ID string `path:"id" maxLength:"60" doc:"Channel id"`
}

// CostPeriod is a stretch of days of costs.
type CostPeriod struct {
	From     string `query:"from" required:"true" maxLength:"10" doc:"YYYY-MM-DD, included"`
	To       string `query:"to" required:"true" maxLength:"10" doc:"YYYY-MM-DD, included; at most 100 days"`
	Currency string `query:"currency" maxLength:"3" doc:"ISO 4217; default the company's"`
}

type (
	channelsOutput struct {
		Body struct {
			Items []Channel `json:"items"`
		}
	}
	channelOutput      struct{ Body Channel }
	changeChannelInput struct {
		ChannelPath
		Body ChannelInput
	}
	rulesBody struct {
		Rules []Rule `json:"rules" maxItems:"500" doc:"In the order in which they are tried; the first that fits decides"`
	}
	rulesOutput struct{ Body rulesBody }
	tryInput    struct {
		Body struct {
			Rules    []Rule `json:"rules,omitempty" maxItems:"500"`
			Source   string `json:"source,omitempty" maxLength:"500"`
			Medium   string `json:"medium,omitempty" maxLength:"500"`
			Campaign string `json:"campaign,omitempty" maxLength:"500"`
			Referrer string `json:"referrer,omitempty" maxLength:"500"`
			Code     string `json:"code,omitempty" maxLength:"500"`
			Link     string `json:"link,omitempty" maxLength:"500"`
			Import   string `json:"import,omitempty" maxLength:"500"`
		}
	}
	triedOutput   struct{ Body Tried }
	costsOutput   struct{ Body Costs }
	setCostsInput struct {
		Body struct {
			Currency string `json:"currency,omitempty" maxLength:"3"`
			Cells    []Cost `json:"cells" maxItems:"4000"`
		}
	}
	cellsOutput struct {
		Body struct {
			Items []Cost `json:"items"`
		}
	}
	costResultOutput struct{ Body CostResult }
)

// Routes declares the API of channels, their rules and costs.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "channels", Summary: summary, Permission: may}
	}
	get, post, put := http.MethodGet, http.MethodPost, http.MethodPut
	// What channels cost, and by which rules people are counted to them, is of
	// everybody's customers.
	whole := func(o httpx.Op) httpx.Op { o.Whole = true; return o }
	httpx.Register(api, op("list-channels", get, "/api/channels", auth.OverviewRead, "The tree of channels, each behind the one above it"), func(ctx context.Context, _ *struct{}) (*channelsOutput, error) {
		out := &channelsOutput{}
		out.Body.Items = s.Channels(ctx)
		return out, nil
	})
	create := op("create-channel", post, "/api/channels", auth.AcquireWrite, "Make a channel")
	create.Idempotent = true
	httpx.Register(api, create, func(ctx context.Context, in *struct{ Body ChannelInput }) (*channelOutput, error) {
		c, err := s.Create(ctx, in.Body)
		return &channelOutput{c}, err
	})
	httpx.Register(api, op("update-channel", put, "/api/channels/{id}", auth.AcquireWrite, "Rename, move or archive a channel, or give it an owner"), func(ctx context.Context, in *changeChannelInput) (*channelOutput, error) {
		c, err := s.Update(ctx, in.ID, in.Body)
		return &channelOutput{c}, err
	})
	httpx.Register(api, whole(op("get-channel-rules", get, "/api/channel-rules", auth.AcquireRead, "The rules that give a channel to what facts carry")), func(ctx context.Context, _ *struct{}) (*rulesOutput, error) {
		list, err := s.Rules(ctx)
		return &rulesOutput{rulesBody{append([]Rule{}, list...)}}, err
	})
	httpx.Register(api, op("set-channel-rules", put, "/api/channel-rules", auth.AcquireWrite, "Put other rules in the place of all; they count from the next fact on"), func(ctx context.Context, in *struct{ Body rulesBody }) (*rulesOutput, error) {
		list, err := s.SetRules(ctx, in.Body.Rules)
		return &rulesOutput{rulesBody{append([]Rule{}, list...)}}, err
	})
	httpx.Register(api, whole(op("try-channel-rules", post, "/api/channel-rules/try", auth.AcquireRead, "Where something would lead by some rules")), func(ctx context.Context, in *tryInput) (*triedOutput, error) {
		b := in.Body
		t, err := s.Try(ctx, b.Rules, contact.Clue{Source: b.Source, Medium: b.Medium, Campaign: b.Campaign, Referrer: b.Referrer, Code: b.Code, Link: b.Link, Import: b.Import})
		return &triedOutput{t}, err
	})
	httpx.Register(api, whole(op("list-channel-costs", get, "/api/channel-costs", auth.AcquireRead, "What channels cost on each day")), func(ctx context.Context, in *CostPeriod) (*costsOutput, error) {
		c, err := s.Costs(ctx, in.From, in.To, in.Currency)
		return &costsOutput{c}, err
	})
	httpx.Register(api, op("set-channel-costs", put, "/api/channel-costs", auth.AcquireWrite, "Write costs of days; 0 takes one away"), func(ctx context.Context, in *setCostsInput) (*struct{}, error) {
		return nil, s.SetCosts(ctx, in.Body.Currency, in.Body.Cells)
	})
	httpx.Register(api, op("spread-channel-cost", post, "/api/channel-costs/spread", auth.AcquireWrite, "Share a sum out over days"), func(ctx context.Context, in *struct{ Body Spread }) (*cellsOutput, error) {
		list, err := s.SpreadCost(ctx, in.Body)
		out := &cellsOutput{}
		out.Body.Items = append([]Cost{}, list...)
		return out, err
	})
	httpx.Register(api, op("import-channel-costs", post, "/api/channel-costs/import", auth.AcquireWrite, "Take costs from an uploaded file, or only tell what it would bring"), func(ctx context.Context, in *struct{ Body CostFile }) (*costResultOutput, error) {
		r, err := s.ImportCosts(ctx, in.Body)
		return &costResultOutput{r}, err
	})
}
