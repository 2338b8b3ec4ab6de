package sim

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func (c *appCall) info(openid string) (answer, error) {
	p := c.w.people[c.app.Open[openid]]
	if openid == "" || p == nil {
		return nil, no(40003)
	}
	f := c.app.fan(openid)
	if !f.Follows {
		return answer{"subscribe": 0, "openid": openid}, nil
	}
	out := answer{"subscribe": 1, "openid": openid, "nickname": "", "sex": 0, "language": "zh_CN", "headimgurl": "", "subscribe_time": f.Since.Unix(), "remark": "", "groupid": 0,
		"tagid_list": []int{}, "subscribe_scene": f.From, "qr_scene": 0, "qr_scene_str": f.Scene}
	if c.app.Shares {
		out["unionid"] = p.UnionID
	}
	return out, nil
}

func userInfo(c *appCall) (answer, error) {
	c.about = c.q.Get("openid")
	return c.info(c.about)
}

func userInfos(c *appCall) (answer, error) {
	var in struct {
		List []struct {
			OpenID string `json:"openid"`
		} `json:"user_list"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if len(in.List) == 0 || len(in.List) > c.s.limits.WeChat.InfoPage {
		return nil, no(40097)
	}
	list := []answer{}
	for _, u := range in.List {
		one, err := c.info(u.OpenID)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return answer{"user_info_list": list}, nil
}

func userGetList(c *appCall) (answer, error) {
	all := c.app.followers()
	from := 0
	if after := c.q.Get("next_openid"); after != "" {
		i := slices.Index(all, after)
		if i < 0 {
			return nil, no(40003)
		}
		from = i + 1
	}
	cut := all[from:min(len(all), from+c.s.limits.WeChat.FollowersPage)]
	out := answer{"total": len(all), "count": len(cut), "next_openid": ""}
	if len(cut) > 0 {
		out["data"], out["next_openid"] = answer{"openid": cut}, cut[len(cut)-1]
	}
	return out, nil
}

// mint makes a code that says who somebody is, good once.
func (w *World) mint(a *App, p *Person, sort, scope string, now time.Time) string {
	code := w.next("0", 32)
	a.codes[code] = &appCode{sort: sort, openid: w.openID(a, p), scope: scope, at: now}
	return code
}

// redeem takes a code.
func (c *appCall) redeem(code, sort string) (*appCode, *Person, error) {
	if code == "" {
		return nil, nil, no(41008)
	}
	known := c.app.codes[code]
	switch {
	case known == nil || known.sort != sort || c.now.Sub(known.at) > seconds(c.s.limits.WeChat.CodeSeconds):
		return nil, nil, no(40029)
	case known.used:
		return nil, nil, no(40163)
	}
	known.used = true
	c.about = known.openid
	return known, c.w.people[c.app.Open[known.openid]], nil
}

func (c *appCall) signs(kind string) error {
	if err := c.entrance(c.q.Get("appid"), c.q.Get("secret")); err != nil {
		return err
	}
	if c.q.Get("grant_type") != "authorization_code" {
		return no(40002)
	}
	if c.app.Kind != kind {
		return no(48001)
	}
	return nil
}

func oauthToken(c *appCall) (answer, error) {
	if err := c.signs(AppOfficial); err != nil {
		return nil, err
	}
	code, p, err := c.redeem(c.q.Get("code"), "page")
	if err != nil {
		return nil, err
	}
	text := c.w.next("", 86)
	c.s.tokens[text] = &token{corp: "page " + c.app.ID + " " + code.openid, until: c.now.Add(seconds(c.s.limits.WeChat.TokenSeconds))}
	out := answer{"access_token": text, "expires_in": c.s.limits.WeChat.TokenSeconds, "refresh_token": c.w.next("", 86), "openid": code.openid, "scope": code.scope}
	if c.app.Shares && (code.scope == "snsapi_userinfo" || c.app.follows(code.openid)) {
		out["unionid"] = p.UnionID
	}
	return out, nil
}

func oauthInfo(c *appCall) (answer, error) {
	t, err := c.s.holder(c.q.Get("access_token"), c.now)
	if err != nil {
		return nil, err
	}
	parts := strings.Fields(t.corp)
	if len(parts) != 3 || parts[0] != "page" || parts[2] != c.q.Get("openid") {
		return nil, no(40003)
	}
	a := c.w.app(parts[1])
	p := c.w.people[a.Open[parts[2]]]
	out := answer{"openid": parts[2], "nickname": p.Name, "sex": 0, "province": "", "city": "", "country": "", "headimgurl": c.base + "/sim/avatar/" + p.ID + ".svg", "privilege": []string{}}
	if a.Shares {
		out["unionid"] = p.UnionID
	}
	return out, nil
}

func codeToSession(c *appCall) (answer, error) {
	if err := c.signs(AppMini); err != nil {
		return nil, err
	}
	code, p, err := c.redeem(c.q.Get("js_code"), "js")
	if err != nil {
		return nil, err
	}
	if !c.s.within("login "+c.app.ID+" "+code.openid, c.now, c.s.limits.WeChat.LoginsPerMinute, 0) {
		return nil, no(45011)
	}
	out := answer{"openid": code.openid, "session_key": c.w.next("", 22) + "=="}
	if c.app.Shares {
		out["unionid"] = p.UnionID
	}
	return out, nil
}

func phoneNumber(c *appCall) (answer, error) {
	var in struct {
		Code string `json:"code"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	_, p, err := c.redeem(in.Code, "phone")
	if err != nil {
		return nil, err
	}
	return answer{"errcode": 0, "errmsg": "ok", "phone_info": answer{"phoneNumber": p.Phone, "purePhoneNumber": p.Phone, "countryCode": "86",
		"watermark": answer{"appid": c.app.ID, "timestamp": c.now.Unix()}}}, nil
}

func urlLink(c *appCall) (answer, error) {
	var in struct {
		Path  string `json:"path"`
		Query string `json:"query"`
		Type  int    `json:"expire_type"`
		Days  int    `json:"expire_interval"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	l := c.s.limits.WeChat
	switch {
	case len(in.Query) > l.QueryBytes:
		return nil, no(40212)
	case strings.HasPrefix(in.Path, "/") || strings.Contains(in.Path, "?"):
		return nil, no(40165)
	case in.Type == 1 && (in.Days < 1 || in.Days > l.LinkDays):
		return nil, no(40097)
	}
	return answer{"errcode": 0, "errmsg": "ok", "url_link": c.base + "/sim/c/mini:" + c.app.ID + "?" + url.Values{"path": {in.Path}, "query": {in.Query}}.Encode()}, nil
}

func appUpload(c *appCall) (answer, error) {
	kind := c.q.Get("type")
	if !slices.Contains([]string{"image", "voice", "video", "thumb"}, kind) {
		return nil, no(40004)
	}
	m, err := c.upload(kind)
	if err != nil {
		return nil, err
	}
	id := "media_id"
	if kind == "thumb" {
		id = "thumb_media_id"
	}
	return answer{"type": kind, id: m.ID, "created_at": c.now.Unix()}, nil
}

func appUploadImage(c *appCall) (answer, error) {
	m, err := c.upload("image")
	if err != nil {
		return nil, err
	}
	m.Lasting = true
	return answer{"url": c.base + "/sim/media/" + m.ID}, nil
}

func (c *appCall) upload(kind string) (*Media, error) {
	name, b, err := filePart(c.r.Header.Get("Content-Type"), c.body)
	if err != nil || len(b) == 0 {
		return nil, no(44001)
	}
	if len(b) > c.s.limits.WeChat.MediaBytes || len(b) <= 5 {
		return nil, no(40006)
	}
	sort := http.DetectContentType(b)
	if (kind == "image" || kind == "thumb") && !slices.Contains([]string{"image/png", "image/jpeg", "image/gif"}, sort) {
		return nil, no(40004)
	}
	m := &Media{ID: c.w.next("3", 64), Type: kind, Name: name, Mime: sort, Bytes: b, Created: c.now}
	c.app.Media[m.ID] = m
	lighten(c.app.Media)
	return m, nil
}

// personHeader says whose phone opens an address of the simulator.
const personHeader = "X-Sim-Person"

// serveAuthorize is the page on which WeChat asks, or does not ask, whether a page may
// know who somebody is. The phones of the simulator say who holds them; anybody else
// chooses.
func (s *Sim) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Host == "" || q.Get("response_type") != "code" || !slices.Contains([]string{"snsapi_base", "snsapi_userinfo"}, q.Get("scope")) {
		http.Error(w, "redirect_uri, response_type or scope is not right", http.StatusBadRequest)
		return
	}
	who := first(r.Header.Get(personHeader), q.Get("person"))
	var code string
	var people []PersonView
	err = s.at(func(world *World, now time.Time) error {
		a := world.app(q.Get("appid"))
		if a == nil || a.Kind != AppOfficial {
			return no(40013)
		}
		if who == "" {
			for _, p := range world.People[max(0, len(world.People)-60):] {
				people = append(people, PersonView{ID: p.ID, Name: p.Name})
			}
			return nil
		}
		p, err := world.find(who)
		if err == nil {
			code = world.mint(a, p, "page", q.Get("scope"), now)
		}
		return err
	})
	if err != nil {
		http.Error(w, "the account or the person is not known", http.StatusBadRequest)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if code != "" {
		to := back.Query()
		to.Set("code", code)
		to.Set("state", q.Get("state"))
		back.RawQuery = to.Encode()
		w.Header().Set("Location", back.String())
		w.WriteHeader(http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = fmt.Fprint(w, `<!doctype html><meta name="viewport" content="width=device-width"><title>微信登录</title><body style="font:16px/1.9 sans-serif;max-width:32em;margin:3em auto;padding:0 1em"><p>模拟器：谁拿着这部手机？ · Whose phone is this?</p>`)
	for _, p := range people {
		q.Set("person", p.ID)
		_, _ = fmt.Fprintf(w, `<a style="margin-right:1em" href="?%s">%s</a>`, html.EscapeString(q.Encode()), html.EscapeString(p.Name))
	}
}
