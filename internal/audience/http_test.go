package audience_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestSegmentsOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		web, ops := p.web(), testkit.As(t.Context(), "user_ops")
		_, ida := p.person("甲", "us_a", "杭州")
		p.person("乙", "us_b", "杭州")
		ask := func(method, path string, body any, into any) (int, string) {
			t.Helper()
			text := ""
			if body != nil {
				b, err := json.Marshal(body)
				require.NoError(t, err)
				text = string(b)
			}
			return web.ask(t, ops, method, path, text, into)
		}
		type m = map[string]any
		rule := m{"v": 1, "all": []m{{"field": "city", "op": "is", "value": "杭州"}}}
		var made struct{ Segment *audience.Segment }
		code, fault := ask("POST", "/api/segments", m{"name": "杭州", "kind": "dynamic", "rule": rule, "folder": "地区"}, &made)
		require.Equal(t, 200, code, fault)
		g := p.settled(made.Segment)
		for name, c := range map[string]struct {
			method, path string
			body         any
			want         string
		}{
			"name taken":         {"POST", "/api/segments", m{"name": "杭州", "kind": "static"}, "409 audience.name_taken name:audience.name_taken"},
			"no rule":            {"POST", "/api/segments", m{"name": "x", "kind": "dynamic"}, "422 request.invalid rule:request.field_required"},
			"broken rule":        {"POST", "/api/segments", m{"name": "x", "kind": "dynamic", "rule": m{"v": 1, "all": []m{{"field": "none", "op": "is", "value": "x"}}}}, "422 request.invalid rule.all[0].field:rule.bad_field"},
			"members of a rule":  {"POST", "/api/segments", m{"name": "x", "kind": "dynamic", "rule": rule, "members": m{"lines": []string{"a"}}}, "422 request.invalid members:audience.rule_decides"},
			"two ways":           {"POST", "/api/segments", m{"name": "x", "kind": "static", "members": m{"lines": []string{"a"}, "selection": m{"ids": []string{ida}}}}, "422 request.invalid selection:audience.name_people_once"},
			"visitors":           {"POST", "/api/segments", m{"name": "x", "kind": "static", "members": m{"selection": m{"filter": m{"kind": "visitor"}}}}, "422 request.invalid selection.filter.kind:audience.only_people"},
			"nobody":             {"POST", "/api/segments", m{"name": "x", "kind": "static", "members": m{"selection": m{"ids": []string{"ct_9"}}}}, "422 audience.nobody_selected"},
			"none":               {"GET", "/api/segments/sg_9", nil, "404 audience.no_such_segment"},
			"members of none":    {"GET", "/api/segments/sg_9/members", nil, "404 audience.no_such_segment"},
			"a bad cursor":       {"GET", "/api/segments/" + g.ID + "/members?cursor=x", nil, "400 request.bad_cursor"},
			"no such view":       {"POST", "/api/segments", m{"name": "x", "kind": "dynamic", "viewId": "vw_9"}, "404 contact.no_such_view"},
			"a view of visitors": {"POST", "/api/segments", m{"name": "x", "kind": "dynamic", "viewId": "visitors"}, "422 request.invalid view:audience.view_of_visitors"},
			"one overlaps":       {"POST", "/api/segments/overlap", m{"ids": []string{g.ID}}, "422 request.invalid ids:audience.overlap_some"},
			"no such with":       {"GET", "/api/segments/" + g.ID + "/compare?with=sg_9", nil, "422 request.invalid with:audience.no_such_segment"},
			"no such snapshot":   {"GET", "/api/segments/" + g.ID + "/snapshots/sn_9/diff", nil, "404 audience.no_such_snapshot"},
			"a bad schedule":     {"PUT", "/api/segments/" + g.ID + "/schedule", m{"every": "year", "keep": 3}, "422 request.invalid every:request.not_one_of"},
			"undo of nothing":    {"POST", "/api/segments/" + g.ID + "/history/sh_9/undo", nil, "409 audience.rule_decides"},
		} {
			code, fault := ask(c.method, c.path, c.body, nil)
			require.Equal(t, c.want, fmt.Sprint(code, " ", fault), name)
		}

		var list struct {
			Items   []*audience.Segment
			Folders []string
		}
		code, fault = ask("GET", "/api/segments", nil, &list)
		require.Equal(t, 200, code, fault)
		require.Equal(t, []string{"地区"}, list.Folders)
		require.EqualValues(t, 2, list.Items[0].Members)
		var members struct {
			Items []struct{ ID, Name, Phone string }
			Total int64
		}
		code, fault = ask("GET", "/api/segments/"+g.ID+"/members?limit=1", nil, &members)
		require.Equal(t, 200, code, fault)
		require.EqualValues(t, 2, members.Total)
		require.Contains(t, members.Items[0].Phone, "****", "masked as everywhere")
		var job struct{ ID string }
		code, fault = ask("POST", "/api/segments/"+g.ID+"/recount", nil, &job)
		require.Equal(t, 200, code, fault)
		require.NotEmpty(t, job.ID)
		code, fault = ask("POST", "/api/segments/"+g.ID+"/export", m{"format": "csv"}, &job)
		require.Equal(t, 200, code, fault)
		var made2 struct {
			Segment *audience.Segment
			audience.MembersChange
		}
		code, fault = ask("POST", "/api/segments", m{"name": "名单", "kind": "static", "members": m{"lines": []string{"13800000001", "x"}}}, &made2)
		require.Equal(t, 200, code, fault)
		require.EqualValues(t, 1, made2.Segment.Members)
		require.Equal(t, "Nobody has this", made2.Unknown[0].Message)
		code, fault = ask("POST", "/api/segments", m{"name": "七天新客", "kind": "dynamic", "viewId": "new"}, &made)
		require.Equal(t, 200, code, fault)
		require.EqualValues(t, 2, p.settled(made.Segment).Members)
	})
}

// Everything about segments needs a permission, and nothing tells of others' customers.
func TestSegmentsAreGuarded(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		web := p.web()
		var ids []string
		for i := range 60 {
			_, id := p.person(fmt.Sprint("客", i), []string{"us_a", "us_b", "us_b"}[i%3], "杭州")
			ids = append(ids, id)
		}
		g, other := p.static("名单", ids[:40]...), p.static("另", ids[20:]...)
		x, err := p.Snap(p.ctx, g.ID, "")
		require.NoError(t, err)
		base := "/api/segments/" + g.ID
		body := `{}`
		for _, c := range []struct{ method, path, body string }{
			{"PATCH", base, `{"name":"x"}`}, {"POST", "/api/segments", `{"name":"x","kind":"static"}`}, {"POST", base + "/copy", `{"name":"x"}`}, {"POST", base + "/archive", body},
			{"POST", base + "/restore", ""}, {"POST", base + "/recount", ""}, {"POST", base + "/members", `{"lines":["x"]}`}, {"POST", base + "/snapshots", body},
			{"DELETE", base + "/snapshots/" + x.ID, ""}, {"PUT", base + "/schedule", `{"every":"day","keep":3}`}, {"DELETE", base + "/schedule", ""}, {"POST", base + "/history/sh_1/undo", ""},
			{"POST", base + "/export", `{"format":"csv"}`},
		} {
			code, _ := web.ask(t, testkit.As(t.Context(), "sales"), c.method, c.path, c.body, nil)
			require.Equal(t, http.StatusForbidden, code, "%s %s", c.method, c.path)
		}
		reads := []struct{ method, path, body string }{
			{"GET", "/api/segments", ""}, {"GET", base, ""}, {"GET", base + "/members", ""}, {"GET", base + "/history", ""}, {"GET", base + "/uses", ""}, {"GET", base + "/growth", ""},
			{"GET", base + "/snapshots", ""}, {"GET", base + "/snapshots/" + x.ID + "/diff", ""}, {"GET", base + "/snapshots/" + x.ID + "/people?part=stayed", ""},
			{"POST", "/api/segments/overlap", `{"ids":["` + g.ID + `","` + other.ID + `"]}`}, {"GET", base + "/compare", ""},
		}
		for _, c := range reads {
			code, _ := web.ask(t, testkit.As(t.Context(), "copywriter"), c.method, c.path, c.body, nil)
			require.Equal(t, http.StatusForbidden, code, "%s %s", c.method, c.path)
		}
		// A salesperson's answers are the same whatever there is of others.
		sales := testkit.Scoped(t.Context(), "sales", false, "us_a")
		answers := func() (out []string) {
			for _, c := range reads {
				var got any
				code, fault := web.ask(t, sales, c.method, c.path, c.body, &got)
				require.Equal(t, 200, code, "%s %s %s", c.method, c.path, fault)
				b, err := json.Marshal(got)
				require.NoError(t, err)
				out = append(out, c.path+" "+string(b))
			}
			return out
		}
		before := answers()
		_, err = p.db.Exec(p.ctx, "update contacts set owner_id = 'us_c', city = '上海' where owner_id = 'us_b'")
		require.NoError(t, err)
		require.NoError(t, p.Forget(context.WithoutCancel(p.ctx), []int64{2, 3, 5, 6, 59, 60}))
		require.Equal(t, before, answers())
	})
}
