package pipeline_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

type byRole struct{}

func (byRole) Authenticate(r *http.Request) (*auth.Principal, error) {
	return testkit.Principal(r.Header.Get("X-Role")), nil
}

func TestSetAsideOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.resolver.poison = func(event.Fact) *errs.Error {
			return errs.New(errs.Invalid, "intake.too_many_identifiers", "limit", 5)
		}
		w.start()
		f := w.fact("a1")
		f.Identifiers = []event.Identifier{{Kind: "phone", Value: "13800138000"}}
		_, err := w.intake.Ingest(t.Context(), []event.Fact{f})
		require.NoError(t, err)
		w.wait(w.ingest("a2", "a3", "a4", "a5"))
		cat, err := i18n.Load(testkit.Quiet())
		require.NoError(t, err)
		api := httpx.New(http.NewServeMux(), httpx.Config{Title: "Koipond", Auth: byRole{}, Log: testkit.Quiet(), Catalogue: cat, Clock: w.clock})
		w.pipe.Routes(api)
		h := api.Handler()
		call := func(role, method, path, body string) (int, map[string]any) {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("X-Role", role)
			r.Header.Set("Content-Type", "application/json")
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			var out map[string]any
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &out), rec.Body.String())
			return rec.Code, out
		}

		var got []string
		for path := "/api/facts/set-aside?limit=2"; path != ""; {
			code, page := call("analyst", "GET", path, "")
			require.Equal(t, 200, code)
			for _, v := range page["items"].([]any) {
				item := v.(map[string]any)
				got = append(got, item["messageId"].(string))
				require.Equal(t, "每个事件最多 5 个身份标识。", item["detail"])
				require.Equal(t, "resolve", item["stage"])
				text, err := json.Marshal(item["fact"])
				require.NoError(t, err)
				require.NotContains(t, string(text), "13800138000")
			}
			if path = ""; page["next"] != nil {
				path = "/api/facts/set-aside?limit=2&cursor=" + page["next"].(string)
			}
		}
		require.Equal(t, []string{"a5", "a4", "a3", "a2", "a1"}, got, "newest first")

		code, _ := call("content", "POST", "/api/facts/set-aside/discard", `{"all":true}`)
		require.Equal(t, 403, code)
		code, _ = call("analyst", "POST", "/api/facts/set-aside/discard", `{}`)
		require.Equal(t, 422, code)
		_, page := call("analyst", "GET", "/api/facts/set-aside?code=intake.too_many_identifiers&name=e", "")
		first := page["items"].([]any)[0].(map[string]any)["id"].(string)
		code, out := call("analyst", "POST", "/api/facts/set-aside/discard", `{"ids":["`+first+`","sa_none"]}`)
		require.Equal(t, 200, code)
		require.EqualValues(t, 1, out["count"])
		_, out = call("analyst", "POST", "/api/facts/set-aside/retry", `{"all":true}`)
		require.EqualValues(t, 4, out["count"])
		_, page = call("analyst", "GET", "/api/facts/set-aside?state=discarded", "")
		require.Len(t, page["items"], 1)
	})
}
