package reply

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// RuleInput names a rule in the path. It is exported because the API layer reads no
// parameters of embedded types that are not.
type RuleInput struct {
	ID string `path:"id" maxLength:"60" doc:"Auto-reply id"`
}

// AccountInput names an account in the path.
type AccountInput struct {
	Account string `path:"account" maxLength:"60" doc:"Account id"`
}

type (
	listInput struct {
		Account string `query:"account" maxLength:"60"`
		Kind    string `query:"kind" enum:"follow,keyword,chosen,off_hours,default"`
		Q       string `query:"q" maxLength:"120" doc:"Part of a name, a word or a text"`
		Cursor  string `query:"cursor"`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	listOutput struct {
		Body struct {
			Items []Row  `json:"items"`
			Total int    `json:"total" doc:"All that match"`
			Next  string `json:"next,omitempty"`
		}
	}
	accountsOutput struct {
		Body struct {
			Items []Account `json:"items"`
		}
	}
	ruleOutput  struct{ Body Row }
	changeInput struct {
		RuleInput
		Body Definition
	}
	placeInput struct {
		RuleInput
		Body struct {
			Before string `json:"before,omitempty" maxLength:"60" doc:"Id of the rule that comes next; left out: this one is the last"`
		}
	}
	triedOutput struct{ Body Tried }
	statsInput  struct {
		RuleInput
		From string `query:"from" maxLength:"10" doc:"First day, YYYY-MM-DD, of the company; default 29 days before the last"`
		To   string `query:"to" maxLength:"10" doc:"Last day, included; default today"`
	}
	statsOutput struct{ Body Stats }
	hoursInput  struct {
		AccountInput
		Body Hours
	}
	hoursOutput struct{ Body Hours }
	fileOutput  struct{ Body FileResult }
)

// Routes declares the API of auto-replies.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: "/api" + path, Tag: "replies", Summary: summary, Permission: may, Whole: may == auth.AcquireWrite}
	}
	read, write := auth.AcquireRead, auth.AcquireWrite
	get, post, put := http.MethodGet, http.MethodPost, http.MethodPut
	httpx.Register(api, op("list-replies", get, "/replies", read, "List auto-replies in the order in which they are asked"), s.httpList)
	create := op("create-reply", post, "/replies", write, "Make an auto-reply; it comes after those of its kind")
	create.Idempotent = true
	httpx.Register(api, create, func(ctx context.Context, in *struct{ Body Definition }) (*ruleOutput, error) {
		r, err := s.Create(ctx, in.Body)
		return s.answer(ctx, r, err)
	})
	httpx.Register(api, op("list-reply-accounts", get, "/replies/accounts", read, "The accounts that can answer"), func(ctx context.Context, _ *struct{}) (*accountsOutput, error) {
		list, err := s.Platform.Accounts(ctx)
		out := &accountsOutput{}
		out.Body.Items = append([]Account{}, list...)
		return out, err
	})
	httpx.Register(api, op("try-reply", post, "/replies/try", read, "Tell which auto-reply would answer a message, and why; nothing is sent"), func(ctx context.Context, in *struct{ Body Trial }) (*triedOutput, error) {
		t, err := s.Try(ctx, in.Body)
		return &triedOutput{t}, err
	})
	httpx.Register(api, op("import-replies", post, "/replies/file", write, "Take keyword rules from an uploaded file, or only tell what it would do"), func(ctx context.Context, in *struct{ Body File }) (*fileOutput, error) {
		r, err := s.Import(ctx, in.Body)
		return &fileOutput{r}, err
	})
	httpx.Handle(api, op("export-replies", get, "/replies/keywords.csv", read, "The keyword rules of an account as a table that can be imported: ?account="), http.HandlerFunc(s.serveCSV))
	httpx.Register(api, op("get-reply", get, "/replies/{id}", read, "Get an auto-reply"), func(ctx context.Context, in *RuleInput) (*ruleOutput, error) {
		r, err := s.rule(ctx, in.ID)
		return s.answer(ctx, r, err)
	})
	httpx.Register(api, op("update-reply", put, "/replies/{id}", write, "Change an auto-reply; it answers by the new words at once"), func(ctx context.Context, in *changeInput) (*ruleOutput, error) {
		r, err := s.Update(ctx, in.ID, in.Body)
		return s.answer(ctx, r, err)
	})
	httpx.Register(api, op("delete-reply", http.MethodDelete, "/replies/{id}", write, "Delete an auto-reply; figures of what it answered stay"), func(ctx context.Context, in *RuleInput) (*struct{}, error) {
		return nil, s.Delete(ctx, in.ID)
	})
	httpx.Register(api, op("move-reply", post, "/replies/{id}/place", write, "Put an auto-reply before another of its kind"), func(ctx context.Context, in *placeInput) (*ruleOutput, error) {
		r, err := s.Move(ctx, in.ID, in.Body.Before)
		return s.answer(ctx, r, err)
	})
	stats := op("get-reply-stats", get, "/replies/{id}/stats", read, "How often an auto-reply answered, by day and word")
	stats.Whole = true
	httpx.Register(api, stats, func(ctx context.Context, in *statsInput) (*statsOutput, error) {
		st, err := s.Stats(ctx, in.ID, in.From, in.To)
		return &statsOutput{st}, err
	})
	httpx.Register(api, op("get-reply-hours", get, "/reply-hours/{account}", read, "When an account has people who answer"), func(ctx context.Context, in *AccountInput) (*hoursOutput, error) {
		h, err := s.Hours(ctx, in.Account)
		return &hoursOutput{h}, err
	})
	httpx.Register(api, op("set-reply-hours", put, "/reply-hours/{account}", write, "Set when an account has people who answer"), func(ctx context.Context, in *hoursInput) (*hoursOutput, error) {
		h, err := s.SetHours(ctx, in.Account, in.Body)
		return &hoursOutput{h}, err
	})
}

func (s *Service) answer(ctx context.Context, r *Rule, err error) (*ruleOutput, error) {
	if err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx, []*Rule{r})
	if err != nil {
		return nil, err
	}
	return &ruleOutput{rows[0]}, nil
}

type listCursor struct {
	ID string `json:"id"`
}

func (s *Service) httpList(ctx context.Context, in *listInput) (*listOutput, error) {
	var c listCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
			return nil, err
		}
	}
	rows, next, total, err := s.List(ctx, Query{Account: in.Account, Kind: in.Kind, Q: in.Q}, c.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Items, out.Body.Total = rows, total
	if next != "" {
		out.Body.Next = httpx.EncodeCursor(listCursor{next})
	}
	return out, nil
}

func (s *Service) serveCSV(w http.ResponseWriter, r *http.Request) {
	account := r.URL.Query().Get("account")
	if _, err := s.checkAccount(r.Context(), account); err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	if err := s.record(r.Context(), "reply.exported", account, s.named(r.Context(), account), nil); err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", jobs.Attachment("replies.csv"))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	if err := s.Export(r.Context(), account, w); err != nil {
		s.Log.WarnContext(r.Context(), "export of auto-replies", "error", err) // most likely the caller went away
	}
}
