package sim

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Met is what came of a scan.
type Met struct {
	Person   string `json:"person"`
	Corp     string `json:"corp"`
	Staff    string `json:"staff"`             // userid of whom they met
	External string `json:"external"`          // the person's external_userid there
	State    string `json:"state,omitempty"`   // of the code
	Pending  bool   `json:"pending,omitempty"` // the member has to accept first
	Already  bool   `json:"already,omitempty"` // they were friends before: the chat just opens
	Welcome  string `json:"welcome,omitempty"` // the welcome code that was called back
	GroupID  string `json:"groupId,omitempty"` // when the code led into a group
	Outside  string `json:"outside,omitempty"` // when the code is an ordinary address: open it
	App      string `json:"app,omitempty"`     // the official account or mini-program it leads to; External is the openid then
	Mini     bool   `json:"mini,omitempty"`    // a code of a mini-program, which opens with State
}

// find looks a person up by id or, when it is nobody else's, by name.
func (w *World) find(who string) (*Person, error) {
	if p := w.people[who]; p != nil {
		return p, nil
	}
	var found *Person
	for _, p := range w.People {
		if p.Name == who || p.UnionID == who {
			if found != nil {
				return nil, errs.New(errs.Invalid, "sim.person_unclear", "name", who)
			}
			found = p
		}
	}
	for _, c := range w.Corps {
		if id, ok := c.External[who]; ok {
			return w.people[id], nil
		}
	}
	for _, a := range w.Apps {
		if id, ok := a.Open[who]; ok {
			return w.people[id], nil
		}
	}
	if found == nil {
		return nil, errs.New(errs.NotFound, "sim.person_not_found", "name", short(who, 60))
	}
	return found, nil
}

// codeOf takes the config id out of whatever was scanned: an id, the address of
// the code's picture, or a text that names one.
func codeOf(scanned string) string {
	s := strings.TrimSpace(scanned)
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		if !strings.Contains(u.Path, "/sim/qr/") && !strings.Contains(u.Path, "/sim/c/") {
			return ""
		}
		s = path.Base(u.Path)
	}
	return strings.TrimSuffix(strings.TrimSuffix(s, ".svg"), ".png")
}

// Scan is a person pointing their phone at a code: a contact way, a group's
// join way, or a colleague's own code (user:<userid>).
func (s *Sim) Scan(code, who string) (met Met, err error) {
	err = s.at(func(w *World, now time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		id := codeOf(code)
		if id == "" {
			met = Met{Person: p.ID, Outside: strings.TrimSpace(code)}
			return checkLink(met.Outside)
		}
		for _, c := range w.Corps {
			if way := c.Ways[id]; way != nil {
				met, err = s.scanWay(w, c, way, p, now)
				return err
			}
			if j := c.Joins[id]; j != nil {
				met, err = s.scanJoin(w, c, j, p, now)
				return err
			}
			if userid, own := strings.CutPrefix(id, "user:"); own && c.staff[userid] != nil {
				met, err = s.scanMember(w, c, c.staff[userid], p, now)
				return err
			}
		}
		for _, a := range w.Apps {
			if code := a.Scenes[id]; code != nil {
				met, err = s.scanScene(w, a, code, p, now)
				return err
			}
			if code := a.MiniCodes[id]; code != nil {
				met = s.scanMini(w, a, code, p, now)
				return nil
			}
			if own, ok := miniOf(id); ok && own == a.ID { // a link into a mini-program
				met = Met{Person: p.ID, App: a.ID, External: w.openID(a, p)}
				return nil
			}
		}
		return errs.New(errs.NotFound, "sim.code_not_found")
	})
	return met, err
}

func checkLink(s string) error {
	if err := checkURL(s); err != nil || len(s) > 2000 {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("what", "sim.code_not_found"))
	}
	return nil
}

// The ways in which somebody came, as add_way has them.
const (
	addByCode  = 1
	addByAdmin = 202
)

func (s *Sim) scanWay(w *World, c *Corp, way *Way, p *Person, now time.Time) (Met, error) {
	if way.over(now) {
		return Met{}, errs.New(errs.Conflict, "sim.code_expired")
	}
	way.Scans++
	ext := w.externalID(c, p)
	// Somebody who knows one of them already comes to that one's chat again.
	for _, f := range c.following(ext) {
		if slices.Contains(way.User, f.Staff) || slices.Contains(c.below(way.Party...), c.staff[f.Staff]) {
			s.diary.act(now, "scan", ext, f.Staff, "already")
			p.chat("staff", c.ID, f.Staff).At = now
			return Met{Person: p.ID, Corp: c.ID, Staff: f.Staff, External: ext, State: way.State, Already: true}, nil
		}
	}
	m := c.meet(way)
	if m == nil {
		return Met{}, errs.New(errs.Conflict, "sim.code_nobody")
	}
	s.diary.act(now, "scan", ext, m.UserID, way.State)
	if !way.SkipVerify {
		c.ask(&Request{Person: p.ID, Staff: m.UserID, State: way.State, At: now})
		p.chat("staff", c.ID, m.UserID).note(w, now, "pending", m.Name)
		return Met{Person: p.ID, Corp: c.ID, Staff: m.UserID, External: ext, State: way.State, Pending: true}, nil
	}
	code := s.befriend(w, c, p, m, way.State, addByCode, ext, now, "add_external_contact")
	return Met{Person: p.ID, Corp: c.ID, Staff: m.UserID, External: ext, State: way.State, Welcome: code}, nil
}

// scanMember is a colleague's own code: without a check they are half friends
// until the colleague answers.
func (s *Sim) scanMember(w *World, c *Corp, m *Member, p *Person, now time.Time) (Met, error) {
	if m.Status != active || !m.Follows {
		return Met{}, errs.New(errs.Conflict, "sim.code_nobody")
	}
	ext := w.externalID(c, p)
	met := Met{Person: p.ID, Corp: c.ID, Staff: m.UserID, External: ext}
	if c.liveFriend(m.UserID, ext) != nil {
		met.Already = true
		return met, nil
	}
	s.diary.act(now, "scan", ext, m.UserID, "")
	c.ask(&Request{Person: p.ID, Staff: m.UserID, At: now})
	p.chat("staff", c.ID, m.UserID).note(w, now, "pending", m.Name)
	met.Pending = true
	if m.NoVerify {
		met.Welcome = w.next("", 43)
		// The code greets them even before the colleague has answered.
		f := &Friend{Staff: m.UserID, External: ext, Since: now, Oper: ext, AddWay: addByCode}
		c.codes[met.Welcome] = &hello{friend: f, at: now}
		s.tell(c, now, "change_external_contact.add_half_external_contact", ext, m.UserID,
			wxcrypto.Elem("UserID", m.UserID), wxcrypto.Elem("ExternalUserID", ext), wxcrypto.Elem("WelcomeCode", met.Welcome))
	}
	return met, nil
}

func (c *Corp) ask(r *Request) {
	c.Requests = slices.DeleteFunc(c.Requests, func(o *Request) bool { return o.Person == r.Person && o.Staff == r.Staff })
	c.Requests = append(c.Requests, r)
}

// befriend makes them friends and calls it back. A welcome code goes with it
// unless they have talked before.
func (s *Sim) befriend(w *World, c *Corp, p *Person, m *Member, state string, way int, oper string, now time.Time, change string) string {
	ext := w.externalID(c, p)
	f := c.friend(m.UserID, ext)
	if f == nil {
		f = &Friend{Staff: m.UserID, External: ext}
		c.Friends = append(c.Friends, f)
		c.byStaff[m.UserID] = append(c.byStaff[m.UserID], f)
		c.byExternal[ext] = append(c.byExternal[ext], f)
	}
	f.Since, f.Gone, f.GoneAt, f.State, f.AddWay, f.Oper = now, "", time.Time{}, state, way, oper
	p.chat("staff", c.ID, m.UserID).note(w, now, "friends", m.Name)
	nodes := []wxcrypto.Node{wxcrypto.Elem("UserID", m.UserID), wxcrypto.Elem("ExternalUserID", ext)}
	if state != "" {
		nodes = append(nodes, wxcrypto.Elem("State", state))
	}
	code := ""
	if !f.Chatted && way != addByAdmin {
		code = w.next("", 43)
		c.codes[code] = &hello{friend: f, at: now}
		nodes = append(nodes, wxcrypto.Elem("WelcomeCode", code))
	}
	s.tell(c, now, "change_external_contact."+change, ext, m.UserID, nodes...)
	return code
}

// Accept is a member taking a request.
func (s *Sim) Accept(who, staff string) (met Met, err error) {
	err = s.at(func(w *World, now time.Time) error {
		p, c, m, err := s.pair(w, who, staff)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(c.Requests, func(r *Request) bool { return r.Person == p.ID && r.Staff == m.UserID })
		if i < 0 {
			return errs.New(errs.Conflict, "sim.nothing_waits")
		}
		r := c.Requests[i]
		c.Requests = slices.Delete(c.Requests, i, i+1)
		ext := w.externalID(c, p)
		s.diary.act(now, "accept", ext, m.UserID, "")
		met = Met{Person: p.ID, Corp: c.ID, Staff: m.UserID, External: ext, State: r.State}
		met.Welcome = s.befriend(w, c, p, m, r.State, addByCode, ext, now, "add_external_contact")
		return nil
	})
	return met, err
}

// pair finds a person and one of the staff.
func (s *Sim) pair(w *World, who, staff string) (*Person, *Corp, *Member, error) {
	p, err := w.find(who)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, c := range w.Corps {
		if m := c.staff[staff]; m != nil {
			return p, c, m, nil
		}
		for _, m := range c.Staff {
			if m.Name == staff {
				return p, c, m, nil
			}
		}
		if staff == "" { // whom they met last
			var last *Friend
			for _, f := range c.following(c.ids[p.ID]) {
				last = f
			}
			if last != nil {
				return p, c, c.staff[last.Staff], nil
			}
		}
	}
	if staff == "" {
		return nil, nil, nil, errs.New(errs.Conflict, "sim.not_friends")
	}
	return nil, nil, nil, errs.New(errs.NotFound, "sim.staff_not_found", "name", short(staff, 60))
}

// friends is pair, when they are friends.
func (s *Sim) friends(w *World, who, staff string) (*Person, *Corp, *Member, *Friend, error) {
	p, c, m, err := s.pair(w, who, staff)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	f := c.liveFriend(m.UserID, c.ids[p.ID])
	if f == nil {
		return nil, nil, nil, nil, errs.New(errs.Conflict, "sim.not_friends")
	}
	return p, c, m, f, nil
}

// Chat is a customer writing to a colleague. WeCom tells no app of it: the words
// stay between the two phones, but from now on no welcome can be sent.
func (s *Sim) Chat(who, staff, text string) error { return s.talk(who, staff, text, "me") }

// Reply is a colleague writing to a customer by hand.
func (s *Sim) Reply(staff, who, text string) error { return s.talk(who, staff, text, "them") }

func (s *Sim) talk(who, staff, text, from string) error {
	if text == "" || len(text) > 4000 {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("text", "sim.text_length", "most", 4000))
	}
	return s.at(func(w *World, now time.Time) error {
		p, c, m, f, err := s.friends(w, who, staff)
		if err != nil {
			return err
		}
		f.Chatted = true
		l := Line{ID: w.next("m", 20), At: now, From: from, Kind: "text", Text: text, Name: m.Name}
		does := "reply"
		if from == "me" {
			l.Name, does = p.Name, "chat"
		}
		p.chat("staff", c.ID, m.UserID).say(l)
		s.diary.act(now, does, f.External, m.UserID, short(text, 60))
		return nil
	})
}

// Delete is a customer taking a colleague off their list.
func (s *Sim) Delete(who, staff string) error {
	return s.part(who, staff, "customer", "delete", "del_follow_user")
}

// Remove is a colleague taking a customer off theirs.
func (s *Sim) Remove(staff, who string) error {
	return s.part(who, staff, "staff", "remove", "del_external_contact")
}

func (s *Sim) part(who, staff, by, does, change string) error {
	return s.at(func(w *World, now time.Time) error {
		p, c, m, f, err := s.friends(w, who, staff)
		if err != nil {
			return err
		}
		f.Gone, f.GoneAt = by, now
		p.chat("staff", c.ID, m.UserID).note(w, now, by+"_left", m.Name)
		s.diary.act(now, does, f.External, m.UserID, "")
		s.tell(c, now, "change_external_contact."+change, f.External, m.UserID, wxcrypto.Elem("UserID", m.UserID), wxcrypto.Elem("ExternalUserID", f.External))
		return nil
	})
}
