package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// appCall is one request to WeChat, inside the world.
type appCall struct {
	s     *Sim
	r     *http.Request
	q     url.Values
	body  []byte
	base  string
	now   time.Time
	w     *World
	app   *App
	about string // whom it speaks of, for the diary
	said  string // what it sent, for the diary

	picture []byte // the answer, when it is a picture
}

// appRoute is one API of WeChat.
type appRoute struct {
	method string
	kind   string // official or mini; "": both
	open   bool   // without a token
	closed bool   // to accounts that are not verified
	perDay func(l WeChatLimits) int
	do     func(*appCall) (answer, error)
}

// appWords are the platform's short words for what WeChat alone refuses, or refuses
// in other words than WeCom.
var appWords = map[int]string{
	40001: "invalid credential, access_token is invalid or not latest", 40003: "invalid openid", 40007: "invalid media_id", 40008: "invalid message type",
	40013: "invalid appid", 40014: "invalid access_token", 40015: "invalid button type", 40016: "invalid button size", 40018: "invalid button name size",
	40019: "invalid button key size", 40020: "invalid button url size", 40023: "invalid sub button size", 40024: "invalid sub button type", 40025: "invalid sub button name size",
	40026: "invalid sub button key size", 40027: "invalid sub button url size", 40029: "invalid code", 40037: "invalid template_id", 40053: "invalid action info", 40055: "invalid button url domain",
	40097: "invalid args", 40125: "invalid appsecret", 40130: "invalid openid list size, at least two openid", 40129: "invalid scene", 40163: "code been used", 40164: "invalid ip", 40165: "invalid weapp pagepath", 40166: "invalid weapp appid",
	40243: "AppSecret frozen", 41008: "missing code", 41030: "invalid page", 43004: "require subscribe", 43101: "user refuse to accept the msg", 44002: "empty post data", 44004: "empty content",
	45002: "content size out of limit", 45009: "reach max api daily quota limit", 45011: "api minute-quota reach limit, must slower, retry next minute", 45015: "response out of time limit or subscription is canceled",
	45028: "has no masssend quota", 45029: "qrcode count out of limit", 45047: "out of response count limit", 45065: "clientmsgid exist", 45066: "clientmsgid size out of limit", 46003: "menu no exist",
	47001: "data format error", 47003: "argument invalid!", 48001: "api unauthorized", 48006: "forbid to clear quota because of reaching the limit", 40002: "invalid grant_type", 40212: "invalid query", 40035: "invalid parameter",
}

func no(code int) error { return noTo(code, "") }

// noTo names what was wrong, as the platform does for some codes.
func noTo(code int, what string) error {
	msg := appWords[code]
	if msg == "" {
		msg = words[code]
	}
	if what != "" {
		msg += " " + what
	}
	return &refusal{Code: code, Msg: msg}
}

func (c *appCall) in(v any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return no(44002)
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		return no(47001)
	}
	return nil
}

// serveWeChat answers one call of an official account or a mini-program.
func (s *Sim) serveWeChat(w http.ResponseWriter, r *http.Request, name string) {
	switch name {
	case "connect/oauth2/authorize":
		s.serveAuthorize(w, r)
		return
	case "cgi-bin/showqrcode":
		s.serveCode(w, r, r.URL.Query().Get("ticket"))
		return
	}
	start := time.Now()
	c := &appCall{s: s, r: r, q: r.URL.Query(), base: baseOf(r)}
	bound := int64(maxCall)
	if r.Method == http.MethodPost && slices.Contains(uploads, name[min(len(name), len("cgi-bin/")):]) {
		bound = int64(s.limits.WeChat.MediaBytes) + 1<<20
	}
	var err error
	if c.body, err = io.ReadAll(io.LimitReader(r.Body, bound+1)); err != nil {
		return // the caller went away
	}
	var out answer
	if int64(len(c.body)) > bound {
		err = no(45002)
	} else {
		var how verdict
		if how, err = s.fault(r, "wechat:"+name); how.cut {
			panic(http.ErrAbortHandler) // the connection just ends, as with a broken network
		}
		if err == nil {
			out, err = c.answer(name)
		}
		if how.lost {
			s.diary.app(c, name, 0, "lost", start)
			panic(http.ErrAbortHandler)
		}
	}
	if errors.Is(err, errNowhere) {
		http.NotFound(w, r)
		return
	}
	code := 0
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		if out == nil {
			out = answer{}
		}
		code = refused.Code
		out["errcode"], out["errmsg"] = code, refused.Msg
	case err != nil:
		code, out = -1, answer{"errcode": -1, "errmsg": words[-1]}
		s.log.Error("a call of the simulator failed", "api", name, "error", err)
	case out == nil:
		out = answer{"errcode": 0, "errmsg": "ok"}
	}
	s.diary.app(c, name, code, "", start)
	if err == nil && c.picture != nil {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(c.picture) // a caller that went away needs no answer
		return
	}
	writeJSON(w, http.StatusOK, out)
}

func (c *appCall) answer(name string) (out answer, err error) {
	rt, ok := wechatRoutes[name]
	if !ok {
		return nil, errNowhere
	}
	if rt.method != "" && rt.method != c.r.Method {
		if rt.method == http.MethodPost {
			return nil, no(43002)
		}
		return nil, no(43001)
	}
	err = c.s.at(func(w *World, now time.Time) error {
		c.w, c.now = w, now
		if !rt.open {
			if err := c.admit(rt); err != nil {
				return err
			}
			if err := c.spend(name, rt); err != nil {
				return err
			}
		}
		out, err = rt.do(c)
		return err
	})
	return out, err
}

// admit checks the token, where the caller is, and what the app may.
func (c *appCall) admit(rt appRoute) error {
	t, err := c.s.holder(c.q.Get("access_token"), c.now)
	if err != nil {
		return err
	}
	c.app = c.w.app(t.corp)
	if c.app == nil || c.app.Secret != t.secret {
		return no(40001)
	}
	if err := c.place(); err != nil {
		return err
	}
	if rt.kind != "" && rt.kind != c.app.Kind || rt.closed && !c.app.Verified {
		return no(48001)
	}
	return nil
}

func (c *appCall) place() error {
	if len(c.app.TrustedIPs) > 0 && !slices.Contains(c.app.TrustedIPs, ipOf(c.r)) {
		return noTo(40164, ipOf(c.r)+" ipv6 ::ffff:"+ipOf(c.r)+", not in whitelist")
	}
	return nil
}

// spend counts a call of the day.
func (c *appCall) spend(name string, rt appRoute) error {
	c.app.turn(c.now)
	if rt.perDay == nil {
		return nil
	}
	if most := rt.perDay(c.s.limits.WeChat); most > 0 && c.app.Calls[name] >= most {
		return no(45009)
	}
	c.app.Calls[name]++
	return nil
}

// person finds whom an openid stands for in this app.
func (c *appCall) person(openid string) (*Person, *Fan, error) {
	p := c.w.people[c.app.Open[openid]]
	if openid == "" || p == nil {
		return nil, nil, no(40003)
	}
	c.about = openid
	return p, c.app.fan(openid), nil
}

func (d *diary) app(c *appCall, name string, code int, note string, start time.Time) {
	at := c.now
	if at.IsZero() {
		at = c.s.clock.Now()
	}
	d.add(Entry{At: at, Kind: EntryCall, Name: name, About: c.about, Code: code, Note: first(note, c.said), Ms: ms(time.Since(start))})
}
