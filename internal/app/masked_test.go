package app

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// Pages show personal values masked to everybody. Who may see them in full asks
// for one with a reason, or exports them with one; others are refused.
func TestPersonalValuesByRole(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		const number, mail = "13971860701", "plant0701@mail-plant.cn"
		inClear := regexp.MustCompile(number + `|` + mail)
		send := func(path, body string) {
			t.Helper()
			require.Equal(t, 200, w.call("POST", path, body, nil))
		}
		send("/v1/identify", fmt.Sprintf(`{"userId":"u-1","traits":{"name":"沈青","phone":%q,"email":%q,"备用手机":%q}}`, number, mail, number))
		send("/v1/track", fmt.Sprintf(`{"userId":"u-1","event":"form.sent","properties":{"phone":%q,"text":"打 %s"}}`, number, number))
		send("/v1/track", fmt.Sprintf(`{"userId":"u-1","event":"Order Completed","properties":{"order_id":"O-1","total":12.5,"currency":"CNY","receiver_phone":%q,"products":[{"sku":"s","price":12.5,"quantity":1}]}}`, number))
		w.settle()
		var list struct{ Items []struct{ ID string } }
		require.Equal(t, 200, w.call("GET", "/api/contacts?q="+number, "", &list))
		require.Len(t, list.Items, 1)
		id := list.Items[0].ID
		var orders struct{ Items []struct{ ID string } }
		require.Equal(t, 200, w.call("GET", "/api/orders", "", &orders))
		require.NotEmpty(t, orders.Items)

		pages := []string{"/api/contacts", "/api/contacts/" + id, "/api/contacts/" + id + "/timeline", "/api/contacts/" + id + "/consents", "/api/contacts/" + id + "/looks",
			"/api/search?q=u-1", "/api/orders", "/api/orders/" + orders.Items[0].ID, "/api/matches", "/api/consent/ledger", "/api/facts/recent?limit=50", "/api/jobs", "/api/contacts/" + id + "/merges", "/api/contact-views"}
		for _, role := range auth.BuiltinRoles() {
			p := testkit.Principal(role.ID)
			p.Scope = auth.Everybody()
			seen := 0
			for _, path := range pages {
				rec := w.as(p, http.MethodGet, path, "")
				if rec.Code == http.StatusForbidden || rec.Code == http.StatusNotFound {
					continue
				}
				require.Equal(t, 200, rec.Code, "%s %s %s", role.ID, path, rec.Body.String())
				require.False(t, inClear.MatchString(rec.Body.String()), "%s sees a value in full at %s", role.ID, path)
				seen++
			}
			if p.May(auth.ContactRead) {
				require.Greater(t, seen, 8, role.ID)
			}
			rec := w.as(p, http.MethodPost, "/api/contacts/"+id+"/unmask", `{"field":"phone","reason":"回电"}`)
			if !p.May(auth.ContactUnmask) {
				require.Equal(t, 403, rec.Code, role.ID)
			} else {
				require.Equal(t, 200, rec.Code, role.ID)
				require.Contains(t, rec.Body.String(), strings.TrimPrefix(number, "+86"))
			}
			clear := `{"selection":{"filter":{}},"format":"csv","columns":["phone"],"clear":true,"reason":"寄样"}`
			if rec := w.as(p, http.MethodPost, "/api/contacts/export", clear); p.May(auth.ContactExport) && p.May(auth.ContactUnmask) {
				require.Equal(t, 200, rec.Code, role.ID)
			} else {
				require.Equal(t, 403, rec.Code, role.ID)
			}
		}
		require.NotContains(t, w.exportFile("name", "phone", "email", "attr:备用手机"), number)
	})
}
