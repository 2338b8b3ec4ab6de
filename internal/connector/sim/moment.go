package sim

import (
	"slices"
	"time"
)

// Moment is something the staff publish to their customers' circle.
type Moment struct {
	ID      string        `json:"id"`
	Job     string        `json:"job"`
	Created time.Time     `json:"created"`
	Content content       `json:"content"`
	Tasks   []*MassTask   `json:"tasks"` // status 0 not yet, 1 published
	Tags    []string      `json:"tags,omitempty"`
	Seen    []*MassSend   `json:"seen"` // who got it, through whom
	Likes   []*MomentEcho `json:"likes"`
	Replies []*MomentEcho `json:"replies"`
	Stopped bool          `json:"stopped,omitempty"`
	// BadUsers and BadParties were named as senders and are none.
	BadUsers   []string `json:"badUsers"`
	BadParties []int    `json:"badParties"`
}

// MomentEcho is a like or a comment.
type MomentEcho struct {
	External string    `json:"external"`
	Staff    string    `json:"staff"` // whose post it is under
	At       time.Time `json:"at"`
	Text     string    `json:"text,omitempty"`
}

func addMoment(c *call) (answer, error) {
	var in struct {
		content
		Range *struct {
			Senders *struct {
				Users   []string `json:"user_list"`
				Parties []int    `json:"department_list"`
			} `json:"sender_list"`
			Customers *struct {
				Tags []string `json:"tag_list"`
			} `json:"external_contact_list"`
		} `json:"visible_range"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if err := c.checkMoment(in.content); err != nil {
		return nil, err
	}
	m := &Moment{ID: c.w.next("mom", 32), Created: c.now, Content: in.content}
	m.BadUsers, m.BadParties = []string{}, []int{}
	senders := []string{}
	if in.Range == nil || in.Range.Senders == nil {
		for _, s := range c.corp.Staff {
			if s.Status == active && s.Follows && c.sees(s.UserID) {
				senders = append(senders, s.UserID)
			}
		}
	} else {
		for _, id := range in.Range.Senders.Users {
			if _, err := c.follower(id); err != nil {
				m.BadUsers = append(m.BadUsers, id)
			} else {
				senders = append(senders, id)
			}
		}
		for _, d := range in.Range.Senders.Parties {
			if c.corp.department(d) == nil {
				m.BadParties = append(m.BadParties, d)
				continue
			}
			for _, s := range c.corp.below(d) {
				if s.Status == active && s.Follows && !slices.Contains(senders, s.UserID) {
					senders = append(senders, s.UserID)
				}
			}
		}
	}
	if len(senders) == 0 {
		return nil, refuse(81013)
	}
	if in.Range != nil && in.Range.Customers != nil {
		for _, t := range in.Range.Customers.Tags {
			if c.corp.tags[t] == nil {
				return nil, refuse(40068)
			}
		}
		m.Tags = in.Range.Customers.Tags
	}
	for _, s := range senders {
		m.Tasks = append(m.Tasks, &MassTask{Staff: s})
	}
	m.Job = c.w.next("", 40)
	c.corp.Moments = append(c.corp.Moments, m)
	c.corp.Jobs[m.Job] = m.ID
	c.said = in.firstWords()
	return answer{"jobid": m.Job}, nil
}

// checkMoment: nine pictures, or a video, or a link.
func (c *call) checkMoment(m content) error {
	l := c.s.limits.WeCom
	if m.empty() {
		return refuseOn(40063, "text and attachments are both empty")
	}
	if m.Text != nil && runes(m.Text.Content) > l.MomentTextRunes {
		return refuse(45002)
	}
	kinds := map[string]int{}
	for _, a := range m.Attachments {
		kinds[a.Type]++
		switch a.Type {
		case "image", "video":
			if err := c.checkAttachment(a); err != nil {
				return err
			}
		case "link":
			if a.Link == nil || a.Link.URL == "" {
				return refuseOn(40058, "link.url")
			}
			if err := checkURL(a.Link.URL); err != nil {
				return err
			}
			if a.Link.MediaID != "" {
				if err := c.media(a.Link.MediaID, "image"); err != nil {
					return err
				}
			}
		default:
			return refuse(41065)
		}
	}
	if len(kinds) > 1 || kinds["image"] > l.MomentImages || kinds["video"] > 1 || kinds["link"] > 1 {
		return refuseOn(40058, "attachments: nine images, or one video, or one link")
	}
	return nil
}

func momentJob(c *call) (answer, error) {
	id, ok := c.corp.Jobs[c.q.Get("jobid")]
	if !ok {
		return nil, refuse(40088)
	}
	m := c.corp.Moments[slices.IndexFunc(c.corp.Moments, func(m *Moment) bool { return m.ID == id })]
	return answer{"status": 3, "type": "add_moment_task", "result": answer{"errcode": 0, "errmsg": "ok", "moment_id": id,
		"invalid_sender_list": answer{"user_list": m.BadUsers, "department_list": m.BadParties}, "invalid_external_contact_list": answer{"tag_list": []string{}}}}, nil
}

type momentQuery struct {
	ID     string `json:"moment_id"`
	User   string `json:"userid"`
	From   int64  `json:"start_time"`
	To     int64  `json:"end_time"`
	Cursor string `json:"cursor"`
	Limit  int    `json:"limit"`
}

func (c *call) moment() (*Moment, momentQuery, error) {
	var in momentQuery
	if err := c.in(&in); err != nil {
		return nil, in, err
	}
	if in.ID == "" {
		return nil, in, refuse(41059)
	}
	for _, m := range c.corp.Moments {
		if m.ID == in.ID {
			return m, in, nil
		}
	}
	return nil, in, refuse(41060)
}

func momentList(c *call) (answer, error) {
	var in momentQuery
	if err := c.in(&in); err != nil {
		return nil, err
	}
	l := c.s.limits.WeCom
	if in.From == 0 || in.To < in.From || in.To-in.From > int64(l.MomentListDays)*86400 {
		return nil, refuseOn(40058, "start_time and end_time")
	}
	var all []*Moment
	for _, m := range c.corp.Moments {
		if t := m.Created.Unix(); t >= in.From && t <= in.To {
			all = append(all, m)
		}
	}
	cut, next, err := page(all, in.Cursor, in.Limit, l.MomentPage)
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, m := range cut {
		one := answer{"moment_id": m.ID, "create_time": m.Created.Unix(), "create_type": 0, "visible_type": 1}
		if m.Content.Text != nil {
			one["text"] = m.Content.Text
		}
		out = append(out, one)
	}
	return answer{"moment_list": out, "next_cursor": next}, nil
}

func momentTasks(c *call) (answer, error) {
	m, in, err := c.moment()
	if err != nil {
		return nil, err
	}
	cut, next, err := page(m.Tasks, in.Cursor, in.Limit, 1000)
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, t := range cut {
		out = append(out, answer{"userid": t.Staff, "publish_status": t.Status})
	}
	return answer{"task_list": out, "next_cursor": next}, nil
}

// published finds what one of the staff has published.
func (c *call) published() (*Moment, momentQuery, error) {
	m, in, err := c.moment()
	if err != nil {
		return nil, in, err
	}
	i := slices.IndexFunc(m.Tasks, func(t *MassTask) bool { return t.Staff == in.User })
	switch {
	case i < 0:
		return nil, in, refuse(41061)
	case m.Tasks[i].Status == 0:
		return nil, in, refuse(41062)
	}
	return m, in, nil
}

func momentCustomers(c *call) (answer, error) {
	m, in, err := c.published()
	if err != nil {
		return nil, err
	}
	return c.seen(m, in, false)
}

func momentResult(c *call) (answer, error) {
	m, in, err := c.published()
	if err != nil {
		return nil, err
	}
	return c.seen(m, in, true)
}

func (c *call) seen(m *Moment, in momentQuery, bare bool) (answer, error) {
	var all []answer
	for _, s := range m.Seen {
		if s.Staff == in.User {
			one := answer{"external_userid": s.External}
			if !bare {
				one["userid"] = s.Staff
			}
			all = append(all, one)
		}
	}
	cut, next, err := page(all, in.Cursor, in.Limit, 1000)
	if err != nil {
		return nil, err
	}
	return answer{"customer_list": append([]answer{}, cut...), "next_cursor": next}, nil
}

func momentComments(c *call) (answer, error) {
	m, in, err := c.published()
	if err != nil {
		return nil, err
	}
	of := func(list []*MomentEcho) []answer {
		out := []answer{}
		for _, e := range list {
			if e.Staff == in.User {
				out = append(out, answer{"external_userid": e.External, "create_time": e.At.Unix()})
			}
		}
		return out
	}
	return answer{"comment_list": of(m.Replies), "like_list": of(m.Likes)}, nil
}

func momentCancel(c *call) (answer, error) {
	m, _, err := c.moment()
	if err != nil {
		return nil, err
	}
	m.Stopped = true
	return nil, nil
}

// publish is one of the staff putting a moment out to their customers.
func (s *Sim) publish(c *Corp, m *Moment, staff string, now time.Time) int {
	n := 0
	for _, t := range m.Tasks {
		if t.Staff != staff || t.Status != 0 || m.Stopped {
			continue
		}
		t.Status, t.At = 1, now
		for _, f := range c.byStaff[staff] {
			if f.live() && (len(m.Tags) == 0 || slices.ContainsFunc(m.Tags, func(id string) bool { return slices.Contains(f.Tags, id) })) {
				m.Seen = append(m.Seen, &MassSend{External: f.External, Staff: staff, Status: 1, At: now})
				n++
			}
		}
	}
	return n
}
