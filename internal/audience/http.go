package audience

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/rule"
)

// SegmentInput names a segment in the path. It is exported, as the others here,
// because the API layer reads no parameters of embedded types that are not.
type SegmentInput struct {
	ID string `path:"id" maxLength:"60" doc:"Segment id"`
}

// PageInput is where a list goes on and how much of it is wanted.
type PageInput struct {
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// MembersBody names people: exactly one of its parts is given.
type MembersBody struct {
	Selection *contact.SelectionBody `json:"selection,omitempty" doc:"Of the list of contacts"`
	Lines     []string               `json:"lines,omitempty" maxItems:"10000" doc:"A contact id or an identity each; empty ones do not count"`
	Upload    *UploadBody            `json:"upload,omitempty" doc:"A column of an uploaded file"`
	Kind      string                 `json:"kind,omitempty" enum:"auto,contact_id,phone,email,member_no,user_id" default:"auto" doc:"What lines and cells hold; auto looks at each"`
}

// UploadBody is a column of a file that was uploaded by POST /api/imports/files.
type UploadBody struct {
	UploadID string `json:"uploadId" maxLength:"60"`
	Column   string `json:"column" maxLength:"500" doc:"Named as in the file"`
}

// MembersChange is what a change of a list came to, or the job that makes it.
type MembersChange struct {
	Event   *Event        `json:"event,omitempty" doc:"When it is done"`
	Job     *jobs.JobView `json:"job,omitempty" doc:"When many people make it a job; its result has came, went, unknown and lines"`
	Unknown []UnknownLine `json:"unknown,omitempty" doc:"The first lines that named nobody; nothing was made of them"`
}

type (
	segmentOutput struct{ Body *Segment }
	listOutput    struct {
		Body struct {
			Items   []*Segment `json:"items"`
			Folders []string   `json:"folders" doc:"All that are in use"`
		}
	}
	createSegmentInput struct {
		Body struct {
			Name    string       `json:"name" maxLength:"240"`
			Note    string       `json:"note,omitempty" maxLength:"2000"`
			Folder  string       `json:"folder,omitempty" maxLength:"240"`
			Kind    string       `json:"kind" enum:"dynamic,static"`
			Rule    *rule.Rule   `json:"rule,omitempty" doc:"Of dynamic ones: who is meant"`
			ViewID  string       `json:"viewId,omitempty" maxLength:"60" doc:"Of dynamic ones instead of a rule: a view of the list of contacts whose filter becomes the rule"`
			Members *MembersBody `json:"members,omitempty" doc:"Of static ones: who is on the list from the beginning"`
		}
	}
	createdOutput struct {
		Body struct {
			Segment *Segment `json:"segment"`
			MembersChange
		}
	}
	updateSegmentInput struct {
		SegmentInput
		Body struct {
			Name    *string    `json:"name,omitempty" maxLength:"240"`
			Note    *string    `json:"note,omitempty" maxLength:"2000"`
			Folder  *string    `json:"folder,omitempty" maxLength:"240"`
			OwnerID *string    `json:"ownerId,omitempty" maxLength:"60" doc:"User id"`
			Rule    *rule.Rule `json:"rule,omitempty" doc:"A new definition; the old members serve until it is worked out"`
		}
	}
	copyInput struct {
		SegmentInput
		Body struct {
			Name string `json:"name" maxLength:"240"`
		}
	}
	archiveInput struct {
		SegmentInput
		Body struct {
			Anyway bool `json:"anyway,omitempty" doc:"Although it is in use"`
		}
	}
	usesOutput struct {
		Body struct {
			Items []contact.Use `json:"items"`
		}
	}
	historyInput struct {
		SegmentInput
		Before int64 `query:"before" minimum:"0" doc:"next of the page before"`
	}
	historyOutput struct {
		Body struct {
			Items []Event `json:"items"`
			Next  int64   `json:"next,omitempty"`
		}
	}
	undoInput struct {
		SegmentInput
		Entry string `path:"entry" maxLength:"60" doc:"Id of the change"`
	}
	eventOutput   struct{ Body *Event }
	jobOutput     struct{ Body jobs.JobView }
	changeMembers struct {
		SegmentInput
		Body struct {
			MembersBody
			Remove bool `json:"remove,omitempty" doc:"Take them off the list instead"`
		}
	}
	changedOutput struct{ Body MembersChange }
	membersInput  struct {
		SegmentInput
		PageInput
		Sort       string   `query:"sort" enum:"lastSeen,created,name,orders,revenue,lastOrder" default:"lastSeen"`
		Order      string   `query:"order" enum:"asc,desc" default:"desc"`
		Attributes []string `query:"attributes,explode" maxItems:"20" doc:"Keys of attributes that the rows carry"`
	}
	peopleOutput struct {
		Body struct {
			Items []contact.Row `json:"items"`
			Next  string        `json:"next,omitempty"`
			Total int64         `json:"total" doc:"Those whom the caller may see"`
		}
	}
	exportInput struct {
		SegmentInput
		Body struct {
			Format   string   `json:"format" enum:"csv,xlsx"`
			Encoding string   `json:"encoding,omitempty" enum:"utf8bom,utf8,gb18030" default:"utf8bom"`
			Columns  []string `json:"columns,omitempty" maxItems:"100" doc:"See GET /api/contacts/export-columns; none: the usual ones"`
			Clear    bool     `json:"clear,omitempty" doc:"Phone numbers and e-mail addresses in full; needs contact.unmask and a reason"`
			Reason   string   `json:"reason,omitempty" maxLength:"500" doc:"Kept in the audit log"`
		}
	}
)

// Routes declares the API of segments.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "segments", Summary: summary, Permission: may}
	}
	creates := func(o httpx.Op) httpx.Op { o.Idempotent = true; return o }
	read, write := auth.SegmentRead, auth.SegmentWrite
	httpx.Register(api, op("list-segments", http.MethodGet, "/api/segments", read, "List segments by name"), s.httpList)
	httpx.Register(api, creates(op("create-segment", http.MethodPost, "/api/segments", write, "Make a segment")), s.httpCreate)
	httpx.Register(api, op("get-segment", http.MethodGet, "/api/segments/{id}", read, "Get a segment"), func(ctx context.Context, in *SegmentInput) (*segmentOutput, error) {
		return one(s.Get(ctx, in.ID))
	})
	httpx.Register(api, op("update-segment", http.MethodPatch, "/api/segments/{id}", write, "Change a segment: its name, note, folder, owner or rule"), func(ctx context.Context, in *updateSegmentInput) (*segmentOutput, error) {
		b := in.Body
		return one(s.Update(ctx, in.ID, Change{Name: b.Name, Note: b.Note, Folder: b.Folder, OwnerID: b.OwnerID, Rule: b.Rule}))
	})
	httpx.Register(api, creates(op("copy-segment", http.MethodPost, "/api/segments/{id}/copy", write, "Make another segment with the same rule or the same people")), func(ctx context.Context, in *copyInput) (*segmentOutput, error) {
		return one(s.Copy(ctx, in.ID, in.Body.Name))
	})
	httpx.Register(api, op("archive-segment", http.MethodPost, "/api/segments/{id}/archive", write, "Put a segment away: its members stay as they are"), func(ctx context.Context, in *archiveInput) (*segmentOutput, error) {
		return one(s.Archive(ctx, in.ID, in.Body.Anyway))
	})
	httpx.Register(api, op("restore-segment", http.MethodPost, "/api/segments/{id}/restore", write, "Take a segment out of the archive"), func(ctx context.Context, in *SegmentInput) (*segmentOutput, error) {
		return one(s.Restore(ctx, in.ID))
	})
	httpx.Register(api, op("recount-segment", http.MethodPost, "/api/segments/{id}/recount", write, "Work a dynamic segment out anew: a job"), func(ctx context.Context, in *SegmentInput) (*jobOutput, error) {
		job, err := s.Recount(ctx, in.ID)
		return &jobOutput{jobs.View(ctx, job)}, err
	})
	httpx.Register(api, op("list-segment-uses", http.MethodGet, "/api/segments/{id}/uses", read, "List where a segment is used"), func(ctx context.Context, in *SegmentInput) (*usesOutput, error) {
		out := &usesOutput{}
		var err error
		out.Body.Items, err = s.Uses(ctx, in.ID)
		return out, err
	})
	httpx.Register(api, op("list-segment-history", http.MethodGet, "/api/segments/{id}/history", read, "List what was done to a segment, newest first"), func(ctx context.Context, in *historyInput) (*historyOutput, error) {
		out := &historyOutput{}
		var err error
		out.Body.Items, out.Body.Next, err = s.History(ctx, in.ID, in.Before)
		return out, err
	})
	httpx.Register(api, op("undo-segment-change", http.MethodPost, "/api/segments/{id}/history/{entry}/undo", write, "Take back one change of a static list"), func(ctx context.Context, in *undoInput) (*eventOutput, error) {
		e, err := s.Undo(ctx, in.ID, in.Entry)
		return &eventOutput{e}, err
	})
	httpx.Register(api, op("list-segment-members", http.MethodGet, "/api/segments/{id}/members", auth.ContactRead, "List the people of a segment"), s.httpMembers)
	httpx.Register(api, creates(op("change-segment-members", http.MethodPost, "/api/segments/{id}/members", write, "Put people on a static list, or take them off")), func(ctx context.Context, in *changeMembers) (*changedOutput, error) {
		out, err := s.changeMembers(ctx, in.ID, &in.Body.MembersBody, in.Body.Remove)
		return &changedOutput{out}, err
	})
	httpx.Register(api, creates(op("export-segment", http.MethodPost, "/api/segments/{id}/export", auth.ContactExport, "Export the people of a segment: a job")), s.httpExport)
	s.moreRoutes(api, op)
	s.contactRoutes(api, op)
}

func one(g *Segment, err error) (*segmentOutput, error) {
	if err != nil {
		return nil, err
	}
	return &segmentOutput{g}, nil
}

// need refuses callers without a permission beside that of the route.
func need(ctx context.Context, may auth.Permission) error {
	if !principal(ctx).May(may) {
		return errs.New(errs.Forbidden, "permission.denied", "permission", string(may))
	}
	return nil
}

func (s *Service) httpList(ctx context.Context, in *struct {
	Q        string `query:"q" maxLength:"200" doc:"In the name or note"`
	Folder   string `query:"folder" maxLength:"240"`
	Archived bool   `query:"archived" doc:"Those that were put away, instead of the others"`
}) (*listOutput, error) {
	items, folders, err := s.List(ctx, Query{Archived: in.Archived, Text: in.Q, Folder: in.Folder})
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	if out.Body.Items, out.Body.Folders = items, folders; folders == nil {
		out.Body.Folders = []string{}
	}
	return out, nil
}

func (s *Service) httpCreate(ctx context.Context, in *createSegmentInput) (*createdOutput, error) {
	b := in.Body
	d := Definition{Name: b.Name, Note: b.Note, Folder: b.Folder, Kind: b.Kind, Rule: b.Rule}
	out := &createdOutput{}
	var err error
	switch {
	case b.ViewID != "" && (b.Kind != Dynamic || b.Rule != nil):
		return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("viewId", "rule.not_here"))
	case b.Members != nil && b.Kind != Static:
		return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("members", "audience.rule_decides"))
	case b.ViewID != "":
		if err := need(ctx, auth.ContactRead); err != nil {
			return nil, err
		}
		out.Body.Segment, err = s.FromView(ctx, b.ViewID, d)
		return out, err
	}
	if b.Members != nil {
		if err := s.checkMembers(ctx, b.Members); err != nil { // before there is an empty list
			return nil, err
		}
	}
	if out.Body.Segment, err = s.Create(ctx, d); err != nil || b.Members == nil {
		return out, err
	}
	if out.Body.MembersChange, err = s.changeMembers(ctx, out.Body.Segment.ID, b.Members, false); err != nil {
		return nil, err
	}
	out.Body.Segment, err = s.Get(ctx, out.Body.Segment.ID)
	return out, err
}

// checkMembers tells what is wrong with how people are named.
func (s *Service) checkMembers(ctx context.Context, b *MembersBody) error {
	given := 0
	for _, yes := range []bool{b.Selection != nil, len(b.Lines) > 0, b.Upload != nil} {
		if yes {
			given++
		}
	}
	if given != 1 {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("selection", "audience.name_people_once"))
	}
	if b.Selection != nil {
		if err := need(ctx, auth.ContactRead); err != nil {
			return err
		}
		if f := b.Selection.Filter; f != nil && f.Kind == "visitor" {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("selection.filter.kind", "audience.only_people"))
		}
		sel, err := b.Selection.Selection(ctx)
		if err != nil {
			return err
		}
		n, err := s.Contacts.Count(ctx, sel)
		if err == nil && n == 0 {
			return errs.New(errs.Invalid, "audience.nobody_selected")
		}
		return err
	}
	if b.Upload != nil {
		return s.checkUpload(ctx, b.Upload)
	}
	return nil
}

func (s *Service) changeMembers(ctx context.Context, id string, b *MembersBody, remove bool) (out MembersChange, err error) {
	if err := s.checkMembers(ctx, b); err != nil {
		return out, err
	}
	var job *jobs.Job
	switch {
	case b.Selection != nil:
		sel, err := b.Selection.Selection(ctx)
		if err != nil {
			return out, err
		}
		if out.Event, job, err = s.ChangeMembers(ctx, id, sel, remove); err != nil {
			return out, err
		}
	case b.Upload != nil:
		j, err := s.UploadMembers(ctx, id, b.Upload.UploadID, b.Upload.Column, b.Kind, remove)
		if err != nil {
			return out, err
		}
		job = &j
	default:
		if out.Event, out.Unknown, err = s.AddLines(ctx, id, b.Kind, b.Lines, remove); err != nil {
			return out, err
		}
		for i := range out.Unknown {
			out.Unknown[i].Message = httpx.Say(ctx, out.Unknown[i].Reason, nil)
		}
	}
	if job != nil {
		v := jobs.View(ctx, *job)
		out.Job = &v
	}
	return out, nil
}

// inSegment is the rule of being in a segment.
func inSegment(id string) *rule.Rule {
	return &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: Field, Op: "in", Value: []any{id}}}}}
}

func (s *Service) httpMembers(ctx context.Context, in *membersInput) (*peopleOutput, error) {
	if err := need(ctx, auth.SegmentRead); err != nil {
		return nil, err
	}
	if _, err := s.get(ctx, in.ID); err != nil {
		return nil, err
	}
	page, err := s.Contacts.List(ctx, contact.Query{Where: inSegment(in.ID), Sort: in.Sort, Ascending: in.Order == "asc", Cursor: in.Cursor, Limit: in.Limit, Attributes: in.Attributes})
	if err != nil {
		return nil, err
	}
	out := &peopleOutput{}
	out.Body.Items, out.Body.Next, out.Body.Total = page.Items, page.Next, page.Total
	return out, nil
}

func (s *Service) httpExport(ctx context.Context, in *exportInput) (*jobOutput, error) {
	if err := need(ctx, auth.SegmentRead); err != nil {
		return nil, err
	}
	if _, err := s.get(ctx, in.ID); err != nil {
		return nil, err
	}
	b := in.Body
	job, err := s.Exports.Start(ctx, contact.Export{Selection: contact.Selection{Query: contact.Query{Where: inSegment(in.ID)}},
		Format: b.Format, Encoding: b.Encoding, Columns: b.Columns, Clear: b.Clear, Reason: b.Reason, Lang: httpx.Lang(ctx)})
	if err != nil {
		return nil, err
	}
	return &jobOutput{jobs.View(ctx, job)}, nil
}
