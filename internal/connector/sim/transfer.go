package sim

import (
	"slices"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// Transfer is the hand-over of one customer to another of the staff.
type Transfer struct {
	External string    `json:"external"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Resigned bool      `json:"resigned"`
	Asked    time.Time `json:"asked"`
	Status   int       `json:"status"` // 1 done, 2 waits, 3 refused, 4 the taker has too many
	At       time.Time `json:"at,omitzero"`
	Words    string    `json:"words,omitempty"`
}

type transferInput struct {
	From      string   `json:"handover_userid"`
	To        string   `json:"takeover_userid"`
	Externals []string `json:"external_userid"`
	Words     string   `json:"transfer_success_msg"`
	Cursor    string   `json:"cursor"`
}

func transferCustomer(c *call) (answer, error) { return c.transfer(false) }
func transferResigned(c *call) (answer, error) { return c.transfer(true) }

func (c *call) transfer(resigned bool) (answer, error) {
	var in transferInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if len(in.Externals) == 0 {
		return nil, refuse(41035)
	}
	if len(in.Externals) > c.s.limits.WeCom.TransferPage {
		return nil, refuseOn(40058, "external_userid")
	}
	from := c.corp.staff[in.From]
	switch {
	case from == nil || !c.sees(in.From):
		return nil, refuseOn(60111, in.From)
	case resigned && from.Status != left:
		return nil, refuse(40097)
	case !resigned && from.Status == left:
		return nil, refuseOn(60111, in.From)
	case in.From == in.To:
		return nil, refuse(40130)
	}
	if _, err := c.follower(in.To); err != nil {
		return nil, err
	}
	out := []answer{}
	for _, ext := range in.Externals {
		out = append(out, answer{"external_userid": ext, "errcode": c.transferOne(in, ext, resigned)})
	}
	return answer{"customer": out}, nil
}

func (c *call) transferOne(in transferInput, ext string, resigned bool) int {
	if _, ok := c.corp.External[ext]; !ok {
		return 40096
	}
	f := c.corp.friend(in.From, ext)
	switch {
	case f == nil || !f.live() && (!resigned || f.Gone != "left"):
		return 40131
	case slices.ContainsFunc(c.corp.Transfers, func(t *Transfer) bool { return t.External == ext && t.Status == 2 }):
		return 40129
	}
	recent := 0
	l := c.s.limits.WeCom
	for _, at := range f.Moves {
		if c.now.Sub(at) < time.Duration(l.TransferDays)*24*time.Hour {
			recent++
		}
	}
	if recent >= l.TransferTimes {
		return 40128
	}
	t := &Transfer{External: ext, From: in.From, To: in.To, Resigned: resigned, Asked: c.now, Status: 2, Words: in.Words}
	c.corp.Transfers = append(c.corp.Transfers, t)
	p := c.w.people[c.corp.External[ext]]
	if p != nil {
		p.chat("staff", c.corp.ID, in.From).note(c.w, c.now, "transfer", c.corp.staff[in.To].Name)
	}
	return 0
}

// settleTransfers does hand-overs whose day of grace has passed.
func (s *Sim) settleTransfers(c *Corp, now time.Time) {
	for _, t := range c.Transfers {
		if t.Status != 2 {
			continue
		}
		p := s.world.people[c.External[t.External]]
		switch {
		case p == nil:
			t.Status, t.At = 3, now
		case p.RefusesTransfer:
			s.failTransfer(c, t, 3, "customer_refused", now)
		case c.customers(t.To) >= s.limits.WeCom.StaffCustomers:
			s.failTransfer(c, t, 4, "customer_limit_exceed", now)
		case now.Sub(t.Asked) >= seconds(s.limits.WeCom.TransferSeconds):
			s.doTransfer(c, t, p, now)
		}
	}
}

func (c *Corp) customers(staff string) int {
	n := 0
	for _, f := range c.byStaff[staff] {
		if f.live() {
			n++
		}
	}
	return n
}

func (s *Sim) failTransfer(c *Corp, t *Transfer, status int, reason string, now time.Time) {
	t.Status, t.At = status, now
	s.tell(c, now, "change_external_contact.transfer_fail", t.External, t.To,
		wxcrypto.Elem("FailReason", reason), wxcrypto.Elem("UserID", t.To), wxcrypto.Elem("ExternalUserID", t.External))
}

// doTransfer moves the customer: the old colleague loses them, the new one has
// them with the tags, the remark and the source of the old one.
func (s *Sim) doTransfer(c *Corp, t *Transfer, p *Person, now time.Time) {
	old := c.friend(t.From, t.External)
	t.Status, t.At = 1, now
	old.Gone, old.GoneAt = "transfer", now
	s.befriend(s.world, c, p, c.staff[t.To], old.State, addByAdmin, t.From, now, "add_external_contact")
	f := c.friend(t.To, t.External)
	f.Tags, f.Remark, f.Description, f.Mobiles, f.Company = slices.Clone(old.Tags), old.Remark, old.Description, slices.Clone(old.Mobiles), old.Company
	f.Moves = append(slices.Clone(old.Moves), now)
	words := t.Words
	if words == "" {
		words = "您好，您的服务已升级，后续将由我继续为您服务。"
	}
	m := c.staff[t.To]
	p.chat("staff", c.ID, t.To).say(Line{ID: s.world.next("m", 20), At: now, From: "them", Name: m.Name, Kind: "text", Text: words, Via: "transfer"})
	s.tell(c, now, "change_external_contact.del_external_contact", t.External, t.From,
		wxcrypto.Elem("UserID", t.From), wxcrypto.Elem("ExternalUserID", t.External), wxcrypto.Elem("Source", "DELETE_BY_TRANSFER"))
}

func transferResult(c *call) (answer, error) { return c.transferResults(false) }
func resignedResult(c *call) (answer, error) { return c.transferResults(true) }

func (c *call) transferResults(resigned bool) (answer, error) {
	var in transferInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if in.From == "" || in.To == "" {
		return nil, refuse(41009)
	}
	var all []*Transfer
	for _, t := range c.corp.Transfers {
		if t.From == in.From && t.To == in.To && t.Resigned == resigned {
			all = append(all, t)
		}
	}
	cut, next, err := page(all, in.Cursor, 1000, 1000)
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, t := range cut {
		at := int64(0)
		switch t.Status {
		case 1:
			at = t.At.Unix()
		case 2:
			at = t.Asked.Add(seconds(c.s.limits.WeCom.TransferSeconds)).Unix()
		}
		out = append(out, answer{"external_userid": t.External, "status": t.Status, "takeover_time": at})
	}
	return answer{"customer": out, "next_cursor": next}, nil
}

// unassigned are the customers of those who left, whom nobody has yet.
func unassigned(c *call) (answer, error) {
	var in struct {
		Cursor string `json:"cursor"`
		Size   int    `json:"page_size"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	var all []answer
	for _, f := range c.corp.Friends {
		if f.Gone == "left" && !slices.ContainsFunc(c.corp.Transfers, func(t *Transfer) bool { return t.External == f.External && t.From == f.Staff && t.Status <= 2 }) {
			all = append(all, answer{"handover_userid": f.Staff, "external_userid": f.External, "dimission_time": f.GoneAt.Unix()})
		}
	}
	cut, next, err := page(all, in.Cursor, in.Size, 1000)
	if err != nil {
		return nil, err
	}
	return answer{"info": append([]answer{}, cut...), "is_last": next == "", "next_cursor": next}, nil
}

// groupTransfer hands groups of somebody who left to another; groups of those
// who are there move with onjob_transfer.
func groupTransfer(c *call) (answer, error) { return c.moveGroups(true) }
func groupOnJob(c *call) (answer, error)    { return c.moveGroups(false) }

func (c *call) moveGroups(resigned bool) (answer, error) {
	var in struct {
		IDs   []string `json:"chat_id_list"`
		Owner string   `json:"new_owner"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	l := c.s.limits.WeCom
	if len(in.IDs) == 0 || len(in.IDs) > l.GroupTransfers {
		return nil, refuseOn(40058, "chat_id_list")
	}
	m, err := c.follower(in.Owner)
	if err != nil {
		return nil, err
	}
	today := 0
	for _, g := range c.corp.Groups {
		if g.Owner == in.Owner && g.MovedDay == day(c.now) {
			today++
		}
	}
	failed := []answer{}
	for _, id := range in.IDs {
		g := c.corp.group(id)
		code := 0
		switch {
		case g == nil || g.Gone:
			code = 86003
		case g.Owner == in.Owner:
			code = 40130
		case resigned != (c.corp.staff[g.Owner].Status == left):
			code = 90500 // the owner has not left, or has
		case today >= l.GroupTransfersPerDay:
			code = 90501
		}
		if code != 0 {
			failed = append(failed, answer{"chat_id": id, "errcode": code, "errmsg": words[code]})
			continue
		}
		g.Owner, g.Status, g.MovedDay = m.UserID, 0, day(c.now)
		if !g.has(m.UserID) {
			g.Members = append(g.Members, &GroupMember{ID: m.UserID, Type: 1, Joined: c.now, Scene: 1})
		}
		today++
	}
	return answer{"failed_chat_list": failed}, nil
}

// Quit is one of the staff leaving the company.
func (s *Sim) Quit(staff string) error {
	return s.at(func(w *World, now time.Time) error {
		c, m, err := w.employee(staff)
		if err != nil {
			return err
		}
		m.Status, m.LeftAt = left, now
		for _, f := range c.byStaff[m.UserID] {
			if f.live() {
				f.Gone, f.GoneAt = "left", now
			}
		}
		for _, g := range c.Groups {
			if g.Owner == m.UserID {
				g.Status = 1
			}
		}
		s.diary.act(now, "quit", "", m.UserID, "")
		s.tell(c, now, "change_contact.delete_user", m.UserID, m.UserID, wxcrypto.Elem("UserID", m.UserID))
		return nil
	})
}
