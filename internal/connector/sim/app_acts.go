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
)

// appChat is the conversation with an app.
func (w *World) appChat(p *Person, a *App) *Chat {
	kind := "account"
	if a.Kind == AppMini {
		kind = "mini"
	}
	return p.chat(kind, "", a.ID)
}

// met finds a person and an app.
func (w *World) met(who, app, kind string) (*Person, *App, string, *Fan, error) {
	p, err := w.find(who)
	if err != nil {
		return nil, nil, "", nil, err
	}
	a, err := w.findApp(app, kind)
	if err != nil {
		return nil, nil, "", nil, err
	}
	open := w.openID(a, p)
	return p, a, open, a.fan(open), nil
}

// scanScene is a person pointing their phone at a code of an official account.
func (s *Sim) scanScene(w *World, a *App, code *Scene, p *Person, now time.Time) (Met, error) {
	if code.over(now) {
		return Met{}, errs.New(errs.Conflict, "sim.code_expired")
	}
	code.Scans++
	open := w.openID(a, p)
	f := a.fan(open)
	s.diary.act(now, "scan", open, "", code.Scene)
	met := Met{Person: p.ID, App: a.ID, External: open, State: code.Scene, Already: f.Follows}
	if f.Follows {
		f.acted(now)
		w.appChat(p, a).note(w, now, "scanned", a.Name)
		s.tellApp(w, a, now, open, "SCAN", wxcrypto.Elem("EventKey", code.Scene), wxcrypto.Elem("Ticket", code.Ticket))
		return met, nil
	}
	s.follow(w, a, p, "ADD_SCENE_QR_CODE", code, now)
	return met, nil
}

func (f *Fan) acted(now time.Time) { f.Act, f.ActSent = now, 0 }

func (s *Sim) follow(w *World, a *App, p *Person, from string, code *Scene, now time.Time) {
	open := w.openID(a, p)
	f := a.fan(open)
	f.Follows, f.Since, f.From, f.Scene = true, now, from, ""
	f.acted(now)
	key, parts := "", []wxcrypto.Node{}
	if code != nil {
		f.Scene, key = code.Scene, "qrscene_"+code.Scene
		parts = append(parts, wxcrypto.Elem("Ticket", code.Ticket))
	}
	w.appChat(p, a).note(w, now, "followed", a.Name)
	s.tellApp(w, a, now, open, "subscribe", append([]wxcrypto.Node{wxcrypto.Elem("EventKey", key)}, parts...)...)
}

// Follow is a person finding an official account by its name.
func (s *Sim) Follow(who, app string) error {
	return s.at(func(w *World, now time.Time) error {
		p, a, open, f, err := w.met(who, app, AppOfficial)
		if err != nil || f.Follows {
			return err
		}
		s.diary.act(now, "follow", open, "", a.Name)
		s.follow(w, a, p, "ADD_SCENE_SEARCH", nil, now)
		return nil
	})
}

// Unfollow is a person who has enough of an official account.
func (s *Sim) Unfollow(who, app string) error {
	return s.at(func(w *World, now time.Time) error {
		p, a, open, f, err := w.met(who, app, AppOfficial)
		if err != nil {
			return err
		}
		if !f.Follows {
			return errs.New(errs.Conflict, "sim.no_follower")
		}
		f.Follows, f.Word, f.Act = false, time.Time{}, time.Time{}
		w.appChat(p, a).note(w, now, "unfollowed", a.Name)
		s.diary.act(now, "unfollow", open, "", a.Name)
		s.tellApp(w, a, now, open, "unsubscribe", wxcrypto.Elem("EventKey", ""))
		return nil
	})
}

// write is a person writing to an official account.
func (s *Sim) write(w *World, a *App, p *Person, text, menu string, now time.Time) error {
	open := w.openID(a, p)
	f := a.fan(open)
	if a.Kind == AppOfficial && !f.Follows {
		return errs.New(errs.Conflict, "sim.no_follower")
	}
	f.Word, f.Sent = now, 0
	w.appChat(p, a).say(Line{ID: w.next("m", 20), At: now, From: "me", Name: p.Name, Kind: "text", Text: text})
	s.diary.act(now, "ask", open, "", short(text, 60))
	s.wordTo(w, a, now, open, "text", append([]wxcrypto.Node{wxcrypto.Elem("Content", text)}, menuWord(menu)...)...)
	return nil
}

// button finds one of the menu by its name, its key, or its place ("0.1").
func (a *App) button(what string) *MenuButton {
	var found *MenuButton
	for i := range a.Menu {
		top := &a.Menu[i]
		all := []*MenuButton{top}
		for j := range top.Sub {
			all = append(all, &top.Sub[j])
		}
		for j, b := range all {
			place := strconv.Itoa(i)
			if j > 0 {
				place += "." + strconv.Itoa(j-1)
			}
			if len(b.Sub) == 0 && (place == what || b.Key != "" && b.Key == what || b.Name == what) && found == nil {
				found = b
			}
		}
	}
	return found
}

// Press is a person pressing a button of the menu. It gives the address that the
// button opens, if it does.
func (s *Sim) Press(ctx context.Context, who, app, what string) (done Done, err error) {
	var b MenuButton
	err = s.at(func(w *World, now time.Time) error {
		_, a, open, f, err := w.met(who, app, AppOfficial)
		if err != nil {
			return err
		}
		found := a.button(what)
		switch {
		case !f.Follows:
			return errs.New(errs.Conflict, "sim.no_follower")
		case found == nil:
			return errs.New(errs.NotFound, "sim.button_not_found", "name", short(what, 60))
		}
		b = *found
		s.diary.act(now, "press", open, "", b.Name)
		switch {
		case b.Type == "view":
			s.tellApp(w, a, now, open, "VIEW", wxcrypto.Elem("EventKey", b.URL), wxcrypto.Elem("MenuId", "1"))
		case b.Type == "miniprogram":
			s.tellApp(w, a, now, open, "view_miniprogram", wxcrypto.Elem("EventKey", b.Page), wxcrypto.Elem("MenuId", "1"))
		case slices.Contains(pressed, b.Type):
			f.acted(now)
			name := b.Type
			if name == "click" {
				name = "CLICK"
			}
			s.tellApp(w, a, now, open, name, wxcrypto.Elem("EventKey", b.Key))
		}
		return nil
	})
	switch {
	case err != nil:
		return Done{}, err
	case b.Type == "view":
		d, err := s.open(ctx, who, b.URL)
		d.ID = b.URL
		return d, err
	case b.Type == "miniprogram":
		d, err := s.Launch(ctx, who, b.AppID)
		return d, err
	}
	return Done{}, nil
}

// Launch is a person opening a mini-program: it logs them in at the company's server,
// when that is known; else what it gives is the code of wx.login.
func (s *Sim) Launch(ctx context.Context, who, app string) (Done, error) {
	return s.launch(ctx, who, app, "")
}

// launch has a scene when a code opened it.
func (s *Sim) launch(ctx context.Context, who, app, scene string) (Done, error) {
	var code, backend, person string
	err := s.at(func(w *World, now time.Time) error {
		p, a, open, _, err := w.met(who, app, AppMini)
		if err != nil {
			return err
		}
		code, backend, app, person = w.mint(a, p, "js", "", now), a.Backend, a.ID, p.ID
		w.appChat(p, a).At = now
		s.diary.act(now, "launch", open, "", a.Name)
		return nil
	})
	if err != nil || backend == "" {
		return Done{ID: code}, err
	}
	var out launched
	in := map[string]string{"code": code, "anonymousId": "mini-" + person}
	if scene != "" {
		in["scene"] = scene
	}
	status, err := s.request(ctx, backend+"/login", in, &out)
	if err != nil {
		return Done{}, errs.New(errs.Conflict, "sim.link_failed").Wrap(err)
	}
	err = s.at(func(w *World, now time.Time) error {
		p, a, _, f, err := w.met(person, app, AppMini)
		if err != nil || status != http.StatusOK {
			return err
		}
		if !f.Logged {
			w.appChat(p, a).note(w, now, "logged_in", a.Name)
		}
		f.Logged, f.Session = true, out.Session
		return nil
	})
	if err == nil {
		err = s.shows(person, app, out)
	}
	return Done{Status: status}, err
}

// GivePhone is a person pressing the button by which a mini-program learns their
// number.
func (s *Sim) GivePhone(ctx context.Context, who, app string) (Done, error) {
	var code, backend, session, person string
	err := s.at(func(w *World, now time.Time) error {
		p, a, open, f, err := w.met(who, app, AppMini)
		if err != nil {
			return err
		}
		if a.Backend != "" && f.Session == "" {
			return errs.New(errs.Conflict, "sim.not_logged_in")
		}
		code, backend, session, app, person = w.mint(a, p, "phone", "", now), a.Backend, f.Session, a.ID, p.ID
		s.diary.act(now, "phone", open, "", a.Name)
		return nil
	})
	if err != nil || backend == "" {
		return Done{ID: code}, err
	}
	var out struct {
		Phone string `json:"phone"`
	}
	status, err := s.request(ctx, backend+"/phone", map[string]string{"code": code, "session": session}, &out)
	if err != nil {
		return Done{}, errs.New(errs.Conflict, "sim.link_failed").Wrap(err)
	}
	err = s.at(func(w *World, now time.Time) error {
		p, a, _, f, err := w.met(person, app, AppMini)
		if err != nil || status != http.StatusOK {
			return err
		}
		f.Phone = true
		w.appChat(p, a).note(w, now, "phone_given", out.Phone)
		return nil
	})
	return Done{Status: status}, err
}

// Agree is a person saying yes, or no, to one message of a template. Without a
// template it is about the template messages of an official account.
func (s *Sim) Agree(who, app, template string, yes bool) error {
	return s.at(func(w *World, now time.Time) error {
		p, a, open, f, err := w.met(who, app, "")
		if err != nil {
			return err
		}
		does := map[bool]string{true: "allow", false: "deny"}[yes]
		if template == "" {
			f.Mutes = !yes
			s.diary.act(now, does, open, "", a.Name)
			return nil
		}
		t := a.template(template)
		if t == nil || !t.Subscribe {
			return errs.New(errs.NotFound, "sim.template_not_found")
		}
		said := "reject"
		if yes {
			said = "accept"
			fill(&f.Yes)
			f.Yes[t.ID]++
		}
		w.appChat(p, a).note(w, now, does, t.Title)
		s.diary.act(now, does, open, "", t.Title)
		s.tellApp(w, a, now, open, "subscribe_msg_popup_event", wxcrypto.Group("SubscribeMsgPopupEvent", wxcrypto.Group("List",
			wxcrypto.Elem("TemplateId", t.ID), wxcrypto.Elem("SubscribeStatusString", said), wxcrypto.Elem("PopupScene", "0"))))
		return nil
	})
}

// miniOf takes the mini-program out of a link into it.
func miniOf(code string) (string, bool) {
	id, ok := strings.CutPrefix(code, "mini:")
	return id, ok
}
