package sim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AppView is an official account or a mini-program of the world.
type AppView struct {
	ID        string         `json:"id"`
	Kind      string         `json:"kind" enum:"official,mini"`
	Name      string         `json:"name"`
	Callback  string         `json:"callback,omitempty" doc:"Where it is called back; empty: nobody listens"`
	Followers int            `json:"followers" doc:"Of a mini-program: who logged in"`
	Codes     []CodeView     `json:"codes" doc:"Scene codes, the newest first"`
	Templates []TemplateView `json:"templates"`
}

// TemplateView is a template of messages.
type TemplateView struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Subscribe bool   `json:"subscribe,omitempty" doc:"Somebody has to say yes before each message"`
}

// AppSeen is what a person sees of an app on their phone.
type AppSeen struct {
	OpenID    string        `json:"openid"`
	Buttons   []ButtonView  `json:"buttons,omitempty" doc:"The menu at the bottom"`
	LoggedIn  bool          `json:"loggedIn,omitempty"`
	Phone     bool          `json:"phone,omitempty" doc:"They gave their number"`
	Mutes     bool          `json:"mutes,omitempty" doc:"They want no template messages"`
	Places    []string      `json:"places,omitempty" doc:"Where the act locate may say that they are"`
	Templates []SubscribeTo `json:"templates,omitempty" doc:"Messages that they may agree to"`
}

// ButtonView is one of the menu.
type ButtonView struct {
	Name string       `json:"name"`
	Type string       `json:"type,omitempty"`
	At   string       `json:"at" doc:"What the act press takes"`
	URL  string       `json:"url,omitempty"`
	Sub  []ButtonView `json:"sub,omitempty"`
}

// SubscribeTo is a template that somebody may agree to.
type SubscribeTo struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Left  int    `json:"left" doc:"Messages that they agreed to and did not get yet"`
}

// Apps lists the official accounts and mini-programs.
func (s *Sim) Apps() []AppView {
	out := []AppView{}
	_ = s.at(func(w *World, now time.Time) error { // looking changes nothing that could fail
		for _, a := range w.Apps {
			out = append(out, a.view(now))
		}
		return nil
	})
	return out
}

func (a *App) view(now time.Time) AppView {
	v := AppView{ID: a.ID, Kind: a.Kind, Name: a.Name, Callback: a.CallbackURL, Codes: []CodeView{}, Templates: []TemplateView{}}
	for _, f := range a.Fans {
		if f.Follows || f.Logged {
			v.Followers++
		}
	}
	codes := make([]*Scene, 0, len(a.Scenes))
	for _, s := range a.Scenes {
		codes = append(codes, s)
	}
	slices.SortFunc(codes, func(x, y *Scene) int {
		if d := y.Created.Compare(x.Created); d != 0 {
			return d
		}
		return strings.Compare(x.Ticket, y.Ticket)
	})
	for _, s := range codes[:min(len(codes), codesShown)] {
		v.Codes = append(v.Codes, CodeView{ID: s.Ticket, Kind: "scene", State: s.Scene, Staff: []string{}, Scans: s.Scans, Over: s.over(now)})
	}
	v.Codes = append(v.Codes, a.miniCodes()...)
	for _, t := range a.Templates {
		v.Templates = append(v.Templates, TemplateView{t.ID, t.Title, t.Subscribe})
	}
	return v
}

// miniCodes are those of a mini-program, the newest first.
func (a *App) miniCodes() (out []CodeView) {
	codes := slices.SortedFunc(maps.Values(a.MiniCodes), func(x, y *MiniCode) int {
		if d := y.Created.Compare(x.Created); d != 0 {
			return d
		}
		return strings.Compare(x.ID, y.ID)
	})
	for _, c := range codes[:min(len(codes), codesShown)] {
		out = append(out, CodeView{ID: c.ID, Kind: "mini", State: c.Scene, Staff: []string{}, Scans: c.Scans})
	}
	return out
}

// appSeen fills in what a person sees of an app.
func (w *World) appSeen(v *ChatView, p *Person) {
	a := w.app(v.ID)
	if a == nil {
		return
	}
	open := w.openID(a, p)
	f := a.fan(open)
	v.Name, v.State = a.Name, "open"
	if a.Kind == AppOfficial && !f.Follows {
		v.State = "gone"
	}
	seen := &AppSeen{OpenID: open, LoggedIn: f.Logged, Phone: f.Phone, Mutes: f.Mutes}
	if v.State == "open" {
		for i, b := range a.Menu {
			seen.Buttons = append(seen.Buttons, b.view(strconv.Itoa(i)))
		}
		if a.Kind == AppOfficial {
			for _, p := range places {
				seen.Places = append(seen.Places, p.name)
			}
		}
	}
	for _, t := range a.Templates {
		if t.Subscribe {
			seen.Templates = append(seen.Templates, SubscribeTo{t.ID, t.Title, f.Yes[t.ID]})
		}
	}
	v.App = seen
}

func (b MenuButton) view(at string) ButtonView {
	v := ButtonView{Name: b.Name, Type: b.Type, At: at, URL: b.URL}
	for j, s := range b.Sub {
		v.Sub = append(v.Sub, s.view(at+"."+strconv.Itoa(j)))
	}
	return v
}

// AppAccess is what a connector signs in to an app with. They are secrets of nobody:
// the world is made up.
type AppAccess struct {
	Kind   string `json:"kind"`
	AppID  string `json:"appId"`
	Name   string `json:"name"`
	Secret string `json:"secret"`
	Token  string `json:"token"`
	AESKey string `json:"aesKey"`
}

// AppAccess gives the credentials of the official accounts and mini-programs.
func (s *Sim) AppAccess() []AppAccess {
	out := []AppAccess{}
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		for _, a := range w.Apps {
			out = append(out, AppAccess{Kind: a.Kind, AppID: a.ID, Name: a.Name, Secret: a.Secret, Token: a.Token, AESKey: a.AESKey})
		}
		return nil
	})
	return out
}
