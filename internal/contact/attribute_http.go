package contact

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// KeyInput names an attribute in the path.
type KeyInput struct {
	Key string `path:"key" doc:"Key of the attribute"`
}

type (
	attributesOutput struct{ Body AttributeList }
	attributeOutput  struct{ Body AttributeView }
	jobOutput        struct{ Body jobs.JobView }

	createAttributeInput struct{ Body attribute.Definition }
	patchAttributeInput  struct {
		KeyInput
		Body AttributePatch
	}
	retypeInput struct {
		KeyInput
		Body Retype
	}
	previewOutput struct{ Body RetypePreview }
	mergeInput    struct {
		KeyInput
		Body struct {
			Into string `json:"into" doc:"Key of the attribute that gets the values"`
		}
	}
	remapInput struct {
		KeyInput
		Option string `path:"option" doc:"Id of the option to take out"`
		Body   struct {
			To string `json:"to,omitempty" doc:"Id of the option that takes its place; empty: none"`
		}
	}
	violationsOutput struct {
		Body struct {
			Items []Violation `json:"items"`
		}
	}
	usesOutput struct {
		Body struct {
			Items []Use `json:"items"`
		}
	}
	historyInput struct {
		IDInput
		KeyInput
	}
	historyOutput struct {
		Body struct {
			Items []AttributeChange `json:"items"`
		}
	}
	regionsOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         struct {
			Items []attribute.Place `json:"items"`
		}
	}
	tryInput struct {
		Body struct {
			Definition attribute.Definition `json:"definition"`
			Value      string               `json:"value" maxLength:"2000" doc:"As somebody types it"`
		}
	}
	tryOutput struct {
		Body TriedValue
	}
)

// TriedValue is what a definition makes of a value.
type TriedValue struct {
	OK     bool            `json:"ok"`
	Value  json.RawMessage `json:"value,omitempty" doc:"Canonical form"`
	Text   string          `json:"text,omitempty" doc:"As people read it"`
	Reason string          `json:"reason,omitempty" doc:"Why it is not taken, in the language of the request"`
}

func (s *Service) attributeRoutes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "attributes", Summary: summary, Permission: may}
	}
	creates := func(o httpx.Op) httpx.Op { o.Idempotent = true; return o }
	httpx.Register(api, op("list-attributes", http.MethodGet, "/api/attributes", auth.ContactRead, "List attributes of contacts"), s.listAttributes)
	httpx.Register(api, creates(op("create-attribute", http.MethodPost, "/api/attributes", auth.AttributeWrite, "Define an attribute, or adopt one that arrived")), s.createAttribute)
	httpx.Register(api, op("get-attribute", http.MethodGet, "/api/attributes/{key}", auth.ContactRead, "Get an attribute"), s.getAttribute)
	httpx.Register(api, op("update-attribute", http.MethodPatch, "/api/attributes/{key}", auth.AttributeWrite, "Change an attribute"), s.patchAttribute)
	httpx.Register(api, op("archive-attribute", http.MethodDelete, "/api/attributes/{key}", auth.AttributeWrite, "Archive an attribute; values stay"), s.archiveAttribute)
	httpx.Register(api, op("survey-attributes", http.MethodPost, "/api/attributes/survey", auth.AttributeWrite, "Look at everybody's attributes anew"), s.surveyAttributes)
	httpx.Register(api, op("try-attribute", http.MethodPost, "/api/attributes/try", auth.ContactRead, "See what a definition makes of a value"), s.tryAttribute)
	httpx.Register(api, op("preview-retype", http.MethodPost, "/api/attributes/{key}/retype/preview", auth.AttributeWrite, "See what a change of type does to a sample of the values"), s.previewRetype)
	httpx.Register(api, creates(op("retype-attribute", http.MethodPost, "/api/attributes/{key}/retype", auth.AttributeWrite, "Change an attribute's type, or count what would fail")), s.retypeAttribute)
	httpx.Register(api, creates(op("merge-attribute", http.MethodPost, "/api/attributes/{key}/merge", auth.AttributeWrite, "Give an attribute's values to another one and archive it")), s.mergeAttribute)
	httpx.Register(api, creates(op("remap-attribute-option", http.MethodPost, "/api/attributes/{key}/options/{option}/remap", auth.AttributeWrite, "Take an option out and say what takes its place")), s.remapOption)
	httpx.Register(api, op("list-attribute-violations", http.MethodGet, "/api/attributes/{key}/violations", auth.ContactRead, "List values that were not taken"), s.listViolations)
	httpx.Register(api, op("clear-attribute-violations", http.MethodDelete, "/api/attributes/{key}/violations", auth.AttributeWrite, "Forget the counted violations"), s.clearViolations)
	httpx.Register(api, op("list-attribute-uses", http.MethodGet, "/api/attributes/{key}/uses", auth.ContactRead, "List where an attribute is used"), s.listUses)
	httpx.Register(api, op("list-attribute-history", http.MethodGet, "/api/contacts/{id}/attributes/{key}/history", auth.ContactRead, "List the changes of a contact's attribute, newest first"), s.attributeHistory)
	httpx.Register(api, op("list-regions", http.MethodGet, "/api/regions", auth.ContactRead, "List China's provinces, cities and counties"), s.listRegions)
}

func (s *Service) listAttributes(ctx context.Context, _ *struct{}) (*attributesOutput, error) {
	l, err := s.Attributes(ctx)
	if err != nil {
		return nil, err
	}
	return &attributesOutput{l}, nil
}

func (s *Service) createAttribute(ctx context.Context, in *createAttributeInput) (*attributeOutput, error) {
	v, err := s.CreateAttribute(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &attributeOutput{v}, nil
}

func (s *Service) getAttribute(ctx context.Context, in *KeyInput) (*attributeOutput, error) {
	v, err := s.GetAttribute(ctx, in.Key)
	if err != nil {
		return nil, err
	}
	return &attributeOutput{v}, nil
}

func (s *Service) patchAttribute(ctx context.Context, in *patchAttributeInput) (*attributeOutput, error) {
	v, err := s.UpdateAttribute(ctx, in.Key, in.Body)
	if err != nil {
		return nil, err
	}
	return &attributeOutput{v}, nil
}

func (s *Service) archiveAttribute(ctx context.Context, in *KeyInput) (*struct{}, error) {
	yes := true
	_, err := s.UpdateAttribute(ctx, in.Key, AttributePatch{Archived: &yes})
	return nil, err
}

func (s *Service) surveyAttributes(ctx context.Context, _ *struct{}) (*jobOutput, error) {
	return viewJob(ctx)(s.Survey(ctx))
}

// viewJob shows the job that a call started.
func viewJob(ctx context.Context) func(jobs.Job, error) (*jobOutput, error) {
	return func(j jobs.Job, err error) (*jobOutput, error) {
		if err != nil {
			return nil, err
		}
		return &jobOutput{jobs.View(ctx, j)}, nil
	}
}

func (s *Service) tryAttribute(ctx context.Context, in *tryInput) (*tryOutput, error) {
	d := in.Body.Definition
	if d.Key == "" {
		d.Key = "try"
	}
	if d.NameZh == "" {
		d.NameZh = d.Key
	}
	d.Options = s.optionIDs(d.Options)
	a, f := attribute.Compile(d, s.engine.readers())
	if f != nil {
		return nil, invalid(f)
	}
	v, f := a.ReadText(in.Body.Value)
	out := &tryOutput{}
	if f != nil {
		out.Body.Reason = httpx.Say(ctx, f.Code, paramsOf(f))
		return out, nil
	}
	out.Body = TriedValue{OK: true, Value: v, Text: a.Show(v)}
	return out, nil
}

func (s *Service) previewRetype(ctx context.Context, in *retypeInput) (*previewOutput, error) {
	p, err := s.PreviewRetype(ctx, in.Key, in.Body)
	if err != nil {
		return nil, err
	}
	return &previewOutput{p}, nil
}

func (s *Service) retypeAttribute(ctx context.Context, in *retypeInput) (*jobOutput, error) {
	return viewJob(ctx)(s.StartRetype(ctx, in.Key, in.Body))
}

func (s *Service) mergeAttribute(ctx context.Context, in *mergeInput) (*jobOutput, error) {
	return viewJob(ctx)(s.MergeAttribute(ctx, in.Key, in.Body.Into))
}

func (s *Service) remapOption(ctx context.Context, in *remapInput) (*jobOutput, error) {
	return viewJob(ctx)(s.RemapOption(ctx, in.Key, in.Option, in.Body.To))
}

func (s *Service) listViolations(ctx context.Context, in *KeyInput) (*violationsOutput, error) {
	vs, err := s.Violations(ctx, in.Key)
	if err != nil {
		return nil, err
	}
	out := &violationsOutput{}
	out.Body.Items = append([]Violation{}, vs...)
	return out, nil
}

func (s *Service) clearViolations(ctx context.Context, in *KeyInput) (*struct{}, error) {
	return nil, s.ClearViolations(ctx, in.Key)
}

func (s *Service) listUses(ctx context.Context, in *KeyInput) (*usesOutput, error) {
	us, err := s.Uses(ctx, Term{Attribute: in.Key})
	if err != nil {
		return nil, err
	}
	out := &usesOutput{}
	out.Body.Items = us
	return out, nil
}

func (s *Service) attributeHistory(ctx context.Context, in *historyInput) (*historyOutput, error) {
	h, err := s.AttributeHistory(ctx, in.ID, in.Key)
	if err != nil {
		return nil, err
	}
	out := &historyOutput{}
	out.Body.Items = h
	return out, nil
}

func (s *Service) listRegions(context.Context, *struct{}) (*regionsOutput, error) {
	out := &regionsOutput{CacheControl: "private, max-age=86400"}
	out.Body.Items = attribute.Regions()
	return out, nil
}
