package contact

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type previewContactMergeInput struct {
	IDInput
	Body struct {
		Other string `json:"other" maxLength:"64" doc:"Id of the contact that becomes part of this one"`
	}
}

type mergeContactInput struct {
	IDInput
	Body struct {
		Other   string `json:"other" maxLength:"64" doc:"Id of the contact that becomes part of this one"`
		Reason  string `json:"reason,omitempty" maxLength:"2000" doc:"Why they are one person; kept with the merge"`
		Confirm bool   `json:"confirm,omitempty" doc:"Merge them although they were said to be different people"`
	}
}

// MergeIDInput names a merge in the path.
type MergeIDInput struct {
	ID string `path:"id" doc:"Merge id"`
}

type undoContactMergeInput struct {
	MergeIDInput
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"2000" doc:"Why they are different people; kept with the merge"`
	}
}

type keepApartInput struct {
	IDInput
	Body struct {
		Other  string `json:"other" maxLength:"64" doc:"Id of the other contact"`
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

type (
	mergePreviewOutput struct{ Body MergePreview }
	undoPreviewOutput  struct{ Body UndoPreview }
	mergesOutput       struct {
		Body struct {
			Items []MergeStory `json:"items"`
		}
	}
	mergedOutput struct {
		Body struct {
			MergeID string  `json:"mergeId"`
			Contact Contact `json:"contact"`
		}
	}
	undoneOutput struct {
		Body struct {
			Leaves Contact `json:"leaves"`
			Stays  Contact `json:"stays"`
		}
	}
)

func (s *Service) mergeRoutes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "merges", Summary: summary, Permission: may}
	}
	httpx.Register(api, op("list-contact-merges", http.MethodGet, "/api/contacts/{id}/merges", auth.ContactRead, "How a person was put together, newest first"), s.listMerges)
	httpx.Register(api, op("preview-contact-merge", http.MethodPost, "/api/contacts/{id}/merge/preview", auth.ContactWrite, "What a merge by hand would do; does nothing"), s.previewMerge)
	httpx.Register(api, op("merge-contact", http.MethodPost, "/api/contacts/{id}/merge", auth.ContactWrite, "Make another contact part of this one"), s.mergeContact)
	httpx.Register(api, op("keep-contacts-apart", http.MethodPost, "/api/contacts/{id}/apart", auth.ContactWrite, "Say that two are different people: nothing merges them by itself"), s.keepContactsApart)
	httpx.Register(api, op("preview-merge-undo", http.MethodPost, "/api/merges/{id}/undo/preview", auth.ContactWrite, "What the undo of a merge would do; does nothing"), s.previewUndo)
	httpx.Register(api, op("undo-merge", http.MethodPost, "/api/merges/{id}/undo", auth.ContactWrite, "Undo a merge: the two are kept apart from then on"), s.undoMergeOp)
}

func (s *Service) listMerges(ctx context.Context, in *IDInput) (*mergesOutput, error) {
	items, err := s.Merges(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &mergesOutput{}
	out.Body.Items = items
	return out, nil
}

func (s *Service) previewMerge(ctx context.Context, in *previewContactMergeInput) (*mergePreviewOutput, error) {
	p, err := s.PreviewMerge(ctx, in.ID, in.Body.Other)
	if err != nil {
		return nil, err
	}
	return &mergePreviewOutput{p}, nil
}

func (s *Service) mergeContact(ctx context.Context, in *mergeContactInput) (*mergedOutput, error) {
	var opts []MergeOption
	if in.Body.Confirm {
		opts = append(opts, LiftApart)
	}
	m, err := s.MergeByHand(ctx, in.ID, in.Body.Other, in.Body.Reason, opts...)
	if err != nil {
		return nil, err
	}
	out := &mergedOutput{}
	out.Body.MergeID = m.ID
	out.Body.Contact, err = s.Get(ctx, m.IntoID)
	return out, err
}

func (s *Service) keepContactsApart(ctx context.Context, in *keepApartInput) (*struct{}, error) {
	a, b, err := s.pair(ctx, in.ID, in.Body.Other)
	if err != nil {
		return nil, err
	}
	return nil, s.KeepApart(ctx, a, b, in.Body.Reason)
}

func (s *Service) previewUndo(ctx context.Context, in *MergeIDInput) (*undoPreviewOutput, error) {
	p, err := s.PreviewUndo(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &undoPreviewOutput{p}, nil
}

func (s *Service) undoMergeOp(ctx context.Context, in *undoContactMergeInput) (*undoneOutput, error) {
	split, err := s.UndoMerge(ctx, in.ID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &undoneOutput{}
	if out.Body.Leaves, err = s.orIDAlone(ctx, split.ContactID); err != nil {
		return nil, err
	}
	out.Body.Stays, err = s.orIDAlone(ctx, split.FromID)
	return out, err
}

// orIDAlone is a contact after an undo, which may have given it back to an owner
// whose customers the caller does not see: then its id is all there is to tell.
func (s *Service) orIDAlone(ctx context.Context, id string) (Contact, error) {
	c, err := s.Get(ctx, id)
	if isNotFound(err) {
		return Contact{Row: Row{ID: id}}, nil
	}
	return c, err
}
