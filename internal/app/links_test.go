package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/acquire/link"
	"github.com/koipond/koipond/internal/contact"
)

// openLink opens an address as a browser on the street would.
func (w *world) openLink(path string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0.50")
	r.Header.Set("Accept-Language", "zh-CN")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	return rec
}

// TestALinkFromTheClickToThePerson: a stranger opens a link, is a visitor of its
// channel, says who they are, and is the person who opened it.
func TestALinkFromTheClickToThePerson(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		var l link.Link
		require.Equal(t, 200, w.call("POST", "/api/links", `{"title":"春茶","target":"https://shop.example.com/tea","channel":"short_video","source":"douyin","carry":true}`, &l))
		rec := w.openLink(l.Path)
		require.Equal(t, http.StatusFound, rec.Code)
		visitor := rec.Result().Cookies()[0]
		require.Equal(t, "https://shop.example.com/tea?utm_source=douyin&kp_v="+visitor.Value, rec.Header().Get("Location"))
		w.openLink(l.Path, visitor)
		stats := func() (st link.Stats) {
			now := time.Now()
			path := fmt.Sprintf("/api/links/%s/stats?from=%s&to=%s", l.Code, now.Add(-24*time.Hour).UTC().Format(time.RFC3339), now.Add(24*time.Hour).UTC().Format(time.RFC3339))
			require.Equal(t, 200, w.call("GET", path, "", &st))
			return st
		}
		require.Eventually(t, func() bool { return stats().Opens == 2 }, 20*time.Second, 20*time.Millisecond)
		require.EqualValues(t, 1, stats().People)
		require.Zero(t, stats().Known)

		require.Equal(t, 200, w.call("POST", "/v1/identify", fmt.Sprintf(`{"userId":"u1","anonymousId":%q,"traits":{"name":"林夏"}}`, visitor.Value), nil))
		w.settle()
		require.EqualValues(t, 1, stats().Known)
		var radar struct {
			Items []link.Open `json:"items"`
		}
		require.Equal(t, 200, w.call("GET", "/api/link-openings?known=true", "", &radar))
		require.Len(t, radar.Items, 2)
		require.Equal(t, "林夏", radar.Items[0].Contact.Name)
		var c contact.Contact
		require.Equal(t, 200, w.call("GET", "/api/contacts/"+radar.Items[0].Contact.ID, "", &c))
		require.Equal(t, "short_video", c.FirstTouch.Channel, "the link's channel is where they came from")
		require.Equal(t, "short_video", c.LastTouch.Channel)

		var personal struct {
			Path string `json:"path"`
		}
		require.Equal(t, 200, w.call("GET", "/api/links/"+l.Code+"/person?contact="+c.ID, "", &personal))
		require.Equal(t, http.StatusFound, w.openLink(personal.Path).Code) // another device, known all the same
		require.Eventually(t, func() bool { st := stats(); return st.Opens == 3 && st.People == 1 }, 20*time.Second, 20*time.Millisecond)

		require.Equal(t, http.StatusNotFound, w.openLink("/l/zzzzzzz").Code)
		require.Equal(t, 404, w.call("GET", "/api/links/zzzzzzz", "", nil))
		require.Equal(t, 422, w.call("POST", "/api/links", `{"title":"x","target":"javascript:alert(1)"}`, nil))
	})
}
