package sim

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Act is something that somebody does: a line of a scenario, or a button of
// "be a customer".
type Act struct {
	Who  string `json:"who,omitempty" yaml:"who" maxLength:"200" doc:"A person's id or name; for what the staff do, a userid"`
	Does string `json:"does" yaml:"does" maxLength:"40" doc:"scan, accept, chat, reply, ask, tap, open, delete, remove, refuse, agree, join, leave, confirm, publish, like, comment, label, note, group, dismiss, serve, close, hire, quit, invent; follow, unfollow, press, locate, launch, phone, allow, deny"`
	What string `json:"what,omitempty" yaml:"what" maxLength:"2000" doc:"A code, a link, a group, a message id, a tag: what it is done to"`
	With string `json:"with,omitempty" yaml:"with" maxLength:"200" doc:"The other one: a userid for people, a person for the staff"`
	Text string `json:"text,omitempty" yaml:"text" maxLength:"4000"`
}

// Done is what came of an act.
type Done struct {
	Met    *Met    `json:"met,omitempty" doc:"Of a scan"`
	Person *Person `json:"-"`
	ID     string  `json:"id,omitempty" doc:"Of what was made"`
	Status int     `json:"status,omitempty" doc:"What the opened address answered"`
	Count  int     `json:"count,omitempty" doc:"How many it reached"`
}

// deeds are the acts by name.
var deeds = map[string]func(s *Sim, ctx context.Context, a Act) (Done, error){
	"scan": func(s *Sim, ctx context.Context, a Act) (Done, error) {
		m, err := s.Scan(a.What, a.Who)
		if err == nil && m.Outside != "" {
			return s.open(ctx, a.Who, m.Outside)
		}
		if _, mini := miniOf(codeOf(a.What)); err == nil && mini {
			_, err = s.Launch(ctx, a.Who, m.App)
		}
		if err == nil && m.Mini {
			d, err := s.opened(ctx, a.Who, m.App, m.State)
			d.Met = &m
			return d, err
		}
		return Done{Met: &m}, err
	},
	"accept": func(s *Sim, _ context.Context, a Act) (Done, error) {
		m, err := s.Accept(a.With, a.Who)
		return Done{Met: &m}, err
	},
	"follow":   func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Follow(a.Who, a.With) },
	"unfollow": func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Unfollow(a.Who, a.With) },
	"press":    func(s *Sim, ctx context.Context, a Act) (Done, error) { return s.Press(ctx, a.Who, a.With, a.What) },
	"launch":   func(s *Sim, ctx context.Context, a Act) (Done, error) { return s.Launch(ctx, a.Who, a.With) },
	"locate":   func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Locate(a.Who, a.With, a.What) },
	"phone":    func(s *Sim, ctx context.Context, a Act) (Done, error) { return s.GivePhone(ctx, a.Who, a.With) },
	"allow": func(s *Sim, _ context.Context, a Act) (Done, error) {
		return Done{}, s.Agree(a.Who, a.With, a.What, true)
	},
	"deny": func(s *Sim, _ context.Context, a Act) (Done, error) {
		return Done{}, s.Agree(a.Who, a.With, a.What, false)
	},
	"chat":   func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Chat(a.Who, a.With, a.Text) },
	"reply":  func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Reply(a.Who, a.With, a.Text) },
	"ask":    func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Ask(a.Who, a.With, a.Text) },
	"tap":    func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Tap(a.Who, a.With, a.What) },
	"open":   func(s *Sim, ctx context.Context, a Act) (Done, error) { return s.open(ctx, a.Who, a.What) },
	"click":  func(s *Sim, ctx context.Context, a Act) (Done, error) { return s.open(ctx, a.Who, a.What) },
	"delete": func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Delete(a.Who, a.With) },
	"remove": func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Remove(a.Who, a.With) },
	"refuse": func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Refuse(a.Who, true) },
	"agree":  func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Refuse(a.Who, false) },
	"join":   func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Join(a.What, a.Who) },
	"leave":  func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Leave(a.What, a.Who) },
	"confirm": func(s *Sim, _ context.Context, a Act) (Done, error) {
		n, err := s.Confirm(a.What, a.Who)
		return Done{Count: n}, err
	},
	"publish": func(s *Sim, _ context.Context, a Act) (Done, error) {
		n, err := s.Publish(a.What, a.Who)
		return Done{Count: n}, err
	},
	"like": func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Echo(a.What, a.Who, a.With, "") },
	"comment": func(s *Sim, _ context.Context, a Act) (Done, error) {
		return Done{}, s.Echo(a.What, a.Who, a.With, a.Text)
	},
	"label": func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Label(a.Who, a.With, a.What) },
	"note":  func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Note(a.Who, a.With, a.Text) },
	"group": func(s *Sim, _ context.Context, a Act) (Done, error) {
		id, err := s.MakeGroup(a.Who, a.What)
		return Done{ID: id}, err
	},
	"dismiss": func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Dismiss(a.What) },
	"serve":   func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Serve(a.Who, a.With, a.Text) },
	"close":   func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.EndService(a.Who, a.With) },
	"hire":    func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Hire(a.What, a.Text) },
	"quit":    func(s *Sim, _ context.Context, a Act) (Done, error) { return Done{}, s.Quit(a.Who) },
	"invent": func(s *Sim, _ context.Context, a Act) (Done, error) {
		p, err := s.Invent(a.Who, 0)
		return Done{ID: p.ID, Person: &p}, err
	},
}

// Do does an act.
func (s *Sim) Do(ctx context.Context, a Act) (Done, error) {
	deed, ok := deeds[a.Does]
	if !ok {
		return Done{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("does", "sim.act_unknown", "act", short(a.Does, 40)))
	}
	return deed(s, ctx, a)
}

// Invent makes a person; no name makes one up.
func (s *Sim) Invent(name string, gender int) (made Person, err error) {
	if runes(name) > 30 {
		return made, errs.New(errs.Invalid, "request.invalid").On(errs.At("who", "sim.text_length", "most", 30))
	}
	err = s.at(func(w *World, now time.Time) error {
		if len(w.People) >= maxPeople {
			return errs.New(errs.Conflict, "sim.too_many")
		}
		p := w.invent(name, gender)
		s.diary.act(now, "invent", "", "", p.Name)
		made = *p
		return nil
	})
	return made, err
}

// Refuse is a person who wants, or does not want, to be handed over.
func (s *Sim) Refuse(who string, refuses bool) error {
	return s.at(func(w *World, now time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		p.RefusesTransfer = refuses
		for _, c := range w.Corps {
			s.settleTransfers(c, now)
		}
		return nil
	})
}

// Confirm is one of the staff sending a message that waits for them; "" is the
// newest that does. It gives how many it went to.
func (s *Sim) Confirm(msg, staff string) (n int, err error) {
	err = s.at(func(w *World, now time.Time) error {
		c, m, err := w.employee(staff)
		if err != nil {
			return err
		}
		for _, mass := range slices.Backward(c.Masses) {
			waits := !mass.Canceled && slices.ContainsFunc(mass.Tasks, func(t *MassTask) bool { return t.Staff == m.UserID && t.Status == 0 })
			if waits && (msg == "" || mass.ID == msg) {
				n = s.confirm(w, c, mass, m.UserID, now)
				s.diary.act(now, "confirm", "", m.UserID, mass.Content.firstWords())
				return nil
			}
		}
		return errs.New(errs.Conflict, "sim.nothing_waits")
	})
	return n, err
}

// Publish is one of the staff publishing a moment that waits for them.
func (s *Sim) Publish(moment, staff string) (n int, err error) {
	err = s.at(func(w *World, now time.Time) error {
		c, m, err := w.employee(staff)
		if err != nil {
			return err
		}
		for _, one := range slices.Backward(c.Moments) {
			waits := !one.Stopped && slices.ContainsFunc(one.Tasks, func(t *MassTask) bool { return t.Staff == m.UserID && t.Status == 0 })
			if waits && (moment == "" || one.ID == moment) {
				n = s.publish(c, one, m.UserID, now)
				s.diary.act(now, "publish", "", m.UserID, one.Content.firstWords())
				return nil
			}
		}
		return errs.New(errs.Conflict, "sim.nothing_waits")
	})
	return n, err
}

// Echo is a person liking (no text) or commenting on a moment; "" is the newest
// they see of that colleague.
func (s *Sim) Echo(moment, who, staff, text string) error {
	return s.at(func(w *World, now time.Time) error {
		p, c, m, err := s.pair(w, who, staff)
		if err != nil {
			return err
		}
		ext := c.ids[p.ID]
		for _, one := range slices.Backward(c.Moments) {
			sees := slices.ContainsFunc(one.Seen, func(x *MassSend) bool { return x.External == ext && x.Staff == m.UserID })
			if !sees || moment != "" && one.ID != moment {
				continue
			}
			e := &MomentEcho{External: ext, Staff: m.UserID, At: now, Text: text}
			if text == "" {
				one.Likes = append(one.Likes, e)
			} else {
				one.Replies = append(one.Replies, e)
			}
			s.diary.act(now, map[bool]string{true: "like", false: "comment"}[text == ""], ext, m.UserID, short(text, 60))
			return nil
		}
		return errs.New(errs.Conflict, "sim.nothing_waits")
	})
}

// Label is one of the staff giving or taking a corp tag by hand: that is called
// back, as what comes through the API is not. A tag that is not there is made.
func (s *Sim) Label(staff, who, tag string) error {
	return s.at(func(w *World, now time.Time) error {
		_, c, m, f, err := s.friends(w, who, staff)
		if err != nil {
			return err
		}
		var t *Tag
		for _, one := range c.tags {
			if one.ID == tag || one.Name == tag {
				t = one
			}
		}
		if t == nil {
			if tag == "" || runes(tag) > s.limits.WeCom.TagName {
				return errs.New(errs.Invalid, "request.invalid").On(errs.At("what", "sim.text_length", "most", s.limits.WeCom.TagName))
			}
			g := c.tagGroup(func(g *TagGroup) bool { return g.Name == "员工添加" })
			if g == nil {
				g = c.newGroup(w, "员工添加", 0, now)
			}
			t = c.newTag(w, g, tag, 0, now)
			s.tell(c, now, "change_external_tag.create", t.ID, m.UserID, wxcrypto.Elem("Id", t.ID), wxcrypto.Elem("TagType", "tag"))
		}
		if i := slices.Index(f.Tags, t.ID); i >= 0 {
			f.Tags = slices.Delete(f.Tags, i, i+1)
		} else {
			f.Tags = append(f.Tags, t.ID)
		}
		s.diary.act(now, "label", f.External, m.UserID, t.Name)
		s.edited(c, f, now)
		return nil
	})
}

// Note is one of the staff writing a remark by hand.
func (s *Sim) Note(staff, who, remark string) error {
	return s.at(func(w *World, now time.Time) error {
		_, c, m, f, err := s.friends(w, who, staff)
		if err != nil {
			return err
		}
		if runes(remark) > s.limits.WeCom.Remark {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("text", "sim.text_length", "most", s.limits.WeCom.Remark))
		}
		f.Remark = remark
		s.diary.act(now, "note", f.External, m.UserID, remark)
		s.edited(c, f, now)
		return nil
	})
}

func (s *Sim) edited(c *Corp, f *Friend, now time.Time) {
	s.tell(c, now, "change_external_contact.edit_external_contact", f.External, f.Staff, wxcrypto.Elem("UserID", f.Staff), wxcrypto.Elem("ExternalUserID", f.External))
}

// Hire brings somebody into the company's directory, with customer contact.
func (s *Sim) Hire(userid, name string) error {
	return s.at(func(w *World, now time.Time) error {
		c := w.corp("")
		if c == nil || userid == "" || len(userid) > 64 || runes(name) > 64 {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("what", "request.field_required"))
		}
		if old := c.staff[userid]; old != nil {
			old.Status, old.LeftAt = active, time.Time{}
		} else {
			m := &Member{UserID: userid, Name: first(name, userid), Departments: []int{c.Departments[0].ID}, Status: active, Follows: true}
			c.Staff = append(c.Staff, m)
			c.staff[userid] = m
		}
		s.diary.act(now, "hire", "", userid, name)
		s.tell(c, now, "change_contact.create_user", userid, userid, wxcrypto.Elem("UserID", userid), wxcrypto.Elem("Name", first(name, userid)))
		return nil
	})
}

// phoneAgent is what the browser inside WeChat calls itself.
const phoneAgent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN"

// open is a person opening an address on their phone, following where it leads.
func (s *Sim) open(ctx context.Context, who, address string) (Done, error) {
	if err := checkLink(address); err != nil {
		return Done{}, err
	}
	var about, person string
	var client http.Client
	err := s.at(func(w *World, _ time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		if len(w.Corps) > 0 {
			about = w.Corps[0].ids[p.ID]
		}
		for _, a := range w.Apps {
			about = first(about, a.ids[p.ID])
		}
		person, client = p.ID, *s.http
		client.Jar = s.jar(p.ID)
		client.CheckRedirect = nil // a browser follows where an address leads
		return nil
	})
	if err != nil {
		return Done{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Done{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("what", "sim.link_failed")).Wrap(err)
	}
	req.Header.Set("User-Agent", phoneAgent)
	req.Header.Set("Accept", "text/html,application/xhtml+xml")
	req.Header.Set(personHeader, person) // WeChat knows who holds the phone
	res, err := client.Do(req)
	if err != nil {
		return Done{}, errs.New(errs.Conflict, "sim.link_failed").Wrap(err)
	}
	_ = res.Body.Close() // only its head is wanted
	s.diary.act(s.clock.Now(), "open", about, "", address)
	return Done{Status: res.StatusCode}, nil
}

// maxJars bounds how many people's browsers are remembered.
const maxJars = 5000

// jar is what a person's browser remembers. It is called inside the world.
func (s *Sim) jar(person string) http.CookieJar {
	if have := s.jars[person]; have != nil {
		return have
	}
	if len(s.jars) >= maxJars {
		clear(s.jars)
	}
	made, _ := cookiejar.New(nil) // without options nothing fails
	s.jars[person] = made
	return made
}

// Open is a person opening an address.
func (s *Sim) Open(ctx context.Context, who, address string) (int, error) {
	d, err := s.open(ctx, who, address)
	return d.Status, err
}
