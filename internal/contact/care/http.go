package care

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type (
	contactIn struct {
		ID string `path:"id" doc:"Contact id"`
	}
	planIn struct {
		ID   string `path:"id" doc:"Contact id"`
		Body Plan
	}
	boardIn struct {
		Bucket   string `query:"bucket" enum:"today,overdue,upcoming,done" default:"today"`
		Assignee string `query:"assignee" default:"me" doc:"me, team (everybody whose customers the caller sees), or a user id"`
		Cursor   string `query:"cursor"`
		Limit    int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	countsIn struct {
		Assignee string `query:"assignee" default:"me" doc:"me, team or a user id"`
	}
	oneIn struct {
		ID string `path:"id" doc:"Follow-up id"`
	}
	changeIn struct {
		ID   string `path:"id" doc:"Follow-up id"`
		Body Change
	}
	completeIn struct {
		ID   string `path:"id" doc:"Follow-up id"`
		Body Completion
	}
	bulkIn struct {
		Body struct {
			IDs []string `json:"ids" minItems:"1" maxItems:"200"`
			BulkChange
		}
	}
	reassignIn struct {
		Body struct {
			contact.SelectionBody
			To      []Share `json:"to,omitempty" maxItems:"200" doc:"Who gets them, by weight; none: nobody owns them any more"`
			Reason  string  `json:"reason,omitempty" maxLength:"200"`
			Preview bool    `json:"preview,omitempty" doc:"Only count whom it concerns"`
		}
	}
	reassignmentIn struct {
		ID string `path:"id"`
	}
	noticesIn struct {
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	}
	readIn struct {
		Body struct {
			IDs []string `json:"ids,omitempty" maxItems:"500" doc:"None: all"`
		}
	}

	reassignOut struct {
		Body struct {
			Total        int64         `json:"total" doc:"Contacts selected"`
			Reassignment *Reassignment `json:"reassignment,omitempty"`
		}
	}
	reassignmentOut struct{ Body Reassignment }

	staleOut      struct{ Body StaleSettings }
	colleaguesOut struct {
		Body struct {
			Items []Colleague `json:"items"`
		}
	}

	followUpOut  struct{ Body FollowUp }
	followUpPage struct {
		Body struct {
			Items []FollowUp `json:"items"`
			Next  string     `json:"next,omitempty"`
		}
	}
	countsOut   struct{ Body Counts }
	completeOut struct {
		Body struct {
			Done FollowUp  `json:"done"`
			Next *FollowUp `json:"next,omitempty"`
		}
	}
	bulkOut struct {
		Body struct {
			Changed int `json:"changed"`
		}
	}
	noticesOut struct {
		Body struct {
			Items  []Notification `json:"items"`
			Next   string         `json:"next,omitempty"`
			Unread int64          `json:"unread"`
		}
	}
)

// Routes declares the API of follow-ups and notifications.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "care", Summary: summary, Permission: may}
	}
	read, write := auth.ContactRead, auth.ContactWrite
	creates := func(o httpx.Op) httpx.Op { o.Idempotent = true; return o }
	httpx.Register(api, op("list-contact-follow-ups", http.MethodGet, "/api/contacts/{id}/follow-ups", read, "List a contact's follow-ups: open ones first, the next at the top"), s.listOfContact)
	httpx.Register(api, creates(op("plan-follow-up", http.MethodPost, "/api/contacts/{id}/follow-ups", write, "Plan a follow-up")), s.httpPlan)
	httpx.Register(api, op("list-follow-ups", http.MethodGet, "/api/follow-ups", read, "List follow-ups of one bucket of the board"), s.httpBoard)
	httpx.Register(api, op("count-follow-ups", http.MethodGet, "/api/follow-ups/counts", read, "Count the open follow-ups by bucket"), func(ctx context.Context, in *countsIn) (*countsOut, error) {
		c, err := s.Counts(ctx, in.Assignee)
		return &countsOut{c}, err
	})
	httpx.Register(api, op("update-follow-up", http.MethodPatch, "/api/follow-ups/{id}", write, "Postpone, hand on or rewrite an open follow-up"), func(ctx context.Context, in *changeIn) (*followUpOut, error) {
		f, err := s.Update(ctx, in.ID, in.Body)
		return &followUpOut{f}, err
	})
	httpx.Register(api, op("complete-follow-up", http.MethodPost, "/api/follow-ups/{id}/done", write, "End a follow-up with what came of it, and plan the next"), s.httpComplete)
	httpx.Register(api, op("cancel-follow-up", http.MethodPost, "/api/follow-ups/{id}/cancel", write, "Cancel a follow-up"), func(ctx context.Context, in *oneIn) (*followUpOut, error) {
		f, err := s.Cancel(ctx, in.ID)
		return &followUpOut{f}, err
	})
	httpx.Register(api, op("update-follow-ups", http.MethodPost, "/api/follow-ups/bulk", write, "Postpone, hand on or end many open follow-ups"), func(ctx context.Context, in *bulkIn) (*bulkOut, error) {
		n, err := s.Bulk(ctx, in.Body.IDs, in.Body.BulkChange)
		out := &bulkOut{}
		out.Body.Changed = n
		return out, err
	})
	httpx.Register(api, creates(op("reassign-contacts", http.MethodPost, "/api/contacts/reassign", write, "Give many contacts to other owners, as a job that can be undone")), s.httpReassign)
	httpx.Register(api, op("get-reassignment", http.MethodGet, "/api/reassignments/{id}", write, "Get a change of owners"), func(ctx context.Context, in *reassignmentIn) (*reassignmentOut, error) {
		r, err := s.Reassignment(ctx, in.ID)
		return &reassignmentOut{r}, err
	})
	httpx.Register(api, op("undo-reassignment", http.MethodPost, "/api/reassignments/{id}/undo", write, "Give contacts back to their owners before"), func(ctx context.Context, in *reassignmentIn) (*reassignmentOut, error) {
		r, err := s.Undo(ctx, in.ID)
		return &reassignmentOut{r}, err
	})
	httpx.Register(api, op("list-contact-staff", http.MethodGet, "/api/contacts/{id}/staff", read, "Who of the staff knows a contact: owns or owned it, wrote about it, followed up"), func(ctx context.Context, in *contactIn) (*colleaguesOut, error) {
		out := &colleaguesOut{}
		var err error
		out.Body.Items, err = s.Colleagues(ctx, in.ID)
		return out, err
	})
	httpx.Register(api, op("get-owner-watch", http.MethodGet, "/api/owner-watch", read, "When a contact counts as left alone by its owner"), func(ctx context.Context, _ *struct{}) (*staleOut, error) {
		v, err := s.StaleSettings(ctx)
		return &staleOut{v}, err
	})
	httpx.Register(api, op("set-owner-watch", http.MethodPut, "/api/owner-watch", auth.SettingsWrite, "Change when a contact counts as left alone"), func(ctx context.Context, in *struct{ Body StaleSettings }) (*staleOut, error) {
		v, err := s.SetStaleSettings(ctx, in.Body)
		return &staleOut{v}, err
	})
	s.profileRoutes(api, op)
	httpx.Register(api, op("list-notifications", http.MethodGet, "/api/notifications", auth.Self, "What the user was told, newest first"), s.httpNotices)
	httpx.Register(api, op("read-notifications", http.MethodPost, "/api/notifications/read", auth.Self, "Mark notifications as read"), func(ctx context.Context, in *readIn) (*struct{}, error) {
		return nil, s.MarkRead(ctx, in.Body.IDs)
	})
}

func (s *Service) listOfContact(ctx context.Context, in *contactIn) (*followUpPage, error) {
	items, err := s.OfContact(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &followUpPage{}
	out.Body.Items = items
	return out, nil
}

func (s *Service) httpPlan(ctx context.Context, in *planIn) (*followUpOut, error) {
	f, err := s.Plan(ctx, in.ID, in.Body)
	return &followUpOut{f}, err
}

func (s *Service) httpBoard(ctx context.Context, in *boardIn) (*followUpPage, error) {
	items, next, err := s.Board(ctx, in.Bucket, in.Assignee, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &followUpPage{}
	out.Body.Items, out.Body.Next = items, next
	return out, nil
}

func (s *Service) httpComplete(ctx context.Context, in *completeIn) (*completeOut, error) {
	done, next, err := s.Complete(ctx, in.ID, in.Body)
	out := &completeOut{}
	out.Body.Done, out.Body.Next = done, next
	return out, err
}

func (s *Service) httpReassign(ctx context.Context, in *reassignIn) (*reassignOut, error) {
	sel, err := in.Body.Selection(ctx)
	if err != nil {
		return nil, err
	}
	out := &reassignOut{}
	if out.Body.Total, err = s.Selector.Count(ctx, sel); err != nil || in.Body.Preview {
		return out, err
	}
	r, err := s.Reassign(ctx, sel, in.Body.To, in.Body.Reason)
	out.Body.Reassignment = &r
	return out, err
}

func (s *Service) httpNotices(ctx context.Context, in *noticesIn) (*noticesOut, error) {
	items, next, unread, err := s.Notifications(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &noticesOut{}
	out.Body.Items, out.Body.Next, out.Body.Unread = items, next, unread
	return out, nil
}
