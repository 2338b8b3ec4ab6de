package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/testkit"
)

var wildcards = regexp.MustCompile(`\{[^}]+\}`)

// as sends a request as a principal.
func (w *world) as(p *auth.Principal, method, path, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(auth.With(context.Background(), p), method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("X-Request-Id", "same-for-all")
	req.Header.Set("Accept-Language", "en")
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, req)
	return rec
}

// scoped is a principal with every permission who sees some owners' customers.
func scoped(owners ...string) *auth.Principal {
	p := testkit.Principal("admin")
	p.ID = owners[0]
	p.Scope = auth.OwnedBy(auth.DataScope{Breadth: auth.BreadthMine}, owners...)
	return p
}

// sample makes the least body that the schema of a route takes.
func (w *world) sample(schema map[string]any, all map[string]any) any {
	if ref, ok := schema["$ref"].(string); ok {
		return w.sample(all[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any), all)
	}
	if e, ok := schema["enum"].([]any); ok && len(e) > 0 {
		return e[0]
	}
	switch kind := fmt.Sprint(schema["type"]); {
	case strings.Contains(kind, "object"):
		out := map[string]any{}
		props, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			out[name.(string)] = w.sample(props[name.(string)].(map[string]any), all)
		}
		return out
	case strings.Contains(kind, "array"):
		return []any{}
	case strings.Contains(kind, "integer"), strings.Contains(kind, "number"):
		return 1
	case strings.Contains(kind, "boolean"):
		return true
	case schema["format"] == "date-time":
		return time.Now().Add(time.Hour).Format(time.RFC3339)
	}
	return "x"
}

// Every route about one contact answers the same about another's contact as
// about one that does not exist: new routes are walked as they come.
func TestAnotherOnesContactIsNotThere(t *testing.T) {
	w := startWorld(t, testConfig(t))
	var mine, others contact.Contact
	require.Equal(t, 200, w.call("POST", "/api/contacts", `{"name":"我的客户"}`, &mine))
	require.Equal(t, 200, w.call("POST", "/api/contacts", `{"name":"别人的客户"}`, &others))
	for c, owner := range map[string]string{mine.ID: "us_a", others.ID: "us_b"} {
		_, err := w.app.DB.Exec(t.Context(), "update contacts set owner_id = $1 where id = $2", owner, c)
		require.NoError(t, err)
	}
	raw, err := w.app.api.OpenAPI()
	require.NoError(t, err)
	var doc struct {
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	walked := 0
	for _, r := range w.app.api.Routes() {
		rest, about := strings.CutPrefix(r.Path, "/api/contacts/{id}")
		if !about {
			continue
		}
		body := ""
		if op, ok := doc.Paths[r.Path][strings.ToLower(r.Method)].(map[string]any); ok && op["requestBody"] != nil {
			content := op["requestBody"].(map[string]any)["content"].(map[string]any)
			if js, ok := content["application/json"].(map[string]any); ok {
				b, err := json.Marshal(w.sample(js["schema"].(map[string]any), doc.Components.Schemas))
				require.NoError(t, err)
				body = string(b)
			}
		}
		ask := func(id string) string {
			rec := w.as(scoped("us_a"), r.Method, "/api/contacts/"+id+wildcards.ReplaceAllString(rest, "x_1"), body)
			return fmt.Sprintf("%d %s", rec.Code, strings.ReplaceAll(rec.Body.String(), id, "ID"))
		}
		nobodys := ask("ct_00000000000000000000000000")
		require.Equal(t, nobodys, ask(others.ID), "%s", r.Pattern())
		require.NotRegexp(t, "^2", nobodys, "%s", r.Pattern())
		if strings.HasPrefix(nobodys, "404") {
			walked++
		} else {
			t.Logf("%s refuses the sample body: %s", r.Pattern(), nobodys)
		}
	}
	require.GreaterOrEqual(t, walked, 8, "most routes got as far as looking for the contact")
	require.Equal(t, 200, w.as(scoped("us_a"), "GET", "/api/contacts/"+mine.ID, "").Code)
}

// Lists, searches, orders and the people behind a number show who is in scope.
func TestListsShowWhoIsInScope(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		from, to := w.history()
		period := fmt.Sprintf("from=%s&to=%s", from.Format(time.RFC3339), to.Format(time.RFC3339))
		var all struct{ Items []contact.Row }
		require.Equal(t, 200, w.call("GET", "/api/contacts", "", &all))
		require.Len(t, all.Items, 5)
		owned := map[string]string{}
		for _, r := range all.Items {
			var c contact.Contact
			require.Equal(t, 200, w.call("GET", "/api/contacts/"+r.ID, "", &c))
			for _, i := range c.Identities {
				if i.Kind == "user_id" {
					owned[i.Value] = r.ID
				}
			}
		}
		give := func(who, owner string) {
			_, err := w.app.DB.Exec(t.Context(), "update contacts set owner_id = $1 where id = $2", owner, owned[who])
			require.NoError(t, err)
		}
		give("a", "us_a")
		give("d", "us_a")
		give("b", "us_b")
		get := func(p *auth.Principal, path string, into any) {
			t.Helper()
			rec := w.as(p, "GET", path, "")
			require.Equal(t, 200, rec.Code, rec.Body.String())
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), into))
		}
		var page peoplePage
		get(scoped("us_a"), "/api/contacts", &page)
		require.EqualValues(t, 2, page.Total)
		require.Len(t, page.Items, 2)
		page = peoplePage{}
		get(scoped("us_a"), "/api/people?metric=buyers&"+period, &page)
		require.EqualValues(t, 1, page.Total)
		require.EqualValues(t, 2, page.Outside, "the overview counts three buyers")
		require.Equal(t, owned["a"], page.Items[0].ID)
		page = peoplePage{}
		get(scoped("us_a"), "/api/people?metric=size&"+period, &page)
		require.EqualValues(t, 2, page.Total)
		require.EqualValues(t, 2, page.Outside)
		page = peoplePage{}
		get(testkit.Principal("admin"), "/api/people?metric=buyers&"+period, &page)
		require.EqualValues(t, 3, page.Total)
		require.Zero(t, page.Outside)
		// Paged one by one, they come once each and keep the totals of the first page.
		page = peoplePage{}
		get(scoped("us_a", "us_b"), "/api/people?metric=buyers&limit=1&"+period, &page)
		first := page
		require.NotEmpty(t, page.Next)
		page = peoplePage{}
		get(scoped("us_a", "us_b"), "/api/people?metric=buyers&limit=1&"+period+"&cursor="+first.Next, &page)
		require.Empty(t, page.Next)
		require.NotEqual(t, first.Items[0].ID, page.Items[0].ID)
		require.Equal(t, []int64{2, 1}, []int64{page.Total, page.Outside})

		var orders struct{ Items []struct{ ID, Number string } }
		get(scoped("us_b"), "/api/orders", &orders)
		require.Len(t, orders.Items, 1)
		require.Equal(t, "3", orders.Items[0].Number)
		require.Equal(t, 404, w.as(scoped("us_a"), "GET", "/api/orders/"+orders.Items[0].ID, "").Code)
		var found searchResult
		get(scoped("us_b"), "/api/search?q=3", &found)
		require.Len(t, found.Orders, 1)
		get(scoped("us_a"), "/api/search?q=3", &found)
		require.Empty(t, found.Orders)
		for _, path := range []string{"/api/facts/live", "/api/facts/set-aside", "/api/system/backup"} {
			rec := w.as(scoped("us_a"), http.MethodGet, path, "")
			require.Equal(t, 403, rec.Code)
			require.Contains(t, rec.Body.String(), "permission.scope")
		}
	})
}

// What reaches beyond one contact keeps to the caller's customers, too: undone
// merges, changes of many, addresses kept away, samples of facts, imports.
func TestWorkKeepsToWhoIsInScope(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		make := func(name, phone, owner string) contact.Contact {
			var c contact.Contact
			require.Equal(t, 200, w.call("POST", "/api/contacts", fmt.Sprintf(`{"name":%q,"phone":%q}`, name, phone), &c))
			_, err := w.app.DB.Exec(t.Context(), "update contacts set owner_id = $1 where id = $2", owner, c.ID)
			require.NoError(t, err)
			return c
		}
		mine, others := make("我的客户", "13971860001", "us_a"), make("别人的客户", "13971860002", "us_b")
		ask := func(method, path, body string, status int) string {
			t.Helper()
			rec := w.as(scoped("us_a"), method, path, body)
			require.Equal(t, status, rec.Code, rec.Body.String())
			require.NotContains(t, rec.Body.String(), "别人的")
			return rec.Body.String()
		}

		// An undone merge gives the other back to whom it belongs; the answer says so much.
		var merged struct{ MergeID string }
		require.Equal(t, 200, w.call("POST", "/api/contacts/"+mine.ID+"/merge", fmt.Sprintf(`{"other":%q}`, others.ID), &merged))
		require.Contains(t, ask("POST", "/api/merges/"+merged.MergeID+"/undo", `{}`, 200), others.ID)
		ask("GET", "/api/contacts/"+others.ID, "", 404)
		require.Contains(t, ask("GET", "/api/contacts/"+mine.ID+"/merges", "", 200), merged.MergeID)

		// Somebody else's change of many is neither listed nor undone.
		var batch struct{ ID, Job string }
		require.Equal(t, 200, w.call("POST", "/api/consent/changes", `{"filter":{},"purpose":"marketing","channel":"sms","state":"withdrawn","reason":"别人的理由"}`, &batch))
		require.Contains(t, ask("GET", "/api/consent/changes", "", 200), `"items":[]`)
		ask("POST", "/api/consent/changes/"+batch.ID+"/undo", `{}`, 404)

		// An address is kept away until somebody who sees its holder says otherwise.
		for phone, status := range map[string]int{"13971860001": 204, "13971860002": 403, "13971860003": 403} {
			var sup struct{ ID string }
			require.Equal(t, 200, w.call("POST", "/api/consent/suppressions", fmt.Sprintf(`{"kind":"phone","value":%q,"reason":"r"}`, phone), &sup))
			ask("DELETE", "/api/consent/suppressions/"+sup.ID+"?reason=r", "", status)
		}

		// Samples are words of anybody's facts.
		require.Equal(t, 200, w.call("POST", "/v1/track", `{"userId":"u","event":"seen","properties":{"title":"别人的茶"}}`, nil))
		w.settle()
		ask("GET", "/api/dictionary/events/seen", "", 200)
		ask("PUT", "/api/dictionary/events/seen/properties/title", `{"displayName":"标题"}`, 200)
		require.Equal(t, 200, w.call("POST", "/api/attributes", `{"key":"age","nameZh":"年龄","type":"number"}`, nil))
		require.Equal(t, 200, w.call("POST", "/v1/identify", `{"userId":"u","traits":{"age":"别人的年龄"}}`, nil))
		w.settle()
		require.Contains(t, ask("GET", "/api/attributes/age/violations", "", 200), `"samples":[]`)

		// Orders and events find their people where nobody knows who sent them.
		upload := w.as(scoped("us_a"), "POST", "/api/imports/files?name=o.csv", "订单号,时间,金额,手机\n1,2026-01-02 10:00,12,13971860002\n")
		require.Equal(t, 200, upload.Code, upload.Body.String())
		var up struct{ ID string }
		require.NoError(t, json.Unmarshal(upload.Body.Bytes(), &up))
		order := fmt.Sprintf(`{"uploadId":%q,"kind":"orders","mapping":{"columns":{"订单号":"order_number","时间":"paid_at","金额":"total","手机":"phone"}},"options":{}}`, up.ID)
		require.Contains(t, ask("POST", "/api/imports", order, 403), "permission.scope")
		var imp struct{ ID string }
		require.Equal(t, 200, w.call("POST", "/api/imports", order, &imp))
		require.Contains(t, ask("POST", "/api/imports/"+imp.ID+"/cancel", `{}`, 403), "permission.scope")
		w.settle()
	})
}
