package sim

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/qr"
)

// MiniCode is a code that opens a page of a mini-program, with a text in it.
type MiniCode struct {
	ID      string    `json:"id"`
	Scene   string    `json:"scene"`
	Page    string    `json:"page,omitempty"`
	Env     string    `json:"env"`
	Created time.Time `json:"created"`
	Scans   int       `json:"scans"`
}

// miniPages are the pages of the simulated mini-program as it is released.
var miniPages = []string{"pages/index/index", "pages/shop/index", "pages/product/detail", "pages/member/index"}

// sceneSigns are what a scene may have beside letters and digits.
const sceneSigns = "!#$&'()*+,/:;=?@-._~"

func (c *appCall) visible(scene string) bool {
	for _, r := range scene {
		if !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(sceneSigns, r)) {
			return false
		}
	}
	return scene != "" && len(scene) <= c.s.limits.WeChat.MiniSceneRunes
}

// miniCode draws a code of a mini-program. The platform draws a round one; here it is
// square, so that any camera reads it.
func miniCode(c *appCall) (answer, error) {
	in := struct {
		Scene string `json:"scene"`
		Page  string `json:"page"`
		Check *bool  `json:"check_path"`
		Env   string `json:"env_version"`
		Width int    `json:"width"`
	}{}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	l := c.s.limits.WeChat
	if in.Env == "" {
		in.Env = "release"
	}
	switch {
	case !c.s.within("wxacode "+c.app.ID, c.now, l.MiniCodesPerMinute, 0):
		return nil, no(45009) // of the minute, whatever the words say
	case !c.visible(in.Scene):
		return nil, no(40129)
	case !slices.Contains([]string{"release", "trial", "develop"}, in.Env):
		return nil, no(40097)
	case strings.HasPrefix(in.Page, "/"), strings.Contains(in.Page, "?"), len(in.Page) > l.MiniPageBytes,
		in.Page != "" && (in.Check == nil || *in.Check) && !slices.Contains(miniPages, in.Page):
		return nil, no(41030)
	}
	id := "mc" + strings.ToLower(c.w.derive(24, "mini code", c.app.ID, in.Scene, in.Page, in.Env)) // the same one to whoever asks again
	if c.app.MiniCodes[id] == nil {
		c.app.MiniCodes[id] = &MiniCode{ID: id, Scene: in.Scene, Page: in.Page, Env: in.Env, Created: c.now}
	}
	if in.Width == 0 {
		in.Width = qrSide
	}
	b, err := qr.PNG(c.base+"/sim/c/"+id, qr.Look{Size: min(max(in.Width, l.MiniCodeLeast), l.MiniCodeMost)})
	c.picture, c.said = b, in.Scene
	return nil, err
}

// scanMini is a person pointing their phone at a code of a mini-program: it opens, and
// knows the text (see opened).
func (s *Sim) scanMini(w *World, a *App, code *MiniCode, p *Person, now time.Time) Met {
	code.Scans++
	open := w.openID(a, p)
	s.diary.act(now, "scan", open, "", code.Scene)
	return Met{Person: p.ID, App: a.ID, External: open, State: code.Scene, Mini: true}
}

// opened is a mini-program that a code opened, telling the company's server: with the
// session that it has, and by logging in when it has none or that is over.
func (s *Sim) opened(ctx context.Context, who, app, scene string) (Done, error) {
	var backend, session, key string
	err := s.at(func(w *World, now time.Time) error {
		p, a, open, f, err := w.met(who, app, AppMini)
		if err == nil && a.Backend != "" && f.Session != "" {
			backend, session, key = a.Backend, f.Session, w.next("l", 20)
			w.appChat(p, a).At = now
			s.diary.act(now, "launch", open, "", a.Name)
		}
		return err
	})
	if err != nil {
		return Done{}, err
	}
	if session == "" {
		return s.launch(ctx, who, app, scene)
	}
	var out launched
	status, err := s.request(ctx, backend+"/launch", map[string]string{"session": session, "scene": scene, "id": key}, &out)
	switch {
	case err != nil:
		return Done{}, errs.New(errs.Conflict, "sim.link_failed").Wrap(err)
	case status == http.StatusUnauthorized:
		return s.launch(ctx, who, app, scene)
	}
	return Done{Status: status}, s.shows(who, app, out)
}

// launched is what the company's server says of a code.
type launched struct {
	Session string `json:"session"`
	Scan    *struct {
		First bool   `json:"first"`
		Gift  string `json:"gift"`
	} `json:"scan"`
}

// shows is the mini-program showing what belongs to the code.
func (s *Sim) shows(who, app string, out launched) error {
	if out.Scan == nil {
		return nil
	}
	return s.at(func(w *World, now time.Time) error {
		p, a, _, _, err := w.met(who, app, AppMini)
		if err != nil {
			return err
		}
		w.appChat(p, a).note(w, now, "code_opened", a.Name)
		if out.Scan.Gift != "" {
			w.appChat(p, a).say(Line{ID: w.next("m", 20), At: now, From: "them", Name: a.Name, Kind: "text", Text: short(out.Scan.Gift, 200)})
		}
		return nil
	})
}

// places are where people may say that they are.
var places = []struct {
	name     string
	lat, lng float64
}{{"杭州 湖滨路", 30.2537, 120.1607}, {"上海 外滩", 31.2360, 121.4906}, {"成都 宽窄巷子", 30.6637, 104.0530}}

// spot finds a place by its name, or reads "latitude,longitude".
func spot(what string) (lat, lng float64, err error) {
	for _, p := range places {
		if p.name == what {
			return p.lat, p.lng, nil
		}
	}
	a, b, _ := strings.Cut(what, ",")
	lat, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
	lng, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	if err1 != nil || err2 != nil || !(lat >= -90 && lat <= 90 && lng >= -180 && lng <= 180) {
		return 0, 0, errs.New(errs.Invalid, "request.invalid").On(errs.At("what", "sim.no_place"))
	}
	return lat, lng, nil
}

// Locate is WeChat telling an official account where a follower is, as it does when
// they open the conversation and have agreed to it.
func (s *Sim) Locate(who, app, what string) error {
	lat, lng, err := spot(what)
	if err != nil {
		return err
	}
	return s.at(func(w *World, now time.Time) error {
		p, a, open, f, err := w.met(who, app, AppOfficial)
		if err != nil {
			return err
		}
		if !f.Follows {
			return errs.New(errs.Conflict, "sim.no_follower")
		}
		w.appChat(p, a).note(w, now, "located", short(what, 60))
		s.diary.act(now, "locate", open, "", short(what, 60))
		say := func(d float64) string { return strconv.FormatFloat(d, 'f', 6, 64) }
		s.tellApp(w, a, now, open, "LOCATION", wxcrypto.Raw("Latitude", say(lat)), wxcrypto.Raw("Longitude", say(lng)), wxcrypto.Raw("Precision", "65.000000"))
		return nil
	})
}
