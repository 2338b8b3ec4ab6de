package sim

import (
	"slices"
	"strconv"
	"strings"
)

func departmentList(c *call) (answer, error) {
	list := c.corp.Departments
	if q := c.q.Get("id"); q != "" {
		id, err := strconv.Atoi(q)
		if err != nil || c.corp.department(id) == nil {
			return nil, refuse(60123)
		}
		list = c.corp.under(id)
	}
	return answer{"department": list}, nil
}

func departmentIDs(c *call) (answer, error) {
	out, err := departmentList(c)
	if err != nil {
		return nil, err
	}
	type short struct {
		ID       int `json:"id"`
		ParentID int `json:"parentid"`
		Order    int `json:"order"`
	}
	ids := []short{}
	for _, d := range out["department"].([]*Department) {
		ids = append(ids, short{d.ID, d.ParentID, d.Order})
	}
	return answer{"department_id": ids}, nil
}

func departmentGet(c *call) (answer, error) {
	id, err := strconv.Atoi(c.q.Get("id"))
	if err != nil {
		return nil, refuse(60123)
	}
	d := c.corp.department(id)
	if d == nil {
		return nil, refuse(60003)
	}
	return answer{"department": d}, nil
}

func (c *Corp) department(id int) *Department {
	i := slices.IndexFunc(c.Departments, func(d *Department) bool { return d.ID == id })
	if i < 0 {
		return nil
	}
	return c.Departments[i]
}

// under is a department with all below it.
func (c *Corp) under(id int) []*Department {
	out := []*Department{}
	for _, d := range c.Departments {
		for at, hops := d, 0; at != nil && hops < 32; at, hops = c.department(at.ParentID), hops+1 {
			if at.ID == id {
				out = append(out, d)
				break
			}
		}
	}
	return out
}

func userGet(c *call) (answer, error) {
	m, err := c.member(c.q.Get("userid"))
	if err != nil {
		return nil, err
	}
	return c.memberAnswer(m), nil
}

// memberAnswer tells particulars to those apps only that may read them, as since
// 2022: phone, mail and the like stay away otherwise.
func (c *call) memberAnswer(m *Member) answer {
	leads := make([]int, len(m.Departments))
	order := make([]int, len(m.Departments))
	for i, d := range m.Departments {
		if slices.Contains(m.Leads, d) {
			leads[i] = 1
		}
	}
	out := answer{"userid": m.UserID, "name": m.Name, "department": m.Departments, "order": order, "position": m.Position, "status": m.Status,
		"is_leader_in_dept": leads, "direct_leader": []string{}, "main_department": m.Departments[0], "alias": "", "isleader": 0, "enable": 1, "hide_mobile": 0}
	if c.agent.Contacts {
		out["mobile"], out["email"], out["gender"] = m.Mobile, m.Email, strconv.Itoa(m.Gender)
		out["avatar"] = c.base + "/sim/avatar/" + m.UserID + ".svg"
		out["qr_code"] = c.base + "/sim/qr/user:" + m.UserID + ".png"
	}
	return out
}

// members of the department asked for, and below it on request.
func (c *call) members() ([]*Member, error) {
	id, err := strconv.Atoi(c.q.Get("department_id"))
	if err != nil {
		return nil, refuse(60123)
	}
	if c.corp.department(id) == nil {
		return nil, refuse(60003)
	}
	var list []*Member
	if c.q.Get("fetch_child") == "1" {
		list = c.corp.below(id)
	} else {
		for _, m := range c.corp.Staff {
			if m.Status != left && slices.Contains(m.Departments, id) {
				list = append(list, m)
			}
		}
	}
	return slices.DeleteFunc(list, func(m *Member) bool { return !c.sees(m.UserID) }), nil
}

func userList(c *call) (answer, error) {
	list, err := c.members()
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, m := range list {
		out = append(out, c.memberAnswer(m))
	}
	return answer{"userlist": out}, nil
}

func userSimpleList(c *call) (answer, error) {
	list, err := c.members()
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, m := range list {
		out = append(out, answer{"userid": m.UserID, "name": m.Name, "department": m.Departments})
	}
	return answer{"userlist": out}, nil
}

func userListID(c *call) (answer, error) {
	var in struct {
		Cursor string `json:"cursor"`
		Limit  int    `json:"limit"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	all := []answer{}
	for _, m := range c.corp.Staff {
		if m.Status == left || !c.sees(m.UserID) {
			continue
		}
		for _, d := range m.Departments {
			all = append(all, answer{"userid": m.UserID, "department": d})
		}
	}
	cut, next, err := page(all, in.Cursor, in.Limit, c.s.limits.WeCom.NextUsersPage)
	if err != nil {
		return nil, err
	}
	return answer{"dept_user": cut, "next_cursor": next}, nil
}

func userByMobile(c *call) (answer, error) {
	var in struct {
		Mobile string `json:"mobile"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	for _, m := range c.corp.Staff {
		if m.Status != left && m.Mobile == in.Mobile && c.sees(m.UserID) {
			return answer{"userid": m.UserID}, nil
		}
	}
	return nil, refuse(46004)
}

func agentGet(c *call) (answer, error) {
	id, err := strconv.Atoi(c.q.Get("agentid"))
	if err != nil {
		return nil, refuse(41011)
	}
	a := c.corp.agent(id)
	if a == nil {
		return nil, refuse(40056)
	}
	if a != c.agent {
		return nil, refuse(301002)
	}
	users := []answer{}
	for _, m := range c.corp.Staff {
		if m.Status != left && c.sees(m.UserID) {
			users = append(users, answer{"userid": m.UserID})
		}
	}
	return answer{"agentid": a.ID, "name": a.Name, "square_logo_url": c.base + "/sim/avatar/app.svg", "description": "", "allow_userinfos": answer{"user": users},
		"allow_partys": answer{"partyid": []int{1}}, "close": 0, "redirect_domain": strings.TrimPrefix(strings.TrimPrefix(c.base, "http://"), "https://"), "report_location_flag": 0, "isreportenter": 0, "home_url": ""}, nil
}

// platformIPs are where the simulator speaks from.
func platformIPs(*call) (answer, error) { return answer{"ip_list": []string{"127.0.0.1"}}, nil }
