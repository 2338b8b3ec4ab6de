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
		Body AttributeMerge
	}
	attributeMergePreviewOutput struct{ Body AttributeMergePreview }
	remapInput                  struct {
		KeyInput
		Body struct {
			Changes []OptionChange `json:"changes" maxItems:"200"`
		}
	}
	optionsPreviewOutput struct{ Body OptionsPreview }
	attributeRunInput    struct {
		ID string `path:"id"`
	}
	attributeRunOutput  struct{ Body AttributeRun }
	attributeRunsOutput struct {
		Body struct {
			Items []AttributeRun `json:"items"`
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
	httpx.Register(api, op("preview-attribute-merge", http.MethodPost, "/api/attributes/{key}/merge/preview", auth.AttributeWrite, "Count what merging an attribute into another would do"), s.previewAttributeMerge)
	httpx.Register(api, creates(op("merge-attribute", http.MethodPost, "/api/attributes/{key}/merge", auth.AttributeWrite, "Give an attribute's values to another one and archive it")), s.mergeAttribute)
	httpx.Register(api, op("preview-attribute-options", http.MethodPost, "/api/attributes/{key}/options/preview", auth.AttributeWrite, "Count who has which option, and whom changes of them concern"), s.previewOptions)
	httpx.Register(api, creates(op("remap-attribute-options", http.MethodPost, "/api/attributes/{key}/options/remap", auth.AttributeWrite, "Take options out and say what takes their place")), s.remapOptions)
	httpx.Register(api, op("list-attribute-runs", http.MethodGet, "/api/attribute-runs", auth.ContactRead, "List merges of attributes and changes of options, newest first"), s.listAttributeRuns)
	httpx.Register(api, op("cancel-attribute-run", http.MethodPost, "/api/attribute-runs/{id}/cancel", auth.AttributeWrite, "Stop a merge of attributes or a change of options; what was done stays"), s.cancelAttributeRun)
	httpx.Register(api, op("undo-attribute-run", http.MethodPost, "/api/attribute-runs/{id}/undo", auth.AttributeWrite, "Take back a merge of attributes or a change of options, where nobody changed the value since"), s.undoAttributeRun)
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

func (s *Service) previewAttributeMerge(ctx context.Context, in *mergeInput) (*attributeMergePreviewOutput, error) {
	p, err := s.PreviewAttributeMerge(ctx, in.Key, in.Body)
	if err != nil {
		return nil, err
	}
	return &attributeMergePreviewOutput{p}, nil
}

func oneAttributeRun(a AttributeRun, err error) (*attributeRunOutput, error) {
	if err != nil {
		return nil, err
	}
	return &attributeRunOutput{a}, nil
}

func (s *Service) mergeAttribute(ctx context.Context, in *mergeInput) (*attributeRunOutput, error) {
	return oneAttributeRun(s.MergeAttribute(ctx, in.Key, in.Body))
}

func (s *Service) previewOptions(ctx context.Context, in *remapInput) (*optionsPreviewOutput, error) {
	p, err := s.PreviewOptions(ctx, in.Key, in.Body.Changes)
	if err != nil {
		return nil, err
	}
	return &optionsPreviewOutput{p}, nil
}

func (s *Service) remapOptions(ctx context.Context, in *remapInput) (*attributeRunOutput, error) {
	return oneAttributeRun(s.RemapOptions(ctx, in.Key, in.Body.Changes))
}

func (s *Service) listAttributeRuns(ctx context.Context, _ *struct{}) (*attributeRunsOutput, error) {
	runs, err := s.AttributeRuns(ctx)
	if err != nil {
		return nil, err
	}
	out := &attributeRunsOutput{}
	out.Body.Items = append([]AttributeRun{}, runs...)
	return out, nil
}

func (s *Service) cancelAttributeRun(ctx context.Context, in *attributeRunInput) (*attributeRunOutput, error) {
	return oneAttributeRun(s.CancelAttributeRun(ctx, in.ID))
}

func (s *Service) undoAttributeRun(ctx context.Context, in *attributeRunInput) (*attributeRunOutput, error) {
	return oneAttributeRun(s.UndoAttributeRun(ctx, in.ID))
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
