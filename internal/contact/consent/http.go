package consent

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// PurposeInput names a purpose in the path. It is exported because the API layer
// reads no parameters of embedded types that are not.
type PurposeInput struct {
	Purpose string `path:"purpose" doc:"Purpose id"`
}

type createPurposeInput struct {
	Body struct {
		ID string `json:"id" maxLength:"40" doc:"Small letters, digits and _; never changed"`
		PurposeChange
		Wording Text `json:"wording"`
	}
}

type updatePurposeInput struct {
	PurposeInput
	Body PurposeChange
}

type wordingInput struct {
	PurposeInput
	Body struct {
		Text        Text      `json:"text"`
		EffectiveAt time.Time `json:"effectiveAt,omitzero" doc:"From when it is shown; default now"`
	}
}

type setInput struct {
	contact.IDInput
	Body struct {
		Changes []Change `json:"changes" minItems:"1" maxItems:"100"`
		Reason  string   `json:"reason" maxLength:"2000" doc:"How the person said so: kept as proof"`
	}
}

type historyInput struct {
	contact.IDInput
	contact.PageInput
}

type linkInput struct {
	contact.IDInput
	Body struct {
		Days int  `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"It stops working after so many days; 0: never"`
		New  bool `json:"new,omitempty" doc:"Make another although one works"`
	}
}

type checkInput struct {
	Body struct {
		IDs     []string `json:"ids" minItems:"1" maxItems:"1000" doc:"Contact ids"`
		Purpose string   `json:"purpose"`
		Channel Channel  `json:"channel" enum:"all,wecom,official_account,mini_program,sms,email,phone,in_app" doc:"all: a purpose about the use of data alone"`
	}
}

type recentInput struct {
	contact.PageInput
	Purpose string `query:"purpose" maxLength:"40"`
	State   State  `query:"state" enum:"granted,withdrawn,voided"`
	Source  Source `query:"source" enum:"page,form,unsubscribe,staff,api,sdk,import,reply,complaint,bulk,erasure"`
}

type peopleInput struct {
	contact.PageInput
	Purpose string  `query:"purpose" required:"true" maxLength:"40" doc:"A purpose; everything: do not contact"`
	Channel Channel `query:"channel" enum:"all,wecom,official_account,mini_program,sms,email,phone,in_app" default:"all"`
	State   State   `query:"state" required:"true" enum:"granted,withdrawn,unknown"`
}

type bulkInput struct {
	Body struct {
		contact.SelectionBody
		Purpose string  `json:"purpose" doc:"A purpose; everything: do not contact"`
		Channel Channel `json:"channel" enum:"all,wecom,official_account,mini_program,sms,email,phone,in_app" default:"all"`
		State   State   `json:"state" enum:"granted,withdrawn"`
		Wording int64   `json:"wording,omitempty" minimum:"0" doc:"To grant: the version that these people agreed to"`
		Reason  string  `json:"reason" maxLength:"2000" doc:"Why, and where the proof is"`
		Proof   string  `json:"proofFile,omitempty" maxLength:"64" doc:"Id of a file that proves it, see POST /api/consent/proofs"`
	}
}

type bulkPreviewInput struct {
	Body struct {
		contact.SelectionBody
		Purpose string  `json:"purpose" doc:"A purpose; everything: do not contact"`
		Channel Channel `json:"channel" enum:"all,wecom,official_account,mini_program,sms,email,phone,in_app" default:"all"`
		State   State   `json:"state" enum:"granted,withdrawn"`
	}
}

type batchInput struct {
	Batch string `path:"batch" doc:"Id of the change"`
}

type suppressionsInput struct {
	contact.PageInput
	Q string `query:"q" maxLength:"256" doc:"A phone number or e-mail address in full"`
}

type suppressInput struct {
	Body struct {
		Kind   string `json:"kind" enum:"phone,email"`
		Value  string `json:"value" maxLength:"256"`
		Whole  bool   `json:"whole,omitempty" doc:"Reach whoever has it by no channel at all"`
		Reason string `json:"reason" maxLength:"2000"`
	}
}

type unsuppressInput struct {
	ID     string `path:"id" doc:"Id of the entry"`
	Reason string `query:"reason" maxLength:"2000" doc:"Why: kept in the audit log"`
}

type output[T any] struct{ Body T }

type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page"`
}

// LedgerPage, BatchPage and SuppressionPage are pages of lists.
type (
	LedgerPage      list[Row]
	BatchPage       list[Batch]
	SuppressionPage list[Suppression]
	// PurposeList is every purpose, in order.
	PurposeList struct {
		Items []*Purpose `json:"items"`
	}
	// CheckResult is a decision for each id; ids of nobody are left out.
	CheckResult struct {
		Items map[string]Decision `json:"items"`
	}
)

// Routes declares the API of consent and the pages that customers open.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "consent", Summary: summary, Permission: may}
	}
	creates := func(o httpx.Op) httpx.Op { o.Idempotent = true; return o }
	httpx.Register(api, op("list-consent-purposes", http.MethodGet, "/api/consent/purposes", auth.ContactRead, "List purposes with their wordings"), s.httpPurposes)
	httpx.Register(api, creates(op("create-consent-purpose", http.MethodPost, "/api/consent/purposes", auth.SettingsWrite, "Make a purpose")), s.httpCreatePurpose)
	httpx.Register(api, op("update-consent-purpose", http.MethodPatch, "/api/consent/purposes/{purpose}", auth.SettingsWrite, "Change or archive a purpose"), s.httpUpdatePurpose)
	httpx.Register(api, creates(op("add-consent-wording", http.MethodPost, "/api/consent/purposes/{purpose}/wordings", auth.SettingsWrite, "Add a version of a purpose's wording")), s.httpAddWording)

	httpx.Register(api, op("preview-preference-page", http.MethodPost, "/api/consent/preview", auth.ContactRead, "Render the preference page with a purpose that is not saved yet"), s.httpPreview)

	httpx.Register(api, op("get-contact-consents", http.MethodGet, "/api/contacts/{id}/consents", auth.ContactRead, "Get what a person agreed to, by purpose and channel"), s.httpProfile)
	httpx.Register(api, op("set-contact-consents", http.MethodPost, "/api/contacts/{id}/consents", auth.ConsentWrite, "Write down what a person said"), s.httpSet)
	httpx.Register(api, op("list-contact-consent-history", http.MethodGet, "/api/contacts/{id}/consents/history", auth.ContactRead, "List a person's rows of the ledger, newest first"), s.httpHistory)
	httpx.Handle(api, op("export-contact-consents", http.MethodGet, "/api/contacts/{id}/consents/proof", auth.ContactExport, "A person's ledger as proof: JSON, or ?format=html to read and print"), http.HandlerFunc(s.serveEvidence))
	httpx.Register(api, op("make-preference-link", http.MethodPost, "/api/contacts/{id}/preference-link", auth.ConsentWrite, "Get a link to the person's preference page"), s.httpMakeLink)
	httpx.Register(api, op("revoke-preference-links", http.MethodDelete, "/api/contacts/{id}/preference-link", auth.ConsentWrite, "Make every preference link of a person stop working"), s.httpRevokeLinks)

	httpx.Register(api, op("check-consent", http.MethodPost, "/api/consent/check", auth.ContactRead, "Ask for many people whether a purpose and channel are allowed"), s.httpCheck)
	httpx.Register(api, op("get-consent-totals", http.MethodGet, "/api/consent/totals", auth.ContactRead, "Count people by purpose, channel and state"), s.httpTotals)
	httpx.Register(api, op("list-consent-people", http.MethodGet, "/api/consent/people", auth.ContactRead, "List the people behind a total"), s.httpPeople)
	httpx.Register(api, op("list-consent-ledger", http.MethodGet, "/api/consent/ledger", auth.ContactRead, "List the newest rows of the ledger"), s.httpRecent)
	httpx.Register(api, op("list-consent-changes", http.MethodGet, "/api/consent/changes", auth.ContactRead, "List changes of many people"), s.httpBatches)
	httpx.Register(api, creates(op("start-consent-change", http.MethodPost, "/api/consent/changes", auth.ConsentWrite, "Change many people's consent, as a job")), s.httpStartChange)
	httpx.Register(api, op("preview-consent-change", http.MethodPost, "/api/consent/changes/preview", auth.ConsentWrite, "Say what a change of many people's consent would do"), s.httpPreviewChange)
	httpx.Register(api, op("get-consent-change", http.MethodGet, "/api/consent/changes/{batch}", auth.ContactRead, "Get a change of many people"), s.httpBatch)
	httpx.Handle(api, op("download-consent-proof", http.MethodGet, "/api/consent/changes/{batch}/proof", auth.ContactUnmask, "Download the file that proves a change of many people"), http.HandlerFunc(s.serveProof))
	proof := op("add-consent-proof", http.MethodPost, "/api/consent/proofs", auth.ConsentWrite, "Bring a file that proves a change of many people; the body is the file")
	proof.MaxBody = maxProofFile + 1
	httpx.Handle(api, proof, http.HandlerFunc(s.serveAddProof))
	httpx.Register(api, op("undo-consent-change", http.MethodPost, "/api/consent/changes/{batch}/undo", auth.ConsentWrite, "Take a change of many people back, as a job"), s.httpUndoChange)
	httpx.Register(api, op("list-suppressions", http.MethodGet, "/api/consent/suppressions", auth.ContactRead, "List addresses that nobody may be reached by"), s.httpSuppressions)
	httpx.Register(api, op("add-suppression", http.MethodPost, "/api/consent/suppressions", auth.ConsentWrite, "Put an address on the suppression list"), s.httpSuppress)
	httpx.Register(api, op("remove-suppression", http.MethodDelete, "/api/consent/suppressions/{id}", auth.ConsentWrite, "Take an address off the suppression list"), s.httpUnsuppress)
	httpx.Register(api, op("get-consent-check", http.MethodGet, "/api/consent/ledger/check", auth.ContactRead, "Get what the last check of the ledger found"), s.httpLastCheck)
	httpx.Register(api, op("start-consent-check", http.MethodPost, "/api/consent/ledger/check", auth.ConsentWrite, "Check the whole ledger and what holds, as a job"), s.httpStartCheck)
	s.pageRoutes(api)
}

func give[T any](v T, err error) (*output[T], error) {
	if err != nil {
		return nil, err
	}
	return &output[T]{v}, nil
}

func (s *Service) httpPurposes(ctx context.Context, _ *struct{}) (*output[PurposeList], error) {
	l, err := s.Purposes(ctx)
	return give(PurposeList{l}, err)
}

func (s *Service) httpCreatePurpose(ctx context.Context, in *createPurposeInput) (*output[*Purpose], error) {
	return give(s.CreatePurpose(ctx, in.Body.ID, in.Body.PurposeChange, in.Body.Wording))
}

func (s *Service) httpUpdatePurpose(ctx context.Context, in *updatePurposeInput) (*output[*Purpose], error) {
	return give(s.UpdatePurpose(ctx, in.Purpose, in.Body))
}

func (s *Service) httpAddWording(ctx context.Context, in *wordingInput) (*output[*Purpose], error) {
	return give(s.AddWording(ctx, in.Purpose, in.Body.Text, in.Body.EffectiveAt))
}

func (s *Service) httpProfile(ctx context.Context, in *contact.IDInput) (*output[Profile], error) {
	return give(s.Profile(ctx, in.ID))
}

func (s *Service) httpSet(ctx context.Context, in *setInput) (*output[Profile], error) {
	if err := s.Set(ctx, in.ID, in.Body.Changes, in.Body.Reason); err != nil {
		return nil, err
	}
	return give(s.Profile(ctx, in.ID))
}

func (s *Service) httpHistory(ctx context.Context, in *historyInput) (*output[LedgerPage], error) {
	items, next, err := s.History(ctx, in.ID, in.Cursor, in.Limit)
	return give(LedgerPage{items, next}, err)
}

func (s *Service) httpMakeLink(ctx context.Context, in *linkInput) (*output[Link], error) {
	return give(s.MakeLink(ctx, in.ID, in.Body.Days, in.Body.New))
}

func (s *Service) httpRevokeLinks(ctx context.Context, in *contact.IDInput) (*struct{}, error) {
	return nil, s.RevokeLinks(ctx, in.ID)
}

func (s *Service) httpCheck(ctx context.Context, in *checkInput) (*output[CheckResult], error) {
	return give(s.CheckIDs(ctx, in.Body.IDs, in.Body.Purpose, in.Body.Channel))
}

func (s *Service) httpTotals(ctx context.Context, _ *struct{}) (*output[Totals], error) {
	return give(s.Totals(ctx))
}

func (s *Service) httpPeople(ctx context.Context, in *peopleInput) (*output[PeoplePage], error) {
	return give(s.People(ctx, PeopleQuery{in.Purpose, in.Channel, in.State, in.Cursor, in.Limit}))
}

func (s *Service) httpRecent(ctx context.Context, in *recentInput) (*output[LedgerPage], error) {
	items, next, err := s.Recent(ctx, RecentQuery{in.Purpose, in.State, in.Source, in.Cursor, in.Limit})
	return give(LedgerPage{items, next}, err)
}

func (s *Service) httpBatches(ctx context.Context, in *contact.PageInput) (*output[BatchPage], error) {
	items, next, err := s.Batches(ctx, in.Cursor, in.Limit)
	return give(BatchPage{items, next}, err)
}

func (s *Service) httpStartChange(ctx context.Context, in *bulkInput) (*output[Batch], error) {
	sel, err := in.Body.Selection(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if b.Channel == "" {
		b.Channel = All
	}
	return give(s.StartChange(ctx, sel, Bulk{b.Purpose, b.Channel, b.State, b.Wording, b.Reason, b.Proof}))
}

func (s *Service) httpPreviewChange(ctx context.Context, in *bulkPreviewInput) (*output[BulkPreview], error) {
	sel, err := in.Body.Selection(ctx)
	if err != nil {
		return nil, err
	}
	b := Bulk{Purpose: in.Body.Purpose, Channel: in.Body.Channel, State: in.Body.State}
	if b.Channel == "" {
		b.Channel = All
	}
	return give(s.PreviewChange(ctx, sel, b))
}

func (s *Service) httpBatch(ctx context.Context, in *batchInput) (*output[BatchWork], error) {
	return give(s.Work(ctx, in.Batch))
}

func (s *Service) httpUndoChange(ctx context.Context, in *batchInput) (*output[Batch], error) {
	return give(s.UndoChange(ctx, in.Batch))
}

func (s *Service) httpSuppressions(ctx context.Context, in *suppressionsInput) (*output[SuppressionPage], error) {
	items, next, err := s.Suppressions(ctx, in.Q, in.Cursor, in.Limit)
	return give(SuppressionPage{items, next}, err)
}

func (s *Service) httpSuppress(ctx context.Context, in *suppressInput) (*output[Suppression], error) {
	return give(s.Suppress(ctx, in.Body.Kind, in.Body.Value, in.Body.Whole, in.Body.Reason))
}

func (s *Service) httpUnsuppress(ctx context.Context, in *unsuppressInput) (*struct{}, error) {
	return nil, s.Unsuppress(ctx, in.ID, in.Reason)
}

func (s *Service) httpLastCheck(ctx context.Context, _ *struct{}) (*output[Report], error) {
	return give(s.LastCheck(ctx))
}

func (s *Service) httpStartCheck(ctx context.Context, _ *struct{}) (*output[Report], error) {
	return give(s.StartCheck(ctx))
}
