package pipeline

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Routes adds the list of set-aside facts and what can be done with them.
func (p *Pipeline) Routes(api *httpx.API) {
	httpx.Register(api, httpx.Op{ID: "list-set-aside-facts", Method: http.MethodGet, Path: "/api/facts/set-aside", Tag: "facts",
		Summary: "Facts that could not be processed, newest first", Permission: auth.FactsRead, Whole: true}, p.listAside)
	httpx.Register(api, httpx.Op{ID: "retry-set-aside-facts", Method: http.MethodPost, Path: "/api/facts/set-aside/retry", Tag: "facts",
		Summary: "Process set-aside facts once more", Permission: auth.FactsWrite, Whole: true, Timeout: 2 * time.Minute}, p.retryAside)
	httpx.Register(api, httpx.Op{ID: "discard-set-aside-facts", Method: http.MethodPost, Path: "/api/facts/set-aside/discard", Tag: "facts",
		Summary: "Give up on set-aside facts", Permission: auth.FactsWrite, Whole: true}, p.discardAside)
}

type asideInput struct {
	State  string `query:"state" enum:"open,retried,discarded" default:"open"`
	Code   string `query:"code"`
	Name   string `query:"name"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type apiAside struct {
	ID         string         `json:"id"`
	At         time.Time      `json:"at"`
	Stage      string         `json:"stage" enum:"decode,resolve,store,react"`
	Subscriber string         `json:"subscriber,omitempty" doc:"Who could not handle it, when the stage is react"`
	Code       string         `json:"code"`
	Detail     string         `json:"detail"`
	Name       string         `json:"name"`
	MessageID  string         `json:"messageId"`
	Source     string         `json:"source"`
	Fact       map[string]any `json:"fact" doc:"The fact, with personal values hidden"`
	Tries      int64          `json:"tries"`
	State      string         `json:"state" enum:"open,retried,discarded"`
}

type asideOutput struct {
	Body struct {
		Items []apiAside `json:"items"`
		Next  string     `json:"next,omitempty"`
	}
}

func (p *Pipeline) listAside(ctx context.Context, in *asideInput) (*asideOutput, error) {
	var before string
	if err := httpx.DecodeCursor(in.Cursor, &before); err != nil {
		return nil, err
	}
	rows, err := p.aside.list(ctx, asideQuery{state: in.State, code: in.Code, name: in.Name, before: before, limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := &asideOutput{}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		out.Body.Next = httpx.EncodeCursor(rows[in.Limit-1].ID)
	}
	for _, r := range rows {
		out.Body.Items = append(out.Body.Items, toAPIAside(ctx, r))
	}
	return out, nil
}

func toAPIAside(ctx context.Context, r asideRow) apiAside {
	return apiAside{ID: r.ID, At: clock.FromMs(r.At), Stage: r.Stage, Subscriber: r.Subscriber, Code: r.Code, Detail: httpx.Say(ctx, r.Code, r.Params),
		Name: r.Name, MessageID: r.MessageID, Source: r.Source, Fact: veiled(r), Tries: r.Tries, State: r.State}
}

// veiled shows a fact as the console does, without saying whose it is.
func veiled(r asideRow) map[string]any {
	out := map[string]any{}
	if r.Stage == stageDecode {
		out["bytes"] = len(r.Fact)
		return out
	}
	var f event.Fact
	if json.Unmarshal(r.Fact, &f) != nil { // we wrote it: only a hand in the table could have changed it
		return out
	}
	out["messageId"], out["type"], out["name"] = f.MessageID, f.Type, f.Name
	out["timestamp"], out["receivedAt"] = clock.FromMs(f.Timestamp), clock.FromMs(f.ReceivedAt)
	ids := map[string]string{}
	for _, id := range f.Identifiers {
		ids[id.Kind] = veil.Identifier(id.Kind, id.Value)
	}
	for k, v := range map[string]string{"user_id": f.UserID, "anonymous_id": f.AnonymousID, "previous_id": f.PreviousID, "group_id": f.GroupID} {
		if v != "" {
			ids[k] = veil.Identifier(k, v)
		}
	}
	out["identifiers"] = ids
	for k, v := range map[string][]byte{"properties": veil.Object(f.Properties, false), "traits": veil.Object(f.Traits, true), "context": veil.Object(f.Context, false)} {
		if v != nil {
			out[k] = json.RawMessage(v)
		}
	}
	return out
}

type actInput struct {
	Body struct {
		IDs []string `json:"ids,omitempty" maxItems:"500"`
		All bool     `json:"all,omitempty" doc:"All open ones, up to 5,000 at a time"`
	}
}

type actOutput struct {
	Body struct {
		Count int64 `json:"count"`
	}
}

func (in *actInput) chosen() ([]string, error) {
	switch {
	case in.Body.All:
		return nil, nil
	case len(in.Body.IDs) == 0:
		return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("ids", "request.field_required"))
	}
	return in.Body.IDs, nil
}

func (p *Pipeline) retryAside(ctx context.Context, in *actInput) (*actOutput, error) {
	return act(ctx, in, p.Retry)
}

func (p *Pipeline) discardAside(ctx context.Context, in *actInput) (*actOutput, error) {
	return act(ctx, in, p.Discard)
}

func act(ctx context.Context, in *actInput, do func(context.Context, []string) (int64, error)) (*actOutput, error) {
	ids, err := in.chosen()
	if err != nil {
		return nil, err
	}
	out := &actOutput{}
	out.Body.Count, err = do(ctx, ids)
	return out, err
}
