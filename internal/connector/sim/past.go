package sim

import "time"

// Past is somebody who became a friend of the staff before anybody listened.
type Past struct {
	ID, Name    string // the id is the caller's, and the same each time
	Gender      int
	City, Phone string
	Staff       string
	State       string // of the code they scanned; "": they came otherwise
	Since       time.Time
	GoneAt      time.Time // when they deleted the colleague; zero: friends still
	Group       string    // name of a group of the colleague that they joined; "" none
}

// Employ has somebody work at the first company, with customers. One who is there
// already stays as they are.
func (s *Sim) Employ(id, name, position string, department int) error {
	return s.at(func(w *World, _ time.Time) error {
		c := w.corp("")
		if c.staff[id] != nil {
			return nil
		}
		c.Staff = append(c.Staff, &Member{UserID: id, Name: name, Position: position, Gender: 2, Email: id + "@shanyue.example", Departments: []int{department}, Status: active, Follows: true})
		c.index()
		return nil
	})
}

// Bring puts people with a past into the first company's world, and gives the ids by
// which the company knows them. Nothing is called back, and those who were brought
// before stay as they are.
func (s *Sim) Bring(list []Past) (ids []string, err error) {
	err = s.at(func(w *World, _ time.Time) error {
		c := w.corp("")
		strangers := w.People // who was here stays at the end: lists begin with the newest
		var known []*Person
		defer func() { w.People = append(known, strangers...) }()
		for _, x := range list {
			p := w.people[x.ID]
			if p != nil {
				ids = append(ids, w.externalID(c, p))
				continue
			}
			p = &Person{ID: x.ID, Name: x.Name, Gender: x.Gender, City: x.City, Phone: x.Phone, UnionID: "o" + w.derive(27, "union", x.ID)}
			known = append(known, p)
			w.people[x.ID] = p
			ext := w.externalID(c, p)
			ids = append(ids, ext)
			m := c.staff[x.Staff]
			if m == nil {
				continue
			}
			f := &Friend{Staff: m.UserID, External: ext, AddWay: addByCode, Oper: ext, State: x.State, Since: x.Since, Chatted: true}
			if !x.GoneAt.IsZero() {
				f.Gone, f.GoneAt = "customer", x.GoneAt
			}
			c.Friends = append(c.Friends, f)
			c.byStaff[m.UserID] = append(c.byStaff[m.UserID], f)
			c.byExternal[ext] = append(c.byExternal[ext], f)
			p.chat("staff", c.ID, m.UserID).note(w, x.Since, "friends", m.Name)
			if x.Group == "" {
				continue
			}
			var g *Group
			for _, have := range c.Groups {
				if have.Name == x.Group && have.Owner == m.UserID {
					g = have
				}
			}
			if g == nil {
				g = c.newChat(w, m, x.Group, x.Since)
			}
			g.Members = append(g.Members, &GroupMember{ID: ext, Type: 2, Joined: x.Since, Scene: 3})
			p.chat("group", c.ID, g.ID).note(w, x.Since, "joined", g.Name)
		}
		return nil
	})
	return ids, err
}
