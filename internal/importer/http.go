package importer

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/shop"
)

type ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// UploadView is an upload as the API gives it.
type UploadView struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Size         int64      `json:"size"`
	Format       string     `json:"format" enum:"csv,xlsx"`
	Compressed   bool       `json:"compressed"`
	Encoding     string     `json:"encoding" enum:"utf-8,gb18030"`
	Delimiter    string     `json:"delimiter,omitempty"`
	Sheets       []string   `json:"sheets,omitempty"`
	Sheet        string     `json:"sheet,omitempty"`
	Columns      []Column   `json:"columns"`
	Suggestion   Suggestion `json:"suggestion"`
	SavedMapping *ref       `json:"savedMapping,omitempty" doc:"A saved mapping whose columns are the same"`
}

// FieldView is a field with its words.
type FieldView struct {
	ID       string `json:"id"`
	Label    string `json:"label"`
	Group    string `json:"group" enum:"who,profile,order,event,consent"`
	Type     string `json:"type" enum:"text,number,money,time,id"`
	Required bool   `json:"required"`
	Hint     string `json:"hint,omitempty"`
}

// CellErrorView is what is wrong with one value, in words.
type CellErrorView struct {
	Column string `json:"column"`
	Value  string `json:"value"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// PreviewRowView is one row of a preview.
type PreviewRowView struct {
	Line   int64           `json:"line"`
	OK     bool            `json:"ok"`
	Record map[string]any  `json:"record"`
	Errors []CellErrorView `json:"errors"`
}

// PreviewView is a preview as the API gives it.
type PreviewView struct {
	Checked  int64            `json:"checked"`
	Good     int64            `json:"good"`
	Bad      int64            `json:"bad"`
	Complete bool             `json:"complete" doc:"The whole file was read"`
	Rows     []PreviewRowView `json:"rows"`
	Summary  PreviewSummary   `json:"summary"`
}

// PreviewSummary is what the rows come to.
type PreviewSummary struct {
	People  int64       `json:"people"`
	Orders  int64       `json:"orders"`
	Revenue *shop.Money `json:"revenue,omitempty"`
	From    *time.Time  `json:"from,omitempty"`
	To      *time.Time  `json:"to,omitempty"`
}

// ReasonView counts one reason for rejected rows, in words.
type ReasonView struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Count  int64  `json:"count"`
}

// ImportFault is why an import failed, in words.
type ImportFault struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// ImportView is an import as the API gives it.
type ImportView struct {
	ID              string       `json:"id"`
	Kind            Kind         `json:"kind" enum:"contacts,orders,events"`
	Name            string       `json:"name"`
	File            string       `json:"file"`
	State           State        `json:"state" enum:"queued,running,succeeded,failed,cancelled,undoing,undone"`
	JobID           string       `json:"jobId"`
	Rows            int64        `json:"rows"`
	Accepted        int64        `json:"accepted"`
	Rejected        int64        `json:"rejected"`
	ContactsCreated int64        `json:"contactsCreated"`
	ContactsUpdated int64        `json:"contactsUpdated"`
	Orders          int64        `json:"orders"`
	Facts           int64        `json:"facts"`
	Consents        int64        `json:"consents" doc:"Rows it wrote into the consent ledger"`
	ConsentsKept    int64        `json:"consentsKept" doc:"Grants it left out because the person had withdrawn"`
	BytesDone       int64        `json:"bytesDone"`
	BytesTotal      int64        `json:"bytesTotal"`
	RowsPerSecond   float64      `json:"rowsPerSecond,omitempty"`
	Mapping         Mapping      `json:"mapping"`
	Options         Options      `json:"options"`
	Error           *ImportFault `json:"error,omitempty"`
	Reasons         []ReasonView `json:"reasons"`
	CreatedBy       ref          `json:"createdBy"`
	CreatedAt       time.Time    `json:"createdAt"`
	FinishedAt      *time.Time   `json:"finishedAt,omitempty"`
	UndoneAt        *time.Time   `json:"undoneAt,omitempty"`
}

type (
	uploadOutput struct{ Body UploadView }
	importOutput struct{ Body ImportView }
	idInput      struct {
		ID string `path:"id"`
	}
	uploadInput struct {
		ID    string `path:"id"`
		Sheet string `query:"sheet" doc:"Sheet of a workbook to look at"`
	}
	kindInput struct {
		Kind string `query:"kind" enum:"contacts,orders,events"`
	}
	fieldsOutput struct {
		Body struct {
			Items []FieldView `json:"items"`
		}
	}
	previewInput struct {
		Body struct {
			UploadID string  `json:"uploadId"`
			Kind     Kind    `json:"kind" enum:"contacts,orders,events"`
			Mapping  Mapping `json:"mapping"`
			Options  Options `json:"options"`
		}
	}
	previewOutput struct{ Body PreviewView }
	startInput    struct {
		Body struct {
			UploadID      string  `json:"uploadId"`
			Kind          Kind    `json:"kind" enum:"contacts,orders,events"`
			Name          string  `json:"name,omitempty" maxLength:"200"`
			Mapping       Mapping `json:"mapping"`
			Options       Options `json:"options"`
			SaveMappingAs string  `json:"saveMappingAs,omitempty" maxLength:"100"`
		}
	}
	listInput struct {
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	listOutput struct {
		Body struct {
			Items []ImportView `json:"items"`
			Next  string       `json:"next,omitempty" doc:"Cursor of the next page"`
		}
	}
	mappingsOutput struct {
		Body struct {
			Items []SavedMapping `json:"items"`
		}
	}
)

// Routes declares the API of imports.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path, summary string, p auth.Permission) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "imports", Summary: summary, Permission: p}
	}
	read, write := auth.ImportRead, auth.ImportWrite
	up := op("upload-import-file", http.MethodPost, "/api/imports/files", "Upload a file to import; the body is the file", write)
	up.MaxBody, up.Timeout = -1, -1
	httpx.Handle(api, up, http.HandlerFunc(s.serveUpload))
	rejects := op("download-import-rejects", http.MethodGet, "/api/imports/{id}/rejects", "Download the rejected rows of an import as CSV", read)
	rejects.Timeout = -1
	httpx.Handle(api, rejects, http.HandlerFunc(s.serveRejects))
	httpx.Register(api, op("get-import-file", http.MethodGet, "/api/import-files/{id}", "Get an uploaded file's columns, of one sheet", read), s.getUpload)
	httpx.Register(api, op("list-import-fields", http.MethodGet, "/api/imports/fields", "List what a column may hold", read), s.listFields)
	httpx.Register(api, op("preview-import", http.MethodPost, "/api/imports/preview", "Say what an import would do", write), s.preview)
	start := op("create-import", http.MethodPost, "/api/imports", "Start an import", write)
	start.Idempotent = true
	httpx.Register(api, start, s.start)
	httpx.Register(api, op("list-imports", http.MethodGet, "/api/imports", "List imports, newest first", read), s.list)
	httpx.Register(api, op("get-import", http.MethodGet, "/api/imports/{id}", "Get an import", read), s.get)
	httpx.Register(api, op("cancel-import", http.MethodPost, "/api/imports/{id}/cancel", "Stop an import; what it brought stays", write), s.cancel)
	httpx.Register(api, op("undo-import", http.MethodPost, "/api/imports/{id}/undo", "Take back everything an import brought", write), s.undo)
	httpx.Register(api, op("list-import-mappings", http.MethodGet, "/api/imports/mappings", "List saved mappings", read), s.listMappings)
	httpx.Register(api, op("delete-import-mapping", http.MethodDelete, "/api/imports/mappings/{id}", "Forget a saved mapping", write), s.deleteMapping)
}

func (s *Service) serveUpload(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > s.MaxUpload {
		httpx.WriteError(w, r, errs.New(errs.TooLarge, "import.file_too_large", "limit", s.MaxUpload>>20))
		return
	}
	q := r.URL.Query()
	u, err := s.CreateUploadOf(r.Context(), Kind(q.Get("kind")), q.Get("name"), r.Body)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	httpx.WriteJSON(w, http.StatusOK, toAPIUpload(u))
}

func (s *Service) serveRejects(w http.ResponseWriter, r *http.Request) {
	imp, err := s.Get(r.Context(), r.PathValue("id"))
	if err == nil {
		err = mayLook(r.Context(), imp.CreatedByID)
	}
	if err == nil && imp.Rejected == 0 {
		err = errs.New(errs.NotFound, "import.no_rejects")
	}
	if err == nil { // nothing is shown that could not be recorded
		err = s.Audit.Record(r.Context(), "import.rejects_downloaded", audit.Object{Type: "import", ID: imp.ID, Name: imp.Name}, map[string]any{"rows": imp.Rejected})
	}
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(RejectsName(imp)))
	if err := s.WriteRejects(r.Context(), w, imp, httpx.Lang(r.Context())); err != nil {
		s.Log.WarnContext(r.Context(), "rejected rows were not sent to the end", "import", imp.ID, "error", err)
		panic(http.ErrAbortHandler) // the client must see a broken download, not a short file
	}
}

// mayLook refuses the rows of a file, which are what customers told, to those
// who did not bring the file themselves and may not see personal values, or not
// everybody's customers.
func mayLook(ctx context.Context, owner string) error {
	p := auth.From(ctx)
	switch {
	case p == nil || p.ID == owner:
		return nil
	case !p.May(auth.ContactUnmask):
		return errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.ContactUnmask))
	case !p.Scope.All:
		return errs.New(errs.Forbidden, "permission.scope")
	}
	return nil
}

func (s *Service) getUpload(ctx context.Context, in *uploadInput) (*uploadOutput, error) {
	u, err := s.GetUpload(ctx, in.ID, in.Sheet)
	if err != nil {
		return nil, err
	}
	return &uploadOutput{toAPIUpload(u)}, nil
}

func (s *Service) listFields(ctx context.Context, in *kindInput) (*fieldsOutput, error) {
	kinds := []Kind{Kind(in.Kind)}
	if in.Kind == "" {
		kinds = []Kind{Contacts, Orders, Events}
	}
	out, seen := &fieldsOutput{}, map[string]bool{}
	for _, k := range kinds {
		for _, f := range Fields(k) {
			if seen[f.ID] {
				continue
			}
			seen[f.ID] = true
			v := FieldView{ID: f.ID, Label: httpx.Say(ctx, f.Label, nil), Group: f.Group, Type: f.Type, Required: f.Required}
			if f.Hint != "" {
				v.Hint = httpx.Say(ctx, f.Hint, nil)
			}
			out.Body.Items = append(out.Body.Items, v)
		}
		if k == Contacts {
			consents, err := s.consentColumns(ctx)
			if err != nil {
				return nil, err
			}
			for _, c := range consents {
				v := FieldView{ID: c.Key, Label: c.ZH, Group: groupConsent, Type: "text", Hint: httpx.Say(ctx, "import.hint.consent", nil)}
				if httpx.Lang(ctx) == i18n.EN {
					v.Label = c.EN
				}
				out.Body.Items = append(out.Body.Items, v)
			}
		}
	}
	return out, nil
}

func (s *Service) preview(ctx context.Context, in *previewInput) (*previewOutput, error) {
	b := in.Body
	p, err := s.Preview(ctx, b.UploadID, b.Kind, b.Mapping, b.Options)
	if err != nil {
		return nil, err
	}
	out := PreviewView{Checked: p.Checked, Good: p.Good, Bad: p.Bad, Complete: p.Complete,
		Summary: PreviewSummary{People: p.People, Orders: p.Orders, Revenue: p.Revenue, From: timeOrNil(p.From), To: timeOrNil(p.To)}}
	for _, r := range p.Rows {
		v := PreviewRowView{Line: r.Line, OK: r.OK, Record: r.Record}
		for _, e := range r.Errors {
			v.Errors = append(v.Errors, CellErrorView{e.Column, e.Value, e.Code, httpx.Say(ctx, e.Code, e.Params)})
		}
		out.Rows = append(out.Rows, v)
	}
	return &previewOutput{out}, nil
}

func (s *Service) start(ctx context.Context, in *startInput) (*importOutput, error) {
	b := in.Body
	imp, err := s.Start(ctx, Request{UploadID: b.UploadID, Kind: b.Kind, Name: b.Name, Mapping: b.Mapping, Options: b.Options, SaveMappingAs: b.SaveMappingAs, Language: httpx.Lang(ctx)})
	return s.answer(ctx, imp, err)
}

func (s *Service) get(ctx context.Context, in *idInput) (*importOutput, error) {
	imp, err := s.Get(ctx, in.ID)
	return s.answer(ctx, imp, err)
}

func (s *Service) cancel(ctx context.Context, in *idInput) (*importOutput, error) {
	imp, err := s.Cancel(ctx, in.ID)
	return s.answer(ctx, imp, err)
}

func (s *Service) undo(ctx context.Context, in *idInput) (*importOutput, error) {
	imp, err := s.Undo(ctx, in.ID)
	return s.answer(ctx, imp, err)
}

func (s *Service) answer(ctx context.Context, imp Import, err error) (*importOutput, error) {
	if err != nil {
		return nil, err
	}
	return &importOutput{s.toAPIImport(ctx, imp)}, nil
}

func (s *Service) list(ctx context.Context, in *listInput) (*listOutput, error) {
	var after *Cursor
	if in.Cursor != "" {
		after = &Cursor{}
		if err := httpx.DecodeCursor(in.Cursor, after); err != nil {
			return nil, err
		}
	}
	imports, err := s.List(ctx, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	if len(imports) > in.Limit {
		imports = imports[:in.Limit]
		out.Body.Next = httpx.EncodeCursor(CursorOf(imports[in.Limit-1]))
	}
	for _, i := range imports {
		out.Body.Items = append(out.Body.Items, s.toAPIImport(ctx, i))
	}
	return out, nil
}

func (s *Service) listMappings(ctx context.Context, in *kindInput) (*mappingsOutput, error) {
	items, err := s.Mappings(ctx, Kind(in.Kind))
	out := &mappingsOutput{}
	out.Body.Items = items
	return out, err
}

func (s *Service) deleteMapping(ctx context.Context, in *idInput) (*struct{}, error) {
	return nil, s.DeleteMapping(ctx, in.ID)
}

func toAPIUpload(u Upload) UploadView {
	v := UploadView{ID: u.ID, Name: u.Name, Size: u.Size, Format: string(u.Info.Format), Compressed: u.Info.Compressed, Encoding: u.Info.Encoding, Delimiter: u.Info.Delimiter,
		Sheets: u.Info.Sheets, Sheet: u.Info.Sheet, Columns: u.Columns, Suggestion: u.Suggestion}
	if m := u.SavedMapping; m != nil {
		v.SavedMapping = &ref{m.ID, m.Name}
	}
	return v
}

func (s *Service) toAPIImport(ctx context.Context, i Import) ImportView {
	v := ImportView{ID: i.ID, Kind: i.Kind, Name: i.Name, File: i.File, State: i.State, JobID: i.JobID, Rows: i.Rows, Accepted: i.Accepted, Rejected: i.Rejected,
		ContactsCreated: i.ContactsCreated, ContactsUpdated: i.ContactsUpdated, Orders: i.Orders, Facts: i.Facts, Consents: i.Consents, ConsentsKept: i.ConsentsKept, BytesDone: i.BytesDone, BytesTotal: i.BytesTotal,
		RowsPerSecond: float64(int64(i.RowsPerSecond(s.Clock.Now()))), Mapping: i.Mapping, Options: i.Options, CreatedBy: ref{i.CreatedByID, i.CreatedByName},
		CreatedAt: i.CreatedAt, FinishedAt: timeOrNil(i.FinishedAt), UndoneAt: timeOrNil(i.UndoneAt)}
	if i.State == Undoing {
		v.JobID = i.UndoJobID
	}
	if i.Error != nil {
		v.Error = &ImportFault{i.Error.Code, httpx.Say(ctx, i.Error.Code, i.Error.Params)}
	}
	for _, r := range i.Reasons {
		v.Reasons = append(v.Reasons, ReasonView{r.Code, httpx.Say(ctx, r.Code, r.Params), r.Count})
	}
	return v
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
