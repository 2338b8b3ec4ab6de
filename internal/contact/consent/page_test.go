package consent

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// open asks for a page as a phone's browser does.
func (s *served) open(method, path string, form url.Values, header map[string]string) *httptest.ResponseRecorder {
	var r *http.Request
	if form != nil {
		r = httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://example.com")
	} else {
		r = httptest.NewRequest(method, path, nil)
	}
	r.Header.Set("User-Agent", "Phone/1.0 MicroMessenger")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

var hiddenField = regexp.MustCompile(`name="(shown|wording)" value="([^"]+)"`)
var checkedBox = regexp.MustCompile(`name="on" value="([^"]+)" checked`)

// formOf reads the form of a page with its boxes as they stand.
func formOf(html string) url.Values {
	form := url.Values{"do": {"save"}}
	for _, m := range hiddenField.FindAllStringSubmatch(html, -1) {
		form.Add(m[1], m[2])
	}
	for _, m := range checkedBox.FindAllStringSubmatch(html, -1) {
		form.Add("on", m[1])
	}
	return form
}

func without(list []string, v string) []string {
	var out []string
	for _, x := range list {
		if x != v {
			out = append(out, x)
		}
	}
	return out
}

func TestPreferencePage(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		n, pid := p.person(contact.NewContact{Name: "欧阳小明", Phone: "13812341234", Email: "ming@qq.com"})
		p.say(n, "marketing", All, Granted)
		link, err := p.MakeLink(p.ctx, pid, 0, false)
		require.NoError(t, err)
		require.Equal(t, "https://pond.example"+link.Path, link.URL)
		again, err := p.LinkFor(p.ctx, n)
		require.NoError(t, err)
		require.Equal(t, link.Path, again.Path, "a message gets the link that works")

		w := s.open("GET", link.Path, nil, nil)
		require.Equal(t, 200, w.Code)
		html := w.Body.String()
		require.Contains(t, html, `lang="zh-CN"`)
		require.Contains(t, html, "山月家居")
		require.Contains(t, html, "欧***")
		require.Contains(t, html, "138****1234")
		for _, open := range []string{"欧阳小明", "13812341234", "ming@qq.com", pid} {
			require.NotContains(t, html, open)
		}
		require.Contains(t, html, `value="marketing/sms" checked`)
		require.NotContains(t, html, "<script")
		require.NotContains(t, html, "minor/", "what cannot be granted here shows only while it is granted")
		h := w.Header()
		require.Equal(t, "no-store", h.Get("Cache-Control"))
		require.Contains(t, h.Get("X-Robots-Tag"), "noindex")
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
		require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe-inline")
		require.Contains(t, s.open("GET", link.Path, nil, map[string]string{"Accept-Language": "en-GB"}).Body.String(), "Stop everything")
		require.Contains(t, s.open("GET", link.Path+"?lang=en", nil, nil).Body.String(), `lang="en"`)

		p.clock.Advance(time.Minute)
		form := formOf(html)
		require.Len(t, form["shown"], 7*3+3)
		form["on"] = without(form["on"], "marketing/sms")
		form.Add("on", "recommendation/all")
		w = s.open("POST", link.Path, form, nil)
		require.Equal(t, 303, w.Code, w.Body.String())
		require.Equal(t, "!withdrawn", p.may(n, "marketing", SMS), "at once")
		require.Equal(t, "granted", p.may(n, "marketing", WeCom))
		require.Equal(t, "granted", p.may(n, "recommendation", All))
		require.Equal(t, "contract", p.may(n, "service", SMS), "what was not touched is as it was")
		require.EqualValues(t, 3, p.rows(), "only what changed is written")
		w = s.open("GET", w.Header().Get("Location"), nil, nil)
		require.Contains(t, w.Body.String(), "已保存")
		require.Contains(t, w.Body.String(), "2026-03-02 12:01:00", "in the company's time")
		require.NotContains(t, w.Body.String(), `value="marketing/sms" checked`)

		prof, err := p.Profile(p.ctx, pid)
		require.NoError(t, err)
		var cell Cell
		for _, pc := range prof.Purposes {
			for _, c := range pc.Cells {
				if pc.Purpose == "marketing" && c.Channel == SMS {
					cell = c
				}
			}
		}
		require.Equal(t, FromPage, cell.Source)
		rows, _, err := p.History(p.ctx, pid, "", 10)
		require.NoError(t, err)
		require.Equal(t, "Phone/1.0 MicroMessenger", rows[0].Proof.UserAgent)
		require.Equal(t, "192.0.2.1", rows[0].Proof.IP)
		require.EqualValues(t, 1, rows[0].Wording)

		// stop everything, and back
		w = s.open("POST", link.Path, url.Values{"do": {"stop"}}, nil)
		require.Equal(t, 303, w.Code)
		require.Equal(t, "!do_not_contact", p.may(n, "service", WeCom))
		require.Equal(t, "!withdrawn", p.may(n, "recommendation", All))
		require.Contains(t, s.open("GET", link.Path, nil, nil).Body.String(), "恢复联系")
		p.clock.Advance(time.Minute)
		s.open("POST", link.Path, url.Values{"do": {"resume"}}, nil)
		require.Equal(t, "contract", p.may(n, "service", WeCom))
		require.Equal(t, "!withdrawn", p.may(n, "marketing", WeCom), "lifting grants nothing")
		p.sound()
	})
}

func TestPublicRoutesRefuse(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		n, pid := p.person(contact.NewContact{Phone: "13812341234"})
		link, err := p.MakeLink(p.ctx, pid, 0, true)
		require.NoError(t, err)
		expired, err := p.MakeLink(p.ctx, pid, 3, true)
		require.NoError(t, err)
		_, other := p.person(contact.NewContact{Phone: "13912341234"})
		revoked, err := p.MakeLink(p.ctx, other, 0, true)
		require.NoError(t, err)
		require.NoError(t, p.RevokeLinks(p.ctx, other))
		p.clock.Advance(4 * 24 * time.Hour)
		save := url.Values{"do": {"save"}, "shown": {"service/sms"}}
		token := strings.TrimPrefix(link.Path, PagePath)
		forged := token[:len(token)-1] + string('0'+(token[len(token)-1]-'0'+1)%10)
		for name, c := range map[string]struct {
			method, path string
			form         url.Values
			header       map[string]string
			want         int
		}{
			"no token":              {"GET", PagePath, nil, nil, 404},
			"short token":           {"GET", PagePath + "abc", nil, nil, 404},
			"forged signature":      {"GET", PagePath + forged, nil, nil, 404},
			"expired":               {"GET", expired.Path, nil, nil, 410},
			"revoked":               {"GET", revoked.Path, nil, nil, 410},
			"save by a dead link":   {"POST", revoked.Path, save, nil, 410},
			"save from elsewhere":   {"POST", link.Path, save, map[string]string{"Origin": "https://evil.example"}, 403},
			"cross-site by fetch":   {"POST", link.Path, save, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
			"no such button":        {"POST", link.Path, url.Values{"do": {"all"}}, nil, 400},
			"huge body":             {"POST", link.Path, url.Values{"do": {"save"}, "x": {strings.Repeat("a", maxForm)}}, nil, 413},
			"wrong method":          {"PUT", link.Path, nil, nil, 405},
			"delete":                {"DELETE", link.Path, nil, nil, 405},
			"unsubscribe by look":   {"GET", strings.Replace(link.Path, "prefs", "unsubscribe", 1), nil, nil, 303},
			"unsubscribe, forged":   {"POST", UnsubscribePath + forged, url.Values{"List-Unsubscribe": {"One-Click"}}, nil, 404},
			"unsubscribe, purpose":  {"POST", strings.Replace(link.Path, "prefs", "unsubscribe", 1) + "?purpose=nothing", url.Values{}, nil, 404},
			"unsubscribe, no email": {"POST", strings.Replace(link.Path, "prefs", "unsubscribe", 1) + "?purpose=recommendation", url.Values{}, nil, 404},
		} {
			w := s.open(c.method, c.path, c.form, c.header)
			require.Equal(t, c.want, w.Code, "%s: %s", name, w.Body.String())
			if w.Code >= 400 && w.Code != 405 && name != "no token" {
				require.Contains(t, w.Header().Get("Content-Type"), "text/html", name)
				require.NotRegexp(t, "138[0-9*]{8}", w.Body.String(), name)
			}
		}
		require.Zero(t, p.rows(), "nothing of this wrote anything")

		w := s.open("POST", strings.Replace(link.Path, "prefs", "unsubscribe", 1), url.Values{"List-Unsubscribe": {"One-Click"}}, map[string]string{"Origin": ""})
		require.Equal(t, 200, w.Code)
		require.Contains(t, w.Body.String(), "已退订")
		require.Equal(t, "!withdrawn", p.may(n, "marketing", Email))
		s.open("POST", strings.Replace(link.Path, "prefs", "unsubscribe", 1), url.Values{}, nil)
		require.EqualValues(t, 1, p.rows(), "a mail program may ask twice")
	})
}

func TestOneLinkCannotFillTheLedger(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		_, pid := p.person(contact.NewContact{Phone: "13812341234"})
		link, err := p.MakeLink(p.ctx, pid, 0, true)
		require.NoError(t, err)
		codes := map[int]int{}
		for range 40 {
			codes[s.open("POST", link.Path, url.Values{"do": {"stop"}}, nil).Code]++
		}
		require.Equal(t, map[int]int{303: 20, 429: 20}, codes)
		bad := map[int]int{}
		for range 40 {
			bad[s.open("GET", PagePath+"guess", nil, nil).Code]++
		}
		require.Equal(t, map[int]int{404: 20, 429: 20}, bad, "tokens are not tried out")
		require.Equal(t, 200, s.open("GET", link.Path, nil, nil).Code, "a good link opens all the same")
	})
}

// A link stays with the side it was made for.
func TestLinksFollowMerges(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		nums := p.people(2)
		l, err := p.LinkFor(p.ctx, nums[1])
		require.NoError(t, err)
		p.join(0, 1)
		w := s.open("POST", l.Path, url.Values{"do": {"save"}, "shown": {"service/sms"}}, nil)
		require.Equal(t, 303, w.Code)
		require.Equal(t, "!withdrawn", p.may(nums[0], "service", SMS), "one person now")
		p.apart(t, nums[1], nums[0])
		require.Equal(t, "contract", p.may(nums[0], "service", SMS), "each side has its own back")
		require.Equal(t, "!withdrawn", p.may(nums[1], "service", SMS))
		p.sound()
	})
}

func FuzzToken(f *testing.F) {
	p := newPond(f, testkit.SQLite(f, audit.Migrations(), contact.Migrations(), Migrations()))
	good := p.token("abcdefghijklmnopqrstuv")
	f.Add(good)
	f.Add("")
	f.Add(good[:45] + "x")
	f.Add(strings.Repeat("é", 23))
	f.Fuzz(func(t *testing.T, token string) {
		id, ok := p.parseToken(token)
		if ok && p.token(id) != token {
			t.Fatalf("%q was taken for a token of ours", token)
		}
		if ok && token != good && token[:idLength] == good[:idLength] {
			t.Fatalf("%q has another signature of the same id", token)
		}
	})
}
