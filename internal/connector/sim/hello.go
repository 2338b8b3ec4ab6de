package sim

import (
	"slices"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// helloTextBytes is how long its text may be.
const helloTextBytes = 3000

// helloInput is a welcome of groups as the platform takes it: a text, and one
// attachment at most.
type helloInput struct {
	ID   string `json:"template_id"`
	Text *struct {
		Content string `json:"content"`
	} `json:"text"`
	attachment
}

// hello reads and checks it.
func (c *call) hello(in helloInput) (content, error) {
	out := content{Text: in.Text}
	if in.Text != nil && len(in.Text.Content) > helloTextBytes {
		return out, refuseOn(40058, "text.content exceeds max length")
	}
	add := func(kind string, there bool, a attachment) {
		if there {
			a.Type = kind
			out.Attachments = append(out.Attachments, a)
		}
	}
	add("image", in.Image != nil, attachment{Image: in.Image})
	add("link", in.Link != nil, attachment{Link: in.Link})
	add("miniprogram", in.Mini != nil, attachment{Mini: in.Mini})
	add("file", in.File != nil, attachment{File: in.File})
	add("video", in.Video != nil, attachment{Video: in.Video})
	if len(out.Attachments) > 1 {
		return out, refuseOn(40058, "one attachment at most")
	}
	return out, c.check(out)
}

func addGroupHello(c *call) (answer, error) {
	var in helloInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if len(c.corp.GroupHellos) >= c.s.limits.WeCom.GroupWelcomes {
		return nil, refuse(41093)
	}
	said, err := c.hello(in)
	if err != nil {
		return nil, err
	}
	h := &GroupHello{ID: c.w.next("msg", 30), Content: said}
	c.corp.GroupHellos = append(c.corp.GroupHellos, h)
	return answer{"template_id": h.ID}, nil
}

// groupHello finds the one that a call names.
func (c *call) groupHello(id string) (*GroupHello, error) {
	if id == "" {
		return nil, refuse(41092)
	}
	for _, h := range c.corp.GroupHellos {
		if h.ID == id {
			return h, nil
		}
	}
	return nil, refuse(41091)
}

func getGroupHello(c *call) (answer, error) {
	var in helloInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	h, err := c.groupHello(in.ID)
	if err != nil {
		return nil, err
	}
	out := answer{}
	if h.Content.Text != nil {
		out["text"] = h.Content.Text
	}
	for _, a := range h.Content.Attachments {
		switch a.Type {
		case "image":
			out["image"] = a.Image
		case "link":
			out["link"] = a.Link
		case "miniprogram":
			out["miniprogram"] = a.Mini
		case "file":
			out["file"] = a.File
		case "video":
			out["video"] = a.Video
		}
	}
	return out, nil
}

func editGroupHello(c *call) (answer, error) {
	var in helloInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	h, err := c.groupHello(in.ID)
	if err != nil {
		return nil, err
	}
	said, err := c.hello(in)
	if err != nil {
		return nil, err
	}
	h.Content = said
	return nil, nil
}

func delGroupHello(c *call) (answer, error) {
	var in helloInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	h, err := c.groupHello(in.ID)
	if err != nil {
		return nil, err
	}
	c.corp.GroupHellos = slices.DeleteFunc(c.corp.GroupHellos, func(o *GroupHello) bool { return o == h })
	return nil, nil
}

// openGID is the id that mini-programs know a group by.
func (w *World) openGID(g *Group) string { return "G" + w.derive(27, "opengid", g.ID) }

// OpenGID gives it, as the mini-program would.
func (s *Sim) OpenGID(chat string) (id string, err error) {
	err = s.at(func(w *World, _ time.Time) error {
		_, g, err := w.inGroup(chat)
		if err == nil {
			id = w.openGID(g)
		}
		return err
	})
	return id, err
}

func openGIDToChat(c *call) (answer, error) {
	var in struct {
		ID string `json:"opengid"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if in.ID == "" {
		return nil, refuseOn(40058, "opengid")
	}
	for _, g := range c.corp.Groups {
		if !g.Gone && c.w.openGID(g) == in.ID {
			return answer{"chat_id": g.ID}, nil
		}
	}
	return nil, refuse(86003)
}

// Dismiss is an owner dissolving their group.
func (s *Sim) Dismiss(what string) error {
	return s.at(func(w *World, now time.Time) error {
		c, g, err := w.inGroup(what)
		if err != nil {
			return err
		}
		for _, m := range g.Members {
			if p := w.people[c.External[m.ID]]; p != nil && m.Type == 2 {
				p.chat("group", c.ID, g.ID).note(w, now, "group_left", g.Name)
			}
		}
		g.Gone, g.Members = true, nil
		s.diary.act(now, "dismiss", "", g.Owner, g.Name)
		s.tell(c, now, "change_external_chat.dismiss", g.ID, g.Owner, wxcrypto.Elem("ChatId", g.ID))
		return nil
	})
}
