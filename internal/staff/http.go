package staff

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/sheet"
)

type (
	accountsOut struct {
		Body struct {
			Items []CorpSync `json:"items"`
		}
	}
	listIn struct {
		Account string `query:"account" required:"true" maxLength:"60"`
		State   string `query:"state" enum:"active,inactive,left" doc:"None: all"`
		Serving bool   `query:"serving" doc:"Only those who may have customers, or have some"`
		Text    string `query:"q" maxLength:"100" doc:"In name or id"`
		Cursor  string `query:"cursor"`
		Limit   int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	}
	listOut struct {
		Body struct {
			Items []CorpMember `json:"items"`
			Next  string       `json:"next,omitempty"`
		}
	}
	memberPath struct {
		Account string `path:"account" maxLength:"60"`
		ID      string `path:"id" maxLength:"64" doc:"The platform's id of the colleague"`
	}
	linkIn struct {
		Account string `path:"account" maxLength:"60"`
		ID      string `path:"id" maxLength:"64" doc:"The platform's id of the colleague"`
		Body    struct {
			User string `json:"user" maxLength:"60" doc:"A user's id; empty: nobody"`
		}
	}
	colleagueOut struct{ Body CorpMember }
	syncIn       struct{ Body SyncInput }
	syncOut      struct {
		Body struct {
			Job string `json:"job"`
		}
	}
	friendsIn struct {
		Account string `query:"account" required:"true" maxLength:"60"`
		Staff   string `query:"staff" maxLength:"64" doc:"Only of this colleague"`
		State   string `query:"state" enum:"friend,deleted,removed,moved" default:"friend"`
		Cursor  string `query:"cursor"`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	friendsOut struct {
		Body struct {
			Items []Friendship `json:"items"`
			Next  string       `json:"next,omitempty"`
		}
	}
	contactIn struct {
		ID string `path:"id" maxLength:"60" doc:"Contact id"`
	}
	remarkIn struct {
		ID   string `path:"id" maxLength:"60" doc:"Contact id"`
		Body struct {
			Account  string  `json:"account" maxLength:"60"`
			Staff    string  `json:"staff" maxLength:"64"`
			Customer string  `json:"customer" maxLength:"64"`
			Remark   *string `json:"remark,omitempty" maxLength:"80" doc:"20 characters; left out: stays"`
			Note     *string `json:"note,omitempty" maxLength:"600" doc:"150 characters; left out: stays"`
		}
	}
	handIn      struct{ Body HandInput }
	handoverOut struct{ Body Handover }
	handoversIn struct {
		Account string `query:"account" required:"true" maxLength:"60"`
		From    string `query:"from" maxLength:"64" doc:"Only of this colleague's customers"`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	handoversOut struct {
		Body struct {
			Items []Handover `json:"items"`
		}
	}
	handoverIn struct {
		ID string `path:"id" maxLength:"60"`
	}
	handedIn struct {
		ID     string `path:"id" maxLength:"60"`
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	handedOut struct {
		Body struct {
			Items []HandedCustomer `json:"items"`
			Next  string           `json:"next,omitempty"`
		}
	}
	handedGroupsOut struct {
		Body struct {
			Items []HandedGroup `json:"items"`
		}
	}
	leaversIn struct {
		Account string `query:"account" required:"true" maxLength:"60"`
		All     bool   `query:"all" doc:"Also those who left nothing behind"`
	}
	leaversOut struct {
		Body struct {
			Items []Leaver `json:"items"`
		}
	}
	textCursor struct {
		After string `json:"a"`
	}
)

// Routes declares the API of colleagues and their friends. Lists of colleagues
// tell of everybody's customers: callers who see only some are refused. Whose
// friend a contact is may be read by whoever sees the contact.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "staff", Summary: summary, Permission: may, Whole: true}
	}
	httpx.Register(api, op("list-colleague-accounts", http.MethodGet, "/api/colleagues/accounts", auth.TeamRead, "List the accounts whose colleagues are known, with their last sync"), func(ctx context.Context, _ *struct{}) (*accountsOut, error) {
		list, err := s.Accounts(ctx)
		out := &accountsOut{}
		out.Body.Items = list
		return out, err
	})
	httpx.Register(api, op("list-colleagues", http.MethodGet, "/api/colleagues", auth.TeamRead, "List the colleagues of an account with their friends, today's adds and deletes"), s.httpList)
	httpx.Register(api, op("get-colleague", http.MethodGet, "/api/colleagues/members/{account}/{id}", auth.TeamRead, "Get a colleague"), func(ctx context.Context, in *memberPath) (*colleagueOut, error) {
		c, err := s.Colleague(ctx, in.Account, in.ID)
		return &colleagueOut{c}, err
	})
	httpx.Register(api, op("link-colleague", http.MethodPut, "/api/colleagues/members/{account}/{id}/user", auth.TeamWrite, "Say which user a colleague is"), func(ctx context.Context, in *linkIn) (*colleagueOut, error) {
		c, err := s.Link(ctx, in.Account, in.ID, in.Body.User)
		return &colleagueOut{c}, err
	})
	httpx.Register(api, op("sync-colleagues", http.MethodPost, "/api/colleagues/sync", auth.TeamWrite, "Read an account's directory and all friendships anew"), func(ctx context.Context, in *syncIn) (*syncOut, error) {
		job, err := s.Sync(ctx, in.Body)
		out := &syncOut{}
		out.Body.Job = job.ID
		return out, err
	})
	httpx.Register(api, op("list-friendships", http.MethodGet, "/api/friendships", auth.TeamRead, "List friendships of an account, the newest first; with state deleted those that customers ended"), s.httpFriends)
	httpx.Register(api, op("list-leavers", http.MethodGet, "/api/leavers", auth.TeamRead, "List who left, with the customers and groups that wait for somebody"), func(ctx context.Context, in *leaversIn) (*leaversOut, error) {
		list, err := s.Leavers(ctx, in.Account, in.All)
		out := &leaversOut{}
		out.Body.Items = list
		return out, err
	})
	create := op("hand-over-customers", http.MethodPost, "/api/handovers", auth.TeamWrite, "Hand customers of a colleague, in service or gone, to another, or to several in equal shares")
	create.Idempotent = true
	httpx.Register(api, create, func(ctx context.Context, in *handIn) (*handoversOut, error) {
		list, err := s.HandOver(ctx, in.Body)
		out := &handoversOut{}
		out.Body.Items = list
		return out, err
	})
	httpx.Register(api, op("stop-handover", http.MethodPost, "/api/handovers/{id}/stop", auth.TeamWrite, "Take back what has not gone out yet"), func(ctx context.Context, in *handoverIn) (*handoverOut, error) {
		h, err := s.StopHandover(ctx, in.ID)
		return &handoverOut{h}, err
	})
	httpx.Register(api, op("list-handovers", http.MethodGet, "/api/handovers", auth.TeamRead, "List hand-overs, the newest first"), func(ctx context.Context, in *handoversIn) (*handoversOut, error) {
		list, err := s.Handovers(ctx, in.Account, in.From, in.Limit)
		out := &handoversOut{}
		out.Body.Items = list
		return out, err
	})
	httpx.Register(api, op("get-handover", http.MethodGet, "/api/handovers/{id}", auth.TeamRead, "Get a hand-over with how far it is"), func(ctx context.Context, in *handoverIn) (*handoverOut, error) {
		h, err := s.Handover(ctx, in.ID)
		return &handoverOut{h}, err
	})
	httpx.Register(api, op("list-handed-customers", http.MethodGet, "/api/handovers/{id}/customers", auth.TeamRead, "List the customers of a hand-over with what became of each"), s.httpHanded)
	httpx.Register(api, op("list-handed-groups", http.MethodGet, "/api/handovers/{id}/groups", auth.TeamRead, "List the groups of a hand-over with what became of each"), s.httpHandedGroups)
	export := op("export-handed-customers", http.MethodGet, "/api/handovers/{id}/customers.csv", auth.ContactExport, "The customers of a hand-over, with what became of each, as a table")
	httpx.Handle(api, export, http.HandlerFunc(s.serveHanded))

	one := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		o := op(id, method, path, may, summary)
		o.Whole = false
		return o
	}
	httpx.Register(api, one("list-contact-friends", http.MethodGet, "/api/contacts/{id}/friends", auth.ContactRead, "List whose friend a contact is or was"), func(ctx context.Context, in *contactIn) (*friendsOut, error) {
		list, err := s.OfContact(ctx, in.ID)
		out := &friendsOut{}
		out.Body.Items = list
		return out, err
	})
	httpx.Register(api, one("set-friend-remark", http.MethodPut, "/api/contacts/{id}/friends/remark", auth.ContactWrite, "Write how a colleague calls a customer, also to the platform"), func(ctx context.Context, in *remarkIn) (*friendsOut, error) {
		b := in.Body
		list, err := s.SetRemark(ctx, in.ID, b.Account, b.Staff, b.Customer, b.Remark, b.Note)
		out := &friendsOut{}
		out.Body.Items = list
		return out, err
	})
}

func (s *Service) httpList(ctx context.Context, in *listIn) (*listOut, error) {
	var c textCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
			return nil, err
		}
	}
	list, next, err := s.List(ctx, Query{Account: in.Account, State: in.State, Serving: in.Serving, Text: in.Text, After: c.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	out.Body.Items = list
	if next != "" {
		out.Body.Next = httpx.EncodeCursor(textCursor{next})
	}
	return out, nil
}

func (s *Service) httpFriends(ctx context.Context, in *friendsIn) (*friendsOut, error) {
	var after *friendCursor
	if in.Cursor != "" {
		after = &friendCursor{}
		if err := httpx.DecodeCursor(in.Cursor, after); err != nil {
			return nil, err
		}
	}
	list, next, err := s.Friends(ctx, FriendQuery{Account: in.Account, Staff: in.Staff, State: in.State, Limit: in.Limit}, after)
	if err != nil {
		return nil, err
	}
	out := &friendsOut{}
	out.Body.Items = list
	if next != nil {
		out.Body.Next = httpx.EncodeCursor(next)
	}
	return out, nil
}

func (s *Service) httpHanded(ctx context.Context, in *handedIn) (*handedOut, error) {
	var c textCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
			return nil, err
		}
	}
	if _, err := s.Handover(ctx, in.ID); err != nil {
		return nil, err
	}
	list, next, err := s.HandedCustomers(ctx, in.ID, c.After, in.Limit)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Why, list[i].Words = say(ctx, list[i].Why, "transfer_customer")
	}
	out := &handedOut{}
	out.Body.Items = list
	if next != "" {
		out.Body.Next = httpx.EncodeCursor(textCursor{next})
	}
	return out, nil
}

// say puts a reason into words: a code, and the platform's number if it has one.
func say(ctx context.Context, why, api string) (code, words string) {
	if why == "" {
		return "", ""
	}
	code, number, _ := strings.Cut(why, " ")
	return code, httpx.Say(ctx, code, map[string]any{"number": number, "api": api, "words": ""})
}

func (s *Service) httpHandedGroups(ctx context.Context, in *handoverIn) (*handedGroupsOut, error) {
	if _, err := s.Handover(ctx, in.ID); err != nil {
		return nil, err
	}
	list, err := s.HandedGroups(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Why, list[i].Words = say(ctx, list[i].Why, "groupchat/transfer")
	}
	out := &handedGroupsOut{}
	out.Body.Items = list
	return out, nil
}

// serveHanded writes what became of each customer of a hand-over, page by page.
func (s *Service) serveHanded(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	h, err := s.Handover(ctx, r.PathValue("id"))
	if err == nil {
		err = s.record(ctx, "staff.handover_exported", h.ID, h.From.Name, map[string]any{"account": h.Account, "from": h.From.ID, "to": h.To.ID, "customers": h.Total})
	}
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", jobs.Attachment("handover-"+h.CreatedAt.Format("2006-01-02")+"-"+h.ID+".csv"))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "private, no-store")
	if err := s.writeHanded(ctx, w, h); err != nil {
		s.Log.WarnContext(ctx, "export of a hand-over", "error", err) // most likely the caller went away
	}
}

func (s *Service) writeHanded(ctx context.Context, w http.ResponseWriter, h Handover) error {
	tell := func(code string) string { return httpx.Say(ctx, code, nil) }
	out, err := sheet.NewCSV(w, sheet.UTF8Mark, []string{tell("staff.csv_customer"), tell("staff.csv_contact"), tell("staff.csv_from"), tell("staff.csv_to"), tell("staff.csv_state"), tell("staff.csv_why"), tell("staff.csv_at")})
	if err != nil {
		return err
	}
	zone := time.UTC
	if s.Zone != nil {
		zone = s.Zone(ctx)
	}
	for after := ""; ; {
		list, next, err := s.HandedCustomers(ctx, h.ID, after, 500)
		if err != nil {
			return err
		}
		for _, c := range list {
			_, words := say(ctx, c.Why, "transfer_customer")
			err := out.Row([]sheet.Cell{sheet.Text(c.Name), sheet.Text(c.ContactID), sheet.Text(h.From.Name), sheet.Text(h.To.Name), sheet.Text(tell(stateWords[c.State])), sheet.Text(words),
				sheet.Text(c.At.In(zone).Format("2006-01-02 15:04:05"))})
			if err != nil {
				return err
			}
		}
		if next == "" {
			return out.Close()
		}
		after = next
	}
}

// stateWords are the codes of what a table says of each state.
var stateWords = map[string]string{HandNew: "staff.state_new", HandWaiting: "staff.state_waiting", HandDone: "staff.state_done", HandRefused: "staff.state_refused", HandFull: "staff.state_full",
	HandFailed: "staff.state_failed", HandStopped: "staff.state_stopped"}
