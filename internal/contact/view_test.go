package contact

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

func TestViewsAreOnesOwnOrShared(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		crowd(t, p, 60)
		p.audit.entries = nil
		s := serve(t, p)
		where := obj{"v": 1, "all": []obj{{"field": "orders", "op": "gte", "value": 1}}}
		def := obj{"filter": obj{"where": where}, "sort": "revenue", "order": "desc", "columns": []string{"name", "orders"}, "density": "compact"}
		var mine View
		require.Equal(t, 200, first(s.call("POST", "/api/contact-views", "user_ops", obj{"name": " 买家 ", "definition": def}, &mine)))
		require.Equal(t, "买家", mine.Name)
		require.True(t, mine.Editable)
		require.Equal(t, "Orders at least 1", mine.Sentence)
		list := func(role string) (names []string) {
			var out struct{ Items []View }
			require.Equal(t, 200, first(s.call("GET", "/api/contact-views", role, nil, &out)))
			for _, v := range out.Items {
				if !v.BuiltIn {
					names = append(names, fmt.Sprint(v.Name, " ", v.Editable))
				}
			}
			return names
		}
		require.Equal(t, []string{"买家 true"}, list("user_ops"))
		require.Empty(t, list("service"), "what is not shared is nobody else's")
		require.Empty(t, p.audit.entries)
		at := "/api/contact-views/" + mine.ID
		require.Equal(t, 404, first(s.call("DELETE", at, "service", nil, nil)))
		require.Equal(t, 404, first(s.call("PUT", at, "admin", obj{"name": "x", "definition": def}, nil)))
		require.Equal(t, 403, first(s.call("POST", "/api/contact-views", "service", obj{"name": "x", "shared": true, "definition": def}, nil)))
		require.Equal(t, 200, first(s.call("PUT", at, "user_ops", obj{"name": "老客", "shared": true, "definition": def}, nil)))
		require.Equal(t, []string{"老客 false"}, list("service"))
		require.Equal(t, []string{"老客 true"}, list("growth"), "whoever may share may change what is shared")
		require.Equal(t, 403, first(s.call("PUT", at, "service", obj{"name": "x", "definition": def}, nil)))
		require.Equal(t, 403, first(s.call("DELETE", at, "service", nil, nil)))
		require.Len(t, p.audit.entries, 1)
		require.Contains(t, p.audit.entries[0], "view.updated view "+mine.ID)

		for body, want := range map[string]string{"": "422 request.invalid name:request.field_required", strings.Repeat("长", 61): "422 request.invalid name:request.too_long"} {
			status, code := s.call("POST", "/api/contact-views", "admin", obj{"name": body, "definition": def}, nil)
			require.Equal(t, want, fmt.Sprint(status, " ", code))
		}
		bad := obj{"filter": obj{"where": obj{"v": 1, "all": []obj{{"field": "orders", "op": "likes"}}}}}
		status, code := s.call("POST", "/api/contact-views", "admin", obj{"name": "x", "definition": bad}, nil)
		require.Equal(t, "422 request.invalid definition.filter.where.all[0].op:rule.bad_op", fmt.Sprint(status, " ", code))
		status, code = s.call("PUT", "/api/contact-views/all", "admin", obj{"name": "x", "definition": def}, nil)
		require.Equal(t, "409 contact.built_in_view", fmt.Sprint(status, " ", code))

		// numbers beside the tabs
		var counts struct{ Counts map[string]int64 }
		s.ok("GET", "/api/contact-view-counts?ids=all,visitors,vw_none,"+mine.ID, nil, &counts)
		all, err := p.Count(p.ctx, Selection{})
		require.NoError(t, err)
		buyers, err := p.Count(p.ctx, Selection{Query: Query{Where: &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: "orders", Op: "gte", Value: 1.0}}}}}})
		require.NoError(t, err)
		require.Equal(t, map[string]int64{"all": all, "visitors": 10, mine.ID: buyers}, counts.Counts)
		p.who(event.Fact{UserID: "one more"})
		s.ok("GET", "/api/contact-view-counts?ids=all", nil, &counts)
		require.Equal(t, all, counts.Counts["all"], "kept for half a minute")
		p.clock.Advance(31 * time.Second)
		s.ok("GET", "/api/contact-view-counts?ids=all", nil, &counts)
		require.Equal(t, all+1, counts.Counts["all"])

		// what a user keeps
		var out struct{ Prefs ViewPrefs }
		s.ok("GET", "/api/contact-views", nil, &out)
		require.Equal(t, usualTabs, out.Prefs.Tabs)
		s.ok("PUT", "/api/contact-view-prefs", obj{"tabs": []string{"silent", mine.ID, "silent"}, "default": mine.ID, "columns": obj{"all": []string{"name", "city"}}}, nil)
		s.ok("GET", "/api/contact-views", nil, &out)
		require.Equal(t, ViewPrefs{Tabs: []string{"silent", mine.ID}, Default: mine.ID, Columns: map[string][]string{"all": {"name", "city"}}}, out.Prefs)
		require.Equal(t, 200, first(s.call("GET", "/api/contact-views", "growth", nil, &out)))
		require.Equal(t, usualTabs, out.Prefs.Tabs, "of each user their own")
		for _, v := range builtInViews(30) { // each of them is a list that works
			page, err := p.List(p.ctx, v.Definition.Filter.query(p.ctx))
			require.NoError(t, err, v.ID)
			require.NotNil(t, page.Items)
		}
		require.Equal(t, 204, first(s.call("DELETE", at, "growth", nil, nil)))
		require.Empty(t, list("user_ops"))
	})
}

func first(status int, _ string) int { return status }

// exporter is a pond that exports, with its files.
type exporter struct {
	*pond
	x     *Exports
	jobs  *jobs.Service
	files blob.Store
}

func eachExporter(t *testing.T, fn func(t *testing.T, p *exporter)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		p := &exporter{pond: newPond(t, d)}
		files, err := blob.NewFolder(filepath.Join(t.TempDir(), "files"))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, files.Close()) })
		p.files = files
		p.jobs = jobs.NewService(jobs.Deps{DB: d, Clock: p.clock, IDs: p.IDs, Log: testkit.Logger(t), Files: files, Audit: p.audit, Node: "n", Poll: 5 * time.Millisecond})
		cat, err := i18n.Load(testkit.Quiet())
		require.NoError(t, err)
		p.x = NewExports(p.Service, ExportDeps{Jobs: p.jobs, Catalogue: cat})
		require.NoError(t, p.jobs.Start(t.Context()))
		t.Cleanup(func() { require.NoError(t, p.jobs.Stop(context.Background())) })
		fn(t, p)
	}, Migrations(), jobs.Migrations())
}

// export runs an export to its end and gives its file.
func (p *exporter) export(role string, e Export) (jobs.Job, []byte) {
	p.t.Helper()
	ctx := testkit.As(p.t.Context(), role)
	e.Lang = i18n.EN
	j, err := p.x.Start(ctx, e)
	require.NoError(p.t, err)
	j, err = p.jobs.Wait(ctx, j.ID)
	require.NoError(p.t, err)
	if j.State != jobs.Succeeded {
		return j, nil
	}
	for info, err := range p.files.List(ctx, "jobs/"+j.ID+"/") {
		require.NoError(p.t, err)
		r, _, err := p.files.Get(ctx, info.Key)
		require.NoError(p.t, err)
		defer r.Close()
		b, err := io.ReadAll(r)
		require.NoError(p.t, err)
		return j, b
	}
	return j, nil
}

func TestExportWritesWhatTheAskerMaySee(t *testing.T) {
	eachExporter(t, func(t *testing.T, p *exporter) {
		tag, err := p.EnsureTag(p.ctx, "组", "茶友")
		require.NoError(t, err)
		var rows []Incoming
		for i := range 1200 {
			rows = append(rows, Incoming{Identifiers: ids(KindPhone, fmt.Sprintf("1380000%04d", i), KindMemberNo, fmt.Sprint("M", i)), Tags: []string{tag.ID},
				Attributes: map[string]any{"name": "=客户" + fmt.Sprint(i), "city": "杭州", "gender": "女", "level": i}})
		}
		_, err = p.Upsert(p.ctx, rows, UpsertOptions{Source: "crm"})
		require.NoError(t, err)

		e := Export{Selection: Selection{Query: Query{Tag: tag.ID}}, Format: "csv", Encoding: "utf8", Columns: []string{"name", "phone", "memberNo", "gender", "tags", "orders", "attr:level", "created"}}
		j, file := p.export("user_ops", e)
		require.Equal(t, jobs.Succeeded, j.State)
		require.Equal(t, auth.ContactExport, j.FilePermission)
		require.EqualValues(t, 1200, j.Done)
		require.Equal(t, "contacts-20260302-1200.csv", j.FileName)
		table, err := csv.NewReader(strings.NewReader(string(file))).ReadAll()
		require.NoError(t, err)
		require.Len(t, table, 1201)
		require.Equal(t, []string{"Name", "Phone", "Member number", "Gender", "Tags", "Orders", "level", "Joined"}, table[0])
		require.Equal(t, []string{"'=客户7", "138****0007", "M7", "female", "组/茶友", "0", "7", "2026-03-02 12:00:00"}, table[8])
		require.NotContains(t, string(file), "13800000007")
		require.Contains(t, p.audit.entries[len(p.audit.entries)-1], `contact.exported export `+j.ID)
		require.Contains(t, p.audit.entries[len(p.audit.entries)-1], `"count":1200`)

		e.Clear, e.Encoding = true, "gb18030"
		_, err = p.x.Start(testkit.As(t.Context(), "user_ops"), e)
		require.Equal(t, "request.invalid", errs.CodeOf(err), "in full needs a reason")
		_, err = p.x.Start(testkit.As(t.Context(), "analyst"), Export{Selection: e.Selection, Format: "csv", Columns: e.Columns, Clear: true, Reason: "x"})
		require.Equal(t, "permission.denied", errs.CodeOf(err), "and the permission to unmask")
		e.Reason = "寄样品"
		j, file = p.export("user_ops", e)
		require.Equal(t, auth.ContactUnmask, j.FilePermission)
		require.Contains(t, string(file), "13800000007")
		plain, err := simplifiedchinese.GB18030.NewDecoder().Bytes(file)
		require.NoError(t, err)
		require.Contains(t, string(plain), "'=客户7,+8613800000007,M7,female,组/茶友")
		require.Contains(t, p.audit.entries[len(p.audit.entries)-1], "寄样品")

		j, file = p.export("analyst", Export{Selection: Selection{Query: Query{Where: &rule.Rule{V: 1, Node: rule.Node{Field: "name", Op: "is", Value: "=客户7"}}}}, Format: "xlsx"})
		require.Equal(t, jobs.Succeeded, j.State)
		require.EqualValues(t, 1, j.Done)
		require.Equal(t, "PK", string(file[:2]))

		_, err = p.x.Start(p.ctx, Export{Selection: Selection{Query: Query{Q: "nobody"}}, Format: "csv"})
		require.Equal(t, "contact.nobody_to_export", errs.CodeOf(err))
		_, err = p.x.Start(p.ctx, Export{Selection: e.Selection, Format: "csv", Columns: []string{"name", "shoe"}})
		var f *errs.Error
		require.ErrorAs(t, err, &f)
		require.Equal(t, "columns[1]", f.Fields[0].Path)
	})
}
