package contact

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

func TestMergesOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(t, p)
		s.Titles = eventWords{"viewed": "看了商品"}
		a, _ := p.made("王芳", "13800138001")
		b, _ := p.made("王小芳", "13800138002")
		_, err := p.AddNote(p.ctx, b, "爱喝龙井")
		require.NoError(t, err)

		var pre MergePreview
		status, _ := s.call(http.MethodPost, "/api/contacts/"+a+"/merge/preview", "admin", map[string]any{"other": b}, &pre)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, []any{a, b, a, 2, int64(1)}, []any{pre.Keep.ID, pre.Other.ID, pre.After.ID, len(pre.After.Identities), pre.Notes})
		require.Equal(t, []MergeDifference{{"name", "王芳", "王小芳", "keep"}}, pre.Differences)
		require.Equal(t, []MergeWarning{{"phones_differ", KindPhone}}, pre.Warnings)
		require.Zero(t, one[int64](p, "select count(*) from contact_merges"), "a preview leaves nothing")
		require.Equal(t, int64(2), one[int64](p, "select count(*) from contacts where merged_into = 0"))

		for _, path := range []string{"/api/contacts/" + a + "/merge", "/api/contacts/" + a + "/merge/preview", "/api/contacts/" + a + "/apart", "/api/merges/mg_x/undo", "/api/merges/mg_x/undo/preview"} {
			status, _ = s.call(http.MethodPost, path, "", map[string]any{"other": b}, nil)
			require.Equal(t, http.StatusUnauthorized, status, path)
		}
		status, code := s.call(http.MethodPost, "/api/contacts/"+a+"/merge", "admin", map[string]any{"other": a}, nil)
		require.Equal(t, []any{http.StatusConflict, "contact.same_person"}, []any{status, code})
		status, code = s.call(http.MethodPost, "/api/contacts/"+a+"/merge", "admin", map[string]any{"other": "ct_nobody"}, nil)
		require.Equal(t, []any{http.StatusNotFound, "contact.not_found"}, []any{status, code})
		status, code = s.call(http.MethodPost, "/api/merges/mg_nothing/undo", "admin", map[string]any{}, nil)
		require.Equal(t, []any{http.StatusNotFound, "contact.no_such_merge"}, []any{status, code})

		var done struct {
			MergeID string
			Contact Contact
		}
		status, _ = s.call(http.MethodPost, "/api/contacts/"+a+"/merge", "admin", map[string]any{"other": b, "reason": "同一个人"}, &done)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, a, done.Contact.ID)
		p.who(event.Fact{AnonymousID: "a1"})
		p.who(event.Fact{MessageID: "msg-1", AnonymousID: "a1", Identifiers: ids(KindPhone, "13800138001")})

		var told struct{ Items []MergeStory }
		status, _ = s.call(http.MethodGet, "/api/contacts/"+b+"/merges", "admin", nil, &told)
		require.Equal(t, http.StatusOK, status)
		require.Len(t, told.Items, 2)
		byFact, byHand := told.Items[0], told.Items[1]
		if byFact.Fact == nil {
			byFact, byHand = byHand, byFact
		}
		require.Equal(t, []any{"msg-1", "viewed", "看了商品"}, []any{byFact.Fact.MessageID, byFact.Fact.Name, byFact.Fact.Title})
		require.Equal(t, StoryIdentity{KindAnonymous, "a1"}, *byFact.Identity)
		require.Equal(t, event.Visitor, byFact.Kind)
		require.Equal(t, []any{"manual", "同一个人", 1, true}, []any{byHand.Reason, byHand.Note, byHand.Moved.Notes, byHand.CanUndo})
		require.Equal(t, []StoryIdentity{{KindPhone, Mask(KindPhone, "+8613800138002")}}, byHand.Moved.Identities)

		var un UndoPreview
		status, _ = s.call(http.MethodPost, "/api/merges/"+done.MergeID+"/undo/preview", "admin", nil, &un)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, []any{b, a, int64(1), int64(0), 1, 2}, []any{un.Leaves.ID, un.Stays.ID, un.NotesLeave, un.NotesStay, len(un.Leaves.Identities), len(un.Stays.Identities)})
		require.Zero(t, one[int64](p, "select count(*) from contact_merges where undone_at <> 0"))
		var undone struct{ Leaves, Stays Contact }
		status, _ = s.call(http.MethodPost, "/api/merges/"+done.MergeID+"/undo", "admin", map[string]any{"reason": "母女"}, &undone)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, []string{b, a}, []string{undone.Leaves.ID, undone.Stays.ID})
		status, code = s.call(http.MethodPost, "/api/merges/"+done.MergeID+"/undo", "admin", map[string]any{}, nil)
		require.Equal(t, []any{http.StatusConflict, "contact.merge_undone"}, []any{status, code})

		status, _ = s.call(http.MethodPost, "/api/contacts/"+b+"/merge/preview", "admin", map[string]any{"other": a}, &pre)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "母女", *pre.KeptApart)
		status, code = s.call(http.MethodPost, "/api/contacts/"+b+"/merge", "admin", map[string]any{"other": a}, nil)
		require.Equal(t, []any{http.StatusConflict, "contact.kept_apart"}, []any{status, code})
		status, _ = s.call(http.MethodPost, "/api/contacts/"+b+"/merge", "admin", map[string]any{"other": a, "confirm": true}, &done)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, b, done.Contact.ID)
	})
}
