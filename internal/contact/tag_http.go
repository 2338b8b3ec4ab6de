package contact

import (
	"context"
	"net/http"
	"net/url"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// TagIDInput names a tag, a group or a run in the path.
type TagIDInput struct {
	ID string `path:"id" doc:"Id of the tag, group or run"`
}

type (
	tagListInput struct {
		Archived bool `query:"archived" doc:"Archived groups and tags too"`
	}
	tagsOutput struct {
		Body struct {
			Groups []TagGroup `json:"groups"`
		}
	}
	tagInput    struct{ Body NewTag }
	tagOutput   struct{ Body TagRef }
	groupInput  struct{ Body NewGroup }
	groupOutput struct {
		Body struct {
			ID string `json:"id"`
		}
	}
	groupChangeInput struct {
		TagIDInput
		Body GroupChange
	}
	tagChangeInput struct {
		TagIDInput
		Body TagChange
	}
	groupOrderInput struct {
		Body struct {
			IDs []string `json:"ids" minItems:"1" maxItems:"1000" doc:"Group ids in their order"`
		}
	}
	tagOrderInput struct {
		TagIDInput
		Body TagOrder
	}
	tagDeleteInput struct {
		TagIDInput
		Confirm bool `query:"confirm" doc:"Take it from those who have it"`
	}
	mayRunOutput struct {
		Body struct {
			Run *TagRun `json:"run,omitempty" doc:"Work on people that was started"`
		}
	}
	tagMergeInput struct {
		TagIDInput
		Body struct {
			Into string `json:"into" doc:"Id of the tag that stays"`
		}
	}
	tagMergePreviewOutput struct{ Body TagMergePreview }
	usageOutput           struct{ Body TagUsage }
	workInput             struct{ Body TagWork }
	previewTagsOutput     struct{ Body TagPreview }
	runOutput             struct{ Body TagRun }
	runsOutput            struct {
		Body struct {
			Items []TagRun `json:"items"`
			Next  string   `json:"next,omitempty" doc:"Cursor of the next page"`
		}
	}
)

// tagRoutes declares the API of the tag system.
func (s *Service) tagRoutes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "tags", Summary: summary, Permission: may}
	}
	creates := func(o httpx.Op) httpx.Op { o.Idempotent = true; return o }
	read, give, manage := auth.ContactRead, auth.ContactWrite, auth.TagWrite
	httpx.Register(api, op("list-tags", http.MethodGet, "/api/tags", read, "List tag groups and tags"), s.listTags)
	httpx.Register(api, creates(op("create-tag", http.MethodPost, "/api/tags", manage, "Make a tag")), s.createTag)
	httpx.Register(api, op("change-tag", http.MethodPatch, "/api/tags/{id}", manage, "Rename, recolour, describe or archive a tag"), s.changeTag)
	httpx.Register(api, op("delete-tag", http.MethodDelete, "/api/tags/{id}", manage, "Delete a tag; one that people have is taken from them first, as work that can be undone"), s.deleteTag)
	httpx.Register(api, op("get-tag-usage", http.MethodGet, "/api/tags/{id}/usage", read, "Tell how a tag is used"), s.tagUsage)
	httpx.Register(api, op("preview-tag-merge", http.MethodPost, "/api/tags/{id}/merge/preview", manage, "Count what merging a tag into another would do"), s.previewTagMerge)
	httpx.Register(api, creates(op("merge-tag", http.MethodPost, "/api/tags/{id}/merge", manage, "Merge a tag into another")), s.mergeTag)
	httpx.Register(api, creates(op("create-tag-group", http.MethodPost, "/api/tag-groups", manage, "Make a tag group")), s.createGroup)
	httpx.Register(api, op("order-tag-groups", http.MethodPut, "/api/tag-groups/order", manage, "Put tag groups in order"), s.orderGroups)
	httpx.Register(api, op("change-tag-group", http.MethodPatch, "/api/tag-groups/{id}", manage, "Change a tag group"), s.changeGroup)
	httpx.Register(api, op("delete-tag-group", http.MethodDelete, "/api/tag-groups/{id}", manage, "Delete a tag group that has no tags"), s.deleteGroup)
	httpx.Register(api, op("order-tags", http.MethodPut, "/api/tag-groups/{id}/tags", manage, "Move tags to a place in a group's tree, in order"), s.orderTags)
	preview := op("preview-bulk-tags", http.MethodPost, "/api/tags/bulk/preview", give, "Count what work on the tags of many contacts would change")
	httpx.Register(api, preview, s.previewBulk)
	httpx.Register(api, creates(op("bulk-tags", http.MethodPost, "/api/tags/bulk", give, "Give tags to many contacts and take others away")), s.bulkTags)
	httpx.Register(api, op("list-tag-runs", http.MethodGet, "/api/tag-runs", read, "List work on the tags of many contacts, newest first"), s.listRuns)
	httpx.Register(api, op("get-tag-run", http.MethodGet, "/api/tag-runs/{id}", read, "Get work on the tags of many contacts"), s.getRun)
	httpx.Register(api, op("cancel-tag-run", http.MethodPost, "/api/tag-runs/{id}/cancel", give, "Stop work on tags, or its undo; what was done stays"), s.cancelRun)
	httpx.Register(api, op("undo-tag-run", http.MethodPost, "/api/tag-runs/{id}/undo", give, "Take back what work on tags changed, where nobody changed it since"), s.undoRun)
	missing := op("download-tag-run-missing", http.MethodGet, "/api/tag-runs/{id}/missing", auth.ImportRead, "Download the rows of the file that could not be used, as CSV")
	missing.Timeout = -1
	httpx.Handle(api, missing, http.HandlerFunc(s.serveMissing))
}

func (s *Service) listTags(ctx context.Context, in *tagListInput) (*tagsOutput, error) {
	groups, err := s.Tags(ctx)
	if err != nil {
		return nil, err
	}
	out := &tagsOutput{}
	out.Body.Groups = []TagGroup{}
	for _, g := range groups {
		if !in.Archived {
			if g.ArchivedAt != nil {
				continue
			}
			kept := []Tag{}
			for _, t := range g.Tags {
				if t.ArchivedAt == nil {
					kept = append(kept, t)
				}
			}
			g.Tags = kept
		}
		out.Body.Groups = append(out.Body.Groups, g)
	}
	return out, nil
}

func (s *Service) createTag(ctx context.Context, in *tagInput) (*tagOutput, error) {
	t, err := s.CreateTag(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &tagOutput{t}, nil
}

func (s *Service) changeTag(ctx context.Context, in *tagChangeInput) (*struct{}, error) {
	return nil, s.ChangeTag(ctx, in.ID, in.Body)
}

func mayRun(run *TagRun, err error) (*mayRunOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &mayRunOutput{}
	out.Body.Run = run
	return out, nil
}

func (s *Service) deleteTag(ctx context.Context, in *tagDeleteInput) (*mayRunOutput, error) {
	return mayRun(s.DeleteTag(ctx, in.ID, in.Confirm))
}

func (s *Service) tagUsage(ctx context.Context, in *TagIDInput) (*usageOutput, error) {
	u, err := s.TagUsage(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &usageOutput{u}, nil
}

func (s *Service) previewTagMerge(ctx context.Context, in *tagMergeInput) (*tagMergePreviewOutput, error) {
	p, err := s.PreviewTagMerge(ctx, in.ID, in.Body.Into)
	if err != nil {
		return nil, err
	}
	return &tagMergePreviewOutput{p}, nil
}

func (s *Service) mergeTag(ctx context.Context, in *tagMergeInput) (*runOutput, error) {
	return oneRun(s.MergeTags(ctx, in.ID, in.Body.Into))
}

func (s *Service) createGroup(ctx context.Context, in *groupInput) (*groupOutput, error) {
	id, err := s.CreateGroup(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	out := &groupOutput{}
	out.Body.ID = id
	return out, nil
}

func (s *Service) orderGroups(ctx context.Context, in *groupOrderInput) (*struct{}, error) {
	return nil, s.OrderGroups(ctx, in.Body.IDs)
}

func (s *Service) changeGroup(ctx context.Context, in *groupChangeInput) (*mayRunOutput, error) {
	return mayRun(s.ChangeGroup(ctx, in.ID, in.Body))
}

func (s *Service) deleteGroup(ctx context.Context, in *TagIDInput) (*struct{}, error) {
	return nil, s.DeleteGroup(ctx, in.ID)
}

func (s *Service) orderTags(ctx context.Context, in *tagOrderInput) (*mayRunOutput, error) {
	return mayRun(s.OrderTags(ctx, in.ID, in.Body))
}

// mayBring refuses files of those who may not import: a file tells who is a customer.
func mayBring(ctx context.Context, w TagWork) error {
	if w.File != nil && !principal(ctx).May(auth.ImportWrite) {
		return errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.ImportWrite))
	}
	if w.File != nil && w.File.TagColumn != "" && !principal(ctx).May(auth.TagWrite) { // new names make new tags
		return errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.TagWrite))
	}
	return nil
}

func (s *Service) previewBulk(ctx context.Context, in *workInput) (*previewTagsOutput, error) {
	if err := mayBring(ctx, in.Body); err != nil {
		return nil, err
	}
	p, err := s.PreviewTags(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &previewTagsOutput{p}, nil
}

func (s *Service) bulkTags(ctx context.Context, in *workInput) (*runOutput, error) {
	if err := mayBring(ctx, in.Body); err != nil {
		return nil, err
	}
	return oneRun(s.BulkTags(ctx, in.Body))
}

func oneRun(run TagRun, err error) (*runOutput, error) {
	if err != nil {
		return nil, err
	}
	return &runOutput{run}, nil
}

func (s *Service) listRuns(ctx context.Context, in *PageInput) (*runsOutput, error) {
	runs, next, err := s.TagRuns(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &runsOutput{}
	out.Body.Items, out.Body.Next = runs, next
	return out, nil
}

func (s *Service) getRun(ctx context.Context, in *TagIDInput) (*runOutput, error) {
	return oneRun(s.TagRun(ctx, in.ID))
}

// maySystem refuses work on the tag system itself to those who may only give tags.
func (s *Service) maySystem(ctx context.Context, id string) error {
	run, err := s.TagRun(ctx, id)
	if err == nil && run.system() && !principal(ctx).May(auth.TagWrite) {
		err = errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.TagWrite))
	}
	if p := principal(ctx); err == nil && !p.Scope.All && run.By.ID != p.ID { // it may reach people whom the caller may not see
		err = errs.New(errs.Forbidden, "permission.scope")
	}
	return err
}

func (s *Service) cancelRun(ctx context.Context, in *TagIDInput) (*runOutput, error) {
	if err := s.maySystem(ctx, in.ID); err != nil {
		return nil, err
	}
	return oneRun(s.CancelTagRun(ctx, in.ID))
}

func (s *Service) undoRun(ctx context.Context, in *TagIDInput) (*runOutput, error) {
	if err := s.maySystem(ctx, in.ID); err != nil {
		return nil, err
	}
	return oneRun(s.UndoTagRun(ctx, in.ID))
}

func (s *Service) serveMissing(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	name, write, err := s.WriteMissing(ctx, r.PathValue("id"))
	if err == nil {
		err = s.recordTag(ctx, "tag_run.missing_downloaded", "tag_run", r.PathValue("id"), "", nil)
	}
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name))
	if err := write(w); err != nil {
		s.Log.WarnContext(ctx, "rows that could not be used were not sent to the end", "run", r.PathValue("id"), "error", err)
		panic(http.ErrAbortHandler) // the client must see a broken download, not a short file
	}
}
