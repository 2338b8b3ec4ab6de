package audit

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Routes adds the operations of the audit log.
func (s *Service) Routes(api *httpx.API) {
	httpx.Register(api, httpx.Op{ID: "list-audit", Method: http.MethodGet, Path: "/api/audit", Tag: "audit",
		Summary: "Who changed or looked at what, newest first", Permission: auth.AuditRead}, s.handleList)
	httpx.Register(api, httpx.Op{ID: "verify-audit", Method: http.MethodPost, Path: "/api/audit/verify", Tag: "audit",
		Summary: "Check the chain of the whole audit log", Permission: auth.AuditRead, Timeout: 5 * time.Minute}, s.handleVerify)
}

type listIn struct {
	Actor      string    `query:"actor" doc:"Id of the user or token"`
	Action     string    `query:"action" doc:"Beginning of the action, such as user."`
	ObjectType string    `query:"objectType"`
	ObjectID   string    `query:"objectId"`
	From       time.Time `query:"from" doc:"Included"`
	To         time.Time `query:"to" doc:"Not included"`
	Cursor     string    `query:"cursor"`
	Limit      int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// AuditEntry is one entry in the API.
type AuditEntry struct {
	Seq       int64          `json:"seq"`
	At        time.Time      `json:"at"`
	Actor     Actor          `json:"actor"`
	Action    string         `json:"action"`
	Object    AuditObject    `json:"object"`
	Detail    map[string]any `json:"detail"`
	IP        string         `json:"ip"`
	RequestID string         `json:"requestId"`
	Hash      string         `json:"hash"`
}

// AuditObject is what an entry was about.
type AuditObject struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

type listOut struct {
	Body struct {
		Items []AuditEntry `json:"items"`
		Next  string       `json:"next,omitempty"`
	}
}

func (s *Service) handleList(ctx context.Context, in *listIn) (*listOut, error) {
	f := Filter{ActorID: in.Actor, Action: in.Action, ObjectType: in.ObjectType, ObjectID: in.ObjectID, From: in.From, To: in.To, Limit: in.Limit + 1}
	if err := httpx.DecodeCursor(in.Cursor, &f.Before); err != nil {
		return nil, err
	}
	entries, err := s.List(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	if len(entries) > in.Limit {
		entries = entries[:in.Limit]
		out.Body.Next = httpx.EncodeCursor(entries[in.Limit-1].Seq)
	}
	for _, e := range entries {
		out.Body.Items = append(out.Body.Items, toAPIEntry(e))
	}
	return out, nil
}

func toAPIEntry(e Entry) AuditEntry {
	detail := map[string]any{}
	if err := json.Unmarshal(e.Detail, &detail); err != nil { // only a tampered row is no object: show it as it stands
		detail = map[string]any{"text": string(e.Detail)}
	}
	return AuditEntry{Seq: e.Seq, At: e.At, Actor: e.Actor, Action: e.Action,
		Object: AuditObject{Type: e.Object.Type, ID: e.Object.ID, Name: e.Object.Name},
		Detail: detail, IP: e.IP, RequestID: e.RequestID, Hash: e.Hash}
}

type verifyOut struct {
	Body struct {
		OK       bool   `json:"ok"`
		Checked  int64  `json:"checked" doc:"Entries that were read"`
		FirstBad int64  `json:"firstBad,omitempty" doc:"Number of the first faulty entry"`
		Fault    string `json:"fault,omitempty" enum:"edited,missing,inserted,sealing,cut,rolled_back"`
		Head     string `json:"head" doc:"Hash of the last entry"`
	}
}

func (s *Service) handleVerify(ctx context.Context, _ *struct{}) (*verifyOut, error) {
	r, err := s.Verify(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.Record(ctx, "audit.verified", Object{Type: "audit"}, map[string]any{"ok": r.OK, "checked": r.Checked}); err != nil {
		return nil, err
	}
	out := &verifyOut{}
	out.Body.OK, out.Body.Checked, out.Body.FirstBad, out.Body.Fault, out.Body.Head = r.OK, r.Checked, r.FirstBad, string(r.Fault), r.Head
	return out, nil
}
