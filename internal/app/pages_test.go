package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/acquire/link"
	"github.com/koipond/koipond/internal/acquire/page"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
)

var sheetShape = regexp.MustCompile(`name="sheet" value="([^"]+)"`)

// passerby is the browser of a stranger.
type passerby struct {
	w       *world
	agent   string
	ip      string
	cookies []*http.Cookie
}

func (p *passerby) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	p.w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("User-Agent", p.agent)
	r.Header.Set("Accept-Language", "zh-CN")
	r.RemoteAddr = p.ip + ":4711"
	for _, c := range p.cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	p.w.h.ServeHTTP(rec, r)
	p.cookies = append(p.cookies, rec.Result().Cookies()...)
	return rec
}

func (w *world) stranger(n int) *passerby {
	return &passerby{w: w, agent: fmt.Sprintf("Mozilla/5.0 (iPhone; CPU iPhone OS 17_%d like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.%d", n, n), ip: fmt.Sprintf("203.0.113.%d", n)}
}

// sheet opens a page and reads the sheet that it hands out.
func (p *passerby) sheet(path string) string {
	p.w.t.Helper()
	rec := p.do(http.MethodGet, path, nil)
	require.Equal(p.w.t, http.StatusOK, rec.Code, rec.Body.String())
	m := sheetShape.FindStringSubmatch(rec.Body.String())
	require.NotNil(p.w.t, m, rec.Body.String())
	return m[1]
}

const teaPage = `{"title":"春茶试饮","slug":"spring-tea","channel":"offline","design":{"lang":"zh-CN","color":"#2f6b4f","blocks":[
	{"kind":"headline","text":"明前龙井 <b>免费</b>试饮"},{"kind":"text","text":"留下手机号"},
	{"kind":"form","button":"领取","fields":[{"key":"phone","required":true},{"key":"name"}],"consents":[{"purpose":"marketing","channels":["sms"]}]}],
	"thanks":{"title":"领取成功","gift":{"name":"新客品鉴券","text":"到店出示：TEA-8"}}}}`

func (w *world) makePage(body string) page.Page {
	w.t.Helper()
	var p page.Page
	require.Equal(w.t, 200, w.call("POST", "/api/landing-pages", body, &p))
	require.Equal(w.t, "draft", p.State)
	require.Equal(w.t, 404, w.stranger(1).do(http.MethodGet, p.Path, nil).Code, "nobody sees a draft")
	require.Equal(w.t, 200, w.call("POST", "/api/landing-pages/"+p.ID+"/publish", "", &p))
	require.Equal(w.t, "live", p.State)
	return p
}

// TestAStrangerLeavesTheirNumber: a stranger opens a landing page, sends the form,
// and is a person with a source, a consent that can be proved, and one gift.
func TestAStrangerLeavesTheirNumber(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		p := w.makePage(teaPage)
		who := w.stranger(7)
		first := who.do(http.MethodGet, p.Path, nil)
		require.Contains(t, first.Body.String(), "明前龙井 &lt;b&gt;免费&lt;/b&gt;试饮", "nothing that was written is markup")
		policy := first.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.NotContains(t, policy, "unsafe")

		// Too quick, and with the hidden field filled in: no fact, kindly.
		early := who.sheet(p.Path)
		require.Equal(t, http.StatusUnprocessableEntity, who.do(http.MethodPost, p.Path, url.Values{"sheet": {early}, "f.phone": {"13800138000"}}).Code)
		require.Equal(t, http.StatusOK, who.do(http.MethodPost, p.Path, url.Values{"sheet": {early}, "f.phone": {"13800138000"}, "website": {"x"}}).Code)
		require.Equal(t, http.StatusUnprocessableEntity, who.do(http.MethodPost, p.Path, url.Values{"sheet": {early + "x"}, "f.phone": {"13800138000"}}).Code)

		sheet := who.sheet(p.Path)
		w.app.pages.Quick = -time.Second // nobody waits in a test
		rec := who.do(http.MethodPost, p.Path, url.Values{"sheet": {sheet}, "f.phone": {"12345"}, "f.name": {"林夏"}})
		require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
		require.Contains(t, rec.Body.String(), `aria-invalid="true"`)
		require.Contains(t, rec.Body.String(), `value="林夏"`, "what was written is not lost")
		form := url.Values{"sheet": {sheet}, "f.phone": {"138 0013 8000"}, "f.name": {"林夏"}, "c": {"marketing/1"}}
		var done string
		for range 2 { // pressed twice
			rec = who.do(http.MethodPost, p.Path, form)
			require.Equal(t, http.StatusSeeOther, rec.Code, rec.Body.String())
			done = rec.Header().Get("Location")
		}
		w.settle()
		require.Contains(t, who.do(http.MethodGet, done, nil).Body.String(), "TEA-8")

		var list struct {
			Items []contact.Row `json:"items"`
			Total int64         `json:"total"`
		}
		require.Equal(t, 200, w.call("GET", "/api/contacts?q=林夏", "", &list))
		require.EqualValues(t, 1, list.Total)
		var c contact.Contact
		require.Equal(t, 200, w.call("GET", "/api/contacts/"+list.Items[0].ID, "", &c))
		require.Equal(t, "offline", c.FirstTouch.Channel, "the page's channel is where they came from")
		var rows struct {
			Items []struct {
				Purpose, Channel, State, Source string
				Wording                         int64
				Proof                           struct{ IP, From, Note, MessageID string }
			}
		}
		require.Equal(t, 200, w.call("GET", "/api/contacts/"+c.ID+"/consents/history", "", &rows))
		require.Len(t, rows.Items, 1, "pressed twice, said once")
		r := rows.Items[0]
		require.Equal(t, []string{"marketing", "sms", "granted", "form"}, []string{r.Purpose, r.Channel, r.State, r.Source})
		require.EqualValues(t, 1, r.Wording)
		require.Equal(t, "203.0.113.0", r.Proof.IP, "only the network is kept")
		require.Equal(t, "/p/spring-tea", r.Proof.From)
		require.Equal(t, "spring-tea v1", r.Proof.Note)

		var st page.Stats
		span := fmt.Sprintf("from=%s&to=%s", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		stats := func() page.Stats {
			require.Equal(t, 200, w.call("GET", "/api/landing-pages/"+p.ID+"/stats?"+span, "", &st))
			return st
		}
		require.Eventually(t, func() bool { return stats().Total.Views == 3 }, 20*time.Second, 20*time.Millisecond)
		require.Equal(t, []int64{1, 1, 1}, []int64{st.Total.Visitors, st.Total.Submits, st.Total.People})
		require.Equal(t, "offline", st.Channels[0].Key)
		var people peoplePage
		require.Equal(t, 200, w.call("GET", "/api/people?metric=page:"+p.ID+":submitted&"+span, "", &people))
		require.EqualValues(t, 1, people.Total)

		// Again, from another phone: the same person, and no second gift.
		other := w.stranger(8)
		sheet = other.sheet(p.Path + "?utm_source=douyin")
		require.Equal(t, http.StatusNoContent, other.do(http.MethodPost, p.Path, url.Values{"do": {"seen"}, "sheet": {sheet}, "ms": {"1200"}}).Code)
		rec = other.do(http.MethodPost, p.Path+"?utm_source=douyin", url.Values{"sheet": {sheet}, "f.phone": {"13800138000"}})
		require.Equal(t, http.StatusSeeOther, rec.Code)
		w.settle()
		body := other.do(http.MethodGet, rec.Header().Get("Location"), nil).Body.String()
		require.NotContains(t, body, "TEA-8")
		require.Contains(t, body, "您已经领取过")
		require.Equal(t, 200, w.call("GET", "/api/contacts/"+c.ID, "", &c))
		require.Equal(t, "short_video", c.LastTouch.Channel, "utm fields say more than the page")
		require.Eventually(t, func() bool { return stats().Told == 1 }, 20*time.Second, 20*time.Millisecond)

		// A write key cannot agree for somebody else.
		forged := fmt.Sprintf(`{"userId":"u9","event":"form.submitted","properties":{"page":%q,"consents":[{"purpose":"marketing","channels":["sms"],"wording":1}]}}`, p.ID)
		require.Equal(t, 200, w.call("POST", "/v1/track", forged, nil))
		w.settle()
		require.Equal(t, 200, w.call("GET", "/api/contacts/"+c.ID+"/consents/history", "", &rows))
		require.Len(t, rows.Items, 1)

		require.Equal(t, 200, w.call("POST", "/api/landing-pages/"+p.ID+"/stop", "", nil))
		require.Equal(t, http.StatusGone, w.stranger(9).do(http.MethodGet, p.Path, nil).Code)
	})
}

// TestAGiftOnceOverLinksCodesAndPages: whoever had a gift with a live code's welcome,
// or by one page, does not get it by another page, by whatever link they come.
func TestAGiftOnceOverLinksCodesAndPages(t *testing.T) {
	w := startWorld(t, testConfig(t))
	w.app.pages.Quick = -time.Second
	one := w.makePage(teaPage)
	two := w.makePage(strings.ReplaceAll(teaPage, "spring-tea", "summer-tea"))
	var l link.Link
	require.Equal(t, 200, w.call("POST", "/api/links", fmt.Sprintf(`{"title":"到夏茶","target":%q,"channel":"social"}`, two.Path), &l))
	welcomed := event.Fact{MessageID: "wm1", Type: event.Track, Name: event.NameWelcomeSent, Identifiers: []event.Identifier{{Kind: "phone", Value: "13900139000"}}, Timestamp: time.Now().UnixMilli(), Source: "livecode",
		Properties: []byte(`{"hook":"新客品鉴券"}`)}
	_, err := w.app.intake.Ingest(t.Context(), []event.Fact{welcomed})
	require.NoError(t, err)
	w.settle()
	send := func(n int, path, number string) string {
		p := w.stranger(n)
		sheet := p.sheet(path)
		rec := p.do(http.MethodPost, path, url.Values{"sheet": {sheet}, "f.phone": {number}})
		require.Equal(t, http.StatusSeeOther, rec.Code, rec.Body.String())
		w.settle()
		return p.do(http.MethodGet, rec.Header().Get("Location"), nil).Body.String()
	}
	require.NotContains(t, send(21, one.Path, "13900139000"), "TEA-8", "they had it with the code's welcome")
	require.Contains(t, send(22, one.Path, "13700137000"), "TEA-8")
	led := w.stranger(23).do(http.MethodGet, l.Path, nil)
	require.Equal(t, http.StatusFound, led.Code)
	require.Equal(t, two.Path+"?kp_l="+l.Code, led.Header().Get("Location"))
	require.NotContains(t, send(23, led.Header().Get("Location"), "13700137000"), "TEA-8", "another page, by a link")
	var list struct{ Items []contact.Row }
	require.Equal(t, 200, w.call("GET", "/api/contacts?q=13700137000", "", &list))
	require.Len(t, list.Items, 1)
	var c contact.Contact
	require.Equal(t, 200, w.call("GET", "/api/contacts/"+list.Items[0].ID, "", &c))
	require.Equal(t, "social", c.LastTouch.Channel, "the link's channel, not the page's")
	var told struct {
		Items []struct {
			Name       string         `json:"name"`
			Properties map[string]any `json:"properties"`
		}
	}
	require.Eventually(t, func() bool {
		require.Equal(t, 200, w.call("GET", "/api/contacts/"+list.Items[0].ID+"/timeline", "", &told))
		for _, f := range told.Items {
			if f.Name == event.NameGiftWithheld {
				return f.Properties["page"] == two.ID && f.Properties["hook"] == "新客品鉴券" && f.Properties["beforeAt"] != nil
			}
		}
		return false
	}, 20*time.Second, 20*time.Millisecond, "their timeline says why not a second time")
}

func TestPagesAreForThoseWhoMay(t *testing.T) {
	w := startWorld(t, testConfig(t))
	ask := func(role, method, path, body string) int {
		_, token, err := w.app.Team.CreateToken(auth.With(t.Context(), auth.CLI("test")), role, role, time.Time{})
		require.NoError(t, err)
		old := w.token
		defer func() { w.token = old }()
		w.token = token
		return w.call(method, path, body, nil)
	}
	require.Equal(t, 403, ask("sales", "GET", "/api/landing-pages", ""))
	require.Equal(t, 403, ask("analyst", "POST", "/api/landing-pages", teaPage))
	require.Equal(t, 200, ask("growth", "POST", "/api/landing-pages", teaPage))
	require.Equal(t, 403, ask("sales", "GET", "/api/traffic", ""))
	require.Equal(t, 403, ask("analyst", "POST", "/api/traffic/tf_x/judge", `{"state":"fake"}`))
	require.Equal(t, 404, ask("growth", "POST", "/api/traffic/tf_x/judge", `{"state":"fake"}`))
	for want, body := range map[string]string{
		"page.bad_slug":           strings.Replace(teaPage, "spring-tea", "Spring Tea!", 1),
		"page.slug_taken":         strings.Replace(teaPage, "spring-tea", "prefs", 1),
		"page.no_such_field":      strings.Replace(teaPage, `"key":"name"`, `"key":"nobody"`, 1),
		"page.no_such_purpose":    strings.Replace(teaPage, `"marketing"`, `"nothing"`, 1),
		"page.no_such_channel":    strings.Replace(teaPage, `"sms"`, `"pigeon"`, 1),
		"acquire.no_such_channel": strings.Replace(teaPage, `"channel":"offline"`, `"channel":"ch_x"`, 1),
		"page.bad_url":            strings.Replace(teaPage, `"text":"到店出示：TEA-8"`, `"text":"x","url":"javascript:alert(1)"`, 1),
	} {
		r := httptest.NewRequest("POST", "/api/landing-pages", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+w.token)
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		w.h.ServeHTTP(rec, r)
		require.Equal(t, 422, rec.Code, rec.Body.String())
		require.Contains(t, rec.Body.String(), want)
	}
}

// TestFakeTrafficCountsNowhere: seventy openings from one network within a minute
// wait for a person; judged fake they count in no figure, and come back when the
// judgement is taken back.
func TestFakeTrafficCountsNowhere(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		var l link.Link
		require.Equal(t, 200, w.call("POST", "/api/links", `{"title":"直播间口播","target":"https://shop.example.com/","channel":"short_video"}`, &l))
		for i := range 40 {
			require.Equal(t, http.StatusFound, w.stranger(i+1).do(http.MethodGet, l.Path, nil).Code)
		}
		honest := w.stranger(1)
		honest.ip = "198.51.100.4"
		honest.do(http.MethodGet, l.Path, nil)
		span := fmt.Sprintf("from=%s&to=%s", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		figures := func() [3]int64 {
			var st link.Stats
			require.Equal(t, 200, w.call("GET", "/api/links/"+l.Code+"/stats?"+span, "", &st))
			var one link.Link
			require.Equal(t, 200, w.call("GET", "/api/links/"+l.Code, "", &one))
			var r channelReport
			require.Equal(t, 200, w.call("GET", "/api/channel-report?"+span, "", &r))
			var visitors int64
			for _, line := range r.Items {
				if line.Channel == "short_video" {
					visitors = line.Now.Visitors
				}
			}
			return [3]int64{st.Opens, one.Opens, visitors}
		}
		require.Eventually(t, func() bool { return figures() == [3]int64{41, 41, 41} }, 20*time.Second, 50*time.Millisecond)
		n, err := w.app.quality.Look(auth.With(t.Context(), auth.System("test")))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = w.app.quality.Look(auth.With(t.Context(), auth.System("test")))
		require.NoError(t, err)
		require.Zero(t, n, "told once")
		var list struct {
			Items []struct {
				ID, Kind, Subject, State string
				People, Fakes            int64
				Evidence                 struct{ Opens, People int64 }
			}
			Open int64
		}
		require.Equal(t, 200, w.call("GET", "/api/traffic", "", &list))
		require.EqualValues(t, 1, list.Open)
		f := list.Items[0]
		require.Equal(t, []string{"burst", "link:" + l.Code, "open"}, []string{f.Kind, f.Subject, f.State})
		require.EqualValues(t, 40, f.Evidence.Opens)
		require.EqualValues(t, 40, f.People, "the honest one is not among them")
		var judged struct {
			State string
			Fakes int64
		}
		require.Equal(t, 200, w.call("POST", "/api/traffic/"+f.ID+"/judge", `{"state":"fake","note":"供应商刷量"}`, &judged))
		require.EqualValues(t, 40, judged.Fakes)
		require.Equal(t, [3]int64{1, 1, 1}, figures())
		require.Equal(t, 200, w.call("POST", "/api/traffic/"+f.ID+"/judge", `{"state":"open"}`, &judged))
		require.Zero(t, judged.Fakes)
		require.Equal(t, [3]int64{41, 41, 41}, figures(), "nothing was deleted")
	})
}

// TestOrdersAndChannelsAgreeOnTouches: what orders carry, what the channel page sums
// up by first and by last touch, and the whole are one.
func TestOrdersAndChannelsAgreeOnTouches(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		day := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
		n := 0
		send := func(at time.Time, fields string) {
			n++
			require.Equal(t, 200, w.call("POST", "/v1/import", fmt.Sprintf(`{"batch":[{"messageId":"ot%d","timestamp":%q,%s}]}`, n, at.Format(time.RFC3339), fields), nil))
		}
		send(day, `"type":"page","anonymousId":"d1","context":{"campaign":{"source":"douyin","medium":"video"}}`)
		send(day.AddDate(0, 0, 2), `"type":"page","anonymousId":"d1","context":{"campaign":{"source":"wechat","medium":"social"}}`)
		send(day.AddDate(0, 0, 3), `"type":"track","userId":"a","event":"order.paid","properties":{"orderNumber":"1","total":5000,"currency":"CNY"}`)
		send(day.AddDate(0, 0, 4), `"type":"track","userId":"b","event":"order.paid","context":{"campaign":{"medium":"offline"}},"properties":{"orderNumber":"2","total":700,"currency":"CNY"}`)
		w.settle()
		orders := func() map[string]string {
			require.NoError(t, w.app.shop.SettleTouches(t.Context(), nil))
			var list struct {
				Items []struct{ Number, FirstChannel, LastChannel string }
			}
			require.Equal(t, 200, w.call("GET", "/api/orders", "", &list))
			out := map[string]string{}
			for _, o := range list.Items {
				out[o.Number] = o.FirstChannel + ">" + o.LastChannel
			}
			return out
		}
		require.Equal(t, map[string]string{"1": ">", "2": "offline>offline"}, orders())
		send(day.AddDate(0, 0, 5), `"type":"identify","userId":"a","anonymousId":"d1"`) // the visitor was the buyer
		w.settle()
		w.settle() // the fact of the merge comes behind
		require.Equal(t, map[string]string{"1": "short_video>social", "2": "offline>offline"}, orders())
		send(day.AddDate(0, 0, 2).Add(time.Hour), `"type":"page","userId":"a","context":{"campaign":{"medium":"referral"}}`) // late
		w.settle()
		require.Equal(t, "short_video>referral", orders()["1"])
		r, by := w.reportOf(day.AddDate(0, 0, -1), day.AddDate(0, 0, 30))
		require.EqualValues(t, 5000, by["short_video"].Revenue)
		require.EqualValues(t, 5000, by["referral"].LastRevenue)
		require.EqualValues(t, 1, by["referral"].LastOrders)
		require.InDelta(t, r.Total.Revenue, r.Total.LastRevenue, .001)
		require.Equal(t, r.Total.Orders, r.Total.LastOrders)
		var list struct{ Items []struct{ Number string } }
		require.Equal(t, 200, w.call("GET", "/api/orders?lastChannel=referral", "", &list))
		require.Len(t, list.Items, 1)
		require.Equal(t, 200, w.call("PUT", "/api/order-touches", `{"days":1}`, nil))
		require.Eventually(t, func() bool { return orders()["1"] == "short_video>referral" && orders()["2"] == "offline>offline" }, 20*time.Second, 50*time.Millisecond)
	})
}
