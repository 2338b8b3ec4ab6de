package contact

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

type checkRuleInput struct {
	Body struct {
		Rule json.RawMessage `json:"rule" doc:"A rule; its JSON Schema is at /api/rules/schema. Anything is taken here, to say what is wrong with it"`
	}
}

// RuleFault is the first thing that is wrong with a rule.
type RuleFault struct {
	Path    string `json:"path" doc:"Where in the rule, e.g. rule.all[0].event.where[1].op"`
	Code    string `json:"code"`
	Message string `json:"message" doc:"What is wrong and what to do, in the caller's language"`
}

type checkRuleOutput struct {
	Body struct {
		OK       bool       `json:"ok"`
		Sentence string     `json:"sentence,omitempty" doc:"The rule in the caller's language, when it is right"`
		Fault    *RuleFault `json:"fault,omitempty"`
	}
}

// RuleInput is a rule that something is asked about.
type RuleInput struct {
	Rule *rule.Rule `json:"rule" doc:"Whom to look for; {\"v\":1} is everybody. Its JSON Schema is at /api/rules/schema"`
}

type estimateInput struct {
	Body struct {
		RuleInput
		Exact bool `json:"exact,omitempty" doc:"Count everybody. Without it, an answer about very many contacts may be made from a sample, at once, and says so"`
	}
}

type explainInput struct {
	Body struct {
		Rule    *rule.Rule `json:"rule"`
		Contact string     `json:"contact" minLength:"1" doc:"Contact id"`
	}
}

type explainOutput struct{ Body Explained }

type estimateOutput struct{ Body Estimate }

func (s *Service) rulesRoutes(api *httpx.API) {
	op := func(id, method, path, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "rules", Summary: summary, Permission: auth.ContactRead}
	}
	httpx.Register(api, op("check-rule", http.MethodPost, "/api/rules/check", "Say a rule in words, or the first thing that is wrong with it"), s.checkRuleText)
	httpx.Register(api, op("estimate-rule", http.MethodPost, "/api/rules/estimate", "Count whom a rule means, with a few of them"), func(ctx context.Context, in *estimateInput) (*estimateOutput, error) {
		e, err := s.Estimate(ctx, in.Body.Rule, "rule", in.Body.Exact)
		return &estimateOutput{e}, err
	})
	httpx.Register(api, op("explain-rule", http.MethodPost, "/api/rules/explain", "Say why a rule means a contact, or why not"), func(ctx context.Context, in *explainInput) (*explainOutput, error) {
		x, err := s.Explain(ctx, in.Body.Rule, "rule", in.Body.Contact)
		return &explainOutput{x}, err
	})
	httpx.Handle(api, op("get-rule-schema", http.MethodGet, "/api/rules/schema", "The language of rules as a JSON Schema (2020-12)"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/schema+json")
		_, _ = w.Write(rule.Schema()) // a caller that went away needs no answer
	}))
	s.wordRoutes(api, op)
}

// checkRuleText answers also what is no rule with 200: being told what is wrong
// is what the caller came for.
func (s *Service) checkRuleText(ctx context.Context, in *checkRuleInput) (*checkRuleOutput, error) {
	out := &checkRuleOutput{}
	r, err := rule.Parse(string(in.Body.Rule), "rule")
	if err == nil {
		err = s.checkRule(ctx, r, "rule")
	}
	if e := errs.As(err); e != nil && e.Kind == errs.Invalid && len(e.Fields) > 0 {
		f := e.Fields[0]
		out.Body.Fault = &RuleFault{Path: f.Path, Code: f.Code, Message: httpx.Say(ctx, f.Code, f.Params)}
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.Body.OK, out.Body.Sentence = true, s.Sentence(ctx, r)
	return out, nil
}
