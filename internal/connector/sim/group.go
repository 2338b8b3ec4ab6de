package sim

import (
	"slices"
	"strconv"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Group is a customer group.
type Group struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Notice   string         `json:"notice,omitempty"`
	Owner    string         `json:"owner"`
	Created  time.Time      `json:"created"`
	Members  []*GroupMember `json:"members"`
	Gone     bool           `json:"gone,omitempty"`
	Status   int            `json:"status"` // 0 fine, 1 the owner left, 2 being handed over, 3 handed over
	Version  int            `json:"version"`
	MovedDay string         `json:"movedDay,omitempty"`
}

// GroupMember is somebody in a group.
type GroupMember struct {
	ID      string    `json:"id"`   // userid or external_userid
	Type    int       `json:"type"` // 1 staff, 2 customer
	Joined  time.Time `json:"joined"`
	Scene   int       `json:"scene"` // 1 asked by a member, 2 by a link, 3 by a code
	State   string    `json:"state,omitempty"`
	Invitor string    `json:"invitor,omitempty"`
}

// Join is a join way: a code that leads into one of some groups.
type Join struct {
	ConfigID string   `json:"config_id"`
	Scene    int      `json:"scene"`
	Remark   string   `json:"remark"`
	Auto     int      `json:"auto_create_room"`
	Base     string   `json:"room_base_name"`
	BaseID   int      `json:"room_base_id"`
	ChatIDs  []string `json:"chat_id_list"`
	State    string   `json:"state"`
}

// GroupHello is a welcome of groups.
type GroupHello struct {
	ID      string  `json:"id"`
	Content content `json:"content"`
}

func (c *Corp) group(id string) *Group {
	for _, g := range c.Groups {
		if g.ID == id {
			return g
		}
	}
	return nil
}

func (g *Group) has(id string) bool {
	return slices.ContainsFunc(g.Members, func(m *GroupMember) bool { return m.ID == id })
}

// say puts lines on the phones of all customers in a group.
func (g *Group) say(w *World, c *Corp, lines ...Line) {
	for _, m := range g.Members {
		if p := w.people[c.External[m.ID]]; p != nil && m.Type == 2 {
			p.chat("group", c.ID, g.ID).say(lines...)
		}
	}
}

// version names a state of the members.
func (g *Group) version(w *World) string { return w.derive(32, g.ID, strconv.Itoa(g.Version)) }

func groupList(c *call) (answer, error) {
	var in struct {
		Status int `json:"status_filter"`
		Owners *struct {
			Users []string `json:"userid_list"`
		} `json:"owner_filter"`
		Cursor string `json:"cursor"`
		Limit  int    `json:"limit"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if in.Limit < 1 || in.Limit > c.s.limits.WeCom.GroupListPage {
		return nil, refuseOn(40058, "limit")
	}
	if in.Owners != nil && len(in.Owners.Users) > 100 {
		return nil, refuse(40032)
	}
	var all []*Group
	for _, g := range c.corp.Groups {
		if g.Gone || !c.sees(g.Owner) || in.Status != 0 && g.Status != in.Status || in.Owners != nil && len(in.Owners.Users) > 0 && !slices.Contains(in.Owners.Users, g.Owner) {
			continue
		}
		all = append(all, g)
	}
	cut, next, err := page(all, in.Cursor, in.Limit, c.s.limits.WeCom.GroupListPage)
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, g := range cut {
		out = append(out, answer{"chat_id": g.ID, "status": g.Status})
	}
	return answer{"group_chat_list": out, "next_cursor": next}, nil
}

func (c *call) liveGroup(id string) (*Group, error) {
	g := c.corp.group(id)
	switch {
	case id == "":
		return nil, refuse(86001)
	case g == nil:
		return nil, refuse(86003)
	case g.Gone:
		return nil, refuse(49008)
	}
	return g, nil
}

func groupGet(c *call) (answer, error) {
	var in struct {
		ID   string `json:"chat_id"`
		Name int    `json:"need_name"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	g, err := c.liveGroup(in.ID)
	if err != nil {
		return nil, err
	}
	members := []answer{}
	for _, m := range g.Members {
		one := answer{"userid": m.ID, "type": m.Type, "join_time": m.Joined.Unix(), "join_scene": m.Scene, "group_nickname": ""}
		if m.Invitor != "" {
			one["invitor"] = answer{"userid": m.Invitor}
		}
		if m.State != "" {
			one["state"] = m.State
		}
		if p := c.w.people[c.corp.External[m.ID]]; p != nil && m.Type == 2 {
			if c.corp.ShareUnion {
				one["unionid"] = p.UnionID
			}
			if in.Name == 1 {
				one["name"] = p.Name
			}
		} else if s := c.corp.staff[m.ID]; s != nil && in.Name == 1 {
			one["name"] = s.Name
		}
		members = append(members, one)
	}
	return answer{"group_chat": answer{"chat_id": g.ID, "name": g.Name, "owner": g.Owner, "create_time": g.Created.Unix(), "notice": g.Notice,
		"member_list": members, "admin_list": []answer{}, "member_version": g.version(c.w)}}, nil
}

// joinWay reads and checks a join way.
func (c *call) joinWay(j *Join) error {
	l := c.s.limits.WeCom
	switch {
	case j.Scene != 1 && j.Scene != 2:
		return refuse(41040)
	case len(j.ChatIDs) == 0 || len(j.ChatIDs) > l.JoinGroups:
		return refuseOn(40058, "chat_id_list")
	case runes(j.State) > l.WayState || runes(j.Remark) > l.WayRemark:
		return refuseOn(40058, "state or remark exceeds max length")
	}
	for _, id := range j.ChatIDs {
		if _, err := c.liveGroup(id); err != nil {
			return err
		}
	}
	return nil
}

func addJoinWay(c *call) (answer, error) {
	j := &Join{Auto: 1}
	if err := c.in(j); err != nil {
		return nil, err
	}
	if len(c.corp.Ways)+len(c.corp.Joins) >= c.s.limits.WeCom.Ways {
		return nil, refuse(41045)
	}
	if err := c.joinWay(j); err != nil {
		return nil, err
	}
	j.ConfigID = c.w.hexID(32)
	c.corp.Joins[j.ConfigID] = j
	return answer{"config_id": j.ConfigID}, nil
}

func (c *call) join() (*Join, error) {
	var in struct {
		ConfigID string `json:"config_id"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if in.ConfigID == "" {
		return nil, refuse(41043)
	}
	if j := c.corp.Joins[in.ConfigID]; j != nil {
		return j, nil
	}
	return nil, refuse(41044)
}

func getJoinWay(c *call) (answer, error) {
	j, err := c.join()
	if err != nil {
		return nil, err
	}
	return answer{"join_way": answer{"config_id": j.ConfigID, "scene": j.Scene, "remark": j.Remark, "auto_create_room": j.Auto, "room_base_name": j.Base,
		"room_base_id": j.BaseID, "chat_id_list": j.ChatIDs, "qr_code": c.qrCode(j.ConfigID), "state": j.State}}, nil
}

func updateJoinWay(c *call) (answer, error) {
	j, err := c.join()
	if err != nil {
		return nil, err
	}
	changed := *j
	if err := c.in(&changed); err != nil {
		return nil, err
	}
	if err := c.joinWay(&changed); err != nil {
		return nil, err
	}
	*j = changed
	return nil, nil
}

func delJoinWay(c *call) (answer, error) {
	j, err := c.join()
	if err != nil {
		return nil, err
	}
	delete(c.corp.Joins, j.ConfigID)
	return nil, nil
}

// scanJoin leads a person into the first group that has room.
func (s *Sim) scanJoin(w *World, c *Corp, j *Join, p *Person, now time.Time) (Met, error) {
	for _, id := range j.ChatIDs {
		g := c.group(id)
		if g == nil || g.Gone || len(g.Members) >= s.limits.WeCom.GroupMembers {
			continue
		}
		met := Met{Person: p.ID, Corp: c.ID, Staff: g.Owner, External: w.externalID(c, p), State: j.State, GroupID: g.ID}
		if g.has(met.External) {
			met.Already = true
			return met, nil
		}
		s.enter(w, c, g, p, 3, j.State, now)
		return met, nil
	}
	return Met{}, errs.New(errs.Conflict, "sim.group_full")
}

// enter puts a person into a group and calls it back.
func (s *Sim) enter(w *World, c *Corp, g *Group, p *Person, scene int, state string, now time.Time) {
	ext := w.externalID(c, p)
	last := g.version(w)
	g.Members = append(g.Members, &GroupMember{ID: ext, Type: 2, Joined: now, Scene: scene, State: state})
	g.Version++
	p.chat("group", c.ID, g.ID).note(w, now, "joined", g.Name)
	s.diary.act(now, "join", ext, g.Owner, g.Name)
	s.tellGroup(w, c, g, "add_member", ext, last, now, wxcrypto.Raw("JoinScene", strconv.Itoa(scene)))
}

// exit takes a person out of a group; scene 0 is by themselves, 1 by the owner.
func (s *Sim) exit(w *World, c *Corp, g *Group, p *Person, scene int, now time.Time) {
	ext := w.externalID(c, p)
	last := g.version(w)
	g.Members = slices.DeleteFunc(g.Members, func(m *GroupMember) bool { return m.ID == ext })
	g.Version++
	p.chat("group", c.ID, g.ID).note(w, now, "group_left", g.Name)
	s.diary.act(now, "leave", ext, g.Owner, g.Name)
	s.tellGroup(w, c, g, "del_member", ext, last, now, wxcrypto.Raw("QuitScene", strconv.Itoa(scene)))
}

func (s *Sim) tellGroup(w *World, c *Corp, g *Group, detail, who, last string, now time.Time, more ...wxcrypto.Node) {
	nodes := []wxcrypto.Node{wxcrypto.Elem("ChatId", g.ID), wxcrypto.Elem("UpdateDetail", detail)}
	nodes = append(nodes, more...)
	if who != "" {
		nodes = append(nodes, wxcrypto.Raw("MemChangeCnt", "1"), wxcrypto.Group("MemChangeList", wxcrypto.Elem("Item", who)),
			wxcrypto.Elem("LastMemVer", last), wxcrypto.Elem("CurMemVer", g.version(w)))
	}
	s.tell(c, now, "change_external_chat.update", g.ID, g.Owner, nodes...)
}

// MakeGroup is one of the staff opening a customer group.
func (s *Sim) MakeGroup(staff, name string) (id string, err error) {
	err = s.at(func(w *World, now time.Time) error {
		for _, c := range w.Corps {
			m := c.staff[staff]
			if m == nil {
				continue
			}
			g := c.newChat(w, m, name, now)
			id = g.ID
			s.diary.act(now, "make_group", "", m.UserID, name)
			s.tell(c, now, "change_external_chat.create", g.ID, m.UserID, wxcrypto.Elem("ChatId", g.ID))
			return nil
		}
		return errs.New(errs.NotFound, "sim.staff_not_found", "name", short(staff, 60))
	})
	return id, err
}

func (c *Corp) newChat(w *World, owner *Member, name string, now time.Time) *Group {
	g := &Group{ID: w.next("wr", 32), Name: name, Owner: owner.UserID, Created: now, Members: []*GroupMember{{ID: owner.UserID, Type: 1, Joined: now, Scene: 1}}}
	c.Groups = append(c.Groups, g)
	return g
}

// inGroup finds a group by id, name or join way.
func (w *World) inGroup(what string) (*Corp, *Group, error) {
	for _, c := range w.Corps {
		for _, g := range c.Groups {
			if g.ID == what || g.Name == what {
				return c, g, nil
			}
		}
		if j := c.Joins[codeOf(what)]; j != nil {
			return c, c.group(j.ChatIDs[0]), nil
		}
	}
	return nil, nil, errs.New(errs.NotFound, "sim.group_not_found")
}

// Join is a person entering a group: by its id or name as if a member had asked
// them in, by a join way as if they had scanned it.
func (s *Sim) Join(what, who string) error {
	return s.at(func(w *World, now time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		for _, c := range w.Corps {
			if j := c.Joins[codeOf(what)]; j != nil {
				_, err := s.scanJoin(w, c, j, p, now)
				return err
			}
		}
		c, g, err := w.inGroup(what)
		if err != nil {
			return err
		}
		if g.has(w.externalID(c, p)) {
			return nil
		}
		if len(g.Members) >= s.limits.WeCom.GroupMembers {
			return errs.New(errs.Conflict, "sim.group_full")
		}
		s.enter(w, c, g, p, 1, "", now)
		return nil
	})
}

// Leave is a person going out of a group.
func (s *Sim) Leave(what, who string) error {
	return s.at(func(w *World, now time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		c, g, err := w.inGroup(what)
		if err != nil {
			return err
		}
		if !g.has(c.ids[p.ID]) {
			return errs.New(errs.Conflict, "sim.not_in_group")
		}
		s.exit(w, c, g, p, 0, now)
		return nil
	})
}
