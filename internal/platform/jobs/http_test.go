package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/httpx/httpxtest"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

type nobody struct{}

func (nobody) Authenticate(*http.Request) (*auth.Principal, error) { return nil, nil }

func (p *pond) api(s *jobs.Service) *httpx.API {
	log := testkit.Logger(p.T)
	cat, err := i18n.Load(log)
	require.NoError(p, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Auth: nobody{}, Log: log, Catalogue: cat, Clock: p.clock})
	s.Routes(api)
	return api
}

func (p *pond) call(api *httpx.API, role, method, path string, into any) *httptest.ResponseRecorder {
	p.Helper()
	r := httptest.NewRequestWithContext(testkit.As(p.Context(), role), method, path, nil)
	r.Header.Set("Accept-Language", "en")
	rec := httptest.NewRecorder()
	api.Handler().ServeHTTP(rec, r)
	if into != nil {
		require.NoError(p, json.Unmarshal(rec.Body.Bytes(), into), rec.Body.String())
	}
	return rec
}

func TestRoutes(t *testing.T) {
	each(t, func(p *pond) {
		s := p.node("a", map[string]jobs.Handler{
			"fail": func(context.Context, jobs.Run) error {
				return errs.New(errs.TooLarge, "request.too_large", "limit", 9)
			},
			"file": func(_ context.Context, run jobs.Run) error {
				w, err := run.File("导出 \"一\"/../月.csv", "text/csv")
				if err != nil {
					return err
				}
				fmt.Fprint(w, "a,b\n")
				return w.Close()
			},
		})
		api := p.api(s)
		httpxtest.WalkPermissions(t, api, auth.BuiltinRoles())
		doc, err := api.OpenAPI()
		require.NoError(t, err)
		var spec struct {
			Components struct {
				Schemas map[string]struct {
					Properties map[string]struct{ Type any }
					Required   []string
				}
			}
		}
		require.NoError(t, json.Unmarshal(doc, &spec))
		view := spec.Components.Schemas["JobView"]
		require.Nil(t, view.Properties["result"].Type, "any JSON")
		require.Contains(t, view.Required, "hasFile")
		require.NotContains(t, view.Required, "finishedAt")

		var empty map[string]any
		p.call(api, "admin", "GET", "/api/jobs", &empty)
		require.Equal(t, map[string]any{"items": []any{}}, empty)

		failed := p.wait(s, p.enqueue(s, jobs.Spec{Kind: "fail", Title: "Big", Unit: "rows"}))
		var one jobs.JobView
		p.call(api, "admin", "GET", "/api/jobs/"+failed.ID, &one)
		require.Equal(t, "The body is larger than 9 bytes.", one.Error.Detail)
		require.False(t, one.HasFile)
		require.Equal(t, 404, p.call(api, "admin", "GET", "/api/jobs/"+failed.ID+"/file", nil).Code)
		require.Equal(t, 404, p.call(api, "admin", "GET", "/api/jobs/jb_none", nil).Code)
		require.Equal(t, 409, p.call(api, "admin", "POST", "/api/jobs/"+failed.ID+"/cancel", nil).Code)
		require.Equal(t, 200, p.call(api, "admin", "POST", "/api/jobs/"+failed.ID+"/retry", &one).Code)
		require.Equal(t, 403, p.call(api, "content", "POST", "/api/jobs/"+failed.ID+"/retry", nil).Code)
		p.wait(s, failed)

		for range 4 {
			p.clock.Advance(time.Second)
			p.wait(s, p.enqueue(s, jobs.Spec{Kind: "fail"}))
		}
		var seen []string
		path := "/api/jobs?limit=2&state=failed"
		for next := ""; ; {
			var page struct {
				Items []jobs.JobView
				Next  string
			}
			p.call(api, "admin", "GET", path+"&cursor="+next, &page)
			require.LessOrEqual(t, len(page.Items), 2)
			for _, j := range page.Items {
				seen = append(seen, j.ID)
			}
			if next = page.Next; next == "" {
				break
			}
		}
		require.Len(t, seen, 5)
		require.IsDecreasing(t, seen, "the newest first, none twice")
		require.Equal(t, failed.ID, seen[4])
		p.call(api, "admin", "GET", "/api/jobs?kind=file", &empty)
		require.Empty(t, empty["items"])

		done := p.wait(s, p.enqueue(s, jobs.Spec{Kind: "file", FilePermission: auth.ContactExport}))
		rec := p.call(api, "admin", "GET", "/api/jobs/"+done.ID+"/file", nil)
		require.Equal(t, 200, rec.Code)
		body, err := io.ReadAll(rec.Body)
		require.NoError(t, err)
		require.Equal(t, "a,b\n", string(body))
		require.Equal(t, "text/csv; charset=utf-8", rec.Header().Get("Content-Type"))
		require.Equal(t, jobs.Attachment(`导出 _一__.._月.csv`), rec.Header().Get("Content-Disposition"))
		require.Equal(t, "nosniff", rec.Header().Get("X-Content-Type-Options"))
		require.Equal(t, 403, p.call(api, "content", "GET", "/api/jobs/"+done.ID+"/file", nil).Code, "jobs.read is not enough")
		narrow := httptest.NewRecorder()
		api.Handler().ServeHTTP(narrow, httptest.NewRequestWithContext(testkit.Scoped(t.Context(), "analyst", false, "us_b"), "GET", "/api/jobs/"+done.ID+"/file", nil))
		require.Equal(t, 403, narrow.Code, "what a wide view wrote is not for a narrow one")
	})
}

func TestAttachmentNames(t *testing.T) {
	for in, want := range map[string]string{
		"a.csv":               `attachment; filename=a.csv`,
		"../../etc/passwd":    `attachment; filename=_.._etc_passwd`,
		"a\r\nSet-Cookie: x":  `attachment; filename="a__Set-Cookie_ x"`,
		"":                    `attachment; filename=file`,
		"...":                 `attachment; filename=file`,
		"cod\u202efdp.exe":    `attachment; filename=codfdp.exe`,
		"订单.csv":              `attachment; filename*=utf-8''%E8%AE%A2%E5%8D%95.csv`,
		"quote\"and\\slash.x": `attachment; filename=quote_and_slash.x`,
	} {
		require.Equal(t, want, jobs.Attachment(in), in)
	}
}
