package sim

import (
	"regexp"
	"slices"
	"unicode/utf8"
)

func followUsers(c *call) (answer, error) {
	out := []string{}
	for _, m := range c.corp.Staff {
		if m.Status == active && m.Follows && c.sees(m.UserID) {
			out = append(out, m.UserID)
		}
	}
	return answer{"follow_user": out}, nil
}

func customerList(c *call) (answer, error) {
	m, err := c.follower(c.q.Get("userid"))
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, f := range c.corp.byStaff[m.UserID] {
		if f.live() {
			out = append(out, f.External)
		}
	}
	if len(out) == 0 {
		return nil, refuse(84061)
	}
	return answer{"external_userid": out}, nil
}

// followPage is how many followers of one customer come at once; the platform
// pages beyond 500.
const followPage = 500

func customerGet(c *call) (answer, error) {
	external := c.q.Get("external_userid")
	if external == "" {
		return nil, refuse(41035)
	}
	p := c.w.people[c.corp.External[external]]
	if p == nil {
		return nil, refuse(40096)
	}
	c.about = external
	list := slices.DeleteFunc(c.corp.following(external), func(f *Friend) bool { return !c.sees(f.Staff) })
	if len(list) == 0 {
		return nil, refuse(84061)
	}
	cut, next, err := page(list, c.q.Get("cursor"), followPage, followPage)
	if err != nil {
		return nil, err
	}
	follow := []answer{}
	for _, f := range cut {
		one := c.followAnswer(f)
		tags := []answer{}
		for _, id := range f.Tags {
			if t := c.corp.tags[id]; t != nil {
				tags = append(tags, answer{"group_name": t.group.Name, "tag_name": t.Name, "tag_id": t.ID, "type": 1})
			}
		}
		one["tags"] = tags
		follow = append(follow, one)
	}
	return answer{"external_contact": c.contactAnswer(external, p), "follow_user": follow, "next_cursor": next}, nil
}

func (c *call) contactAnswer(external string, p *Person) answer {
	out := answer{"external_userid": external, "name": p.Name, "type": 1, "gender": p.Gender, "avatar": c.base + "/sim/avatar/" + p.ID + ".svg"}
	if c.corp.ShareUnion {
		out["unionid"] = p.UnionID
	}
	return out
}

func (c *call) followAnswer(f *Friend) answer {
	out := answer{"userid": f.Staff, "remark": f.Remark, "description": f.Description, "createtime": f.Since.Unix(),
		"remark_mobiles": orNone(f.Mobiles), "oper_userid": f.Oper, "add_way": f.AddWay}
	if f.Company != "" {
		out["remark_corp_name"] = f.Company
	}
	if f.State != "" {
		out["state"] = f.State
	}
	return out
}

func orNone(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func customerBatch(c *call) (answer, error) {
	var in struct {
		Users  []string `json:"userid_list"`
		Cursor string   `json:"cursor"`
		Limit  int      `json:"limit"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if len(in.Users) == 0 {
		return nil, refuse(41009)
	}
	if len(in.Users) > c.s.limits.WeCom.BatchUsers {
		return nil, refuse(40032)
	}
	var all []*Friend
	for _, id := range in.Users {
		if _, err := c.follower(id); err != nil {
			return nil, err
		}
		for _, f := range c.corp.byStaff[id] {
			if f.live() {
				all = append(all, f)
			}
		}
	}
	cut, next, err := page(all, in.Cursor, in.Limit, c.s.limits.WeCom.BatchPage)
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, f := range cut {
		follow := c.followAnswer(f)
		follow["tag_id"] = orNone(f.Tags)
		out = append(out, answer{"external_contact": c.contactAnswer(f.External, c.w.people[c.corp.External[f.External]]), "follow_info": follow})
	}
	return answer{"external_contact_list": out, "next_cursor": next}, nil
}

var mobile = regexp.MustCompile(`^\+?[0-9-]{5,20}$`)

// customerRemark writes what is given and leaves the rest, as the platform does.
// Nothing is called back: the change was made through the API.
func customerRemark(c *call) (answer, error) {
	var in struct {
		User        string    `json:"userid"`
		External    string    `json:"external_userid"`
		Remark      *string   `json:"remark"`
		Description *string   `json:"description"`
		Company     *string   `json:"remark_company"`
		Mobiles     *[]string `json:"remark_mobiles"`
		Picture     string    `json:"remark_pic_mediaid"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	f, err := c.relation(in.User, in.External)
	if err != nil {
		return nil, err
	}
	l := c.s.limits.WeCom
	switch {
	case in.Remark == nil && in.Description == nil && in.Company == nil && in.Mobiles == nil && in.Picture == "":
		return nil, refuseOn(40063, "remark, description, remark_company, remark_mobiles and remark_pic_mediaid are all empty")
	case tooLong(in.Remark, l.Remark):
		return nil, refuseOn(40058, "remark exceeds max length")
	case tooLong(in.Description, l.Description):
		return nil, refuseOn(40058, "description exceeds max length")
	case tooLong(in.Company, l.RemarkCompany):
		return nil, refuseOn(40058, "remark_company exceeds max length")
	}
	if in.Mobiles != nil {
		// A list with one empty text takes the numbers away.
		list := slices.DeleteFunc(slices.Clone(*in.Mobiles), func(s string) bool { return s == "" })
		if len(list) > l.RemarkMobiles || slices.ContainsFunc(list, func(s string) bool { return !mobile.MatchString(s) }) {
			return nil, refuseOn(40058, "remark_mobiles")
		}
		f.Mobiles = list
	}
	if in.Picture != "" && c.corp.Media[in.Picture] == nil {
		return nil, refuse(40007)
	}
	set(&f.Remark, in.Remark)
	set(&f.Description, in.Description)
	set(&f.Company, in.Company)
	return nil, nil
}

func tooLong(s *string, most int) bool { return s != nil && utf8.RuneCountInString(*s) > most }

func set(to, v *string) {
	if v != nil {
		*to = *v
	}
}

func unionToExternal(c *call) (answer, error) {
	var in struct {
		UnionID string `json:"unionid"`
		OpenID  string `json:"openid"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if in.UnionID == "" {
		return nil, refuseOn(40058, "unionid")
	}
	for _, p := range c.w.People {
		if p.UnionID == in.UnionID {
			if ext, ok := c.corp.ids[p.ID]; ok && len(c.corp.following(ext)) > 0 {
				c.about = ext
				return answer{"external_userid": ext}, nil
			}
			return answer{"pending_id": "pi" + c.w.derive(30, "pending", c.corp.ID, p.ID)}, nil
		}
	}
	return answer{}, nil
}
