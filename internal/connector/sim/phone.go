package sim

import (
	"slices"
	"strings"
	"time"
)

// Phone is what somebody sees when they look at their phone.
type Phone struct {
	Person    PersonView   `json:"person"`
	Externals []string     `json:"externals" doc:"The person's external_userid in each corp that knows of them, then their openid in each app"`
	Chats     []ChatView   `json:"chats" doc:"The newest first"`
	Moments   []MomentView `json:"moments" doc:"Posts of colleagues, the newest first"`
}

// PersonView is a person as lists show them.
type PersonView struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Gender          int    `json:"gender" doc:"1 male, 2 female, 0 not told"`
	City            string `json:"city,omitempty"`
	UnionID         string `json:"unionid"`
	External        string `json:"external,omitempty" doc:"external_userid in the first corp"`
	Friends         int    `json:"friends" doc:"Colleagues they are friends with"`
	Unread          int    `json:"unread"`
	RefusesTransfer bool   `json:"refusesTransfer,omitempty"`
}

// ChatView is a conversation as a phone shows it.
type ChatView struct {
	Kind   string    `json:"kind" enum:"staff,group,kf,account,mini"`
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	About  string    `json:"about,omitempty" doc:"The company's name"`
	State  string    `json:"state" enum:"friends,pending,gone,member,open" doc:"gone: one of the two has taken the other off the list; of an official account: they follow no more"`
	Unread int       `json:"unread"`
	At     time.Time `json:"at"`
	Lines  []Line    `json:"lines"`
	App    *AppSeen  `json:"app,omitempty" doc:"Of an official account or a mini-program"`
}

// MomentView is a post as customers see it.
type MomentView struct {
	ID      string    `json:"id"`
	Staff   string    `json:"staff"`
	Name    string    `json:"name"`
	At      time.Time `json:"at"`
	Lines   []Line    `json:"lines"`
	Liked   bool      `json:"liked,omitempty"`
	Replies []string  `json:"replies,omitempty" doc:"This person's comments"`
}

// Phone shows somebody's phone. Looking at it marks everything as read.
func (s *Sim) Phone(who string) (out Phone, err error) {
	err = s.at(func(w *World, _ time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		out = Phone{Person: w.view(p), Externals: []string{}, Chats: []ChatView{}, Moments: []MomentView{}}
		for _, c := range w.Corps {
			ext, ok := c.ids[p.ID]
			if !ok {
				continue
			}
			out.Externals = append(out.Externals, ext)
			out.Moments = append(out.Moments, w.momentsFor(c, ext)...)
		}
		for _, a := range w.Apps {
			if open, ok := a.ids[p.ID]; ok {
				out.Externals = append(out.Externals, open)
			}
		}
		for _, c := range p.Chats {
			out.Chats = append(out.Chats, w.chatView(p, c))
			c.Unread = 0
		}
		slices.SortStableFunc(out.Chats, func(a, b ChatView) int { return b.At.Compare(a.At) })
		slices.SortStableFunc(out.Moments, func(a, b MomentView) int { return b.At.Compare(a.At) })
		return nil
	})
	return out, err
}

func (w *World) view(p *Person) PersonView {
	v := PersonView{ID: p.ID, Name: p.Name, Gender: p.Gender, City: p.City, UnionID: p.UnionID, RefusesTransfer: p.RefusesTransfer}
	for i, c := range w.Corps {
		ext := c.ids[p.ID]
		if i == 0 {
			v.External = ext
		}
		v.Friends += len(c.following(ext))
	}
	for _, c := range p.Chats {
		v.Unread += c.Unread
	}
	return v
}

func (w *World) chatView(p *Person, c *Chat) ChatView {
	v := ChatView{Kind: c.Kind, ID: c.ID, Name: c.ID, State: "open", Unread: c.Unread, At: c.At, Lines: slices.Clone(c.Lines)}
	if c.Kind == "account" || c.Kind == "mini" {
		w.appSeen(&v, p)
		return v
	}
	corp := w.corp(c.Corp)
	if corp == nil {
		return v
	}
	v.About = corp.Name
	switch c.Kind {
	case "staff":
		if m := corp.staff[c.ID]; m != nil {
			v.Name = m.Name
		}
		switch {
		case corp.liveFriend(c.ID, corp.ids[p.ID]) != nil:
			v.State = "friends"
		case slices.ContainsFunc(corp.Requests, func(r *Request) bool { return r.Person == p.ID && r.Staff == c.ID }):
			v.State = "pending"
		default:
			v.State = "gone"
		}
	case "group":
		v.State = "gone"
		if g := corp.group(c.ID); g != nil {
			v.Name = g.Name
			if g.has(corp.ids[p.ID]) {
				v.State = "member"
			}
		}
	case "kf":
		for _, k := range corp.Kf {
			if k.ID == c.ID {
				v.Name = k.Name
			}
		}
	}
	return v
}

func (w *World) momentsFor(c *Corp, ext string) []MomentView {
	var out []MomentView
	for _, m := range c.Moments {
		for _, seen := range m.Seen {
			if seen.External != ext {
				continue
			}
			v := MomentView{ID: m.ID, Staff: seen.Staff, Name: c.staff[seen.Staff].Name, At: seen.At, Lines: m.Content.view(seen.At)}
			v.Liked = slices.ContainsFunc(m.Likes, func(e *MomentEcho) bool { return e.External == ext && e.Staff == seen.Staff })
			for _, e := range m.Replies {
				if e.External == ext && e.Staff == seen.Staff {
					v.Replies = append(v.Replies, e.Text)
				}
			}
			out = append(out, v)
		}
	}
	return out
}

// People lists those whose name has the letters in it, friends of the company
// first.
func (s *Sim) People(q string, limit int) []PersonView {
	out := []PersonView{}
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		for _, p := range slices.Backward(w.People) { // whom one has just invented is at the top
			if q == "" || strings.Contains(p.Name, q) {
				out = append(out, w.view(p))
			}
			if len(out) >= 2000 {
				break
			}
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b PersonView) int { return min(a.Friends, 1) - min(b.Friends, 1) }) // strangers have the most before them: they scan
	return out[:min(len(out), limit)]
}

// StaffView is one of the staff, and what waits for them.
type StaffView struct {
	UserID   string `json:"userid"`
	Name     string `json:"name"`
	Position string `json:"position,omitempty"`
	Active   bool   `json:"active"`
	Follows  bool   `json:"follows" doc:"Has customer contact"`
	Friends  int    `json:"friends"`
	Requests int    `json:"requests" doc:"People who wait to be accepted"`
	Messages int    `json:"messages" doc:"Messages to customers that wait to be confirmed"`
	Moments  int    `json:"moments" doc:"Moments that wait to be published"`
}

// CodeView is a code that can be scanned.
type CodeView struct {
	ID     string   `json:"id"`
	Kind   string   `json:"kind" enum:"way,join,scene,mini"`
	State  string   `json:"state,omitempty"`
	Remark string   `json:"remark,omitempty"`
	Staff  []string `json:"staff" doc:"Names of those it leads to"`
	Scans  int      `json:"scans"`
	Over   bool     `json:"over,omitempty" doc:"It has expired"`
}

// GroupView is a customer group.
type GroupView struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Owner   string `json:"owner"`
	Members int    `json:"members"`
}

// CorpView is a company of the world, with what a connector is set up with.
type CorpView struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	AgentID  int         `json:"agentId"`
	Callback string      `json:"callback,omitempty" doc:"Where it is called back; empty: nobody listens"`
	Staff    []StaffView `json:"staff"`
	Codes    []CodeView  `json:"codes" doc:"The newest first"`
	Groups   []GroupView `json:"groups"`
	Services []Named     `json:"services" doc:"Customer service accounts"`
}

// Named is an id with its name.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// codesShown bounds how many codes are listed.
const codesShown = 200

// Corps lists the companies.
func (s *Sim) Corps() []CorpView {
	out := []CorpView{}
	_ = s.at(func(w *World, now time.Time) error { // looking changes nothing that could fail
		for _, c := range w.Corps {
			out = append(out, c.view(now))
		}
		return nil
	})
	return out
}

func (c *Corp) view(now time.Time) CorpView {
	v := CorpView{ID: c.ID, Name: c.Name, Staff: []StaffView{}, Codes: []CodeView{}, Groups: []GroupView{}, Services: []Named{}}
	if len(c.Agents) > 0 {
		v.AgentID, v.Callback = c.Agents[0].ID, c.Agents[0].CallbackURL
	}
	for _, m := range c.Staff {
		v.Staff = append(v.Staff, c.staffView(m))
	}
	ways := make([]*Way, 0, len(c.Ways))
	for _, w := range c.Ways {
		ways = append(ways, w)
	}
	slices.SortFunc(ways, func(a, b *Way) int {
		if d := b.Created.Compare(a.Created); d != 0 {
			return d
		}
		return strings.Compare(a.ConfigID, b.ConfigID)
	})
	for _, w := range ways[:min(len(ways), codesShown)] {
		one := CodeView{ID: w.ConfigID, Kind: "way", State: w.State, Remark: w.Remark, Staff: []string{}, Scans: w.Scans, Over: w.over(now)}
		for _, id := range w.User {
			if m := c.staff[id]; m != nil {
				one.Staff = append(one.Staff, m.Name)
			}
		}
		v.Codes = append(v.Codes, one)
	}
	for _, j := range c.Joins {
		v.Codes = append(v.Codes, CodeView{ID: j.ConfigID, Kind: "join", State: j.State, Remark: j.Remark, Staff: []string{}})
	}
	for _, g := range c.Groups {
		if !g.Gone {
			v.Groups = append(v.Groups, GroupView{ID: g.ID, Name: g.Name, Owner: g.Owner, Members: len(g.Members)})
		}
	}
	for _, k := range c.Kf {
		v.Services = append(v.Services, Named{k.ID, k.Name})
	}
	return v
}

func (c *Corp) staffView(m *Member) StaffView {
	v := StaffView{UserID: m.UserID, Name: m.Name, Position: m.Position, Active: m.Status == active, Follows: m.Follows, Friends: c.customers(m.UserID)}
	for _, r := range c.Requests {
		if r.Staff == m.UserID {
			v.Requests++
		}
	}
	waits := func(t *MassTask) bool { return t.Staff == m.UserID && t.Status == 0 }
	for _, x := range c.Masses {
		if !x.Canceled && slices.ContainsFunc(x.Tasks, waits) {
			v.Messages++
		}
	}
	for _, x := range c.Moments {
		if !x.Stopped && slices.ContainsFunc(x.Tasks, waits) {
			v.Moments++
		}
	}
	return v
}

// Access is what a connector signs in to the world's companies with. They are
// secrets of nobody: the world is made up.
type Access struct {
	CorpID  string `json:"corpId"`
	Name    string `json:"name"`
	AgentID int    `json:"agentId"`
	Secret  string `json:"secret"`
	Token   string `json:"token"`
	AESKey  string `json:"aesKey"`
}

// Access gives the credentials of the first app of the n-th company.
func (s *Sim) Access(n int) (out Access) {
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		if n < len(w.Corps) {
			c := w.Corps[n]
			a := c.Agents[0]
			out = Access{CorpID: c.ID, Name: c.Name, AgentID: a.ID, Secret: a.Secret, Token: a.Token, AESKey: a.AESKey}
		}
		return nil
	})
	return out
}
