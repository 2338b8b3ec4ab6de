package sim

import (
	"slices"
	"time"
)

// Mass is a message to many that the staff have to confirm.
type Mass struct {
	ID       string      `json:"id"`
	Chat     string      `json:"chat"` // single, group
	Creator  string      `json:"creator"`
	Created  time.Time   `json:"created"`
	Content  content     `json:"content"`
	Tasks    []*MassTask `json:"tasks"`
	Sends    []*MassSend `json:"sends"`
	Reminds  []time.Time `json:"reminds,omitempty"`
	Canceled bool        `json:"canceled,omitempty"`
}

// MassTask is what one of the staff has to confirm.
type MassTask struct {
	Staff  string    `json:"staff"`
	Status int       `json:"status"` // 0 not yet, 2 sent
	At     time.Time `json:"at,omitzero"`
}

// MassSend is what becomes of it for one customer or group.
type MassSend struct {
	External string    `json:"external,omitempty"`
	ChatID   string    `json:"chatId,omitempty"`
	Staff    string    `json:"staff"`
	Status   int       `json:"status"` // 0 not yet, 1 sent, 2 no friend, 3 had one already
	At       time.Time `json:"at,omitzero"`
}

// massInput is what a message to many is made of.
type massInput struct {
	Chat      string   `json:"chat_type"`
	Externals []string `json:"external_userid"`
	ChatIDs   []string `json:"chat_id_list"`
	Sender    string   `json:"sender"`
	Tags      *struct {
		Groups []struct {
			Tags []string `json:"tag_list"`
		} `json:"group_list"`
	} `json:"tag_filter"`
	content
}

func addMassMessage(c *call) (answer, error) {
	var in massInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	l := c.s.limits.WeCom
	switch {
	case in.Chat == "":
		in.Chat = "single"
	case in.Chat != "single" && in.Chat != "group":
		return nil, refuse(86214)
	}
	if len(in.Externals) > l.MassCustomers || len(in.ChatIDs) > l.MassGroups {
		return nil, refuseOn(40058, "too many receivers")
	}
	if in.Sender != "" {
		if _, err := c.follower(in.Sender); err != nil {
			return nil, err
		}
	}
	if in.Sender == "" && (in.Chat == "group" || len(in.Externals) == 0) {
		return nil, refuseOn(40058, "sender")
	}
	if err := c.check(in.content); err != nil {
		return nil, err
	}
	m := &Mass{ID: c.w.next("msg", 35), Chat: in.Chat, Creator: in.Sender, Created: c.now, Content: in.content}
	give := c.massPeople
	if in.Chat == "group" {
		give = c.massGroups
	}
	failed := give(m, in)
	if len(m.Sends) == 0 {
		return nil, refuse(41048)
	}
	c.corp.Masses = append(c.corp.Masses, m)
	c.said = in.firstWords()
	return answer{"fail_list": failed, "msgid": m.ID}, nil
}

func (c *call) massPeople(m *Mass, in massInput) (failed []string) {
	failed = []string{}
	list := in.Externals
	if len(list) == 0 {
		for _, f := range c.corp.byStaff[in.Sender] {
			if f.live() && in.match(f) {
				list = append(list, f.External)
			}
		}
	}
	for _, ext := range list {
		var by *Friend
		for _, f := range c.corp.following(ext) {
			if (in.Sender == "" || f.Staff == in.Sender) && c.sees(f.Staff) && in.match(f) {
				by = f
				break
			}
		}
		if by == nil {
			failed = append(failed, ext)
			continue
		}
		m.add(by.Staff, &MassSend{External: ext, Staff: by.Staff})
	}
	return failed
}

// match goes by the tag filter: one of each group.
func (in massInput) match(f *Friend) bool {
	if in.Tags == nil {
		return true
	}
	for _, g := range in.Tags.Groups {
		if !slices.ContainsFunc(g.Tags, func(t string) bool { return slices.Contains(f.Tags, t) }) {
			return false
		}
	}
	return true
}

func (c *call) massGroups(m *Mass, in massInput) (failed []string) {
	failed = []string{}
	for _, g := range c.corp.Groups {
		if !g.Gone && g.Owner == in.Sender && (len(in.ChatIDs) == 0 || slices.Contains(in.ChatIDs, g.ID)) {
			m.add(g.Owner, &MassSend{ChatID: g.ID, Staff: g.Owner})
		}
	}
	for _, id := range in.ChatIDs {
		if !slices.ContainsFunc(m.Sends, func(s *MassSend) bool { return s.ChatID == id }) {
			failed = append(failed, id)
		}
	}
	return failed
}

func (m *Mass) add(staff string, s *MassSend) {
	m.Sends = append(m.Sends, s)
	if !slices.ContainsFunc(m.Tasks, func(t *MassTask) bool { return t.Staff == staff }) {
		m.Tasks = append(m.Tasks, &MassTask{Staff: staff})
	}
}

func (c *call) mass(id string) (*Mass, error) {
	if id == "" {
		return nil, refuse(41046)
	}
	for _, m := range c.corp.Masses {
		if m.ID == id {
			return m, nil
		}
	}
	return nil, refuse(41047)
}

type massQuery struct {
	Msg     string `json:"msgid"`
	User    string `json:"userid"`
	Chat    string `json:"chat_type"`
	From    int64  `json:"start_time"`
	To      int64  `json:"end_time"`
	Creator string `json:"creator"`
	Filter  *int   `json:"filter_type"`
	Cursor  string `json:"cursor"`
	Limit   int    `json:"limit"`
}

func massList(c *call) (answer, error) {
	var in massQuery
	if err := c.in(&in); err != nil {
		return nil, err
	}
	l := c.s.limits.WeCom
	if in.Chat != "single" && in.Chat != "group" {
		return nil, refuseOn(40058, "chat_type")
	}
	if in.From == 0 || in.To < in.From || in.To-in.From > int64(l.MassListDays)*86400 {
		return nil, refuseOn(40058, "start_time and end_time")
	}
	var all []*Mass
	for _, m := range c.corp.Masses {
		if t := m.Created.Unix(); m.Chat == in.Chat && t >= in.From && t <= in.To && (in.Creator == "" || m.Creator == in.Creator) {
			all = append(all, m)
		}
	}
	cut, next, err := page(all, in.Cursor, in.Limit, l.MassListPage)
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, m := range cut {
		one := answer{"msgid": m.ID, "creator": m.Creator, "create_time": m.Created.Unix(), "create_type": 1}
		if m.Content.Text != nil {
			one["text"] = m.Content.Text
		}
		one["attachments"] = append([]attachment{}, m.Content.Attachments...)
		out = append(out, one)
	}
	return answer{"group_msg_list": out, "next_cursor": next}, nil
}

func massTasks(c *call) (answer, error) {
	var in massQuery
	if err := c.in(&in); err != nil {
		return nil, err
	}
	m, err := c.mass(in.Msg)
	if err != nil {
		return nil, err
	}
	cut, next, err := page(m.Tasks, in.Cursor, in.Limit, c.s.limits.WeCom.MassResultPage)
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, t := range cut {
		one := answer{"userid": t.Staff, "status": t.Status}
		if !t.At.IsZero() {
			one["send_time"] = t.At.Unix()
		}
		out = append(out, one)
	}
	return answer{"task_list": out, "next_cursor": next}, nil
}

func massResult(c *call) (answer, error) {
	var in massQuery
	if err := c.in(&in); err != nil {
		return nil, err
	}
	m, err := c.mass(in.Msg)
	if err != nil {
		return nil, err
	}
	if _, err := c.member(in.User); err != nil {
		return nil, err
	}
	var all []*MassSend
	for _, s := range m.Sends {
		if s.Staff == in.User {
			all = append(all, s)
		}
	}
	cut, next, err := page(all, in.Cursor, in.Limit, c.s.limits.WeCom.MassResultPage)
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, s := range cut {
		one := answer{"userid": s.Staff, "status": s.Status}
		if s.External != "" {
			one["external_userid"] = s.External
		}
		if s.ChatID != "" {
			one["chat_id"] = s.ChatID
		}
		if !s.At.IsZero() {
			one["send_time"] = s.At.Unix()
		}
		out = append(out, one)
	}
	return answer{"send_list": out, "next_cursor": next}, nil
}

func massRemind(c *call) (answer, error) {
	var in massQuery
	if err := c.in(&in); err != nil {
		return nil, err
	}
	m, err := c.mass(in.Msg)
	if err != nil {
		return nil, err
	}
	m.Reminds = slices.DeleteFunc(m.Reminds, func(t time.Time) bool { return c.now.Sub(t) > 24*time.Hour })
	if len(m.Reminds) >= c.s.limits.WeCom.MassReminds {
		return nil, refuse(45009)
	}
	m.Reminds = append(m.Reminds, c.now)
	return nil, nil
}

func massCancel(c *call) (answer, error) {
	var in massQuery
	if err := c.in(&in); err != nil {
		return nil, err
	}
	m, err := c.mass(in.Msg)
	if err != nil {
		return nil, err
	}
	m.Canceled = true // those who confirmed already have sent it
	return nil, nil
}

// confirm is one of the staff sending what waits for them.
func (s *Sim) confirm(w *World, c *Corp, m *Mass, staff string, now time.Time) int {
	sent := 0
	for _, t := range m.Tasks {
		if t.Staff != staff || t.Status != 0 || m.Canceled {
			continue
		}
		t.Status, t.At = 2, now
		for _, to := range m.Sends {
			if to.Staff == staff && to.Status == 0 {
				s.sendMass(w, c, m, to, now)
				sent++
			}
		}
	}
	return sent
}

func (s *Sim) sendMass(w *World, c *Corp, m *Mass, to *MassSend, now time.Time) {
	to.At = now
	name := c.staff[to.Staff].Name
	if to.ChatID != "" {
		if g := c.group(to.ChatID); g != nil && !g.Gone {
			to.Status = 1
			g.say(w, c, m.Content.lines(w, now, name, "mass")...)
			return
		}
		to.Status = 2
		return
	}
	f := c.liveFriend(to.Staff, to.External)
	if f == nil {
		to.Status = 2
		return
	}
	f.MassAt = slices.DeleteFunc(f.MassAt, func(t time.Time) bool { return now.Sub(t) > 31*24*time.Hour })
	today := 0
	for _, t := range f.MassAt {
		if day(t) == day(now) {
			today++
		}
	}
	if today >= s.limits.WeCom.MassPerDay {
		to.Status = 3
		return
	}
	f.MassAt = append(f.MassAt, now)
	to.Status = 1
	w.people[c.External[to.External]].chat("staff", c.ID, to.Staff).say(m.Content.lines(w, now, name, "mass")...)
}

// china is where the platform counts its days.
var china = time.FixedZone("Asia/Shanghai", 8*3600)

func day(t time.Time) string { return t.In(china).Format(time.DateOnly) }
