package app

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/db"
)

// plantWork types personal values where staff work on people: reasons, notes,
// filters, follow-ups, files of work on many.
func (s *serverProcess) plantWork() {
	t := s.t
	person := func(n int) string {
		var who struct{ ID string }
		s.ok("POST", "/api/contacts", map[string]any{"name": fmt.Sprint("沈", n), "phone": phone(n)}, &who)
		return who.ID
	}
	a, b, c := person(100), person(101), person(102)
	job := func(path string, body map[string]any) {
		t.Helper()
		s.ok("POST", path, body, nil)
		s.until(path, func() bool {
			var list struct {
				Items []struct{ State, Kind string }
			}
			s.ok("GET", "/api/jobs?limit=50", nil, &list)
			for _, j := range list.Items {
				require.NotEqual(t, "failed", j.State, j.Kind)
				if j.State != "succeeded" {
					return false
				}
			}
			return true
		})
	}
	var staff struct{ User struct{ ID string } }
	s.ok("POST", "/api/users", map[string]any{"name": "唐小满", "email": "tang@koipond.example", "role": "user_ops"}, &staff)
	// Follow-ups, and what reminds of them.
	due := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	var f struct{ ID string }
	s.ok("POST", "/api/contacts/"+a+"/follow-ups", map[string]any{"text": "打 " + phone(103) + "，" + street, "due": due, "assignee": staff.User.ID}, &f)
	s.ok("PATCH", "/api/follow-ups/"+f.ID, map[string]any{"text": "改打 " + phone(104)}, nil)
	s.ok("POST", "/api/follow-ups/"+f.ID+"/done", map[string]any{"outcome": "reached", "note": "新号 " + phone(105), "next": map[string]any{"text": "再打 " + phone(106), "due": due, "assignee": staff.User.ID}}, nil)
	// Merges by hand, their undo, and two kept apart.
	var merged struct{ MergeID string }
	s.ok("POST", "/api/contacts/"+a+"/merge", map[string]any{"other": b, "reason": "都用 " + phone(107)}, &merged)
	s.ok("POST", "/api/merges/"+merged.MergeID+"/undo", map[string]any{"reason": "不是 " + phone(108)}, nil)
	require.Equal(t, 204, s.call("POST", "/api/contacts/"+a+"/apart", map[string]any{"other": c, "reason": "问过 " + mailbox(109)}, nil))
	// Filters that hold a number: counted, saved as a view, exported, worked on.
	rule := func(n int) map[string]any {
		return map[string]any{"v": 1, "field": "name", "op": "is", "value": phone(n)}
	}
	s.ok("POST", "/api/contacts/count", map[string]any{"filter": map[string]any{"where": rule(110)}}, nil)
	s.ok("POST", "/api/contact-views", map[string]any{"name": "一组", "definition": map[string]any{"filter": map[string]any{"q": phone(111), "where": rule(112)}}}, nil)
	one := map[string]any{"q": phone(100)}
	job("/api/contacts/export", map[string]any{"selection": map[string]any{"filter": one}, "format": "csv", "columns": []string{"name", "phone"}, "clear": true, "reason": "寄给 " + phone(113)})
	job("/api/contacts/export", map[string]any{"selection": map[string]any{"filter": map[string]any{"where": map[string]any{"v": 1, "any": []any{map[string]any{"field": "name", "op": "is", "value": phone(114)}, map[string]any{"field": "name", "op": "startsWith", "value": "沈"}}}}}, "format": "xlsx"})
	var tag struct{ ID string }
	var group struct{ ID string }
	s.ok("POST", "/api/tag-groups", map[string]any{"name": "工作"}, &group)
	s.ok("POST", "/api/tags", map[string]any{"group": group.ID, "name": "在找"}, &tag)
	job("/api/tags/bulk", map[string]any{"selection": map[string]any{"filter": one}, "add": []string{tag.ID}})
	job("/api/contacts/reassign", map[string]any{"filter": one, "to": []any{}, "reason": "交接 " + phone(115)})
	// Consent: by hand, of many with a file, from a file; the suppression list.
	s.ok("POST", "/api/contacts/"+a+"/consents", map[string]any{"reason": phone(116) + " 来电", "changes": []any{map[string]any{"purpose": "marketing", "channel": "sms", "state": "withdrawn"}}}, nil)
	var file struct{ ID string }
	s.ok("POST", "/api/consent/proofs?name="+phone(117)+".txt", []byte(phone(118)+" "+street), &file)
	job("/api/consent/changes", map[string]any{"filter": one, "purpose": "surveys", "channel": "sms", "state": "granted", "wording": 1, "reason": "签字 " + phone(119), "proofFile": file.ID})
	s.ok("POST", "/api/consent/suppressions", map[string]any{"kind": "phone", "value": phone(120), "reason": "投诉，回 " + phone(121)}, nil)
	s.ok("POST", "/api/contacts/"+a+"/preference-link", map[string]any{}, nil)
	s.importFile("consents.csv", []byte("手机号,consent.marketing.sms\n"+phone(122)+",是\n"+phone(123)+","+phone(124)+"\n"), "contacts", map[string]string{"手机号": "phone", "consent.marketing.sms": "consent.marketing.sms"})
	// Rules of identity.
	s.ok("POST", "/api/identity/blocked", map[string]any{"kind": "phone", "values": []string{phone(125)}, "note": "前台 " + phone(126)}, nil)
	s.ok("POST", "/api/contacts/"+c+"/unmask", map[string]any{"field": "phone", "reason": "回 " + phone(127)}, nil)
	for _, path := range []string{"/api/audit", "/api/jobs", "/api/follow-ups?assignee=team", "/api/contacts/" + a + "/timeline"} {
		s.ok("GET", path, nil, nil)
	}
}

// searchTables looks through every column of the records, so that a find says
// where it lies and not only at which byte.
func (s *serverProcess) searchTables() (out []string) {
	s.records(func(ctx context.Context, r *Records) {
		for _, c := range textColumns(s.t, r.DB) {
			table, column, _ := strings.Cut(c, ".")
			rows, err := r.DB.Query(ctx, "select "+column+" from "+table)
			values, err := db.Collect(rows, err, func(r *sql.Rows) (v []byte, err error) { return v, r.Scan(&v) })
			require.NoError(s.t, err, c)
			for _, v := range values {
				if found := finds(c, v); len(found) > 0 {
					out = append(out, found[0])
					break
				}
			}
		}
	})
	return out
}
