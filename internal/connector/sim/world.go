package sim

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// World is everything there is. Its fields are what is kept in a file; what can
// be found again from them is rebuilt (see index).
type World struct {
	Seed   uint64    `json:"seed"`
	Serial uint64    `json:"serial"`
	Born   time.Time `json:"born"`
	People []*Person `json:"people"`
	Corps  []*Corp   `json:"corps"`
	Apps   []*App    `json:"apps,omitempty"`
	SMS    *SMS      `json:"sms,omitempty"`
	Mail   *Mail     `json:"mail,omitempty"`

	people map[string]*Person
}

// Person is somebody with a phone.
type Person struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Gender  int     `json:"gender"` // 1 male, 2 female, 0 not told
	City    string  `json:"city,omitempty"`
	Phone   string  `json:"phone,omitempty"`
	UnionID string  `json:"unionid"`
	Chats   []*Chat `json:"chats,omitempty"`
	// RefusesTransfer: they do not want a new colleague to take over.
	RefusesTransfer bool `json:"refusesTransfer,omitempty"`
}

// Chat is one conversation on a person's phone, newest message last.
type Chat struct {
	Kind   string    `json:"kind"` // staff, group, kf, account, mini
	Corp   string    `json:"corp"`
	ID     string    `json:"id"` // userid, chat id, open_kfid or app id
	Lines  []Line    `json:"lines"`
	Unread int       `json:"unread,omitempty"`
	At     time.Time `json:"at"`
}

// Line is one message as a phone shows it.
type Line struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	From string    `json:"from"` // me, them, system
	Name string    `json:"name,omitempty"`
	Kind string    `json:"kind"` // text, image, link, miniprogram, video, file, menu, template, note
	Text string    `json:"text,omitempty"`
	// Of links, mini-programs and files.
	Title string     `json:"title,omitempty"`
	URL   string     `json:"url,omitempty"`
	Pic   string     `json:"pic,omitempty"`
	App   string     `json:"app,omitempty"`
	Page  string     `json:"page,omitempty"`
	Media string     `json:"media,omitempty"`
	Menu  []MenuItem `json:"menu,omitempty"`
	Tail  string     `json:"tail,omitempty"` // what stands below a menu
	Via   string     `json:"via,omitempty"`  // welcome, mass, kf, reply
}

// linesKept bounds a conversation.
const linesKept = 300

// Corp is a company in WeCom.
type Corp struct {
	ID          string             `json:"id"`
	Name        string             `json:"name"`
	Agents      []*Agent           `json:"agents"`
	Departments []*Department      `json:"departments"`
	Staff       []*Member          `json:"staff"`
	External    map[string]string  `json:"external"` // external_userid → person
	Friends     []*Friend          `json:"friends"`
	TagGroups   []*TagGroup        `json:"tagGroups"`
	Ways        map[string]*Way    `json:"ways"`
	WayCount    int                `json:"wayCount"`
	Groups      []*Group           `json:"groups"`
	Joins       map[string]*Join   `json:"joins"`
	Masses      []*Mass            `json:"masses"`
	Moments     []*Moment          `json:"moments"`
	GroupHellos []*GroupHello      `json:"groupHellos"`
	Media       map[string]*Media  `json:"media"`
	Transfers   []*Transfer        `json:"transfers"`
	Kf          []*KfAccount       `json:"kf"`
	Requests    []*Request         `json:"requests"`
	Jobs        map[string]string  `json:"jobs"` // jobid → moment id
	ShareUnion  bool               `json:"shareUnion"`
	App         []AppLine          `json:"app,omitempty"` // what the apps told the staff
	AppDay      string             `json:"appDay,omitempty"`
	AppCount    int                `json:"appCount,omitempty"`
	codes       map[string]*hello  // welcome codes by code
	staff       map[string]*Member // what follows is found again by index
	byStaff     map[string][]*Friend
	byExternal  map[string][]*Friend
	tags        map[string]*Tag
	ids         map[string]string // person → external_userid
	ciphers     map[string]*wxcrypto.Cipher
}

// Agent is a self-built app of a corp: what a connector signs in as.
type Agent struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Secret   string `json:"secret"`
	Customer bool   `json:"customer"` // among the "callable apps" of customer contact
	Contacts bool   `json:"contacts"` // sees the directory's particulars
	// Visible are the userids it may see; none: everybody.
	Visible []string `json:"visible,omitempty"`
	// TrustedIPs may call; none: all.
	TrustedIPs  []string `json:"trustedIPs,omitempty"`
	CallbackURL string   `json:"callbackURL,omitempty"`
	Token       string   `json:"token,omitempty"`
	AESKey      string   `json:"aesKey,omitempty"`
}

// Department of a corp.
type Department struct {
	ID       int      `json:"id"`
	Name     string   `json:"name"`
	ParentID int      `json:"parentid"`
	Order    int      `json:"order"`
	Leaders  []string `json:"department_leader"`
}

// Member is one of the staff.
type Member struct {
	UserID      string    `json:"userid"`
	Name        string    `json:"name"`
	Position    string    `json:"position"`
	Email       string    `json:"email"`
	Mobile      string    `json:"mobile"`
	Gender      int       `json:"gender"`
	Departments []int     `json:"departments"`
	Leads       []int     `json:"leads,omitempty"`
	Status      int       `json:"status"`    // 1 active, 2 disabled, 4 not yet active, 5 left
	Follows     bool      `json:"follows"`   // has customer contact
	NoVerify    bool      `json:"no_verify"` // of the own code
	LeftAt      time.Time `json:"leftAt,omitzero"`
}

// Friend is what a member and a customer are to each other.
type Friend struct {
	Staff       string      `json:"staff"`
	External    string      `json:"external"`
	Remark      string      `json:"remark,omitempty"`
	Description string      `json:"description,omitempty"`
	Company     string      `json:"company,omitempty"`
	Mobiles     []string    `json:"mobiles,omitempty"`
	Tags        []string    `json:"tags,omitempty"`
	State       string      `json:"state,omitempty"`
	AddWay      int         `json:"addWay"`
	Oper        string      `json:"oper"`
	Since       time.Time   `json:"since"`
	Gone        string      `json:"gone,omitempty"` // customer, staff, transfer, left
	GoneAt      time.Time   `json:"goneAt,omitzero"`
	Chatted     bool        `json:"chatted,omitempty"`
	Moves       []time.Time `json:"moves,omitempty"` // when they were handed over
	MassAt      []time.Time `json:"massAt,omitempty"`
}

// live tells whether they are friends now.
func (f *Friend) live() bool { return f.Gone == "" }

// TagGroup is a group of corp tags.
type TagGroup struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Order   int       `json:"order"`
	Created time.Time `json:"created"`
	Tags    []*Tag    `json:"tags"`
}

// Tag is a corp tag.
type Tag struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Order   int       `json:"order"`
	Created time.Time `json:"created"`
	group   *TagGroup
}

// Way is a contact way: a code that leads to some of the staff.
type Way struct {
	ConfigID      string          `json:"config_id"`
	Type          int             `json:"type"`
	Scene         int             `json:"scene"`
	Style         int             `json:"style,omitempty"`
	Remark        string          `json:"remark"`
	SkipVerify    bool            `json:"skip_verify"`
	State         string          `json:"state"`
	User          []string        `json:"user"`
	Party         []int           `json:"party"`
	IsTemp        bool            `json:"is_temp"`
	ExpiresIn     int             `json:"expires_in,omitempty"`
	ChatExpiresIn int             `json:"chat_expires_in,omitempty"`
	UnionID       string          `json:"unionid,omitempty"`
	IsExclusive   bool            `json:"is_exclusive,omitempty"`
	Conclusions   json.RawMessage `json:"conclusions,omitempty"`
	Created       time.Time       `json:"created"`
	Turn          int             `json:"turn"` // whose turn it is
	Scans         int             `json:"scans"`
	GoneAt        time.Time       `json:"goneAt,omitzero"`
}

// Request is a wish to become friends that a member has to accept.
type Request struct {
	Person string    `json:"person"`
	Staff  string    `json:"staff"`
	State  string    `json:"state"`
	At     time.Time `json:"at"`
}

// hello is a welcome code.
type hello struct {
	friend *Friend
	at     time.Time
	used   bool
}

// Media is something that was uploaded.
type Media struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Name    string    `json:"name"`
	Mime    string    `json:"mime"`
	Bytes   []byte    `json:"bytes"`
	Created time.Time `json:"created"`
	Lasting bool      `json:"lasting,omitempty"` // pictures by address stay
}

// newWorld is an empty one.
func newWorld(seed uint64, born time.Time) *World {
	return &World{Seed: seed, Born: born, people: map[string]*Person{}}
}

// index rebuilds what the file does not hold.
func (w *World) index() {
	w.people = map[string]*Person{}
	for _, p := range w.People {
		w.people[p.ID] = p
	}
	for _, c := range w.Corps {
		c.index()
	}
	for _, a := range w.Apps {
		a.index()
	}
	w.seedApps()
}

func (c *Corp) index() {
	fill(&c.External)
	fill(&c.Ways)
	fill(&c.Joins)
	fill(&c.Media)
	fill(&c.Jobs)
	c.codes, c.staff, c.ids, c.tags, c.ciphers = map[string]*hello{}, map[string]*Member{}, map[string]string{}, map[string]*Tag{}, map[string]*wxcrypto.Cipher{}
	c.byStaff, c.byExternal = map[string][]*Friend{}, map[string][]*Friend{}
	for _, m := range c.Staff {
		c.staff[m.UserID] = m
	}
	for ext, person := range c.External {
		c.ids[person] = ext
	}
	for _, f := range c.Friends {
		c.byStaff[f.Staff] = append(c.byStaff[f.Staff], f)
		c.byExternal[f.External] = append(c.byExternal[f.External], f)
	}
	for _, g := range c.TagGroups {
		for _, t := range g.Tags {
			t.group = g
			c.tags[t.ID] = t
		}
	}
}

func fill[K comparable, V any](m *map[K]V) {
	if *m == nil {
		*m = map[K]V{}
	}
}

func (w *World) corp(id string) *Corp {
	if id == "" && len(w.Corps) > 0 {
		return w.Corps[0]
	}
	for _, c := range w.Corps {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// friend finds what the two are, or were, to each other.
func (c *Corp) friend(staff, external string) *Friend {
	for _, f := range c.byExternal[external] {
		if f.Staff == staff {
			return f
		}
	}
	return nil
}

// liveFriend is friend, when they still are.
func (c *Corp) liveFriend(staff, external string) *Friend {
	if f := c.friend(staff, external); f != nil && f.live() {
		return f
	}
	return nil
}

// externalID is the person's name in this corp; every corp has its own for them.
func (w *World) externalID(c *Corp, p *Person) string {
	if id, ok := c.ids[p.ID]; ok {
		return id
	}
	id := "wm" + w.derive(30, "external", c.ID, p.ID)
	c.ids[p.ID], c.External[id] = id, p.ID
	return id
}

// following are a customer's friends among the staff, in the order they met.
func (c *Corp) following(external string) []*Friend {
	var out []*Friend
	for _, f := range c.byExternal[external] {
		if f.live() {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b *Friend) int { return a.Since.Compare(b.Since) })
	return out
}

// employee finds one of the staff by userid or name.
func (w *World) employee(who string) (*Corp, *Member, error) {
	for _, c := range w.Corps {
		for _, m := range c.Staff {
			if (m.UserID == who || m.Name == who) && m.Status != left {
				return c, m, nil
			}
		}
	}
	return nil, nil, errs.New(errs.NotFound, "sim.staff_not_found", "name", short(who, 60))
}

func (c *Corp) agent(id int) *Agent {
	for _, a := range c.Agents {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// below are the members of departments and of those under them.
func (c *Corp) below(departments ...int) []*Member {
	in := map[int]bool{}
	for _, d := range departments {
		in[d] = true
	}
	for grew := true; grew; {
		grew = false
		for _, d := range c.Departments {
			if in[d.ParentID] && !in[d.ID] {
				in[d.ID], grew = true, true
			}
		}
	}
	var out []*Member
	for _, m := range c.Staff {
		if m.Status != left && slices.ContainsFunc(m.Departments, func(d int) bool { return in[d] }) {
			out = append(out, m)
		}
	}
	return out
}

// The states of a member.
const (
	active = 1
	left   = 5
)
